//! A bucket: rows sorted by key hash in one buffer.
//!
//! Layout: number of rows (u32), their key hashes (32 bytes each), where each value ends (u32 each,
//! counted from the first value), the values. The empty bucket is the empty buffer, which takes no
//! memory. A row thus costs its value and 36 bytes.

use alloc::{sync::Arc, vec::Vec};
use primitives::Hash;

use super::proof::{blind, bucket_hash, value_hash};
use super::{BUCKET_ENTRIES_MAX, VALUE_BYTES_MAX};

/// A row to set (`Some`) or to take away (`None`).
#[derive(Clone, Copy)]
pub(super) struct Write<'a> {
    pub(super) key_hash: [u8; 32],
    pub(super) value: Option<&'a [u8]>,
}

/// A row as it lies in a buffer.
#[derive(Clone, Copy)]
struct Entry<'a> {
    key_hash: &'a [u8; 32],
    value: &'a [u8],
}

impl Entry<'_> {
    fn value_hash(&self, secret: &Hash) -> Hash {
        value_hash(&blind(secret, self.key_hash), self.value)
    }
}

/// Rows sorted by key hash. Never changed in place, so sharing it is safe.
#[derive(Clone, Debug, Default)]
pub(super) struct Bucket(Arc<[u8]>);

impl Bucket {
    /// How many rows it holds.
    pub(super) fn count(&self) -> usize {
        let count = self.0.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// The hash over its rows.
    pub(super) fn hash(&self, secret: &Hash) -> Hash {
        assert!(self.count() <= BUCKET_ENTRIES_MAX, "an overfull bucket is split before");
        bucket_hash(self.entries().map(|entry| (entry.key_hash, entry.value_hash(secret))))
    }

    /// The value of a row.
    pub(super) fn get(&self, key_hash: &[u8; 32]) -> Option<&[u8]> {
        let (keys, ends, values) = self.parts();
        let at = keys.binary_search(key_hash).ok()?;
        value_at(ends, values, at)
    }

    /// Row `at`, if there are that many.
    pub(super) fn row(&self, at: usize) -> Option<(Hash, &[u8])> {
        let (keys, ends, values) = self.parts();
        Some((Hash(*keys.get(at)?), value_at(ends, values, at)?))
    }

    /// Key hash and value hash of every row.
    pub(super) fn pairs(&self, secret: &Hash) -> Vec<(Hash, Hash)> {
        self.entries().map(|entry| (Hash(*entry.key_hash), entry.value_hash(secret))).collect()
    }

    /// The bucket after these writes, which are sorted by key hash.
    pub(super) fn with(&self, writes: &[Write<'_>]) -> Self {
        let mut merged = Vec::with_capacity(self.count().saturating_add(writes.len()));
        let mut rest = writes;
        for old in self.entries() {
            let before = rest.iter().take_while(|write| write.key_hash < *old.key_hash).count();
            let (inserted, later) = rest.split_at(before);
            merged.extend(inserted.iter().filter_map(Write::entry));
            rest = later;
            match rest.split_first() {
                Some((write, later)) if write.key_hash == *old.key_hash => {
                    merged.extend(write.entry());
                    rest = later;
                }
                _ => merged.push(old),
            }
        }
        merged.extend(rest.iter().filter_map(Write::entry));
        Self::of(&merged)
    }

    /// The rows for which `in_left` holds, which are the first ones, and the others.
    pub(super) fn split(&self, in_left: impl Fn(&[u8; 32]) -> bool) -> (Self, Self) {
        let entries: Vec<Entry<'_>> = self.entries().collect();
        let (left, right) =
            entries.split_at(entries.partition_point(|entry| in_left(entry.key_hash)));
        (Self::of(left), Self::of(right))
    }

    /// The rows of buckets that follow one another.
    pub(super) fn joined<'a>(buckets: impl Iterator<Item = &'a Self>) -> Self {
        Self::of(&buckets.flat_map(Self::entries).collect::<Vec<_>>())
    }

    fn of(entries: &[Entry<'_>]) -> Self {
        if entries.is_empty() {
            return Self::default();
        }
        let values =
            entries.iter().fold(0_usize, |sum, entry| sum.saturating_add(entry.value.len()));
        let mut buffer = Vec::with_capacity(
            entries.len().saturating_mul(36).saturating_add(values).saturating_add(4),
        );
        let count = u32::try_from(entries.len()).expect("a run of writes is at most 2^16 rows");
        buffer.extend_from_slice(&count.to_le_bytes());
        for entry in entries {
            buffer.extend_from_slice(entry.key_hash);
        }
        let mut end = 0_usize;
        for entry in entries {
            end = end.saturating_add(entry.value.len());
            let end = u32::try_from(end).expect("a bucket and a run of writes are far below 4 GiB");
            buffer.extend_from_slice(&end.to_le_bytes());
        }
        for entry in entries {
            buffer.extend_from_slice(entry.value);
        }
        Self(buffer.into())
    }

    /// Key hashes, ends of values, values.
    fn parts(&self) -> (&[[u8; 32]], &[[u8; 4]], &[u8]) {
        let count = self.count();
        let rest = self.0.get(4..).unwrap_or(&[]);
        let (keys, rest) = rest.split_at_checked(count.saturating_mul(32)).unwrap_or_default();
        let (ends, values) = rest.split_at_checked(count.saturating_mul(4)).unwrap_or_default();
        (keys.as_chunks().0, ends.as_chunks().0, values)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let (keys, ends, values) = self.parts();
        keys.iter().enumerate().map(move |(at, key_hash)| {
            let value = value_at(ends, values, at).expect("every key hash has a value");
            Entry { key_hash, value }
        })
    }
}

impl<'a> Write<'a> {
    fn entry(&'a self) -> Option<Entry<'a>> {
        let value = self.value?;
        assert!(value.len() <= VALUE_BYTES_MAX, "a row's value is longer than 1 MiB");
        Some(Entry { key_hash: &self.key_hash, value })
    }
}

fn value_at<'a>(ends: &[[u8; 4]], values: &'a [u8], at: usize) -> Option<&'a [u8]> {
    let offset = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
    let start = match at.checked_sub(1) {
        Some(before) => offset(ends.get(before)?)?,
        None => 0,
    };
    values.get(start..offset(ends.get(at)?)?)
}
