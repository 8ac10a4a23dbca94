//! A simulated machine: a node that the world drives, on a disk and with a history that survive it.
//!
//! A world has one machine now. Everything that belongs to one is in here, so that a network of
//! organisations is a list of machines; what passes between them goes through
//! [`crate::network::Network`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::clock::ManualClock;
use ledger::Genesis;
use node::receipt_log::LogSigner;
use node::runtime::{
    BlockSigner, Health, NodeConfig, OpenError, OpenReport, SnapshotPace, Threads,
};
use node::store::LogLimits;
use node::{MempoolLimits, Node, NodeHandle};
use primitives::Party;
use tempfile::TempDir;

use crate::actor::{Actor, organisation};
use crate::dice::Dice;
use crate::disk::{DiskFaults, SimDisk};
use crate::region::genesis::block_key;

/// The files of SQLite besides the database itself.
const SQLITE_ENDINGS: [&str; 2] = ["", "-wal"];

/// How a machine's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The power was cut: what was not synced is lost or torn.
    PowerCut,
    /// The process was killed; the system and its disk cache live on.
    Killed,
    /// It was told to stop.
    Stopped,
    /// A sync failed, the node stopped by itself, and only the process was started again.
    FailedSync,
    /// A sync failed, the node stopped by itself, and the machine was started again.
    FailedSyncAndReboot,
    /// The disk was full, the node stopped by itself, and somebody made room.
    DiskFull,
}

/// What becomes of the history, which is no truth of its own, when the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryFate {
    /// It is all there.
    Kept,
    /// It is as it was when it was last copied.
    Older,
    /// It is gone.
    Lost,
}

/// Which history a node on a copy of the disk finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// None: it is made anew from the first block.
    WithoutHistory,
    /// A copy of the machine's: blocks below the snapshot are not executed again.
    WithHistory,
}

/// A machine with a node.
pub struct Machine {
    genesis: Genesis,
    clock: Arc<ManualClock>,
    disk: SimDisk,
    folder: TempDir,
    pace: u64,
    mempool: MempoolLimits,
    node: Option<NodeHandle>,
}

impl Machine {
    /// A machine with an empty disk. Its databases lie in memory where the system has such a
    /// folder.
    ///
    /// # Panics
    /// When the system gives no temporary folder.
    #[must_use]
    pub fn new(genesis: Genesis, clock: Arc<ManualClock>, dice: &mut Dice) -> Self {
        let disk = SimDisk::new(Arc::clone(&clock), dice.fork("disk"), DiskFaults::default());
        let per_author_max = if dice.chance(200) { 2 } else { 64 };
        let mempool = MempoolLimits { per_author_max, ..MempoolLimits::default() };
        let pace = dice.between(3, 40);
        Self { genesis, clock, disk, folder: memory_folder(), pace, mempool, node: None }
    }

    /// A folder of this machine for files that are no part of what is simulated.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The disk as it is now.
    #[must_use]
    pub const fn disk(&self) -> &SimDisk {
        &self.disk
    }

    /// The node, when it is up.
    #[must_use]
    pub const fn node(&self) -> Option<&NodeHandle> {
        self.node.as_ref()
    }

    /// Whether the node is up and takes transactions, and its disk has power.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.disk.is_off()
            && self.node.as_ref().is_some_and(|node| node.status() == Health::Running)
    }

    /// Why the node says that it stopped by itself, if it did.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        match self.node.as_ref()?.status() {
            Health::Failed(words) => Some(words),
            Health::Running | Health::Stopped => None,
        }
    }

    /// Ends the process and brings the disk into the state in which the next start finds it. All
    /// handles of the node must be gone but the machine's own.
    pub fn end(&mut self, end: End, dice: &mut Dice) {
        if let Some(node) = self.node.take()
            && end == End::Stopped
        {
            node.stop();
        }
        let faults = DiskFaults::default();
        self.disk = match end {
            End::PowerCut | End::FailedSyncAndReboot => {
                self.disk.after_power_cut(dice.below(u64::MAX), faults)
            }
            _ => self.disk.after_restart(faults),
        };
    }

    /// Puts another disk in, as when somebody restores an old image.
    pub fn replace_disk(&mut self, disk: SimDisk) {
        self.disk = disk;
    }

    /// Starts the node on its disk, which fails in this way from now on.
    ///
    /// # Errors
    /// When the node does not come up.
    pub fn start(&mut self, faults: DiskFaults) -> Result<OpenReport, OpenError> {
        self.disk = self.disk.after_restart(faults);
        let config = self.config(
            self.history(),
            SnapshotPace { blocks: self.pace, bytes: u64::MAX, at_stop: true },
        );
        let opened = Node::open(self.disk.clone(), &self.genesis, config);
        self.disk.start_is_over(opened.is_ok());
        let (node, report) = opened?;
        self.node = Some(node);
        Ok(report)
    }

    /// Starts a node for looking at a copy of a disk, with a history of its own: a new one, or a
    /// copy of the machine's. It writes no snapshot.
    ///
    /// # Errors
    /// When the node does not come up.
    pub fn start_aside(
        &self,
        disk: SimDisk,
        aside: Aside,
    ) -> Result<(NodeHandle, OpenReport), OpenError> {
        self.start_copy(disk, aside, false)
    }

    /// The same for living on a copy of a disk: it stops as the program does, with a snapshot.
    ///
    /// # Errors
    /// When the node does not come up.
    pub fn live_aside(
        &self,
        disk: SimDisk,
        aside: Aside,
    ) -> Result<(NodeHandle, OpenReport), OpenError> {
        self.start_copy(disk, aside, true)
    }

    fn start_copy(
        &self,
        disk: SimDisk,
        aside: Aside,
        at_stop: bool,
    ) -> Result<(NodeHandle, OpenReport), OpenError> {
        let history = self.folder.path().join("aside.sqlite");
        remove(&history);
        if aside == Aside::WithHistory {
            for ending in SQLITE_ENDINGS {
                let _ = std::fs::copy(with(&self.history(), ending), with(&history, ending));
            }
        }
        let config =
            self.config(history, SnapshotPace { blocks: u64::MAX, bytes: u64::MAX, at_stop });
        Node::open(disk, &self.genesis, config)
    }

    fn config(&self, history: PathBuf, snapshots: SnapshotPace) -> NodeConfig {
        let log_key = Actor::new(Party::Organisation(organisation("log")), "log").into_key();
        NodeConfig {
            signer: BlockSigner::new(organisation(crate::region::BUREAU), block_key().into_key()),
            log_signer: LogSigner::new("sim.example/log", log_key).expect("an Ed25519 key"),
            clock: self.clock.clone(),
            history,
            randomness: [7; 32],
            mempool: self.mempool,
            log: LogLimits { segment_bytes: 32 << 10, zeros_bytes: 8 << 10 },
            snapshots,
            blocks_kept: None,
            is_newest_copy: false,
            protocol: ledger::kernel::block::PROTOCOL,
            threads: Threads::Caller,
        }
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("history.sqlite")
    }

    fn history_copy(&self) -> PathBuf {
        self.folder.path().join("history-copy.sqlite")
    }

    /// Copies the history as it is now: what an older state of it is taken from.
    pub fn copy_history(&self) {
        for ending in SQLITE_ENDINGS {
            let (from, to) = (with(&self.history(), ending), with(&self.history_copy(), ending));
            if std::fs::copy(from, &to).is_err() {
                let _ = std::fs::remove_file(to);
            }
        }
    }

    /// Lets the history suffer its fate, and says whether it did; the node must be down.
    pub fn damage_history(&self, fate: HistoryFate) -> bool {
        let copy = self.history_copy();
        if fate == HistoryFate::Kept || (fate == HistoryFate::Older && !copy.exists()) {
            return false;
        }
        remove(&self.history());
        if fate == HistoryFate::Older {
            for ending in SQLITE_ENDINGS {
                let _ = std::fs::copy(with(&copy, ending), with(&self.history(), ending));
            }
        }
        true
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn remove(database: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with(database, ending));
    }
}

/// A temporary folder, in memory where there is one: thousands of worlds sync their databases
/// often.
fn memory_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.or_else(|_| tempfile::tempdir()).expect("the system gives a temporary folder")
}
