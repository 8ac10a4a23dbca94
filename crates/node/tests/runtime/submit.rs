//! What a submitter is told.

use std::sync::mpsc::channel;
use std::time::Duration;

use ledger::kernel::rejection::kernel as code;
use ledger::kernel::transaction::TransactionError;
use ledger::modules::fund::rejection as fund_code;
use node::runtime::{Direction, Health, SubmitError, SubscriptionEnd, Threads};
use node::{MempoolLimits, NodeHandle};
use primitives::Signature;
use proof::receipt::OutcomeCode;

use crate::world::{
    DAY, Place, START, balance, content, contribute, id_of, insurer, open_fund, party, sign,
};

fn now() -> primitives::Timestamp {
    START.plus_millis(1_000)
}

#[test]
fn a_transaction_is_answered_with_its_durable_receipt_and_can_be_read_everywhere() {
    let place = Place::new();
    let (node, _) = place.open();
    assert_eq!(node.view().tip.height, 0);
    let submitted = node.submit(open_fund(1, now())).unwrap();
    assert_eq!((submitted.receipt_index, submitted.is_duplicate), (0, false));
    let transaction = contribute(1, 1, 500, now());
    let submitted = node.submit(transaction.clone()).unwrap();
    assert_eq!(submitted.receipt_index, 1);
    assert_eq!(submitted.receipt.record.outcome, OutcomeCode::Accepted);
    assert_eq!(balance(&node, 1), 500);

    let placed = node.receipt_by_transaction(&id_of(&transaction)).unwrap().unwrap();
    assert_eq!((placed.index, &placed.receipt), (1, &submitted.receipt));
    assert_eq!(node.receipt_at(1).unwrap().unwrap(), submitted.receipt);
    assert_eq!(node.receipt_at(2).unwrap(), None);
    let height = submitted.receipt.record.height;
    assert_eq!(node.view().tip.height, height);
    assert_eq!(node.block(height).unwrap().unwrap().transactions, [transaction]);
    let (header, certificate) = node.header(height).unwrap().unwrap();
    assert_eq!(node.view().header.as_ref(), Some(&header));
    assert_eq!(certificate.value_id, header.value_id());
    let validators = crate::world::genesis().validators;
    validators.verify_certificate(&header, &certificate, &node::signature::FastVerifier).unwrap();
    assert_eq!(node.block(0).unwrap(), None);
    assert_eq!(node.block(height + 1).unwrap(), None);

    let concerned = node.receipts_of(&party("bureau"), Direction::OldestFirst, None, 9).unwrap();
    assert_eq!(concerned.iter().map(|one| one.index).collect::<Vec<_>>(), [0]);
    let own = party(&insurer(1));
    let newest = node.receipts_of(&own, Direction::NewestFirst, None, 1).unwrap();
    assert_eq!(newest.iter().map(|one| one.index).collect::<Vec<_>>(), [1]);
    let older = node.receipts_of(&own, Direction::NewestFirst, Some(1), 9).unwrap();
    assert_eq!(older.iter().map(|one| one.index).collect::<Vec<_>>(), [0]);
    let metrics = node.metrics();
    assert_eq!((metrics.height, metrics.receipts, metrics.accepted), (height, 2, 2));
    assert_eq!(node.status(), Health::Running);
}

#[test]
fn the_same_transaction_twice_gives_the_first_receipt() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    let transaction = contribute(1, 1, 500, now());
    let first = node.submit(transaction.clone()).unwrap();
    let again = node.submit(transaction.clone()).unwrap();
    assert_eq!((again.receipt_index, &again.receipt), (first.receipt_index, &first.receipt));
    assert!(!first.is_duplicate && again.is_duplicate);
    assert_eq!(balance(&node, 1), 500);
    drop(node);
    let node = place.driven();
    let again = node.submit(transaction).unwrap();
    assert_eq!((again.receipt_index, &again.receipt), (first.receipt_index, &first.receipt));
    assert!(again.is_duplicate);
    assert_eq!((balance(&node, 1), node.view().tip.log.size()), (500, 2));
    assert_eq!(node.metrics().duplicates, 1);
}

#[test]
fn a_used_key_with_another_body_is_refused_without_a_block() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    node.submit(contribute(1, 1, 500, now())).unwrap();
    let height = node.view().tip.height;
    let refused = node.submit(contribute(1, 1, 501, now())).unwrap_err();
    assert_eq!(refused, SubmitError::Rejected(code::KEY_REUSED.reject()));
    assert_eq!((node.view().tip.height, balance(&node, 1)), (height, 500));
    assert_eq!(node.metrics().rejected_at_admission, 1);
}

#[test]
fn a_transaction_that_is_rejected_in_a_block_keeps_its_receipt_and_may_be_tried_again() {
    let place = Place::new();
    let node = place.driven();
    let transaction = contribute(1, 1, 500, now());
    let id = id_of(&transaction);
    let rejected = node.submit(transaction.clone()).unwrap();
    let OutcomeCode::Rejected(number) = rejected.receipt.record.outcome else {
        panic!("there is no such fund yet");
    };
    assert_eq!(number, fund_code::UNKNOWN_FUND.number);
    assert_eq!(node.receipt_by_transaction(&id).unwrap().unwrap().index, 0);
    node.submit(open_fund(1, now())).unwrap();
    let accepted = node.submit(transaction.clone()).unwrap();
    assert_eq!(accepted.receipt.record.outcome, OutcomeCode::Accepted);
    assert_eq!((accepted.receipt_index, accepted.is_duplicate), (2, false));
    assert_eq!(node.receipt_by_transaction(&id).unwrap().unwrap().index, 2);
    assert!(node.submit(transaction).unwrap().is_duplicate);
    assert_eq!(balance(&node, 1), 500);
}

#[test]
fn bad_form_and_bad_signatures_are_told_apart_and_never_reach_a_block() {
    let place = Place::new();
    let node = place.driven();
    let unsigned = sign(contribute(1, 1, 5, now()).content, &[]);
    let refused = node.submit(unsigned).unwrap_err();
    assert_eq!(refused, SubmitError::Malformed(TransactionError::SignatureCount));

    let mut forged = contribute(1, 1, 5, now());
    forged.authorisations[0].signature = Signature::Ed25519([1; 64]);
    let refused = node.submit(forged).unwrap_err();
    assert!(matches!(refused, SubmitError::Signature(TransactionError::Signature(..))));

    let mut long = contribute(1, 1, 5, now());
    long.content.body = vec![0; 600 * 1024];
    let refused = node.submit(long).unwrap_err();
    assert_eq!(refused, SubmitError::Malformed(TransactionError::TooLarge));

    let mut old = contribute(1, 1, 5, now());
    old.content.valid_until = START;
    let old = sign(old.content, &[&insurer(1)]);
    assert_eq!(node.submit(old).unwrap_err(), SubmitError::Rejected(code::EXPIRED.reject()));
    assert_eq!(node.view().tip.height, 0);
}

#[test]
fn a_rehearsal_says_what_would_happen_and_leaves_nothing() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    let root = node.view().state.root();
    for _ in 0..2 {
        let rehearsal = node.rehearse(contribute(1, 1, 500, now())).unwrap();
        assert_eq!(rehearsal.entries.len(), 1);
        assert_eq!(rehearsal.outcome.events[0].name, "fund_contributed");
        let refused = node.rehearse(contribute(2, 1, 500, now())).unwrap_err();
        assert!(matches!(refused, SubmitError::Rejected(_)));
    }
    assert_eq!((node.view().state.root(), node.view().tip.height), (root, 1));
    node.submit(contribute(1, 1, 500, now())).unwrap();
    let entries = node.rehearse(contribute(1, 2, 7, now())).unwrap().entries;
    assert_eq!(entries[0].entry.amount.minor(), 7);
}

/// Offers transactions without driving the node; the answers so far.
struct Offers {
    sender: std::sync::mpsc::Sender<(u64, node::runtime::SubmitResult)>,
    receiver: std::sync::mpsc::Receiver<(u64, node::runtime::SubmitResult)>,
}

impl Offers {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver }
    }

    fn offer(&self, node: &NodeHandle, number: u64, transaction: ledger::Transaction) {
        let sender = self.sender.clone();
        // Some tests end before everything is answered.
        node.submit_with(transaction, move |answer| drop(sender.send((number, answer))));
    }

    fn answers(&self) -> Vec<(u64, node::runtime::SubmitResult)> {
        self.receiver.try_iter().collect()
    }
}

#[test]
fn what_does_not_fit_is_refused_at_once_and_everything_else_is_answered() {
    let place = Place::new();
    let mut config = place.config(Threads::Caller);
    config.mempool = MempoolLimits { transactions_max: 3, ..MempoolLimits::default() };
    let (node, _) = place.try_open(config).unwrap();
    let offers = Offers::new();
    for number in 0..5 {
        offers.offer(&node, number, contribute(1, number, 5, now()));
    }
    let refused = offers.answers();
    assert_eq!(refused.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4]);
    for (_, answer) in refused {
        let retry_after = Duration::from_secs(1);
        assert_eq!(answer.unwrap_err(), SubmitError::Overloaded { retry_after });
    }
    assert_eq!(node.metrics().waiting_transactions, 3);
    node.run_until_idle();
    assert_eq!(offers.answers().len(), 3);
    assert_eq!(node.metrics().waiting_transactions, 0);
    assert_eq!(node.metrics().waiting_bytes, 0);
    node.submit(open_fund(1, now())).unwrap();
}

#[test]
fn bytes_are_bounded_as_well() {
    let place = Place::new();
    let length = contribute(1, 1, 5, now()).encode().len();
    let mut config = place.config(Threads::Caller);
    config.mempool = MempoolLimits { bytes_max: 2 * length, ..MempoolLimits::default() };
    let (node, _) = place.try_open(config).unwrap();
    let offers = Offers::new();
    for number in 0..3 {
        offers.offer(&node, number, contribute(1, number, 5, now()));
    }
    let refused = offers.answers();
    assert_eq!(refused.len(), 1);
    assert!(matches!(refused[0], (2, Err(SubmitError::Overloaded { .. }))));
}

#[test]
fn one_author_cannot_take_all_places_and_each_has_its_turn() {
    let place = Place::new();
    let mut config = place.config(Threads::Caller);
    config.mempool = MempoolLimits { per_author_max: 4, ..MempoolLimits::default() };
    let (node, _) = place.try_open(config).unwrap();
    let offers = Offers::new();
    for number in 0..10 {
        offers.offer(&node, number, contribute(1, number, 5, now()));
    }
    for number in 20..22 {
        offers.offer(&node, number, contribute(2, number, 5, now()));
    }
    node.run_until_idle();
    let mut answers = offers.answers();
    let overloaded = answers.extract_if(.., |(_, answer)| answer.is_err()).count();
    assert_eq!(overloaded, 6);
    answers.sort_by_key(|(_, answer)| answer.as_ref().unwrap().receipt_index);
    let order: Vec<u64> = answers.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [0, 20, 1, 21, 2, 3], "a turn per author, each in its own order");
}

#[test]
fn on_its_way_the_same_transaction_waits_and_another_body_under_its_key_is_refused() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    let offers = Offers::new();
    let transaction = contribute(1, 1, 500, now());
    offers.offer(&node, 0, transaction.clone());
    offers.offer(&node, 1, transaction.clone());
    offers.offer(&node, 2, contribute(1, 1, 501, now()));
    for number in 3..30 {
        offers.offer(&node, number, transaction.clone());
    }
    node.run_until_idle();
    let mut answers = offers.answers();
    answers.sort_by_key(|(number, _)| *number);
    assert_eq!(answers.len(), 30);
    assert_eq!(answers[2].1, Err(SubmitError::InProgress));
    let (mut first, mut duplicates, mut overloaded) = (0, 0, 0);
    for (number, answer) in answers {
        match answer {
            Ok(submitted) if submitted.is_duplicate => duplicates += 1,
            Ok(_) => {
                assert_eq!(number, 0);
                first += 1;
            }
            Err(SubmitError::Overloaded { .. }) => overloaded += 1,
            Err(error) => assert_eq!(error, SubmitError::InProgress),
        }
    }
    assert_eq!((first, duplicates, overloaded), (1, 15, 13), "16 may wait for one transaction");
    assert_eq!(balance(&node, 1), 500);
}

#[test]
fn block_time_catches_up_a_day_at_a_time_before_the_next_transaction() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    assert_eq!(node.view().tip.time, now());
    place.clock.advance_millis(10 * DAY + 5);
    node.run_until_idle();
    assert_eq!(node.view().tip.height, 1, "an idle ledger makes no blocks");
    let later = now().plus_millis(10 * DAY + 5);
    let submitted = node.submit(contribute(1, 1, 500, later)).unwrap();
    assert_eq!(submitted.receipt.record.outcome, OutcomeCode::Accepted);
    assert_eq!(submitted.receipt.record.time, later);
    assert_eq!(node.view().tip.height, 12);
    for height in 2..=11 {
        assert!(node.block(height).unwrap().unwrap().transactions.is_empty());
    }
    place.clock.set(START);
    let submitted = node.submit(contribute(1, 2, 500, later)).unwrap();
    assert_eq!(submitted.receipt.record.time, later, "block time never goes back");
}

#[test]
fn a_block_is_bounded_in_count_and_bytes() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    let offers = Offers::new();
    for number in 0..2_500 {
        offers.offer(&node, number, contribute(1, number + 1, 1, now()));
    }
    node.run_until_idle();
    assert_eq!(offers.answers().len(), 2_500);
    assert_eq!(node.view().tip.height, 3);
    let block = node.block(2).unwrap().unwrap();
    assert_eq!(block.transactions.len(), 2_000);
    assert!(block.encode().len() <= ledger::kernel::block::BLOCK_BYTES_MAX);
    // Large bodies: three of them do not fit one block.
    for number in 0..3 {
        let mut large = content("bureau", number, now(), &ledger_kind());
        large.body = vec![0; 400 * 1024];
        offers.offer(&node, number, sign(large, &["bureau"]));
    }
    node.run_until_idle();
    assert_eq!(node.view().tip.height, 5);
    assert_eq!(node.block(4).unwrap().unwrap().transactions.len(), 2);
    assert!(offers.answers().iter().all(|(_, answer)| {
        let outcome = answer.as_ref().unwrap().receipt.record.outcome;
        outcome == OutcomeCode::Rejected(code::MALFORMED_BODY.number)
    }));
}

fn ledger_kind() -> ledger::modules::fund::CloseFund {
    ledger::modules::fund::CloseFund { region: crate::world::REGION, fund: primitives::FundId(1) }
}

#[test]
fn subscribers_hear_of_every_block_in_order_and_slow_ones_are_dropped_and_told() {
    let place = Place::new();
    let node = place.driven();
    let (quick, slow) = (node.subscribe(), node.subscribe());
    for height in 1..=9 {
        let first = (height - 1) * 2_000;
        node.submit_all((0..2_000).map(|nth| contribute(1, first + nth, 5, now())).collect());
        let block = quick.try_next_block().unwrap();
        assert_eq!((block.header().height, block.first_receipt), (height, first));
        assert_eq!(block.placed().last().unwrap().index, first + 1_999);
        assert_eq!(quick.try_next_block().unwrap_err(), SubscriptionEnd::Timeout);
    }
    let mut heard = 0;
    let end = loop {
        match slow.next_block() {
            Ok(block) => {
                heard += 1;
                assert_eq!(block.header().height, heard);
            }
            Err(end) => break end,
        }
    };
    assert_eq!((heard, end), (8, SubscriptionEnd::TooSlow), "16,384 receipts and blocks");
    assert_eq!(node.metrics().subscribers, 1);
    assert_eq!(quick.next_block_within(Duration::ZERO).unwrap_err(), SubscriptionEnd::Timeout);
    node.stop();
    assert_eq!(quick.next_block().unwrap_err(), SubscriptionEnd::Stopped);
    assert_eq!(node.subscribe().next_block().unwrap_err(), SubscriptionEnd::Stopped);
}

#[test]
fn a_stopped_node_takes_nothing_and_answers_everybody() {
    let place = Place::new();
    let node = place.driven();
    let offers = Offers::new();
    offers.offer(&node, 0, open_fund(1, now()));
    node.stop();
    assert_eq!(offers.answers(), [(0, Err(SubmitError::Stopped))]);
    assert_eq!(node.submit(open_fund(1, now())), Err(SubmitError::Stopped));
    assert_eq!(node.status(), Health::Stopped);
}

#[test]
fn an_answer_that_panics_does_not_take_the_node_with_it() {
    let place = Place::new();
    let (node, _) = place.open();
    node.submit_with(open_fund(1, now()), |_| panic!("a caller's mistake"));
    node.submit(contribute(1, 1, 500, now())).unwrap();
    assert_eq!((balance(&node, 1), node.status()), (500, Health::Running));
}

#[test]
fn a_handle_can_be_shared_between_threads() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<NodeHandle>();
}
