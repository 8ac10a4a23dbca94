//! Transactions on their way into a block: bounded in count and bytes, fair between authors, each
//! only once.
//!
//! A transaction passes three stations: it waits for its signatures to be checked, then in its
//! author's queue, then it is executed. It leaves when its answer is known; until then its
//! idempotency key is taken, and the same transaction offered again waits for the same answer.
//!
//! Invariants: transactions of one author keep the order in which they were offered, however many
//! threads check signatures (test `checked_transactions_come_out_in_the_order_they_were_offered`);
//! every offer is answered exactly once (test `every_offer_is_answered_when_the_pool_stops`); what
//! a block rejected is tried again only when somebody submits it here again, never because a copy
//! comes late from another node (test
//! `a_late_copy_of_what_a_block_rejected_is_not_tried_again`); what other nodes pass on leaves half
//! of the pool to those who submit here (test
//! `others_leave_half_of_the_pool_to_our_own_submitters`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ledger::{IdempotencyKey, Transaction, VerifiedTransaction};
use primitives::{Hash, Party};

use crate::runtime::metrics::Durations;
use crate::runtime::{SubmitError, SubmitResult};
use room::Room;

/// How many callers may wait for one transaction at once. Our own limit: it bounds memory.
const WAITERS_PER_TRANSACTION_MAX: usize = 16;
/// How many of the last transactions that blocks rejected are remembered: more than are on their
/// way between nodes.
const REJECTED_MAX: usize = 65_536;
/// What other nodes pass on takes one of so many parts of the pool: none of them keeps our own
/// submitters out. They pass on again what finds no room. Our own limit.
const PASSED_ON_PART: usize = 2;
/// When to try again after "overloaded": the pool holds a second or two of work.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How much the pool holds. What does not fit is refused at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Transactions at all stations together.
    pub transactions_max: usize,
    /// Their encoded bytes together.
    pub bytes_max: usize,
    /// Checked transactions of one author that wait for a block.
    pub per_author_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self { transactions_max: 16_384, bytes_max: 64 << 20, per_author_max: 4_096 }
    }
}

/// Where an answer goes. It is called once, from any thread, and must not block.
pub(crate) type Answer = Box<dyn FnOnce(SubmitResult) + Send>;

/// Who used which key: what may be in the pool only once.
pub(crate) type Key = (Party, IdempotencyKey);

/// A transaction whose signatures are to be checked.
pub(crate) struct Job {
    number: u64,
    bytes: usize,
    pub(crate) transaction: Transaction,
    /// The digest of its bytes, when another node passed it on.
    passed_on: Option<Hash>,
    answer: Answer,
}

impl Job {
    /// The job without its transaction, and the transaction.
    pub(crate) fn split(self) -> (Ticket, Transaction) {
        let Self { number, bytes, transaction, passed_on, answer } = self;
        (Ticket { number, bytes, passed_on, answer }, transaction)
    }
}

/// The place of a job in the order of offers.
pub(crate) struct Ticket {
    number: u64,
    pub(crate) bytes: usize,
    passed_on: Option<Hash>,
    answer: Answer,
}

/// A transaction whose signatures are valid.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// As it will stand in the block.
    pub(crate) transaction: Transaction,
    /// As it will be executed.
    pub(crate) verified: VerifiedTransaction,
    /// Its encoded length.
    pub(crate) bytes: usize,
}

impl Candidate {
    pub(crate) fn key(&self) -> Key {
        let content = self.verified.content();
        (content.author, content.idempotency_key)
    }
}

/// What the check of a job found.
pub(crate) enum Checked {
    /// It may go on to its author's queue.
    Candidate(Box<Candidate>),
    /// It need not: this is its answer.
    Answered(SubmitResult),
}

/// How full the pool is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MempoolFill {
    /// Transactions at all stations.
    pub transactions: usize,
    /// Their encoded bytes.
    pub bytes: usize,
    /// Those of them whose signatures are still to be checked.
    pub unchecked: usize,
}

pub(crate) struct Mempool {
    limits: MempoolLimits,
    inner: Mutex<Inner>,
    jobs_came: Condvar,
    candidates_came: Condvar,
    /// Who else is told of candidates and of the end: the node of a network, which also waits for
    /// other things. Several organisations have such a pool's transactions at once.
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// How long the checks of transactions' signatures took.
    pub(crate) checks: Durations,
}

#[derive(Default)]
struct Inner {
    is_stopped: bool,
    transactions: usize,
    bytes: usize,
    next_number: u64,
    unchecked: VecDeque<Job>,
    /// Checked out of order; released from the lowest number on, without a gap.
    checked: BTreeMap<u64, (Ticket, Checked)>,
    next_release: u64,
    by_author: BTreeMap<Party, VecDeque<Candidate>>,
    /// Authors with a queue, the next one in front.
    turns: VecDeque<Party>,
    in_progress: BTreeMap<Key, InProgress>,
    /// Digests of what others passed on and whose signatures are not checked yet.
    arriving: BTreeSet<Hash>,
    /// What came from other nodes alone, of all that is here.
    passed_on: Room,
    /// Whether others are told of candidates.
    is_shared: bool,
    /// Candidates of which the others were never told.
    untold: VecDeque<Key>,
    /// When all candidates were last looked through for some to be told of again.
    looked_through: Option<Instant>,
    /// The last transactions that blocks rejected, also in the order in which they were.
    rejected: BTreeSet<Hash>,
    rejected_in_order: VecDeque<Hash>,
}

struct InProgress {
    id: Hash,
    bytes: usize,
    is_executing: bool,
    /// When the others were last told of it, and how often; what came from them, they know.
    told: Option<(Instant, u32)>,
    is_passed_on: bool,
    answers: Vec<Answer>,
}

/// Answers to give once the lock is released.
type Due = Vec<(Answer, SubmitResult)>;

/// Calls the answers. One that panics is its caller's fault and nobody else's.
fn give(due: Due) {
    for (answer, result) in due {
        if catch_unwind(AssertUnwindSafe(|| answer(result))).is_err() {
            tracing::error!("whoever submitted a transaction panicked at the answer");
        }
    }
}

impl Mempool {
    pub(crate) fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            inner: Mutex::default(),
            jobs_came: Condvar::new(),
            candidates_came: Condvar::new(),
            waker: OnceLock::new(),
            checks: Durations::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a transaction in, or answers why not.
    pub(crate) fn offer(&self, transaction: Transaction, bytes: usize, answer: Answer) {
        self.offer_as(transaction, bytes, answer, None);
    }

    fn offer_as(
        &self,
        transaction: Transaction,
        bytes: usize,
        answer: Answer,
        passed_on: Option<Hash>,
    ) {
        let mut inner = self.lock();
        let MempoolLimits { transactions_max, bytes_max, .. } = self.limits;
        let all = Room { transactions: inner.transactions, bytes: inner.bytes };
        let others = (transactions_max / PASSED_ON_PART, bytes_max / PASSED_ON_PART);
        let is_full = !all.has_place(bytes, (transactions_max, bytes_max))
            || passed_on.is_some() && !inner.passed_on.has_place(bytes, others);
        let refusal = if inner.is_stopped {
            Some(SubmitError::Stopped)
        } else {
            is_full.then_some(SubmitError::Overloaded { retry_after: RETRY_AFTER })
        };
        if let Some(refusal) = refusal {
            drop(inner);
            return give(vec![(answer, Err(refusal))]);
        }
        inner.transactions += 1;
        inner.bytes += bytes;
        if passed_on.is_some() {
            inner.passed_on.take(bytes);
        }
        let number = inner.next_number;
        inner.next_number += 1;
        inner.arriving.extend(passed_on);
        inner.unchecked.push_back(Job { number, bytes, transaction, passed_on, answer });
        drop(inner);
        self.jobs_came.notify_one();
    }

    /// Up to `max` jobs, the oldest first. Waits for the first one if asked to; then an empty
    /// answer means that the pool has stopped.
    pub(crate) fn jobs(&self, max: usize, wait: bool) -> Vec<Job> {
        let mut inner = self.lock();
        while wait && inner.unchecked.is_empty() && !inner.is_stopped {
            inner = self.jobs_came.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        let count = inner.unchecked.len().min(max);
        inner.unchecked.drain(..count).collect()
    }

    /// Takes jobs back from the check of their signatures.
    pub(crate) fn checked(&self, results: Vec<(Ticket, Checked)>) {
        let mut due = Due::new();
        let mut inner = self.lock();
        if inner.is_stopped {
            due.extend(results.into_iter().map(|(ticket, checked)| match checked {
                Checked::Answered(result) => (ticket.answer, result),
                Checked::Candidate(_) => (ticket.answer, Err(SubmitError::Stopped)),
            }));
        } else {
            for (ticket, checked) in results {
                inner.checked.insert(ticket.number, (ticket, checked));
            }
            while let Some((ticket, checked)) = inner.take_next_checked() {
                due.extend(inner.release(&self.limits, ticket, checked));
            }
        }
        let has_candidates = !inner.turns.is_empty();
        drop(inner);
        if has_candidates {
            self.candidates_came.notify_one();
            self.wake();
        }
        give(due);
    }

    /// Makes this the pool of a node among others: candidates stay until they are decided, and this
    /// is called when there are some and when the pool stops.
    pub(crate) fn share(&self, waker: Box<dyn Fn() + Send + Sync>) {
        drop(self.waker.set(waker));
        self.lock().is_shared = true;
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker();
        }
    }

    /// Whether the pool has stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Whether somebody's transaction waits for a block.
    pub(crate) fn has_candidates(&self) -> bool {
        !self.lock().turns.is_empty()
    }

    /// Waits for a candidate; `false` when the pool has stopped.
    pub(crate) fn wait_for_candidates(&self) -> bool {
        let mut inner = self.lock();
        while inner.turns.is_empty() && !inner.is_stopped {
            inner = self.candidates_came.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.is_stopped
    }

    /// Candidates for a block, at most so many and so many bytes, a turn per author.
    pub(crate) fn take(&self, count_max: usize, bytes_max: usize) -> Vec<Candidate> {
        let mut inner = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        while batch.len() < count_max {
            let Some(candidate) = inner.take_turn(bytes_max.saturating_sub(bytes)) else { break };
            bytes = bytes.saturating_add(candidate.bytes);
            batch.push(candidate);
        }
        batch
    }

    /// As [`Mempool::take`], but they stay where they are: somebody else's block may have them.
    pub(crate) fn peek(&self, count_max: usize, bytes_max: usize) -> Vec<Candidate> {
        let inner = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        for place in 0.. {
            let mut is_done = true;
            for author in &inner.turns {
                let Some(candidate) =
                    inner.by_author.get(author).and_then(|queue| queue.get(place))
                else {
                    continue;
                };
                bytes = bytes.saturating_add(candidate.bytes);
                if batch.len() >= count_max || bytes > bytes_max {
                    return batch;
                }
                batch.push(candidate.clone());
                is_done = false;
            }
            if is_done {
                break;
            }
        }
        batch
    }

    /// The signatures of this very transaction, authorisations included, when they were checked.
    pub(crate) fn verified(&self, transaction: &Transaction) -> Option<VerifiedTransaction> {
        let inner = self.lock();
        let key = (transaction.content.author, transaction.content.idempotency_key);
        inner.in_progress.get(&key)?;
        let mut queue = inner.by_author.get(&key.0)?.iter();
        let there = queue.find(|candidate| candidate.key() == key)?;
        (there.transaction == *transaction).then(|| there.verified.clone())
    }

    /// Remembers what a block rejected, in a network: whoever sent it is told so, and a copy that
    /// another node passed on must not make it happen afterwards.
    pub(crate) fn note_rejected(&self, ids: impl IntoIterator<Item = Hash>) {
        let mut inner = self.lock();
        for id in ids {
            if inner.rejected.insert(id) {
                inner.rejected_in_order.push_back(id);
            }
        }
        while inner.rejected_in_order.len() > REJECTED_MAX {
            let Some(oldest) = inner.rejected_in_order.pop_front() else { break };
            inner.rejected.remove(&oldest);
        }
    }

    /// As [`Mempool::finish`]; candidates that were left where they are leave the pool. Somebody
    /// else's block may have another transaction with the same key: ours is then still to be
    /// answered.
    pub(crate) fn settle(&self, mut results: Vec<(Key, SubmitResult)>) {
        if self.waker.get().is_some() {
            let mut inner = self.lock();
            results.retain(|(key, result)| {
                let Ok(submitted) = result else { return true };
                let waiting = inner.in_progress.get(key);
                waiting.is_none_or(|one| one.id == submitted.receipt.record.transaction_id)
            });
            results.iter().for_each(|(key, _)| inner.remove(key));
        }
        self.finish(results);
    }

    /// Gives everybody who waits for these keys the answer. The first one who came hears it as it
    /// is, all others as a duplicate.
    pub(crate) fn finish(&self, results: impl IntoIterator<Item = (Key, SubmitResult)>) {
        let mut due = Due::new();
        let mut inner = self.lock();
        for (key, result) in results {
            let Some(finished) = inner.in_progress.remove(&key) else { continue };
            inner.forget(finished.bytes, finished.is_passed_on);
            let mut result = result;
            for answer in finished.answers {
                due.push((answer, result.clone()));
                if let Ok(submitted) = &mut result {
                    submitted.is_duplicate = true;
                }
            }
        }
        drop(inner);
        give(due);
    }

    /// Takes nothing in any more and answers everybody whose transaction is not in a block yet.
    /// Those that are executed now are still to be finished.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        // What others may have, they may decide.
        let is_shared = self.waker.get().is_some();
        let executing =
            inner.in_progress.extract_if(.., |_, entry| entry.is_executing || is_shared);
        let executing: BTreeMap<Key, InProgress> = executing.collect();
        let closed = std::mem::take(&mut *inner);
        inner.is_stopped = true;
        inner.transactions = executing.len();
        inner.in_progress = executing;
        drop(inner);
        self.jobs_came.notify_all();
        self.candidates_came.notify_all();
        self.wake();
        let mut due = Due::new();
        due.extend(closed.unchecked.into_iter().map(|job| (job.answer, Err(SubmitError::Stopped))));
        due.extend(closed.checked.into_values().map(|(ticket, checked)| match checked {
            Checked::Answered(result) => (ticket.answer, result),
            Checked::Candidate(_) => (ticket.answer, Err(SubmitError::Stopped)),
        }));
        let waiting = closed.in_progress.into_values().flat_map(|entry| entry.answers);
        due.extend(waiting.map(|answer| (answer, Err(SubmitError::Stopped))));
        give(due);
    }

    /// As [`Mempool::close`]; whoever may stand in a block is told that the outcome is unknown.
    pub(crate) fn abort(&self) {
        self.close();
        let mut inner = self.lock();
        let executing = std::mem::take(&mut inner.in_progress);
        inner.transactions = 0;
        drop(inner);
        let mut due = Due::new();
        for entry in executing.into_values() {
            let unknown = SubmitError::Unknown { transaction_id: entry.id };
            due.extend(entry.answers.into_iter().map(|answer| (answer, Err(unknown.clone()))));
        }
        give(due);
    }

    /// Whether nothing waits at any station.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().transactions == 0
    }

    pub(crate) fn fill(&self) -> MempoolFill {
        let inner = self.lock();
        MempoolFill {
            transactions: inner.transactions,
            bytes: inner.bytes,
            unchecked: inner.unchecked.len(),
        }
    }
}

impl Inner {
    fn take_next_checked(&mut self) -> Option<(Ticket, Checked)> {
        let next = self.checked.remove(&self.next_release)?;
        self.next_release += 1;
        Some(next)
    }

    /// Puts a checked transaction into its author's queue, or says what else became of it.
    fn release(
        &mut self,
        limits: &MempoolLimits,
        ticket: Ticket,
        checked: Checked,
    ) -> Option<(Answer, SubmitResult)> {
        let Ticket { bytes, passed_on, answer, .. } = ticket;
        let is_passed_on = passed_on.is_some_and(|digest| {
            self.arriving.remove(&digest);
            true
        });
        let candidate = match checked {
            Checked::Answered(result) => {
                self.forget(bytes, is_passed_on);
                return Some((answer, result));
            }
            Checked::Candidate(candidate) => candidate,
        };
        let overloaded = SubmitError::Overloaded { retry_after: RETRY_AFTER };
        let (key, id) = (candidate.key(), candidate.verified.id());
        if is_passed_on && self.rejected.contains(&id) {
            // Nobody waits for the answer of what was passed on.
            self.forget(bytes, is_passed_on);
            return None;
        }
        if let Some(known) = self.in_progress.get_mut(&key) {
            let refusal = if known.id != id {
                SubmitError::InProgress
            } else if known.answers.len() >= WAITERS_PER_TRANSACTION_MAX {
                overloaded
            } else {
                known.answers.push(answer);
                if known.is_passed_on && !is_passed_on {
                    known.is_passed_on = false;
                    self.passed_on.leave(known.bytes);
                }
                self.forget(bytes, is_passed_on);
                return None;
            };
            self.forget(bytes, is_passed_on);
            return Some((answer, Err(refusal)));
        }
        let queue = self.by_author.entry(key.0).or_default();
        if queue.len() >= limits.per_author_max {
            self.forget(bytes, is_passed_on);
            return Some((answer, Err(overloaded)));
        }
        if queue.is_empty() {
            self.turns.push_back(key.0);
        }
        queue.push_back(*candidate);
        let (is_executing, told, answers) = (false, None, vec![answer]);
        let entry = InProgress { id, bytes, is_executing, told, is_passed_on, answers };
        self.in_progress.insert(key, entry);
        if self.is_shared && !is_passed_on {
            self.untold.push_back(key);
        }
        None
    }

    /// Takes a candidate out of its author's queue.
    fn remove(&mut self, key: &Key) {
        let Some(queue) = self.by_author.get_mut(&key.0) else { return };
        let place = queue.iter().position(|candidate| candidate.key() == *key);
        place.and_then(|place| queue.remove(place));
        if queue.is_empty() {
            self.by_author.remove(&key.0);
            self.turns.retain(|author| *author != key.0);
        }
    }

    fn forget(&mut self, bytes: usize, is_passed_on: bool) {
        self.transactions = self.transactions.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if is_passed_on {
            self.passed_on.leave(bytes);
        }
    }

    /// The oldest candidate of the author whose turn it is, unless it is longer than this.
    fn take_turn(&mut self, bytes_max: usize) -> Option<Candidate> {
        let author = *self.turns.front()?;
        let queue = self.by_author.get_mut(&author)?;
        if queue.front()?.bytes > bytes_max {
            return None;
        }
        let candidate = queue.pop_front()?;
        self.turns.pop_front();
        if queue.is_empty() {
            self.by_author.remove(&author);
        } else {
            self.turns.push_back(author);
        }
        if let Some(entry) = self.in_progress.get_mut(&candidate.key()) {
            entry.is_executing = true;
        }
        Some(candidate)
    }
}

mod pass_on;
mod room;
#[cfg(test)]
mod tests;
