//! Premiums that an account and a rail pay together.

use super::accounts::{account, cancel, one, with_accounts};
use super::*;
use crate::modules::person::rejection as persons;

/// The own premium of person 2, of which the account with 399.99 pays this much.
fn part(from_account: u64) -> PremiumItem {
    PremiumItem { from_account: fen(from_account), ..item(2, 40_000) }
}

fn check_all(world: &World, account_of_two: i128, in_fund: i128, on_rail: i128) {
    let found = (account(world, 2), fund(world), world.balance(Account::Rail(books())));
    assert_eq!(found, (account_of_two, in_fund, on_rail));
    check_counts(world);
}

#[test]
fn an_account_and_a_rail_pay_together_or_not_at_all() {
    let mut world = with_accounts();
    let both = pay(2, vec![part(30_000)]);
    let ordered = world.accepted(&by(2), &both);
    // The rail is told of its part alone; the account's is held, and in nobody's fund yet.
    assert_eq!(effect(&ordered).0.amount, fen(10_000));
    assert_eq!(
        value(&ordered, "personal_account"),
        FieldValue::Amount(proof::receipt::FieldAmount {
            amount: fen(30_000),
            currency: primitives::Currency::CNY,
        })
    );
    check_all(&world, 39_999, 0, 0);
    let held =
        crate::kernel::posting::account(world.ledger.state(), &Account::PersonalAccount(id(2)));
    assert_eq!(held.unwrap().available_at(world.now), fen(9_999));
    // The card is refused: the account's part is free again by itself, and the premium is due.
    failed(&mut world, &ordered);
    check_all(&world, 39_999, 0, 0);
    assert_eq!(standing(&world, 2), PremiumStanding::Due);
    let ordered = world.accepted(&by(2), &pay(2, vec![part(39_999)]));
    done(&mut world, &ordered);
    check_all(&world, 0, 40_000, -1);
    assert_eq!(cover(&world, 2, next_year("01-01")), Some(Standing::Active));
    world.rejected(&by(2), &both, rejection::ALREADY_PAID);
}

#[test]
fn each_part_goes_back_to_where_it_came_from() {
    let mut world = with_accounts();
    let ordered = world.accepted(&by(2), &pay(2, vec![part(30_000)]));
    done(&mut world, &ordered);
    let back = world.accepted(&one(2), &cancel(2));
    // The account has its part at once, the card's waits for the bank.
    assert_eq!(effect(&back).0.amount, fen(10_000));
    check_all(&world, 39_999, 0, -10_000);
    failed(&mut world, &back);
    check_all(&world, 39_999, 0, -10_000);
    let again = world.accepted(&one(2), &cancel(2));
    assert_eq!(effect(&again).0.amount, fen(10_000));
    done(&mut world, &again);
    check_all(&world, 39_999, 0, 0);
    assert_eq!(standing(&world, 2), PremiumStanding::Due);
    world.rejected(&one(2), &cancel(2), rejection::NOT_PAID);
}

#[test]
fn for_a_household_the_account_may_pay_all_of_the_own_premium() {
    let mut world = with_accounts();
    let items = vec![PremiumItem { from_account: fen(40_000), ..item(1, 40_000) }, item(2, 40_000)];
    let ordered = world.accepted(&by(1), &pay(1, items));
    assert_eq!(effect(&ordered).0.amount, fen(40_000));
    done(&mut world, &ordered);
    assert_eq!((account(&world, 1), fund(&world)), (50_000, 80_000));
    // Of the own premium no rail has anything to give back; of the other's it has.
    let own = world.accepted(&one(1), &cancel(1));
    assert!(own.effects.is_empty());
    assert_eq!((account(&world, 1), standing(&world, 1)), (90_000, PremiumStanding::Due));
    let other = world.accepted(&one(2), &cancel(2));
    assert_eq!(effect(&other).0.amount, fen(40_000));
    done(&mut world, &other);
    assert_eq!((account(&world, 2), fund(&world)), (39_999, 0));
    check_counts(&world);
}

#[test]
fn an_account_pays_a_part_of_its_owners_premium_and_never_all_of_the_payment() {
    let mut world = with_accounts();
    let of_another = PremiumItem { from_account: fen(1), ..item(1, 40_000) };
    let wrong = |world: &mut World, items: Vec<PremiumItem>, code| {
        world.rejected(&by(2), &pay(2, items), code);
    };
    wrong(&mut world, vec![of_another, item(2, 40_000)], rejection::ACCOUNT_NOT_OWN);
    wrong(&mut world, vec![part(40_001), item(1, 40_000)], rejection::ACCOUNT_PART);
    wrong(&mut world, vec![part(40_000)], rejection::ACCOUNT_PART);
    wrong(&mut world, vec![part(40_000), item(1, 40_000)], rejection::ACCOUNT_TOO_LOW);
    // Over a counter a clerk takes the cash, and the account's owner agrees to the account's part.
    let till = PayPremiums {
        channel: organisation("tax"),
        cash: leg(RailKind::Counter),
        ..pay(2, vec![part(30_000)])
    };
    let at_tax = |executor| CashLeg { executor: organisation(executor), ..leg(RailKind::Counter) };
    let bureau = PayPremiums { channel: organisation("bureau"), cash: at_tax("bureau"), ..till };
    world.rejected(&[party("bureau")], &bureau, persons::SIGNATURE_MISSING);
    world.accepted(&[Party::Person(id(2)), party("bureau")], &bureau);
    check_all(&world, 39_999, 0, 0);
    // While it is held nothing else takes it.
    let own = super::accounts::pays_own(2);
    world.rejected(&one(2), &own, rejection::PAYMENT_RUNNING);
}
