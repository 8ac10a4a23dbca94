//! What a run says of itself.

use std::collections::BTreeMap;
use std::fmt;

use primitives::Hash;

use crate::check::Violation;
use crate::fault::FaultCounts;
use crate::machine::End;

/// What happened in a run that held every rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the region came into being.
    pub founded: bool,
    /// How often the node came up.
    pub starts: u64,
    /// How often it did not, because the disk failed again.
    pub failed_starts: u64,
    /// How its lives ended.
    pub ends: BTreeMap<End, u64>,
    /// What went wrong.
    pub faults: FaultCounts,
    /// Blocks that were executed again at starts.
    pub blocks_replayed: u64,
    /// Blocks whose writing was interrupted and that were cut off.
    pub torn_blocks: u64,
    /// Operations of starts and blocks at each of which the power was cut on a copy of the disk.
    pub swept_operations: u64,
    /// The height at the end.
    pub blocks: u64,
    /// Transactions that were accepted.
    pub accepted: u64,
    /// Transactions that were rejected in a block.
    pub rejected: u64,
    /// Answers that clients got.
    pub acknowledged: u64,
    /// Visits that were settled.
    pub settled: u64,
    /// Settlements that were refunded or corrected.
    pub changed: u64,
    /// Payments that were ordered.
    pub payments: u64,
    /// Attempts at what nobody may do.
    pub attacks: u64,
    /// What moved on the ledger, in minor units.
    pub moved: u128,
    /// How often each kind was accepted, by name.
    pub kinds: BTreeMap<String, u64>,
    /// How often each rejection was given in a block, by name.
    pub rejections: BTreeMap<String, u64>,
    /// A hash over everything that happened, line by line.
    pub digest: Hash,
    /// What became of payments outside.
    pub payment_ends: BTreeMap<String, u64>,
}

impl Report {
    /// Adds another run's figures.
    pub fn add(&mut self, other: &Self) {
        self.founded |= other.founded;
        for (end, count) in &other.ends {
            *self.ends.entry(*end).or_default() += count;
        }
        add(&mut self.kinds, &other.kinds);
        add(&mut self.rejections, &other.rejections);
        add(&mut self.payment_ends, &other.payment_ends);
        let own = [
            (&mut self.starts, other.starts),
            (&mut self.failed_starts, other.failed_starts),
            (&mut self.blocks_replayed, other.blocks_replayed),
            (&mut self.torn_blocks, other.torn_blocks),
            (&mut self.swept_operations, other.swept_operations),
            (&mut self.blocks, other.blocks),
            (&mut self.accepted, other.accepted),
            (&mut self.rejected, other.rejected),
            (&mut self.acknowledged, other.acknowledged),
            (&mut self.settled, other.settled),
            (&mut self.changed, other.changed),
            (&mut self.payments, other.payments),
            (&mut self.attacks, other.attacks),
        ];
        for (sum, count) in own {
            *sum += count;
        }
        self.moved += other.moved;
        self.faults.add(&other.faults);
    }
}

fn add(sums: &mut BTreeMap<String, u64>, other: &BTreeMap<String, u64>) {
    for (name, count) in other {
        *sums.entry(name.clone()).or_default() += count;
    }
}

fn list(counts: &BTreeMap<String, u64>) -> String {
    let words: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    words.join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} starts, {} failed starts, {} blocks replayed, {} torn blocks cut, {} operations swept",
            self.starts,
            self.failed_starts,
            self.blocks_replayed,
            self.torn_blocks,
            self.swept_operations
        )?;
        let ends: Vec<String> =
            self.ends.iter().map(|(end, count)| format!("{end:?} {count}")).collect();
        writeln!(f, "ends: {}", ends.join(", "))?;
        writeln!(
            f,
            "{} blocks, {} accepted, {} rejected, {} acknowledged",
            self.blocks, self.accepted, self.rejected, self.acknowledged
        )?;
        write!(
            f,
            "{} visits settled, {} changed, {} payments, {} attacks refused, {} minor units moved",
            self.settled, self.changed, self.payments, self.attacks, self.moved
        )?;
        write!(f, "\npayments: {}", list(&self.payment_ends))?;
        write!(f, "\naccepted: {}", list(&self.kinds))?;
        writeln!(f, "\nrejected: {}", list(&self.rejections))?;
        write!(f, "{}", self.faults)
    }
}

/// A run that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Its steps.
    pub steps: u32,
    /// What does not hold.
    pub violation: Violation,
    /// The last things that happened.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{}", self.violation)?;
        write!(
            f,
            "run it again: cargo run --release -p sim -- --from {} --seeds 1 --steps {}",
            self.seed, self.steps
        )
    }
}

impl std::error::Error for Failure {}
