//! The engine by which many organisations order one ledger: the core of Malachite (Tendermint) over
//! our types, and a network of named peers.
//!
//! Reading order: this file (what a node sees), [`machine`] (a validator without threads or
//! clocks), `context` (our types in the core's words), `sign` and [`guard`] (what a validator
//! signs, and that it does not sign twice), [`log`] (what it must not forget), `codec` (the bytes),
//! [`mesh`] (connections), [`newcomer`] (a node that has no ledger yet, and asks).
//!
//! The core decides what is signed and when a block is final; here is only what it asks for
//! (decision record 0030). It knows no transactions: a block is bytes whose header's hash is the
//! value id. What it decides is a [`proof::header::Certificate`], with the sign-bytes that vouchers
//! and light clients check. The ledger is a [`consensus::Replica`], asked by the thread that calls.
//!
//! Invariants: only peers that are named can connect (test `a_stranger_is_not_let_in`); four
//! validators go on without one, and it comes back by itself (test
//! `three_of_four_go_on_and_the_fourth_catches_up`); never two blocks at a height, and on again
//! after the trouble ends, under loss, delay, partition, crash and a validator that lies (test
//! `worlds`); a key signs nothing twice ([`guard`]).

mod codec;
mod context;
pub mod equivocation;
pub mod guard;
pub mod log;
pub mod machine;
pub mod mesh;
pub mod newcomer;
mod sign;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use consensus::{Engine, EngineError, Replica, Signer, Step};
use primitives::{OrganisationId, Verifier};
use proof::header::{ChainId, ValidatorSet};

use codec::{Message, Wire as _};
use guard::Guard;
use log::FileLog;
use machine::{Event, Machine, Signing};
use mesh::Mesh;
pub use mesh::{Peer, PeerKey, PeerName};

/// The largest block that is taken, in bytes: that of the ledger.
pub const BLOCK_BYTES_MAX: u32 = 1 << 20;
/// The most transactions of one message.
pub const TRANSACTION_BATCH_MAX: u32 = 256;
/// The longest transaction that is passed on, in bytes: the longest that the ledger takes.
pub const TRANSACTION_BYTES_MAX: u32 = 512 << 10;
/// The most blocks of one answer to a node that catches up.
pub const FETCH_BLOCKS_MAX: u32 = 5;
/// The longest question of one ledger to another, and the longest answer, in bytes.
pub const WORDS_BYTES_MAX: u32 = 16 << 10;
/// The longest question of a newcomer ([`newcomer`]), in bytes.
pub const ASK_BYTES_MAX: u32 = 1 << 10;
/// The longest answer to it, in bytes: a block and its certificate.
pub const ANSWER_BYTES_MAX: u32 = BLOCK_BYTES_MAX + (64 << 10);
/// The most bytes of transactions in one message beyond the first.
const GOSSIP_BYTES_MAX: usize = 128 << 10;
/// How many messages of others wait here; what is more waits in their connections.
const EVENTS_MAX: usize = 64;

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
    /// Where others reach this node, such as `0.0.0.0:7410`.
    pub listen: String,
    /// The only nodes that may connect, until [`Bft::set_peers`] names others.
    pub peers: Vec<Peer>,
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
    /// Who decides the next block.
    pub validators: ValidatorSet,
    /// Where the node is among the others.
    pub network: Network,
}

/// A running engine. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Bft {
    machine: Machine,
    mesh: Mesh,
    events: Receiver<Event>,
    waker: SyncSender<Event>,
    /// What came while it was waited for.
    arrived: Option<Event>,
    start: Instant,
    is_started: bool,
}

/// Wakes whoever waits for an engine ([`Bft::wait`]).
#[derive(Clone, Debug)]
pub struct Waker(SyncSender<Event>);

impl Waker {
    /// Says that there may be something to order, or to stop.
    pub fn wake(&self) {
        // When there is no room, nobody sleeps.
        drop(self.0.try_send(Event::Wake));
    }
}

impl Bft {
    /// Opens the log and listens.
    ///
    /// # Errors
    /// When the folder, the guard or the address cannot be used.
    pub fn start(config: Config) -> Result<Self, BftError> {
        let Config { chain_id, key, organisation, verifier, validators, network } = config;
        std::fs::create_dir_all(&network.folder).map_err(BftError::Folder)?;
        let signing = match key {
            Some(key) => {
                let guard = Guard::open(&network.guard).map_err(BftError::Folder)?;
                Some(Signing { key, guard })
            }
            None => None,
        };
        let log = FileLog::open(&network.folder.join("votes-1.log")).map_err(BftError::Folder)?;
        let log = Box::new(log);
        let patience = network.patience;
        let machine =
            Machine::new(chain_id, organisation, signing, verifier, patience, log, validators);
        let (waker, events) = sync_channel(EVENTS_MAX);
        let mesh = Mesh::start(&network, chain_id, waker.clone())?;
        let start = Instant::now();
        Ok(Self { machine, mesh, events, waker, arrived: None, start, is_started: false })
    }

    /// What wakes [`Bft::wait`] from other threads.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.waker.clone())
    }

    /// Passes transactions on to all others.
    pub fn pass_on(&self, transactions: Vec<Vec<u8>>) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let most = usize::try_from(TRANSACTION_BATCH_MAX).unwrap_or(1);
        let send = |batch: Vec<_>| self.mesh.send(None, Message::Transactions(batch).encode());
        for transaction in transactions {
            bytes += transaction.len();
            batch.push(transaction);
            if batch.len() >= most || bytes >= GOSSIP_BYTES_MAX {
                send(std::mem::take(&mut batch));
                bytes = 0;
            }
        }
        if !batch.is_empty() {
            send(batch);
        }
    }

    /// Names the only nodes that may connect from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn set_peers(&self, peers: &[Peer]) -> Result<(), BftError> {
        self.mesh.set_peers(peers)
    }

    /// The peers that can be reached now.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerName> {
        self.mesh.connected()
    }

    /// Whether the key signs nothing yet, since nobody here knows what it signed before.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.machine.is_watching()
    }

    /// Waits until there is something to do, or for this long.
    pub fn wait(&mut self, at_most: Duration) {
        if self.arrived.is_some() {
            return;
        }
        let now = self.start.elapsed();
        let due = self.machine.deadline().map(|at| at.saturating_sub(now));
        match self.events.recv_timeout(due.map_or(at_most, |due| due.min(at_most))) {
            Ok(event) => self.arrived = Some(event),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.arrived = Some(Event::Wake);
            }
        }
    }

    fn send_outputs(&mut self) {
        for output in self.machine.take_outputs() {
            self.mesh.send(output.to, output.bytes);
        }
    }
}

impl<A: Replica> Engine<A> for Bft {
    /// Handles what has come, up to the next decided block, and at the most as many events as may
    /// wait, so that the caller has its turn.
    fn step(&mut self, application: &mut A) -> Result<Step, EngineError<A::Error>> {
        if !self.is_started {
            self.is_started = true;
            self.machine.start(self.start.elapsed(), application)?;
            self.send_outputs();
        }
        for _ in 0..EVENTS_MAX {
            if let Some(height) = self.machine.take_decided() {
                return Ok(Step::Decided(height));
            }
            let Some(event) = self.arrived.take().or_else(|| self.events.try_recv().ok()) else {
                break;
            };
            self.machine.handle(self.start.elapsed(), event, application)?;
            self.send_outputs();
        }
        Ok(self.machine.take_decided().map_or(Step::Idle, Step::Decided))
    }
}

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum BftError {
    /// An address is none.
    #[error("`{address}` is not an address of a node: {reason}; write 10.0.0.1:7410")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// A peer's name is none.
    #[error("`{0}` is not the name of a node: it has 64 digits from 0 to 9 and a to f")]
    Name(String),
    /// The folder of the engine cannot be used.
    #[error("the consensus folder: {0}")]
    Folder(std::io::Error),
    /// Nobody can be heard.
    #[error("nobody can connect to `{address}`: {reason}")]
    Listen {
        /// Where others were to connect.
        address: String,
        /// Why they cannot.
        reason: std::io::Error,
    },
    /// The system gives no thread, or the key is none.
    #[error("the network: {0}")]
    Start(String),
}
