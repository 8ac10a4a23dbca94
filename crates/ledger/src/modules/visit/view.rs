//! What others may read of visits, each with who may see it.

use primitives::{Hash, OrganisationId, Party, PersonId, Timestamp, VisitId};

use super::table::{EFFECTS, EffectRow, OpenVisit, SettledVisit, VISITS, VisitRow, VisitSubject};
use super::{rejection, table};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::coverage::view::RunningAmounts;
use crate::modules::{coverage, network};

/// Milliseconds of a day.
pub(super) const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;

/// A visit by its id. Who may see it: [`may_see`].
pub fn visit(state: &(impl Read + ?Sized), id: VisitId) -> Option<VisitRow> {
    VISITS.get(state, &id)
}

/// The open stays of a person, the oldest first; the newest eight of them. For the person and the
/// bureau at home: a provider would learn of its patient's other stays.
pub fn stays(state: &(impl Read + ?Sized), person: PersonId) -> alloc::vec::Vec<VisitId> {
    table::stays(state, person)
}

/// The bytes under which a visit's row is kept; for state proofs to those who may see it.
#[must_use]
pub fn visit_key(id: VisitId) -> alloc::vec::Vec<u8> {
    VISITS.key_bytes(&id)
}

/// The visit whose row is kept under these bytes, if it is one.
#[must_use]
pub fn visit_of_key(key: &[u8]) -> Option<VisitId> {
    VISITS.key_of(key)
}

/// A payment outside by its reference. For its provider, executor and person.
pub fn effect(state: &(impl Read + ?Sized), reference: &Hash) -> Option<EffectRow> {
    EFFECTS.get(state, reference)
}

/// Whose word a payment outside waits for, if it waits.
pub fn awaited_executor(state: &(impl Read + ?Sized), reference: &Hash) -> Option<OrganisationId> {
    let waits = |row: &EffectRow| row.status == EffectStatus::Pending;
    effect(state, reference).filter(waits).map(|row| row.executor)
}

/// Whether a party may see a visit about this subject: its person, its provider, its bureau.
pub fn may_see(state: &(impl Read + ?Sized), subject: &VisitSubject, party: Party) -> bool {
    match party {
        Party::Person(person) => subject.person == person,
        Party::Organisation(organisation) => {
            subject.provider == organisation
                || network::view::is_bureau(state, subject.region, organisation)
        }
    }
}

/// An open visit of this provider.
///
/// # Errors
/// `unknown_visit`, `visit_closed`.
pub(super) fn require_open(
    state: &(impl Read + ?Sized),
    id: VisitId,
) -> Result<OpenVisit, Rejection> {
    match visit(state, id).ok_or_else(|| rejection::UNKNOWN_VISIT.with(id))? {
        VisitRow::Open(open) => Ok(open),
        VisitRow::Settled(_) | VisitRow::Cancelled => Err(rejection::VISIT_CLOSED.reject()),
    }
}

/// A settled visit.
///
/// # Errors
/// `unknown_visit`, `visit_not_settled`.
pub(super) fn require_settled(
    state: &(impl Read + ?Sized),
    id: VisitId,
) -> Result<SettledVisit, Rejection> {
    match visit(state, id).ok_or_else(|| rejection::UNKNOWN_VISIT.with(id))? {
        VisitRow::Settled(settled) => Ok(settled),
        VisitRow::Open(_) | VisitRow::Cancelled => Err(rejection::VISIT_NOT_SETTLED.reject()),
    }
}

/// The settlement record that a transaction brings along is the one in force.
///
/// # Errors
/// `record_mismatch` and as [`require_settled`].
pub(crate) fn require_record(
    state: &(impl Read + ?Sized),
    record: &super::SettlementRecord,
) -> Result<SettledVisit, Rejection> {
    let settled = require_settled(state, record.visit)?;
    require(settled.record == record.hash(), || rejection::RECORD_MISMATCH.reject())?;
    Ok(settled)
}

/// Until when a consent that organisations alone gave may be contested: this settlement is the one
/// in force, something is left of it, and nobody has contested it.
///
/// # Errors
/// `not_contestable`, and as [`require_settled`] and `record_mismatch`.
pub fn contestable_until(
    state: &(impl Read + ?Sized),
    original: &super::SettlementRecord,
) -> Result<Timestamp, Rejection> {
    contested_until(state, original, &require_record(state, original)?)
}

/// The same of a settlement whose record was looked at.
///
/// # Errors
/// `not_contestable`.
pub(super) fn contested_until(
    state: &(impl Read + ?Sized),
    original: &super::SettlementRecord,
    settled: &SettledVisit,
) -> Result<Timestamp, Rejection> {
    let is_contestable = original.consent.is_given_by_others() && !original.total().is_zero();
    require(is_contestable && settled.contest.is_none(), || rejection::NOT_CONTESTABLE.reject())?;
    let region = network::view::require_region(state, original.subject.region)?;
    let days = u64::from(region.settings.emergency_contest_days);
    Ok(settled.revised.plus_millis(days.saturating_mul(DAY_MILLIS)))
}

/// The bureau of a region that must be there.
///
/// # Errors
/// `unknown_region`.
pub(super) fn bureau_of(
    state: &(impl Read + ?Sized),
    subject: &VisitSubject,
) -> Result<OrganisationId, Rejection> {
    Ok(network::view::require_region(state, subject.region)?.bureau)
}

/// What a person's personal account can pay at this instant.
pub fn personal_account(
    state: &(impl Read + ?Sized),
    person: primitives::PersonId,
    now: primitives::Timestamp,
) -> primitives::Amount {
    let account = crate::kernel::account::Account::PersonalAccount(person);
    crate::kernel::posting::account(state, &account)
        .map_or(primitives::Amount::ZERO, |row| row.available_at(now))
}

/// Sets the running amounts after an adjudication.
///
/// # Errors
/// As `coverage::view::set_running_amounts`.
pub(crate) fn set_running_amounts(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    subject: &VisitSubject,
    amounts: &RunningAmounts,
) -> Result<(), Rejection> {
    let region = network::view::require_region(state, subject.region)?;
    let today = region.retention_day(context.day(region.settings.utc_offset_minutes));
    coverage::view::set_running_amounts(state, subject.person, subject.region, amounts, today)
}

/// Sets the running amounts of a settlement's person at its insured place.
///
/// # Errors
/// As `coverage::view::set_running_amounts`.
pub(super) fn set_running_amounts_at(
    state: &mut Overlay<'_>,
    record: &super::SettlementRecord,
    amounts: &RunningAmounts,
    now: primitives::Timestamp,
) -> Result<(), Rejection> {
    let today = super::resettle::retention_day(state, record, now)?;
    let (person, region) = (record.subject.person, record.subject.region);
    coverage::view::set_running_amounts(state, person, region, amounts, today)
}
