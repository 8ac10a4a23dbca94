use super::{OUTSIDE, at, change, entry, fund, hash, opened, personal, refused};
use crate::kernel::account::{Account, AccountRow, Books, Floor, HOLDS_PER_ACCOUNT_MAX};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{
    Entry, account, held, hold, open_account, post, post_hold, set_floor, void_hold,
};
use crate::kernel::rejection::{Rejection, kernel as code};
use crate::kernel::state::State;
use crate::kernel::table::Table;
use crate::testing::{REGION, fen, organisation};
use primitives::{Amount, Currency, Hash, VisitId};

const CNY: Currency = Currency::CNY;

fn spend(amount: u64) -> Entry {
    entry(personal(1), OUTSIDE, amount)
}

fn paying(now: u64, amount: u64) -> impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection> {
    move |overlay| post(overlay, at(now), CNY, &[spend(amount)])
}

fn holding(
    now: u64,
    id: u8,
    amount: u64,
    expires: u64,
) -> impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection> {
    move |overlay| hold(overlay, at(now), hash(id), CNY, spend(amount), at(expires))
}

fn posting(
    now: u64,
    id: u8,
    amount: u64,
) -> impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection> {
    move |overlay| post_hold(overlay, at(now), &hash(id), fen(amount))
}

fn voiding(id: u8) -> impl FnOnce(&mut Overlay<'_>) -> Result<(), Rejection> {
    move |overlay| void_hold(overlay, &hash(id))
}

fn row(state: &State, which: Account) -> AccountRow {
    account(state, &which).unwrap()
}

fn waits(state: &State, id: u8) -> bool {
    held(state, &hash(id)).is_some()
}

#[test]
fn overspending_by_holds() {
    let mut state = opened(100);
    change(&mut state, holding(0, 1, 60, 1_000)).unwrap();
    refused(&mut state, code::INSUFFICIENT_BALANCE, holding(0, 2, 41, 1_000));
    refused(&mut state, code::INSUFFICIENT_BALANCE, paying(0, 41));
    change(&mut state, holding(0, 2, 40, 1_000)).unwrap();
    refused(&mut state, code::INSUFFICIENT_BALANCE, paying(0, 1));
    refused(&mut state, code::INSUFFICIENT_BALANCE, holding(0, 3, 1, 1_000));
    change(&mut state, posting(1, 1, 60)).unwrap();
    change(&mut state, posting(1, 2, 40)).unwrap();
    let row = row(&state, personal(1));
    assert_eq!((row.balance(), row.held.len()), (0, 0));
    assert_eq!(row.available_at(at(1)), Amount::ZERO);
}

#[test]
fn two_concurrent_refunds_of_the_same_amount() {
    // The provider's surplus of one refund, given back through two holds on it: the second finds
    // nothing left, in the same block as in the next.
    let mut state = opened(0);
    let deposit = Account::Deposit(VisitId([1; 16]));
    change(&mut state, |overlay| post(overlay, at(0), CNY, &[entry(OUTSIDE, deposit, 500)]))
        .unwrap();
    let refund = entry(deposit, OUTSIDE, 500);
    let base = state.clone();
    let mut block = Overlay::new(&base);
    hold(&mut block, at(0), hash(1), CNY, refund, at(9)).unwrap();
    block.keep_transaction();
    let second = hold(&mut block, at(0), hash(2), CNY, refund, at(9)).unwrap_err();
    assert_eq!(second.code, code::INSUFFICIENT_BALANCE);
    block.discard_transaction();
    assert_eq!(
        post(&mut block, at(0), CNY, &[refund]).unwrap_err().code,
        code::INSUFFICIENT_BALANCE
    );
    block.discard_transaction();
    let again = hold(&mut block, at(0), hash(1), CNY, refund, at(9)).unwrap_err();
    assert_eq!(again.code, code::HOLD_EXISTS);
    block.discard_transaction();
    let writes = block.into_writes();
    state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
    change(&mut state, posting(1, 1, 500)).unwrap();
    refused(&mut state, code::HOLD_NOT_PENDING, posting(1, 1, 500));
    refused(&mut state, code::HOLD_NOT_PENDING, voiding(1));
    assert_eq!(row(&state, deposit).balance(), 0);
    assert_eq!(row(&state, OUTSIDE).balance(), 0);
}

#[test]
fn a_record_and_its_balance_are_never_committed_apart() {
    // The first entry fits and is written; the second does not. Nothing of either remains.
    let mut state = opened(100);
    refused(&mut state, code::INSUFFICIENT_BALANCE, |overlay| {
        open_account(overlay, fund(1), CNY, Floor::None)?;
        hold(overlay, at(0), hash(1), CNY, spend(10), at(9))?;
        let entries = [entry(personal(1), personal(2), 70), entry(personal(1), personal(2), 21)];
        post(overlay, at(0), CNY, &entries)
    });
    assert_eq!(account(&state, &fund(1)), None);
    assert_eq!(held(&state, &hash(1)), None);
    assert_eq!(row(&state, personal(1)).balance(), 100);
    assert_eq!(row(&state, personal(2)).balance(), 0);
}

#[test]
fn a_discarded_transaction_leaves_nothing() {
    let state = opened(100);
    let mut overlay = Overlay::new(&state);
    post(&mut overlay, at(0), CNY, &[spend(1)]).unwrap();
    assert_eq!(overlay.keep_transaction().len(), 1);
    post(&mut overlay, at(0), CNY, &[spend(2)]).unwrap();
    overlay.discard_transaction();
    assert_eq!(account(&overlay, &personal(1)).unwrap().balance(), 99);
    assert!(overlay.keep_transaction().is_empty(), "its entries are forgotten too");
    assert_eq!(account(&overlay, &personal(1)).unwrap().balance(), 99);
}

#[test]
fn a_decoded_row_is_forgotten_when_the_row_changes() {
    const ROWS: Table<u8, u64> = Table::new(0xfff0);
    let state = opened(0);
    let mut overlay = Overlay::new(&state);
    let seen = |overlay: &Overlay<'_>| ROWS.shared(overlay, &1).map(|row| *row);
    assert_eq!(seen(&overlay), None);
    ROWS.put(&mut overlay, &1, &7);
    assert_eq!(seen(&overlay), Some(7), "also one that was known to be absent");
    overlay.keep_transaction();
    ROWS.put(&mut overlay, &1, &8);
    assert_eq!(seen(&overlay), Some(8));
    overlay.discard_transaction();
    assert_eq!(seen(&overlay), Some(7), "a discarded transaction leaves nothing");
    let failed: Result<(), ()> = overlay.attempt(|part| {
        ROWS.remove(part, &1);
        assert_eq!(seen(part), None);
        Err(())
    });
    assert_eq!((failed, seen(&overlay)), (Err(()), Some(7)));
    ROWS.remove(&mut overlay, &1);
    assert_eq!(seen(&overlay), None);
    assert_eq!(ROWS.shared(&state, &1), None, "the state itself remembers nothing");
}

#[test]
fn a_hold_expires_at_its_exact_millisecond() {
    let mut state = opened(100);
    change(&mut state, holding(0, 1, 100, 1_000)).unwrap();
    refused(&mut state, code::INSUFFICIENT_BALANCE, paying(999, 1));
    let before = state.clone();
    change(&mut state, posting(999, 1, 100)).unwrap();
    let mut state = before;
    refused(&mut state, code::HOLD_NOT_PENDING, posting(1_000, 1, 100));
    let row = row(&state, personal(1));
    assert_eq!((row.held_at(at(999)), row.held_at(at(1_000))), (fen(100), Amount::ZERO));
    change(&mut state, paying(1_000, 100)).unwrap();
    change(&mut state, voiding(1)).unwrap();
    assert!(!waits(&state, 1));
}

#[test]
fn a_hold_is_posted_in_part_and_the_rest_is_free_again() {
    let mut state = opened(100);
    change(&mut state, holding(0, 1, 80, 1_000)).unwrap();
    refused(&mut state, code::HOLD_EXCEEDED, posting(1, 1, 81));
    refused(&mut state, code::NOTHING_TO_MOVE, posting(1, 1, 0));
    change(&mut state, posting(1, 1, 30)).unwrap();
    assert!(!waits(&state, 1));
    assert_eq!(row(&state, personal(1)).available_at(at(1)), fen(70));
    refused(&mut state, code::HOLD_NOT_PENDING, posting(1, 1, 50));
    change(&mut state, paying(1, 70)).unwrap();
}

#[test]
fn a_voided_hold_frees_its_amount_and_stays_voided() {
    let mut state = opened(100);
    change(&mut state, holding(0, 1, 80, 1_000)).unwrap();
    change(&mut state, voiding(1)).unwrap();
    assert_eq!(row(&state, personal(1)).available_at(at(0)), fen(100));
    refused(&mut state, code::HOLD_NOT_PENDING, voiding(1));
    refused(&mut state, code::HOLD_NOT_PENDING, posting(0, 1, 1));
    refused(&mut state, code::HOLD_NOT_PENDING, voiding(9));
}

#[test]
fn holds_that_are_over_leave_no_row() {
    let mut state = opened(100);
    let rows = state.entry_count();
    for round in 0..40 {
        change(&mut state, holding(round, 1, 10, round + 1)).unwrap();
        change(&mut state, holding(round, 2, 10, round + 9)).unwrap();
        change(&mut state, posting(round, 2, 1)).unwrap();
        change(&mut state, holding(round, 3, 10, round + 9)).unwrap();
        change(&mut state, voiding(3)).unwrap();
        change(&mut state, holding(round + 1, 4, 1, round + 2)).unwrap();
        assert!(!waits(&state, 1), "an expired hold goes at the next one");
        change(&mut state, voiding(4)).unwrap();
    }
    // The account that the payments went to is the one new row.
    assert!(state.entry_count() <= rows + 1);
}

#[test]
fn an_account_carries_16_holds_and_an_expired_one_makes_room() {
    let mut state = opened(100);
    for id in 0..16 {
        change(&mut state, holding(0, id, 1, 1_000 + u64::from(id))).unwrap();
    }
    assert_eq!(row(&state, personal(1)).held.len(), HOLDS_PER_ACCOUNT_MAX);
    refused(&mut state, code::TOO_MANY_HOLDS, holding(999, 16, 1, 9_000));
    change(&mut state, holding(1_000, 16, 1, 9_000)).unwrap();
    refused(&mut state, code::TOO_MANY_HOLDS, holding(1_000, 17, 1, 9_000));
}

#[test]
fn a_hold_on_an_account_without_a_floor_is_a_claim_that_waits() {
    let mut state = opened(0);
    let rail = Account::Rail(Books::of(organisation("hospital"), REGION));
    let collect =
        entry(rail, Account::ProviderCash(Books::of(organisation("hospital"), REGION)), 900);
    change(&mut state, |overlay| hold(overlay, at(0), hash(1), CNY, collect, at(50))).unwrap();
    assert_eq!(account(&state, &rail), None, "nothing is owed before the rail has answered");
    change(&mut state, posting(49, 1, 900)).unwrap();
    assert_eq!(row(&state, rail).balance(), -900);
}

#[test]
fn a_floor_holds_for_payments_and_holds_alike() {
    let mut state = opened(100);
    change(&mut state, |overlay| set_floor(overlay, personal(1), Floor::AtLeast(fen(40)))).unwrap();
    refused(&mut state, code::INSUFFICIENT_BALANCE, paying(0, 61));
    refused(&mut state, code::INSUFFICIENT_BALANCE, holding(0, 1, 61, 9));
    change(&mut state, holding(0, 1, 60, 9)).unwrap();
    change(&mut state, |overlay| set_floor(overlay, personal(1), Floor::AtLeast(fen(41)))).unwrap();
    refused(&mut state, code::INSUFFICIENT_BALANCE, posting(1, 1, 60));
    assert!(waits(&state, 1), "a refused posting keeps the hold");
    change(&mut state, posting(1, 1, 59)).unwrap();
    change(&mut state, |overlay| set_floor(overlay, personal(1), Floor::AtLeast(Amount::MAX)))
        .unwrap();
    assert_eq!(row(&state, personal(1)).available_at(at(1)), Amount::ZERO);
    refused(&mut state, code::UNKNOWN_ACCOUNT, |overlay| {
        set_floor(overlay, personal(9), Floor::None)
    });
}

#[test]
fn currencies_do_not_mix() {
    let mut state = opened(100);
    refused(&mut state, code::CURRENCY_MISMATCH, |overlay| {
        post(overlay, at(0), Currency::JPY, &[spend(1)])
    });
    change(&mut state, |overlay| {
        open_account(overlay, fund(1), Currency::JPY, Floor::AtLeast(Amount::ZERO))
    })
    .unwrap();
    for (debit, credit) in [(personal(1), fund(1)), (fund(1), personal(1))] {
        let across = entry(debit, credit, 1);
        refused(&mut state, code::CURRENCY_MISMATCH, |overlay| {
            post(overlay, at(0), CNY, &[across])
        });
        refused(&mut state, code::CURRENCY_MISMATCH, |overlay| {
            hold(overlay, at(0), hash(1), CNY, across, at(9))
        });
    }
}

#[test]
fn sums_beyond_64_bits_are_refused_on_either_side() {
    let mut state = opened(u64::MAX - 1);
    let bring = |amount| {
        move |overlay: &mut Overlay<'_>| {
            post(overlay, at(0), CNY, &[entry(OUTSIDE, personal(1), amount)])
        }
    };
    refused(&mut state, code::AMOUNT_OVERFLOW, bring(2));
    change(&mut state, bring(1)).unwrap();
    refused(&mut state, code::AMOUNT_OVERFLOW, bring(1));
    assert_eq!(row(&state, personal(1)).available_at(at(0)), Amount::MAX);
    // What went out and came back counts on both sides, so the credit side alone overflows.
    change(&mut state, |overlay| post(overlay, at(0), CNY, &[entry(personal(1), personal(2), 5)]))
        .unwrap();
    refused(&mut state, code::AMOUNT_OVERFLOW, |overlay| {
        post(overlay, at(0), CNY, &[entry(personal(2), personal(1), 5)])
    });
}

#[test]
fn an_entry_moves_something_between_two_accounts_that_are_there() {
    let mut state = opened(100);
    let cases = [
        (spend(0), code::NOTHING_TO_MOVE),
        (entry(personal(1), personal(1), 1), code::SAME_ACCOUNT),
        (entry(personal(9), OUTSIDE, 1), code::UNKNOWN_ACCOUNT),
        (entry(OUTSIDE, fund(9), 1), code::UNKNOWN_ACCOUNT),
    ];
    for (wrong, expected) in cases {
        refused(&mut state, expected, |overlay| post(overlay, at(0), CNY, &[wrong]));
        refused(&mut state, expected, |overlay| {
            hold(overlay, at(0), Hash::default(), CNY, wrong, at(9))
        });
    }
    refused(&mut state, code::ACCOUNT_EXISTS, |overlay| {
        open_account(overlay, personal(1), CNY, Floor::None)
    });
}
