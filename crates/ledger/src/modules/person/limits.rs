//! What a person pays without a second person, and who that second person is.
//!
//! The limits are the person's: whatever key, guardian, relative or card pays for the person counts
//! against the same day. Above them the approver signs the same transaction beside whoever pays,
//! and what the approver signed counts against no day. Whatever weakens them waits; whatever
//! tightens them does not.
//!
//! Invariant: nobody pays above the limits without the approver's signature (test
//! `above_the_limits_nothing_is_paid_without_the_approver`).

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, PersonId, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{DaySpending, LIMITS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// The most that is paid for a person without a second person, and who the second person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentLimits {
    /// The most of one payment, in minor units; at most `day_max`.
    pub payment_max: Amount,
    /// The most of one day, in minor units, whatever keys and cards pay.
    pub day_max: Amount,
    /// Who agrees above: a guardian of today, or a relative who is bound, with an own key.
    pub approver: PersonId,
}

/// A person's limits, and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LimitsRow {
    /// What holds, if anything.
    pub present: Option<PaymentLimits>,
    /// What takes its place, and when.
    pub waiting: Option<WaitingLimits>,
    /// What was paid without the approver on the last day on which something was.
    pub spent: Option<DaySpending>,
}

/// Limits that were asked for and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WaitingLimits {
    /// What will hold; none at all when they end.
    pub limits: Option<PaymentLimits>,
    /// From when on, by block time.
    pub from: Timestamp,
}

impl PaymentLimits {
    /// What can be said of the limits alone.
    ///
    /// # Errors
    /// `invalid_payment_limits`.
    pub(super) fn check(&self, person: PersonId) -> Result<(), Rejection> {
        require(self.payment_max <= self.day_max, || rejection::INVALID_LIMITS.reject())?;
        require(self.approver != person, || rejection::INVALID_APPROVER.reject())
    }

    /// Whether they allow nothing that the other ones do not.
    fn is_within(&self, other: &Self) -> bool {
        self.payment_max <= other.payment_max
            && self.day_max <= other.day_max
            && self.approver == other.approver
    }
}

impl LimitsRow {
    /// What holds at this instant.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<PaymentLimits> {
        match &self.waiting {
            Some(waiting) if waiting.from <= now => waiting.limits,
            _ => self.present,
        }
    }

    /// What waits at this instant.
    #[must_use]
    pub fn waits_at(&self, now: Timestamp) -> Option<WaitingLimits> {
        self.waiting.filter(|waiting| now < waiting.from)
    }

    /// Whether new limits weaken what holds at this instant.
    pub(super) fn is_weakened_by(&self, new: Option<&PaymentLimits>, now: Timestamp) -> bool {
        match (self.at(now), new) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(old), Some(new)) => !new.is_within(&old),
        }
    }
}

/// Whether the approver signed with an own key, and is not locked.
pub(super) fn is_approved(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    limits: &PaymentLimits,
) -> bool {
    view::require_key_alone(context, state, limits.approver).is_ok()
}

/// What is paid within a person's limits, and counts against them. Only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Within {
    person: PersonId,
    limits: PaymentLimits,
    day: CivilDate,
    amount: Amount,
}

/// This much may be paid for the person now: within the limits, or the approver signed. What counts
/// against the day is given back, for [`note`].
///
/// # Errors
/// `approval_missing` with the limits and what is left today.
pub(super) fn judge(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    day: CivilDate,
    amount: Amount,
) -> Result<Option<Within>, Rejection> {
    if amount.is_zero() {
        return Ok(None);
    }
    let Some(row) = LIMITS.get(state, &person) else { return Ok(None) };
    let Some(limits) = row.at(context.time) else { return Ok(None) };
    if is_approved(context, state, &limits) {
        return Ok(None);
    }
    let within = Within { person, limits, day, amount };
    require_left(state, &row, &within)?;
    Ok(Some(within))
}

/// Notes what was paid within the limits.
///
/// # Errors
/// `approval_missing`, when two payments of one transaction are too much together.
pub(super) fn note(state: &mut Overlay<'_>, within: Option<Within>) -> Result<(), Rejection> {
    let Some(within) = within else { return Ok(()) };
    let Some(mut row) = LIMITS.get(state, &within.person) else { return Ok(()) };
    require_left(state, &row, &within)?;
    let amount = DaySpending::on(row.spent, within.day).saturating_add(within.amount);
    row.spent = Some(DaySpending { day: within.day, amount });
    LIMITS.put(state, &within.person, &row);
    Ok(())
}

fn require_left(
    state: &(impl Read + ?Sized),
    row: &LimitsRow,
    Within { person, limits, day, amount }: &Within,
) -> Result<(), Rejection> {
    let left = limits.day_max.saturating_sub(DaySpending::on(row.spent, *day));
    if *amount <= limits.payment_max.min(left) {
        return Ok(());
    }
    let home = view::require_person(state, *person)?.region;
    let currency = network::view::require_region(state, home)?.currency;
    let (most, left) = ((limits.payment_max, currency), (left, currency));
    Err(rejection::APPROVAL_MISSING.with(detail!(
        "at most {most} at once; {left} are left today",
        most,
        left
    )))
}
