//! Snapshots: all rows of the state at a block, so that a start replays only what came after.
//!
//! A file `snapshots/HEIGHT.snapshot` is a stream: `yibao snapshot 1`, the length of the head
//! (u64), the head (borsh), then each row as key hash, length of the value (u32) and value, in the
//! order of the key hashes, and at the end the BLAKE3 of everything before. It is written beside,
//! synced, and only then given its name. Whether it is the state of the block is decided by the
//! state root in the block's header, not by the file.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::{Seeds, State, Tip};
use primitives::{Hash, codec};
use proof::header::Header;

use super::StoreError;
use super::disk::{Disk, DiskFile};
use super::tiles::{PartialTiles, TileLog};

const FOLDER: &str = "snapshots";
const MAGIC: &[u8; 16] = b"yibao snapshot 1";
/// So many snapshots are kept: one more than needed, should the newest turn out damaged.
const KEPT: usize = 2;
/// Reading and writing is done in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;
/// The head holds less than 256 entries and 2,048 hashes of the receipt log, and the validators.
const HEAD_BYTES_MAX: u64 = 64 << 20;

/// The state right after a block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The block's header.
    pub header: Header,
    /// Where the ledger stood.
    pub tip: Tip,
    /// All rows.
    pub state: State,
    /// The end of the receipt log ([`TileLog::partial_tiles`]), taken at the same block.
    pub partial_tiles: PartialTiles,
}

/// A snapshot that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSnapshot {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Head {
    header: Header,
    tip: Tip,
    partial_tiles: PartialTiles,
    seeds: Seeds,
    entry_count: u64,
}

impl Snapshot {
    /// Whether the parts are those of one block.
    fn check(&self) -> Result<(), &'static str> {
        let (header, tip) = (&self.header, &self.tip);
        let rules = [
            (header.value_id() == tip.value_id, "it has the header of another block"),
            (header.height == tip.height, "it has the height of another block"),
            (header.receipt_log_size == tip.log.size(), "it has another receipt log"),
            (header.receipt_log_root == tip.log.root(), "it has another receipt log"),
            (header.state_root == self.state.root(), "its rows are not those of the block"),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
    }
}

/// Makes a snapshot durable, the receipt log first, and removes the older ones.
pub(super) fn write<D: Disk>(
    disk: &D,
    tiles: &TileLog<D>,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    assert_eq!(snapshot.check(), Ok(()), "a snapshot is of one block");
    tiles.sync()?;
    let path = path_at(snapshot.tip.height);
    let part = format!("{path}.part");
    let make = || {
        remove_if_there(disk, &part)?;
        let mut writer = Writer::new(disk.create(&part)?);
        write_body(&mut writer, snapshot)?;
        writer.finish()?.sync()?;
        disk.rename(&part, &path)?;
        disk.sync_folder(FOLDER)
    };
    make().map_err(StoreError::io(&path))?;
    remove_old(disk).map_err(StoreError::io(FOLDER))
}

fn write_body<F: DiskFile>(writer: &mut Writer<F>, snapshot: &Snapshot) -> io::Result<()> {
    let head = codec::encode(&Head {
        header: snapshot.header.clone(),
        tip: snapshot.tip.clone(),
        partial_tiles: snapshot.partial_tiles.clone(),
        seeds: snapshot.state.seeds(),
        entry_count: snapshot.state.entry_count(),
    });
    writer.put(MAGIC)?;
    writer.put(&(head.len() as u64).to_le_bytes())?;
    writer.put(&head)?;
    for (key_hash, value) in snapshot.state.entries() {
        writer.put(key_hash.as_bytes())?;
        writer.put(&(value.len() as u32).to_le_bytes())?;
        writer.put(value)?;
    }
    Ok(())
}

/// The newest snapshot that is whole, and what is wrong with newer ones.
pub(super) fn load_newest<D: Disk>(
    disk: &D,
) -> Result<(Option<Snapshot>, Vec<RefusedSnapshot>), StoreError> {
    let mut refused = Vec::new();
    for path in paths(disk).map_err(StoreError::io(FOLDER))?.into_iter().rev() {
        match load(disk, &path) {
            Ok(snapshot) => return Ok((Some(snapshot), refused)),
            Err(error) => refused.push(RefusedSnapshot { file: path, reason: error.to_string() }),
        }
    }
    Ok((None, refused))
}

fn read_head<F: DiskFile>(reader: &mut Reader<F>) -> io::Result<Head> {
    if reader.take::<16>()? != *MAGIC {
        return Err(wrong("it is not a snapshot of this version"));
    }
    let length = u64::from_le_bytes(reader.take()?);
    if length > HEAD_BYTES_MAX {
        return Err(wrong("its head is too long"));
    }
    codec::decode(&reader.take_vec(length as usize)?).map_err(|_| wrong("its head is not readable"))
}

/// Where the ledger stood at the newest snapshot on a disk, if there is one. Its rows are not
/// looked at.
///
/// # Errors
/// When it cannot be read.
pub fn newest_tip<D: Disk>(disk: &D) -> io::Result<Option<Tip>> {
    let Some(path) = paths(disk)?.pop() else { return Ok(None) };
    let head = read_head(&mut Reader::new(disk.open(&path)?)?)?;
    if head.header.value_id() != head.tip.value_id {
        return Err(wrong("it has the header of another block"));
    }
    Ok(Some(head.tip))
}

/// Reads a snapshot, which must be whole.
pub(crate) fn load<D: Disk>(disk: &D, path: &str) -> io::Result<Snapshot> {
    let mut reader = Reader::new(disk.open(path)?)?;
    let head = read_head(&mut reader)?;
    let mut failure = None;
    let mut left = head.entry_count;
    let entries = std::iter::from_fn(|| {
        left = left.checked_sub(1)?;
        reader.entry().map_err(|error| failure = Some(error)).ok()
    });
    let state = State::from_entries(head.seeds, entries);
    if let Some(error) = failure {
        return Err(error);
    }
    reader.finish()?;
    let Head { header, tip, partial_tiles, .. } = head;
    let snapshot = Snapshot { header, tip, state, partial_tiles };
    snapshot.check().map_err(wrong)?;
    Ok(snapshot)
}

/// Whether the bytes of a snapshot are those that were written, without building its state.
pub(crate) fn is_whole<D: Disk>(disk: &D, path: &str) -> io::Result<bool> {
    let mut reader = Reader::new(disk.open(path)?)?;
    if reader.take::<16>()? != *MAGIC {
        return Ok(false);
    }
    while reader.offset < reader.sum_at || reader.at < reader.piece.len() {
        let left = reader.sum_at - reader.offset + (reader.piece.len() - reader.at) as u64;
        let piece = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        reader.take_vec(piece)?;
    }
    Ok(reader.finish().is_ok())
}

fn paths<D: Disk>(disk: &D) -> io::Result<Vec<String>> {
    Ok(heights(disk)?.into_iter().map(path_at).collect())
}

/// The heights of all snapshots, whole or not, ascending.
pub(crate) fn heights<D: Disk>(disk: &D) -> io::Result<Vec<u64>> {
    let names = disk.names(FOLDER)?;
    let heights = names.iter().filter_map(|name| name.strip_suffix(".snapshot")?.parse().ok());
    let mut heights: Vec<u64> = heights.collect();
    heights.sort_unstable();
    Ok(heights)
}

/// The file of the snapshot of this height.
pub(crate) fn path_at(height: u64) -> String {
    format!("{FOLDER}/{height:020}.snapshot")
}

fn remove_old<D: Disk>(disk: &D) -> io::Result<()> {
    let paths = paths(disk)?;
    let old = paths.len().saturating_sub(KEPT);
    paths.iter().take(old).try_for_each(|path| disk.remove(path))
}

fn remove_if_there<D: Disk>(disk: &D, path: &str) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn wrong(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Hashes and writes in pieces.
struct Writer<F> {
    file: F,
    offset: u64,
    piece: Vec<u8>,
    hasher: blake3::Hasher,
}

impl<F: DiskFile> Writer<F> {
    fn new(file: F) -> Self {
        Self {
            file,
            offset: 0,
            piece: Vec::with_capacity(PIECE_BYTES),
            hasher: blake3::Hasher::new(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.hasher.update(&self.piece);
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.piece)?;
        self.offset += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<F> {
        let sum = *self.hasher.update(&self.piece).finalize().as_bytes();
        self.piece.extend_from_slice(&sum);
        self.flush()?;
        Ok(self.file)
    }
}

/// Reads and hashes in pieces.
struct Reader<F> {
    file: F,
    /// Where the next piece begins, and where the last bytes, the sum, begin.
    offset: u64,
    sum_at: u64,
    piece: Vec<u8>,
    at: usize,
    hasher: blake3::Hasher,
}

impl<F: DiskFile> Reader<F> {
    fn new(file: F) -> io::Result<Self> {
        let sum_at = file.length()?.checked_sub(32).ok_or_else(|| wrong("it is cut short"))?;
        let (piece, hasher) = (Vec::new(), blake3::Hasher::new());
        Ok(Self { file, offset: 0, sum_at, piece, at: 0, hasher })
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            if self.at == self.piece.len() {
                let left = usize::try_from(self.sum_at - self.offset).unwrap_or(usize::MAX);
                if left == 0 {
                    return Err(wrong("it is cut short"));
                }
                self.piece.resize(left.min(PIECE_BYTES), 0);
                self.file.read_at(self.offset, &mut self.piece)?;
                self.hasher.update(&self.piece);
                self.offset += self.piece.len() as u64;
                self.at = 0;
            }
            let count = buffer.len().min(self.piece.len() - self.at);
            let (now, later) = buffer.split_at_mut(count);
            now.copy_from_slice(&self.piece[self.at..self.at + count]);
            self.at += count;
            buffer = later;
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn take_vec(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn entry(&mut self) -> io::Result<(Hash, Vec<u8>)> {
        let key_hash = Hash(self.take()?);
        let length = u32::from_le_bytes(self.take()?) as usize;
        if length > ledger::kernel::state::VALUE_BYTES_MAX {
            return Err(wrong("a row is too long"));
        }
        Ok((key_hash, self.take_vec(length)?))
    }

    fn finish(self) -> io::Result<()> {
        if self.at != self.piece.len() || self.offset != self.sum_at {
            return Err(wrong("it is longer than its rows"));
        }
        let mut sum = [0; 32];
        self.file.read_at(self.sum_at, &mut sum)?;
        if *self.hasher.finalize().as_bytes() == sum {
            Ok(())
        } else {
            Err(wrong("its sum is wrong"))
        }
    }
}
