//! Who claims for a person, and to whom the money goes.

use primitives::{Amount, CivilDate, Party, PersonId, RegionId};

use super::table::ClaimRow;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::{self, Actor};
use crate::modules::{family, network};

/// Whoever speaks for the person signed, or, where the region's rules let proxies claim, a relative
/// who is bound to act for the person today. Gives who that is.
///
/// # Errors
/// As [`person::require_speaker`]; `claim_proxy_not_accepted`, and as
/// [`family::view::require_proxy`].
pub(super) fn require_claimant(
    context: &Context<'_>,
    state: &dyn Read,
    (person, region): (PersonId, RegionId),
    by: Actor,
) -> Result<Party, Rejection> {
    let Actor::Proxy(proxy) = by else {
        return person::require_speaker(context, state, person, by);
    };
    let is_accepted = view::rules(state, region).is_some_and(|rules| rules.proxies_claim);
    require(is_accepted, || rejection::PROXY_NOT_ACCEPTED.reject())?;
    family::view::require_proxy(context, state, (person, proxy), Amount::ZERO)?;
    Ok(Party::Person(proxy))
}

/// Money for a claim goes to the person, or to a guardian of this day. A proxy acts with a member's
/// own money and never receives it.
fn may_receive(
    state: &(impl Read + ?Sized),
    person: PersonId,
    payee: PersonId,
    day: CivilDate,
) -> bool {
    let row = person::view::person(state, person);
    payee == person || row.is_some_and(|row| row.is_guarded_by(payee, day))
}

/// To whom the money of a new claim goes: to the person, where nobody is named.
///
/// # Errors
/// `claim_payee_not_allowed`.
pub(super) fn require_payee(
    state: &(impl Read + ?Sized),
    person: PersonId,
    payee: Option<PersonId>,
    day: CivilDate,
) -> Result<PersonId, Rejection> {
    let payee = payee.unwrap_or(person);
    require(may_receive(state, person, payee, day), || rejection::PAYEE_NOT_ALLOWED.reject())?;
    Ok(payee)
}

/// To whom the money of a claim goes on this day: to the person again, once who was named is no
/// guardian any more.
pub(super) fn payee_on(state: &(impl Read + ?Sized), claim: &ClaimRow, day: CivilDate) -> PersonId {
    let holds = may_receive(state, claim.person, claim.payee, day);
    if holds { claim.payee } else { claim.person }
}

/// The same on the day of the block.
///
/// # Errors
/// `unknown_region`.
pub(super) fn payee_today(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    claim: &ClaimRow,
) -> Result<PersonId, Rejection> {
    let region = network::view::require_region(state, claim.region)?;
    let today = context.day(region.settings.utc_offset_minutes);
    Ok(payee_on(state, claim, today))
}
