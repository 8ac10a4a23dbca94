//! A death and a move.

use super::*;

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
