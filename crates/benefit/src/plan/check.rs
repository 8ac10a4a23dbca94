//! The checks that make a plan valid, whether it was just compiled or came from its bytes.

use alloc::{collections::BTreeSet, format, string::ToString};
use primitives::{Currency, Detail, detail};

use super::{
    Base, BaseOf, Content, Counted, GROUPS_MAX, Group, PLAN_ACCUMULATORS_MAX, PLAN_FORMAT,
    PlanAccumulator, PlanError, STEPS_MAX, Span, Split, Step, StepNumber,
};
use crate::{
    accumulator::AccumulatorScope,
    allowance::{Allowance, How, Repeat, RowAmount},
    condition::{ALWAYS, Condition, Running},
    example::{EXAMPLE_ROWS_MAX, EXAMPLES_MAX, Example, VISITS_MAX},
    word::VisitType,
};

/// Amounts of a plan are below this many minor units.
pub(crate) const AMOUNT_BELOW: u64 = 1_000_000_000_000_000;
const CONDITIONS_MAX: usize = 512;
const FACTOR_MAX: u32 = 100_000_000;

/// A step under examination.
pub(crate) struct StepCheck<'a> {
    content: &'a Content,
    pub(crate) step: &'a Step,
}

fn error(place: Detail, message: Detail) -> PlanError {
    PlanError { step: None, place: Some(place), message }
}

/// Checks everything that the types do not say.
pub(super) fn check(content: &Content) -> Result<(), PlanError> {
    check_head(content)?;
    check_accumulators(content)?;
    if content.groups.len() > GROUPS_MAX {
        return Err(error(
            "`group`".into(),
            detail!("there are more than {most} groups", most = GROUPS_MAX),
        ));
    }
    for condition in &content.conditions {
        check_condition(content, condition).map_err(|message| error("`when`".into(), message))?;
    }
    for (number, step) in (0_u8..).zip(&content.steps) {
        StepCheck { content, step }.check(number).map_err(|message| PlanError {
            step: Some(number),
            place: Some(detail!("step {step}", step = u16::from(number).saturating_add(1))),
            message,
        })?;
    }
    check_examples(&content.examples)
}

fn check_examples(examples: &[Example]) -> Result<(), PlanError> {
    let visits = || examples.iter().flat_map(|example| &example.visits);
    let wrong = if examples.len() > EXAMPLES_MAX {
        detail!("there are more than {most} examples", most = EXAMPLES_MAX)
    } else if examples.iter().any(|example| example.visits.len() > VISITS_MAX) {
        detail!("an example has more than {most} visits", most = VISITS_MAX)
    } else if visits().any(|visit| visit.sums.rows().len() > EXAMPLE_ROWS_MAX) {
        detail!("a visit has more than {most} rows", most = EXAMPLE_ROWS_MAX)
    } else {
        return Ok(());
    };
    Err(error("`example`".into(), wrong))
}

fn check_head(content: &Content) -> Result<(), PlanError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let wrong = if content.format != PLAN_FORMAT {
        detail!(
            "the compiled form has version {version}; this engine runs {runs}",
            version = content.format,
            runs = PLAN_FORMAT
        )
    } else if !(1..=64).contains(&content.id.len()) || !content.id.bytes().all(allowed) {
        detail!("`id` must be 1 to 64 of a-z, 0-9 and -")
    } else if !Currency::ALL.contains(&content.currency) {
        detail!("`currency` is not known")
    } else if !content.valid.is_ordered() {
        detail!("`valid.from` lies behind `valid.to`")
    } else if !is_year_start(content.year_starts) {
        detail!("`year_starts` must be a month and day as `01-01`, not 02-29")
    } else if content.visit_types == 0 || content.visit_types & !all_visit_types() != 0 {
        detail!("`visit_types` must name at least one visit type")
    } else if content.programmes & 1 != 0 {
        detail!("`programmes` must have numbers from 1 to 31")
    } else if content.steps.is_empty() || content.steps.len() > STEPS_MAX {
        detail!("a plan has 1 to {most} steps", most = STEPS_MAX)
    } else if content.conditions.len() > CONDITIONS_MAX {
        detail!("there are more than {most} different conditions", most = CONDITIONS_MAX)
    } else {
        return Ok(());
    };
    Err(error("`plan`".into(), wrong))
}

fn all_visit_types() -> u32 {
    VisitType::ALL.iter().fold(0, |all, word| all | word.bit())
}

fn is_year_start((month, day): (u8, u8)) -> bool {
    primitives::CivilDate::from_ymd(2001, month, day).is_some()
}

fn check_accumulators(content: &Content) -> Result<(), PlanError> {
    let count = content.accumulators.len();
    if count > PLAN_ACCUMULATORS_MAX {
        let message =
            detail!("there are more than {most} accumulators", most = PLAN_ACCUMULATORS_MAX);
        return Err(error("`accumulator`".into(), message));
    }
    let mut numbers = BTreeSet::new();
    for one in &content.accumulators {
        let place = || detail!("accumulator {number}", number = one.number.to_string());
        if one.number == 0 || !numbers.insert(one.number) {
            return Err(error(
                place(),
                detail!("`number` must be 1 to 65535 and different for each"),
            ));
        }
        let counts_well = matches!(one.span, Span::Year | Span::Lifetime) && !one.per_slot;
        if one.counts == Counted::Visits && !counts_well {
            return Err(error(
                place(),
                detail!(
                    "an accumulator that counts visits needs period `year` or `lifetime` and no `per_slot`"
                ),
            ));
        }
        let needed = match one.span {
            Span::Month => Split::Month,
            Span::Day => Split::Day,
            _ => continue,
        };
        if content.split < needed {
            return Err(error(
                place(),
                detail!(
                    "its period is shorter than the parts into which stays are cut; set `split_stay` to `month` or `day`"
                ),
            ));
        }
    }
    Ok(())
}

fn accumulator(content: &Content, at: u8) -> Result<&PlanAccumulator, Detail> {
    content.accumulators.get(usize::from(at)).ok_or_else(|| detail!("there is no such accumulator"))
}

fn check_condition(content: &Content, condition: &Condition) -> Result<(), Detail> {
    if condition.age_from >= condition.age_below {
        return Err(detail!("`age_from` must be below `age_below`"));
    }
    if u16::from(condition.years_from) >= condition.years_below || condition.years_below > 256 {
        return Err(detail!("`unbroken_years_from` must be below `unbroken_years_below`"));
    }
    if condition.running.len() > 4 {
        return Err(detail!("there are too many conditions on accumulators"));
    }
    for running in &condition.running {
        let one = accumulator(content, running.accumulator())?;
        match *running {
            Running::VisitNumber { from, below, .. } => {
                if one.counts != Counted::Visits || from >= below {
                    return Err(detail!(
                        "`visit_number.of` must count visits, and `from` be less than `below`"
                    ));
                }
            }
            Running::MonthsReached { within, at_least, .. } => {
                let by_month = one.span == Span::Month && one.counts == Counted::Times;
                if !by_month || !(2..=36).contains(&within) || at_least == 0 {
                    return Err(detail!(
                        "`months_reached.of` must have period `month` and count `times`, `within` be 2 to 36 and `at_least` 1 or more"
                    ));
                }
            }
            Running::Accumulated { from, below, .. } => {
                if from >= below {
                    return Err(detail!("`accumulated.from` must be less than `below`"));
                }
            }
        }
    }
    Ok(())
}

impl StepCheck<'_> {
    fn check(&self, number: u8) -> Result<(), Detail> {
        let step = self.step;
        self.condition(step.when)?;
        self.base(&step.base, number)?;
        if step.rounding.unit == 0 || step.rounding.unit > 1_000_000_000 {
            return Err(detail!("`rounding.unit` must be above zero"));
        }
        let watched = self
            .content
            .steps
            .iter()
            .any(|other| other.base.groups_with.is_some_and(|(after, _)| after == number));
        if watched != step.is_watched {
            return Err(detail!("the step is not marked as asked for by `groups_with`"));
        }
        step.rule.check(self)
    }

    fn base(&self, base: &Base, number: u8) -> Result<(), Detail> {
        let all_groups = 0xFF_u8 >> 7_usize.saturating_sub(self.content.groups.len());
        if base.parts == 0
            || base.parts > 0b1111
            || base.groups == 0
            || base.groups & !all_groups != 0
        {
            return Err(detail!("`base` must name at least one part and one group"));
        }
        if self.step.per_slot {
            let per_slot =
                |(at, group): (u32, &Group)| base.groups >> at & 1 == 0 || group.per_slot;
            let rest = 1_u8.checked_shl(u32::try_from(self.content.groups.len()).unwrap_or(8));
            let has_rest = rest.is_none_or(|rest| base.groups & rest != 0);
            if has_rest || !(0_u32..).zip(&self.content.groups).all(per_slot) {
                return Err(detail!(
                    "a step with `per_slot` needs `base.groups`, and all of them with `per_slot`"
                ));
            }
            if matches!(base.of, BaseOf::Number(_)) || !base.less.is_empty() {
                return Err(detail!(
                    "numbers of other steps are not for a step with `per_slot`; leave `base.of` and `base.less` out"
                ));
            }
        }
        if base.less.len() > 8 || (base.of != BaseOf::Left && !base.less.is_empty()) {
            return Err(detail!(
                "`base.less` belongs to `of = \"left\"` and has at most 8 entries"
            ));
        }
        let number_of = match base.of {
            BaseOf::Number(of) => Some(of),
            BaseOf::Left | BaseOf::Charged => None,
        };
        let steps = base.less.iter().copied().chain(number_of).map(|of: StepNumber| of.step);
        let after = base.groups_with.map(|(after, _)| after);
        if steps.chain(after).any(|step| step >= number) {
            return Err(detail!("`base` refers to a step that does not come before this one"));
        }
        Ok(())
    }

    /// The condition exists, and what it asks per slot is asked in a step per slot.
    pub(crate) fn condition(&self, when: u16) -> Result<(), Detail> {
        if when == ALWAYS {
            return Ok(());
        }
        let condition = self.content.conditions.get(usize::from(when));
        let condition = condition.ok_or_else(|| detail!("`when` refers to no condition"))?;
        condition
            .running
            .iter()
            .try_for_each(|running| self.accumulator("when", running.accumulator()))
    }

    fn accumulator(&self, field: &str, at: u8) -> Result<(), Detail> {
        let one = accumulator(self.content, at)
            .map_err(|what| detail!("`{field}`: {what}", field, what))?;
        if one.per_slot && !self.step.per_slot {
            return Err(detail!(
                "`{field}`: accumulator {number} is per slot; only a step with `per_slot` may use it",
                field,
                number = one.number.to_string()
            ));
        }
        Ok(())
    }

    /// The accumulator, if one is named, counts money.
    pub(crate) fn money(&self, field: &str, at: Option<u8>) -> Result<(), Detail> {
        let Some(at) = at else { return Ok(()) };
        self.accumulator(field, at)?;
        if accumulator(self.content, at)?.counts != Counted::Money {
            return Err(detail!("`{field}` must be an accumulator that counts money", field));
        }
        Ok(())
    }

    /// The accumulator counts visits.
    pub(crate) fn visits(&self, field: &str, at: u8) -> Result<(), Detail> {
        if accumulator(self.content, at)?.counts == Counted::Visits {
            return Ok(());
        }
        Err(detail!("`{field}` must be an accumulator with `counts = \"visits\"`", field))
    }

    /// The accumulator counts how often something happened in a month.
    pub(crate) fn times_by_month(&self, field: &str, at: u8) -> Result<(), Detail> {
        self.accumulator(field, at)?;
        let one = accumulator(self.content, at)?;
        if one.span == Span::Month && one.counts == Counted::Times {
            return Ok(());
        }
        Err(detail!(
            "`{field}` must be an accumulator with `period = \"month\"` and `counts = \"times\"`",
            field
        ))
    }

    /// A list is not longer than its bound.
    pub(crate) fn at_most(&self, field: &str, len: usize, most: usize) -> Result<(), Detail> {
        if len <= most {
            return Ok(());
        }
        Err(detail!("`{field}` has {len} entries; at most {most} are allowed", field, len, most))
    }

    /// An amount keeps the bound.
    pub(crate) fn amount(&self, field: &str, amount: u64) -> Result<(), Detail> {
        if amount < AMOUNT_BELOW {
            return Ok(());
        }
        Err(detail!("`{field}` is too large", field))
    }

    /// A factor keeps the bound.
    pub(crate) fn factor(&self, factor: u32) -> Result<(), Detail> {
        if factor <= FACTOR_MAX {
            return Ok(());
        }
        Err(detail!("a factor is more than 100"))
    }

    /// A table has rows, the conditions exist, and its last row, and only that, has none.
    pub(crate) fn table(
        &self,
        field: &str,
        rows: impl ExactSizeIterator<Item = u16>,
        last_holds: bool,
    ) -> Result<(), Detail> {
        let len = rows.len();
        self.at_most(field, len, 64)?;
        for (at, when) in rows.enumerate() {
            self.condition(when)?;
            let is_last = at.saturating_add(1) == len;
            if when == ALWAYS && !is_last {
                return Err(detail!(
                    "`{field}`: only the last row may be without `when`; the rows behind it never count",
                    field
                ));
            }
            if is_last && (when != ALWAYS || !last_holds) {
                return Err(detail!(
                    "`{field}`: the last row must have no `when`, so that nothing falls through",
                    field
                ));
            }
        }
        if len == 0 {
            return Err(detail!("`{field}` is missing", field));
        }
        Ok(())
    }

    /// A list of allowances; only deductibles must have an end.
    pub(crate) fn allowances(&self, field: &str, list: &[Allowance]) -> Result<(), Detail> {
        self.at_most(field, list.len(), 4)?;
        list.iter().try_for_each(|one| self.one(field, one))?;
        if field == "deductibles" {
            list.iter().try_for_each(|one| has_end(field, one))?;
        }
        Ok(())
    }

    /// An allowance that always applies and has an end.
    pub(crate) fn allowance(&self, field: &str, one: &Allowance) -> Result<(), Detail> {
        self.one(field, one)?;
        has_end(field, one)?;
        let scope = one.counts.map(|counts| accumulator(self.content, counts)).transpose()?;
        if scope.is_some_and(|one| one.scope == AccumulatorScope::Family) {
            return Err(detail!("`{field}` must count an accumulator of the person", field));
        }
        Ok(())
    }

    fn one(&self, field: &str, one: &Allowance) -> Result<(), Detail> {
        self.money(&format!("{field}.counts"), one.counts)?;
        // A row of the slot's amount is passed over when there is none, so it needs no condition
        // but must not be the last.
        let of_slot =
            |at: usize| one.rows.get(at).is_some_and(|row| row.amount == RowAmount::OfSlot);
        let last_holds = one.rows.len().checked_sub(1).is_some_and(|last| !of_slot(last));
        let table = one.rows.iter().map(|row| {
            // Stands for "may not hold" in the check of the table.
            if row.amount == RowAmount::OfSlot && row.when == ALWAYS {
                None
            } else {
                Some(row.when)
            }
        });
        let rows: alloc::vec::Vec<u16> = table.flatten().collect();
        self.table(field, rows.into_iter(), last_holds)?;
        for row in &one.rows {
            match row.amount {
                RowAmount::Fixed(amount) => self.amount(field, amount)?,
                RowAmount::OfSlot if !self.step.per_slot => {
                    return Err(detail!(
                        "`{field}`: `of_slot` needs a step with `per_slot`",
                        field
                    ));
                }
                RowAmount::OfSlot | RowAmount::Unlimited => {}
            }
            row.plus.iter().try_for_each(|plus| self.amount("of_charged_above", plus.above))?;
        }
        self.at_most("changes", one.changes.len(), 16)?;
        for change in &one.changes {
            self.condition(change.when)?;
            self.how(change.how)?;
        }
        one.repeat.iter().try_for_each(|repeat| self.repeat(repeat))?;
        if let Some(grow) = one.grow {
            self.amount("per_unbroken_year", grow.per_unbroken_year)?;
            self.amount("per_claim_free_year", grow.per_claim_free_year)?;
        }
        Ok(())
    }

    fn how(&self, how: How) -> Result<(), Detail> {
        match how {
            How::Factor(factor) => self.factor(factor),
            How::Add(amount) | How::Less(amount) | How::Exactly(amount) => {
                self.amount("changes", amount)
            }
        }
    }

    fn repeat(&self, repeat: &Repeat) -> Result<(), Detail> {
        match repeat {
            Repeat::From { of, rows } => {
                self.visits("repeat.of", *of)?;
                self.at_most("repeat.from", rows.len(), 8)?;
                let ascending = rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.0 < b.0);
                if rows.first().is_none_or(|first| first.0 < 2) || !ascending {
                    return Err(detail!("`repeat.from` must begin at visit 2 or later and ascend"));
                }
                rows.iter().try_for_each(|(_, how)| self.how(*how))
            }
            Repeat::Down { of, less, floor } => {
                self.visits("repeat.of", *of)?;
                self.amount("repeat.less", *less)?;
                self.amount("repeat.floor", *floor)
            }
        }
    }
}

fn has_end(field: &str, one: &Allowance) -> Result<(), Detail> {
    if one.rows.iter().any(|row| row.amount == RowAmount::Unlimited) {
        return Err(detail!(
            "`{field}` cannot be `none`; write the amount, \"0\" for nothing",
            field
        ));
    }
    Ok(())
}
