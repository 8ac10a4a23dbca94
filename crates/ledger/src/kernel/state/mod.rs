//! The authenticated state: rows of bytes under one root that proves presence and absence.
//!
//! Reading order: this file, [`proof`], `page` (the tree), `bucket` (the leaves).
//!
//! A row lives under `key_hash = BLAKE3(salt of the region, key)`; keys themselves are not stored.
//! The tree is a binary trie over the bits of the key hash, cut off as soon as a subtree holds at
//! most [`BUCKET_ENTRIES_MAX`] rows: those rows are one bucket, sorted, in one buffer. The shape is
//! therefore a function of the rows alone. It grows and shrinks bucket by bucket, never by
//! configuration and never all at once (decision record 0002).
//!
//! Hashes are keyed BLAKE3, the key being the domain tag:
//! - value `BLAKE3(VALUE, blind, value)`, where the blind is `BLAKE3(secret of the ledger,
//!   key_hash)`, so that a proof about one row says nothing of the values of its neighbours;
//! - bucket `BLAKE3(BUCKET, (key_hash, value hash) of every row)`;
//! - inner node `BLAKE3(NODE, left, right)`; root `BLAKE3(ROOT, salt, number of rows, top node)`.
//!
//! Invariants: equal rows give an equal root, whatever the history (test
//! `equal_rows_have_an_equal_root_whatever_the_history`); a clone never changes (test
//! `a_clone_is_unaffected_by_later_writes`).

use alloc::{collections::BTreeMap, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;

mod bucket;
mod page;
pub mod proof;
#[cfg(test)]
mod tests;

use bucket::Write;
use page::Node;
pub use proof::{StateProof, StateProofError};

/// The most rows of one bucket; part of the state's definition, since it decides the root. Few, for
/// one row that changes has its whole bucket hashed again (decision record 0002).
pub const BUCKET_ENTRIES_MAX: usize = 4;
/// The longest value of a row, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// Writes are merged into the tree in runs of at most this many rows and bytes, so that no buffer
/// in between outgrows the 32-bit offsets of a bucket.
const RUN_ROWS_MAX: usize = 1 << 16;
const RUN_BYTES_MAX: usize = 1 << 26;

/// What a ledger chose at random, once, for the hashes of its state.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Seeds {
    /// Decides where rows lie, so that nobody can choose keys in advance that crowd one bucket.
    /// Everybody who checks a proof knows it.
    pub salt: Hash,
    /// Blinds the hashes of values. Only who executes the ledger knows it.
    pub secret: Hash,
}

impl Seeds {
    /// What seeds maps of rows while a block is executed: no result depends on it.
    pub(crate) const fn map_seed(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.secret.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl core::fmt::Debug for Seeds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Seeds").field("salt", &self.salt).finish_non_exhaustive()
    }
}

/// All rows of a region. A clone shares its pages and costs one pointer; a later write copies only
/// the pages it touches.
#[derive(Clone, Debug)]
pub struct State {
    seeds: Seeds,
    top: Node,
    top_hash: Hash,
    entry_count: u64,
}

impl State {
    /// A state without rows.
    #[must_use]
    pub fn new(seeds: Seeds) -> Self {
        let top = Node::default();
        Self { seeds, top_hash: top.hash(&seeds.secret), top, entry_count: 0 }
    }

    /// The state of these rows, as [`State::entries`] gave them. Equal rows and seeds give an equal
    /// root.
    #[must_use]
    pub fn from_entries(seeds: Seeds, entries: impl IntoIterator<Item = (Hash, Vec<u8>)>) -> Self {
        let mut state = Self::new(seeds);
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let (mut run, mut bytes) = (BTreeMap::new(), 0_usize);
            while run.len() < RUN_ROWS_MAX && bytes < RUN_BYTES_MAX {
                let Some((key_hash, value)) = entries.next() else { break };
                bytes = bytes.saturating_add(value.len());
                run.insert(key_hash, value);
            }
            let writes: Vec<Write<'_>> = run
                .iter()
                .map(|(key_hash, value)| Write { key_hash: key_hash.0, value: Some(value) })
                .collect();
            state.apply(&writes);
        }
        state
    }

    /// The value of a row, if there is one.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.top.get(&proof::key_hash(&self.seeds.salt, key).0)
    }

    /// Sets rows (`Some`) and takes rows away (`None`), then rehashes what they touched; meant to
    /// be called once per block. Of two writes to one key the later counts. Taking away a row that
    /// is not there changes nothing.
    ///
    /// # Panics
    /// When a value is longer than [`VALUE_BYTES_MAX`]; every table bounds its rows far below that.
    pub fn commit<'a>(&mut self, writes: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>) {
        let mut hashed: Vec<Write<'a>> = writes
            .into_iter()
            .map(|(key, value)| Write { key_hash: proof::key_hash(&self.seeds.salt, key).0, value })
            .collect();
        // A stable sort keeps writes to one key in order; the last of them is the one that is kept.
        hashed.sort_by_key(|write| write.key_hash);
        hashed.reverse();
        hashed.dedup_by_key(|write| write.key_hash);
        hashed.reverse();
        self.apply(&hashed);
    }

    /// The hash that stands for all rows, kept up to date by [`State::commit`].
    #[must_use]
    pub fn root(&self) -> Hash {
        proof::root_hash(&self.seeds.salt, self.entry_count, &self.top_hash)
    }

    /// How many rows there are.
    #[must_use]
    pub const fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// What was chosen at random for its hashes; for a snapshot, which only who executes the ledger
    /// keeps.
    #[must_use]
    pub const fn seeds(&self) -> Seeds {
        self.seeds
    }

    /// What convinces somebody who knows only the root that a row has its value, or that there is
    /// no such row. It shows blinded hashes of the other rows in the same bucket.
    #[must_use]
    pub fn prove(&self, key: &[u8]) -> StateProof {
        let mut siblings = Vec::new();
        let Seeds { salt, secret } = self.seeds;
        let key_hash = proof::key_hash(&salt, key);
        let bucket = self.top.prove(&secret, &key_hash.0, &mut siblings);
        let present = self.top.get(&key_hash.0).is_some();
        let blind = present.then(|| proof::blind(&secret, &key_hash.0));
        StateProof { salt, entry_count: self.entry_count, bucket, siblings, blind }
    }

    /// Every row as key hash and value, in the order of the key hashes. For snapshots and `verify`
    /// only: no transaction and no endpoint enumerates the state.
    pub fn entries(&self) -> impl Iterator<Item = (Hash, &[u8])> {
        page::Entries::new(&self.top)
    }

    /// Merges writes that are sorted by key hash, each hash at most once.
    fn apply(&mut self, writes: &[Write<'_>]) {
        let mut rest = writes;
        while !rest.is_empty() {
            let mut bytes = 0_usize;
            let fits = rest.iter().take(RUN_ROWS_MAX).take_while(|write| {
                let before = bytes;
                bytes = bytes.saturating_add(write.value.map_or(0, <[u8]>::len));
                before < RUN_BYTES_MAX
            });
            let (run, later) = rest.split_at(fits.count());
            let change = self.top.update(&self.seeds.secret, 0, run);
            self.entry_count = self
                .entry_count
                .checked_add_signed(change)
                .expect("no more rows are taken away than there are");
            rest = later;
        }
        self.top_hash = self.top.hash(&self.seeds.secret);
    }
}
