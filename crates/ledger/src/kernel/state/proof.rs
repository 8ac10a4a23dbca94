//! How the state is hashed, and proofs about one row that need nothing but the root.
//!
//! This file stands alone: it uses BLAKE3 and borsh only, so that a verifier without a ledger can
//! take it as it is.

use alloc::vec::Vec;
use blake3::{Hasher, keyed_hash};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::Hash;

use super::BUCKET_ENTRIES_MAX;

/// The domain tags. Each is a BLAKE3 key of 32 bytes, so that no hash of one meaning can stand for
/// another.
const VALUE: &[u8; 32] = b"yibao/state/value/v1............";
const BUCKET: &[u8; 32] = b"yibao/state/bucket/v1...........";
const NODE: &[u8; 32] = b"yibao/state/node/v1.............";
const ROOT: &[u8; 32] = b"yibao/state/root/v1.............";

/// Values up to this length are hashed in one piece, which is cheaper; nearly all rows are shorter.
const SHORT_VALUE_BYTES: usize = 480;
/// The most siblings a proof can have: one per bit of the key hash.
const SIBLINGS_MAX: usize = 256;

/// Where a key's row lives under this salt.
#[must_use]
pub fn key_hash(salt: &Hash, key: &[u8]) -> Hash {
    Hash(*keyed_hash(salt.as_bytes(), key).as_bytes())
}

/// The blind of the row at this place. Only who holds the ledger's secret can compute it.
pub(super) fn blind(secret: &Hash, key_hash: &[u8; 32]) -> Hash {
    Hash(*keyed_hash(secret.as_bytes(), key_hash).as_bytes())
}

/// The hash that stands for a row's value: without the blind nobody can try values against it.
pub(super) fn value_hash(blind: &Hash, value: &[u8]) -> Hash {
    let mut joined = [0_u8; 32 + SHORT_VALUE_BYTES];
    let length = value.len().saturating_add(32);
    if let Some(bytes) = joined.get_mut(..length)
        && let Some((head, tail)) = bytes.split_at_mut_checked(32)
    {
        head.copy_from_slice(blind.as_bytes());
        tail.copy_from_slice(value);
        return Hash(*keyed_hash(VALUE, bytes).as_bytes());
    }
    let mut hasher = Hasher::new_keyed(VALUE);
    hasher.update(blind.as_bytes()).update(value);
    Hash(*hasher.finalize().as_bytes())
}

/// The hash of a bucket with these pairs of key hash and value hash.
pub(super) fn bucket_hash<'a>(pairs: impl Iterator<Item = (&'a [u8; 32], Hash)>) -> Hash {
    // Hashed in one piece, which is cheaper; a proof with more pairs than that is refused before.
    let mut joined = [[0_u8; 32]; BUCKET_ENTRIES_MAX * 2];
    let mut length = 0_usize;
    for (place, (key_hash, value_hash)) in joined.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        *place = [*key_hash, value_hash.0];
        length = length.saturating_add(64);
    }
    let bytes = joined.as_flattened().get(..length).unwrap_or_default();
    Hash(*keyed_hash(BUCKET, bytes).as_bytes())
}

/// The hash of an inner node.
pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut pair = [0_u8; 64];
    let (head, tail) = pair.split_at_mut(32);
    head.copy_from_slice(left.as_bytes());
    tail.copy_from_slice(right.as_bytes());
    Hash(*keyed_hash(NODE, &pair).as_bytes())
}

/// The root over the region's salt, the number of rows and the top of the tree.
pub(super) fn root_hash(salt: &Hash, entry_count: u64, top: &Hash) -> Hash {
    let mut hasher = Hasher::new_keyed(ROOT);
    hasher.update(salt.as_bytes()).update(&entry_count.to_le_bytes()).update(top.as_bytes());
    Hash(*hasher.finalize().as_bytes())
}

/// Bit `index` of a key hash, counted from the most significant bit of its first byte.
pub(super) fn bit(key_hash: &[u8; 32], index: usize) -> bool {
    let byte = key_hash.get(index >> 3).copied().unwrap_or(0);
    byte.rotate_left(u32::try_from(index & 7).unwrap_or(0)) & 0x80 != 0
}

/// Proves to somebody who knows only the root that a row has a value, or that it does not exist.
///
/// It shows, of the at most 3 other rows in the same bucket, the hashes of key and value. Whoever
/// knows the key of such a row learns that it exists, and nothing of its value: value hashes are
/// blinded, and the proof opens the blind of its own row only (test
/// `a_proof_does_not_let_anybody_try_values_of_neighbours`).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateProof {
    /// The region's salt, which the root covers.
    pub salt: Hash,
    /// The number of rows in the state, which the root covers.
    pub entry_count: u64,
    /// Key hash and value hash of each row of the bucket where the key belongs, in order.
    pub bucket: Vec<(Hash, Hash)>,
    /// The hashes beside the way from the top of the tree down to the bucket, topmost first.
    pub siblings: Vec<Hash>,
    /// The blind of the row that is proved; nothing when it is absent.
    pub blind: Option<Hash>,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateProofError {
    /// The bucket is too large, not sorted, or holds a row of another bucket; or the way is too
    /// long.
    Malformed,
    /// The hashes do not lead to this root.
    OtherRoot,
    /// The state holds another value for the key.
    OtherValue,
    /// The state holds no row for the key.
    Absent,
    /// The state holds a row for the key.
    Present,
}

impl fmt::Display for StateProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the state proof is malformed",
            Self::OtherRoot => "the state proof belongs to another state root",
            Self::OtherValue => "the row has another value in this state",
            Self::Absent => "there is no such row in this state",
            Self::Present => "there is such a row in this state",
        })
    }
}
impl core::error::Error for StateProofError {}

impl StateProof {
    /// Whether the state with this root holds the value under the key (`Some`), or no row under the
    /// key (`None`).
    ///
    /// # Errors
    /// Why the proof does not show that.
    pub fn verify(
        &self,
        root: &Hash,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StateProofError> {
        let key_hash = key_hash(&self.salt, key);
        self.check_form(&key_hash)?;
        let bucket = bucket_hash(self.bucket.iter().map(|(key_hash, value)| (&key_hash.0, *value)));
        let top = self.siblings.iter().enumerate().rev().fold(bucket, |below, (depth, sibling)| {
            if bit(&key_hash.0, depth) {
                node_hash(sibling, &below)
            } else {
                node_hash(&below, sibling)
            }
        });
        if root_hash(&self.salt, self.entry_count, &top) != *root {
            return Err(StateProofError::OtherRoot);
        }
        let found = self.bucket.iter().find(|(present, _)| *present == key_hash);
        let fits = |hash: &Hash, value: &[u8]| {
            self.blind.is_some_and(|blind| *hash == value_hash(&blind, value))
        };
        match (found, value) {
            (None, None) => Ok(()),
            (Some((_, hash)), Some(value)) if fits(hash, value) => Ok(()),
            (Some(_), Some(_)) => Err(StateProofError::OtherValue),
            (None, Some(_)) => Err(StateProofError::Absent),
            (Some(_), None) => Err(StateProofError::Present),
        }
    }

    /// Bounds, order, and that every row of the bucket belongs where the key belongs.
    fn check_form(&self, key_hash: &Hash) -> Result<(), StateProofError> {
        let depth = self.siblings.len();
        let same_way =
            |other: &Hash| (0..depth).all(|at| bit(&other.0, at) == bit(&key_hash.0, at));
        let well_formed = depth <= SIBLINGS_MAX
            && self.bucket.len() <= BUCKET_ENTRIES_MAX
            && self.bucket.is_sorted_by(|(left, _), (right, _)| left < right)
            && self.bucket.iter().all(|(other, _)| same_way(other));
        if well_formed { Ok(()) } else { Err(StateProofError::Malformed) }
    }
}
