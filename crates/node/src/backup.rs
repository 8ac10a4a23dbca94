//! Copies of a node's folder: whole at one block, made while a node works in it, and brought back
//! to any block of theirs.
//!
//! What follows the blocks (history, snapshots, receipt tiles) is copied before them, so that
//! nothing in a copy knows of a block that the copy does not have. What was signed last is never
//! copied: only a node that has every block that it signed may sign on ([`crate::store::mark`]).

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::sqlite::copy::{self, CopyError};
use ledger::Block;
use primitives::{Hash, Timestamp, codec};
use proof::checkpoint::SignedCheckpoint;
use proof::header::{ChainId, Header};
use serde::{Deserialize, Serialize};

use crate::history::{HistoryError, HistoryReader};
use crate::runtime::read_genesis;
use crate::store::disk::make_folder;
use crate::store::{
    BlockLog, Folder, FolderError, Known, LogLimits, StoreError, StoredBlock, mark, snapshot, tiles,
};
use crate::verify::folder::ReadOnlyFolder;

/// A node that writes meanwhile can make its newest record look damaged for an instant.
const TRIES: usize = 5;
/// Files are read in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;
/// The name of the history in a node's folder.
pub const HISTORY_FILE: &str = "history.sqlite";
/// Files and folders of a node's folder that are not copied as they are: what the next start makes
/// itself, what was signed last, what belongs to the height that is under way in a network (and
/// goes while it is copied), and what is told of the last backup and of how the node was.
const LEFT_OUT: [&str; 10] = [
    "lock",
    "signed",
    "consensus",
    "undecided",
    "last-backup.json",
    "last-status.json",
    "register.json",
    HISTORY_FILE,
    "history.sqlite-wal",
    "history.sqlite-shm",
];
/// Folders that are copied by rules of their own.
const FOLLOWING: [&str; 3] = ["blocks", "snapshots", "receipts"];

/// Why a folder could not be copied or brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no ledger.
    #[error("`{}` holds no ledger; name the data folder of a node", .0.display())]
    NoLedger(PathBuf),
    /// A file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The blocks cannot be read, or are damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A database cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A block is not the one that follows.
    #[error("block {0} does not follow the one before it; the blocks are of two histories")]
    Chain(u64),
    /// There is no such block.
    #[error("there is no block {wanted}; the last one is {last}")]
    NoBlock {
        /// The block that was asked for.
        wanted: u64,
        /// The last block there is.
        last: u64,
    },
    /// Nothing was there at that time.
    #[error("the first block is of {first}, later than {wanted}")]
    Before {
        /// The time that was asked for.
        wanted: Timestamp,
        /// Block time of the first block.
        first: Timestamp,
    },
    /// The other folder is of another ledger.
    #[error("`{}` is of another ledger; name a folder of the same one", .0.display())]
    OtherLedger(PathBuf),
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |source| BackupError::File { path: path.to_owned(), source }
}

/// Where the blocks of a folder end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlocksEnd {
    /// The ledger.
    pub chain_id: ChainId,
    /// The hash of its genesis.
    pub genesis: Hash,
    /// The last block; 0 when there is none.
    pub height: u64,
    /// Its value id.
    pub value_id: Hash,
    /// Block time of the last block.
    pub time: Timestamp,
    /// How many receipts there are.
    pub receipts: u64,
    /// The root of the receipt log.
    pub receipt_log_root: Hash,
    /// The root of the state.
    pub state_root: Hash,
}

/// How files get into a copy.
pub struct Copier<'a> {
    /// An earlier copy of the same folder: files that never change are taken from it without their
    /// bytes, where the file system can do that.
    pub earlier: Option<&'a Path>,
    /// Bytes that were copied.
    pub bytes_copied: u64,
    /// Bytes that the earlier copy had already.
    pub bytes_kept: u64,
}

impl Copier<'_> {
    /// Copies a file that never changes, at this path below both folders.
    ///
    /// # Errors
    /// What the system says.
    pub fn copy(&mut self, from: &Path, to: &Path, path: &str) -> Result<(), BackupError> {
        let (source, target) = (from.join(path), to.join(path));
        let length = fs::metadata(&source).map_err(file_error(&source))?.len();
        self.file(&source, &target, path, length)
    }

    /// Copies the first bytes of a file.
    fn file(
        &mut self,
        source: &Path,
        target: &Path,
        path: &str,
        length: u64,
    ) -> Result<(), BackupError> {
        if let Some(folder) = target.parent() {
            make_folder(folder).map_err(file_error(folder))?;
        }
        if let Some(earlier) = self.earlier.map(|earlier| earlier.join(path))
            && fs::metadata(&earlier).is_ok_and(|there| there.len() == length)
            && fs::hard_link(&earlier, target).is_ok()
        {
            self.bytes_kept += length;
            return Ok(());
        }
        self.bytes_copied += copy_bytes(source, target, length).map_err(file_error(source))?;
        Ok(())
    }

    /// Copies a file that seldom changes: an earlier copy with the same bytes serves.
    ///
    /// # Errors
    /// What the system says.
    pub fn copy_compared(&mut self, from: &Path, to: &Path, path: &str) -> Result<(), BackupError> {
        let source = from.join(path);
        let earlier = self.earlier.map(|earlier| earlier.join(path));
        let is_same = earlier.is_some_and(|earlier| has_same_bytes(&source, &earlier));
        if is_same { self.copy(from, to, path) } else { self.copy_fresh(from, to, path) }
    }

    /// Copies a file that may be replaced as a whole, never taking an earlier copy for it.
    ///
    /// # Errors
    /// What the system says.
    pub fn copy_fresh(&mut self, from: &Path, to: &Path, path: &str) -> Result<(), BackupError> {
        let (source, target) = (from.join(path), to.join(path));
        if let Some(folder) = target.parent() {
            make_folder(folder).map_err(file_error(folder))?;
        }
        self.bytes_copied += copy_bytes(&source, &target, u64::MAX).map_err(file_error(&source))?;
        Ok(())
    }
}

fn has_same_bytes(one: &Path, other: &Path) -> bool {
    matches!((sum_of(one), sum_of(other)), (Ok(one), Ok(other)) if one == other)
}

/// How many bytes a file has, and their BLAKE3 in hex.
///
/// # Errors
/// What the system says.
pub fn sum_of(path: &Path) -> io::Result<(u64, String)> {
    let mut sink = io::sink();
    sum_into(&mut File::open(path)?, &mut sink)
}

/// Copies all bytes; how many there were, and their BLAKE3 in hex.
///
/// # Errors
/// What the system says.
pub fn sum_into(from: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok((hasher.count(), hasher.finalize().to_hex().to_string()));
        }
        let some = piece.get(..count).unwrap_or(&piece);
        hasher.update(some);
        to.write_all(some)?;
    }
}

/// Copies at most so many bytes into a new file with the same permissions, durably.
fn copy_bytes(source: &Path, target: &Path, length: u64) -> io::Result<u64> {
    let mut from = File::open(source)?;
    let mut to = File::create_new(target)?;
    to.set_permissions(from.metadata()?.permissions())?;
    let copied = io::copy(&mut (&mut from).take(length), &mut to)?;
    to.sync_all()?;
    Ok(copied)
}

/// All files below a folder, by their paths in it with `/` between names, sorted.
///
/// # Errors
/// What the system says.
pub fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(inner) = folders.pop() {
        let entries = match fs::read_dir(folder.join(&inner)) {
            // It was removed meanwhile, or never there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inner.is_empty() { name } else { format!("{inner}/{name}") };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies everything of a node's folder that follows the blocks. [`copy_blocks`] comes after it.
///
/// # Errors
/// The first file that cannot be copied.
pub fn copy_followers(
    from: &Path,
    to: &Path,
    has_history: bool,
    copier: &mut Copier<'_>,
) -> Result<(), BackupError> {
    let genesis = read_genesis(&ReadOnlyFolder::new(from)).map_err(file_error(from))?;
    genesis.ok_or_else(|| BackupError::NoLedger(from.to_owned()))?;
    for path in files_below(from).map_err(file_error(from))? {
        let top = path.split('/').next().unwrap_or(&path);
        if !LEFT_OUT.contains(&top) && !FOLLOWING.contains(&top) && !path.ends_with(".part") {
            copier.copy_fresh(from, to, &path)?;
        }
    }
    let tiles = files_below(&from.join("receipts")).map_err(file_error(from))?;
    for path in tiles.iter().filter(|path| !path.ends_with(".part")) {
        copier.copy(from, to, &format!("receipts/{path}"))?;
    }
    copy_newest_snapshot(from, to, copier)?;
    if has_history && from.join(HISTORY_FILE).exists() {
        let (source, target) = (from.join(HISTORY_FILE), to.join(HISTORY_FILE));
        copy::copy(&source, &target)?;
        let copied = fs::metadata(&target).map_err(file_error(&target))?.len();
        copier.bytes_copied += copied;
    }
    Ok(())
}

/// Copies the newest snapshot that is whole, if there is one.
fn copy_newest_snapshot(
    from: &Path,
    to: &Path,
    copier: &mut Copier<'_>,
) -> Result<(), BackupError> {
    let disk = ReadOnlyFolder::new(from);
    let heights = snapshot::heights(&disk).map_err(StoreError::io("snapshots"))?;
    for path in heights.into_iter().rev().map(snapshot::path_at) {
        match copier.copy(from, to, &path) {
            Ok(()) => {
                if snapshot::is_whole(&ReadOnlyFolder::new(to), &path).unwrap_or(false) {
                    return Ok(());
                }
                let target = to.join(&path);
                fs::remove_file(&target).map_err(file_error(&target))?;
            }
            // The node has removed it, because there is a newer one.
            Err(BackupError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies the blocks as they are now, each whole and checked, and compares every header with the
/// one before it.
///
/// # Errors
/// The first block that is damaged or does not follow.
pub fn copy_blocks(
    from: &Path,
    to: &Path,
    copier: &mut Copier<'_>,
) -> Result<BlocksEnd, BackupError> {
    let log = open_log(from)?;
    for segment in log.segments() {
        let (source, target) = (from.join(segment.path), to.join(segment.path));
        let length = if segment.is_last {
            segment.end
        } else {
            fs::metadata(&source).map_err(file_error(&source))?.len()
        };
        copier.file(&source, &target, segment.path, length)?;
    }
    end_of(to)
}

/// Where the blocks of a folder end, after each was read and its header compared with the one
/// before it.
///
/// # Errors
/// The first block that is damaged or does not follow.
pub fn end_of(folder: &Path) -> Result<BlocksEnd, BackupError> {
    let disk = ReadOnlyFolder::new(folder);
    let genesis = read_genesis(&disk).map_err(file_error(folder))?;
    let genesis = genesis.ok_or_else(|| BackupError::NoLedger(folder.to_owned()))?;
    let log = open_log(folder)?;
    let mut last: Option<Header> = None;
    for height in log.first_height()..=log.last_height() {
        let header = header_at(&log, height)?;
        let is_next = match &last {
            Some(before) => header.parent == before.value_id(),
            None => height > 1 || header.parent == Hash::default(),
        };
        if header.height != height || header.chain_id != genesis.chain_id || !is_next {
            return Err(BackupError::Chain(height));
        }
        last = Some(header);
    }
    let tip = genesis.ledger();
    let (tip, state_root) = (tip.tip().clone(), tip.state().root());
    Ok(match last {
        Some(header) => BlocksEnd {
            chain_id: genesis.chain_id,
            genesis: genesis.hash(),
            height: header.height,
            value_id: header.value_id(),
            time: header.time,
            receipts: header.receipt_log_size,
            receipt_log_root: header.receipt_log_root,
            state_root: header.state_root,
        },
        None => BlocksEnd {
            chain_id: genesis.chain_id,
            genesis: genesis.hash(),
            height: 0,
            value_id: tip.value_id,
            time: genesis.time,
            receipts: 0,
            receipt_log_root: tip.log.root(),
            state_root,
        },
    })
}

type ReadLog = BlockLog<ReadOnlyFolder>;

fn open_log(folder: &Path) -> Result<ReadLog, BackupError> {
    let open = || {
        let disk = Arc::new(ReadOnlyFolder::new(folder));
        BlockLog::open(disk, LogLimits::default(), [0; 32], Known::default()).map(|(log, _)| log)
    };
    for _ in 1..TRIES {
        match open() {
            Err(StoreError::Damaged { .. }) => {}
            opened => return Ok(opened?),
        }
    }
    Ok(open()?)
}

fn block_at(log: &ReadLog, height: u64) -> Result<(StoredBlock, Header), BackupError> {
    let wrong = |_| StoreError::Format(height);
    let stored: StoredBlock = codec::decode(&log.read(height)?).map_err(wrong)?;
    let block: Block = codec::decode(&stored.block).map_err(wrong)?;
    Ok((stored, block.header))
}

fn header_at(log: &ReadLog, height: u64) -> Result<Header, BackupError> {
    block_at(log, height).map(|(_, header)| header)
}

/// Up to where a ledger is brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// All of it.
    End,
    /// This block.
    Height(u64),
    /// The last block of which block time is not later than this.
    Time(Timestamp),
}

/// The last block that is brought back.
///
/// # Errors
/// When there is no such block.
pub fn height_at(folder: &Path, until: Until) -> Result<u64, BackupError> {
    let log = open_log(folder)?;
    let last = log.last_height();
    match until {
        Until::End => Ok(last),
        Until::Height(wanted) if wanted <= last && wanted + 1 >= log.first_height() => Ok(wanted),
        Until::Height(wanted) => Err(BackupError::NoBlock { wanted, last }),
        Until::Time(wanted) => {
            let (mut low, mut high) = (log.first_height(), last + 1);
            let first = low;
            while low < high {
                let middle = low + (high - low) / 2;
                if header_at(&log, middle)?.time <= wanted {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            match low - 1 {
                before if before < first => {
                    let first = if last == 0 { wanted } else { header_at(&log, first)?.time };
                    Err(BackupError::Before { wanted, first })
                }
                height => Ok(height),
            }
        }
    }
}

/// Brings the blocks up to this height into another folder, which has none yet.
///
/// # Errors
/// When a block cannot be read or a file not written.
pub fn bring_blocks(from: &Path, to: &Path, height: u64) -> Result<(), BackupError> {
    let log = open_log(from)?;
    for segment in log.segments() {
        if segment.first_height > height {
            break;
        }
        let (source, target) = (from.join(segment.path), to.join(segment.path));
        let folder = target.parent().unwrap_or(to);
        make_folder(folder).map_err(file_error(folder))?;
        let end = segment.end_of(height).unwrap_or(segment.end);
        copy_bytes(&source, &target, end).map_err(file_error(&source))?;
    }
    Ok(())
}

/// What a newer folder of the same ledger, whole or damaged, could still give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Blocks that were appended.
    pub blocks: u64,
    /// Whether the folder's own mark was taken over: the blocks go as far as anything was ever
    /// signed, so that the log simply goes on.
    pub is_complete: bool,
}

/// Appends the blocks that another folder of the same ledger has and this one has not, as far as
/// they are whole. When nothing shows that there ever were more, what was signed last comes along.
///
/// # Errors
/// When the other folder is of another ledger, its blocks do not follow, or this folder cannot be
/// written.
pub fn salvage(folder: &Path, other: &Path, limits: LogLimits) -> Result<Salvaged, BackupError> {
    let own = end_of(folder)?;
    let source = Arc::new(ReadOnlyFolder::new(other));
    let genesis = read_genesis(&*source).map_err(file_error(other))?;
    if genesis.is_none_or(|genesis| genesis.hash() != own.genesis) {
        return Err(BackupError::OtherLedger(other.to_owned()));
    }
    let log = BlockLog::open_whole_part(Arc::clone(&source))?;
    if own.height >= log.first_height() && own.height <= log.last_height() {
        let there = header_at(&log, own.height)?;
        if there.value_id() != own.value_id {
            return Err(BackupError::Chain(own.height));
        }
    }
    let target = Arc::new(Folder::open(folder)?);
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| file_error(folder)(io::Error::other(error.to_string())))?;
    let known = Known::default();
    let (mut own_log, _) = BlockLog::open(Arc::clone(&target), limits, key, known)?;
    let (mut parent, mut receipts) = (own.value_id, own.receipts);
    let mut salvaged = Salvaged::default();
    for height in own.height + 1..=log.last_height() {
        let (stored, header) = block_at(&log, height)?;
        if header.height != height || header.parent != parent {
            return Err(BackupError::Chain(height));
        }
        own_log.append(&codec::encode(&stored))?;
        (parent, receipts) = (header.value_id(), header.receipt_log_size);
        salvaged.blocks += 1;
    }
    let height = own.height + salvaged.blocks;
    if let Some(signed) = whole_mark(other, &source, height, receipts) {
        mark::Mark::new(target).write(&signed)?;
        salvaged.is_complete = true;
    }
    Ok(salvaged)
}

/// What a folder signed last, when it holds nothing that shows more blocks than these: no damaged
/// ones, no snapshot, no history, no tile and no signature behind them.
fn whole_mark(
    folder: &Path,
    disk: &Arc<ReadOnlyFolder>,
    height: u64,
    receipts: u64,
) -> Option<SignedCheckpoint> {
    let snapshots = snapshot::heights(&**disk).ok()?;
    let history = folder.join(HISTORY_FILE);
    let in_history = match history.exists() {
        true => HistoryReader::untouched(&history).progress().ok()?.height,
        false => 0,
    };
    let acknowledged = snapshots.last().copied().unwrap_or(0).max(in_history);
    let known = Known { covered: 0, acknowledged };
    let log = BlockLog::open(Arc::clone(disk), LogLimits::default(), [0; 32], known);
    let is_whole = log.is_ok_and(|(log, _)| log.last_height() <= height);
    let tiles = tiles::paths_on(&**disk).ok()?;
    let is_whole = is_whole && tiles.is_subset(&tiles::paths_of(receipts));
    let signed = mark::Mark::new(Arc::clone(disk)).read().ok()??;
    (is_whole && signed.checkpoint().size <= receipts).then_some(signed)
}

/// Removes from a folder what knows of blocks behind this height; the node makes it again.
///
/// # Errors
/// What the system says.
pub fn forget_behind(folder: &Path, height: u64) -> Result<(), BackupError> {
    let disk = ReadOnlyFolder::new(folder);
    let log = open_log(folder)?;
    let receipts = if height == 0 { 0 } else { header_at(&log, height)?.receipt_log_size };
    for newer in snapshot::heights(&disk).map_err(StoreError::io("snapshots"))? {
        if newer > height {
            let path = folder.join(snapshot::path_at(newer));
            fs::remove_file(&path).map_err(file_error(&path))?;
        }
    }
    let history = folder.join(HISTORY_FILE);
    if history.exists() && HistoryReader::untouched(&history).progress()?.height > height {
        for ending in ["", "-wal", "-shm"] {
            let path = folder.join(format!("{HISTORY_FILE}{ending}"));
            if path.exists() {
                fs::remove_file(&path).map_err(file_error(&path))?;
            }
        }
    }
    let right = tiles::paths_of(receipts);
    for path in tiles::paths_on(&disk).map_err(StoreError::io("receipts"))? {
        if !right.contains(&path) {
            let path = folder.join(path);
            fs::remove_file(&path).map_err(file_error(&path))?;
        }
    }
    Ok(())
}
