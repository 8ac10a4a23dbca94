//! The node's own figures as the gateway shows them.

use std::collections::BTreeMap;

use gateway::port::{Durations, Figure, FigureValue};
use node::runtime::{DURATION_BOUNDS_MICROS, DurationCounts, NodeHandle, Refusal};

/// What the node has counted since it was opened, and how full it is.
pub fn of_node(node: &NodeHandle) -> Vec<Figure> {
    let metrics = node.metrics();
    let gauges = [
        ("node_waiting_transactions", "Transactions on their way", metrics.waiting_transactions),
        ("node_waiting_bytes", "Their bytes", metrics.waiting_bytes),
        (
            "node_history_lag_blocks",
            "Blocks that the history is behind",
            metrics.history_lag_blocks,
        ),
        ("node_subscribers", "Who hears of every block", metrics.subscribers),
        ("node_snapshot_height", "Height of the last snapshot", metrics.snapshot_height),
    ];
    let totals = [
        ("node_blocks", "Blocks made since the start", metrics.blocks),
        ("node_accepted", "Transactions accepted since the start", metrics.accepted),
        (
            "node_rejected_in_block",
            "Transactions rejected in a block since the start",
            metrics.rejected_in_block,
        ),
        (
            "node_rejected_at_admission",
            "Transactions rejected without a block since the start",
            metrics.rejected_at_admission,
        ),
        ("node_duplicates", "Transactions that had happened before", metrics.duplicates),
        ("node_block_bytes", "Bytes of the blocks since the start", metrics.block_bytes),
        (
            "node_snapshots_given_up",
            "Snapshots that could not be written since the start",
            metrics.snapshots_given_up,
        ),
    ];
    let durations = [
        (
            "node_block_duration_seconds",
            "Time from taking a block's transactions to answering them",
            metrics.block,
        ),
        ("node_execute_duration_seconds", "Time of executing a block", metrics.execute),
        (
            "node_durable_duration_seconds",
            "Time of making a block durable: one sync of the disk",
            metrics.durable,
        ),
        (
            "node_signatures_duration_seconds",
            "Time of checking a transaction's signatures",
            metrics.signatures,
        ),
        ("node_snapshot_duration_seconds", "Time of a snapshot", metrics.snapshot),
        (
            "node_snapshot_stall_duration_seconds",
            "Time for which snapshots kept blocks waiting",
            metrics.snapshot_stall,
        ),
    ];
    let gauges =
        gauges.into_iter().map(|(name, meaning, value)| Figure::count(name, meaning, value));
    let totals =
        totals.into_iter().map(|(name, meaning, value)| Figure::total(name, meaning, value));
    let durations = durations.into_iter().map(|(name, meaning, counted)| Figure {
        name,
        meaning,
        value: FigureValue::Durations(durations_of(&counted)),
    });
    gauges.chain(totals).chain(durations).chain([refused(node)]).collect()
}

fn durations_of(counted: &DurationCounts) -> Durations {
    let bounds = DURATION_BOUNDS_MICROS.iter().map(|micros| *micros as f64 / 1e6);
    let counts = bounds.chain([f64::MAX]).zip(counted.counts);
    Durations { counts: counts.collect(), sum: counted.micros as f64 / 1e6 }
}

/// Refused transactions by the code of the rejection, in a block or without one.
fn refused(node: &NodeHandle) -> Figure {
    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    for (refusal, count) in node.refusals() {
        let (Refusal::AtAdmission(number) | Refusal::InBlock(number)) = refusal;
        let code = node.registry().rejection(number).map_or("unknown", |code| code.name);
        let all = by_code.entry(code).or_default();
        *all = all.saturating_add(count);
    }
    let by_code = by_code.into_iter().map(|(code, count)| (code.to_owned(), count)).collect();
    Figure {
        name: "node_refused",
        meaning: "Transactions that the ledger refused since the start, by code",
        value: FigureValue::TotalBy("code", by_code),
    }
}
