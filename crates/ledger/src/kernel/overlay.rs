//! What a transaction sees and writes: the state, the block's writes on top, its own on top of
//! them.
//!
//! Reading order: [`Read`], [`Overlay`], [`RowMemo`] (rows decoded once per block).

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::any::Any;
use core::cell::RefCell;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::kernel::posting::PostedEntry;
use crate::kernel::state::State;

/// Reading rows by key. Nothing enumerates.
pub trait Read {
    /// The value of a row, if there is one.
    fn read(&self, key: &[u8]) -> Option<&[u8]>;

    /// Where decoded rows are remembered, if they are.
    fn memo(&self) -> Option<&RowMemo> {
        None
    }
}

impl Read for State {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        self.get(key)
    }
}

impl<T: Read + ?Sized> Read for Arc<T> {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        self.as_ref().read(key)
    }

    fn memo(&self) -> Option<&RowMemo> {
        self.as_ref().memo()
    }
}

/// Rows on which transactions are executed: all of them, or those that another node proves.
pub trait Base: Read {
    /// What seeds maps of rows in between, so that nobody can choose keys that collide; no result
    /// depends on it.
    fn map_seed(&self) -> u64;
}

impl Base for State {
    fn map_seed(&self) -> u64 {
        self.seeds().map_seed()
    }
}

/// Rows of a block by their keys. The order in which a map of hashes gives them never matters:
/// [`State::commit`] sorts.
type BlockWrites = HashMap<Vec<u8>, Option<Vec<u8>>, FixedState>;
/// The few rows of one transaction.
type TransactionWrites = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The state as one block changes it, transaction by transaction.
///
/// Invariant: a discarded transaction leaves no trace (test
/// `a_discarded_transaction_leaves_nothing`).
pub struct Overlay<'a> {
    base: &'a dyn Base,
    block: BlockWrites,
    transaction: TransactionWrites,
    entries: Vec<PostedEntry>,
    memo: RowMemo,
}

impl<'a> Overlay<'a> {
    /// An overlay without writes.
    #[must_use]
    pub fn new(base: &'a dyn Base) -> Self {
        // Seeded with what only the ledger knows, so that nobody can choose keys that collide.
        let hashes = FixedState::with_seed(base.map_seed());
        Self {
            base,
            block: BlockWrites::with_hasher(hashes.clone()),
            transaction: TransactionWrites::new(),
            entries: Vec::new(),
            memo: RowMemo(RefCell::new(HashMap::with_hasher(hashes))),
        }
    }

    /// Sets a row.
    pub fn write(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.memo.forget(&key);
        self.transaction.insert(key, Some(value));
    }

    /// Takes a row away.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.memo.forget(&key);
        self.transaction.insert(key, None);
    }

    /// Notes an entry that was posted, for the receipt.
    pub(crate) fn note_entry(&mut self, entry: PostedEntry) {
        self.entries.push(entry);
    }

    /// Keeps the transaction's writes and hands out the entries it posted.
    pub fn keep_transaction(&mut self) -> Vec<PostedEntry> {
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
            self.forget_written();
            self.transaction = writes;
            self.entries.truncate(entries);
        }
        result
    }

    /// Forgets the transaction's writes and entries.
    pub fn discard_transaction(&mut self) {
        self.forget_written();
        self.transaction.clear();
        self.entries.clear();
    }

    /// What was decoded of rows that the transaction wrote is not what stands without it.
    fn forget_written(&self) {
        for key in self.transaction.keys() {
            self.memo.forget(key);
        }
    }

    /// All writes of the block, in no order.
    #[must_use]
    pub fn into_writes(self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        self.block.into_iter().collect()
    }
}

impl Read for Overlay<'_> {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        match self.transaction.get(key).or_else(|| self.block.get(key)) {
            Some(written) => written.as_deref(),
            None => self.base.read(key),
        }
    }

    fn memo(&self) -> Option<&RowMemo> {
        Some(&self.memo)
    }
}

type Decoded = Arc<dyn Any + Send + Sync>;

/// Rows that a block has decoded, by key: every settlement reads the same region, organisations and
/// funds. A memo of a pure function of rows, so it may be dropped at any time without changing a
/// result.
///
/// Invariant: a row that was written or discarded since is not in it (test
/// `a_decoded_row_is_forgotten_when_the_row_changes`).
pub struct RowMemo(RefCell<HashMap<Vec<u8>, Option<Decoded>, FixedState>>);

impl RowMemo {
    /// The decoded row under a key, by `decode` at the first call. A key belongs to one table and
    /// so to one type.
    pub(crate) fn row<V: Any + Send + Sync>(
        &self,
        key: &[u8],
        decode: impl FnOnce() -> Option<V>,
    ) -> Option<Arc<V>> {
        if let Some(known) = self.0.borrow().get(key) {
            let known = known.as_ref().map(|row| Arc::clone(row).downcast::<V>());
            return known.map(|row| row.expect("a key prefix belongs to one table"));
        }
        let row = decode().map(Arc::new);
        let erased = row.clone().map(|row| -> Decoded { row });
        self.0.borrow_mut().insert(key.to_vec(), erased);
        row
    }

    fn forget(&self, key: &[u8]) {
        self.0.borrow_mut().remove(key);
    }
}
