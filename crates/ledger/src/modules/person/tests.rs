#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::table::PERSONS;
use super::*;
use crate::kernel::account::{Account, Floor};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting;
use crate::kernel::receipt::Receipt;
use crate::kernel::rejection::{Code, Rejection, kernel};
use crate::kernel::transaction::{Authorisation, Transaction};
use crate::modules::coverage::{self, AttestFacts};
use crate::modules::network::{OpenRegion, rejection as network};
use crate::modules::organisation::{
    OrganisationKind, RevokeKey, SuspendOrganisation, rejection as organisations,
};
use crate::testing::{
    DAY, HOUR, REGION, TestVerifier, World, fen, organisation, passkey, person, public, settings,
};
use alloc::{format, sync::Arc, vec, vec::Vec};
use primitives::{
    Amount, CivilDate, Currency, Hash, Party, Period, PersonId, RegionId, SchemeId, Timestamp,
    sha256,
};
use proof::receipt::FieldValue;

const ALICE: PersonId = PersonId([1; 16]);
const BOB: PersonId = PersonId([2; 16]);
const CAROL: PersonId = PersonId([3; 16]);
const DINGXI: RegionId = RegionId(621_100);

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn own(id: PersonId) -> Party {
    Party::Person(id)
}

/// The day of the world's start in the region's calendar, and so many days later.
fn day(later: i32) -> CivilDate {
    CivilDate::from_ymd(2026, 1, 1).and_then(|first| first.plus_days(later)).unwrap()
}

fn device(name: &str) -> NewKey {
    let (payment_max, day_max) = (fen(20_000), fen(30_000));
    NewKey { key: public(name), grade: KeyGrade::Device, payment_max, day_max }
}

fn new_person(number: u8, keys: Vec<NewKey>) -> EnrolPerson {
    let person = NewPerson {
        id: person(number),
        commitment: sha256(b"identity record"),
        blind_index: sha256(&[number]),
        keys,
    };
    EnrolPerson { region: REGION, person }
}

fn bureau_and_authority() -> [Party; 2] {
    [org("bureau"), org("authority")]
}

/// Alice, Bob and Carol are enrolled; Alice has one device key named `alice`.
fn world() -> World {
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, vec![device("alice")]));
    world.keys.insert(own(ALICE), "alice");
    world.enrol(2);
    world.enrol(3);
    world
}

fn row(world: &World, id: PersonId) -> PersonRow {
    Arc::unwrap_or_clone(view::person(world.ledger.state(), id).unwrap())
}

/// What a function of the view says of a transaction with these signers, at a time.
fn judge_at<T>(
    world: &mut World,
    time: Timestamp,
    signers: &[Party],
    overlay: &mut Overlay<'_>,
    judge: impl FnOnce(&Context<'_>, &mut Overlay<'_>) -> T,
) -> T {
    let content = world.content(signers[0], &AskUnlock { person: ALICE });
    let transaction = world.sign(&content, signers);
    let plans = PlanMemo::default();
    let chain_id = world.ledger.chain_id();
    let context = Context { chain_id, height: 1, time, transaction: &transaction, plans: &plans };
    judge(&context, overlay)
}

fn judge<T>(
    world: &mut World,
    signers: &[Party],
    judge: impl FnOnce(&Context<'_>, &mut Overlay<'_>) -> T,
) -> T {
    let state = world.ledger.state().clone();
    let now = world.now;
    judge_at(world, now, signers, &mut Overlay::new(&state), judge)
}

/// What a settlement does: judges the key and notes what it pays.
fn spend_by_key(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    amount: Amount,
) -> Result<view::UsedKey, Rejection> {
    let used = view::require_key(context, state, person, amount)?;
    view::note_key_spending(state, &used).map(|()| used)
}

fn spend_by_guardian(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    guardian: PersonId,
    amount: Amount,
) -> Result<view::UsedKey, Rejection> {
    let used = view::require_guardian(context, state, person, guardian, amount)?;
    view::note_key_spending(state, &used).map(|()| used)
}

fn spend_by_card(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    person: PersonId,
    amount: Amount,
) -> Result<view::UsedCard, Rejection> {
    let used = view::require_card(context, state, person, amount)?;
    view::note_card_spending(state, &used).map(|()| used)
}

#[track_caller]
fn refused<T>(result: Result<T, Rejection>, code: Code) {
    match result {
        Ok(_) => panic!("`{}` was expected", code.name),
        Err(rejection) => assert_eq!(rejection.code.name, code.name, "{}", rejection.detail),
    }
}

fn concerns(receipt: &Receipt, party: Party) -> bool {
    receipt.events.iter().any(|event| event.concerns.contains(&party))
}

#[test]
fn one_natural_person_has_one_id() {
    let mut world = World::new();
    let signers = bureau_and_authority();
    world.accepted(&signers, &new_person(1, vec![]));
    world.rejected(&signers, &new_person(1, vec![]), rejection::PERSON_EXISTS);
    let mut twin = new_person(2, vec![]);
    twin.person.blind_index = sha256(&[1]);
    world.rejected(&signers, &twin, rejection::BLIND_INDEX_TAKEN);
    let close = ClosePerson { person: ALICE, last_day: day(0) };
    world.accepted(&signers, &close);
    world.rejected(&signers, &twin, rejection::BLIND_INDEX_TAKEN);
}

#[test]
fn enrolment_needs_the_bureau_and_the_identity_authority() {
    let mut world = World::new();
    let body = new_person(1, vec![]);
    world.rejected(&[org("bureau")], &body, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &body, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau"), org("regulator")], &body, rejection::IDENTITY_CHECK_MISSING);
    let elsewhere = EnrolPerson { region: DINGXI, ..body.clone() };
    world.rejected(&bureau_and_authority(), &elsewhere, network::UNKNOWN_REGION);
    let suspend = SuspendOrganisation { organisation: organisation("authority") };
    world.accepted(&World::governing(), &suspend);
    world.rejected(&bureau_and_authority(), &body, organisations::ORGANISATION_SUSPENDED);
}

#[test]
fn a_clerk_key_may_not_attest() {
    let mut world = World::new();
    let revoke = RevokeKey { organisation: organisation("bureau"), key: public("bureau") };
    world.accepted(&World::governing(), &revoke);
    world.keys.insert(org("bureau"), "bureau-root");
    let authorise = crate::modules::organisation::AuthoriseKey {
        organisation: organisation("bureau"),
        key: public("clerk"),
        scopes: vec![crate::modules::organisation::Scope::Clerk],
        expires: world.now.plus_millis(DAY),
    };
    world.accepted(&[org("bureau")], &authorise);
    world.keys.insert(org("bureau"), "clerk");
    let body = new_person(1, vec![]);
    world.rejected(&bureau_and_authority(), &body, organisations::SCOPE_MISSING);
}

#[test]
fn enrolment_opens_a_personal_account_that_never_falls_below_zero() {
    let world = world();
    let account = posting::account(world.ledger.state(), &Account::PersonalAccount(ALICE));
    let account = account.unwrap();
    assert_eq!(account.floor, Floor::AtLeast(Amount::ZERO));
    assert_eq!((account.balance(), account.currency), (0, Currency::CNY));
    assert_eq!(view::by_blind_index(world.ledger.state(), &sha256(&[1])), Some(ALICE));
}

#[test]
fn first_keys_are_few_distinct_and_fit_their_grade() {
    let mut world = World::new();
    let signers = bureau_and_authority();
    let two = vec![device("a"), device("b")];
    let three = vec![device("a"), device("b"), device("c")];
    world.rejected(&signers, &new_person(1, three), rejection::INVALID_LIST);
    world.rejected(&signers, &new_person(1, vec![device("a"); 2]), rejection::INVALID_LIST);
    let passkey = NewKey { grade: KeyGrade::Passkey, ..device("a") };
    world.rejected(&signers, &new_person(1, vec![passkey]), rejection::GRADE_MISMATCH);
    let upside_down = NewKey { payment_max: fen(30_001), ..device("a") };
    world.rejected(&signers, &new_person(1, vec![upside_down]), rejection::INVALID_KEY_LIMITS);
    world.accepted(&signers, &new_person(1, two));
}

#[test]
fn a_change_of_the_authoritys_key_maps_every_index_or_none() {
    let mut world = world();
    let pair = |old: Hash, new: &str| IndexPair { old, new: sha256(new.as_bytes()) };
    let (first, second) = (sha256(&[1]), sha256(&[2, 2]));
    let both = RemapBlindIndices { pairs: vec![pair(first, "x"), pair(second, "y")] };
    let wrong = RemapBlindIndices { pairs: vec![pair(first, "x"), pair(sha256(b"?"), "y")] };
    let clash = RemapBlindIndices { pairs: vec![pair(first, "x"), pair(second, "x")] };
    let authority = [org("authority")];
    world.rejected(&[org("bureau")], &both, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&authority, &wrong, rejection::UNKNOWN_BLIND_INDEX);
    world.rejected(&authority, &clash, rejection::BLIND_INDEX_TAKEN);
    world.rejected(&authority, &RemapBlindIndices { pairs: vec![] }, rejection::INVALID_LIST);
    let many = RemapBlindIndices { pairs: vec![pair(first, "x"); PAIRS_MAX + 1] };
    world.rejected(&authority, &many, rejection::INVALID_LIST);
    world.accepted(&authority, &both);
    let state = world.ledger.state();
    assert_eq!(view::by_blind_index(state, &sha256(b"x")), Some(ALICE));
    assert_eq!(view::by_blind_index(state, &first), None);
    world.rejected(&authority, &both, rejection::UNKNOWN_BLIND_INDEX);
}

fn add(new: NewKey, by: Actor) -> AddPersonKey {
    AddPersonKey { person: ALICE, by, new }
}

#[test]
fn a_key_adds_another_with_limits_no_higher_than_its_own() {
    let mut world = world();
    let alice = [own(ALICE)];
    world.rejected(&alice, &add(device("alice"), Actor::OwnKey), rejection::KEY_EXISTS);
    let higher = NewKey { day_max: fen(30_001), ..device("new") };
    world.rejected(&alice, &add(higher, Actor::OwnKey), rejection::LIMIT_ABOVE_OWN);
    let upside_down = NewKey { day_max: fen(1), ..device("new") };
    world.rejected(&alice, &add(upside_down, Actor::OwnKey), rejection::INVALID_KEY_LIMITS);
    let receipt = world.accepted(&alice, &add(device("new"), Actor::OwnKey));
    assert!(concerns(&receipt, own(ALICE)) && concerns(&receipt, org("bureau")));
    let guardian = add(device("other"), Actor::Guardian(BOB));
    world.rejected(&[own(BOB)], &guardian, rejection::ACTOR_NOT_ALLOWED);
    world.rejected(&[own(BOB)], &add(device("x"), Actor::OwnKey), rejection::SIGNATURE_MISSING);
    world.keys.insert(own(ALICE), "stranger");
    world.rejected(&alice, &add(device("x"), Actor::OwnKey), rejection::UNKNOWN_KEY);
}

#[test]
fn a_desk_adds_a_key_after_an_identity_check_and_a_person_has_at_most_eight() {
    let mut world = world();
    let higher = NewKey { payment_max: fen(90_000), day_max: fen(90_000), ..device("0") };
    let desk = add(higher, Actor::Desk);
    world.rejected(&[org("bureau")], &desk, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &desk);
    for number in 1..=6 {
        let new = device(&format!("{number}"));
        world.accepted(&bureau_and_authority(), &add(new, Actor::Desk));
    }
    assert_eq!(row(&world, ALICE).keys.len(), KEYS_MAX);
    let ninth = add(device("ninth"), Actor::Desk);
    world.rejected(&bureau_and_authority(), &ninth, rejection::TOO_MANY_KEYS);
}

#[test]
fn bureau_and_authority_give_a_first_key_and_no_second_one() {
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, Vec::new()));
    let first = add(device("first"), Actor::Register);
    world.rejected(&[org("bureau")], &first, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &first, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &first);
    let second = add(device("second"), Actor::Register);
    world.rejected(&bureau_and_authority(), &second, rejection::PERSON_HAS_KEYS);
    let lock = LockPerson { person: ALICE, by: Actor::Register };
    world.rejected(&bureau_and_authority(), &lock, rejection::ACTOR_NOT_ALLOWED);
    let unlock = UnlockPerson { person: ALICE, by: Actor::Register };
    world.rejected(&bureau_and_authority(), &unlock, rejection::ACTOR_NOT_ALLOWED);
}

#[test]
fn a_key_is_revoked_by_another_key_a_guardian_or_the_desk_and_is_gone() {
    let mut world = world();
    let revoke = |name: &str, by| RevokePersonKey { person: ALICE, by, key: public(name) };
    world.accepted(&[own(ALICE)], &add(device("lost"), Actor::OwnKey));
    let itself = revoke("alice", Actor::OwnKey);
    world.rejected(&[own(ALICE)], &itself, rejection::SELF_REVOCATION);
    let by_bob = revoke("lost", Actor::Guardian(BOB));
    world.rejected(&[own(BOB)], &by_bob, rejection::NOT_A_GUARDIAN);
    world.accepted(&[own(ALICE)], &revoke("lost", Actor::OwnKey));
    world.rejected(&[own(ALICE)], &revoke("lost", Actor::OwnKey), rejection::UNKNOWN_KEY);
    world.keys.insert(own(ALICE), "lost");
    world.rejected(&[own(ALICE)], &itself, rejection::UNKNOWN_KEY);
    world.accepted(&[org("bureau")], &revoke("alice", Actor::Desk));
    assert!(row(&world, ALICE).keys.is_empty());
}

#[test]
fn a_passkey_counts_only_on_a_page_of_this_network() {
    let mut world = World::new();
    let key = NewKey { grade: KeyGrade::Passkey, ..device("passkey:alice") };
    world.accepted(&bureau_and_authority(), &new_person(1, vec![key]));
    world.keys.insert(own(ALICE), "passkey:alice");
    let lock = LockPerson { person: ALICE, by: Actor::OwnKey };
    world.page.origin = "https://phishing.example";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.origin = "http://localhost:8420.evil.example";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.origin = "http://localhost:8420";
    world.page.rp_id = "example.org";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.rp_id = "localhost";
    let content = world.content(own(ALICE), &lock);
    let signature = passkey::raw("passkey:alice", &content.id());
    let bare = Authorisation { party: own(ALICE), key: public("passkey:alice"), signature };
    let transaction = Transaction { content, authorisations: vec![bare] };
    let verified = transaction.verify(&TestVerifier, world.ledger.registry()).unwrap();
    refused(world.ledger.rehearse(world.now, &verified), rejection::PASSKEY_NEEDED);
    world.accepted(&[own(ALICE)], &lock);
}

#[test]
fn a_device_key_keeps_its_limits_per_payment_and_per_day() {
    let mut world = world();
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let alice = [own(ALICE)];
    let now = world.now;
    let mut spend = |world: &mut World, time, amount| {
        judge_at(world, time, &alice, &mut overlay, |context, state| {
            spend_by_key(context, state, ALICE, fen(amount))
        })
    };
    refused(spend(&mut world, now, 20_001), rejection::KEY_PAYMENT_LIMIT);
    assert_eq!(spend(&mut world, now, 20_000).unwrap().amount(), fen(20_000));
    refused(spend(&mut world, now, 10_001), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now, 10_000).unwrap();
    refused(spend(&mut world, now, 1), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now, 0).unwrap();
    // 16:00 UTC is midnight in the region, eight hours ahead.
    let before_midnight = now.plus_millis(15 * HOUR);
    refused(spend(&mut world, before_midnight, 1), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now.plus_millis(16 * HOUR), 20_000).unwrap();
}

#[test]
fn two_uses_of_a_key_in_one_transaction_add_up() {
    let mut world = world();
    judge(&mut world, &[own(ALICE)], |context, state| {
        let first = view::require_key(context, state, ALICE, fen(20_000)).unwrap();
        let second = view::require_key(context, state, ALICE, fen(20_000)).unwrap();
        view::note_key_spending(state, &first).unwrap();
        refused(view::note_key_spending(state, &second), rejection::KEY_DAY_LIMIT);
    });
}

#[test]
fn new_keys_do_not_spend_the_days_limit_again() {
    let mut world = world();
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let now = world.now;
    let mut row = row(&world, ALICE);
    row.keys.push(device("second").row(now));
    PERSONS.put(&mut overlay, &ALICE, &row);
    let spend = |world: &mut World, overlay: &mut Overlay<'_>, amount| {
        judge_at(world, now, &[own(ALICE)], overlay, |context, state| {
            spend_by_key(context, state, ALICE, fen(amount))
        })
    };
    spend(&mut world, &mut overlay, 20_000).unwrap();
    world.keys.insert(own(ALICE), "second");
    refused(spend(&mut world, &mut overlay, 10_001), rejection::KEY_DAY_LIMIT);
    spend(&mut world, &mut overlay, 10_000).unwrap();
    // The first key is revoked and added anew: what was spent stays spent.
    let mut row = Arc::unwrap_or_clone(view::person(&overlay, ALICE).unwrap());
    row.keys.retain(|one| one.key != public("alice"));
    row.keys.push(device("third").row(now));
    PERSONS.put(&mut overlay, &ALICE, &row);
    world.keys.insert(own(ALICE), "third");
    refused(spend(&mut world, &mut overlay, 1), rejection::KEY_DAY_LIMIT);
}

fn guardian(ground: GuardianGround, to: Option<CivilDate>) -> SetGuardian {
    SetGuardian { person: ALICE, guardian: BOB, period: Period { from: day(0), to }, ground }
}

const DOCUMENTS: Hash = Hash([7; 32]);
const MINOR: GuardianGround = GuardianGround::Minor { documents: DOCUMENTS };
const WITHOUT_KEY: GuardianGround = GuardianGround::WithoutKey { documents: DOCUMENTS };

#[test]
fn a_person_names_and_removes_guardians_at_most_three() {
    let mut world = world();
    let wish = guardian(GuardianGround::OwnWish, None);
    world.rejected(&[org("bureau")], &wish, rejection::SIGNATURE_MISSING);
    let receipt = world.accepted(&[own(ALICE)], &wish);
    assert!(concerns(&receipt, own(BOB)));
    world.rejected(&[own(ALICE)], &wish, rejection::GUARDIAN_EXISTS);
    let own_guardian = SetGuardian { guardian: ALICE, ..wish.clone() };
    world.rejected(&[own(ALICE)], &own_guardian, rejection::INVALID_GUARDIAN);
    let nobody = SetGuardian { guardian: person(99), ..wish.clone() };
    world.rejected(&[own(ALICE)], &nobody, rejection::INVALID_GUARDIAN);
    for number in [3, 4] {
        if number == 4 {
            world.enrol(number);
        }
        world.accepted(&[own(ALICE)], &SetGuardian { guardian: person(number), ..wish.clone() });
    }
    world.enrol(5);
    let fourth = SetGuardian { guardian: person(5), ..wish };
    world.rejected(&[own(ALICE)], &fourth, rejection::TOO_MANY_GUARDIANS);
    let remove = RemoveGuardian { person: ALICE, guardian: BOB, by: Actor::OwnKey };
    world.accepted(&[own(ALICE)], &remove);
    world.rejected(&[own(ALICE)], &remove, rejection::NOT_A_GUARDIAN);
    world.accepted(&[own(ALICE)], &fourth);
}

#[test]
fn a_guardian_steps_back_alone_and_never_removes_another() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    let other = RemoveGuardian { person: ALICE, guardian: BOB, by: Actor::Guardian(CAROL) };
    world.rejected(&[own(CAROL)], &other, rejection::ACTOR_NOT_ALLOWED);
    let back = RemoveGuardian { by: Actor::Guardian(BOB), ..other };
    world.rejected(&[own(CAROL)], &back, rejection::SIGNATURE_MISSING);
    world.accepted(&[own(BOB)], &back);
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    let desk = RemoveGuardian { by: Actor::Desk, ..back };
    world.rejected(&[own(CAROL)], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &desk);
}

#[test]
fn bureau_and_authority_name_a_guardian_for_a_minor_or_a_person_without_key() {
    let mut world = world();
    let bureau = bureau_and_authority();
    cover_aged(&mut world, 6, 18);
    world.rejected(&bureau, &guardian(WITHOUT_KEY, None), rejection::PERSON_HAS_KEYS);
    world.rejected(&bureau, &guardian(MINOR, None), rejection::INVALID_GUARDIAN_PERIOD);
    let longest = day(MINORITY_DAYS_MAX);
    let longer = day(MINORITY_DAYS_MAX + 1);
    let too_long = guardian(MINOR, Some(longer));
    world.rejected(&bureau, &too_long, rejection::INVALID_GUARDIAN_PERIOD);
    let over = SetGuardian {
        period: Period { from: day(-9), to: Some(day(-1)) },
        ..guardian(MINOR, None)
    };
    world.rejected(&bureau, &over, rejection::INVALID_GUARDIAN_PERIOD);
    world.accepted(&bureau, &guardian(MINOR, Some(longest)));
    world.accepted(&bureau_and_authority(), &new_person(9, vec![]));
    let keyless = SetGuardian { person: person(9), ..guardian(WITHOUT_KEY, None) };
    world.accepted(&bureau, &keyless);
}

/// Alice is covered, and attested to be of an age in this band.
fn cover_aged(world: &mut World, from: u8, below: u8) {
    world.cover(1, SchemeId(310));
    attest_age(world, from, below);
}

fn attest_age(world: &mut World, from: u8, below: u8) {
    let state = world.ledger.state();
    let mut facts = coverage::view::coverage(state, ALICE).unwrap().coverages[0].facts[0];
    facts.age = benefit::AgeBand::new(from, below).unwrap();
    let attest = AttestFacts { person: ALICE, region: REGION, scheme: SchemeId(310), facts };
    world.accepted(&[org("bureau")], &attest);
}

#[test]
fn no_bureau_makes_a_guardian_alone() {
    let mut world = world();
    cover_aged(&mut world, 6, 18);
    let minor = guardian(MINOR, Some(day(300)));
    world.accepted(&[own(ALICE)], &LockPerson { person: ALICE, by: Actor::OwnKey });
    world.rejected(&[org("bureau")], &minor, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &minor, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &new_person(9, vec![]));
    let keyless = SetGuardian { person: person(9), ..guardian(WITHOUT_KEY, None) };
    world.rejected(&[org("bureau")], &keyless, rejection::IDENTITY_CHECK_MISSING);
    world.accepted(&bureau_and_authority(), &minor);
}

#[test]
fn only_attested_minors_get_a_guardian_as_minors() {
    let mut world = world();
    let minor = guardian(MINOR, Some(day(300)));
    world.rejected(&bureau_and_authority(), &minor, rejection::NOT_A_MINOR);
    cover_aged(&mut world, 18, 30);
    world.rejected(&bureau_and_authority(), &minor, rejection::NOT_A_MINOR);
    attest_age(&mut world, 6, 19);
    world.rejected(&bureau_and_authority(), &minor, rejection::NOT_A_MINOR);
    attest_age(&mut world, 6, 18);
    world.accepted(&bureau_and_authority(), &minor);
}

#[test]
fn a_guardian_acts_within_the_period_and_the_limits_of_the_own_key() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, Some(day(2))));
    let spend = |world: &mut World, guardian, amount| {
        judge(world, &[own(guardian)], |context, state| {
            spend_by_guardian(context, state, ALICE, guardian, fen(amount))
        })
    };
    assert_eq!(spend(&mut world, BOB, 10_000_000).unwrap().person(), BOB);
    refused(spend(&mut world, BOB, 10_000_001), rejection::KEY_PAYMENT_LIMIT);
    refused(spend(&mut world, CAROL, 1), rejection::NOT_A_GUARDIAN);
    world.wait(2 * DAY);
    spend(&mut world, BOB, 1).unwrap();
    world.wait(DAY);
    refused(spend(&mut world, BOB, 1), rejection::NOT_A_GUARDIAN);
}

#[test]
fn an_ended_guardianship_gives_its_place_to_another() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, Some(day(0))));
    world.wait(2 * DAY);
    let again = SetGuardian {
        period: Period { from: day(2), to: None },
        ..guardian(GuardianGround::OwnWish, None)
    };
    world.accepted(&[own(ALICE)], &again);
    assert_eq!(row(&world, ALICE).guardians.len(), 1);
}

fn card() -> RegisterCard {
    RegisterCard { person: ALICE, commitment: Hash([9; 32]) }
}

fn pay_by_card(world: &mut World, amount: u64) -> Result<view::UsedCard, Rejection> {
    judge(world, &[org("bureau")], |context, state| {
        spend_by_card(context, state, ALICE, fen(amount))
    })
}

#[test]
fn a_card_pays_at_a_desk_within_the_regions_limits() {
    let mut world = world();
    refused(pay_by_card(&mut world, 1), rejection::NO_CARD);
    world.rejected(&[org("hospital")], &card(), organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &card());
    world.rejected(&[org("bureau")], &card(), rejection::CARD_EXISTS);
    refused(pay_by_card(&mut world, 50_001), rejection::DESK_PAYMENT_LIMIT);
    let used = pay_by_card(&mut world, 50_000).unwrap();
    assert_eq!((used.bureau(), used.commitment()), (organisation("bureau"), Hash([9; 32])));
    let unsigned = judge(&mut world, &[org("hospital")], |context, state| {
        view::require_card(context, state, ALICE, fen(1))
    });
    refused(unsigned, organisations::SIGNATURE_MISSING);
    judge(&mut world, &[org("bureau")], |context, state| {
        let one = view::require_card(context, state, ALICE, fen(50_000)).unwrap();
        let last = view::require_card(context, state, ALICE, fen(1)).unwrap();
        view::note_card_spending(state, &one).unwrap();
        view::note_card_spending(state, &one).unwrap();
        refused(view::note_card_spending(state, &last), rejection::DESK_DAY_LIMIT);
        refused(spend_by_card(context, state, ALICE, fen(1)), rejection::DESK_DAY_LIMIT);
    });
}

#[test]
fn a_card_pays_no_more_after_three_wrong_pins_until_the_counter_is_reset() {
    let mut world = world();
    let failure = ReportPinFailure { person: ALICE };
    let reset = ResetPinCounter { person: ALICE };
    let bureau = [org("bureau")];
    world.rejected(&bureau, &failure, rejection::NO_CARD);
    world.rejected(&bureau_and_authority(), &reset, rejection::NO_CARD);
    world.accepted(&bureau, &card());
    for name in ["pin_failed", "pin_failed", "pin_blocked"] {
        let receipt = world.accepted(&bureau, &failure);
        assert_eq!(receipt.events[0].name, name);
        assert!(concerns(&receipt, own(ALICE)));
    }
    world.rejected(&bureau, &failure, rejection::PIN_BLOCKED);
    refused(pay_by_card(&mut world, 1), rejection::PIN_BLOCKED);
    world.rejected(&bureau, &reset, rejection::IDENTITY_CHECK_MISSING);
    world.accepted(&bureau_and_authority(), &reset);
    pay_by_card(&mut world, 1).unwrap();
}

#[test]
fn a_right_pin_sets_the_counter_back() {
    let mut world = world();
    world.accepted(&[org("bureau")], &card());
    world.accepted(&[org("bureau")], &ReportPinFailure { person: ALICE });
    judge(&mut world, &[org("bureau")], |context, state| {
        spend_by_card(context, state, ALICE, fen(1)).unwrap();
        let after = view::person(&*state, ALICE).unwrap();
        assert_eq!(after.card.as_ref().unwrap().pin_failures, 0);
    });
}

#[test]
fn a_blocked_card_is_replaced_and_what_it_spent_today_still_counts() {
    let mut world = world();
    let bureau = [org("bureau")];
    let block = |by| BlockCard { person: ALICE, by };
    world.rejected(&bureau, &block(Actor::Desk), rejection::NO_CARD);
    world.accepted(&bureau, &card());
    world.accepted(&[own(ALICE)], &block(Actor::OwnKey));
    world.rejected(&bureau, &block(Actor::Desk), rejection::CARD_BLOCKED);
    world.rejected(&bureau, &ReportPinFailure { person: ALICE }, rejection::CARD_BLOCKED);
    let reset = ResetPinCounter { person: ALICE };
    world.rejected(&bureau_and_authority(), &reset, rejection::CARD_BLOCKED);
    refused(pay_by_card(&mut world, 1), rejection::CARD_BLOCKED);
    world.accepted(&bureau, &card());
    pay_by_card(&mut world, 1).unwrap();
}

#[test]
fn a_replaced_card_carries_on_the_days_spending() {
    let mut world = world();
    world.accepted(&[org("bureau")], &card());
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let now = world.now;
    judge_at(&mut world, now, &[org("bureau")], &mut overlay, |context, state| {
        spend_by_card(context, state, ALICE, fen(50_000)).unwrap();
        use crate::kernel::registry::Kind;
        BlockCard { person: ALICE, by: Actor::Desk }.execute(context, state).unwrap();
        card().execute(context, state).unwrap();
        spend_by_card(context, state, ALICE, fen(50_000)).unwrap();
        refused(spend_by_card(context, state, ALICE, fen(1)), rejection::DESK_DAY_LIMIT);
    });
}

fn lock(by: Actor) -> LockPerson {
    LockPerson { person: ALICE, by }
}

fn unlock(by: Actor) -> UnlockPerson {
    UnlockPerson { person: ALICE, by }
}

#[test]
fn a_lock_stops_money_cards_sharing_and_new_devices() {
    let mut world = world();
    let alice = [own(ALICE)];
    world.accepted(&[org("bureau")], &card());
    world.accepted(&alice, &guardian(GuardianGround::OwnWish, None));
    world.accepted(&alice, &lock(Actor::OwnKey));
    let locked = rejection::PERSON_LOCKED;
    let money =
        judge(&mut world, &alice, |context, state| spend_by_key(context, state, ALICE, fen(1)));
    refused(money, locked);
    let guarded = judge(&mut world, &[own(BOB)], |context, state| {
        spend_by_guardian(context, state, ALICE, BOB, fen(1))
    });
    refused(guarded, locked);
    refused(pay_by_card(&mut world, 1), locked);
    world.rejected(&alice, &add(device("new"), Actor::OwnKey), locked);
    world.rejected(&bureau_and_authority(), &add(device("new"), Actor::Desk), locked);
    let carol = SetGuardian { guardian: CAROL, ..guardian(GuardianGround::OwnWish, None) };
    world.rejected(&alice, &carol, locked);
    let remove = RemoveGuardian { person: ALICE, guardian: BOB, by: Actor::OwnKey };
    world.rejected(&alice, &remove, locked);
    world.rejected(&bureau_and_authority(), &ResetPinCounter { person: ALICE }, locked);
    world.accepted(&alice, &BlockCard { person: ALICE, by: Actor::OwnKey });
    world.rejected(&[org("bureau")], &card(), locked);
}

#[test]
fn a_lock_stops_neither_eligibility_nor_acts_that_cost_nothing() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    world.accepted(&[own(ALICE)], &lock(Actor::OwnKey));
    view::require_person(world.ledger.state(), ALICE).unwrap();
    view::require_person_on(world.ledger.state(), ALICE, day(0)).unwrap();
    let free = judge(&mut world, &[own(ALICE)], |context, state| {
        view::require_key_despite_lock(context, state, ALICE)
    });
    assert_eq!(free.unwrap().grade(), KeyGrade::Device);
    judge(&mut world, &[own(BOB)], |context, state| {
        view::require_guardian_despite_lock(context, state, ALICE, BOB).unwrap();
    });
}

#[test]
fn a_locked_guardian_cannot_act_for_anybody() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    let lock_bob = LockPerson { person: BOB, by: Actor::OwnKey };
    world.accepted(&[own(BOB)], &lock_bob);
    world.rejected(&[own(BOB)], &lock(Actor::Guardian(BOB)), rejection::PERSON_LOCKED);
}

#[test]
fn whoever_locks_is_recorded_and_told_to_the_person() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    let cases = [
        (own(ALICE), lock(Actor::OwnKey)),
        (own(BOB), lock(Actor::Guardian(BOB))),
        (org("bureau"), lock(Actor::Desk)),
    ];
    for (locker, body) in cases {
        let receipt = world.accepted(&[locker], &body);
        assert_eq!(row(&world, ALICE).lock.unwrap().by, locker);
        assert!(concerns(&receipt, own(ALICE)) && concerns(&receipt, locker));
        assert_eq!(receipt.fields[0].value, FieldValue::Party(locker));
        world.rejected(&[locker], &body, rejection::ALREADY_LOCKED);
        world.accepted(&bureau_and_authority(), &unlock(Actor::Desk));
    }
}

#[test]
fn the_own_key_unlocks_only_after_asking_and_waiting() {
    let mut world = world();
    let alice = [own(ALICE)];
    let ask = AskUnlock { person: ALICE };
    world.rejected(&alice, &ask, rejection::NOT_LOCKED);
    world.rejected(&alice, &unlock(Actor::OwnKey), rejection::NOT_LOCKED);
    world.accepted(&alice, &guardian(GuardianGround::OwnWish, None));
    world.accepted(&alice, &lock(Actor::OwnKey));
    world.wait(30 * DAY);
    world.rejected(&alice, &unlock(Actor::OwnKey), rejection::UNLOCK_NOT_ASKED);
    let receipt = world.accepted(&alice, &ask);
    assert!(concerns(&receipt, own(BOB)), "guardians are told");
    world.rejected(&alice, &ask, rejection::UNLOCK_ASKED);
    // The next transaction is executed a second later.
    world.wait(24 * HOUR - 2_000 - 1);
    world.rejected(&alice, &unlock(Actor::OwnKey), rejection::UNLOCK_TOO_EARLY);
    world.accepted(&alice, &unlock(Actor::OwnKey));
    assert_eq!(row(&world, ALICE).lock, None);
}

#[test]
fn locking_again_takes_a_waiting_unlock_back() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    world.accepted(&[own(ALICE)], &lock(Actor::OwnKey));
    world.accepted(&[own(ALICE)], &AskUnlock { person: ALICE });
    world.accepted(&[own(BOB)], &lock(Actor::Guardian(BOB)));
    world.wait(2 * DAY);
    world.rejected(&[own(ALICE)], &unlock(Actor::OwnKey), rejection::UNLOCK_NOT_ASKED);
    world.accepted(&[own(BOB)], &unlock(Actor::Guardian(BOB)));
}

#[test]
fn a_desk_unlocks_only_with_an_identity_check() {
    let mut world = world();
    world.accepted(&[own(ALICE)], &lock(Actor::OwnKey));
    world.rejected(&[org("bureau")], &unlock(Actor::Desk), rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &unlock(Actor::Desk), organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &unlock(Actor::Desk));
}

#[test]
fn a_closed_person_keeps_care_until_the_last_day_and_cannot_act() {
    let mut world = world();
    let close = |last_day| ClosePerson { person: ALICE, last_day };
    world.rejected(&[org("bureau")], &close(day(0)), rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&bureau_and_authority(), &close(day(1)), rejection::INVALID_LAST_DAY);
    world.accepted(&bureau_and_authority(), &close(day(0)));
    world.rejected(&bureau_and_authority(), &close(day(0)), rejection::PERSON_CLOSED);
    world.rejected(&[own(ALICE)], &lock(Actor::OwnKey), rejection::PERSON_CLOSED);
    let state = world.ledger.state();
    view::require_person_on(state, ALICE, day(0)).unwrap();
    refused(view::require_person_on(state, ALICE, day(1)), rejection::PERSON_CLOSED);
    refused(view::require_person_on(state, person(99), day(1)), rejection::UNKNOWN_PERSON);
    assert!(row(&world, ALICE).keys.is_empty());
    let unknown = LockPerson { person: person(99), by: Actor::Desk };
    world.rejected(&[org("bureau")], &unknown, rejection::UNKNOWN_PERSON);
}

fn open_dingxi(world: &mut World, currency: Currency) {
    world.admit("dingxi", OrganisationKind::Bureau, None);
    let bureau = organisation("dingxi");
    let open = OpenRegion { region: DINGXI, bureau, currency, settings: settings() };
    world.accepted(&World::governing(), &open);
}

#[test]
fn both_bureaus_sign_when_a_person_moves_and_the_card_goes() {
    let mut world = world();
    open_dingxi(&mut world, Currency::CNY);
    world.accepted(&[org("bureau")], &card());
    let to = |region| MovePerson { person: ALICE, region };
    world.rejected(&[org("bureau")], &to(DINGXI), organisations::SIGNATURE_MISSING);
    world.rejected(&[org("dingxi")], &to(DINGXI), organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &to(REGION), rejection::SAME_REGION);
    let receipt = world.accepted(&[org("bureau"), org("dingxi")], &to(DINGXI));
    assert!(concerns(&receipt, org("bureau")) && concerns(&receipt, org("dingxi")));
    assert_eq!((row(&world, ALICE).region, row(&world, ALICE).card), (DINGXI, None));
    world.rejected(&[org("bureau")], &lock(Actor::Desk), organisations::SIGNATURE_MISSING);
    world.accepted(&[org("dingxi")], &lock(Actor::Desk));
}

#[test]
fn nobody_moves_to_a_region_of_another_currency() {
    let mut world = world();
    open_dingxi(&mut world, Currency::JPY);
    let body = MovePerson { person: ALICE, region: DINGXI };
    world.rejected(&[org("bureau"), org("dingxi")], &body, kernel::CURRENCY_MISMATCH);
}

/// Every string of a schema that has neither a pattern nor a closed list of words.
fn free_texts(schema: &serde_json::Value, at: &str, found: &mut Vec<alloc::string::String>) {
    if let Some(object) = schema.as_object() {
        let string = object.get("type").is_some_and(|kind| kind == "string");
        let bound = ["pattern", "enum", "const"].iter().any(|key| object.contains_key(*key));
        if string && !bound {
            found.push(at.into());
        }
        for (key, value) in object {
            free_texts(value, &format!("{at}/{key}"), found);
        }
    }
    for (place, value) in schema.as_array().into_iter().flatten().enumerate() {
        free_texts(value, &format!("{at}/{place}"), found);
    }
}

#[test]
fn bodies_hold_no_free_text() {
    let registry = crate::kernel::registry::registry();
    let about_persons = ["person", "coverage"];
    let mut looked_at = 0;
    for kind in registry.kinds().iter().filter(|kind| about_persons.contains(&kind.module)) {
        let mut generator = schemars::SchemaGenerator::default();
        let body = (kind.schema)(&mut generator).to_value();
        let parts = serde_json::to_value(generator.definitions()).unwrap();
        let mut found = Vec::new();
        free_texts(&body, kind.name, &mut found);
        free_texts(&parts, kind.name, &mut found);
        assert!(found.is_empty(), "{found:?}");
        looked_at += 1;
    }
    assert!(looked_at >= 15, "{looked_at} kinds");
}

#[test]
fn a_free_text_would_be_found() {
    let schema = serde_json::json!({ "properties": { "note": { "type": "string" } } });
    let mut found = Vec::new();
    free_texts(&schema, "body", &mut found);
    assert_eq!(found, ["body/properties/note"]);
}

#[test]
fn a_person_with_one_passkey_takes_little_room() {
    let key = NewKey { grade: KeyGrade::Passkey, ..device("passkey:alice") };
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, vec![key]));
    let bytes = primitives::codec::encode(&row(&world, ALICE)).len();
    assert!(bytes <= 144, "{bytes} bytes");
}
