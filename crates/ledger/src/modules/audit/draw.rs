//! Which settlements of a list an audit looks at.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use primitives::{Hash, VisitId, sha256, sha256_parts};

/// The words by which an audit draws: the hash of the block of its grant, and its number.
#[must_use]
pub fn seed_words(block: &Hash, audit: u32) -> String {
    format!("{block}/{audit}")
}

/// As many visits as asked for, by the order of the hashes of seed and visit: nobody who chooses
/// the seed before the list is known, or the list before the seed is, chooses the sample.
#[must_use]
pub fn draw(visits: &BTreeSet<VisitId>, size: usize, seed: &str) -> Vec<VisitId> {
    let seed = sha256(seed.as_bytes());
    let place = |visit: &VisitId| sha256_parts(&[b"yibao/sample/v1", &seed.0, &visit.0]);
    let mut drawn: Vec<VisitId> = visits.iter().copied().collect();
    drawn.sort_by_cached_key(place);
    drawn.truncate(size);
    drawn
}
