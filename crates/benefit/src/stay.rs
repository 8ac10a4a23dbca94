//! Stays that lie in several periods: cut by plan and period, and adjudicated part by part.

use alloc::{vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::CivilDate;
use serde::{Deserialize, Serialize};

use crate::{
    accumulator::Accumulators,
    adjudication::Adjudication,
    engine::{AdjudicationError, adjudicate},
    facts::Facts,
    plan::{Plan, Split},
    sums::CategorySums,
};

/// A part of a stay that falls under one plan and one period of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayPart {
    /// The plan's place in the list that was given.
    pub plan: usize,
    /// The rows of the part.
    pub sums: CategorySums,
}

/// A part of a stay, adjudicated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjudicatedPart {
    /// The plan's place in the list that was given.
    pub plan: u8,
    /// The split of the part. Its changes continue those of the parts before.
    pub adjudication: Adjudication,
}

/// Whether two days of a stay, and so all days between them, lie in one period of the plan.
pub(crate) fn is_one_part(plan: &Plan, first: CivilDate, last: CivilDate) -> bool {
    let same_month = || (first.year(), first.month()) == (last.year(), last.month());
    let same_year = || plan.year_of(first) == plan.year_of(last);
    match plan.content.split {
        Split::Never => true,
        Split::Year => same_year(),
        Split::Month => same_month() && same_year(),
        Split::Day => first == last,
    }
}

/// Cuts a bill where the plan in force or its period changes.
///
/// When the plan in force on the last day says that stays are not cut, the whole bill is one part
/// under that plan. The parts are in the order of their days.
///
/// # Errors
/// [`AdjudicationError::NoPlan`] for a day on which none of the plans holds.
pub fn split_stay(
    plans: &[&Plan],
    sums: &CategorySums,
) -> Result<Vec<StayPart>, AdjudicationError> {
    let (first, last) = sums.span().ok_or(AdjudicationError::EmptyBill)?;
    let (at, plan) = in_force(plans, last)?;
    if plan.content.split == Split::Never
        || (plan.valid().contains(first) && is_one_part(plan, first, last))
    {
        return Ok(vec![StayPart { plan: at, sums: sums.clone() }]);
    }
    let mut parts: Vec<(usize, CivilDate, CivilDate)> = Vec::new();
    for row in sums.rows() {
        let day = row.key.service_date;
        let (at, plan) = in_force(plans, day)?;
        match parts.last_mut() {
            Some((same, begin, end)) if *same == at && is_one_part(plan, *begin, day) => *end = day,
            _ => parts.push((at, day, day)),
        }
    }
    let cut = parts.into_iter().map(|(plan, begin, end)| {
        let days = begin..=end;
        StayPart { plan, sums: sums.filter(|key| days.contains(&key.service_date)) }
    });
    Ok(cut.collect())
}

fn in_force<'a>(
    plans: &[&'a Plan],
    day: CivilDate,
) -> Result<(usize, &'a Plan), AdjudicationError> {
    let found = plans.iter().enumerate().find(|(_, plan)| plan.valid().contains(day));
    found.map(|(at, plan)| (at, *plan)).ok_or(AdjudicationError::NoPlan(day))
}

/// Adjudicates a visit under the plans in force on its days: cut by [`split_stay`], part by part,
/// each part seeing what the parts before added to running amounts and took from accounts.
///
/// A visit within one period gives one part. The caller applies the changes of the parts in their
/// order, and undoes them in the opposite order.
///
/// # Errors
/// Why the bill is refused; nothing is changed then.
pub fn adjudicate_stay(
    plans: &[&Plan],
    sums: &CategorySums,
    facts: &Facts,
    accumulators: &Accumulators,
) -> Result<Vec<AdjudicatedPart>, AdjudicationError> {
    let parts = split_stay(plans, sums)?;
    let several = parts.len() > 1;
    let mut running = accumulators.clone();
    let mut facts = facts.clone();
    let mut done = Vec::with_capacity(parts.len());
    for part in parts {
        if several {
            facts.days = days_of_service(&part.sums);
        }
        let plan = plans.get(part.plan).ok_or(AdjudicationError::EmptyBill)?;
        let adjudication = adjudicate(plan, &part.sums, &facts, &running)?;
        running.apply(&adjudication.changes).map_err(|_| AdjudicationError::TooLarge)?;
        adjudication.spend(&mut facts.personal_account, &mut facts.family_accounts);
        let plan = u8::try_from(part.plan).map_err(|_| AdjudicationError::TooLarge)?;
        done.push(AdjudicatedPart { plan, adjudication });
    }
    Ok(done)
}

/// How many different days of service there are.
pub(crate) fn days_of_service(sums: &CategorySums) -> u16 {
    let mut days = sums.rows().iter().map(|row| row.key.service_date).collect::<Vec<_>>();
    days.dedup();
    u16::try_from(days.len()).unwrap_or(u16::MAX)
}
