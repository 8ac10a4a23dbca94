use super::{bureau, fund, funded, moving, rejected, transfer};
use crate::kernel::block::{TIME_JUMP_MILLIS_MAX, row_bytes, transaction_root};
use crate::kernel::posting::account_key;
use crate::kernel::rejection::kernel as code;
use crate::kernel::transaction::VerifiedTransaction;
use crate::modules::fund::Contribute;
use crate::testing::{REGION, World, fen};
use alloc::{vec, vec::Vec};
use primitives::{FundId, Hash};
use proof::log::{Frontier, leaf_hash};
use proof::receipt::{OutcomeCode, ReceiptSeed};

fn signed(world: &mut World, amounts: &[u64]) -> Vec<VerifiedTransaction> {
    amounts
        .iter()
        .map(|amount| {
            let content = moving(world, *amount);
            world.sign(&content, &[bureau()])
        })
        .collect()
}

#[test]
fn block_time_never_goes_back_and_jumps_by_a_day_at_the_most() {
    let mut world = funded();
    let start = world.ledger.tip().time;
    let times = [
        (0, 0),
        (start.millis() - 1, 0),
        (start.millis(), 0),
        (start.millis() + 1, 1),
        (start.millis() + TIME_JUMP_MILLIS_MAX, TIME_JUMP_MILLIS_MAX),
        (start.millis() + TIME_JUMP_MILLIS_MAX + 1, TIME_JUMP_MILLIS_MAX),
        (u64::MAX, TIME_JUMP_MILLIS_MAX),
    ];
    for (proposed, passed) in times {
        let outcome = world.ledger.execute(super::at(proposed), &[]);
        assert_eq!(outcome.header.time, start.plus_millis(passed), "{proposed}");
    }
    let ahead = world.ledger.execute(start.plus_millis(5), &[]);
    world.ledger.apply(ahead);
    assert_eq!(world.ledger.execute(start, &[]).header.time, start.plus_millis(5));
}

#[test]
fn two_transfers_of_the_same_money_in_one_block_happen_once() {
    let mut world = funded();
    let both = signed(&mut world, &[1_000, 1_000]);
    let outcome = world.ledger.execute(world.now, &both);
    let (_, receipts) = world.ledger.apply(outcome);
    assert_eq!(receipts[0].record.outcome, OutcomeCode::Accepted);
    assert_eq!(receipts[1].record.outcome, rejected(code::INSUFFICIENT_BALANCE));
    assert!(receipts[1].entries.is_empty());
    assert_eq!((world.balance(fund(1)), world.balance(fund(2))), (0, 1_000));
}

#[test]
fn a_rejected_booking_leaves_neither_its_reference_nor_its_money() {
    // `contribute` writes the reference first and posts afterwards; the posting overflows.
    let mut world = funded();
    let body = |amount| Contribute {
        region: REGION,
        fund: FundId(1),
        amount: fen(amount),
        reference: Hash([9; 32]),
    };
    world.rejected(&[bureau()], &body(u64::MAX), code::AMOUNT_OVERFLOW);
    world.accepted(&[bureau()], &body(1));
    assert_eq!(world.balance(fund(1)), 1_001);
}

#[test]
fn a_header_says_what_was_executed_and_what_came_of_it() {
    let mut world = funded();
    let before = world.ledger.tip().clone();
    let transactions = signed(&mut world, &[10, 5_000, 20]);
    let outcome = world.ledger.execute(world.now.plus_millis(7), &transactions);
    let state_root = outcome.state().root();
    let (header, receipts) = world.ledger.apply(outcome);
    assert_eq!((header.height, header.parent), (before.height + 1, before.value_id));
    assert_eq!(header.chain_id, world.ledger.chain_id());
    assert_eq!(header.transaction_root, transaction_root(&transactions));
    assert_eq!(header.state_root, state_root);
    assert_eq!(header.state_root, world.ledger.state().root());
    assert_eq!(header.next_validators, before.validators.hash());
    let mut log: Frontier = before.log;
    for (place, receipt) in (0..).zip(&receipts) {
        assert_eq!(receipt.record.index_in_block, place);
        assert_eq!(receipt.record.height, header.height);
        assert_eq!(receipt.record.time, header.time);
        log.push(leaf_hash(&receipt.record.leaf()));
    }
    assert_eq!((header.receipt_log_size, header.receipt_log_root), (log.size(), log.root()));
    assert_eq!(world.ledger.tip().value_id, header.value_id());
    assert_eq!(world.ledger.tip().log.root(), log.root());
}

#[test]
fn a_receipt_opens_its_fields_and_names_whom_it_concerns() {
    let mut world = funded();
    let receipt = world.accepted(&[bureau()], &transfer(10));
    assert_eq!(receipt.concerns, vec![bureau()]);
    assert_eq!(receipt.fields.len(), receipt.record.commitments.len());
    let seed = ReceiptSeed(receipt.seed.0);
    for (index, field) in (0..).zip(receipt.fields.clone()) {
        assert!(seed.open(index, field).fits(&receipt.record));
    }
    let other = world.accepted(&[bureau()], &transfer(10));
    assert_ne!(receipt.record.commitments, other.record.commitments, "salts differ");
}

#[test]
fn a_row_and_its_proof_are_of_the_same_root() {
    let world = funded();
    let state = world.ledger.state();
    let key = account_key(&fund(1));
    let row = row_bytes(state, &key).unwrap();
    let proof = state.prove(&key);
    assert_eq!(proof.verify(&state.root(), &key, Some(&row)), Ok(()));
    let absent = account_key(&fund(9));
    assert_eq!(row_bytes(state, &absent), None);
    assert_eq!(state.prove(&absent).verify(&state.root(), &absent, None), Ok(()));
}

#[test]
#[should_panic(expected = "a block follows its parent")]
fn an_outcome_is_applied_once() {
    let mut world = funded();
    let (first, second) =
        (world.ledger.execute(world.now, &[]), world.ledger.execute(world.now, &[]));
    world.ledger.apply(first);
    world.ledger.apply(second);
}
