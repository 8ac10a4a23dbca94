//! The receipt log as files: the tiles of C2SP tlog-tiles, 256 hashes each.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use primitives::Hash;

use crate::log::{Nodes, node_hash};

/// How many hashes a full tile has.
pub const TILE_WIDTH: u16 = 256;
/// How many levels of the tree a tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// The most levels of tiles that a log of 2^64 leaves has.
pub const TILE_LEVELS_MAX: u8 = 8;

/// One tile: which hashes of the tree it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// Why a tile is not one of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileError {
    /// The tile's bytes are not as many as its hashes need.
    Size {
        /// How many bytes there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The path is not one of a tile.
    Path,
}

impl fmt::Display for TileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { expected, found } => {
                write!(f, "the tile has {found} bytes; it should have {expected}")
            }
            Self::Path => {
                f.write_str("the path is not `tile/LEVEL/INDEX` or `tile/LEVEL/INDEX.p/WIDTH`")
            }
        }
    }
}
impl core::error::Error for TileError {}

impl Tile {
    /// The tile at this place with this many hashes; `None` when the width is not 1 to 256 or the
    /// level above the highest that a log can have.
    #[must_use]
    pub const fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        if width == 0 || width > TILE_WIDTH || level >= TILE_LEVELS_MAX {
            return None;
        }
        Some(Self { level, index, width })
    }

    /// The level; 0 holds leaf hashes.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// The tile's place in its level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes it has, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it is not full.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The tile at this place as it is in a log of this size; `None` when it is empty there.
    #[must_use]
    pub fn at(level: u8, index: u64, log_size: u64) -> Option<Self> {
        let hashes = log_size.checked_shr(u32::from(level.checked_mul(TILE_HEIGHT)?)).unwrap_or(0);
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = hashes.checked_sub(before)?.min(u64::from(TILE_WIDTH));
        Self::new(level, index, u16::try_from(width).ok()?)
    }

    /// Every tile of a log of this size, level by level; among them at most one partial per level.
    pub fn all(log_size: u64) -> impl Iterator<Item = Self> {
        (0..TILE_LEVELS_MAX)
            .flat_map(move |level| (0..).map_while(move |index| Self::at(level, index, log_size)))
    }

    /// Where the tile is served, below the log's prefix: `tile/0/x001/x234/067`, with `.p/5`
    /// behind it when it has only 5 hashes.
    #[must_use]
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// Where the entries of a level 0 tile are served: `tile/entries/x001/x234/067`.
    #[must_use]
    pub fn entries_path(self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(self) -> String {
        let mut rest = self.index;
        let mut place = format!("{:03}", rest.checked_rem(1_000).unwrap_or(0));
        loop {
            rest = rest.checked_div(1_000).unwrap_or(0);
            if rest == 0 {
                break;
            }
            place = format!("x{:03}/{place}", rest.checked_rem(1_000).unwrap_or(0));
        }
        if self.is_partial() { format!("{place}.p/{}", self.width) } else { place }
    }

    /// The tile that is served at this path.
    ///
    /// # Errors
    /// [`TileError::Path`] for any other spelling than that of [`Tile::path`].
    pub fn from_path(path: &str) -> Result<Self, TileError> {
        let parse = || {
            let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
            let (place, width) = match place.split_once(".p/") {
                Some((place, width)) => (place, width.parse().ok()?),
                None => (place, TILE_WIDTH),
            };
            let mut index: u64 = 0;
            for part in place.split('/') {
                let digits = part.strip_prefix('x').unwrap_or(part);
                let part: u64 = digits.parse().ok()?;
                index = index.checked_mul(1_000)?.checked_add(part)?;
            }
            Self::new(level.parse().ok()?, index, width)
        };
        parse().filter(|tile| tile.path() == path).ok_or(TileError::Path)
    }

    /// The hashes in these bytes.
    ///
    /// # Errors
    /// [`TileError::Size`].
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
        let expected = usize::from(self.width).saturating_mul(32);
        if bytes.len() != expected {
            return Err(TileError::Size { expected, found: bytes.len() });
        }
        let (hashes, _) = bytes.as_chunks::<32>();
        Ok(hashes.iter().copied().map(Hash).collect())
    }
}

/// The bytes of a tile: its hashes one after the other.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The bytes of an entry bundle: each entry behind its length as two bytes, big-endian; `None` when
/// an entry has more than 65,535 bytes.
#[must_use]
pub fn encode_entries<T: AsRef<[u8]>>(entries: &[T]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        bytes.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend(entry);
    }
    Some(bytes)
}

/// The entries of a bundle; `None` when it is cut short or has more than 256.
#[must_use]
pub fn decode_entries(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }
    (bytes.is_empty() && entries.len() <= usize::from(TILE_WIDTH)).then_some(entries)
}

/// Where tiles come from.
pub trait Tiles {
    /// Why a tile could not be had.
    type Error;

    /// The hashes of this tile. When a partial tile was replaced by a wider one of the same place,
    /// its first hashes serve as well.
    ///
    /// # Errors
    /// Those of the place where tiles are kept.
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Self::Error>;
}

/// The tree's nodes, computed from tiles of a log of the given size.
pub struct TiledNodes<'a, T> {
    tiles: &'a T,
    log_size: u64,
}

/// Why a node could not be computed from tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TiledNodesError<E> {
    /// The node lies outside the log.
    OutOfRange,
    /// The tile has fewer hashes than it should.
    Short(Tile),
    /// The tile could not be had.
    Tiles(E),
}

impl<E: fmt::Display> fmt::Display for TiledNodesError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("the log does not reach that far"),
            Self::Short(tile) => write!(f, "`{}` has too few hashes", tile.path()),
            Self::Tiles(error) => fmt::Display::fmt(error, f),
        }
    }
}
impl<E: fmt::Debug + fmt::Display> core::error::Error for TiledNodesError<E> {}

impl<'a, T: Tiles> TiledNodes<'a, T> {
    /// The nodes of a log of this size.
    #[must_use]
    pub const fn new(tiles: &'a T, log_size: u64) -> Self {
        Self { tiles, log_size }
    }
}

impl<T: Tiles> Nodes for TiledNodes<'_, T> {
    type Error = TiledNodesError<T::Error>;

    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Self::Error> {
        let level = height.checked_div(TILE_HEIGHT).unwrap_or(0);
        let above = u32::from(height.checked_rem(TILE_HEIGHT).unwrap_or(0));
        // The subtree is made of `count` hashes of its level, which all lie in one tile.
        let count = 1_u16 << above;
        let first = index.checked_mul(u64::from(count)).ok_or(TiledNodesError::OutOfRange)?;
        let tile = Tile::at(level, first >> TILE_HEIGHT, self.log_size)
            .ok_or(TiledNodesError::OutOfRange)?;
        let start = u16::try_from(first & u64::from(u8::MAX)).unwrap_or(u16::MAX);
        let end = start.saturating_add(count);
        if end > tile.width() {
            return Err(TiledNodesError::OutOfRange);
        }
        let hashes = self.tiles.tile(tile).map_err(TiledNodesError::Tiles)?;
        let mut row = hashes
            .get(usize::from(start)..usize::from(end))
            .ok_or(TiledNodesError::Short(tile))?
            .to_vec();
        while row.len() > 1 {
            let (pairs, _) = row.as_chunks::<2>();
            row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.first().copied().ok_or(TiledNodesError::Short(tile))
    }
}
