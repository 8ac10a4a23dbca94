//! Live receipts, handed to those whom they concern and to nobody else.
//!
//! One thread reads what the ledger commits; each listener has a bounded queue. A listener that
//! does not keep up is let go and resumes from the last receipt that it saw, so nobody's slowness
//! costs memory or anybody else's time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use primitives::Party;
use tokio::sync::mpsc;

use crate::port::{Committed, IndexedReceipt};

/// How many receipts wait for one listener.
const QUEUE: usize = 256;

/// Who listens.
pub struct Hub {
    total_max: usize,
    per_party_max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next_id: u64,
    total: usize,
    is_closed: bool,
    by_party: BTreeMap<Party, Vec<Listener>>,
}

struct Listener {
    id: u64,
    queue: mpsc::Sender<IndexedReceipt>,
}

/// A listener's end. Dropping it ends the listening.
pub struct Listening {
    hub: Arc<Hub>,
    party: Party,
    id: u64,
    /// The receipts, in the order of the log.
    pub queue: mpsc::Receiver<IndexedReceipt>,
}

impl Hub {
    /// A hub with room for so many listeners.
    #[must_use]
    pub fn new(total_max: usize, per_party_max: usize) -> Self {
        Self { total_max, per_party_max, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what is committed until the ledger ends, then lets every listener go. Called once,
    /// on a thread of its own.
    pub fn run(&self, committed: Committed) {
        for receipt in committed {
            self.publish(&receipt);
        }
        let mut inner = self.lock();
        inner.is_closed = true;
        inner.by_party.clear();
        inner.total = 0;
    }

    fn publish(&self, receipt: &IndexedReceipt) {
        let mut inner = self.lock();
        for party in &receipt.receipt.concerns {
            let Some(listeners) = inner.by_party.get_mut(party) else { continue };
            let before = listeners.len();
            listeners.retain(|listener| listener.queue.try_send(receipt.clone()).is_ok());
            let left = listeners.len();
            if left == 0 {
                inner.by_party.remove(party);
            }
            inner.total = inner.total.saturating_sub(before.saturating_sub(left));
        }
    }

    /// Starts listening for a party; `None` when there are too many listeners or the ledger ended.
    #[must_use]
    pub fn listen(self: &Arc<Self>, party: Party) -> Option<Listening> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut inner = self.lock();
        let own = inner.by_party.get(&party).map_or(0, Vec::len);
        if inner.is_closed || inner.total >= self.total_max || own >= self.per_party_max {
            return None;
        }
        let id = inner.next_id;
        inner.next_id = id.wrapping_add(1);
        inner.total = inner.total.saturating_add(1);
        inner.by_party.entry(party).or_default().push(Listener { id, queue: sender });
        Some(Listening { hub: Arc::clone(self), party, id, queue: receiver })
    }

    /// How many listen.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().total
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut inner = self.hub.lock();
        let Some(listeners) = inner.by_party.get_mut(&self.party) else { return };
        let before = listeners.len();
        listeners.retain(|listener| listener.id != self.id);
        let left = listeners.len();
        if left == 0 {
            inner.by_party.remove(&self.party);
        }
        inner.total = inner.total.saturating_sub(before.saturating_sub(left));
    }
}
