//! Conditions in their compiled form: bit masks, so that a row of a table is decided in a few
//! instructions and without a string.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    engine::{AdjudicationError, Run, Turn},
    facts::Facts,
};

/// The place of a table's row that needs no condition.
pub(crate) const ALWAYS: u16 = u16::MAX;

/// Where the bits of each closed list begin in [`Condition::words`], and how many there are.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    shift: u32,
    width: u32,
}

pub(crate) const VISIT_TYPE: Field = Field { shift: 0, width: 24 };
pub(crate) const HOSPITAL_LEVEL: Field = Field { shift: 24, width: 8 };
pub(crate) const PLACE: Field = Field { shift: 32, width: 6 };
pub(crate) const FILING: Field = Field { shift: 38, width: 6 };
pub(crate) const NETWORK: Field = Field { shift: 44, width: 3 };
pub(crate) const SEX: Field = Field { shift: 47, width: 4 };
pub(crate) const MONTH_OF_75: Field = Field { shift: 51, width: 2 };
pub(crate) const IN_FAMILY: Field = Field { shift: 53, width: 2 };

impl Field {
    /// The bit of the word with this number, from 1.
    pub(crate) fn bit(self, number: u8) -> u64 {
        let at = self.shift.saturating_add(u32::from(number.saturating_sub(1)));
        if at < 64 { 1_u64 << at } else { 0 }
    }

    /// The bit of a yes or no.
    pub(crate) fn truth(self, holds: bool) -> u64 {
        self.bit(if holds { 1 } else { 2 })
    }

    /// All bits of the list.
    pub(crate) const fn mask(self) -> u64 {
        ((1_u64 << self.width).saturating_sub(1)) << self.shift
    }
}

/// A condition: every part of it must hold.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Condition {
    /// Allowed words of the closed lists; a list without condition has all its bits.
    pub words: u64,
    /// The person has one of these classes; 0 for any.
    pub classes: u32,
    /// The person has none of these classes.
    pub classes_not: u32,
    /// Allowed income classes.
    pub income_classes: u32,
    /// Allowed diagnosis groups.
    pub diagnosis_groups: u64,
    /// One of these slot groups is there; 0 for any.
    pub slot_groups: u64,
    /// The least age.
    pub age_from: u8,
    /// The age that is too old, 255 for none.
    pub age_below: u8,
    /// The least number of unbroken years.
    pub years_from: u8,
    /// The number of unbroken years that is too many, 256 for none.
    pub years_below: u16,
    /// Conditions on running amounts.
    pub running: Vec<Running>,
}

/// A condition on running amounts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Running {
    /// The visit's number is at least `from` and less than `below`.
    VisitNumber { accumulator: u8, from: u64, below: u64 },
    /// At least so many of the months before had a value.
    MonthsReached { accumulator: u8, within: u8, at_least: u8 },
    /// The value is at least `from` and less than `below`.
    Accumulated { accumulator: u8, from: u64, below: u64 },
}

impl Condition {
    /// The condition that always holds, to begin with.
    pub(crate) const fn always() -> Self {
        Self {
            words: u64::MAX,
            classes: 0,
            classes_not: 0,
            income_classes: u32::MAX,
            diagnosis_groups: u64::MAX,
            slot_groups: 0,
            age_from: 0,
            age_below: u8::MAX,
            years_from: 0,
            years_below: 256,
            running: Vec::new(),
        }
    }

    /// Whether the condition holds in this turn.
    ///
    /// Age comes last: a band that does not decide it matters only when all else holds.
    #[inline]
    pub(crate) fn holds(&self, run: &Run<'_>, turn: &Turn) -> Result<bool, AdjudicationError> {
        let facts = &run.bits;
        let plain = facts.words & !self.words == 0
            && (self.classes == 0 || self.classes & facts.classes != 0)
            && self.classes_not & facts.classes == 0
            && self.income_classes & facts.income_class != 0
            && self.diagnosis_groups & facts.diagnosis_group != 0
            && (self.slot_groups == 0 || self.slot_groups & turn.slot_groups(facts) != 0)
            && facts.unbroken_years >= self.years_from
            && u16::from(facts.unbroken_years) < self.years_below;
        if !plain || !self.running.iter().all(|running| running.holds(run, turn)) {
            return Ok(false);
        }
        let age = run.facts.age;
        age.lies_in(self.age_from, self.age_below).ok_or(AdjudicationError::AgeUndecided {
            from: self.age_from,
            below: self.age_below,
            band: age,
        })
    }
}

impl Running {
    fn holds(&self, run: &Run<'_>, turn: &Turn) -> bool {
        match *self {
            Self::VisitNumber { accumulator, from, below } => {
                (from..below).contains(&run.visit_number(accumulator))
            }
            Self::MonthsReached { accumulator, within, at_least } => {
                run.months_reached(accumulator, turn.slot, within) >= at_least
            }
            Self::Accumulated { accumulator, from, below } => {
                (from..below).contains(&run.value(accumulator, turn.slot))
            }
        }
    }

    /// The accumulator that the condition asks.
    pub(crate) const fn accumulator(&self) -> u8 {
        match *self {
            Self::VisitNumber { accumulator, .. }
            | Self::MonthsReached { accumulator, .. }
            | Self::Accumulated { accumulator, .. } => accumulator,
        }
    }
}

/// The facts of a visit as bits, made once per adjudication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactBits {
    words: u64,
    classes: u32,
    income_class: u32,
    diagnosis_group: u64,
    unbroken_years: u8,
    /// The groups of all slots of the person.
    pub all_slot_groups: u64,
}

/// A one at the place of the number, zero when there is no such place.
pub(crate) const fn bit64(number: u8) -> u64 {
    if number < 64 { 1_u64 << number } else { 0 }
}

impl FactBits {
    pub(crate) fn of(facts: &Facts) -> Self {
        let words = VISIT_TYPE.bit(facts.visit_type.number())
            | HOSPITAL_LEVEL.bit(facts.hospital_level.number())
            | PLACE.bit(facts.place.number())
            | FILING.bit(facts.filing.number())
            | NETWORK.bit(facts.network.number())
            | SEX.bit(facts.sex.number())
            | MONTH_OF_75.truth(facts.month_of_75)
            | IN_FAMILY.truth(facts.in_family);
        Self {
            words,
            classes: facts.person_classes.bits(),
            income_class: facts.income_class.bit(),
            diagnosis_group: bit64(facts.diagnosis_group),
            unbroken_years: facts.unbroken_years,
            all_slot_groups: facts.slots.iter().fold(0, |all, slot| all | bit64(slot.group)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word::{Filing, HospitalLevel, Network, Place, Sex, VisitType};

    #[test]
    fn every_word_has_a_bit_of_its_own_inside_its_list() {
        let mut seen = 0_u64;
        let mut take = |field: Field, numbers: &mut dyn Iterator<Item = u8>| {
            for number in numbers {
                let bit = field.bit(number);
                assert!(bit != 0 && bit & field.mask() == bit && seen & bit == 0);
                seen |= bit;
            }
        };
        take(VISIT_TYPE, &mut VisitType::ALL.iter().map(|word| word.number()));
        take(HOSPITAL_LEVEL, &mut HospitalLevel::ALL.iter().map(|word| word.number()));
        take(PLACE, &mut Place::ALL.iter().map(|word| word.number()));
        take(FILING, &mut Filing::ALL.iter().map(|word| word.number()));
        take(NETWORK, &mut Network::ALL.iter().map(|word| word.number()));
        take(SEX, &mut Sex::ALL.iter().map(|word| word.number()));
        take(MONTH_OF_75, &mut [1, 2].into_iter());
        take(IN_FAMILY, &mut [1, 2].into_iter());
    }
}
