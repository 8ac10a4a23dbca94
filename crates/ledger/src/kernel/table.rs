//! Typed rows: a table is a two-byte prefix and the types of key and value.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use core::any::Any;
use core::marker::PhantomData;
use primitives::codec;

use crate::kernel::overlay::{Overlay, Read};

/// A table of rows under its own key prefix. Only the module that declares it writes it.
pub struct Table<K, V> {
    prefix: u16,
    types: PhantomData<fn(K) -> V>,
}

impl<K: BorshSerialize, V: BorshSerialize + BorshDeserialize> Table<K, V> {
    /// The table with this prefix. Prefixes are `module number * 256 + table number`, never reused.
    #[must_use]
    pub const fn new(prefix: u16) -> Self {
        Self { prefix, types: PhantomData }
    }

    /// The bytes under which a row is kept in the state; also what a state proof is about.
    #[must_use]
    pub fn key_bytes(&self, key: &K) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(&self.prefix.to_be_bytes());
        borsh::to_writer(&mut bytes, key).expect("a vector takes every key");
        bytes
    }

    /// Whether these bytes are a key of this table.
    #[must_use]
    pub fn is_key(&self, bytes: &[u8]) -> bool
    where
        K: BorshDeserialize,
    {
        self.key_of(bytes).is_some()
    }

    /// The key that these bytes are, if they are one of this table.
    #[must_use]
    pub fn key_of(&self, bytes: &[u8]) -> Option<K>
    where
        K: BorshDeserialize,
    {
        let key = bytes.strip_prefix(&self.prefix.to_be_bytes())?;
        codec::decode(key).ok()
    }

    /// The row, if there is one.
    ///
    /// # Panics
    /// When the bytes are not such a row: the state is damaged, and the node must stop rather than
    /// go on wrong.
    pub fn get(&self, state: &(impl Read + ?Sized), key: &K) -> Option<V> {
        let bytes = state.read(&self.key_bytes(key))?;
        Some(codec::decode(bytes).expect("a row was written by this table in this format"))
    }

    /// The row, if there is one, decoded once per block: for rows that many transactions read and
    /// few change.
    ///
    /// # Panics
    /// As [`Table::get`].
    pub fn shared(&self, state: &(impl Read + ?Sized), key: &K) -> Option<Arc<V>>
    where
        V: Any + Send + Sync,
    {
        let key = self.key_bytes(key);
        let decode = || {
            let bytes = state.read(&key)?;
            Some(codec::decode(bytes).expect("a row was written by this table in this format"))
        };
        match state.memo() {
            Some(memo) => memo.row(&key, decode),
            None => decode().map(Arc::new),
        }
    }

    /// Whether there is such a row.
    pub fn has(&self, state: &(impl Read + ?Sized), key: &K) -> bool {
        state.read(&self.key_bytes(key)).is_some()
    }

    /// Sets the row.
    pub fn put(&self, state: &mut Overlay<'_>, key: &K, value: &V) {
        state.write(self.key_bytes(key), codec::encode(value));
    }

    /// Takes the row away.
    pub fn remove(&self, state: &mut Overlay<'_>, key: &K) {
        state.remove(self.key_bytes(key));
    }
}
