//! What others may read of claims, and how the executor's word reaches them.

use alloc::vec::Vec;
use primitives::{CivilDate, Hash, OrganisationId, PersonId, RegionId};

use super::table::{CLAIMANTS, CLAIMS, ClaimPayout, ClaimRow, INVOICES, PAYOUTS, RULES};
use super::{ClaimRules, claimant, payout, rejection};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectResult;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::Rejection;

/// A region's rules. They are public.
pub fn rules(state: &(impl Read + ?Sized), region: RegionId) -> Option<ClaimRules> {
    RULES.get(state, &region)
}

/// A region's rules, which must be there.
///
/// # Errors
/// `claims_not_offered`.
pub(super) fn require_rules(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<ClaimRules, Rejection> {
    rules(state, region).ok_or_else(|| rejection::NOT_OFFERED.with(region))
}

/// A claim, for its person and the region's bureau.
pub fn claim(state: &(impl Read + ?Sized), id: &Hash) -> Option<ClaimRow> {
    CLAIMS.get(state, id)
}

/// To whom the money of a claim goes on this day, for the person and the bureau.
pub fn payee_on(state: &(impl Read + ?Sized), claim: &ClaimRow, day: CivilDate) -> PersonId {
    claimant::payee_on(state, claim, day)
}

/// The claims of a person in a region, oldest first, for the person and the bureau.
pub fn claims_of(state: &(impl Read + ?Sized), region: RegionId, person: PersonId) -> Vec<Hash> {
    CLAIMANTS.get(state, &(region, person)).unwrap_or_default()
}

/// The claim that an invoice is in, by its tag, for the bureau.
pub fn claim_of_invoice(state: &(impl Read + ?Sized), region: RegionId, tag: Hash) -> Option<Hash> {
    INVOICES.get(state, &(region, tag))
}

/// A payout, for the person, the bureau and the executor.
pub fn payout(state: &(impl Read + ?Sized), reference: &Hash) -> Option<ClaimPayout> {
    PAYOUTS.get(state, reference)
}

/// Whose word a payout waits for, if it waits.
pub fn awaited_executor(state: &(impl Read + ?Sized), reference: &Hash) -> Option<OrganisationId> {
    payout::pending(state, reference).map(|payout| payout.executor)
}

/// Takes the executor's word, which the caller judged, on a payout; nothing when none waits under
/// this reference.
///
/// # Errors
/// `payout_amount_differs`.
pub(crate) fn confirm(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    reference: &Hash,
    result: EffectResult,
) -> Result<Option<Outcome>, Rejection> {
    match payout::pending(state, reference) {
        Some(pending) => payout::confirm(context, state, reference, pending, result).map(Some),
        None => Ok(None),
    }
}
