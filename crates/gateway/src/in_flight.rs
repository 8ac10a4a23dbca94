//! Which idempotency keys are on their way through this gateway at the moment.
//!
//! What was executed is known to the ledger, for ever; this knows only what has no answer yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::IdempotencyKey;
use primitives::{Hash, Party};

type Keys = BTreeMap<(Party, IdempotencyKey), Hash>;

/// The keys on their way.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<Keys>>);

/// A key that is taken until this is dropped.
pub struct Taken {
    keys: InFlight,
    key: (Party, IdempotencyKey),
}

/// Who has a key that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupied {
    /// The same transaction.
    Same,
    /// Another one.
    Other,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a key for a transaction.
    ///
    /// # Errors
    /// Who has it already.
    pub fn take(
        &self,
        author: Party,
        key: IdempotencyKey,
        transaction_id: Hash,
    ) -> Result<Taken, Occupied> {
        let key = (author, key);
        let mut keys = self.lock();
        match keys.get(&key) {
            Some(id) if *id == transaction_id => Err(Occupied::Same),
            Some(_) => Err(Occupied::Other),
            None => {
                keys.insert(key, transaction_id);
                Ok(Taken { keys: self.clone(), key })
            }
        }
    }

    /// How many are taken.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::PersonId;

    #[test]
    fn a_key_is_taken_until_its_answer_is_known() {
        let in_flight = InFlight::default();
        let author = Party::Person(PersonId([1; 16]));
        let key = IdempotencyKey([2; 16]);
        let take = |author, id| in_flight.take(author, key, Hash([id; 32]));
        let taken = take(author, 3).ok().unwrap();
        assert_eq!(take(author, 3).err(), Some(Occupied::Same));
        assert_eq!(take(author, 4).err(), Some(Occupied::Other));
        assert!(take(Party::Person(PersonId([9; 16])), 4).is_ok());
        drop(taken);
        assert!(take(author, 4).is_ok());
        assert_eq!(in_flight.count(), 0);
    }
}
