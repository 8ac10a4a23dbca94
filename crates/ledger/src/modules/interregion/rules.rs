//! A region's rules of clearing care elsewhere, by day.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, RegionId, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::RULES;
use crate::kernel::account::RegionPair;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};

/// The longest time for an answer or a payment, in days. Our own limit.
const DAYS_MAX: u16 = 366;
/// How often a region's rules change at the most. Our own limit: it bounds the row.
pub(super) const RULES_MAX: usize = 64;

/// Within how many days an insured region answers a statement and pays what it agreed to.
///
/// The figures are data of the region with their source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterregionRules {
    /// Within how many days after a month was closed it is answered, 1 to 366 and not after it is
    /// to be paid; afterwards the region of care may agree in the insured region's place.
    #[schemars(range(min = 1, max = 366))]
    pub answer_within_days: u16,
    /// Within how many days after a month was closed what is agreed to is paid, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    pub pay_within_days: u16,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

/// Rules from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct DatedRules {
    /// The first day of admission for which they hold.
    pub from: CivilDate,
    /// The rules; nothing when the region does not clear care elsewhere from that day on.
    pub rules: Option<InterregionRules>,
}

impl InterregionRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_interregion_rules`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let days = [self.answer_within_days, self.pay_within_days];
        let holds = days.iter().all(|days| (1..=DAYS_MAX).contains(days));
        let in_turn = self.answer_within_days <= self.pay_within_days;
        require(holds && in_turn, || rejection::INVALID_RULES.reject())
    }
}

/// All rules that a region ever set, by first day.
pub(super) fn all(state: &(impl Read + ?Sized), region: RegionId) -> Vec<DatedRules> {
    RULES.get(state, &region).unwrap_or_default()
}

/// The rules for admissions on this day.
pub(super) fn rules_on(
    state: &(impl Read + ?Sized),
    region: RegionId,
    day: CivilDate,
) -> Option<InterregionRules> {
    let all = RULES.shared(state, &region)?;
    let last = all.iter().rev().find(|one| one.from <= day)?;
    last.rules.clone()
}

/// Within how many days a statement of this day is answered and paid. A region that clears no more
/// keeps its last rules, one that begins later has its first ones, and where an insured region took
/// back all that it ever had, those of the region of care hold; where neither has any left, the
/// longest times that rules may give: what was advanced is stated and paid.
pub(super) fn times_to_state(
    state: &(impl Read + ?Sized),
    pair: RegionPair,
    today: CivilDate,
) -> (u16, u16) {
    let rules = [pair.insured, pair.care].into_iter().find_map(|region| {
        let all = RULES.shared(state, &region)?;
        let before = all.iter().rev().filter(|one| one.from <= today);
        let later = all.iter().filter(|one| today < one.from);
        before.chain(later).find_map(|one| one.rules.clone())
    });
    rules.map_or((DAYS_MAX, DAYS_MAX), |rules| (rules.answer_within_days, rules.pay_within_days))
}
