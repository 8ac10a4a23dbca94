#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]
use super::*;
use crate::kernel::overlay::Overlay;
use crate::kernel::rejection::{Rejection, kernel};
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::modules::person::{Actor, LockPerson, rejection as persons};
use crate::testing::{World, fen, organisation, person};
use alloc::vec::Vec;
use primitives::{Amount, Currency, Hash, Party};

const BILL: Hash = Hash([5; 32]);

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn patient() -> Party {
    Party::Person(person(1))
}

/// A world in which person 1 bore 1,000 minor units of a bill at the hospital, and two insurers.
fn world() -> World {
    let mut world = World::new();
    world.admit("insurer", OrganisationKind::Insurer, None);
    world.admit("mutual", OrganisationKind::Insurer, None);
    world.enrol(1);
    world.write(|state| {
        register_settlement(state, BILL, person(1), organisation("hospital"), fen(1_000), CNY);
    });
    world
}

const CNY: Currency = Currency::CNY;

fn mark(payer: &str, amount: u64) -> MarkVoucherUsed {
    MarkVoucherUsed {
        settlement: BILL,
        payer: organisation(payer),
        amount: fen(amount),
        currency: CNY,
        guardian: None,
    }
}

fn marked(world: &mut World, payer: &str, amount: u64) -> Hash {
    let receipt = world.accepted(&[org(payer), patient()], &mark(payer, amount));
    receipt.record.transaction_id
}

fn unmark(payer: &str, mark: Hash, amount: u64) -> UnmarkVoucher {
    UnmarkVoucher { settlement: BILL, mark, payer: organisation(payer), amount: fen(amount) }
}

fn adjusted(world: &mut World, own_share: u64) -> Result<(), Rejection> {
    let mut result = Ok(());
    world.write(|state: &mut Overlay<'_>| {
        result = adjust_settlement(state, BILL, fen(own_share));
        if result.is_err() {
            state.discard_transaction();
        }
    });
    result
}

#[test]
fn a_bill_is_never_reimbursed_twice() {
    let mut world = world();
    let (insurer, mutual) = ([org("insurer"), patient()], [org("mutual"), patient()]);
    world.rejected(&insurer, &mark("insurer", 1_001), rejection::EXCEEDS_OWN_SHARE);
    marked(&mut world, "insurer", 1_000);
    world.rejected(&mutual, &mark("mutual", 1), rejection::EXCEEDS_OWN_SHARE);
    world.rejected(&insurer, &mark("insurer", 1), rejection::EXCEEDS_OWN_SHARE);
    let marks = view::marks(world.ledger.state(), &BILL);
    assert_eq!(marks.len(), 1);
    assert_eq!((marks[0].payer, marks[0].amount), (organisation("insurer"), fen(1_000)));
    assert!(view::marks(world.ledger.state(), &Hash([6; 32])).is_empty());
}

#[test]
fn two_payers_share_what_the_person_bore_in_one_block_too() {
    let mut world = world();
    marked(&mut world, "insurer", 600);
    let bodies = [mark("mutual", 400), MarkVoucherUsed { amount: fen(1), ..mark("insurer", 1) }];
    let transactions: Vec<_> = bodies
        .iter()
        .map(|body| {
            let payer = Party::Organisation(body.payer);
            let content = world.content(payer, body);
            world.sign(&content, &[payer, patient()])
        })
        .collect();
    let outcome = world.ledger.execute(world.now, &transactions);
    let (_, receipts) = world.ledger.apply(outcome);
    assert_eq!(receipts[0].rejection_detail, None);
    let expected = proof::receipt::OutcomeCode::Rejected(rejection::EXCEEDS_OWN_SHARE.number);
    assert_eq!(receipts[1].record.outcome, expected);
    let row = view::settlement(world.ledger.state(), &BILL).unwrap();
    assert_eq!((row.marked(), row.left()), (fen(1_000), Amount::ZERO));
}

#[test]
fn a_mark_needs_the_payer_and_the_person() {
    let mut world = world();
    let body = mark("insurer", 10);
    world.rejected(&[org("insurer")], &body, persons::SIGNATURE_MISSING);
    world.rejected(&[patient()], &body, organisations::SIGNATURE_MISSING);
    world.enrol(2);
    let other = Party::Person(person(2));
    world.rejected(&[org("insurer"), other], &body, persons::SIGNATURE_MISSING);
    let guarded = MarkVoucherUsed { guardian: Some(person(2)), ..body };
    world.rejected(&[org("insurer"), other], &guarded, persons::NOT_A_GUARDIAN);
    let hospital = mark("hospital", 10);
    world.rejected(&[org("hospital"), patient()], &hospital, rejection::NOT_A_PAYER);
    world.accepted(&[patient()], &LockPerson { person: person(1), by: Actor::OwnKey });
    world.rejected(&[org("insurer"), patient()], &body, persons::PERSON_LOCKED);
}

#[test]
fn a_mark_is_of_a_known_settlement_an_amount_and_its_currency() {
    let mut world = world();
    let signers = [org("bureau"), patient()];
    let unknown = MarkVoucherUsed { settlement: Hash([6; 32]), ..mark("bureau", 10) };
    world.rejected(&signers, &unknown, rejection::UNKNOWN_SETTLEMENT);
    world.rejected(&signers, &mark("bureau", 0), kernel::NOTHING_TO_MOVE);
    let yen = MarkVoucherUsed { currency: Currency::JPY, ..mark("bureau", 10) };
    world.rejected(&signers, &yen, kernel::CURRENCY_MISMATCH);
    let receipt = world.accepted(&signers, &mark("bureau", 10));
    assert_eq!(receipt.concerns, signers, "the provider is not told");
}

#[test]
fn a_settlement_carries_16_marks() {
    let mut world = world();
    let first = marked(&mut world, "insurer", 1);
    for _ in 1..MARKS_MAX {
        marked(&mut world, "insurer", 1);
    }
    let signers = [org("mutual"), patient()];
    world.rejected(&signers, &mark("mutual", 1), rejection::TOO_MANY_MARKS);
    world.accepted(&[org("insurer")], &unmark("insurer", first, 1));
    marked(&mut world, "mutual", 1);
}

#[test]
fn a_payer_takes_its_own_mark_back_wholly_or_in_part() {
    let mut world = world();
    let id = marked(&mut world, "insurer", 700);
    world.rejected(&[org("mutual")], &unmark("mutual", id, 1), rejection::UNKNOWN_MARK);
    world.rejected(&[org("mutual")], &unmark("insurer", id, 1), organisations::SIGNATURE_MISSING);
    world.rejected(&[org("insurer")], &unmark("insurer", BILL, 1), rejection::UNKNOWN_MARK);
    world.rejected(&[org("insurer")], &unmark("insurer", id, 701), rejection::EXCEEDS_MARK);
    world.rejected(&[org("insurer")], &unmark("insurer", id, 0), kernel::NOTHING_TO_MOVE);
    let elsewhere = UnmarkVoucher { settlement: Hash([6; 32]), ..unmark("insurer", id, 1) };
    world.rejected(&[org("insurer")], &elsewhere, rejection::UNKNOWN_SETTLEMENT);
    world.accepted(&[org("insurer")], &unmark("insurer", id, 300));
    assert_eq!(view::marks(world.ledger.state(), &BILL)[0].amount, fen(400));
    let receipt = world.accepted(&[org("insurer")], &unmark("insurer", id, 400));
    assert_eq!(receipt.concerns, [org("insurer"), patient()]);
    assert!(view::marks(world.ledger.state(), &BILL).is_empty());
    world.rejected(&[org("insurer")], &unmark("insurer", id, 1), rejection::UNKNOWN_MARK);
    marked(&mut world, "mutual", 1_000);
}

#[test]
fn a_refund_does_not_take_away_a_share_that_was_reimbursed() {
    let mut world = world();
    let id = marked(&mut world, "insurer", 700);
    let refused = adjusted(&mut world, 699).unwrap_err();
    assert_eq!(refused.code, rejection::SHARE_REIMBURSED);
    adjusted(&mut world, 700).unwrap();
    let signers = [org("mutual"), patient()];
    world.rejected(&signers, &mark("mutual", 1), rejection::EXCEEDS_OWN_SHARE);
    world.accepted(&[org("insurer")], &unmark("insurer", id, 700));
    adjusted(&mut world, 0).unwrap();
    world.rejected(&signers, &mark("mutual", 1), rejection::EXCEEDS_OWN_SHARE);
    adjusted(&mut world, 50).unwrap();
    marked(&mut world, "mutual", 50);
    let mut unknown = Ok(());
    world.write(|state| unknown = adjust_settlement(state, Hash([6; 32]), fen(1)));
    assert_eq!(unknown.unwrap_err().code, rejection::UNKNOWN_SETTLEMENT);
}

fn issue(issuer: &str, purpose: VoucherPurpose) -> IssueVoucher {
    IssueVoucher { settlement: BILL, purpose, issuer: organisation(issuer), seal: Hash([8; 32]) }
}

#[test]
fn a_voucher_is_issued_once_for_each_purpose_until_a_refund_changes_the_bill() {
    let mut world = world();
    let tax = issue("hospital", VoucherPurpose::Tax);
    let receipt = world.accepted(&[org("hospital")], &tax);
    assert_eq!(receipt.concerns, [org("hospital"), patient()]);
    world.rejected(&[org("hospital")], &tax, rejection::ALREADY_ISSUED);
    let bureau = issue("bureau", VoucherPurpose::Tax);
    world.rejected(&[org("bureau")], &bureau, rejection::ALREADY_ISSUED);
    world.accepted(&[org("bureau")], &issue("bureau", VoucherPurpose::Reimbursement));
    world.accepted(&[org("bureau")], &issue("bureau", VoucherPurpose::Evidence));
    assert_eq!(view::settlement(world.ledger.state(), &BILL).unwrap().issued.len(), 3);
    adjusted(&mut world, 900).unwrap();
    world.accepted(&[org("hospital")], &tax);
}

#[test]
fn only_the_provider_and_the_home_bureau_issue_vouchers() {
    let mut world = world();
    let stranger = issue("insurer", VoucherPurpose::Tax);
    world.rejected(&[org("insurer")], &stranger, rejection::NOT_THE_ISSUER);
    let unsigned = issue("hospital", VoucherPurpose::Tax);
    world.rejected(&[org("insurer")], &unsigned, organisations::SIGNATURE_MISSING);
    let unknown = IssueVoucher { settlement: Hash([6; 32]), ..unsigned };
    world.rejected(&[org("hospital")], &unknown, rejection::UNKNOWN_SETTLEMENT);
}

#[test]
fn a_second_payer_can_be_shown_what_was_marked() {
    let mut world = world();
    marked(&mut world, "insurer", 700);
    let state = world.ledger.state();
    let key = view::settlement_key(&BILL);
    let row = crate::kernel::block::row_bytes(state, &key).unwrap();
    assert_eq!(state.prove(&key).verify(&state.root(), &key, Some(&row)), Ok(()));
}
