//! Cards: paid with, blocked, replaced.

use super::*;

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
