use std::sync::mpsc::{Receiver, Sender, channel};

use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::{Authorisation, Content, registry};
use primitives::{Timestamp, codec, sha256};

use super::*;
use crate::signature::{FastVerifier, Scheme, SecretKey};

type Answers = (Sender<(u64, SubmitResult)>, Receiver<(u64, SubmitResult)>);

fn party(author: &str) -> Party {
    Party::Organisation(author.parse().unwrap())
}

/// A validly signed transaction; equal numbers give equal keys, equal bodies equal transactions.
fn transaction(author: &str, number: u64, body: u8) -> Transaction {
    let random = sha256(&codec::encode(&(author, number))).0;
    let key = SecretKey::from_seed(Scheme::Ed25519, &sha256(author.as_bytes()).0);
    let content = Content {
        version: TRANSACTION_VERSION,
        chain_id: "test".parse().unwrap(),
        author: party(author),
        idempotency_key: IdempotencyKey(random[..16].try_into().unwrap()),
        valid_until: Timestamp::from_millis(1),
        kind: 602,
        body: vec![body],
    };
    let signature = key.sign(&content.id());
    let authorisation = Authorisation { party: content.author, key: key.public_key(), signature };
    Transaction { content, authorisations: vec![authorisation] }
}

fn offer(pool: &Mempool, answers: &Answers, number: u64, transaction: Transaction) {
    let sender = answers.0.clone();
    let bytes = transaction.encode().len();
    pool.offer(transaction, bytes, Box::new(move |answer| drop(sender.send((number, answer)))));
}

fn check(jobs: Vec<Job>) -> Vec<(Ticket, Checked)> {
    let registry = registry();
    let check = |job: Job| {
        let (ticket, transaction) = job.split();
        let verified = transaction.clone().verify(&FastVerifier, &registry).unwrap();
        let bytes = ticket.bytes;
        (ticket, Checked::Candidate(Box::new(Candidate { transaction, verified, bytes })))
    };
    jobs.into_iter().map(check).collect()
}

fn bodies(batch: &[Candidate]) -> Vec<u8> {
    batch.iter().map(|candidate| candidate.transaction.content.body[0]).collect()
}

#[test]
fn checked_transactions_come_out_in_the_order_they_were_offered() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    for number in 0..9 {
        offer(&pool, &answers, number, transaction("a", number, number as u8));
    }
    let [first, second, third] = [(); 3].map(|()| pool.jobs(3, false));
    pool.checked(check(third));
    pool.checked(check(second));
    assert!(!pool.has_candidates(), "the first three are still being checked");
    pool.checked(check(first));
    assert_eq!(bodies(&pool.take(100, 1 << 20)), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn an_answered_check_does_not_hold_up_the_others() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    for number in 0..3 {
        offer(&pool, &answers, number, transaction("a", number, number as u8));
    }
    let mut results = check(pool.jobs(9, false));
    results[0].1 = Checked::Answered(Err(SubmitError::Stopped));
    pool.checked(results);
    assert_eq!(bodies(&pool.take(100, 1 << 20)), [1, 2]);
    let told: Vec<_> = answers.1.try_iter().collect();
    assert_eq!(told, [(0, Err(SubmitError::Stopped))]);
    assert_eq!(pool.fill().transactions, 2);
}

#[test]
fn a_batch_keeps_within_count_and_bytes_and_leaves_the_rest() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    let length = transaction("a", 0, 0).encode().len();
    for number in 0..6 {
        offer(&pool, &answers, number, transaction("a", number, number as u8));
    }
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(bodies(&pool.take(2, 1 << 20)), [0, 1]);
    assert_eq!(bodies(&pool.take(9, 3 * length + 1)), [2, 3, 4]);
    assert!(pool.take(9, length - 1).is_empty());
    assert_eq!(bodies(&pool.take(9, length)), [5]);
    assert!(!pool.has_candidates());
    assert_eq!(pool.fill().transactions, 6, "they count until they are finished");
    let answered = (0..6).map(|number| {
        let key = (party("a"), transaction("a", number, 0).content.idempotency_key);
        (key, Err(SubmitError::Stopped))
    });
    pool.finish(answered);
    assert_eq!(pool.fill(), MempoolFill::default());
}

#[test]
fn every_offer_is_answered_when_the_pool_stops() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    for number in 0..8 {
        offer(&pool, &answers, number, transaction("a", number, number as u8));
    }
    // 0 and 1 are executed, 2 and 3 wait, 4 and 5 are checked out of order, 6 is being checked, 7
    // is unchecked.
    pool.checked(check(pool.jobs(4, false)));
    let executing = pool.take(2, 1 << 20);
    let being_checked = pool.jobs(1, false);
    pool.checked(check(pool.jobs(1, false)));
    let also_being_checked = pool.jobs(1, false);
    pool.close();
    let mut told: Vec<_> = answers.1.try_iter().map(|(number, _)| number).collect();
    told.sort_unstable();
    assert_eq!(told, [2, 3, 5, 7], "those that nobody works on");
    offer(&pool, &answers, 8, transaction("a", 8, 8));
    assert_eq!(answers.1.try_recv(), Ok((8, Err(SubmitError::Stopped))));
    pool.checked(check(being_checked));
    pool.checked(check(also_being_checked));
    let told: Vec<_> = answers.1.try_iter().collect();
    assert_eq!(told, [(4, Err(SubmitError::Stopped)), (6, Err(SubmitError::Stopped))]);
    assert!(pool.jobs(9, true).is_empty(), "nobody waits for ever");
    assert!(!pool.wait_for_candidates());

    pool.finish([(executing[0].key(), Err(SubmitError::InProgress))]);
    assert_eq!(answers.1.try_recv(), Ok((0, Err(SubmitError::InProgress))));
    pool.abort();
    let transaction_id = executing[1].verified.id();
    assert_eq!(answers.1.try_recv(), Ok((1, Err(SubmitError::Unknown { transaction_id }))));
    assert!(pool.is_empty());
    assert!(answers.1.try_recv().is_err(), "nobody is answered twice");
}

#[test]
fn a_key_is_free_again_once_its_transaction_is_answered() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    offer(&pool, &answers, 0, transaction("a", 1, 1));
    offer(&pool, &answers, 1, transaction("a", 1, 2));
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(answers.1.try_recv(), Ok((1, Err(SubmitError::InProgress))));
    let batch = pool.take(9, 1 << 20);
    offer(&pool, &answers, 2, transaction("a", 1, 2));
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(answers.1.try_recv(), Ok((2, Err(SubmitError::InProgress))), "also in a block");
    pool.finish([(batch[0].key(), Err(SubmitError::Stopped))]);
    offer(&pool, &answers, 3, transaction("a", 1, 2));
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(bodies(&pool.take(9, 1 << 20)), [2]);
}

/// As when another node passes these bytes on.
fn pass_on(pool: &Mempool, transaction: &Transaction) {
    let bytes = transaction.encode();
    let digest = sha256(&bytes);
    if !pool.has(transaction, &digest) {
        pool.offer_passed_on(transaction.clone(), bytes.len(), digest);
    }
}

#[test]
fn what_others_pass_on_again_is_checked_once() {
    let pool = Mempool::new(MempoolLimits::default());
    pool.share(Box::new(|| ()));
    let one = transaction("a", 1, 1);
    // While it waits, while it is checked, and while it is a candidate.
    pass_on(&pool, &one);
    pass_on(&pool, &one);
    let jobs = pool.jobs(9, false);
    assert_eq!(jobs.len(), 1);
    pass_on(&pool, &one);
    assert_eq!(pool.fill().unchecked, 0);
    pool.checked(check(jobs));
    pass_on(&pool, &one);
    assert_eq!((pool.fill().unchecked, pool.fill().transactions), (0, 1));
    // It is told to nobody: who passed it on told all.
    assert!(pool.to_pass_on(Duration::ZERO, 9).is_empty());
    // Once it is out of the pool it is as new.
    let batch = pool.peek(9, usize::MAX);
    pool.settle(vec![(batch[0].key(), Err(SubmitError::Stopped))]);
    pass_on(&pool, &one);
    assert_eq!(pool.fill().unchecked, 1);
}

#[test]
fn others_leave_half_of_the_pool_to_our_own_submitters() {
    let limits = MempoolLimits { transactions_max: 8, ..MempoolLimits::default() };
    let (pool, answers) = (Mempool::new(limits), channel());
    pool.share(Box::new(|| ()));
    let others: Vec<_> = (0..6).map(|number| transaction("liar", number, number as u8)).collect();
    others.iter().for_each(|one| pass_on(&pool, one));
    assert_eq!(pool.fill().transactions, 4, "two found no room");
    for number in 10..14 {
        offer(&pool, &answers, number, transaction("a", number, number as u8));
    }
    assert_eq!(pool.fill().transactions, 8);
    offer(&pool, &answers, 14, transaction("a", 14, 14));
    let refused = SubmitError::Overloaded { retry_after: RETRY_AFTER };
    assert_eq!(answers.1.try_iter().collect::<Vec<_>>(), [(14, Err(refused))]);
    // What is decided makes room for others again; what is submitted here too is one of ours.
    pool.checked(check(pool.jobs(9, false)));
    let decided: Vec<_> = pool.peek(9, usize::MAX).iter().map(Candidate::key).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = decided.into_iter().partition(|key| key.0 == party("a"));
    assert_eq!((ours.len(), theirs.len()), (4, 4));
    pool.settle(ours.into_iter().map(|key| (key, Err(SubmitError::Stopped))).collect());
    pass_on(&pool, &others[4]);
    assert_eq!(pool.fill().transactions, 4, "theirs are as many as may be");
    offer(&pool, &answers, 20, others[0].clone());
    pool.checked(check(pool.jobs(9, false)));
    pass_on(&pool, &others[4]);
    assert_eq!(pool.fill().transactions, 5, "one of theirs is ours too");
    pool.settle(theirs.into_iter().map(|key| (key, Err(SubmitError::Stopped))).collect());
    pass_on(&pool, &others[5]);
    assert_eq!(pool.fill().transactions, 2);
}

#[test]
fn others_are_told_at_once_and_again_later_and_not_of_what_was_decided() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    pool.share(Box::new(|| ()));
    let (first, second) = (transaction("a", 1, 1), transaction("b", 2, 2));
    offer(&pool, &answers, 1, first.clone());
    offer(&pool, &answers, 2, second.clone());
    pool.checked(check(pool.jobs(9, false)));
    let hour = Duration::from_secs(3_600);
    // So many at once, the rest with the next call.
    assert_eq!(pool.to_pass_on(hour, 1), [first.encode()]);
    assert!(pool.has_untold());
    assert_eq!(pool.to_pass_on(hour, 9), [second.encode()]);
    assert!(!pool.has_untold() && pool.to_pass_on(hour, 9).is_empty());
    let mut again = pool.to_pass_on(Duration::ZERO, 9);
    again.sort();
    let mut both = [first.encode(), second.encode()];
    both.sort();
    assert_eq!(again, both);
    // Whoever comes hears of all of them.
    assert!(pool.to_pass_on(hour, 9).is_empty());
    pool.forget_told();
    assert_eq!(pool.to_pass_on(hour, 9).len(), 2);
    let keys: Vec<_> = pool.peek(9, usize::MAX).iter().map(Candidate::key).collect();
    pool.settle(keys.iter().map(|key| (*key, Err(SubmitError::Stopped))).collect());
    assert!(pool.to_pass_on(Duration::ZERO, 9).is_empty());
}

#[test]
fn a_late_copy_of_what_a_block_rejected_is_not_tried_again() {
    let (pool, answers) = (Mempool::new(MempoolLimits::default()), channel());
    pool.share(Box::new(|| ()));
    let (rejected, other) = (transaction("a", 1, 1), transaction("a", 2, 2));
    let pass_on = |one: &Transaction| pass_on(&pool, one);
    // One copy came in time, and is still being checked when the block is decided.
    pass_on(&rejected);
    let jobs = pool.jobs(9, false);
    pool.note_rejected([rejected.content.id()]);
    pool.checked(check(jobs));
    // Others come afterwards.
    pass_on(&rejected);
    pass_on(&other);
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(bodies(&pool.peek(9, usize::MAX)), [2], "only what was not rejected is left");
    assert_eq!(pool.fill().transactions, 1);
    // Whoever submits it here wants another try.
    offer(&pool, &answers, 1, rejected);
    pool.checked(check(pool.jobs(9, false)));
    assert_eq!(bodies(&pool.peek(9, usize::MAX)), [2, 1]);
}

#[test]
fn as_many_rejected_transactions_are_remembered_as_there_is_room_for() {
    let pool = Mempool::new(MempoolLimits::default());
    let id = |number: usize| sha256(&number.to_le_bytes());
    pool.note_rejected((0..REJECTED_MAX + 3).map(id));
    let inner = pool.lock();
    assert_eq!((inner.rejected.len(), inner.rejected_in_order.len()), (REJECTED_MAX, REJECTED_MAX));
    assert!(!inner.rejected.contains(&id(2)) && inner.rejected.contains(&id(3)));
}
