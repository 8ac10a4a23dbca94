//! How a node comes up: genesis, snapshot, the blocks after it, the history.
//!
//! Everything that knows of blocks is asked before anything is changed: the snapshots, the history,
//! the receipt tiles, and the last checkpoint that was signed ([`crate::store::mark`]). Blocks that
//! any of them knows of must be there, or the node would make other ones in their place.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use consensus::Solo;
use ledger::{Genesis, Ledger};
use primitives::Hash;
use proof::header::{Header, ValidatorSet};

use super::drive::{Driver, Machine, Order, start};
use super::follow::{
    Behind, HISTORY_BATCH_MAX, HISTORY_LAG_MAX, HistoryFollower, SnapshotPace, SnapshotWriter,
    receipts_of,
};
use super::handle::NodeHandle;
use super::metrics::Counters;
use super::network::{Membership, Network};
use super::queue::{Weight, queue};
use super::replay::{Divergence, replay};
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::subscription::Subscribers;
use super::types::{Committed, ReadView};
use super::{Health, NodeConfig, Threads, UpgradeNeeded};
use crate::cosign::Cosignatures;
use crate::history::{History, HistoryError, HistoryReader, Recent};
use crate::mempool::Mempool;
use crate::receipt_log::{ReceiptLog, ReceiptLogError};
use crate::store::{
    Cut, Disk, DiskFile, Opened, RefusedSnapshot, ReplayError, Snapshot, Store, StoreError,
    StoreOptions, mark,
};

/// Where the genesis is kept beside the blocks.
pub(crate) const GENESIS_FOLDER: &str = "genesis";
const GENESIS_FILE: &str = "genesis/genesis.json";
/// A genesis is some kilobytes; more is not read.
const GENESIS_BYTES_MAX: u64 = 16 << 20;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder belongs to another ledger.
    #[error(
        "the data folder belongs to the ledger `{there}` with another genesis; name another folder \
         or the right genesis file"
    )]
    OtherGenesis {
        /// The chain id of the ledger in the folder.
        there: String,
    },
    /// The genesis in the folder cannot be read or written.
    #[error("`genesis/genesis.json` in the data folder: {0}")]
    GenesisFile(io::Error),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A block is not what follows from those before it.
    #[error(
        "{0}; the node does not start from it: restore the data folder from a backup or copy it \
             from another node"
    )]
    Divergence(#[from] Divergence),
    /// The history has to be made anew from blocks that are not here.
    #[error(
        "the history in `{}` is behind and blocks 1 to {last} are not here; bring them back into \
         `blocks`, restore the history from a backup, or begin anew with `yibao network join` and \
         `yibao network sync`", history.display()
    )]
    Archived {
        /// The history.
        history: PathBuf,
        /// The last missing block.
        last: u64,
    },
    /// The folder has blocks and does not say what was signed last, as a copy does.
    #[error(
        "the data folder has blocks and no `signed/checkpoint`, as a restored backup has: if newer \
         blocks were made elsewhere, this node would sign a second history; when this is the \
         newest copy there is, start it once with `--newest-copy`"
    )]
    Copy,
    /// The receipt log cannot be used, or is not the one that was signed.
    #[error(transparent)]
    ReceiptLog(#[from] ReceiptLogError),
    /// The node cannot become one of several.
    #[error(transparent)]
    Network(#[from] bft::BftError),
    /// The next block is made by rules that this release does not know.
    #[error(transparent)]
    Upgrade(#[from] UpgradeNeeded),
    /// The system gives no thread.
    #[error("the node's threads cannot be started: {0}")]
    Thread(io::Error),
}

impl From<ReplayError<Self>> for OpenError {
    fn from(error: ReplayError<Self>) -> Self {
        match error {
            ReplayError::Store(error) => Self::Store(error),
            ReplayError::Block(error) => error,
        }
    }
}

/// What opening a node found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The height of the snapshot that was used; 0 for none.
    pub snapshot_height: u64,
    /// How many blocks were executed again.
    pub blocks_replayed: u64,
    /// A block whose writing was interrupted and that nobody was told of.
    pub cut: Option<Cut>,
    /// Snapshots that could not be used.
    pub refused_snapshots: Vec<RefusedSnapshot>,
    /// Whether the history was of another ledger and is made anew.
    pub is_history_new: bool,
}

/// Opens nodes.
pub struct Node;

impl Node {
    /// Brings a node up on this disk: a new ledger, or the one that is there.
    ///
    /// # Errors
    /// When what is on the disk is not a whole ledger of this genesis; nothing is repaired by
    /// guessing.
    pub fn open<D: Disk>(
        disk: D,
        genesis: &Genesis,
        config: NodeConfig,
    ) -> Result<(NodeHandle, OpenReport), OpenError> {
        Self::open_with(disk, genesis, config, None)
    }

    /// As [`Node::open`]; with a network, as one of several organisations' nodes, which has threads
    /// of its own.
    ///
    /// # Errors
    /// As [`Node::open`], and when the engine or its network cannot be started.
    pub fn open_with<D: Disk>(
        disk: D,
        genesis: &Genesis,
        config: NodeConfig,
        network: Option<Network>,
    ) -> Result<(NodeHandle, OpenReport), OpenError> {
        keep_genesis(&disk, genesis)?;
        let mut history = History::open(&config.history, genesis.hash())?;
        let known_height = history.progress().height;
        let (limits, key) = (config.log, config.randomness);
        let mut opened = Store::open(disk, StoreOptions { limits, key, known_height })?;
        compare_history(&opened.store, &history)?;
        check_mark(&opened.store, config.is_newest_copy)?;
        opened.store.settle()?;
        let is_history_new = history.was_of_another_ledger();
        let mut report = OpenReport {
            snapshot_height: opened.snapshot.as_ref().map_or(0, |one| one.tip.height),
            cut: opened.report.cut.clone(),
            refused_snapshots: opened.report.refused_snapshots.clone(),
            is_history_new,
            ..OpenReport::default()
        };
        let recovered = recover(opened, genesis, &mut history, &config)?;
        report.blocks_replayed = recovered.blocks_replayed;
        let handle =
            assemble(recovered, history, config, network.map(|one| (one, &genesis.validators)))?;
        Ok((handle, report))
    }
}

/// Writes the genesis at the first start, compares it at every later one.
pub(crate) fn keep_genesis<D: Disk>(disk: &D, genesis: &Genesis) -> Result<(), OpenError> {
    match read_genesis(disk).map_err(OpenError::GenesisFile)? {
        // The start that wrote it may have ended before its name was durable.
        Some(there) if there == *genesis => {
            disk.sync_folder(GENESIS_FOLDER).map_err(OpenError::GenesisFile)
        }
        Some(there) => Err(OpenError::OtherGenesis { there: there.chain_id.to_string() }),
        None => write_genesis(disk, genesis).map_err(OpenError::GenesisFile),
    }
}

/// The genesis that is kept on a disk.
pub(crate) fn read_genesis<D: Disk>(disk: &D) -> io::Result<Option<Genesis>> {
    let file = match disk.open(GENESIS_FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.length()?;
    let wrong = |words: String| io::Error::new(io::ErrorKind::InvalidData, words);
    if length > GENESIS_BYTES_MAX {
        return Err(wrong(format!("it has more than {GENESIS_BYTES_MAX} bytes")));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_at(0, &mut bytes)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| wrong(error.to_string()))
}

fn write_genesis<D: Disk>(disk: &D, genesis: &Genesis) -> io::Result<()> {
    let part = format!("{GENESIS_FILE}.part");
    match disk.remove(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&part)?;
    let bytes = serde_json::to_vec_pretty(genesis);
    let bytes = bytes.map_err(|error| io::Error::other(error.to_string()))?;
    file.write_at(0, &bytes)?;
    file.sync()?;
    disk.rename(&part, GENESIS_FILE)?;
    disk.sync_folder(GENESIS_FOLDER)
}

/// Makes sure that what the history has are these blocks: another block of the same ledger at the
/// same height is a second history, whichever is the right one.
fn compare_history<D: Disk>(store: &Store<D>, history: &History) -> Result<(), OpenError> {
    let progress = history.progress();
    // Blocks that lie in an archive cannot be compared.
    if progress.height < store.first_height() {
        return Ok(());
    }
    let stored = store.read_block(progress.height)?;
    match header_of(&stored.block).map(|header| header.value_id()) {
        Some(recorded) if recorded != progress.value_id => {
            let what = "the block id in the history";
            Err(Divergence::new(progress.height, what, recorded, progress.value_id).into())
        }
        // What does not decode is named when it is executed again.
        _ => Ok(()),
    }
}

/// Makes sure that the blocks go as far as what was signed and what the receipt tiles hold.
fn check_mark<D: Disk>(store: &Store<D>, is_newest_copy: bool) -> Result<(), OpenError> {
    let last = store.last_height();
    let there = match last {
        0 => 0,
        _ => match header_of(&store.read_block(last)?.block) {
            Some(header) => header.receipt_log_size,
            // It is named when it is executed again.
            None => return Ok(()),
        },
    };
    let missing = |witness| Err(StoreError::MissingReceipts { there, witness }.into());
    if let Some(path) = store.tiles().beyond(there)? {
        return missing(format!("`{path}` holds later ones"));
    }
    match store.mark().read()? {
        Some(signed) if signed.checkpoint().size > there => {
            missing(format!("`{}` was signed over {}", mark::FILE, signed.checkpoint().size))
        }
        None if last > 0 && !is_newest_copy && !store.is_unsigned()? => Err(OpenError::Copy),
        Some(_) => Ok(store.may_sign()?),
        None => Ok(()),
    }
}

pub(super) fn header_of(block: &[u8]) -> Option<Header> {
    primitives::codec::decode::<ledger::Block>(block).ok().map(|block| block.header)
}

struct Recovered<D: Disk> {
    store: Store<D>,
    ledger: Ledger,
    header: Option<Header>,
    blocks_replayed: u64,
    snapshot_height: u64,
    /// The bytes of the blocks behind the snapshot.
    bytes_behind: u64,
}

/// Executes the blocks again that the snapshot or the history do not cover.
fn recover<D: Disk>(
    opened: Opened<D>,
    genesis: &Genesis,
    history: &mut History,
    config: &NodeConfig,
) -> Result<Recovered<D>, OpenError> {
    let Opened { mut store, snapshot, .. } = opened;
    let covered = snapshot.as_ref().map_or(0, |one| one.tip.height);
    let mut again = Again { history, pending: Vec::new(), weight: 0, header: None, count: 0 };
    let mut ledger = match snapshot {
        None => genesis.ledger(),
        Some(snapshot) if again.history.progress().height >= covered => {
            again.header = Some(snapshot.header.clone());
            resume(&store, genesis, snapshot)?
        }
        Some(snapshot) => {
            // Only execution gives receipts, so the blocks before the snapshot are executed as
            // well.
            if store.first_height() > 1 {
                let (history, last) = (config.history.clone(), store.first_height() - 1);
                return Err(OpenError::Archived { history, last });
            }
            let mut ledger = genesis.ledger();
            for height in 1..=covered {
                again.block(&mut ledger, &store.read_block(height)?)?;
            }
            compare(covered, snapshot.tip.value_id, ledger.tip().value_id)?;
            ledger
        }
    };
    let mut bytes_behind = 0_u64;
    store.replay(covered, |_, stored| -> Result<_, OpenError> {
        bytes_behind += stored.block.len() as u64;
        let leaves = again.block(&mut ledger, &stored)?;
        Ok(leaves)
    })?;
    again.flush()?;
    let (header, blocks_replayed) = (again.header, again.count);
    let snapshot_height = covered;
    Ok(Recovered { store, ledger, header, blocks_replayed, snapshot_height, bytes_behind })
}

/// The ledger at a snapshot, which must be one of this log.
fn resume<D: Disk>(
    store: &Store<D>,
    genesis: &Genesis,
    snapshot: Snapshot,
) -> Result<Ledger, OpenError> {
    let height = snapshot.tip.height;
    if height >= store.first_height() {
        let stored = store.read_block(height)?;
        let recorded = header_of(&stored.block).map(|header| header.value_id());
        compare(height, snapshot.tip.value_id, recorded.unwrap_or_default())?;
    }
    Ok(Ledger::new(genesis.chain_id, snapshot.state, snapshot.tip))
}

fn compare(height: u64, snapshot: Hash, log: Hash) -> Result<(), Divergence> {
    if snapshot == log {
        return Ok(());
    }
    Err(Divergence::new(height, "the block id of the snapshot", log, snapshot))
}

/// Executes blocks again and fills the history up with what it does not have.
struct Again<'a> {
    history: &'a mut History,
    pending: Vec<Arc<Committed>>,
    weight: usize,
    header: Option<Header>,
    count: u64,
}

impl Again<'_> {
    /// Gives the leaves of the block's receipts.
    fn block(
        &mut self,
        ledger: &mut Ledger,
        stored: &crate::store::StoredBlock,
    ) -> Result<Vec<Vec<u8>>, OpenError> {
        let threads = super::check::thread_count();
        let committed = replay(ledger, stored, threads)?;
        self.header = Some(committed.header().clone());
        self.count += 1;
        let leaves = committed.receipts.iter().map(|receipt| receipt.record.leaf()).collect();
        if committed.header().height > self.history.progress().height {
            let committed = Arc::new(committed);
            self.weight += committed.weight();
            self.pending.push(committed);
        }
        if self.weight >= HISTORY_BATCH_MAX {
            self.flush()?;
        }
        Ok(leaves)
    }

    fn flush(&mut self) -> Result<(), HistoryError> {
        let blocks: Vec<_> = self.pending.iter().map(|block| receipts_of(block)).collect();
        self.history.append(&blocks)?;
        self.pending.clear();
        self.weight = 0;
        Ok(())
    }
}

impl<D: Disk> Recovered<D> {
    fn behind(&self) -> Behind {
        Behind {
            blocks: self.ledger.tip().height.saturating_sub(self.snapshot_height),
            bytes: self.bytes_behind,
            rows: self.ledger.state().entry_count(),
        }
    }

    /// Writes a snapshot before the node works, where the start was long for want of one. Blocks
    /// are not concerned when it fails, and another follows beside them.
    fn catch_up(&mut self, history: &mut History, pace: SnapshotPace) -> Result<(), HistoryError> {
        let Some(header) = self.header.clone().filter(|_| self.behind().is_far(pace)) else {
            return Ok(());
        };
        if !history.make_durable()? {
            return Ok(());
        }
        let (tip, state) = (self.ledger.tip().clone(), self.ledger.state().clone());
        let (height, partial_tiles) = (tip.height, self.store.tiles().partial_tiles());
        match self.store.write_snapshot(&Snapshot { header, tip, state, partial_tiles }) {
            Ok(()) => (self.snapshot_height, self.bytes_behind) = (height, 0),
            Err(error) => {
                tracing::error!(height, %error, "a snapshot was given up; another follows")
            }
        }
        Ok(())
    }
}

/// Puts the parts of a node together and starts its threads.
fn assemble<D: Disk>(
    mut recovered: Recovered<D>,
    mut history: History,
    config: NodeConfig,
    network: Option<(Network, &ValidatorSet)>,
) -> Result<NodeHandle, OpenError> {
    UpgradeNeeded::check(config.protocol, &recovered.ledger)?;
    recovered.catch_up(&mut history, config.snapshots)?;
    let behind = recovered.behind();
    let Recovered { store, ledger, header, snapshot_height, .. } = recovered;
    let (tiles, mark) = (Arc::clone(store.tiles()), store.mark());
    let receipt_log = ReceiptLog::open(tiles, config.log_signer, mark, ledger.tip())?;
    let store = Arc::new(RwLock::new(store));
    let view = ReadView { state: ledger.state().clone(), tip: ledger.tip().clone(), header };
    let shared = Arc::new(Shared {
        chain_id: ledger.chain_id(),
        registry: Arc::clone(ledger.registry()),
        clock: config.clock,
        mempool: Arc::new(Mempool::new(config.mempool)),
        view: RwLock::new(Arc::new(view)),
        recent: Recent::default(),
        history: HistoryReader::new(&config.history),
        blocks: Arc::clone(&store) as Arc<dyn super::shared::Blocks>,
        receipt_log,
        cosignatures: Cosignatures::default(),
        peers: Mutex::default(),
        accused: Mutex::default(),
        is_watching: AtomicBool::new(false),
        subscribers: Subscribers::default(),
        counters: Counters { snapshot_height: snapshot_height.into(), ..Counters::default() },
        rehearsals: Mutex::default(),
        health: Mutex::new(Health::Running),
        is_failed: AtomicBool::new(false),
        is_orderly_stop: AtomicBool::new(false),
    });
    let (tasks, receiver) = queue(HISTORY_LAG_MAX);
    let pace = config.snapshots;
    let snapshots =
        SnapshotWriter::new(Arc::clone(&store), tasks.clone(), (pace, config.blocks_kept), behind);
    let engine = match network {
        None => Order::Solo(Solo::new(config.signer)),
        Some((network, founders)) => {
            let membership =
                Membership::start(network, config.signer, (&shared, &ledger), founders)?;
            Order::Network(Some(Box::new(membership)))
        }
    };
    let sequencer =
        Sequencer::new(Arc::clone(&shared), ledger, config.protocol, store, tasks, snapshots);
    let machine = Machine { sequencer, engine };
    let history = HistoryFollower { shared: Arc::clone(&shared), history, tasks: receiver };
    match config.threads {
        Threads::Caller => {
            let driver = Driver::new(machine, history);
            Ok(NodeHandle::driven(shared, Box::new(driver)))
        }
        Threads::Own { checking } => {
            let threads = start(&shared, machine, history, checking).map_err(OpenError::Thread)?;
            Ok(NodeHandle::running(shared, threads))
        }
    }
}
