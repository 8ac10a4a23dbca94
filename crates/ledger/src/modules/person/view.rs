//! What others may read of persons, the one place where a person's signature is judged, and how
//! other modules note what was spent.
//!
//! Three forms of consent are judged here, each in two strengths: with an amount (money, cards,
//! sharing; a lock stops them) and despite a lock (eligibility, safety, care that costs the person
//! nothing). The caller notes the amount with [`note_key_spending`] or [`note_card_spending`] in
//! the same transaction; noting checks the day's limit again, so that two uses in one transaction
//! add up.

use alloc::{sync::Arc, vec::Vec};
use primitives::{
    Amount, CivilDate, Hash, OrganisationId, Party, PersonId, PublicKey, RegionId, detail,
};

use super::actor::require_bureau;
use super::limits::{self, LimitsRow, Within};
use super::recovery::{Recovery, RecoveryRules};
use super::rejection;
use super::table::{
    BLIND_INDICES, Card, DaySpending, KeyGrade, LIMITS, PERSONS, PersonKey, PersonRow,
    PersonStatus, RECOVERIES, RECOVERY_RULES,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Receipt;
use crate::kernel::rejection::{Rejection, require};
use crate::kernel::transaction::Signer;
use crate::modules::network::{self, RegionSettings};
use crate::modules::organisation::Scope;

/// A key that signed and was judged, and what it pays. Only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedKey {
    person: PersonId,
    key: PublicKey,
    grade: KeyGrade,
    day: CivilDate,
    amount: Amount,
    /// What counts against the limits of whoever signed, and of whom it is paid for.
    within: [Option<Within>; 2],
}

/// A card that was judged, and what it pays. Only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedCard {
    person: PersonId,
    bureau: OrganisationId,
    commitment: Hash,
    day: CivilDate,
    amount: Amount,
    within: Option<Within>,
}

impl UsedKey {
    /// Whose key: the person's, or the guardian's.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// What kind of key it is.
    #[must_use]
    pub const fn grade(&self) -> KeyGrade {
        self.grade
    }

    /// What it pays, in minor units.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }
}

impl UsedCard {
    /// Whose card.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// The bureau that checked the PIN and co-signed.
    #[must_use]
    pub const fn bureau(&self) -> OrganisationId {
        self.bureau
    }

    /// The salted commitment to the card's number.
    #[must_use]
    pub const fn commitment(&self) -> Hash {
        self.commitment
    }

    /// What it pays, in minor units.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }
}

/// A person, if enrolled.
pub fn person(state: &(impl Read + ?Sized), id: PersonId) -> Option<Arc<PersonRow>> {
    PERSONS.shared(state, &id)
}

/// The bytes under which a person's row is kept; for state proofs to the person.
#[must_use]
pub fn person_key(id: PersonId) -> alloc::vec::Vec<u8> {
    PERSONS.key_bytes(&id)
}

/// Whose blind index this is, if anybody's. Only the identity authority's adapter can compute one.
pub fn by_blind_index(state: &(impl Read + ?Sized), index: &Hash) -> Option<PersonId> {
    BLIND_INDICES.get(state, index)
}

/// How people of a region get back into their wallets, if its rules say so.
pub fn recovery_rules(state: &(impl Read + ?Sized), region: RegionId) -> Option<RecoveryRules> {
    RECOVERY_RULES.get(state, &region)
}

/// The recovery of a person that was asked for last and is not completed; it may be over.
pub fn recovery(state: &(impl Read + ?Sized), person: PersonId) -> Option<Recovery> {
    RECOVERIES.get(state, &person)
}

/// What is paid for a person without a second person, for the person and the bureau.
pub fn limits(state: &(impl Read + ?Sized), person: PersonId) -> Option<LimitsRow> {
    LIMITS.get(state, &person)
}

/// The rules of recovery that a region must have.
///
/// # Errors
/// `no_recovery_rules`.
pub(super) fn require_recovery_rules(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<RecoveryRules, Rejection> {
    recovery_rules(state, region).ok_or_else(|| rejection::NO_RECOVERY_RULES.with(region))
}

/// A person who is enrolled and not closed. A lock does not matter here: it never stops
/// eligibility.
///
/// # Errors
/// `unknown_person`, `person_closed`.
pub fn require_person(
    state: &(impl Read + ?Sized),
    id: PersonId,
) -> Result<Arc<PersonRow>, Rejection> {
    let row = person(state, id).ok_or_else(|| rejection::UNKNOWN_PERSON.with(id))?;
    require(row.status == PersonStatus::Active, || rejection::PERSON_CLOSED.with(id))?;
    Ok(row)
}

/// A person whose care on this day counts: a closed one until the last day, so that the last stay
/// can still be settled.
///
/// # Errors
/// `unknown_person`, `person_closed` with the last day.
pub fn require_person_on(
    state: &(impl Read + ?Sized),
    id: PersonId,
    day: CivilDate,
) -> Result<Arc<PersonRow>, Rejection> {
    let row = person(state, id).ok_or_else(|| rejection::UNKNOWN_PERSON.with(id))?;
    if let PersonStatus::Closed { last_day } = row.status {
        require(day <= last_day, || {
            rejection::PERSON_CLOSED.with(detail!("care counts until {last_day}", last_day))
        })?;
    }
    Ok(row)
}

/// A person who is enrolled, not closed and not locked.
///
/// # Errors
/// As [`require_person`], and `person_locked`.
pub fn require_unlocked(
    state: &(impl Read + ?Sized),
    id: PersonId,
) -> Result<Arc<PersonRow>, Rejection> {
    let row = require_person(state, id)?;
    require(row.lock.is_none(), || rejection::PERSON_LOCKED.with(id))?;
    Ok(row)
}

/// The person signed with one of the person's own keys, is not locked, and the key may pay this
/// much now.
///
/// # Errors
/// As [`require_unlocked`] and [`require_key_despite_lock`], and `key_payment_limit_reached`,
/// `key_day_limit_reached`, `approval_missing` with what is left.
pub fn require_key(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    amount: Amount,
) -> Result<UsedKey, Rejection> {
    let row = require_unlocked(state, person)?;
    let mut used = judge_key(context, state, person, &row, amount)?;
    used.within = [limits::judge(context, state, person, used.day, amount)?, None];
    Ok(used)
}

/// As [`require_key`], by somebody who pays in the name of another and with that one's money: the
/// limits of both hold.
///
/// # Errors
/// As [`require_key`] about the payer, and `approval_missing` about the other.
pub(crate) fn require_key_for(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    (payer, other): (PersonId, PersonId),
    amount: Amount,
) -> Result<UsedKey, Rejection> {
    let used = require_key(context, state, payer, amount)?;
    let row = require_person(state, other)?;
    let day = today(context, state, &row)?;
    let [own, _] = used.within;
    let within = [own, limits::judge(context, state, other, day, amount)?];
    Ok(UsedKey { within, ..used })
}

/// The person is not locked and signed with an own key, whatever is paid.
pub(super) fn require_key_alone(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
) -> Result<UsedKey, Rejection> {
    let row = require_unlocked(state, person)?;
    judge_key(context, state, person, &row, Amount::ZERO)
}

/// The person signed with one of the person's own keys, for something that costs nothing and that a
/// lock does not stop.
///
/// # Errors
/// As [`require_person`], and `person_signature_missing`, `unknown_person_key`,
/// `passkey_used_on_foreign_page`, `passkey_assertion_missing`.
pub fn require_key_despite_lock(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
) -> Result<UsedKey, Rejection> {
    let row = require_person(state, person)?;
    judge_key(context, state, person, &row, Amount::ZERO)
}

/// A guardian of today signed with one of the guardian's own keys, neither of the two is locked,
/// and the key may pay this much now. What is spent counts against the guardian's key.
///
/// # Errors
/// As [`require_key`] about the guardian, `not_a_guardian`, and `person_locked` for the person.
pub fn require_guardian(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    guardian: PersonId,
    amount: Amount,
) -> Result<UsedKey, Rejection> {
    let row = require_unlocked(state, person)?;
    judge_guardian(context, state, (person, &row), guardian, amount)
}

/// A guardian of today signed, for something that costs nothing and that a lock of the person does
/// not stop. A lock of the guardian does stop it: the guardian's keys are not to be trusted then.
///
/// # Errors
/// As [`require_key`] about the guardian, and `not_a_guardian`.
pub fn require_guardian_despite_lock(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    guardian: PersonId,
) -> Result<UsedKey, Rejection> {
    let row = require_person(state, person)?;
    judge_guardian(context, state, (person, &row), guardian, Amount::ZERO)
}

/// The person's card and PIN were used at a desk: the home region's bureau, which checked the PIN
/// online, co-signed as clerk; the person is not locked; the card may pay this much now.
///
/// # Errors
/// As [`require_unlocked`], `no_card`, `card_blocked`, `pin_blocked`, `desk_payment_limit_reached`,
/// `desk_day_limit_reached`, `approval_missing` with what is left, and what is wrong with the
/// bureau's signature.
pub fn require_card(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    amount: Amount,
) -> Result<UsedCard, Rejection> {
    let row = require_unlocked(state, person)?;
    let bureau = require_bureau(context, state, row.region, Scope::Clerk)?;
    let region = network::view::require_region(state, row.region)?;
    let settings = &region.settings;
    let card = usable_card(&row, settings)?;
    let most = (settings.desk_payment_max, region.currency);
    require(amount <= most.0, || {
        rejection::DESK_PAYMENT_LIMIT.with(detail!("at most {most}", most))
    })?;
    let day = context.day(settings.utc_offset_minutes);
    let left = settings.desk_day_max.saturating_sub(DaySpending::on(card.spent, day));
    require(amount <= left, || {
        rejection::DESK_DAY_LIMIT
            .with(detail!("{left} are left today", left = (left, region.currency)))
    })?;
    let within = limits::judge(context, state, person, day, amount)?;
    Ok(UsedCard { person, bureau, commitment: card.commitment, day, amount, within })
}

/// Notes what a key pays, against the person's spending of the day. Call it once per
/// [`require_key`] or
/// [`require_guardian`] when the money moves.
///
/// # Errors
/// `key_day_limit_reached` when the person pays twice in one transaction and both together are too
/// much.
pub fn note_key_spending(state: &mut Overlay<'_>, used: &UsedKey) -> Result<(), Rejection> {
    if used.amount.is_zero() {
        return Ok(());
    }
    let mut row = Arc::unwrap_or_clone(require_person(state, used.person)?);
    let key = row.key(&used.key).ok_or_else(|| rejection::UNKNOWN_KEY.reject())?;
    require_limits(state, &row, key, used.day, used.amount)?;
    let amount = DaySpending::on(row.spent, used.day).saturating_add(used.amount);
    row.spent = Some(DaySpending { day: used.day, amount });
    PERSONS.put(state, &used.person, &row);
    used.within.into_iter().try_for_each(|within| limits::note(state, within))
}

/// Notes what a card pays, against the region's limit of the day, and that the PIN was right. Call
/// it once per [`require_card`] when the money moves.
///
/// # Errors `desk_day_limit_reached` when the card pays twice in one transaction and both together
/// are too much.
pub fn note_card_spending(state: &mut Overlay<'_>, used: &UsedCard) -> Result<(), Rejection> {
    let mut row = Arc::unwrap_or_clone(require_person(state, used.person)?);
    let region = network::view::require_region(state, row.region)?;
    let card = row.card.as_mut().ok_or_else(|| rejection::NO_CARD.reject())?;
    let before = DaySpending::on(card.spent, used.day);
    let left = region.settings.desk_day_max.saturating_sub(before);
    require(used.amount <= left, || {
        rejection::DESK_DAY_LIMIT
            .with(detail!("{left} are left today", left = (left, region.currency)))
    })?;
    let amount = before.saturating_add(used.amount);
    card.spent = Some(DaySpending { day: used.day, amount });
    card.pin_failures = 0;
    PERSONS.put(state, &used.person, &row);
    limits::note(state, used.within)
}

/// Whom an event about a person concerns: the person first ([`whom`]), the bureau that serves the
/// person, and the others named here; each once.
pub(super) fn concerned(
    state: &(impl Read + ?Sized),
    person: PersonId,
    row: &PersonRow,
    others: impl IntoIterator<Item = Party>,
) -> Vec<Party> {
    let bureau = network::view::region(state, row.region).map(|region| region.bureau);
    let own = core::iter::once(Party::Person(person)).chain(bureau.map(Party::Organisation));
    let mut concerned = Vec::new();
    for party in own.chain(others) {
        if !concerned.contains(&party) {
            concerned.push(party);
        }
    }
    concerned
}

/// Whose wallet a receipt of this module tells of: guardians and whoever locked are told of it too,
/// and it is not theirs.
///
/// Invariant: whom an event of this module is about stands first among those whom it concerns (test
/// `an_event_names_first_whom_it_is_about`).
#[must_use]
pub fn whom(receipt: &Receipt) -> Option<PersonId> {
    let is_own = |name: &str| super::event::ALL.iter().any(|one| one.name == name);
    let event = receipt.events.iter().find(|event| is_own(&event.name))?;
    match event.concerns.first() {
        Some(Party::Person(person)) => Some(*person),
        _ => None,
    }
}

/// The settings of a person's home region.
pub(super) fn settings(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<RegionSettings, Rejection> {
    Ok(network::view::require_region(state, region)?.settings.clone())
}

/// The day of the block in a person's home region.
pub(super) fn today(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    row: &PersonRow,
) -> Result<CivilDate, Rejection> {
    Ok(context.day(settings(state, row.region)?.utc_offset_minutes))
}

/// The card, if it can pay.
fn usable_card<'a>(row: &'a PersonRow, settings: &RegionSettings) -> Result<&'a Card, Rejection> {
    let card = row.card.as_ref().ok_or_else(|| rejection::NO_CARD.reject())?;
    require(!card.blocked, || rejection::CARD_BLOCKED.reject())?;
    require(card.pin_failures < settings.pin_failures_max, || rejection::PIN_BLOCKED.reject())?;
    Ok(card)
}

fn judge_guardian(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    (person, row): (PersonId, &PersonRow),
    guardian: PersonId,
    amount: Amount,
) -> Result<UsedKey, Rejection> {
    let day = today(context, state, row)?;
    require(row.is_guarded_by(guardian, day), || rejection::NOT_A_GUARDIAN.with(guardian))?;
    require_key_for(context, state, (guardian, person), amount)
}

fn judge_key(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
    row: &PersonRow,
    amount: Amount,
) -> Result<UsedKey, Rejection> {
    let day = today(context, state, row)?;
    context.fitting(Party::Person(person), rejection::SIGNATURE_MISSING.with(person), |signer| {
        let key = row.key(&signer.key).ok_or_else(|| rejection::UNKNOWN_KEY.with(person))?;
        require_page(state, signer, key.grade)?;
        require_limits(state, row, key, day, amount)?;
        Ok(UsedKey { person, key: key.key, grade: key.grade, day, amount, within: [None; 2] })
    })
}

/// An assertion was made on a page of this network, and a passkey never signs without one.
fn require_page(
    state: &(impl Read + ?Sized),
    signer: &Signer,
    grade: KeyGrade,
) -> Result<(), Rejection> {
    let Some(page) = &signer.web_authn else {
        return require(grade == KeyGrade::Device, || rejection::PASSKEY_NEEDED.reject());
    };
    require(network::view::is_own_page(state, page), || rejection::FOREIGN_PAGE.reject())
}

/// A key pays at most so much at once, and nothing when the person's keys have spent more on the
/// day than this one may see spent.
fn require_limits(
    state: &(impl Read + ?Sized),
    row: &PersonRow,
    key: &PersonKey,
    day: CivilDate,
    amount: Amount,
) -> Result<(), Rejection> {
    let left = key.day_max.saturating_sub(DaySpending::on(row.spent, day));
    if amount <= key.payment_max.min(left) {
        return Ok(());
    }
    let currency = network::view::require_region(state, row.region)?.currency;
    Err(if amount > key.payment_max {
        let most = (key.payment_max, currency);
        rejection::KEY_PAYMENT_LIMIT.with(detail!("at most {most}", most))
    } else {
        rejection::KEY_DAY_LIMIT.with(detail!("{left} are left today", left = (left, currency)))
    })
}
