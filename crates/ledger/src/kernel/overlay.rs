//! What a transaction sees and writes: the state, the block's writes on top, its own on top of
//! them.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::kernel::posting::PostedEntry;
use crate::kernel::state::State;

/// Reading rows by key. Nothing enumerates.
pub trait Read {
    /// The value of a row, if there is one.
    fn read(&self, key: &[u8]) -> Option<&[u8]>;
}

impl Read for State {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        self.get(key)
    }
}

type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The state as one block changes it, transaction by transaction.
///
/// Invariant: a discarded transaction leaves no trace (test
/// `a_discarded_transaction_leaves_nothing`).
pub struct Overlay<'a> {
    base: &'a State,
    block: Writes,
    transaction: Writes,
    entries: Vec<PostedEntry>,
}

impl<'a> Overlay<'a> {
    /// An overlay without writes.
    #[must_use]
    pub const fn new(base: &'a State) -> Self {
        Self { base, block: Writes::new(), transaction: Writes::new(), entries: Vec::new() }
    }

    /// Sets a row.
    pub fn write(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.transaction.insert(key, Some(value));
    }

    /// Takes a row away.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.transaction.insert(key, None);
    }

    /// Notes an entry that was posted, for the receipt.
    pub(crate) fn note_entry(&mut self, entry: PostedEntry) {
        self.entries.push(entry);
    }

    /// Keeps the transaction's writes and hands out the entries it posted.
    pub fn keep_transaction(&mut self) -> Vec<PostedEntry> {
        // Not `append`, which builds the whole map anew and would make a block's cost quadratic.
        self.block.extend(core::mem::take(&mut self.transaction));
        core::mem::take(&mut self.entries)
    }

    /// Does a part of the transaction that may fail alone: on an error the part leaves no trace and
    /// what came before it stays.
    ///
    /// # Errors
    /// Whatever `part` gives.
    pub fn attempt<T, E>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let (writes, entries) = (self.transaction.clone(), self.entries.len());
        let result = part(self);
        if result.is_err() {
            self.transaction = writes;
            self.entries.truncate(entries);
        }
        result
    }

    /// Forgets the transaction's writes and entries.
    pub fn discard_transaction(&mut self) {
        self.transaction.clear();
        self.entries.clear();
    }

    /// All writes of the block, in key order.
    #[must_use]
    pub fn into_writes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.block
    }
}

impl Read for Overlay<'_> {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        match self.transaction.get(key).or_else(|| self.block.get(key)) {
            Some(written) => written.as_deref(),
            None => self.base.get(key),
        }
    }
}
