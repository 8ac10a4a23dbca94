//! The receipt log (RFC 6962) as files in the layout of C2SP tlog-tiles, under `receipts/`.
//!
//! Full tiles and bundles of entries are files and never change. What is not full yet is kept in
//! memory, and in every snapshot. Files are written without a sync: blocks that are replayed write
//! them again, and a snapshot syncs what lies below it first.
//!
//! Invariant: what is read from a file is what the part in memory says, or it is not given out
//! (test `a_changed_byte_of_any_tile_or_bundle_is_noticed_when_it_is_read`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;
use proof::log::{Frontier, leaf_hash, node_hash};
use proof::tile::{TILE_LEVELS_MAX, TILE_WIDTH, Tile, Tiles, encode_entries, encode_tile};

use super::StoreError;
use super::disk::{Disk, DiskFile};

const FOLDER: &str = "receipts";

/// The tiles that are not full yet: the hashes of each level, and the last entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PartialTiles {
    /// The last hashes of each level, below 256 of each.
    hashes: Vec<Vec<Hash>>,
    /// The last entries, below 256.
    entries: Vec<Vec<u8>>,
}

impl PartialTiles {
    /// The last entries, which no bundle has yet.
    pub(crate) fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Whether these are the tiles, by level, and the entries.
    pub(crate) fn are(&self, hashes: &BTreeMap<u8, Vec<Hash>>, entries: &[Vec<u8>]) -> bool {
        let row = |level: u8| self.hashes.get(usize::from(level)).map_or(&[][..], Vec::as_slice);
        let other = |level: u8| hashes.get(&level).map_or(&[][..], Vec::as_slice);
        self.hashes.len() <= usize::from(TILE_LEVELS_MAX)
            && (0..TILE_LEVELS_MAX).all(|level| row(level) == other(level))
            && self.entries == entries
    }
}

/// The paths of all tiles and bundles that lie on a disk, by what they are called.
pub(crate) fn paths_on<D: Disk>(disk: &D) -> io::Result<BTreeSet<String>> {
    let root = format!("{FOLDER}/tile");
    let mut folders: Vec<String> =
        disk.names(&root)?.into_iter().map(|name| format!("{root}/{name}")).collect();
    let mut paths = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for name in disk.names(&folder)? {
            let path = format!("{folder}/{name}");
            // The specification calls folders of further digits `x000` to `x999`.
            if name.starts_with('x') {
                folders.push(path);
            } else if !name.ends_with(".part") {
                paths.insert(path);
            }
        }
    }
    Ok(paths)
}

/// The paths of all full tiles and bundles of a log of this size.
pub(crate) fn paths_of(size: u64) -> BTreeSet<String> {
    let full = Tile::all(size).filter(|tile| !tile.is_partial());
    full.flat_map(|tile| {
        let entries = (tile.level() == 0).then(|| entries_path(tile));
        entries.into_iter().chain([tile_path(tile)])
    })
    .collect()
}

struct Inner {
    frontier: Frontier,
    partial: PartialTiles,
    unsynced: BTreeSet<String>,
    stopped: bool,
}

impl Inner {
    /// Takes the hash of the next entry in; gives the tiles that are full with it.
    fn push(&mut self, hash: Hash) -> Vec<(Tile, Vec<Hash>)> {
        let mut full = Vec::new();
        let Self { frontier, partial, .. } = self;
        partial.hashes.resize(usize::from(TILE_LEVELS_MAX), Vec::new());
        frontier.push_with(hash, |hash| {
            let row = &mut partial.hashes[usize::from(hash.level)];
            row.push(hash.hash);
            if row.len() == usize::from(TILE_WIDTH) {
                let tile = Tile::new(hash.level, hash.index / u64::from(TILE_WIDTH), TILE_WIDTH);
                full.push((tile.expect("a level of a log"), std::mem::take(row)));
            }
        });
        full
    }

    fn write<D: Disk>(&mut self, disk: &D, path: String, bytes: &[u8]) -> Result<(), StoreError> {
        write_file(disk, &path, bytes).map_err(StoreError::io(&path))?;
        self.unsynced.insert(path);
        Ok(())
    }
}

/// The receipt log: appended by one thread, read by many.
pub struct TileLog<D: Disk> {
    disk: Arc<D>,
    inner: Mutex<Inner>,
}

impl<D: Disk> TileLog<D> {
    /// A log without entries. Files of an earlier log are overwritten as it grows.
    #[must_use]
    pub fn new(disk: Arc<D>) -> Self {
        Self::of(disk, Frontier::new(), PartialTiles::default())
    }

    fn of(disk: Arc<D>, frontier: Frontier, partial: PartialTiles) -> Self {
        let (unsynced, stopped) = (BTreeSet::new(), false);
        Self { disk, inner: Mutex::new(Inner { frontier, partial, unsynced, stopped }) }
    }

    /// The log as it was at a snapshot, or `None` when files of it are missing or cut short.
    /// Bundles of entries need not be there below `entries_from`.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn resume(
        disk: Arc<D>,
        frontier: Frontier,
        partial: PartialTiles,
        entries_from: u64,
    ) -> Result<Option<Self>, StoreError> {
        let (size, width) = (frontier.size(), u64::from(TILE_WIDTH));
        for tile in Tile::all(size).filter(|tile| !tile.is_partial()) {
            let whole = u64::from(TILE_WIDTH) * 32;
            let mut sound = length(&*disk, &tile_path(tile))? == Some(whole);
            // The bundle in which they begin was whole in the snapshot that the log began with.
            if tile.level() == 0 && tile.index() >= entries_from / width {
                sound &= length(&*disk, &entries_path(tile))?.is_some_and(|length| length > 0);
            }
            if !sound {
                return Ok(None);
            }
        }
        Ok(Some(Self::of(disk, frontier, partial)))
    }

    /// A tile on the disk that a log of this size does not have: it was written after receipts that
    /// are missing now.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn beyond(&self, size: u64) -> Result<Option<String>, StoreError> {
        let Some(next) = Tile::new(0, size / u64::from(TILE_WIDTH), TILE_WIDTH) else {
            return Ok(None);
        };
        let path = tile_path(next);
        Ok(length(&*self.disk, &path)?.map(|_| path))
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inner().frontier.size()
    }

    /// The root over all entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.inner().frontier.root()
    }

    /// The tiles that are not full, for a snapshot of the present size.
    #[must_use]
    pub fn partial_tiles(&self) -> PartialTiles {
        self.inner().partial.clone()
    }

    /// Appends the hashes of entries that are not here themselves: those of whole tiles, before
    /// any entry.
    ///
    /// # Errors
    /// When a full tile cannot be written.
    pub(crate) fn push_hashes(&self, hashes: &[Hash]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.stopped || !inner.partial.entries.is_empty() {
            return Err(StoreError::Stopped);
        }
        inner.stopped = true;
        for hash in hashes {
            for (tile, hashes) in inner.push(*hash) {
                inner.write(&*self.disk, tile_path(tile), &encode_tile(&hashes))?;
            }
        }
        inner.stopped = false;
        Ok(())
    }

    /// Appends an entry of at most 65,535 bytes.
    ///
    /// # Errors
    /// When a full tile cannot be written.
    pub fn push(&self, entry: &[u8]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.stopped {
            return Err(StoreError::Stopped);
        }
        if entry.len() > usize::from(u16::MAX) {
            let reason = io::Error::new(io::ErrorKind::InvalidInput, "an entry is over 64 KiB");
            return Err(StoreError::io(FOLDER)(reason));
        }
        let full = inner.push(leaf_hash(entry));
        inner.partial.entries.push(entry.to_vec());
        let mut files: Vec<(String, Vec<u8>)> =
            full.iter().map(|(tile, hashes)| (tile_path(*tile), encode_tile(hashes))).collect();
        if let Some((tile, _)) = full.first() {
            let bundle = encode_entries(&std::mem::take(&mut inner.partial.entries));
            files
                .push((entries_path(*tile), bundle.expect("every entry was at most 65,535 bytes")));
        }
        for (path, bytes) in files {
            // A half-written log must not go on.
            inner.stopped = true;
            inner.write(&*self.disk, path, &bytes)?;
            inner.stopped = false;
        }
        Ok(())
    }

    /// The entries of a level 0 tile as a bundle of C2SP tlog-tiles.
    ///
    /// # Errors
    /// When the log does not reach that far or the disk fails.
    pub fn entries(&self, tile: Tile) -> Result<Vec<u8>, StoreError> {
        let path = entries_path(tile);
        if let Some(row) = self.partial(tile, |partial| Some(&partial.entries)) {
            return encode_entries(&row).ok_or_else(|| missing(&path));
        }
        let full = Tile::new(0, tile.index(), TILE_WIDTH).ok_or_else(|| missing(&path))?;
        let path = entries_path(full);
        let bytes = self.read(&path)?;
        let damaged = || StoreError::DamagedTile(path.clone());
        let entries = proof::tile::decode_entries(&bytes).ok_or_else(damaged)?;
        let leaves = self.full(0, tile.index())?;
        if !entries.iter().map(|entry| leaf_hash(entry)).eq(leaves) {
            return Err(damaged());
        }
        let row = entries.get(..usize::from(tile.width())).ok_or_else(|| missing(&path))?;
        encode_entries(row).ok_or_else(|| missing(&path))
    }

    /// The hashes of a full tile, which must add up to the hash that stands for it in the level
    /// above, and so on up to what is in memory.
    fn full(&self, level: u8, index: u64) -> Result<Vec<Hash>, StoreError> {
        let tile = Tile::new(level, index, TILE_WIDTH);
        let tile = tile.ok_or_else(|| missing(&format!("{FOLDER}/tile/{level}/{index}")))?;
        let path = tile_path(tile);
        let bytes = self.read(&path)?;
        let hashes = tile.decode(&bytes).map_err(|_| StoreError::DamagedTile(path.clone()))?;
        let (above, place) = (level + 1, index % u64::from(TILE_WIDTH));
        let index = index / u64::from(TILE_WIDTH);
        let row = match self.current_hashes(above, index) {
            Some(row) => row,
            None => self.full(above, index)?,
        };
        if row.get(usize::try_from(place).unwrap_or(usize::MAX)) == fold(&hashes).as_ref() {
            Ok(hashes)
        } else {
            Err(StoreError::DamagedTile(path))
        }
    }

    /// The hashes of the tile at this place, when it is the one that is not full yet.
    fn current_hashes(&self, level: u8, index: u64) -> Option<Vec<Hash>> {
        let inner = self.inner();
        let current = Tile::at(level, index, inner.frontier.size())?;
        let row = inner.partial.hashes.get(usize::from(level))?;
        current.is_partial().then(|| row.clone())
    }

    /// Makes every file of the log durable.
    ///
    /// # Errors
    /// When the disk fails. The log then takes nothing more, since it is not known what is durable.
    pub fn sync(&self) -> Result<(), StoreError> {
        let mut unsynced = BTreeSet::new();
        {
            let mut inner = self.inner();
            if inner.stopped {
                return Err(StoreError::Stopped);
            }
            std::mem::swap(&mut unsynced, &mut inner.unsynced);
        }
        let result = self.sync_files(&unsynced);
        if result.is_err() {
            self.inner().stopped = true;
        }
        result
    }

    fn sync_files(&self, paths: &BTreeSet<String>) -> Result<(), StoreError> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let sync = || self.disk.open(path)?.sync();
            sync().map_err(StoreError::io(path))?;
            folders.extend(path.rsplit_once('/').map(|(folder, _)| folder));
        }
        for folder in folders {
            self.disk.sync_folder(folder).map_err(StoreError::io(folder))?;
        }
        Ok(())
    }

    /// The first items of a row in memory, when the tile is the one that is not full yet.
    fn partial<T: Clone>(
        &self,
        tile: Tile,
        row: impl Fn(&PartialTiles) -> Option<&Vec<T>>,
    ) -> Option<Vec<T>> {
        let inner = self.inner();
        let current = Tile::at(tile.level(), tile.index(), inner.frontier.size())?;
        let row = row(&inner.partial)?.get(..usize::from(tile.width()))?;
        current.is_partial().then(|| row.to_vec())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        let read = || {
            let file = self.disk.open(path)?;
            let mut bytes = vec![0; file.length()? as usize];
            file.read_at(0, &mut bytes)?;
            Ok(bytes)
        };
        read().map_err(StoreError::io(path))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked in here left `stopped` set if it had changed anything.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Disk> Tiles for TileLog<D> {
    type Error = StoreError;

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let level = usize::from(tile.level());
        if let Some(row) = self.partial(tile, |partial| partial.hashes.get(level)) {
            return Ok(row);
        }
        let mut hashes = self.full(tile.level(), tile.index())?;
        hashes.truncate(usize::from(tile.width()));
        Ok(hashes)
    }
}

/// The hash that stands for a row of hashes in the level above.
fn fold(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.pop()
}

fn tile_path(tile: Tile) -> String {
    format!("{FOLDER}/{}", tile.path())
}

fn entries_path(tile: Tile) -> String {
    format!("{FOLDER}/{}", tile.entries_path())
}

fn missing(path: &str) -> StoreError {
    StoreError::io(path)(io::Error::new(io::ErrorKind::NotFound, "the log does not reach that far"))
}

fn length<D: Disk>(disk: &D, path: &str) -> Result<Option<u64>, StoreError> {
    match disk.open(path).and_then(|file| file.length()) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(path)(error)),
    }
}

/// Writes a whole file so that readers see nothing or all of it. Nothing is synced.
fn write_file<D: Disk>(disk: &D, path: &str, bytes: &[u8]) -> io::Result<()> {
    let part = format!("{path}.part");
    if let Err(error) = disk.remove(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    disk.create(&part)?.write_at(0, bytes)?;
    disk.rename(&part, path)
}
