//! What the node keeps on disk: the block log, which is the truth; snapshots of the state, which
//! shorten the way back to it; and the receipt log as tiles.
//!
//! Reading order: [`disk`], `record` (how a block lies on the disk), [`log`], [`tiles`],
//! [`snapshot`], [`mark`] (what was signed last), this file (how they come back together after a
//! stop), [`fault`] (a disk that loses things, for tests and the simulator).
//!
//! The order of a block: it is appended with its certificate and one `fdatasync`
//! ([`Store::append`]), its receipts go into the tiles ([`Store::push_receipts`]), then people are
//! told. Tiles are not synced with each block, since replaying blocks makes them again; a snapshot
//! is only written when the tiles below it are durable.

pub mod base;
pub mod disk;
pub mod fault;
pub mod log;
pub mod mark;
mod record;
pub mod snapshot;
pub mod tiles;
pub mod undecided;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::codec;
use proof::checkpoint::CheckpointError;
use proof::header::Certificate;

use base::BaseFiles;
pub use base::{Base, Beginning};
pub use disk::{Disk, DiskFile, Folder, FolderError};
pub use log::{BlockLog, Cut, Known, LogLimits};
pub use mark::Mark;
pub use snapshot::{RefusedSnapshot, Snapshot};
pub use tiles::TileLog;
pub use undecided::{KeptBlock, UndecidedBlocks};

/// A snapshot is due when so many bytes of blocks were written since the last one: what a start has
/// to replay at the most, a few seconds.
const SNAPSHOT_AFTER_LOG_BYTES: u64 = 64 << 20;

/// Why the store cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk failed.
    #[error(
        "`{file}`: {source}; make sure that the disk is in order and has room, then start again"
    )]
    Io {
        /// The file or folder.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error(
        "`{file}` is damaged at byte {offset}, where block {height} should be: {reason}; \
         restore the data folder from a backup or copy it from another node"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// The block that should be there.
        height: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Blocks that were there once are missing.
    #[error(
        "blocks {first} to {last} are missing in `blocks`; \
         restore the data folder from a backup or copy it from another node"
    )]
    MissingBlocks {
        /// The first missing height.
        first: u64,
        /// The last missing height.
        last: u64,
    },
    /// Receipts that were there once are missing, with their blocks.
    #[error(
        "the blocks end with {there} receipts, but {witness}: blocks that were acknowledged are \
         missing in `blocks`; restore the data folder from a backup or copy it from another node"
    )]
    MissingReceipts {
        /// How many receipts the blocks give.
        there: u64,
        /// What knows of more, in words.
        witness: String,
    },
    /// What was signed last cannot be read.
    #[error(
        "`signed/checkpoint` is damaged: {0}; restore the data folder from a backup or copy it \
         from another node"
    )]
    Mark(CheckpointError),
    /// A tile of the receipt log is not what the rest of the log says.
    #[error(
        "`{0}` is damaged; stop the node, delete the folder `receipts` and start again: it is made \
         anew from the blocks"
    )]
    DamagedTile(String),
    /// The log has no block of this height.
    #[error("there is no block {0} in the block log")]
    NoBlock(u64),
    /// A file of blocks has the form of another version of the program.
    #[error(
        "`{0}` was written by another version of yibao, and this one reads form 1; start that \
         version, or restore the data folder from a backup that this one can read"
    )]
    OtherVersion(String),
    /// The bytes of this block do not decode.
    #[error("block {0} in the block log was written by another version; use that version")]
    Format(u64),
    /// The folder was being filled with another node's snapshot.
    #[error(
        "the data folder was being filled with the snapshot of another node, and that was not \
         finished; run `yibao network sync` again"
    )]
    Unfinished,
    /// A write failed before, so nothing more may be written.
    #[error("the disk failed before; start the node again")]
    Stopped,
}

impl StoreError {
    pub(crate) fn io(file: &str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), source }
    }
}

/// A block as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredBlock {
    /// The block's bytes, which the store does not read.
    pub block: Vec<u8>,
    /// What made it final.
    pub certificate: Certificate,
}

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Sizes of the log's files.
    pub limits: LogLimits,
    /// 32 secret random bytes of this node; need not be the same each time.
    pub key: [u8; 32],
    /// The height up to which others know that blocks were acknowledged; 0 when nobody does.
    pub known_height: u64,
}

/// What opening a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A block whose writing was interrupted and that nobody was told of.
    pub cut: Option<Cut>,
    /// Snapshots that cannot be used; older ones or the log take their place.
    pub refused_snapshots: Vec<RefusedSnapshot>,
    /// Whether receipt tiles are missing, so that all blocks have to be replayed from genesis.
    pub tiles_are_missing: bool,
}

/// A store that was just opened.
pub struct Opened<D: Disk> {
    /// The store.
    pub store: Store<D>,
    /// Where to start: at this snapshot, or at genesis. [`Store::replay`] gives the blocks after
    /// it.
    pub snapshot: Option<Snapshot>,
    /// What had to be put right.
    pub report: Report,
}

/// Why replaying blocks stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The replayed block was refused.
    #[error(transparent)]
    Block(E),
}

/// What the node keeps on disk, open for writing by one thread.
pub struct Store<D: Disk> {
    disk: Arc<D>,
    log: BlockLog<D>,
    tiles: Arc<TileLog<D>>,
    /// How long the log was when the newest snapshot was begun.
    snapshot_at: u64,
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl<D: Disk> Store<D> {
    /// Opens the store: the newest snapshot that is whole, the log behind it, and the tiles.
    /// Nothing on the disk is changed before [`Store::settle`].
    ///
    /// # Errors
    /// When the disk fails, or a block that was acknowledged is damaged or missing.
    pub fn open(disk: D, options: StoreOptions) -> Result<Opened<D>, StoreError> {
        let disk = Arc::new(disk);
        let entries_from = match BaseFiles::new(Arc::clone(&disk)).read()? {
            Beginning::First => 0,
            Beginning::At(base) => base.receipts,
            Beginning::Unfinished => return Err(StoreError::Unfinished),
        };
        let (mut snapshot, refused_snapshots) = snapshot::load_newest(&*disk)?;
        let covered = snapshot.as_ref().map_or(0, |snapshot| snapshot.tip.height);
        // A snapshot's name became durable after its block, whatever is in the file now.
        let heights = snapshot::heights(&*disk).map_err(StoreError::io("snapshots"))?;
        let acknowledged = options.known_height.max(heights.last().copied().unwrap_or(0));
        let known = Known { covered, acknowledged };
        let (log, cut) = BlockLog::open(Arc::clone(&disk), options.limits, options.key, known)?;
        let resumed = match &snapshot {
            Some(snapshot) => TileLog::resume(
                Arc::clone(&disk),
                snapshot.tip.log.clone(),
                snapshot.partial_tiles.clone(),
                entries_from,
            )?,
            None => None,
        };
        let tiles_are_missing = snapshot.is_some() && resumed.is_none();
        if tiles_are_missing {
            snapshot = None;
        }
        let start = snapshot.as_ref().map_or(0, |snapshot| snapshot.tip.height);
        if log.first_height() > start + 1 {
            return Err(StoreError::MissingBlocks {
                first: start + 1,
                last: log.first_height() - 1,
            });
        }
        let tiles = Arc::new(resumed.unwrap_or_else(|| TileLog::new(Arc::clone(&disk))));
        let snapshot_at = if start == 0 { 0 } else { log.record_bytes() };
        let store = Self { disk, log, tiles, snapshot_at, writing: None };
        let report = Report { cut, refused_snapshots, tiles_are_missing };
        Ok(Opened { store, snapshot, report })
    }

    /// The height of the last block; 0 when there is none.
    #[must_use]
    pub const fn last_height(&self) -> u64 {
        self.log.last_height()
    }

    /// The height of the first block that is not in an archive; one more than the last when there
    /// is none.
    #[must_use]
    pub fn first_height(&self) -> u64 {
        self.log.first_height()
    }

    /// Makes the last block and the mark durable for certain and clears what is left of an
    /// interrupted write.
    ///
    /// # Errors
    /// When the disk fails: the store then takes nothing more.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        self.log.settle()?;
        self.mark().settle()
    }

    /// Whether the folder began with another node's snapshot, and signed nothing since.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn is_unsigned(&self) -> Result<bool, StoreError> {
        BaseFiles::new(Arc::clone(&self.disk)).is_unsigned()
    }

    /// Notes durably that the node may have signed something.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn may_sign(&self) -> Result<(), StoreError> {
        BaseFiles::new(Arc::clone(&self.disk)).may_sign()
    }

    /// The disk, for those who read files as they are.
    pub(crate) const fn disk(&self) -> &Arc<D> {
        &self.disk
    }

    /// Removes files of blocks that no start needs, as long as the first block behind them is one
    /// of these. Gives how many there were. With one snapshot alone none is removed: blocks are
    /// what is left should it be damaged.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn prune(&mut self, is_older: impl Fn(&[u8]) -> bool) -> Result<usize, StoreError> {
        let heights = snapshot::heights(&*self.disk).map_err(StoreError::io("snapshots"))?;
        let [oldest, _, ..] = *heights else { return Ok(0) };
        let mut below = 0;
        for first in self.log.segments().skip(1).map(|segment| segment.first_height) {
            if first > oldest || !is_older(&self.read_block(first)?.block) {
                break;
            }
            below = first;
        }
        self.log.remove_below(below)
    }

    /// What was signed last.
    #[must_use]
    pub fn mark(&self) -> Mark<D> {
        Mark::new(Arc::clone(&self.disk))
    }

    /// Blocks of the next height that are not decided.
    #[must_use]
    pub fn undecided(&self) -> UndecidedBlocks<D> {
        UndecidedBlocks::new(Arc::clone(&self.disk))
    }

    /// The receipt log, to be read by anybody.
    #[must_use]
    pub const fn tiles(&self) -> &Arc<TileLog<D>> {
        &self.tiles
    }

    /// Gives every block after this height to `each`, in order, which executes it again and returns
    /// the leaves of its receipts. Returns the last height.
    ///
    /// # Errors
    /// When a block cannot be read or `each` refuses it.
    pub fn replay<E>(
        &mut self,
        after: u64,
        mut each: impl FnMut(u64, StoredBlock) -> Result<Vec<Vec<u8>>, E>,
    ) -> Result<u64, ReplayError<E>> {
        for height in after + 1..=self.last_height() {
            let leaves = each(height, self.read_block(height)?).map_err(ReplayError::Block)?;
            self.push_receipts(leaves)?;
        }
        Ok(self.last_height())
    }

    /// A block by its height.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    pub fn read_block(&self, height: u64) -> Result<StoredBlock, StoreError> {
        codec::decode(&self.log.read(height)?).map_err(|_| StoreError::Format(height))
    }

    /// Appends the next block. When this returns, it is durable together with its certificate.
    ///
    /// # Errors
    /// When it may not be durable: the node has to stop, and tell nobody of the block.
    pub fn append(&mut self, block: &StoredBlock) -> Result<(), StoreError> {
        self.log.append(&codec::encode(block))
    }

    /// Puts the leaves of a block's receipts into the receipt log, in their order.
    ///
    /// # Errors
    /// When the disk fails: the node has to stop.
    pub fn push_receipts(
        &self,
        leaves: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<(), StoreError> {
        leaves.into_iter().try_for_each(|leaf| self.tiles.push(leaf.as_ref()))
    }

    /// Whether enough blocks were written since the last snapshot, and none is being written.
    #[must_use]
    pub fn snapshot_is_due(&self) -> bool {
        let since = self.log.record_bytes().saturating_sub(self.snapshot_at);
        self.writing.is_none() && since >= SNAPSHOT_AFTER_LOG_BYTES
    }

    /// Writes a snapshot of the last block and removes all but the newest two.
    ///
    /// # Errors
    /// When it could not be made durable. The blocks are not concerned.
    pub fn write_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.snapshot_at = self.log.record_bytes();
        snapshot::write(&*self.disk, &self.tiles, snapshot)
    }

    /// The same in a thread of its own. The state in it was cloned, so blocks go on meanwhile.
    ///
    /// # Errors
    /// When one is still being written, or there can be no thread.
    pub fn begin_snapshot(&mut self, snapshot: Snapshot) -> Result<(), StoreError> {
        let failed = StoreError::io("snapshots");
        if self.writing.is_some() {
            return Err(failed(io::Error::other("the last snapshot is still being written")));
        }
        self.snapshot_at = self.log.record_bytes();
        let (disk, tiles) = (Arc::clone(&self.disk), Arc::clone(&self.tiles));
        let write = move || snapshot::write(&*disk, &tiles, &snapshot);
        let thread = std::thread::Builder::new().name("yibao-snapshot".to_owned());
        self.writing = Some(thread.spawn(write).map_err(failed)?);
        Ok(())
    }

    /// What became of the snapshot that was begun: `None` while it is being written or there is
    /// none. With `wait`, waits for it.
    pub fn finish_snapshot(&mut self, wait: bool) -> Option<Result<(), StoreError>> {
        let writing = self.writing.take_if(|writing| wait || writing.is_finished())?;
        Some(writing.join().unwrap_or_else(|_| {
            Err(StoreError::io("snapshots")(io::Error::other("writing the snapshot panicked")))
        }))
    }
}

impl<D: Disk> Drop for Store<D> {
    fn drop(&mut self) {
        // The folder's lock must not be let go while a thread still writes into it.
        drop(self.finish_snapshot(true));
    }
}
