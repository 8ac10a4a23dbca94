//! Recovery: who must sign, who may stop it, and that nobody of them does it alone.

use super::*;

const HOURS: u16 = 48;

fn rules(guardians_min: u8) -> SetRecoveryRules {
    let rules = RecoveryRules { guardians_min, waiting_hours: HOURS };
    SetRecoveryRules { region: REGION, rules }
}

fn ask() -> AskRecovery {
    AskRecovery { person: ALICE, new: device("found") }
}

fn agree(guardian: PersonId) -> AgreeRecovery {
    AgreeRecovery { person: ALICE, guardian, key: public("found") }
}

fn stop(by: Actor) -> StopRecovery {
    StopRecovery { person: ALICE, by }
}

fn complete() -> CompleteRecovery {
    CompleteRecovery { person: ALICE, key: public("found") }
}

/// How it stands today.
fn standing(world: &World) -> RecoveryStanding {
    recovery(world)
        .unwrap()
        .standing(&row(world, ALICE), world.now.day(settings().utc_offset_minutes))
}

/// Bob and Carol are Alice's guardians, and so many of them must agree.
fn guarded(guardians_min: u8) -> World {
    let mut world = world();
    world.accepted(&World::governing(), &rules(guardians_min));
    for guardian in [BOB, CAROL] {
        let wish = self::guardian(GuardianGround::OwnWish, None);
        world.accepted(&[own(ALICE)], &SetGuardian { guardian, ..wish });
    }
    world
}

fn recovery(world: &World) -> Option<Recovery> {
    view::recovery(world.ledger.state(), ALICE)
}

#[test]
fn a_new_key_takes_the_place_of_all_others_after_agreement_and_waiting() {
    let mut world = guarded(1);
    world.accepted(&[own(ALICE)], &add(device("second"), Actor::OwnKey));
    let asked = world.accepted(&bureau_and_authority(), &ask());
    for party in [own(ALICE), own(BOB), own(CAROL), org("bureau")] {
        assert!(concerns(&asked, party), "{party} is told");
    }
    assert_eq!(row(&world, ALICE).keys.len(), 2, "nothing has changed yet");
    let agreed = world.accepted(&[own(BOB)], &agree(BOB));
    assert!(concerns(&agreed, own(ALICE)) && concerns(&agreed, own(CAROL)));
    let ready = standing(&world).ready_from.unwrap();
    assert_eq!(ready, world.now.plus_millis(u64::from(HOURS) * HOUR));
    // The next transaction is executed a second later.
    world.wait(u64::from(HOURS) * HOUR - 1_000 - 1);
    world.rejected(&bureau_and_authority(), &complete(), rejection::RECOVERY_TOO_EARLY);
    let done = world.accepted(&bureau_and_authority(), &complete());
    assert!(concerns(&done, own(ALICE)) && concerns(&done, own(BOB)));
    let keys = row(&world, ALICE).keys;
    assert_eq!(keys.iter().map(|one| one.key).collect::<Vec<_>>(), [public("found")]);
    assert_eq!(recovery(&world), None);
    world.rejected(&[own(ALICE)], &lock(Actor::OwnKey), rejection::UNKNOWN_KEY);
    world.keys.insert(own(ALICE), "found");
    world.accepted(&[own(ALICE)], &lock(Actor::OwnKey));
    world.rejected(&bureau_and_authority(), &complete(), rejection::NO_RECOVERY);
}

#[test]
fn nobody_recovers_a_wallet_alone() {
    let mut world = guarded(2);
    let both = bureau_and_authority();
    let bureau = [org("bureau")];
    world.rejected(&bureau, &ask(), rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &ask(), organisations::SIGNATURE_MISSING);
    world.rejected(&[own(BOB), own(CAROL)], &ask(), organisations::SIGNATURE_MISSING);
    world.accepted(&both, &ask());
    // Bureau and authority together wait for the guardians, however long.
    world.wait(3 * DAY);
    world.rejected(&both, &complete(), rejection::RECOVERY_NOT_AGREED);
    // Nobody agrees for a guardian, and one guardian does not agree twice.
    world.rejected(&both, &agree(BOB), rejection::SIGNATURE_MISSING);
    world.rejected(&[own(BOB)], &agree(CAROL), rejection::SIGNATURE_MISSING);
    world.accepted(&[own(BOB)], &agree(BOB));
    world.rejected(&[own(BOB)], &agree(BOB), rejection::RECOVERY_AGREED);
    world.wait(3 * DAY);
    world.rejected(&both, &complete(), rejection::RECOVERY_NOT_AGREED);
    world.accepted(&[own(CAROL)], &agree(CAROL));
    world.wait(3 * DAY);
    // The guardians together do not complete it, nor does one organisation.
    world.rejected(&[own(BOB), own(CAROL)], &complete(), organisations::SIGNATURE_MISSING);
    world.rejected(&bureau, &complete(), rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &complete(), organisations::SIGNATURE_MISSING);
    let other = CompleteRecovery { key: public("thief"), ..complete() };
    world.rejected(&both, &other, rejection::OTHER_RECOVERY_KEY);
    world.accepted(&both, &complete());
}

#[test]
fn the_waiting_begins_with_the_last_agreement_that_is_needed() {
    let mut world = guarded(2);
    world.accepted(&bureau_and_authority(), &ask());
    world.accepted(&[own(BOB)], &agree(BOB));
    assert_eq!(standing(&world).ready_from, None);
    world.wait(5 * DAY);
    world.accepted(&[own(CAROL)], &agree(CAROL));
    world.rejected(&bureau_and_authority(), &complete(), rejection::RECOVERY_TOO_EARLY);
    // Rules that come later shorten nothing.
    let none = RecoveryRules { guardians_min: 1, waiting_hours: 0 };
    world.accepted(&World::governing(), &SetRecoveryRules { region: REGION, rules: none });
    world.rejected(&bureau_and_authority(), &complete(), rejection::RECOVERY_TOO_EARLY);
}

#[test]
fn a_guardian_agrees_to_one_key_and_only_who_was_one_before_counts() {
    let mut world = guarded(1);
    world.rejected(&[own(BOB)], &agree(BOB), rejection::NO_RECOVERY);
    world.accepted(&bureau_and_authority(), &ask());
    let other = AgreeRecovery { key: public("thief"), ..agree(BOB) };
    world.rejected(&[own(BOB)], &other, rejection::OTHER_RECOVERY_KEY);
    world.enrol(4);
    world.rejected(&[own(person(4))], &agree(person(4)), rejection::NOT_A_GUARDIAN);
    let late = guardian(GuardianGround::OwnWish, None);
    world.accepted(&[own(ALICE)], &SetGuardian { guardian: person(4), ..late });
    world.rejected(&[own(person(4))], &agree(person(4)), rejection::NOT_A_GUARDIAN);
    world.accepted(&[own(CAROL)], &LockPerson { person: CAROL, by: Actor::OwnKey });
    world.rejected(&[own(CAROL)], &agree(CAROL), rejection::PERSON_LOCKED);
    world.accepted(&[own(BOB)], &agree(BOB));
    // Whoever steps back afterwards counts no more.
    let back = RemoveGuardian { person: ALICE, guardian: BOB, by: Actor::Guardian(BOB) };
    world.accepted(&[own(BOB)], &back);
    world.wait(3 * DAY);
    world.rejected(&bureau_and_authority(), &complete(), rejection::RECOVERY_NOT_AGREED);
    // Another one who agrees takes the place, and it waits from that moment on.
    assert_eq!(standing(&world), RecoveryStanding { agreed: 0, ready_from: None });
    let opened = UnlockPerson { person: CAROL, by: Actor::Desk };
    world.accepted(&bureau_and_authority(), &opened);
    world.accepted(&[own(CAROL)], &agree(CAROL));
    world.rejected(&bureau_and_authority(), &complete(), rejection::RECOVERY_TOO_EARLY);
    world.wait(2 * DAY);
    world.accepted(&bureau_and_authority(), &complete());
}

#[test]
fn every_key_of_the_person_and_every_guardian_stops_it() {
    let mut world = guarded(1);
    let cases = [(own(ALICE), Actor::OwnKey), (own(CAROL), Actor::Guardian(CAROL))];
    for (signer, by) in cases {
        world.accepted(&bureau_and_authority(), &ask());
        world.accepted(&[own(BOB)], &agree(BOB));
        world.wait(3 * DAY);
        let stopped = world.accepted(&[signer], &stop(by));
        assert_eq!(stopped.fields[0].value, FieldValue::Party(signer));
        assert!(concerns(&stopped, own(BOB)) && concerns(&stopped, own(ALICE)));
        world.rejected(&bureau_and_authority(), &complete(), rejection::NO_RECOVERY);
        world.rejected(&[signer], &stop(by), rejection::NO_RECOVERY);
        // Not again at once, and not a moment too early.
        world.rejected(&bureau_and_authority(), &ask(), rejection::RECOVERY_PAUSED);
        let since = world.now.millis() - recovery(&world).unwrap().stopped_at.unwrap().millis();
        world.wait(u64::from(HOURS) * HOUR - since - 1_000 - 1);
        world.rejected(&bureau_and_authority(), &ask(), rejection::RECOVERY_PAUSED);
    }
    world.accepted(&bureau_and_authority(), &ask());
    world.rejected(&[own(person(4))], &stop(Actor::Guardian(BOB)), rejection::SIGNATURE_MISSING);
    let register = stop(Actor::Register);
    world.rejected(&bureau_and_authority(), &register, rejection::ACTOR_NOT_ALLOWED);
}

#[test]
fn a_desk_corrects_a_mistake_and_it_is_asked_again_at_once() {
    let mut world = guarded(1);
    world.accepted(&bureau_and_authority(), &ask());
    world.rejected(&bureau_and_authority(), &ask(), rejection::RECOVERY_ASKED);
    world.rejected(&[org("authority")], &stop(Actor::Desk), organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &stop(Actor::Desk));
    world.accepted(&bureau_and_authority(), &ask());
}

#[test]
fn a_lock_does_not_stop_a_recovery_and_stays_on() {
    let mut world = guarded(1);
    world.accepted(&[own(BOB)], &lock(Actor::Guardian(BOB)));
    world.accepted(&bureau_and_authority(), &ask());
    world.accepted(&[own(BOB)], &agree(BOB));
    world.wait(3 * DAY);
    world.accepted(&bureau_and_authority(), &complete());
    assert!(row(&world, ALICE).lock.is_some());
    world.keys.insert(own(ALICE), "found");
    let alice = [own(ALICE)];
    world.rejected(&alice, &add(device("more"), Actor::OwnKey), rejection::PERSON_LOCKED);
    world.accepted(&[own(BOB)], &unlock(Actor::Guardian(BOB)));
    world.accepted(&alice, &add(device("more"), Actor::OwnKey));
}

#[test]
fn a_recovered_key_does_not_spend_the_days_limit_again() {
    let mut world = guarded(1);
    let none = RecoveryRules { guardians_min: 1, waiting_hours: 0 };
    world.accepted(&World::governing(), &SetRecoveryRules { region: REGION, rules: none });
    world.accepted(&bureau_and_authority(), &ask());
    world.accepted(&[own(BOB)], &agree(BOB));
    let state = world.ledger.state().clone();
    let (now, mut overlay) = (world.now, Overlay::new(&state));
    judge_at(&mut world, now, &[own(ALICE)], &mut overlay, |context, state| {
        spend_by_key(context, state, ALICE, fen(20_000)).unwrap();
    });
    let both = bureau_and_authority();
    judge_at(&mut world, now, &both, &mut overlay, |context, state| {
        let body = complete();
        crate::kernel::registry::Kind::execute(&body, context, state).unwrap();
    });
    world.keys.insert(own(ALICE), "found");
    let again = judge_at(&mut world, now, &[own(ALICE)], &mut overlay, |context, state| {
        spend_by_key(context, state, ALICE, fen(10_001))
    });
    refused(again, rejection::KEY_DAY_LIMIT);
}

#[test]
fn nothing_is_recovered_where_rules_or_guardians_are_missing() {
    let mut world = world();
    world.rejected(&bureau_and_authority(), &ask(), rejection::NO_RECOVERY_RULES);
    world.rejected(&[org("bureau")], &rules(1), network::NO_GOVERNING_QUORUM);
    let governing = World::governing();
    world.rejected(&governing, &rules(0), rejection::INVALID_RECOVERY_RULES);
    world.rejected(&governing, &rules(4), rejection::INVALID_RECOVERY_RULES);
    let longest = RecoveryRules { guardians_min: 3, waiting_hours: 336 };
    let longer = RecoveryRules { waiting_hours: 337, ..longest };
    let set = |rules| SetRecoveryRules { region: REGION, rules };
    world.rejected(&governing, &set(longer), rejection::INVALID_RECOVERY_RULES);
    world.accepted(&governing, &set(longest));
    let elsewhere = SetRecoveryRules { region: DINGXI, rules: longest };
    world.rejected(&governing, &elsewhere, network::UNKNOWN_REGION);
    world.accepted(&governing, &rules(1));
    world.rejected(&bureau_and_authority(), &ask(), rejection::TOO_FEW_GUARDIANS);
    let until = guardian(GuardianGround::OwnWish, Some(day(0)));
    world.accepted(&[own(ALICE)], &until);
    world.wait(2 * DAY);
    world.rejected(&bureau_and_authority(), &ask(), rejection::TOO_FEW_GUARDIANS);
    let known = AskRecovery { new: device("alice"), ..ask() };
    world.rejected(&bureau_and_authority(), &known, rejection::KEY_EXISTS);
    let passkey = NewKey { grade: KeyGrade::Passkey, ..device("found") };
    let wrong = AskRecovery { new: passkey, ..ask() };
    world.rejected(&bureau_and_authority(), &wrong, rejection::GRADE_MISMATCH);
}

#[test]
fn guardians_have_thirty_days_and_so_has_the_desk_after_the_waiting() {
    let mut world = guarded(1);
    world.accepted(&bureau_and_authority(), &ask());
    world.wait(31 * DAY);
    world.rejected(&[own(BOB)], &agree(BOB), rejection::NO_RECOVERY);
    world.rejected(&[own(CAROL)], &stop(Actor::Guardian(CAROL)), rejection::NO_RECOVERY);
    world.accepted(&bureau_and_authority(), &ask());
    // An agreement of the last day does not come too late for anybody.
    world.wait(29 * DAY);
    world.accepted(&[own(BOB)], &agree(BOB));
    world.wait(31 * DAY);
    world.accepted(&bureau_and_authority(), &complete());
    world.keys.insert(own(ALICE), "found");
    let again = AskRecovery { person: ALICE, new: device("later") };
    let key = public("later");
    world.accepted(&bureau_and_authority(), &again);
    world.accepted(&[own(BOB)], &AgreeRecovery { key, ..agree(BOB) });
    world.wait(33 * DAY);
    world.rejected(
        &bureau_and_authority(),
        &CompleteRecovery { person: ALICE, key },
        rejection::NO_RECOVERY,
    );
}

#[test]
fn a_recovery_ends_with_the_account_and_does_not_move_to_another_region() {
    let mut world = guarded(1);
    world.accepted(&bureau_and_authority(), &ask());
    world.accepted(&[own(BOB)], &agree(BOB));
    open_dingxi(&mut world, Currency::CNY);
    let elsewhere = MovePerson { person: ALICE, region: DINGXI };
    world.accepted(&[org("bureau"), org("dingxi")], &elsewhere);
    assert_eq!(recovery(&world), None);
    let mut world = guarded(1);
    world.accepted(&bureau_and_authority(), &ask());
    let close = ClosePerson { person: ALICE, last_day: day(0) };
    world.accepted(&bureau_and_authority(), &close);
    assert_eq!(recovery(&world), None);
}
