//! Guardians: named, bounded, gone.

use super::*;

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
    assert_eq!(view::whom(&receipt), Some(ALICE));
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
fn an_event_names_first_whom_it_is_about() {
    let mut world = world();
    // Each guards the other, and whoever is about comes first, whoever signs.
    let both = [(ALICE, BOB), (BOB, ALICE)];
    for (person, guardian) in both {
        let wish =
            SetGuardian { person, guardian, ..self::guardian(GuardianGround::OwnWish, None) };
        assert_eq!(view::whom(&world.accepted(&[own(person)], &wish)), Some(person));
    }
    for (person, guardian) in both {
        let lock = LockPerson { person, by: Actor::Guardian(guardian) };
        assert_eq!(view::whom(&world.accepted(&[own(guardian)], &lock)), Some(person));
        let ask = AskUnlock { person };
        assert_eq!(view::whom(&world.accepted(&[own(person)], &ask)), Some(person));
        let unlock = UnlockPerson { person, by: Actor::Guardian(guardian) };
        assert_eq!(view::whom(&world.accepted(&[own(guardian)], &unlock)), Some(person));
    }
    for (person, guardian) in both {
        let remove = RemoveGuardian { person, guardian, by: Actor::Guardian(guardian) };
        assert_eq!(view::whom(&world.accepted(&[own(guardian)], &remove)), Some(person));
    }
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
