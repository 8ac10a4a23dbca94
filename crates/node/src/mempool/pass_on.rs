//! What several organisations' pools tell each other.
//!
//! A submitter's own node tells all others at once, and again later until a block has it: whoever
//! was not there hears of it then. What came from others is told to nobody.

use std::time::{Duration, Instant};

use ledger::Transaction;
use primitives::Hash;

use super::{InProgress, Inner, Key, Mempool};

/// How often the time doubles after which others are told of a transaction again.
const AGAIN_DOUBLINGS_MAX: u32 = 5;

impl Mempool {
    /// Whether these bytes, which another node passes on, are here already. Asked before anything
    /// that takes longer: others pass on again what is not decided.
    pub(crate) fn has(&self, transaction: &Transaction, digest: &Hash) -> bool {
        let key = (transaction.content.author, transaction.content.idempotency_key);
        let inner = self.lock();
        inner.in_progress.contains_key(&key) || inner.arriving.contains(digest)
    }

    /// Takes a transaction in that another node passed on and that is not here already
    /// ([`Mempool::has`]).
    pub(crate) fn offer_passed_on(&self, transaction: Transaction, bytes: usize, digest: Hash) {
        self.offer_as(transaction, bytes, Box::new(|_| ()), Some(digest));
    }

    /// Those of our own submitters' transactions that the others were never told of, and those that
    /// they were told of this long ago, twice as long each time. Notes that they are told now.
    pub(crate) fn to_pass_on(&self, again: Duration, count_max: usize) -> Vec<Vec<u8>> {
        let mut inner = self.lock();
        let now = Instant::now();
        let mut passed = Vec::new();
        while passed.len() < count_max
            && let Some(key) = inner.untold.pop_front()
        {
            let is_untold = inner.in_progress.get(&key).is_some_and(|one| one.told.is_none());
            passed.extend(is_untold.then(|| inner.tell(&key, now)).flatten());
        }
        if inner.looked_through.is_some_and(|looked| now.duration_since(looked) < again) {
            return passed;
        }
        inner.looked_through = Some(now);
        let is_due = |entry: &InProgress| {
            let is_long_ago = entry.told.is_none_or(|(told, times)| {
                now.duration_since(told) >= again * 2_u32.pow(times.min(AGAIN_DOUBLINGS_MAX))
            });
            is_long_ago && !entry.is_passed_on
        };
        let due = inner.in_progress.iter().filter(|(_, entry)| is_due(entry));
        let due: Vec<Key> = due.map(|(key, _)| *key).take(count_max - passed.len()).collect();
        passed.extend(due.iter().filter_map(|key| inner.tell(key, now)));
        passed
    }

    /// Forgets who was told what: a node came that may have heard of nothing.
    pub(crate) fn forget_told(&self) {
        let mut inner = self.lock();
        inner.in_progress.values_mut().for_each(|entry| entry.told = None);
        inner.looked_through = None;
    }

    /// Whether there are candidates of which the others were never told.
    pub(crate) fn has_untold(&self) -> bool {
        !self.lock().untold.is_empty()
    }
}

impl Inner {
    /// The bytes of a candidate, of which the others are told now.
    fn tell(&mut self, key: &Key, now: Instant) -> Option<Vec<u8>> {
        let entry = self.in_progress.get_mut(key)?;
        // The newest are told of first.
        let mut queue = self.by_author.get(&key.0)?.iter().rev();
        let candidate = queue.find(|candidate| candidate.key() == *key)?;
        let times = entry.told.map_or(0, |(_, times)| times.saturating_add(1));
        entry.told = Some((now, times));
        Some(candidate.transaction.encode())
    }
}
