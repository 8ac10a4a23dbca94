//! The names of a plan file and what they stand for; conditions as they are met, each once.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::{
    condition::{
        ALWAYS, Condition, FILING, Field, HOSPITAL_LEVEL, IN_FAMILY, MONTH_OF_75, NETWORK, PLACE,
        Running, SEX, VISIT_TYPE, bit64,
    },
    decimal::DecimalText,
    plan::{AMOUNT_BELOW, StepNumber, What},
    source::{ConditionSource, Counts, Names as Numbers, PlanSource, StepSource},
    word::Payer,
};

/// What the names in a plan file stand for.
pub(crate) struct Names<'a> {
    source: &'a PlanSource,
    accumulators: BTreeMap<&'a str, u8>,
    groups: BTreeMap<&'a str, u8>,
    steps: BTreeMap<&'a str, u8>,
    conditions: Vec<Condition>,
}

/// The numbers as bits.
pub(super) fn bits32<'n>(numbers: impl Iterator<Item = &'n u8>) -> u32 {
    numbers.fold(0, |all, number| all | 1_u32.checked_shl(u32::from(*number)).unwrap_or(0))
}

fn places<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u8> {
    // Lists that are too long are refused later; a place beyond 255 is never reached.
    names.zip(0_u8..=u8::MAX).collect()
}

fn number_of(numbers: &Numbers, field: &str, name: &str) -> Result<u8, String> {
    numbers.get(name).copied().ok_or_else(|| {
        let known: Vec<&str> = numbers.keys().map(String::as_str).collect();
        format!("`{name}` is not among the plan's `{field}` ({})", known.join(", "))
    })
}

/// Reads a factor from 0 to 100 as parts per million.
pub(super) fn factor(field: &str, text: &DecimalText) -> Result<u32, String> {
    crate::decimal::UnitPrice::parse(&text.0)
        .ok()
        .and_then(|number| u32::try_from(number.units()).ok())
        .filter(|ppm| *ppm <= 100_000_000)
        .ok_or_else(|| {
            format!(
                "`{field}` is `{}`; write a factor from 0 to 100 with at most 6 decimals",
                text.0
            )
        })
}

impl<'a> Names<'a> {
    pub(crate) fn new(source: &'a PlanSource) -> Self {
        let groups = source.group.iter().map(|one| one.id.as_str());
        Self {
            source,
            accumulators: places(source.accumulator.iter().map(|one| one.id.as_str())),
            groups: places(groups.chain(core::iter::once("rest"))),
            steps: places(source.step.iter().map(|one| one.id.as_str())),
            conditions: Vec::new(),
        }
    }

    pub(crate) fn into_conditions(self) -> Vec<Condition> {
        self.conditions
    }

    pub(crate) fn accumulator(&self, name: &str) -> Result<u8, String> {
        self.accumulators
            .get(name)
            .copied()
            .ok_or_else(|| format!("there is no accumulator `{name}`"))
    }

    pub(crate) fn accumulator_field(
        &self,
        field: &str,
        name: Option<&str>,
    ) -> Result<Option<u8>, String> {
        let at = name.map(|name| self.accumulator(name)).transpose();
        at.map_err(|message| format!("`{field}`: {message}"))
    }

    pub(crate) fn step(&self, name: &str) -> Result<u8, String> {
        self.steps.get(name).copied().ok_or_else(|| format!("there is no step `{name}`"))
    }

    /// A number of an earlier step, written as `deductible:STEP`.
    pub(crate) fn step_number(&self, text: &str) -> Result<StepNumber, String> {
        let (what, step) = text.split_once(':').unwrap_or((text, ""));
        let what = match what {
            "deductible" => What::Deductible,
            "self_share" => What::SelfShare,
            "cut" => What::Cut,
            "paid" => What::Paid,
            _ => {
                return Err(format!(
                    "`{text}` is not known; write `left`, `charged`, or `deductible:STEP`, `self_share:STEP`, `cut:STEP`, `paid:STEP`"
                ));
            }
        };
        Ok(StepNumber { step: self.step(step)?, what })
    }

    /// The bits of these groups, of all when none is named.
    pub(crate) fn groups(&self, names: Option<&[String]>) -> Result<u8, String> {
        let bit = |at: u8| 1_u8.checked_shl(u32::from(at)).unwrap_or(0);
        let Some(names) = names else {
            return Ok(self.groups.values().fold(0, |all, at| all | bit(*at)));
        };
        names.iter().try_fold(0, |all, name| {
            let at = self.groups.get(name.as_str());
            at.map(|at| all | bit(*at)).ok_or_else(|| format!("there is no group `{name}`"))
        })
    }

    pub(crate) fn payer(&self, step: &StepSource) -> Result<Payer, String> {
        step.payer.ok_or_else(|| String::from("`payer` is missing"))
    }

    /// An amount of money in the plan's currency.
    pub(crate) fn money(&self, field: &str, text: &DecimalText) -> Result<u64, String> {
        let amount = text.amount(self.source.plan.currency);
        let minor = amount.map_err(|message| format!("`{field}`: {message}"))?.minor();
        if minor < AMOUNT_BELOW {
            return Ok(minor);
        }
        Err(format!("`{field}`: `{}` is too large", text.0))
    }

    pub(crate) fn bits32(
        &self,
        field: &str,
        numbers: &Numbers,
        names: &[String],
    ) -> Result<u32, String> {
        names.iter().try_fold(0_u32, |all, name| {
            let number = number_of(numbers, field, name)?;
            Ok(all | 1_u32.checked_shl(u32::from(number)).unwrap_or(0))
        })
    }

    pub(crate) fn bits64(
        &self,
        field: &str,
        numbers: &Numbers,
        names: &[String],
    ) -> Result<u64, String> {
        names.iter().try_fold(0_u64, |all, name| Ok(all | bit64(number_of(numbers, field, name)?)))
    }

    /// The place of the condition among the plan's conditions.
    pub(crate) fn condition(&mut self, source: Option<&ConditionSource>) -> Result<u16, String> {
        let Some(source) = source.filter(|source| **source != ConditionSource::default()) else {
            return Ok(ALWAYS);
        };
        let condition = self.compile_condition(source)?;
        let found = self.conditions.iter().position(|known| *known == condition);
        let at = found.unwrap_or(self.conditions.len());
        if found.is_none() {
            self.conditions.push(condition);
        }
        u16::try_from(at)
            .ok()
            .filter(|at| *at != ALWAYS)
            .ok_or_else(|| String::from("there are too many conditions"))
    }

    fn compile_condition(&self, source: &ConditionSource) -> Result<Condition, String> {
        let head = &self.source.plan;
        let mut condition = Condition::always();
        let words = &mut condition.words;
        allow(words, VISIT_TYPE, source.visit_types.iter().map(|word| word.number()));
        allow(words, HOSPITAL_LEVEL, source.hospital_levels.iter().map(|word| word.number()));
        allow(words, PLACE, source.places.iter().map(|word| word.number()));
        allow(words, FILING, source.filings.iter().map(|word| word.number()));
        allow(words, NETWORK, source.networks.iter().map(|word| word.number()));
        allow(words, SEX, source.sexes.iter().map(|word| word.number()));
        let truth = |holds: bool| if holds { 1_u8 } else { 2 };
        allow(words, MONTH_OF_75, source.month_of_75.iter().map(|holds| truth(*holds)));
        allow(words, IN_FAMILY, source.in_family.iter().map(|holds| truth(*holds)));
        condition.classes = source.person_classes.iter().fold(0, |all, word| all | word.bit());
        condition.classes_not =
            source.person_classes_not.iter().fold(0, |all, word| all | word.bit());
        if !source.income_classes.is_empty() {
            let (all, names) = (&head.income_classes, &source.income_classes);
            condition.income_classes = self.bits32("income_classes", all, names)?;
        }
        if !source.diagnosis_groups.is_empty() {
            let (all, names) = (&head.diagnosis_groups, &source.diagnosis_groups);
            condition.diagnosis_groups = self.bits64("diagnosis_groups", all, names)?;
        }
        condition.slot_groups =
            self.bits64("slot_groups", &head.slot_groups, &source.slot_groups)?;
        condition.age_from = source.age_from.unwrap_or(0);
        condition.age_below = source.age_below.unwrap_or(u8::MAX);
        condition.years_from = source.unbroken_years_from.unwrap_or(0);
        condition.years_below = source.unbroken_years_below.map_or(256, u16::from);
        self.running(source, &mut condition.running)?;
        Ok(condition)
    }

    fn running(&self, source: &ConditionSource, running: &mut Vec<Running>) -> Result<(), String> {
        if let Some(visit) = &source.visit_number {
            if visit.from.is_none() && visit.below.is_none() {
                return Err(String::from("`visit_number` needs `from` or `below`"));
            }
            running.push(Running::VisitNumber {
                accumulator: self.accumulator(&visit.of)?,
                from: u64::from(visit.from.unwrap_or(0)),
                below: visit.below.map_or(u64::MAX, u64::from),
            });
        }
        if let Some(months) = &source.months_reached {
            running.push(Running::MonthsReached {
                accumulator: self.accumulator(&months.of)?,
                within: months.within,
                at_least: months.at_least,
            });
        }
        if let Some(value) = &source.accumulated {
            if value.from.is_none() && value.below.is_none() {
                return Err(String::from("`accumulated` needs `from` or `below`"));
            }
            let read = |field, text: &Option<DecimalText>, none| {
                text.as_ref().map_or(Ok(none), |text| self.value(field, &value.of, text))
            };
            running.push(Running::Accumulated {
                accumulator: self.accumulator(&value.of)?,
                from: read("accumulated.from", &value.from, 0)?,
                below: read("accumulated.below", &value.below, u64::MAX)?,
            });
        }
        Ok(())
    }

    /// A value of an accumulator: money, or a whole number of visits or times.
    pub(crate) fn value(&self, field: &str, of: &str, text: &DecimalText) -> Result<u64, String> {
        let all = self.source.accumulator.iter();
        let one = all.into_iter().find(|one| one.id == of);
        if one.is_none_or(|one| one.counts == Counts::Money) {
            return self.money(field, text);
        }
        let number: Option<u32> = text.0.parse().ok();
        number
            .map(u64::from)
            .ok_or_else(|| format!("`{field}`: write a whole number, it counts no money"))
    }
}

/// Allows only these words of a list, if there are any.
fn allow(words: &mut u64, field: Field, numbers: impl Iterator<Item = u8>) {
    let allowed = numbers.fold(0_u64, |all, number| all | field.bit(number));
    if allowed != 0 {
        *words = (*words & !field.mask()) | allowed;
    }
}
