//! Numbers for operators.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the node was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) blocks: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) rejected_in_block: AtomicU64,
    pub(crate) rejected_at_admission: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) block_bytes: AtomicU64,
    pub(crate) execute_micros: AtomicU64,
    pub(crate) durable_micros: AtomicU64,
    pub(crate) snapshot_height: AtomicU64,
    pub(crate) snapshots_given_up: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(crate) fn add_time(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
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
    /// Microseconds spent on executing them.
    pub execute_micros: u64,
    /// Microseconds spent on making them durable.
    pub durable_micros: u64,
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
