//! Locks, and how they are opened.

use super::*;

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
