//! What everybody else calls: the node behind a handle that can be cloned and shared.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ledger::modules::visit::SettlementRecord;
use ledger::{Block, Receipt, Registry, Transaction};
use primitives::{Hash, OrganisationId, Party, VisitId};
use proof::checkpoint::SignedCheckpoint;
use proof::header::{Certificate, ChainId, Header, ValidatorSet};
use proof::note::NoteKey;
use proof::receipt::FieldName;
use proof::tile::Tile;
use proof::voucher::Voucher;

use super::check::encoded_length;
use super::drive::{Drive, words_of};
use super::shared::Shared;
use super::subscription::Subscription;
use super::types::{Direction, Placed, ReadView, Rehearsal, SubmitError, SubmitResult};
use super::{Health, Metrics, NodeFailure, PeerStand, ReadError, Refusal};
use crate::history::HistoryError;
use crate::receipt_log::ReceiptLogError;
use crate::signature::FastVerifier;
use crate::voucher::{self, IssueVoucherError};

/// A running node. Clones are the same node, which ends with its last handle.
#[derive(Clone)]
pub struct NodeHandle(Arc<Owner>);

struct Owner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    driver: Option<Mutex<Box<dyn Drive>>>,
}

impl NodeHandle {
    pub(crate) fn running(shared: Arc<Shared>, threads: Vec<JoinHandle<()>>) -> Self {
        Self(Arc::new(Owner { shared, threads: Mutex::new(threads), driver: None }))
    }

    pub(crate) fn driven(shared: Arc<Shared>, driver: Box<dyn Drive>) -> Self {
        let driver = Some(Mutex::new(driver));
        Self(Arc::new(Owner { shared, threads: Mutex::default(), driver }))
    }

    /// The ledger's name.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        self.0.shared.chain_id
    }

    /// The kinds of transaction that the ledger knows.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.0.shared.registry
    }

    /// Executes a transaction and waits until its receipt is durable.
    ///
    /// The same transaction again gives its first receipt. The receipt may say that the transaction
    /// was rejected in its block.
    ///
    /// # Errors
    /// Why it was not executed, or that this is not known.
    pub fn submit(&self, transaction: Transaction) -> SubmitResult {
        let mut answers = self.submit_all(vec![transaction]);
        answers.pop().unwrap_or(Err(SubmitError::Stopped))
    }

    /// As [`NodeHandle::submit`] for many: they go in together and are answered in their order.
    pub fn submit_all(&self, transactions: Vec<Transaction>) -> Vec<SubmitResult> {
        let waiting: Vec<_> = transactions
            .into_iter()
            .map(|transaction| {
                let (sender, receiver) = sync_channel(1);
                let transaction_id = transaction.content.id();
                self.submit_with(transaction, move |answer| {
                    // The receiver waits below until the answer comes.
                    let _ = sender.send(answer);
                });
                (transaction_id, receiver)
            })
            .collect();
        self.run_until_idle();
        let answers = waiting.into_iter().map(|(transaction_id, receiver)| {
            receiver.recv().unwrap_or(Err(SubmitError::Unknown { transaction_id }))
        });
        answers.collect()
    }

    /// Puts a transaction on its way and returns at once. The answer is called once, from any
    /// thread, and must not block; transactions of one author keep their order.
    pub fn submit_with(
        &self,
        transaction: Transaction,
        answer: impl FnOnce(SubmitResult) + Send + 'static,
    ) {
        match encoded_length(&transaction) {
            Ok(bytes) => self.0.shared.mempool.offer(transaction, bytes, Box::new(answer)),
            Err(error) => answer(Err(error.into())),
        }
    }

    /// Executes a transaction on the present state and forgets it again. Its signatures must be
    /// valid.
    ///
    /// # Errors
    /// Why it would not happen.
    pub fn rehearse(&self, transaction: Transaction) -> Result<Rehearsal, SubmitError> {
        encoded_length(&transaction)?;
        let verified = transaction.verify(&FastVerifier, self.registry())?;
        let now = self.0.shared.clock.now();
        let rehearsed = self.0.shared.with_rehearsal(|ledger| ledger.rehearse(now, &verified));
        let (outcome, entries) = rehearsed.map_err(SubmitError::Rejected)?;
        Ok(Rehearsal { outcome, entries })
    }

    /// The ledger as it is after the last durable block. Cheap.
    #[must_use]
    pub fn view(&self) -> Arc<ReadView> {
        self.0.shared.view()
    }

    /// The receipt of a transaction: the one that accepted it, else its last rejection in a block.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn receipt_by_transaction(&self, id: &Hash) -> Result<Option<Placed>, ReadError> {
        self.0.shared.receipt_by_transaction(id)
    }

    /// The receipt at this place of the receipt log; the first is 0.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn receipt_at(&self, index: u64) -> Result<Option<Arc<Receipt>>, ReadError> {
        self.0.shared.receipt_at(index)
    }

    /// Receipts that concern a party, in this direction, behind the place `behind` or from the end
    /// where the direction starts; at most `limit`. The last one's place is the next page's
    /// `behind`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn receipts_of(
        &self,
        party: &Party,
        direction: Direction,
        behind: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Placed>, ReadError> {
        self.0.shared.receipts_of(party, direction, behind, limit)
    }

    /// The settlement record of a visit as it is now in force: what a refund or a correction brings
    /// along, because the ledger keeps its hash only. `None` for a visit that was never settled.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, ReadError> {
        self.0.shared.settlement(visit)
    }

    /// The validators with this hash: the present ones, or those whom an earlier block named.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, ReadError> {
        self.0.shared.validators(hash)
    }

    /// Receipts with effects that this organisation executes, from the place `from` on, oldest
    /// first, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn receipts_with_effects_of(
        &self,
        executor: OrganisationId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Placed>, HistoryError> {
        self.0.shared.receipts_with_effects_of(executor, from, limit)
    }

    /// The block of this height, if the chain is that long and the block is not in an archive.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn block(&self, height: u64) -> Result<Option<Block>, ReadError> {
        Ok(self.0.shared.block(height)?.map(|(block, _)| block))
    }

    /// The header of this height with the certificate that makes it final.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn header(&self, height: u64) -> Result<Option<(Header, Certificate)>, ReadError> {
        let block = self.0.shared.block(height)?;
        Ok(block.map(|(block, certificate)| (block.header, certificate)))
    }

    /// Blocks from now on, as they are committed. A subscriber that is too slow is dropped and told
    /// so.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.0.shared.subscribers.subscribe()
    }

    /// The public key of the receipt log, under the log's name.
    #[must_use]
    pub fn log_key(&self) -> &NoteKey {
        self.0.shared.receipt_log.public_key()
    }

    /// The signed checkpoint of the receipt log as it is now. It is on the disk before it is given
    /// out, so that this node never signs an earlier one.
    ///
    /// # Errors
    /// When it cannot be signed or kept.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, ReceiptLogError> {
        self.0.shared.receipt_log.checkpoint(&self.view().tip)
    }

    /// The proof that the receipt at `index` is in the log of this size.
    ///
    /// # Errors
    /// When the log does not reach that far, or cannot be read.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, ReceiptLogError> {
        self.check_size(size)?;
        self.0.shared.receipt_log.inclusion(index, size)
    }

    /// The proof that the log of size `new` continues the one of size `old`.
    ///
    /// # Errors
    /// When the log does not reach that far, or cannot be read.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReceiptLogError> {
        self.check_size(new)?;
        self.0.shared.receipt_log.consistency(old, new)
    }

    fn check_size(&self, size: u64) -> Result<(), ReceiptLogError> {
        let is_within = size <= self.view().tip.log.size();
        if is_within { Ok(()) } else { Err(ReceiptLogError::OutOfRange) }
    }

    /// The bytes of a tile of the receipt log, if the log has it at this width (C2SP tlog-tiles).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.0.shared.receipt_log.tile(tile, self.view().tip.log.size())?)
    }

    /// The bytes of a bundle of entries of the receipt log, if the log has it at this width.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entry_bundle(&self, tile: Tile) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.0.shared.receipt_log.entries(tile, self.view().tip.log.size())?)
    }

    /// The voucher of a transaction's receipt that shows the fields of these names, or all; `None`
    /// when there is no such receipt, or too few of the other validators have cosigned for now.
    /// Waits two seconds for them at the most.
    ///
    /// # Errors
    /// A name that the receipt does not have, or something that cannot be read.
    pub fn issue_voucher(
        &self,
        transaction_id: &Hash,
        shown: Option<&[FieldName]>,
    ) -> Result<Option<Voucher>, IssueVoucherError> {
        let Some(placed) = self.receipt_by_transaction(transaction_id)? else { return Ok(None) };
        let openings = voucher::openings(&placed.receipt, shown)?;
        let Shared { receipt_log: log, cosignatures, chain_id, .. } = &*self.0.shared;
        let tip = &self.view().tip;
        let checkpoint = if cosignatures.are_needed(*chain_id, &tip.validators) {
            let Some(cosigned) = cosignatures.over(placed.index.saturating_add(1)) else {
                return Ok(None);
            };
            cosigned
        } else {
            log.checkpoint(tip)?
        };
        let path = log.inclusion(placed.index, checkpoint.checkpoint().size)?;
        voucher::issue(&placed.receipt, openings, placed.index, path, checkpoint).map(Some)
    }

    /// How the node is.
    #[must_use]
    pub fn status(&self) -> Health {
        self.0.shared.health()
    }

    /// The other nodes of its network, by address, and whether they could be reached a second ago.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerStand> {
        self.0.shared.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which validators signed two things at once, as this node saw it, and at which block last.
    /// What shows it lies in its folder, in `signed/equivocations.jsonl`.
    #[must_use]
    pub fn accused(&self) -> BTreeMap<OrganisationId, u64> {
        self.0.shared.accused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its key signs nothing yet, since nobody knows what it signed before.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.0.shared.is_watching.load(Ordering::Acquire)
    }

    /// What it has done and how full it is.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.shared.metrics()
    }

    /// How often transactions were refused since the node was opened, by where and what for.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<Refusal, u64> {
        self.0.shared.counters.refusals.counted()
    }

    /// Does everything that waits, on the caller's thread, for a node without threads of its own;
    /// otherwise nothing.
    pub fn run_until_idle(&self) {
        self.0.drive(|driver| driver.run_until_idle());
    }

    /// Takes nothing more in, finishes the block that is being made, writes a snapshot if that is
    /// configured, and ends the threads. The data folder is free once all handles are gone.
    pub fn stop(&self) {
        self.0.stop(true);
    }
}

impl Owner {
    fn drive(&self, run: impl FnOnce(&mut dyn Drive) -> Result<(), NodeFailure>) {
        let Some(driver) = &self.driver else { return };
        let mut driver = driver.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.health() != Health::Running {
            return self.shared.mempool.abort();
        }
        let result = catch_unwind(AssertUnwindSafe(|| run(&mut **driver)))
            .unwrap_or_else(|panic| Err(NodeFailure::Panicked(words_of(&*panic))));
        if let Err(failure) = result {
            self.shared.fail(&failure);
        }
    }

    fn stop(&self, is_orderly: bool) {
        if is_orderly {
            self.drive(|driver| driver.finish());
        }
        self.shared.tell_to_stop(is_orderly);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let own = std::thread::current().id();
        for thread in threads {
            // The last handle may be dropped by an answer, on a thread of the node itself.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("a thread of the node panicked while it ended");
            }
        }
        if self.driver.is_some() {
            self.shared.mempool.abort();
        }
        self.shared.subscribers.close();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop(false);
    }
}
