//! Settlements through the node's handle: from bytes to a durable receipt.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use ledger::{Genesis, Transaction};
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, SnapshotPace, Threads};
use node::signature::load_key;
use node::store::{Folder, LogLimits};
use node::{MempoolLimits, Node, NodeConfig, NodeHandle};
use primitives::codec;
use proof::receipt::OutcomeCode;

use crate::load::{Answer, Collector, Outcome, wait_until};
use crate::region::{self, Region};

/// Requests on their way at once when as much as possible is sent.
const IN_FLIGHT: usize = 4_000;

/// How a node of a folder is run, as `yibao serve` does.
#[must_use]
pub fn config(folder: &Path, signer: BlockSigner, log_signer: LogSigner) -> NodeConfig {
    NodeConfig {
        signer,
        log_signer,
        clock: region::clock(),
        history: folder.join("history.sqlite"),
        randomness: [7; 32],
        mempool: MempoolLimits::default(),
        log: LogLimits::default(),
        snapshots: SnapshotPace::default(),
        threads: Threads::Own { checking: 0 },
        blocks_kept: None,
        is_newest_copy: false,
        protocol: ledger::kernel::block::PROTOCOL,
    }
}

/// Brings up the node of a data folder, as `yibao serve` does.
///
/// # Errors
/// When it does not come up.
pub fn open(data: &Path, genesis: &Genesis) -> Result<NodeHandle> {
    let folder = Region::node_folder(data);
    let signer = BlockSigner::new(
        region::organisation("bureau"),
        load_key(&folder.join("keys/blocks.key"))?,
    );
    let log = LogSigner::new("yibao.example/bench", load_key(&folder.join("keys/log.key"))?)?;
    let config = config(&folder, signer, log);
    let (node, _) = Node::open(Folder::open(&folder)?, genesis, config)?;
    Ok(node)
}

/// Encodes transactions as they come over a wire; decoding them is part of what is measured.
#[must_use]
pub fn encoded(transactions: &[Transaction]) -> Vec<Vec<u8>> {
    transactions.iter().map(codec::encode).collect()
}

fn submit(node: &NodeHandle, collector: &Collector, bytes: &[u8], due: Instant) -> Result<()> {
    let transaction: Transaction = codec::decode(bytes).map_err(|error| anyhow!("{error}"))?;
    let sender = collector.sender();
    node.submit_with(transaction, move |result| {
        let at = Instant::now();
        let refused = match result {
            Ok(submitted) => match submitted.receipt.record.outcome {
                OutcomeCode::Accepted => None,
                OutcomeCode::Rejected(number) => {
                    Some(format!("{number} {}", submitted.receipt.rejection_words()))
                }
            },
            Err(error) => Some(error.to_string()),
        };
        // Nobody listens any more once a load failed.
        let _ = sender.send(Answer { waited: at.duration_since(due), at, refused });
    });
    Ok(())
}

/// As many as the node takes.
///
/// # Errors
/// When one is refused.
pub fn saturate(node: &NodeHandle, transactions: &[Vec<u8>]) -> Result<Outcome> {
    saturate_all(std::slice::from_ref(node), transactions)
}

/// As many as these nodes take together, each of them in its turn.
///
/// # Errors
/// When one is refused.
pub fn saturate_all(nodes: &[NodeHandle], transactions: &[Vec<u8>]) -> Result<Outcome> {
    let collector = Collector::new();
    let mut answers = Vec::with_capacity(transactions.len());
    for ((sent, bytes), node) in transactions.iter().enumerate().zip(nodes.iter().cycle()) {
        if sent >= IN_FLIGHT {
            answers.push(collector.next()?);
        }
        submit(node, &collector, bytes, Instant::now())?;
    }
    collector.finish(answers, transactions.len())
}

/// So many a second, whether the node keeps up or not.
///
/// # Errors
/// When one is refused.
pub fn pace(node: &NodeHandle, transactions: &[Vec<u8>], per_second: u32) -> Result<Outcome> {
    pace_all(std::slice::from_ref(node), transactions, per_second)
}

/// So many a second, to each of these nodes in its turn.
///
/// # Errors
/// When one is refused.
pub fn pace_all(
    nodes: &[NodeHandle],
    transactions: &[Vec<u8>],
    per_second: u32,
) -> Result<Outcome> {
    let collector = Collector::new();
    let between = Duration::from_secs(1) / per_second;
    let mut due = collector.begin();
    for (bytes, node) in transactions.iter().zip(nodes.iter().cycle()) {
        wait_until(due);
        submit(node, &collector, bytes, due)?;
        due += between;
    }
    collector.finish(Vec::new(), transactions.len())
}
