//! Numbers for operators.

use std::array;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds by which durations are counted, in microseconds; longer ones are counted as well.
pub const DURATION_BOUNDS_MICROS: [u64; 16] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    1_000_000, 5_000_000, 30_000_000,
];
const COUNTS: usize = DURATION_BOUNDS_MICROS.len() + 1;

/// How long things of one sort took, counted by [`DURATION_BOUNDS_MICROS`].
#[derive(Debug)]
pub(crate) struct Durations {
    counts: [AtomicU64; COUNTS],
    micros: AtomicU64,
}

impl Default for Durations {
    fn default() -> Self {
        Self { counts: array::from_fn(|_| AtomicU64::new(0)), micros: AtomicU64::new(0) }
    }
}

impl Durations {
    pub(crate) fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = DURATION_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn counted(&self) -> DurationCounts {
        let counts = array::from_fn(|place| {
            self.counts.get(place).map_or(0, |count| count.load(Ordering::Relaxed))
        });
        DurationCounts { counts, micros: self.micros.load(Ordering::Relaxed) }
    }
}

/// How long things of one sort took since the node was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationCounts {
    /// How many took at most as long as the bound of this place in [`DURATION_BOUNDS_MICROS`] and
    /// longer than the one before; in the last place those that took longer than every bound.
    pub counts: [u64; COUNTS],
    /// How long all of them took together, in microseconds.
    pub micros: u64,
}

/// Where a transaction was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Before it stood in a block, by the rejection of this number.
    AtAdmission(u16),
    /// In a block, by the rejection of this number.
    InBlock(u16),
}

/// How often transactions were refused, by what for. There are as many sorts as the ledger has
/// rejections.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<Refusal, u64>>);

impl Refusals {
    pub(crate) fn note(&self, refusal: Refusal) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(refusal).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn counted(&self) -> BTreeMap<Refusal, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counters since the node was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) blocks: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) rejected_in_block: AtomicU64,
    pub(crate) rejected_at_admission: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) block_bytes: AtomicU64,
    pub(crate) execute: Durations,
    pub(crate) durable: Durations,
    /// From taking transactions for a block to answering them.
    pub(crate) block: Durations,
    pub(crate) snapshot: Durations,
    /// For how long the sequencer was kept by snapshots.
    pub(crate) snapshot_stall: Durations,
    pub(crate) refusals: Refusals,
    pub(crate) snapshot_height: AtomicU64,
    pub(crate) snapshots_given_up: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// What the node has done since it was opened, and how full it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The last block's height.
    pub height: u64,
    /// Receipts in the receipt log.
    pub receipts: u64,
    /// Blocks made since the node was opened.
    pub blocks: u64,
    /// Transactions accepted in these blocks.
    pub accepted: u64,
    /// Transactions rejected in these blocks.
    pub rejected_in_block: u64,
    /// Transactions answered with a rejection without a block.
    pub rejected_at_admission: u64,
    /// Transactions answered with the receipt that they had before.
    pub duplicates: u64,
    /// Bytes of these blocks.
    pub block_bytes: u64,
    /// How long executing a block took.
    pub execute: DurationCounts,
    /// How long making a block durable took: one sync.
    pub durable: DurationCounts,
    /// How long it took from taking a block's transactions to answering them.
    pub block: DurationCounts,
    /// How long checking a transaction's signatures took.
    pub signatures: DurationCounts,
    /// How long a snapshot took, beside the blocks.
    pub snapshot: DurationCounts,
    /// For how long snapshots kept the blocks waiting.
    pub snapshot_stall: DurationCounts,
    /// Transactions on their way.
    pub waiting_transactions: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Blocks that the history is behind.
    pub history_lag_blocks: u64,
    /// Those who hear of every block.
    pub subscribers: u64,
    /// The height of the last snapshot; 0 for none.
    pub snapshot_height: u64,
    /// Snapshots that could not be written since the node was opened; another follows each.
    pub snapshots_given_up: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_at_the_first_bound_that_it_does_not_pass() {
        let durations = Durations::default();
        for micros in [0, 25, 26, 1_000, 31_000_000] {
            durations.note(Duration::from_micros(micros));
        }
        let DurationCounts { counts, micros } = durations.counted();
        assert_eq!((counts[0], counts[1], counts[5], counts[16]), (2, 1, 1, 1));
        assert_eq!((counts.iter().sum::<u64>(), micros), (5, 31_001_051));
    }
}
