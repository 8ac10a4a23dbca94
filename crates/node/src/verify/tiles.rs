//! The receipt tiles on disk, compared with the receipts that execution gives.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use primitives::Hash;
use proof::log::{Frontier, leaf_hash};
use proof::tile::{TILE_WIDTH, Tile, encode_entries, encode_tile};

use crate::runtime::Divergence;
use crate::store::tiles::PartialTiles;
use crate::store::{Disk, DiskFile};

pub(super) struct TileCheck<D: Disk> {
    disk: Arc<D>,
    frontier: Frontier,
    /// The hashes of each level since its last full tile.
    rows: BTreeMap<u8, Vec<Hash>>,
    entries: Vec<Vec<u8>>,
    /// What every full tile is called that the receipts give.
    paths: BTreeSet<String>,
    pub(super) right: u64,
    pub(super) missing: u64,
}

impl<D: Disk> TileCheck<D> {
    pub(super) const fn new(disk: Arc<D>) -> Self {
        Self {
            disk,
            frontier: Frontier::new(),
            rows: BTreeMap::new(),
            entries: Vec::new(),
            paths: BTreeSet::new(),
            right: 0,
            missing: 0,
        }
    }

    /// The receipt log so far.
    pub(super) const fn log(&self) -> &Frontier {
        &self.frontier
    }

    /// The full tiles and bundles so far, by their paths.
    pub(super) const fn paths(&self) -> &BTreeSet<String> {
        &self.paths
    }

    /// Whether these are the tiles that are not full.
    pub(super) fn is_end(&self, partial: &PartialTiles) -> bool {
        partial.are(&self.rows, &self.entries)
    }

    /// Takes in the next leaf and compares the tiles that it fills.
    pub(super) fn push(&mut self, height: u64, leaf: Vec<u8>) -> Result<(), Divergence> {
        let mut full = Vec::new();
        let rows = &mut self.rows;
        self.frontier.push_with(leaf_hash(&leaf), |hash| {
            let row = rows.entry(hash.level).or_default();
            row.push(hash.hash);
            if row.len() == usize::from(TILE_WIDTH) {
                let index = hash.index / u64::from(TILE_WIDTH);
                full.extend(
                    Tile::new(hash.level, index, TILE_WIDTH).map(|tile| (tile, row.clone())),
                );
                row.clear();
            }
        });
        self.entries.push(leaf);
        for (tile, hashes) in full {
            self.compare(height, tile.path(), &encode_tile(&hashes))?;
            if tile.level() == 0 {
                let bundle = encode_entries(&std::mem::take(&mut self.entries));
                self.compare(height, tile.entries_path(), &bundle.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, height: u64, path: String, expected: &[u8]) -> Result<(), Divergence> {
        let path = format!("receipts/{path}");
        self.paths.insert(path.clone());
        match read(&*self.disk, &path, expected.len()) {
            Ok(bytes) if bytes == expected => self.right += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.missing += 1,
            Ok(_) => {
                let what = format!("the receipt tile `{path}`");
                return Err(Divergence::new(
                    height,
                    what,
                    "the hashes of the receipts",
                    "other bytes",
                ));
            }
            Err(error) => {
                let what = format!("the receipt tile `{path}`");
                return Err(Divergence::new(height, what, "a readable file", error));
            }
        }
        Ok(())
    }
}

/// The bytes of a file, no more than one beyond what is expected.
fn read<D: Disk>(disk: &D, path: &str, expected: usize) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(expected.saturating_add(1))];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}
