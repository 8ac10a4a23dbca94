//! The same transaction twice gives the first receipt; the same key with other content is refused.
//!
//! Keys are kept while their transaction could still be executed (`valid_until`, at most seven
//! days), then forgotten: a transaction that is past its validity is refused anyway. Forgetting is
//! part of the state: keys are queued by the hour in which they end, and each block takes a bounded
//! number out.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, Timestamp};

use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::table::Table;
use crate::kernel::transaction::IdempotencyKey;
use crate::readers::Readers;

const KEYS: Table<(Party, IdempotencyKey), UsedKey> = Table::new(0x0003);
const ENDING: Table<(u64, u32), Vec<(Party, IdempotencyKey)>> = Table::new(0x0004);
const QUEUE: Table<u64, u32> = Table::new(0x0005);
const CURSOR: Table<(), (u64, u32)> = Table::new(0x0006);

/// How many keys one row of the queue holds.
const KEYS_PER_ROW_MAX: usize = 32;
/// How many queue rows one block forgets; more than it can add, so the queue never grows.
const ROWS_FORGOTTEN_PER_BLOCK_MAX: u32 = 512;
const HOUR_MILLIS: u64 = 3_600_000;

/// A key that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UsedKey {
    /// The transaction it stands for.
    pub transaction_id: Hash,
    /// The position of its receipt in the receipt log.
    pub receipt_index: u64,
}

/// The use of a key, if it was used and can still matter.
pub fn used(state: &(impl Read + ?Sized), author: Party, key: IdempotencyKey) -> Option<UsedKey> {
    KEYS.get(state, &(author, key))
}

/// Who may read a row of this module besides those who see everything: an organisation its own
/// keys.
pub(crate) fn readers(key: &[u8]) -> Option<Readers> {
    match KEYS.key_of(key)?.0 {
        Party::Organisation(own) => Some(Readers::Organisations(alloc::vec![own])),
        Party::Person(_) => None,
    }
}

/// Notes the use of a key until `valid_until`.
pub fn note(
    state: &mut Overlay<'_>,
    author: Party,
    key: IdempotencyKey,
    valid_until: Timestamp,
    used: &UsedKey,
) {
    KEYS.put(state, &(author, key), used);
    let hour = hour_of(valid_until);
    let row = QUEUE.get(state, &hour).unwrap_or(0);
    let mut keys = ENDING.get(state, &(hour, row)).unwrap_or_default();
    keys.push((author, key));
    let full = keys.len() >= KEYS_PER_ROW_MAX;
    ENDING.put(state, &(hour, row), &keys);
    QUEUE.put(state, &hour, &if full { row.saturating_add(1) } else { row });
}

fn hour_of(time: Timestamp) -> u64 {
    time.millis().checked_div(HOUR_MILLIS).unwrap_or(0)
}

/// Forgets keys whose hour has fully passed, a bounded number of them. Called once per block.
pub fn forget_ended(state: &mut Overlay<'_>, now: Timestamp) {
    let current = hour_of(now);
    let (mut hour, mut row) = CURSOR.get(state, &()).unwrap_or((current, 0));
    let start = (hour, row);
    let mut budget = ROWS_FORGOTTEN_PER_BLOCK_MAX;
    while hour < current && budget > 0 {
        budget = budget.saturating_sub(1);
        match ENDING.get(state, &(hour, row)) {
            Some(keys) => {
                for key in keys {
                    KEYS.remove(state, &key);
                }
                ENDING.remove(state, &(hour, row));
                row = row.saturating_add(1);
            }
            None => {
                if QUEUE.has(state, &hour) {
                    QUEUE.remove(state, &hour);
                }
                (hour, row) = (hour.saturating_add(1), 0);
            }
        }
    }
    if (hour, row) != start || !CURSOR.has(state, &()) {
        CURSOR.put(state, &(), &(hour, row));
    }
}
