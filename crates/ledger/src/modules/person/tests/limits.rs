//! Limits above which a second person signs.

use super::*;
use alloc::string::ToString as _;

fn limits(payment: u64, day: u64, approver: PersonId) -> PaymentLimits {
    PaymentLimits { payment_max: fen(payment), day_max: fen(day), approver }
}

fn set(limits: Option<PaymentLimits>) -> SetPaymentLimits {
    SetPaymentLimits { person: ALICE, by: Actor::OwnKey, limits }
}

/// Bob is Alice's guardian and agrees above 100.00 at once and 150.00 a day.
fn limited() -> World {
    let mut world = world();
    world.accepted(&[own(ALICE)], &guardian(GuardianGround::OwnWish, None));
    world.accepted(&[own(ALICE)], &set(Some(limits(10_000, 15_000, BOB))));
    world
}

fn kept(world: &World) -> LimitsRow {
    view::limits(world.ledger.state(), ALICE).unwrap_or_default()
}

/// Payments by Alice's key, one after the other, each with the signers; the last result.
fn pay(world: &mut World, signers: &[Party], amounts: &[u64]) -> Result<view::UsedKey, Rejection> {
    judge(world, signers, |context, state| {
        let each = amounts.iter().map(|one| spend_by_key(context, state, ALICE, fen(*one)));
        each.last().unwrap()
    })
}

#[test]
fn above_the_limits_nothing_is_paid_without_the_approver() {
    let mut world = limited();
    let missing = rejection::APPROVAL_MISSING;
    pay(&mut world, &[own(ALICE)], &[10_000]).unwrap();
    refused(pay(&mut world, &[own(ALICE)], &[10_001]), missing);
    pay(&mut world, &[own(ALICE)], &[10_000, 5_000]).unwrap();
    refused(pay(&mut world, &[own(ALICE)], &[10_000, 5_001]), missing);
    refused(pay(&mut world, &[own(ALICE), own(CAROL)], &[10_001]), missing);
    pay(&mut world, &[own(ALICE), own(BOB)], &[15_001]).unwrap();
    // What the approver signed counts against no day; the key's own limits hold beside.
    pay(&mut world, &[own(ALICE), own(BOB)], &[15_000, 15_000]).unwrap();
    let key = pay(&mut world, &[own(ALICE), own(BOB)], &[20_001]);
    refused(key, rejection::KEY_PAYMENT_LIMIT);
    refused(pay(&mut world, &[own(BOB)], &[1]), rejection::SIGNATURE_MISSING);
}

#[test]
fn the_refusal_says_the_limit_and_what_is_left_and_names_nobody() {
    let mut world = limited();
    let words = pay(&mut world, &[own(ALICE)], &[10_000, 6_000]).unwrap_err();
    let words = words.to_string();
    assert!(words.contains("100.00") && words.contains("50.00"), "{words}");
    assert!(!words.contains(&BOB.to_string()), "{words}");
}

#[test]
fn the_days_sum_is_the_persons_whatever_pays() {
    let mut world = limited();
    let carol = SetGuardian { guardian: CAROL, ..guardian(GuardianGround::OwnWish, None) };
    world.accepted(&[own(ALICE)], &carol);
    world.accepted(&[org("bureau")], &card());
    let missing = rejection::APPROVAL_MISSING;
    let signers = [own(ALICE), own(CAROL), org("bureau")];
    judge(&mut world, &signers, |context, state| {
        spend_by_key(context, state, ALICE, fen(6_000)).unwrap();
        refused(spend_by_guardian(context, state, ALICE, CAROL, fen(9_001)), missing);
        spend_by_guardian(context, state, ALICE, CAROL, fen(5_000)).unwrap();
        refused(spend_by_card(context, state, ALICE, fen(4_001)), missing);
        spend_by_card(context, state, ALICE, fen(4_000)).unwrap();
        refused(spend_by_key(context, state, ALICE, fen(1)), missing);
    });
    // Judged before either is noted, both together are refused when they are noted.
    judge(&mut world, &signers, |context, state| {
        let first = view::require_key(context, state, ALICE, fen(9_000)).unwrap();
        let second = view::require_card(context, state, ALICE, fen(9_000)).unwrap();
        view::note_key_spending(state, &first).unwrap();
        refused(view::note_card_spending(state, &second), missing);
    });
}

#[test]
fn a_guardian_who_is_the_approver_needs_nobody_else() {
    let mut world = limited();
    let paid = judge(&mut world, &[own(BOB)], |context, state| {
        spend_by_guardian(context, state, ALICE, BOB, fen(90_000))
    });
    paid.unwrap();
}

#[test]
fn a_second_key_has_no_limits_of_its_own_day() {
    let mut world = limited();
    world.accepted(&[own(ALICE)], &add(device("second"), Actor::OwnKey));
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let now = world.now;
    let first = judge_at(&mut world, now, &[own(ALICE)], &mut overlay, |context, state| {
        spend_by_key(context, state, ALICE, fen(10_000))
    });
    first.unwrap();
    world.keys.insert(own(ALICE), "second");
    let other = judge_at(&mut world, now, &[own(ALICE)], &mut overlay, |context, state| {
        spend_by_key(context, state, ALICE, fen(5_001))
    });
    refused(other, rejection::APPROVAL_MISSING);
    let next = now.plus_millis(DAY);
    let tomorrow = judge_at(&mut world, next, &[own(ALICE)], &mut overlay, |context, state| {
        spend_by_key(context, state, ALICE, fen(10_000))
    });
    tomorrow.unwrap();
}

#[test]
fn lower_limits_hold_at_once_and_higher_ones_wait() {
    let mut world = limited();
    let alice = [own(ALICE)];
    let receipt = world.accepted(&alice, &set(Some(limits(5_000, 5_000, BOB))));
    assert_eq!(receipt.events[0].name, "payment_limits_set");
    assert!(concerns(&receipt, own(BOB)), "the approver is told");
    for weaker in [
        Some(limits(5_001, 5_001, BOB)),
        Some(limits(5_000, 5_001, BOB)),
        Some(limits(5_000, 5_000, CAROL)),
        None,
    ] {
        if weaker.is_some_and(|one| one.approver == CAROL) {
            let carol = SetGuardian { guardian: CAROL, ..guardian(GuardianGround::OwnWish, None) };
            world.accepted(&alice, &carol);
        }
        let receipt = world.accepted(&alice, &set(weaker));
        assert_eq!(receipt.events[0].name, "payment_limits_asked");
        assert!(concerns(&receipt, own(BOB)), "the present approver is told");
        let waiting = kept(&world).waits_at(world.now).unwrap();
        assert_eq!(waiting.limits, weaker);
        assert_eq!(kept(&world).at(world.now), Some(limits(5_000, 5_000, BOB)));
        assert_eq!(kept(&world).at(waiting.from), weaker);
        // Whoever sets the present ones again takes back what waits.
        world.accepted(&alice, &set(Some(limits(5_000, 5_000, BOB))));
        assert_eq!(kept(&world).waiting, None);
    }
}

#[test]
fn what_waits_holds_after_the_regions_delay() {
    let mut world = limited();
    world.accepted(&[own(ALICE)], &set(Some(limits(12_000, 15_000, BOB))));
    let from = kept(&world).waiting.unwrap().from;
    let hours = u64::from(settings().unlock_delay_hours);
    assert_eq!(from, world.now.plus_millis(hours * HOUR));
    let state = world.ledger.state().clone();
    let mut at = |time| {
        judge_at(&mut world, time, &[own(ALICE)], &mut Overlay::new(&state), |context, state| {
            spend_by_key(context, state, ALICE, fen(12_000))
        })
    };
    let before = primitives::Timestamp::from_millis(from.millis() - 1);
    refused(at(before), rejection::APPROVAL_MISSING);
    at(from).unwrap();
}

#[test]
fn the_approver_or_a_desk_weakens_at_once() {
    let mut world = limited();
    let both = [own(ALICE), own(BOB)];
    world.accepted(&both, &set(Some(limits(20_000, 20_000, BOB))));
    assert_eq!(kept(&world).present, Some(limits(20_000, 20_000, BOB)));
    let desk = SetPaymentLimits { by: Actor::Desk, ..set(None) };
    world.rejected(&[org("bureau")], &desk, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &desk);
    assert_eq!(kept(&world).at(world.now), None);
    pay(&mut world, &[own(ALICE)], &[20_000]).unwrap();
}

#[test]
fn limits_are_set_by_whoever_may_and_have_an_approver_who_can_sign() {
    let mut world = world();
    let alice = [own(ALICE)];
    world.rejected(&alice, &set(None), rejection::NO_LIMITS);
    world.rejected(&alice, &set(Some(limits(2, 1, BOB))), rejection::INVALID_LIMITS);
    let invalid = rejection::INVALID_APPROVER;
    world.rejected(&alice, &set(Some(limits(1, 1, ALICE))), invalid);
    world.rejected(&alice, &set(Some(limits(1, 1, BOB))), invalid);
    world.rejected(&alice, &set(Some(limits(1, 1, person(9)))), invalid);
    world.accepted(&alice, &guardian(GuardianGround::OwnWish, None));
    world.rejected(&[own(BOB)], &set(Some(limits(1, 1, BOB))), rejection::SIGNATURE_MISSING);
    let by_bob = SetPaymentLimits { by: Actor::Guardian(BOB), ..set(None) };
    world.rejected(&[own(BOB)], &by_bob, rejection::ACTOR_NOT_ALLOWED);
    world.accepted(&bureau_and_authority(), &new_person(7, vec![]));
    let keyless = SetGuardian { guardian: person(7), ..guardian(GuardianGround::OwnWish, None) };
    world.accepted(&alice, &keyless);
    world.rejected(&alice, &set(Some(limits(1, 1, person(7)))), invalid);
    world.accepted(&alice, &set(Some(limits(1, 1, BOB))));
    world.accepted(&alice, &lock(Actor::OwnKey));
    world.rejected(&alice, &set(None), rejection::PERSON_LOCKED);
}

#[test]
fn a_locked_approver_agrees_to_nothing() {
    let mut world = limited();
    world.accepted(&[own(BOB)], &LockPerson { person: BOB, by: Actor::OwnKey });
    let both = pay(&mut world, &[own(ALICE), own(BOB)], &[10_001]);
    refused(both, rejection::APPROVAL_MISSING);
    world.accepted(&[own(ALICE), own(BOB)], &set(None));
    assert!(kept(&world).waiting.is_some(), "it waits");
}
