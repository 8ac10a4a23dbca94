//! Who is enrolled, by whom, and once.

use super::*;

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
