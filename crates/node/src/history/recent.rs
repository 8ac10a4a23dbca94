//! The last blocks in memory: what the history has not written yet is answered from here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::Receipt;
use ledger::modules::visit::SettlementRecord;
use primitives::{Hash, OrganisationId, Party, VisitId};
use proof::header::ValidatorSet;
use proof::receipt::OutcomeCode;

use crate::runtime::{Committed, Placed};

/// Blocks that are durable, applied and not yet in the history. Bounded by the queue that feeds the
/// history: when that is full, no further block is made.
#[derive(Default)]
pub struct Recent {
    blocks: Mutex<VecDeque<Arc<Committed>>>,
}

impl Recent {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Committed>>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The blocks as they are now, so that nobody searches while the sequencer waits.
    fn blocks(&self) -> Vec<Arc<Committed>> {
        self.lock().iter().cloned().collect()
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
        let blocks = self.blocks();
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
        let blocks = self.blocks();
        let placed = blocks.iter().flat_map(|block| block.placed());
        placed.filter(|placed| placed.receipt.concerns.binary_search(party).is_ok()).collect()
    }

    /// The settlement of a visit that a receipt here brought into force last.
    pub(crate) fn settlement(&self, visit: VisitId) -> Option<SettlementRecord> {
        let blocks = self.lock();
        let receipts = blocks.iter().rev().flat_map(|block| block.receipts.iter().rev());
        let mut records = receipts.filter_map(|receipt| SettlementRecord::in_receipt(receipt));
        records.find(|record| record.visit == visit)
    }

    /// The validators with this hash, if a block here named them.
    pub(crate) fn validators(&self, hash: &Hash) -> Option<ValidatorSet> {
        let blocks = self.lock();
        let handovers = blocks.iter().filter_map(|block| block.handover.as_ref());
        let mut named = handovers.map(|handover| &handover.validators);
        named.find(|set| set.hash() == *hash).cloned()
    }

    /// Everything here with an effect that this organisation executes, oldest first.
    pub(crate) fn receipts_with_effects_of(&self, executor: OrganisationId) -> Vec<Placed> {
        let blocks = self.blocks();
        let placed = blocks.iter().flat_map(|block| block.placed());
        let is_own = |placed: &Placed| {
            placed.receipt.effects.iter().any(|effect| effect.executor == executor)
        };
        placed.filter(is_own).collect()
    }
}
