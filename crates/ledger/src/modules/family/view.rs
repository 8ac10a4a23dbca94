//! What others may read of families, how a proxy's signature is judged, and how settlements take
//! and give back what grants pay.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use benefit::{FamilyGrant, VisitType};
use primitives::{Amount, CivilDate, Hash, PersonId, RegionId, Timestamp, detail};

use super::agreement::{is_below, today_of};
use super::aid;
use super::binding::rules_in;
use super::rejection;
use super::rules::{AidRules, ProxyRules};
use super::table::{
    AID_RULES, APPLICATIONS, AidGrant, BINDINGS, Binding, BindingApplication, BindingGround,
    BindingRefusal, FAMILIES, FamilyRow, GRANTS, PROXY_RULES, REFUSALS, TRANSFER_LISTS,
    TRANSFER_RULES, TRANSFERS,
};
use super::transfer::{Transfer, TransferList};
use super::transfer_rules::TransferRules;
use super::{ClaimTransfer, SendTransfer, WithdrawTransfer};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::registry::Kind as _;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::visit::VisitSubject;
use crate::modules::{network, person};

/// A region's rules of the proxy. They are public.
pub fn proxy_rules(state: &(impl Read + ?Sized), region: RegionId) -> Option<Arc<ProxyRules>> {
    PROXY_RULES.shared(state, &region)
}

/// A region's rules of mutual aid. They are public.
pub fn aid_rules(state: &(impl Read + ?Sized), region: RegionId) -> Option<Arc<AidRules>> {
    AID_RULES.shared(state, &region)
}

/// Whether a receipt of this kind is about two persons and nobody else, who both may read what it
/// says: the steps of a transfer.
pub(crate) const fn is_between_two(kind: u16) -> bool {
    matches!(kind, SendTransfer::NUMBER | ClaimTransfer::NUMBER | WithdrawTransfer::NUMBER)
}

/// What a person has to do with families, for the person, guardians and the bureau.
pub fn family(state: &(impl Read + ?Sized), person: PersonId) -> FamilyRow {
    FAMILIES.get(state, &person).unwrap_or_default()
}

/// A binding, for the two and the bureau.
pub fn binding(state: &(impl Read + ?Sized), payer: PersonId, member: PersonId) -> Option<Binding> {
    BINDINGS.get(state, &(payer, member))
}

/// Whether the payer may act for the member on this day. What rests on documents ends on the
/// binding's last day, and at once when the member is attested to be old enough to agree in person.
pub fn holds(
    state: &(impl Read + ?Sized),
    (payer, member): (PersonId, PersonId),
    day: CivilDate,
) -> bool {
    let Some(bound) = binding(state, payer, member) else { return false };
    let is_of_age = || {
        let region = person::view::person(state, member).map(|row| row.region);
        let rules = region.and_then(|region| proxy_rules(state, region));
        rules
            .is_some_and(|rules| is_below(state, member, rules.own_consent_age, day) == Some(false))
    };
    bound.holds_on(day) && (bound.ground != BindingGround::Documents || !is_of_age())
}

/// Whether two are a family here: one may act for the other on this day, or one's account helps the
/// other.
pub fn is_family(
    state: &(impl Read + ?Sized),
    (one, other): (PersonId, PersonId),
    day: CivilDate,
) -> bool {
    let is_bound = holds(state, (one, other), day) || holds(state, (other, one), day);
    is_bound || helps(state, one, other, day) || helps(state, other, one, day)
}

/// Whether the payer's account helps the member on this day.
fn helps(state: &(impl Read + ?Sized), payer: PersonId, member: PersonId, day: CivilDate) -> bool {
    let granted = family(state, payer).helps.into_iter().filter(|(helped, _)| *helped == member);
    let mut grants = granted.filter_map(|(_, number)| grant(state, member, number));
    grants.any(|grant| grant.holds_on(day))
}

/// A region's rules of transfers between wallets. They are public.
pub fn transfer_rules(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Option<Arc<TransferRules>> {
    TRANSFER_RULES.shared(state, &region)
}

/// A transfer by the transaction that sent it, for the two and their bureaus.
pub fn transfer(state: &(impl Read + ?Sized), id: Hash) -> Option<Transfer> {
    TRANSFERS.get(state, &id)
}

/// A person's transfers, for the person, guardians and the bureau.
pub fn transfers(state: &(impl Read + ?Sized), person: PersonId) -> TransferList {
    TRANSFER_LISTS.get(state, &person).unwrap_or_default()
}

/// An application, for the payer and the bureau.
pub fn application(
    state: &(impl Read + ?Sized),
    payer: PersonId,
    member: PersonId,
) -> Option<BindingApplication> {
    APPLICATIONS.get(state, &(payer, member))
}

/// Why the bureau refused the last application, for the payer and the bureau.
pub fn refusal(
    state: &(impl Read + ?Sized),
    payer: PersonId,
    member: PersonId,
) -> Option<BindingRefusal> {
    REFUSALS.get(state, &(payer, member))
}

/// A grant of mutual aid by its number of the member, for the two and the bureau.
pub fn grant(state: &(impl Read + ?Sized), member: PersonId, number: u32) -> Option<AidGrant> {
    GRANTS.get(state, &(member, number))
}

/// The payer may act for the member today and signed for this much of the member's own money. What
/// is spent counts against the payer's key. A lock of the member stops money and nothing else; a
/// lock of the payer stops all of it.
///
/// # Errors
/// `not_bound`, `binding_ended`, `proxy_payment_limit_reached`, and as `person::view::require_key`
/// about the payer.
pub(crate) fn require_proxy(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    (member, payer): (PersonId, PersonId),
    amount: Amount,
) -> Result<person::view::UsedKey, Rejection> {
    let bound = binding(state, payer, member).ok_or_else(|| rejection::NOT_BOUND.reject())?;
    let row = if amount.is_zero() {
        person::view::require_person(state, member)?
    } else {
        person::view::require_unlocked(state, member)?
    };
    let today = today_of(context, state, member)?;
    require(holds(state, (payer, member), today), || match bound.until {
        Some(until) if until < today => rejection::BINDING_ENDED.with(detail!("on {until}", until)),
        _ => rejection::BINDING_ENDED.reject(),
    })?;
    let rules = rules_in(state, row.region)?;
    let most = rules.payment_max;
    let currency = network::view::require_region(state, row.region)?.currency;
    require(amount <= most, || {
        rejection::PROXY_PAYMENT_LIMIT.with(detail!("at most {most}", most = (most, currency)))
    })?;
    person::view::require_key_for(context, state, (payer, member), amount)
}

/// The insured place accepts a proxy for this kind of care.
///
/// # Errors
/// `proxy_not_offered`, `proxy_not_accepted_here`.
pub(crate) fn require_proxy_accepted(
    state: &(impl Read + ?Sized),
    region: RegionId,
    visit_type: Option<VisitType>,
) -> Result<(), Rejection> {
    let rules = rules_in(state, region)?;
    let excluded = visit_type.filter(|one| rules.excluded_visit_types.contains(one));
    excluded.map_or(Ok(()), |one| Err(rejection::PROXY_EXCLUDED.with(one)))
}

/// What the accounts of relatives can pay for a bill of this total now, in the order in which they
/// pay.
pub fn offers(
    state: &(impl Read + ?Sized),
    subject: &VisitSubject,
    total: Amount,
    now: Timestamp,
) -> Vec<FamilyGrant> {
    aid::offers(state, subject, total, now)
}

/// A grant pays this much of its member's premium now; what its account holds is not asked.
///
/// # Errors
/// `unknown_aid_grant`, `aid_not_for_premiums`, `person_locked` about the payer,
/// `aid_limit_reached` with what is left.
pub fn require_premium_aid(
    state: &(impl Read + ?Sized),
    (member, number): (PersonId, u32),
    amount: Amount,
    now: Timestamp,
) -> Result<(), Rejection> {
    let grant =
        grant(state, member, number).ok_or_else(|| rejection::UNKNOWN_GRANT.with(number))?;
    aid::require_premium(state, &grant, (number, amount), now)
}

/// Whose account a grant draws on, also a revoked one's.
///
/// # Errors
/// `unknown_aid_grant`.
pub(crate) fn payer_of(
    state: &(impl Read + ?Sized),
    member: PersonId,
    number: u32,
) -> Result<PersonId, Rejection> {
    let row = grant(state, member, number);
    row.map(|row| row.payer).ok_or_else(|| rejection::UNKNOWN_GRANT.with(number))
}

/// Notes what grants pay for a bill that is settled now, by number.
pub(crate) fn note_paid(
    state: &mut Overlay<'_>,
    of: (PersonId, Hash),
    paid: &BTreeMap<u32, Amount>,
    now: Timestamp,
) {
    aid::note_paid(state, of, paid, now);
}

/// Notes what comes back to grants, by number, of a bill that was settled at this time. The meters
/// of that month and year fall.
pub(crate) fn note_returned(
    state: &mut Overlay<'_>,
    of: (PersonId, Hash),
    returned: &BTreeMap<u32, Amount>,
    settled: Timestamp,
) {
    aid::note_returned(state, of, returned, settled);
}
