//! The receipt log: a Merkle tree as RFC 6962 section 2.1 hashes it, grown by a frontier of
//! O(log n) hashes, with inclusion and consistency proofs made and checked (RFC 9162 section 2.1).

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{Hash, sha256, sha256_parts};

use crate::bounded;

/// The most hashes an inclusion or consistency proof may have in a tree of at most 2^64 leaves.
pub const PATH_HASHES_MAX: usize = 64;

/// The hash of a leaf: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256_parts(&[&[0], entry])
}

/// The hash of a node: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of a log without entries: the SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root over these entries, in their order.
pub fn root_of<T: AsRef<[u8]>>(entries: impl IntoIterator<Item = T>) -> Hash {
    let mut frontier = Frontier::new();
    for entry in entries {
        frontier.push(leaf_hash(entry.as_ref()));
    }
    frontier.root()
}

/// What must be kept of a log to append to it and to know its root: the roots of the complete
/// subtrees that it is made of, the largest first.
///
/// Invariant: there are as many peaks as the size has one-bits
/// (`frontier_matches_the_recursive_definition`).
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// A hash that the tiles of a log store: the root of a complete subtree whose height is a multiple
/// of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileHash {
    /// The tile level: an eighth of the subtree's height.
    pub level: u8,
    /// The subtree's place among those of its height, counted from the left.
    pub index: u64,
    /// The subtree's root.
    pub hash: Hash,
}

impl Frontier {
    /// The frontier of the empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    ///
    /// # Panics
    /// When the log has 2^64 - 1 leaves already.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_| {});
    }

    /// Appends a leaf by its hash and reports every hash that the tiles must store for it, the
    /// lowest level first; the leaf's own hash is always the first.
    ///
    /// # Panics
    /// When the log has 2^64 - 1 leaves already.
    pub fn push_with(&mut self, leaf: Hash, mut store: impl FnMut(TileHash)) {
        let index = self.size;
        self.size = index.checked_add(1).expect("no log has 2^64 leaves");
        let mut hash = leaf;
        store(TileHash { level: 0, index, hash });
        // Every trailing one-bit of the old size is a complete subtree that ends at the new leaf.
        for height in 1..=index.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each one-bit of the size");
            hash = node_hash(&left, &hash);
            if height.trailing_zeros() >= 3 {
                let level = u8::try_from(height >> 3).expect("a height is at most 64");
                store(TileHash { level, index: index >> height, hash });
            }
        }
        self.peaks.push(hash);
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }
}

impl BorshDeserialize for Frontier {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let size = u64::deserialize_reader(reader)?;
        let peaks = bounded::read::<Hash, 64, R>(reader)?;
        if u32::try_from(peaks.len()) == Ok(size.count_ones()) {
            Ok(Self { size, peaks })
        } else {
            Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "frontier"))
        }
    }
}

/// The root over complete subtrees that stand side by side, the largest on the left.
fn fold(subtrees: &[Hash]) -> Hash {
    let mut right_to_left = subtrees.iter().rev();
    match right_to_left.next() {
        Some(last) => right_to_left.fold(*last, |right, left| node_hash(left, &right)),
        None => empty_root(),
    }
}

/// Where the hashes of complete subtrees come from: a list in memory, or tiles on disk
/// ([`crate::tile::TiledNodes`]).
pub trait Nodes {
    /// Why a hash could not be had.
    type Error;

    /// The root of the complete subtree of this height (0 is a leaf) at this place among those of
    /// its height: over the leaves `index * 2^height` to `(index + 1) * 2^height - 1`.
    ///
    /// # Errors
    /// Those of the place where hashes are kept.
    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MakeProofError<E> {
    /// The leaf or the smaller tree does not lie in the tree.
    OutOfRange,
    /// The hashes could not be had.
    Nodes(E),
}

impl<E: fmt::Display> fmt::Display for MakeProofError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("the log does not reach that far"),
            Self::Nodes(error) => fmt::Display::fmt(error, f),
        }
    }
}
impl<E: fmt::Debug + fmt::Display> core::error::Error for MakeProofError<E> {}

/// A range of leaves that is a subtree of some log: it starts at a multiple of the smallest power
/// of two that is not below its length.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}

impl Range {
    const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The two children: the left one is the largest complete subtree that is smaller than the
    /// whole. `None` for a leaf.
    fn split(self) -> Option<(Self, Self)> {
        let last = self.len().checked_sub(1)?;
        let half = 1_u64.checked_shl(last.checked_ilog2()?)?;
        let middle = self.start.checked_add(half)?;
        Some((Self { start: self.start, end: middle }, Self { start: middle, end: self.end }))
    }

    /// The root over the range, from the complete subtrees that it is made of.
    fn root<N: Nodes>(mut self, nodes: &N) -> Result<Hash, N::Error> {
        let mut subtrees = Vec::new();
        loop {
            let height = self.len().trailing_zeros();
            if self.len().is_power_of_two() {
                let height = u8::try_from(height).unwrap_or(u8::MAX);
                subtrees.push(nodes.subtree(height, self.start >> height)?);
                return Ok(fold(&subtrees));
            }
            let Some((left, right)) = self.split() else { return Ok(empty_root()) };
            subtrees.push(left.root_of_complete(nodes)?);
            self = right;
        }
    }

    fn root_of_complete<N: Nodes>(self, nodes: &N) -> Result<Hash, N::Error> {
        let height = self.len().trailing_zeros();
        nodes.subtree(u8::try_from(height).unwrap_or(u8::MAX), self.start >> height)
    }
}

/// The root of the tree of this size.
///
/// # Errors
/// Those of `nodes`.
pub fn root_at<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { Range { start: 0, end: size }.root(nodes) }
}

/// The proof that the leaf at `index` is in the tree of this size: the sibling's hash first, the
/// root's child last.
///
/// # Errors
/// `index` is not below `size`, or those of `nodes`.
pub fn prove_inclusion<N: Nodes>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, MakeProofError<N::Error>> {
    if index >= size {
        return Err(MakeProofError::OutOfRange);
    }
    let mut path = Vec::new();
    let mut range = Range { start: 0, end: size };
    while let Some((left, right)) = range.split() {
        let (inside, sibling) = if index < left.end { (left, right) } else { (right, left) };
        path.push(sibling.root(nodes).map_err(MakeProofError::Nodes)?);
        range = inside;
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new_size` starts with the leaves of the tree of `old_size`. Empty
/// when the sizes are equal or the old tree is empty.
///
/// # Errors
/// `old_size` is above `new_size`, or those of `nodes`.
pub fn prove_consistency<N: Nodes>(
    nodes: &N,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, MakeProofError<N::Error>> {
    if old_size > new_size {
        return Err(MakeProofError::OutOfRange);
    }
    if old_size == 0 {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let mut range = Range { start: 0, end: new_size };
    // The old tree's last subtree is left out of the proof as long as it is the old tree itself.
    let mut is_old_tree = true;
    while range.end != old_size {
        let Some((left, right)) = range.split() else { break };
        let (inside, sibling) = if old_size <= left.end {
            (left, right)
        } else {
            is_old_tree = false;
            (right, left)
        };
        path.push(sibling.root(nodes).map_err(MakeProofError::Nodes)?);
        range = inside;
    }
    if !is_old_tree {
        path.push(range.root(nodes).map_err(MakeProofError::Nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The leaf's index is not below the size, or the old size is above the new one.
    OutOfRange,
    /// There are more or fewer hashes than the sizes demand.
    Length,
    /// The hashes lead to another root.
    RootMismatch,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the entry's index lies outside the log",
            Self::Length => "the proof has too many or too few hashes for the size of the log",
            Self::RootMismatch => "the proof does not lead to the root of the log",
        })
    }
}
impl core::error::Error for ProofError {}

/// The root that the leaf's hash and the path lead to (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`ProofError::OutOfRange`] or [`ProofError::Length`].
pub fn root_from_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    path: &[Hash],
) -> Result<Hash, ProofError> {
    let last = size.checked_sub(1).ok_or(ProofError::OutOfRange)?;
    if index > last {
        return Err(ProofError::OutOfRange);
    }
    let (mut place, mut last) = (index, last);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            root = node_hash(sibling, &root);
            // The levels where this node is the last and has no sibling add no hash.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(root) } else { Err(ProofError::Length) }
}

/// Whether the leaf is at this index of the tree of this size and root.
///
/// # Errors
/// What does not hold.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if root_from_inclusion(leaf, index, size, path)? == root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Whether the tree of `new_size` and `new_root` starts with the leaves of the tree of `old_size`
/// and `old_root` (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// What does not hold.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::OutOfRange);
    }
    if old_size == new_size || old_size == 0 {
        let expected = if old_size == 0 { empty_root() } else { new_root };
        let new_is_known = new_size != 0 || new_root == empty_root();
        return match path {
            [] if old_root == expected && new_is_known => Ok(()),
            [] => Err(ProofError::RootMismatch),
            _ => Err(ProofError::Length),
        };
    }
    let mut place = old_size.saturating_sub(1);
    let mut last = new_size.saturating_sub(1);
    let complete = place.trailing_ones();
    place = place.checked_shr(complete).unwrap_or(0);
    last = last.checked_shr(complete).unwrap_or(0);
    // When the old tree is one complete subtree, its root is where the proof starts.
    let (start, rest) = if old_size.is_power_of_two() {
        (&old_root, path)
    } else {
        path.split_first().ok_or(ProofError::Length)?
    };
    let (mut old, mut new) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ProofError::Length)
    } else if old == old_root && new == new_root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}
