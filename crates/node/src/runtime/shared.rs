//! What the threads of a node and its handles share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use adapters::clock::Clock;
use ledger::modules::visit::SettlementRecord;
use ledger::{Block, Ledger, Receipt, Registry};
use primitives::{Hash, OrganisationId, Party, VisitId, codec};
use proof::header::{Certificate, ChainId, ValidatorSet};

use super::metrics::{Counters, Metrics};
use super::network::PeerStand;
use super::subscription::Subscribers;
use super::types::{Direction, Placed, ReadView};
use super::{Health, NodeFailure, ReadError};
use crate::cosign::Cosignatures;
use crate::history::{HistoryReader, Recent};
use crate::mempool::Mempool;
use crate::receipt_log::ReceiptLog;
use crate::store::{Disk, Store, StoreError, StoredBlock};

/// How many ledgers are kept for rehearsals.
const REHEARSAL_LEDGERS_MAX: usize = 4;

/// Reading recorded blocks, whatever disk they are on.
pub(crate) trait Blocks: Send + Sync {
    /// The block at this height.
    fn stored(&self, height: u64) -> Result<StoredBlock, StoreError>;
}

impl<D: Disk> Blocks for RwLock<Store<D>> {
    fn stored(&self, height: u64) -> Result<StoredBlock, StoreError> {
        self.read().unwrap_or_else(PoisonError::into_inner).read_block(height)
    }
}

pub(crate) struct Shared {
    pub(crate) chain_id: ChainId,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mempool: Arc<Mempool>,
    pub(crate) view: RwLock<Arc<ReadView>>,
    pub(crate) recent: Recent,
    pub(crate) history: HistoryReader,
    pub(crate) blocks: Arc<dyn Blocks>,
    pub(crate) receipt_log: ReceiptLog,
    pub(crate) cosignatures: Cosignatures,
    /// The other nodes of the network, as they were looked at last.
    pub(crate) peers: Mutex<Vec<PeerStand>>,
    /// Who signed two things at once, and at which block last.
    pub(crate) accused: Mutex<BTreeMap<OrganisationId, u64>>,
    /// Whether the node's key signs nothing yet, since nobody knows what it signed before.
    pub(crate) is_watching: AtomicBool,
    pub(crate) subscribers: Subscribers,
    pub(crate) counters: Counters,
    pub(crate) rehearsals: Mutex<Vec<Ledger>>,
    pub(crate) health: Mutex<Health>,
    pub(crate) is_failed: AtomicBool,
    pub(crate) is_orderly_stop: AtomicBool,
}

impl Shared {
    pub(crate) fn view(&self) -> Arc<ReadView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, view: ReadView) {
        let view = Arc::new(view);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub(crate) fn note_peers(&self, peers: Vec<PeerStand>) {
        *self.peers.lock().unwrap_or_else(PoisonError::into_inner) = peers;
    }

    pub(crate) fn note_accused(&self, accused: BTreeMap<OrganisationId, u64>) {
        *self.accused.lock().unwrap_or_else(PoisonError::into_inner) = accused;
    }

    /// Something failed that nothing can be promised after: takes nothing more in and says so.
    pub(crate) fn fail(&self, failure: &NodeFailure) {
        tracing::error!(%failure, "the node stops");
        self.is_failed.store(true, Ordering::Release);
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*health, Health::Failed(_)) {
            *health = Health::Failed(failure.to_string());
        }
        drop(health);
        self.mempool.abort();
        self.subscribers.close();
    }

    /// The node is told to stop; with `is_orderly`, the last snapshot is written.
    pub(crate) fn tell_to_stop(&self, is_orderly: bool) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if *health == Health::Running {
            *health = Health::Stopped;
            self.is_orderly_stop.store(is_orderly, Ordering::Release);
        }
        drop(health);
        self.mempool.close();
    }

    /// Whether the node was told to stop in order.
    pub(crate) fn is_told_to_stop(&self) -> bool {
        self.is_orderly_stop.load(Ordering::Acquire)
    }

    pub(crate) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn receipt_at(&self, index: u64) -> Result<Option<Arc<Receipt>>, ReadError> {
        // What leaves the recent blocks is in the history before it leaves them.
        match self.recent.receipt_at(index) {
            Some(receipt) => Ok(Some(receipt)),
            None => Ok(self.history.receipt_at(index)?),
        }
    }

    pub(crate) fn receipt_by_transaction(&self, id: &Hash) -> Result<Option<Placed>, ReadError> {
        let is_accepted = |placed: &Placed| {
            placed.receipt.record.outcome == proof::receipt::OutcomeCode::Accepted
        };
        let recent = self.recent.receipt_by_transaction(id);
        if recent.as_ref().is_some_and(is_accepted) {
            return Ok(recent);
        }
        // A rejection frees the key, so the same transaction may have been accepted before or
        // after.
        let older = self.history.receipt_by_transaction(id)?;
        Ok(match older {
            Some(older) if is_accepted(&older) => Some(older),
            older => recent.or(older),
        })
    }

    pub(crate) fn receipts_of(
        &self,
        party: &Party,
        direction: Direction,
        behind: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Placed>, ReadError> {
        let recent = self.recent.receipts_of(party);
        match direction {
            Direction::OldestFirst => {
                let mut page = self.history.receipts_of(party, direction, behind, limit)?;
                let last = page.last().map(|placed| placed.index).or(behind);
                let newer = recent.into_iter().filter(|one| direction.is_behind(one.index, last));
                page.extend(newer.take(limit.saturating_sub(page.len())));
                Ok(page)
            }
            Direction::NewestFirst => {
                let newest = recent.into_iter().rev();
                let newest = newest.filter(|one| direction.is_behind(one.index, behind));
                let mut page: Vec<Placed> = newest.take(limit).collect();
                let last = page.last().map(|placed| placed.index).or(behind);
                let missing = limit.saturating_sub(page.len());
                page.extend(self.history.receipts_of(party, direction, last, missing)?);
                Ok(page)
            }
        }
    }

    pub(crate) fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, ReadError> {
        match self.recent.settlement(visit) {
            Some(record) => Ok(Some(record)),
            None => Ok(self.history.settlement(visit)?),
        }
    }

    pub(crate) fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, ReadError> {
        let present = &self.view().tip.validators;
        if present.hash() == *hash {
            return Ok(Some(present.clone()));
        }
        match self.recent.validators(hash) {
            Some(set) => Ok(Some(set)),
            None => Ok(self.history.validators(hash)?),
        }
    }

    pub(crate) fn receipts_with_effects_of(
        &self,
        executor: OrganisationId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Placed>, crate::history::HistoryError> {
        let recent = self.recent.receipts_with_effects_of(executor);
        let mut page = self.history.receipts_with_effects_of(executor, from, limit)?;
        let next = page.last().map_or(from, |placed| placed.index.saturating_add(1));
        let newer = recent.into_iter().filter(|placed| placed.index >= next);
        page.extend(newer.take(limit.saturating_sub(page.len())));
        Ok(page)
    }

    /// The block of this height with its certificate, if the chain is that long.
    pub(crate) fn block(&self, height: u64) -> Result<Option<(Block, Certificate)>, ReadError> {
        if height == 0 || height > self.view().tip.height {
            return Ok(None);
        }
        if let Some(block) = self.recent.block(height) {
            return Ok(Some((block.block.clone(), block.certificate.clone())));
        }
        let stored = match self.blocks.stored(height) {
            // Old blocks may have been moved to an archive.
            Err(StoreError::NoBlock(_)) => return Ok(None),
            stored => stored?,
        };
        let block = codec::decode(&stored.block).map_err(|_| StoreError::Format(height))?;
        Ok(Some((block, stored.certificate)))
    }

    /// Lends a ledger that stands at the present view.
    pub(crate) fn with_rehearsal<T>(&self, run: impl FnOnce(&Ledger) -> T) -> T {
        let view = self.view();
        let kept = self.rehearsals.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (state, tip) = (view.state.clone(), view.tip.clone());
        let ledger = match kept {
            Some(mut ledger) => {
                ledger.follow(state, tip);
                ledger
            }
            None => Ledger::new(self.chain_id, state, tip),
        };
        let value = run(&ledger);
        let mut kept = self.rehearsals.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < REHEARSAL_LEDGERS_MAX {
            kept.push(ledger);
        }
        value
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (view, fill, counters) = (self.view(), self.mempool.fill(), &self.counters);
        Metrics {
            height: view.tip.height,
            receipts: view.tip.log.size(),
            blocks: count(&counters.blocks),
            accepted: count(&counters.accepted),
            rejected_in_block: count(&counters.rejected_in_block),
            rejected_at_admission: count(&counters.rejected_at_admission),
            duplicates: count(&counters.duplicates),
            block_bytes: count(&counters.block_bytes),
            execute: counters.execute.counted(),
            durable: counters.durable.counted(),
            block: counters.block.counted(),
            signatures: self.mempool.checks.counted(),
            snapshot: counters.snapshot.counted(),
            snapshot_stall: counters.snapshot_stall.counted(),
            waiting_transactions: number(fill.transactions),
            waiting_bytes: number(fill.bytes),
            history_lag_blocks: number(self.recent.lag()),
            subscribers: number(self.subscribers.count()),
            snapshot_height: count(&counters.snapshot_height),
            snapshots_given_up: count(&counters.snapshots_given_up),
        }
    }
}
