//! Payouts: what funds owe for a claim goes to the person through an executor's rail.

use alloc::string::String;
use primitives::{Amount, Hash, OrganisationId, Party, PersonId, RegionId, detail};
use proof::receipt::FieldValue;

use super::rejection;
use super::table::{ClaimPayout, ClaimRow, PAYOUTS, require_claim};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::{self, EffectAction, EffectResult, EffectStatus, NewEffect};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::{Outcome, amount_value, field};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::visit::CashLeg;

/// A payout to be ordered.
pub(super) struct PayoutOrder<'a> {
    pub claim: Hash,
    pub region: RegionId,
    pub amount: Amount,
    pub payee: PersonId,
    pub leg: &'a CashLeg,
}

/// Orders a payout: what funds owe is held until the executor's word. Gives its reference.
///
/// # Errors
/// What is wrong with the executor, and as [`effect::order`].
pub(super) fn order(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    new: &PayoutOrder<'_>,
) -> Result<Hash, Rejection> {
    let region = network::view::require_region(state, new.region)?;
    new.leg.require_executor(context, state, region.bureau)?;
    let (executor, amount, currency) = (new.leg.executor, new.amount, region.currency);
    let rail = String::from(&*new.leg.rail);
    let ordered = NewEffect {
        executor,
        rail: rail.clone(),
        action: EffectAction::PayOut,
        amount,
        currency,
        authorisation: new.leg.authorisation,
        original: None,
        entry: (
            Account::OwedToPatients(Books::of(region.bureau, new.region)),
            Account::Rail(Books::of(executor, new.region)),
        ),
    };
    let reference = effect::order(context, state, outcome, ordered)?;
    outcome.fields.push(field("payee", FieldValue::Party(Party::Person(new.payee))));
    let payout = ClaimPayout {
        claim: new.claim,
        executor,
        rail,
        amount,
        currency,
        ordered: context.time,
        status: EffectStatus::Pending,
        confirmed: None,
    };
    PAYOUTS.put(state, &reference, &payout);
    Ok(reference)
}

/// A payout that waits for its executor's word.
pub(super) fn pending(state: &(impl Read + ?Sized), reference: &Hash) -> Option<ClaimPayout> {
    PAYOUTS.get(state, reference).filter(|payout| payout.status == EffectStatus::Pending)
}

/// Whom a payout of a claim by this executor concerns.
pub(super) fn concerns(
    state: &Overlay<'_>,
    claim: &ClaimRow,
    executor: OrganisationId,
) -> Result<[Party; 3], Rejection> {
    let bureau = network::view::require_region(state, claim.region)?.bureau;
    Ok([Party::Person(claim.person), Party::Organisation(bureau), Party::Organisation(executor)])
}

/// The executor's word: done moves the money, failed leaves it owed.
///
/// # Errors
/// `payout_amount_differs`.
pub(super) fn confirm(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    reference: &Hash,
    payout: ClaimPayout,
    result: EffectResult,
) -> Result<Outcome, Rejection> {
    let (status, name) = match result {
        EffectResult::Done { amount } => {
            require(amount == payout.amount, || {
                rejection::AMOUNT_DIFFERS.with(detail!(
                    "{ordered} were ordered",
                    ordered = (payout.amount, payout.currency)
                ))
            })?;
            posting::post_hold(state, context.time, reference, amount)?;
            (EffectStatus::Done, "claim_paid")
        }
        EffectResult::Failed { .. } => {
            posting::void_hold(state, reference)?;
            (EffectStatus::Failed, "claim_payout_failed")
        }
    };
    let payout = ClaimPayout { status, confirmed: Some(context.time), ..payout };
    PAYOUTS.put(state, reference, &payout);
    let claim = require_claim(state, &payout.claim)?;
    Ok(Outcome::event(name, concerns(state, &claim, payout.executor)?)
        .with("claim", FieldValue::Hash(payout.claim))
        .with("effect", FieldValue::Hash(*reference))
        .with("amount", amount_value(payout.amount, payout.currency)))
}
