//! Sets what a person pays without a second person.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Party, PersonId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_bureau, require_identity_check};
use super::limits::{LimitsRow, PaymentLimits, WaitingLimits, is_approved};
use super::table::{LIMITS, PersonRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::family;
use crate::modules::organisation::Scope;

const HOUR_MILLIS: u64 = 3_600_000;

/// Sets the most that is paid for a person without a second person, or ends it, and drops what
/// waited.
///
/// Signed with the person's own key; or at a desk by the home region's bureau with scope `clerk`
/// and an identity authority with scope `attest`. Lower limits hold at once. Higher ones, another
/// approver and an end wait for the region's `unlock_delay_hours`, unless the present approver
/// signs too or a desk does it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPaymentLimits {
    /// Whose.
    pub person: PersonId,
    /// Who sets them: `own_key` or `desk`.
    pub by: Actor,
    /// The limits; left out to have none.
    pub limits: Option<PaymentLimits>,
}

impl SetPaymentLimits {
    /// The approver is near to the person, and can sign.
    fn require_approver(
        &self,
        state: &(impl Read + ?Sized),
        row: &PersonRow,
        approver: PersonId,
        today: CivilDate,
    ) -> Result<(), Rejection> {
        let invalid = || rejection::INVALID_APPROVER.with(approver);
        let theirs = view::require_person(state, approver).map_err(|_| invalid())?;
        let is_bound = |payer, member| family::view::holds(state, (payer, member), today);
        let is_near = row.is_guarded_by(approver, today)
            || is_bound(approver, self.person)
            || is_bound(self.person, approver);
        require(is_near && !theirs.keys.is_empty(), invalid)
    }
}

impl Kind for SetPaymentLimits {
    const NUMBER: u16 = 321;
    const NAME: &'static str = "set_payment_limits";

    fn check(&self) -> Result<(), Rejection> {
        let can_act = matches!(self.by, Actor::OwnKey | Actor::Desk);
        require(can_act, || {
            rejection::ACTOR_NOT_ALLOWED.with(detail!("use the own key or a desk"))
        })?;
        self.limits.as_ref().map_or(Ok(()), |limits| limits.check(self.person))
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        if self.by == Actor::OwnKey {
            return view::require_key(context, state, self.person, Amount::ZERO).map(|_| ());
        }
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Clerk)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = view::require_person(state, self.person)?;
        let kept = LIMITS.get(state, &self.person).unwrap_or_default();
        let before = kept.at(context.time);
        if before.is_none() && self.limits.is_none() {
            return Err(rejection::NO_LIMITS.with(self.person));
        }
        let named = self.limits.map(|limits| limits.approver);
        let known = before.map(|limits| limits.approver);
        if let Some(approver) = named.filter(|_| named != known) {
            let today = view::today(context, state, &row)?;
            self.require_approver(state, &row, approver, today)?;
        }
        let is_free = !kept.is_weakened_by(self.limits.as_ref(), context.time)
            || self.by == Actor::Desk
            || before.is_some_and(|limits| is_approved(context, state, &limits));
        let (next, event) = if is_free {
            let next = LimitsRow { present: self.limits, waiting: None, spent: kept.spent };
            (next, "payment_limits_set")
        } else {
            let hours = u64::from(view::settings(state, row.region)?.unlock_delay_hours);
            let from = context.time.plus_millis(hours.saturating_mul(HOUR_MILLIS));
            let waiting = Some(WaitingLimits { limits: self.limits, from });
            let next = LimitsRow { present: before, waiting, spent: kept.spent };
            (next, "payment_limits_asked")
        };
        LIMITS.put(state, &self.person, &next);
        let approvers: Vec<Party> = known.into_iter().chain(named).map(Party::Person).collect();
        let concerns = view::concerned(state, self.person, Arc::as_ref(&row), approvers);
        Ok(Outcome::event(event, concerns))
    }
}
