//! The engine by which many organisations order one ledger: Malachite (Tendermint) over our types.
//!
//! Reading order: this file (all that others see), `engine` (how it is started and what becomes of
//! its messages), `settings`, `context` (our types in its words), `sign` and [`guard`] (what a
//! validator signs, and that it does not sign twice), `codec` (the bytes).
//!
//! This crate holds everything that is generic over the engine, and nothing else, so that its code
//! is made once and the crates above it are built without it (decision record 0030). It knows no
//! transactions: a block is bytes whose header's hash is the value id. What it decides is a
//! [`proof::header::Certificate`], with the sign-bytes that vouchers and light clients check.
//!
//! The ledger answers [`Request`]s, one after the other, each through its [`Reply`].
//!
//! Invariants: only peers that are named can connect (test
//! `a_stranger_is_not_let_in`); four validators go on without one, and it comes back by itself
//! (test `three_of_four_go_on_and_the_fourth_catches_up`); a key signs nothing twice ([`guard`]).

mod codec;
mod context;
mod engine;
pub mod guard;
mod settings;
mod sign;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use consensus::{Next, Signer};
use primitives::{Hash, OrganisationId, Verifier};
use proof::header::{Certificate, ChainId};

pub use engine::{Bft, PeerKey};

/// The largest block that is taken, in bytes: that of the ledger.
pub const BLOCK_BYTES_MAX: u32 = 1 << 20;
/// The most transactions of one message.
pub const TRANSACTION_BATCH_MAX: u32 = 256;
/// The longest transaction that is passed on, in bytes: the longest that the ledger takes.
pub const TRANSACTION_BYTES_MAX: u32 = 512 << 10;
/// The most blocks of one answer to a node that catches up.
pub const SYNC_BLOCKS_MAX: u32 = 5;

/// A signature backend that threads share.
pub type SharedVerifier = Arc<dyn Verifier + Send + Sync>;

/// A validator's key that threads share.
pub type SharedSigner = Arc<dyn Signer + Send + Sync>;

/// How long a round waits for what it needs before the next one begins. Each further round waits a
/// quarter of a second longer, ten seconds at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the proposer's block.
    pub propose: Duration,
    /// For more votes after two thirds voted without agreeing.
    pub vote: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { propose: Duration::from_secs(1), vote: Duration::from_millis(500) }
    }
}

/// A node's place in the network of a ledger.
#[derive(Clone, Debug)]
pub struct Network {
    /// The key that names this node in it.
    pub peer_key: PeerKey,
    /// Where others reach this node, such as `/ip4/10.0.0.1/tcp/7410`.
    pub listen: String,
    /// The only nodes that may connect, each as `/ip4|dns/../tcp/../p2p/<name>`.
    pub peers: Vec<String>,
    /// The folder of the engine's log.
    pub folder: PathBuf,
    /// The file that keeps the validator's key from signing twice.
    pub guard: PathBuf,
    /// How long rounds wait.
    pub patience: Patience,
}

/// How an engine is run.
pub struct Config {
    /// The ledger.
    pub chain_id: ChainId,
    /// This validator's key; none for a node that follows and does not vote.
    pub key: Option<SharedSigner>,
    /// Who this node is; the key's organisation if it has one.
    pub organisation: OrganisationId,
    /// What checks signatures.
    pub verifier: SharedVerifier,
    /// Where the node is among the others.
    pub network: Network,
    /// What takes transactions that others pass on. It must not block.
    pub on_transactions: Box<dyn Fn(Vec<Vec<u8>>) + Send + Sync>,
    /// What takes the engine's questions. It must not block.
    pub on_request: Box<dyn Fn(Request) + Send + Sync>,
}

/// A block that is not decided yet, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The round it was proposed in.
    pub round: u32,
    /// The round before in which two thirds voted for it, if this is another try.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: OrganisationId,
    /// The hash of its header.
    pub value_id: Hash,
    /// Whether it may be decided.
    pub is_valid: bool,
}

/// What a block of others turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It follows from the ledger, and is kept durably under its value id.
    Valid(Hash),
    /// It has a header, with this hash, that does not follow.
    Invalid(Hash),
    /// It is no block.
    Unreadable,
    /// It cannot be told now: it is not the next one.
    NotNow,
}

/// A block as proposed by this node, durable already.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The hash of its header.
    pub value_id: Hash,
    /// Its bytes.
    pub block: Arc<[u8]>,
}

/// Where the answer to a request goes. One that is dropped holds the engine up.
pub struct Reply<T>(Box<dyn FnOnce(T) + Send>);

impl<T> Reply<T> {
    /// A reply that ends here.
    pub fn new(answer: impl FnOnce(T) + Send + 'static) -> Self {
        Self(Box::new(answer))
    }

    /// Gives the answer.
    pub fn send(self, answer: T) {
        (self.0)(answer);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// What the engine asks of the ledger. All but [`Request::Start`] and [`Request::Finalized`] are
/// answered at once; those may be kept as long as there is nothing to order.
#[derive(Debug)]
pub enum Request {
    /// Where to begin.
    Start {
        /// The next block.
        reply: Reply<Next>,
    },
    /// The block to propose, the same one for the same height.
    Propose {
        /// The next block's number.
        height: u64,
        /// The round.
        round: u32,
        /// The block, kept durably.
        reply: Reply<Proposed>,
    },
    /// All blocks of this height that are kept and not decided.
    Undecided {
        /// The height.
        height: u64,
        /// What is kept.
        reply: Reply<Vec<Undecided>>,
    },
    /// A block that somebody else proposes.
    Judge {
        /// Its height.
        height: u64,
        /// The round, and how it came.
        origin: Origin,
        /// Its bytes, at most [`BLOCK_BYTES_MAX`].
        block: Vec<u8>,
        /// What it is, once it is kept durably.
        reply: Reply<Verdict>,
    },
    /// Others are at a later height already, or have a block for the next one: nothing to wait for.
    Ahead {
        /// The height.
        height: u64,
    },
    /// The bytes of a block that is kept and not decided.
    Block {
        /// The hash of its header.
        value_id: Hash,
        /// Its bytes, if it is there.
        reply: Reply<Option<Arc<[u8]>>>,
    },
    /// More than two thirds signed a block: make it the last one.
    Decided {
        /// What makes it final.
        certificate: Certificate,
        /// Block and certificate are durable.
        reply: Reply<()>,
    },
    /// A height is over.
    Finalized {
        /// Its number.
        height: u64,
        /// Whether its block was fetched from others: there may be more, so it is no time to wait.
        is_fetched: bool,
        /// Who signed two things where there may be one.
        equivocators: Vec<OrganisationId>,
        /// The next block.
        reply: Reply<Next>,
    },
    /// Decided blocks, for somebody who catches up.
    Decisions {
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
        /// As many of them as there are, without a gap, [`SYNC_BLOCKS_MAX`] at the most.
        reply: Reply<Vec<(Vec<u8>, Certificate)>>,
    },
    /// The number of the first block that is kept.
    First {
        /// The number.
        reply: Reply<u64>,
    },
}

/// Where a block of others comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The round it was proposed in.
    pub round: u32,
    /// The round before in which two thirds voted for it, if this is another try.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: OrganisationId,
    /// Whether more than two thirds decided it already.
    pub is_decided: bool,
}

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum BftError {
    /// An address is none.
    #[error(
        "`{address}` is not an address of a node: {reason}; write /ip4/10.0.0.1/tcp/7410/p2p/NAME"
    )]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The folder of the engine cannot be used.
    #[error("the consensus folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The engine did not start.
    #[error("the consensus engine did not start: {0}")]
    Start(String),
}
