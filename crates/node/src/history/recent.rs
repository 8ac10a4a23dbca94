//! The last blocks in memory: what the history has not written yet is answered from here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::Receipt;
use primitives::{Hash, OrganisationId, Party};
use proof::receipt::OutcomeCode;

use crate::runtime::{Committed, Placed};

/// Blocks that are durable, applied and not yet in the history. Bounded by the channel that feeds
/// the history: when that is full, no further block is made.
#[derive(Default)]
pub struct Recent {
    blocks: Mutex<VecDeque<Arc<Committed>>>,
}

impl Recent {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Committed>>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, block: Arc<Committed>) {
        self.lock().push_back(block);
    }

    /// Forgets blocks up to this height: the history has them.
    pub(crate) fn forget_up_to(&self, height: u64) {
        let mut blocks = self.lock();
        while blocks.front().is_some_and(|block| block.header().height <= height) {
            blocks.pop_front();
        }
    }

    /// How many blocks the history is behind.
    pub fn lag(&self) -> usize {
        self.lock().len()
    }

    /// The block of this height, if it is here.
    pub(crate) fn block(&self, height: u64) -> Option<Arc<Committed>> {
        self.lock().iter().find(|block| block.header().height == height).cloned()
    }

    pub(crate) fn receipt_at(&self, index: u64) -> Option<Arc<Receipt>> {
        self.lock().iter().find_map(|block| block.receipt_at(index).cloned())
    }

    /// The receipt of a transaction: the one that accepted it, else its last rejection.
    pub(crate) fn receipt_by_transaction(&self, id: &Hash) -> Option<Placed> {
        let blocks = self.lock();
        let mut last = None;
        for placed in blocks.iter().flat_map(|block| block.placed()) {
            if placed.receipt.record.transaction_id == *id {
                let is_accepted = placed.receipt.record.outcome == OutcomeCode::Accepted;
                last = Some(placed);
                if is_accepted {
                    break;
                }
            }
        }
        last
    }

    /// Everything here that concerns the party, oldest first.
    pub(crate) fn receipts_of(&self, party: &Party) -> Vec<Placed> {
        let blocks = self.lock();
        let placed = blocks.iter().flat_map(|block| block.placed());
        placed.filter(|placed| placed.receipt.concerns.binary_search(party).is_ok()).collect()
    }

    /// Everything here with an effect that this organisation executes, oldest first.
    pub(crate) fn receipts_with_effects_of(&self, executor: OrganisationId) -> Vec<Placed> {
        let blocks = self.lock();
        let placed = blocks.iter().flat_map(|block| block.placed());
        let is_own = |placed: &Placed| {
            placed.receipt.effects.iter().any(|effect| effect.executor == executor)
        };
        placed.filter(is_own).collect()
    }
}
