//! What others may read of premiums, and how the executor's word reaches them.

use primitives::{CivilDate, Hash, OrganisationId, PersonId, Timestamp};

use super::payment;
use super::season::{PremiumSeason, SeasonId};
use super::table::{PAYMENTS, PremiumPayment, PremiumRecord, PremiumStanding, RECORDS, SEASONS};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectResult;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::Rejection;

/// A season's terms. They are public.
pub fn season(
    state: &(impl Read + ?Sized),
    id: SeasonId,
) -> Option<alloc::sync::Arc<PremiumSeason>> {
    SEASONS.shared(state, &id)
}

/// A person's record, for the person, the payer and the bureau.
pub fn record(
    state: &(impl Read + ?Sized),
    season: SeasonId,
    person: PersonId,
) -> Option<PremiumRecord> {
    RECORDS.get(state, &(season, person))
}

/// Whether a premium can be paid now: all that a stranger learns.
pub fn is_payable(
    state: &(impl Read + ?Sized),
    season: SeasonId,
    person: PersonId,
    (now, day): (Timestamp, CivilDate),
) -> bool {
    let (Some(terms), Some(record)) = (self::season(state, season), record(state, season, person))
    else {
        return false;
    };
    let is_free = match record.standing {
        PremiumStanding::Due => true,
        PremiumStanding::Locked(lock) => now >= lock.until,
        _ => false,
    };
    is_free && terms.due(&record, day, 0).is_ok()
}

/// A payment of premiums, or one given back.
pub fn payment(state: &(impl Read + ?Sized), reference: &Hash) -> Option<PremiumPayment> {
    PAYMENTS.get(state, reference)
}

/// Whose word a payment waits for, if it waits.
pub fn awaited_executor(state: &(impl Read + ?Sized), reference: &Hash) -> Option<OrganisationId> {
    payment::pending(state, reference).map(|payment| payment.executor)
}

/// Takes the executor's word, which the caller judged, on a payment of premiums; nothing when none
/// waits under this reference.
///
/// # Errors
/// `premium_amount_differs`.
pub(crate) fn confirm(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    reference: &Hash,
    result: EffectResult,
) -> Result<Option<Outcome>, Rejection> {
    match payment::pending(state, reference) {
        Some(pending) => payment::confirm(context, state, reference, pending, result).map(Some),
        None => Ok(None),
    }
}
