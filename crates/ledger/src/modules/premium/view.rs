//! What others may read of premiums, and how the executor's word reaches them.

use alloc::{sync::Arc, vec::Vec};
use primitives::{CivilDate, Hash, OrganisationId, Party, PersonId, RegionId, Timestamp};

use super::record::{require_record, require_season};
use super::season::{PremiumDue, PremiumSeason, SeasonId};
use super::table::{
    ACCOUNT_PAYMENTS, AccountPayment, PAYMENTS, PaidItem, PremiumPayment, PremiumRecord,
    PremiumStanding, RECORDS, SEASONS, TALLIES,
};
use super::tally::PremiumTally;
use super::{payment, tally};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectResult;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::Rejection;
use crate::modules::coverage::view::BASIC_SCHEMES;
use crate::modules::person;

/// A season's terms. They are public.
pub fn season(state: &(impl Read + ?Sized), id: SeasonId) -> Option<Arc<PremiumSeason>> {
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

/// What is due for a person's premium now, or why nobody can pay it: for the bureau, which tells
/// the cause and its remedy.
///
/// # Errors
/// `unknown_person`, `person_closed`, `unknown_premium_season`, `premium_not_registered`, what
/// stands in the way of the record, of the day, and of the cover (`covered_elsewhere` and the
/// like).
pub fn require_payable(
    state: &(impl Read + ?Sized),
    season: SeasonId,
    person: PersonId,
    (now, day): (Timestamp, CivilDate),
) -> Result<PremiumDue, Rejection> {
    person::view::require_person(state, person)?;
    let terms = require_season(state, season)?;
    let record = require_record(state, season, person)?;
    record.require_payable(now, None)?;
    let due = terms.due(&record, day, 0)?;
    let paid = PaidItem::of(person, &due);
    payment::require_coverable(state, (season, &terms), &record, (&paid, day))?;
    Ok(due)
}

/// The seasons of a region in these years, of the schemes of which everybody has one.
pub fn seasons(
    state: &(impl Read + ?Sized),
    region: RegionId,
    years: core::ops::RangeInclusive<u16>,
) -> Vec<(SeasonId, Arc<PremiumSeason>)> {
    let of_year = |year| BASIC_SCHEMES.map(|scheme| SeasonId { region, scheme, year });
    let all = years.flat_map(of_year);
    all.filter_map(|id| season(state, id).map(|terms| (id, terms))).collect()
}

/// Where the premiums of a season's class stand, for the bureau and the collector.
pub fn tally(state: &(impl Read + ?Sized), season: SeasonId, class: u8) -> PremiumTally {
    TALLIES.get(state, &(season, class)).unwrap_or_default()
}

/// How many premiums of the season are locked, to the minute.
pub fn locked(state: &(impl Read + ?Sized), season: SeasonId, now: Timestamp) -> u64 {
    tally::locked(state, season, now)
}

/// A payment of premiums, or one given back.
pub fn payment(state: &(impl Read + ?Sized), reference: &Hash) -> Option<PremiumPayment> {
    PAYMENTS.get(state, reference)
}

/// A payment from personal accounts, by its transaction.
pub fn account_payment(state: &(impl Read + ?Sized), transaction: &Hash) -> Option<AccountPayment> {
    ACCOUNT_PAYMENTS.get(state, transaction)
}

/// Who paid, by a rail or from personal accounts.
pub fn payer(state: &(impl Read + ?Sized), payment: &Hash) -> Option<Party> {
    let by_rail = self::payment(state, payment).map(|paid| paid.payer);
    let by_account = || account_payment(state, payment).map(|paid| Party::Person(paid.payer));
    by_rail.or_else(by_account)
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
