//! The running node: from a folder to a ledger that takes transactions.
//!
//! Reading order: [`types`] (what it says), `open` (how it comes up), `sequencer` (how a block is
//! made), `follow` (what runs behind it), `drive` (the threads), [`handle`] (what others call),
//! [`replay`] (executing blocks again); for a node among others, `agree` (judging and deciding
//! blocks that others propose too) and [`network`] (what wakes it, and when it waits).
//!
//! The way of a transaction: [`NodeHandle::submit`] -> the bounded pool -> its signatures are
//! checked on all cores -> the sequencer executes it with others as a block -> the engine decides
//! -> the block is durable with one `fdatasync` -> the ledger moves on, a new view is published,
//! the submitter is answered -> history, subscribers and snapshots follow. While one block is made
//! durable, the signatures of the next are checked.
//!
//! Invariants: nobody hears of a block before it is durable, and when that fails the node stops and
//! says "unknown" (test `a_failed_sync_stops_the_node_and_nobody_is_told_that_it_happened`);
//! replaying the log gives the same headers or the node does not start (test
//! `a_changed_block_is_named_and_the_node_does_not_start`); no node starts from fewer blocks than
//! anything in its folder knows of, and none signs below what it signed (tests in
//! `tests/runtime/lost.rs`).

mod accusations;
mod agree;
mod check;
mod drive;
mod follow;
pub mod handle;
pub mod metrics;
pub mod network;
mod open;
mod queue;
pub mod replay;
mod sequencer;
mod shared;
pub mod subscription;
pub mod types;

use std::sync::Arc;

use adapters::clock::Clock;
use consensus::{Signer, SignerError};
use primitives::{Hash, OrganisationId, PublicKey, Signature};

use crate::history::HistoryError;
use crate::mempool::MempoolLimits;
use crate::receipt_log::{LogSigner, ReceiptLogError};
use crate::signature::SecretKey;
use crate::store::{LogLimits, StoreError};

pub use follow::SnapshotPace;
pub use handle::NodeHandle;
pub use metrics::{DURATION_BOUNDS_MICROS, DurationCounts, Metrics, Refusal};
pub use network::{Network, PeerStand};
pub use open::{Node, OpenError, OpenReport};
pub use replay::Divergence;
pub use sequencer::BLOCK_TRANSACTIONS_MAX;
pub use subscription::{Subscription, SubscriptionEnd};
pub use types::{
    Committed, Direction, Placed, ReadView, Rehearsal, SubmitError, SubmitResult, Submitted,
};

pub(crate) use check::{check_all, thread_count};
pub(crate) use open::{keep_genesis, read_genesis};
pub(crate) use shared::Shared;

/// Who runs the node's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Threads of its own: one that makes blocks, one for the history, and this many that check
    /// signatures (0: as many as there are cores).
    Own {
        /// How many check signatures.
        checking: usize,
    },
    /// None: the caller drives everything with [`NodeHandle::run_until_idle`], so that one thread
    /// and one seed run a whole region. `submit` and `submit_all` drive by themselves.
    Caller,
}

/// How a node is run.
pub struct NodeConfig {
    /// Who certifies blocks.
    pub signer: BlockSigner,
    /// Who signs the checkpoints of the receipt log, under which name.
    pub log_signer: LogSigner,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The SQLite file of the history.
    pub history: std::path::PathBuf,
    /// 32 secret random bytes, new at each start or not.
    pub randomness: [u8; 32],
    /// How much waits at the most.
    pub mempool: MempoolLimits,
    /// Sizes of the block log's files.
    pub log: LogLimits,
    /// When snapshots are due.
    pub snapshots: SnapshotPace,
    /// For how long blocks are kept that no start needs; all of them without an answer.
    pub blocks_kept: Option<std::time::Duration>,
    /// The operator says that this is the newest copy of its blocks that there is. Without that, a
    /// folder that does not say what was signed last ([`crate::store::mark`]) is not started from.
    pub is_newest_copy: bool,
    /// The number of the newest rules that this release knows: [`PROTOCOL`].
    ///
    /// [`PROTOCOL`]: ledger::kernel::block::PROTOCOL
    pub protocol: u32,
    /// Who runs the work.
    pub threads: Threads,
}

/// An organisation's validator key, in memory.
#[derive(Debug)]
pub struct BlockSigner {
    organisation: OrganisationId,
    key: SecretKey,
}

impl BlockSigner {
    /// The key of this organisation.
    #[must_use]
    pub const fn new(organisation: OrganisationId, key: SecretKey) -> Self {
        Self { organisation, key }
    }

    /// The Ed25519 signature of exactly these bytes, for a key of that scheme.
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign_raw(message)
    }
}

impl Signer for BlockSigner {
    fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &Hash) -> Result<Signature, SignerError> {
        Ok(self.key.sign(message))
    }
}

/// Why a node cannot go on. What was acknowledged stays; start it again once the cause is gone.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    /// The block log, the receipt log or a snapshot failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history failed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The engine decided a block that was not proposed.
    #[error("block {0} was decided and is not known here")]
    UnknownBlock(u64),
    /// The engine failed.
    #[error("{0}")]
    Engine(String),
    /// The next block is made by rules that this release does not know.
    #[error(transparent)]
    Upgrade(#[from] UpgradeNeeded),
    /// A thread of the node found a contradiction and ended.
    #[error("a part of the node found a contradiction and ended: {0}")]
    Panicked(String),
    /// The node stopped for a reason that was told before.
    #[error("the node stopped before")]
    Stopped,
}

/// The next block is made by rules that this release does not know. Nothing is lost: a newer
/// release goes on where this one stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "from block {height} on rules number {needed} hold, and this release knows those up to \
     {known}: install a newer release and start it on the same data folder"
)]
pub struct UpgradeNeeded {
    /// The block that this release cannot make.
    pub height: u64,
    /// The number of its rules.
    pub needed: u32,
    /// The newest rules that this release knows.
    pub known: u32,
}

impl UpgradeNeeded {
    /// Whether a release that knows these rules can make the block after this place.
    pub(crate) fn check(known: u32, ledger: &ledger::Ledger) -> Result<(), Self> {
        let height = ledger.tip().height.saturating_add(1);
        let needed = ledger::modules::network::view::upgrades(ledger.state()).protocol_at(height);
        if needed <= known { Ok(()) } else { Err(Self { height, needed, known }) }
    }
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes transactions.
    Running,
    /// It was told to stop.
    Stopped,
    /// It stopped by itself; the words are for an operator.
    Failed(String),
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The history failed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The block log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The receipt log failed.
    #[error(transparent)]
    Log(#[from] ReceiptLogError),
}
