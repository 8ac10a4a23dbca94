//! The engine: lanes of money, the steps of a plan one after the other, and what is left in cash.
//!
//! Reading order: [`adjudicate`], `Run`, then the operators in `rule/`.
//!
//! Invariants: a step takes out of the lanes exactly what it credits to a payer or an account, so
//! that the parts add up to the bill; a run only adds to running amounts.

mod error;

pub use error::AdjudicationError;

use alloc::vec::Vec;
use primitives::{Amount, CivilDate, Rounding, SlotId};

use crate::{
    accumulator::{
        AccumulatorChange, AccumulatorKey, AccumulatorPeriod, AccumulatorScope, Accumulators,
    },
    adjudication::{Adjudication, FamilyShare, PayerShare, TraceEntry, TraceNote},
    condition::{ALWAYS, FactBits, bit64},
    facts::{FAMILY_GRANTS_MAX, Facts, SLOTS_MAX},
    lanes::Lanes,
    plan::{Base, BaseOf, Plan, STEPS_MAX, Span, Split, Step, StepNumber, StepRounding, What},
    sums::CategorySums,
    word::Payer,
};

/// The numbers of a step that later steps may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub deductible: u64,
    pub self_share: u64,
    pub cut: u64,
    pub paid: u64,
}

/// One run of a step: what it looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub step: u8,
    pub slot: SlotId,
    /// The groups of the slot for which the step runs, if it runs for one.
    slot_group: Option<u64>,
    pub slot_amount: Option<u64>,
    pub rounding: StepRounding,
    /// Bits of the lanes and of the parts.
    pub lanes: u16,
    pub parts: u8,
    /// The base amount.
    pub base: u64,
    /// What was charged in the cells of the base.
    pub charged: u64,
    /// The same with what was charged in earlier visits of the period.
    pub charged_so_far: u64,
}

impl Turn {
    pub(crate) fn slot_groups(&self, facts: &FactBits) -> u64 {
        self.slot_group.unwrap_or(facts.all_slot_groups)
    }
}

/// An adjudication in the making.
pub(crate) struct Run<'a> {
    pub plan: &'a Plan,
    pub facts: &'a Facts,
    pub bits: FactBits,
    accumulators: &'a Accumulators,
    periods: [AccumulatorPeriod; 3],
    pub lanes: Lanes,
    changes: Vec<AccumulatorChange>,
    numbers: [Numbers; STEPS_MAX],
    watched: Vec<(u8, Lanes)>,
    trace: Vec<TraceEntry>,
    payers: [u64; 16],
    pub deductible: u64,
    pub personal_account: u64,
    pub family_accounts: [u64; FAMILY_GRANTS_MAX],
}

/// Splits the sums of a bill among payers, accounts and cash, as the plan says.
///
/// All rows must lie in one period of the plan (its year, or month or day when the plan cuts stays
/// there); a longer stay is cut and adjudicated by [`crate::adjudicate_stay`]. The accumulators
/// are those of the person, of the family and of the visit in one list.
///
/// # Errors
/// Why the bill is refused; nothing is changed then.
pub fn adjudicate(
    plan: &Plan,
    sums: &CategorySums,
    facts: &Facts,
    accumulators: &Accumulators,
) -> Result<Adjudication, AdjudicationError> {
    let day = check_days(plan, sums)?;
    check_facts(plan, facts)?;
    let bits = FactBits::of(facts);
    let lanes = Lanes::fill(&plan.content, sums, facts)?;
    let mut run = Run {
        plan,
        facts,
        bits,
        accumulators,
        periods: [
            AccumulatorPeriod::day(day),
            AccumulatorPeriod::month(day.year(), day.month()),
            plan.year_of(day),
        ],
        lanes,
        changes: Vec::with_capacity(8),
        numbers: [Numbers { deductible: 0, self_share: 0, cut: 0, paid: 0 }; STEPS_MAX],
        watched: Vec::new(),
        trace: Vec::with_capacity(16),
        payers: [0; 16],
        deductible: 0,
        personal_account: 0,
        family_accounts: [0; FAMILY_GRANTS_MAX],
    };
    for (number, step) in (0_u8..).zip(&plan.content.steps) {
        run.step(number, step)?;
    }
    run.finish(sums)
}

/// Checks the days of the rows and answers the reckoning day, which is the last one.
fn check_days(plan: &Plan, sums: &CategorySums) -> Result<CivilDate, AdjudicationError> {
    let (first, last) = sums.span().ok_or(AdjudicationError::EmptyBill)?;
    let valid = plan.valid();
    if !valid.contains(last) {
        return Err(AdjudicationError::DayOutsidePlan(last));
    }
    if first == last || plan.content.split == Split::Never {
        return Ok(last);
    }
    if !valid.contains(first) {
        return Err(AdjudicationError::DayOutsidePlan(first));
    }
    if !crate::stay::is_one_part(plan, first, last) {
        return Err(AdjudicationError::SpansPeriods { first, last });
    }
    Ok(last)
}

fn check_facts(plan: &Plan, facts: &Facts) -> Result<(), AdjudicationError> {
    if !plan.covers(facts.visit_type) {
        return Err(AdjudicationError::VisitTypeNotCovered(facts.visit_type));
    }
    if facts.slots.len() > SLOTS_MAX || facts.family_accounts.len() > FAMILY_GRANTS_MAX {
        return Err(AdjudicationError::WrongFacts);
    }
    let mut rest = facts.slots.as_slice();
    while let Some((slot, others)) = rest.split_first() {
        if slot.slot.0 == 0 || others.iter().any(|other| other.slot == slot.slot) {
            return Err(AdjudicationError::WrongFacts);
        }
        rest = others;
    }
    let mut rest = facts.family_accounts.as_slice();
    while let Some((grant, others)) = rest.split_first() {
        if others.iter().any(|other| other.grant == grant.grant) {
            return Err(AdjudicationError::WrongFacts);
        }
        rest = others;
    }
    Ok(())
}

impl Run<'_> {
    fn step(&mut self, number: u8, step: &Step) -> Result<(), AdjudicationError> {
        let lanes = self.lanes.of_groups(step.base.groups);
        if step.per_slot {
            let mut before = SlotId(0);
            while let Some(slot) = self.lanes.next_slot(lanes, before) {
                before = slot;
                self.turn(number, step, self.lanes.of_slot(lanes, slot), slot)?;
            }
        } else {
            self.turn(number, step, lanes, SlotId(0))?;
        }
        if step.is_watched {
            self.watched.push((number, self.lanes.clone()));
        }
        Ok(())
    }

    fn turn(
        &mut self,
        number: u8,
        step: &Step,
        lanes: u16,
        slot: SlotId,
    ) -> Result<(), AdjudicationError> {
        let fact = if slot.0 == 0 { None } else { self.facts.slot(slot) };
        let mut turn = Turn {
            step: number,
            slot,
            slot_group: fact.map(|fact| bit64(fact.group)),
            slot_amount: fact.and_then(|fact| fact.amount).map(Amount::minor),
            rounding: step.rounding,
            lanes,
            parts: step.base.parts,
            base: 0,
            charged: 0,
            charged_so_far: 0,
        };
        if !self.holds(step.when, &turn)? {
            return Ok(());
        }
        self.look(&mut turn, step);
        let noted = self.trace.len();
        if turn.base > 0 {
            self.note(&turn, TraceNote::Base { amount: Amount::from_minor(turn.base) });
        }
        let numbers = step.rule.run(self, &turn)?;
        if self.trace.len() == noted.saturating_add(1) {
            // The step only looked: an account that is not to be used, a visit that is counted.
            self.trace.truncate(noted);
        }
        if let Some(sum) = self.numbers.get_mut(usize::from(number)) {
            sum.deductible = sum.deductible.saturating_add(numbers.deductible);
            sum.self_share = sum.self_share.saturating_add(numbers.self_share);
            sum.cut = sum.cut.saturating_add(numbers.cut);
            sum.paid = sum.paid.saturating_add(numbers.paid);
        }
        Ok(())
    }

    /// Finds the cells and the base amount of a turn.
    fn look(&self, turn: &mut Turn, step: &Step) {
        let base = &step.base;
        if let Some((after, at_least)) = base.groups_with
            && let Some((_, lanes)) = self.watched.iter().find(|(number, _)| *number == after)
        {
            turn.lanes = lanes.of_groups_with(turn.lanes, base.parts, at_least);
        }
        let left = self.lanes.left(turn.lanes, base.parts);
        turn.charged = self.lanes.charged(turn.lanes, base.parts);
        turn.charged_so_far = match step.rule.charged_counts() {
            Some(accumulator) if self.applies(accumulator) => {
                turn.charged.saturating_add(self.value(accumulator, turn.slot))
            }
            _ => turn.charged,
        };
        let amount = self.base_amount(base, left, turn.charged);
        turn.base = if step.rule.only_counts() { amount } else { amount.min(left) };
    }

    fn base_amount(&self, base: &Base, left: u64, charged: u64) -> u64 {
        match base.of {
            BaseOf::Left => {
                let less = base.less.iter().map(|number| self.number(*number));
                left.saturating_sub(less.fold(0, u64::saturating_add))
            }
            BaseOf::Charged => charged,
            BaseOf::Number(number) => self.number(number),
        }
    }

    fn number(&self, of: StepNumber) -> u64 {
        let numbers = self.numbers.get(usize::from(of.step)).copied().unwrap_or_default();
        match of.what {
            What::Deductible => numbers.deductible,
            What::SelfShare => numbers.self_share,
            What::Cut => numbers.cut,
            What::Paid => numbers.paid,
        }
    }

    /// Whether the condition at this place of the plan holds.
    #[inline]
    pub(crate) fn holds(&self, when: u16, turn: &Turn) -> Result<bool, AdjudicationError> {
        if when == ALWAYS {
            return Ok(true);
        }
        match self.plan.content.conditions.get(usize::from(when)) {
            Some(condition) => condition.holds(self, turn),
            None => Ok(false),
        }
    }

    /// Writes down what a step does.
    pub(crate) fn note(&mut self, turn: &Turn, note: TraceNote) {
        self.trace.push(TraceEntry { step: turn.step, slot: turn.slot, note });
    }

    /// Takes the payment out of the cells of the turn and credits the payer.
    pub(crate) fn pay(&mut self, turn: &Turn, payer: Payer, amount: u64) {
        self.take(turn, amount);
        if let Some(sum) = self.payers.get_mut(usize::from(payer.number())) {
            *sum = sum.saturating_add(amount);
        }
        if turn.base > 0 {
            let left = Amount::from_minor(turn.base.saturating_sub(amount));
            self.note(turn, TraceNote::Paid { amount: Amount::from_minor(amount), left });
        }
    }

    /// Takes a payment out of the cells of the turn.
    pub(crate) fn take(&mut self, turn: &Turn, amount: u64) {
        debug_assert!(amount <= self.lanes.left(turn.lanes, turn.parts), "a step pays too much");
        self.lanes.take(turn.lanes, turn.parts, amount);
    }

    /// Whether the accumulator exists for this person: a family's exists in a family only.
    pub(crate) fn applies(&self, accumulator: u8) -> bool {
        let scope = self.plan.accumulator(accumulator).map(|one| one.scope);
        scope != Some(AccumulatorScope::Family) || self.facts.in_family
    }

    fn key(&self, accumulator: u8, slot: SlotId) -> Option<AccumulatorKey> {
        let one = self.plan.accumulator(accumulator)?;
        let [day, month, year] = self.periods;
        let period = match one.span {
            Span::Visit => AccumulatorPeriod::VISIT,
            Span::Day => day,
            Span::Month => month,
            Span::Year => year,
            Span::Lifetime => AccumulatorPeriod::LIFETIME,
        };
        let slot = if one.per_slot { slot } else { SlotId(0) };
        Some(AccumulatorKey { scope: one.scope, number: one.number, period, slot })
    }

    /// The accumulator's value now: what it was, and what this run added.
    pub(crate) fn value(&self, accumulator: u8, slot: SlotId) -> u64 {
        if !self.applies(accumulator) {
            return 0;
        }
        self.key(accumulator, slot).map_or(0, |key| self.value_of(&key))
    }

    fn value_of(&self, key: &AccumulatorKey) -> u64 {
        match self.changes.iter().find(|change| change.key == *key) {
            Some(change) => change.after,
            None => self.accumulators.get(key),
        }
    }

    /// Adds to an accumulator.
    pub(crate) fn add(
        &mut self,
        accumulator: u8,
        slot: SlotId,
        amount: u64,
    ) -> Result<(), AdjudicationError> {
        if amount == 0 || !self.applies(accumulator) {
            return Ok(());
        }
        match self.key(accumulator, slot) {
            Some(key) => self.add_to(key, amount),
            None => Ok(()),
        }
    }

    fn add_to(&mut self, key: AccumulatorKey, amount: u64) -> Result<(), AdjudicationError> {
        let too_large = AdjudicationError::TooLarge;
        if let Some(change) = self.changes.iter_mut().find(|change| change.key == key) {
            change.after = change.after.checked_add(amount).ok_or(too_large)?;
            return Ok(());
        }
        let before = self.accumulators.get(&key);
        let after = before.checked_add(amount).ok_or(too_large)?;
        self.changes.push(AccumulatorChange { key, before, after });
        Ok(())
    }

    /// Where a counter of visits keeps the number that this visit got.
    fn visit_mark(key: AccumulatorKey) -> AccumulatorKey {
        AccumulatorKey { period: AccumulatorPeriod::VISIT, ..key }
    }

    /// The visit's number: the one it got when it was counted, else the next.
    pub(crate) fn visit_number(&self, accumulator: u8) -> u64 {
        let Some(key) = self.key(accumulator, SlotId(0)) else { return 1 };
        match self.value_of(&Self::visit_mark(key)) {
            0 => self.value(accumulator, SlotId(0)).saturating_add(1),
            number => number,
        }
    }

    /// Counts the visit, if it has not been counted in an earlier part of the stay.
    pub(crate) fn count_visit(&mut self, accumulator: u8) -> Result<(), AdjudicationError> {
        let Some(key) = self.key(accumulator, SlotId(0)) else { return Ok(()) };
        if !self.applies(accumulator) || self.value_of(&Self::visit_mark(key)) != 0 {
            return Ok(());
        }
        let number = self.visit_number(accumulator);
        self.add_to(key, 1)?;
        self.add_to(Self::visit_mark(key), number)
    }

    /// In how many of the months before this one the accumulator has a value.
    pub(crate) fn months_reached(&self, accumulator: u8, slot: SlotId, within: u8) -> u8 {
        let Some(key) = self.key(accumulator, slot) else { return 0 };
        if !self.applies(accumulator) {
            return 0;
        }
        let reached = (1..u32::from(within)).filter(|months| {
            let period = key.period.months_before(*months);
            period
                .is_some_and(|period| self.accumulators.get(&AccumulatorKey { period, ..key }) > 0)
        });
        u8::try_from(reached.count()).unwrap_or(u8::MAX)
    }

    /// What is still to be had of the personal account.
    pub(crate) fn personal_account_left(&self) -> u64 {
        self.facts.personal_account.minor().saturating_sub(self.personal_account)
    }

    fn finish(mut self, sums: &CategorySums) -> Result<Adjudication, AdjudicationError> {
        let [in_policy, class_b_share, over_cap, self_paid] =
            self.lanes.parts().map(Amount::from_minor);
        self.changes.sort_unstable_by_key(|change| change.key);
        let mut payers = Vec::with_capacity(4);
        for (number, amount) in (0_u8..).zip(self.payers) {
            if let Some(payer) = Payer::from_number(number).filter(|_| amount > 0) {
                payers.push(PayerShare { payer, amount: Amount::from_minor(amount) });
            }
        }
        let family = self.facts.family_accounts.iter().zip(self.family_accounts);
        let family_accounts = family
            .filter(|(_, amount)| *amount > 0)
            .map(|(grant, amount)| FamilyShare {
                grant: grant.grant,
                amount: Amount::from_minor(amount),
            })
            .collect();
        let adjudication = Adjudication {
            total: sums.total(),
            self_paid,
            over_cap,
            class_b_share,
            in_policy,
            deductible: Amount::from_minor(self.deductible),
            payers,
            personal_account: Amount::from_minor(self.personal_account),
            family_accounts,
            cash: Amount::from_minor(self.lanes.all_left()),
            changes: self.changes,
            trace: self.trace,
        };
        debug_assert!(adjudication.is_balanced(), "the parts add up to the bill");
        Ok(adjudication)
    }
}

/// `numerator` millionths, rounded to a multiple of `unit`.
pub(crate) fn round_to_unit(numerator: u128, unit: u64, mode: Rounding) -> u64 {
    let unit = unit.max(1);
    let denominator = u128::from(unit).saturating_mul(1_000_000);
    let units = mode.divide(numerator, denominator);
    u64::try_from(units.saturating_mul(u128::from(unit))).unwrap_or(u64::MAX)
}
