//! The one thread that makes blocks: takes transactions, executes them, lets the engine decide,
//! makes the block durable, and only then answers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use consensus::{Application, Next, Proposal};
use ledger::kernel::block::{BLOCK_BYTES_MAX, TIME_JUMP_MILLIS_MAX};
use ledger::{Admission, Block, BlockOutcome, Ledger, VerifiedTransaction};
use primitives::Timestamp;
use proof::header::Certificate;
use proof::receipt::OutcomeCode;

use super::NodeFailure;
use super::UpgradeNeeded;
use super::agree::Among;
use super::follow::{HistoryTask, SnapshotWriter};
use super::metrics::{Refusal, add};
use super::queue::Sender;
use super::shared::Shared;
use super::types::{Committed, ReadView, SubmitError, SubmitResult, Submitted};
use crate::history::Handover;
use crate::mempool::{Candidate, Key};
use crate::store::{Disk, Store, StoredBlock};

/// The most transactions of one block. Our own limit: with it a full block is executed in well
/// under a second.
pub const BLOCK_TRANSACTIONS_MAX: usize = 2_000;
/// What header and list of a block take of its bytes, generously.
pub(super) const BLOCK_OVERHEAD_BYTES: usize = 4_096;

/// A block that was executed and not yet decided.
pub(super) struct Pending {
    pub(super) block: Block,
    pub(super) bytes: Arc<[u8]>,
    pub(super) outcome: BlockOutcome,
    pub(super) keys: Vec<Key>,
    /// When its execution began.
    pub(super) start: Instant,
}

impl Pending {
    pub(super) fn proposal(&self) -> Proposal {
        Proposal { header: self.block.header.clone(), block: Arc::clone(&self.bytes) }
    }
}

/// What the engine orders blocks for.
pub(crate) struct Sequencer<D: Disk> {
    pub(crate) shared: Arc<Shared>,
    pub(super) ledger: Ledger,
    /// The newest rules that this release knows.
    protocol: u32,
    pub(super) store: Arc<RwLock<Store<D>>>,
    history: Sender<HistoryTask>,
    pub(crate) snapshots: SnapshotWriter<D>,
    pending: Option<Pending>,
    /// In a network.
    pub(super) among: Option<Among<D>>,
}

impl<D: Disk> Sequencer<D> {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        ledger: Ledger,
        protocol: u32,
        store: Arc<RwLock<Store<D>>>,
        history: Sender<HistoryTask>,
        snapshots: SnapshotWriter<D>,
    ) -> Self {
        Self { shared, ledger, protocol, store, history, snapshots, pending: None, among: None }
    }

    /// Executes what waits as the next block; `None` when nothing waits.
    fn build(&mut self) -> Option<Pending> {
        if !self.shared.mempool.has_candidates() {
            return None;
        }
        let now = self.shared.clock.now();
        if now > self.ledger.tip().time.plus_millis(TIME_JUMP_MILLIS_MAX) {
            // Block time has to catch up first, a day per block.
            return Some(self.execute(now, Vec::new()));
        }
        loop {
            let bytes_max = BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES;
            let batch = self.shared.mempool.take(BLOCK_TRANSACTIONS_MAX, bytes_max);
            if batch.is_empty() {
                return None;
            }
            let admitted = self.admit(now, batch);
            if !admitted.is_empty() {
                return Some(self.execute(now, admitted));
            }
        }
    }

    /// Those of a batch that may be tried; the others are answered at once.
    pub(super) fn admit(&self, now: Timestamp, batch: Vec<Candidate>) -> Vec<Candidate> {
        let (mut admitted, mut answers) = (Vec::with_capacity(batch.len()), Vec::new());
        for candidate in batch {
            let answer = match self.ledger.admit(now, &candidate.verified) {
                Ok(Admission::Admitted) => {
                    admitted.push(candidate);
                    continue;
                }
                Ok(Admission::Done(used)) => {
                    add(&self.shared.counters.duplicates, 1);
                    self.answer_again(used.receipt_index, &candidate)
                }
                Err(rejection) => {
                    add(&self.shared.counters.rejected_at_admission, 1);
                    let refusal = Refusal::AtAdmission(rejection.code.number);
                    self.shared.counters.refusals.note(refusal);
                    Err(SubmitError::Rejected(rejection))
                }
            };
            answers.push((candidate.key(), answer));
        }
        self.shared.mempool.settle(answers);
        admitted
    }

    /// The receipt that the transaction had before.
    fn answer_again(&self, receipt_index: u64, candidate: &Candidate) -> SubmitResult {
        match self.shared.receipt_at(receipt_index) {
            Ok(Some(receipt)) => Ok(Submitted { receipt_index, receipt, is_duplicate: true }),
            missing => {
                tracing::error!(receipt_index, ?missing, "a receipt cannot be read again");
                Err(SubmitError::Unknown { transaction_id: candidate.verified.id() })
            }
        }
    }

    pub(super) fn execute(&self, now: Timestamp, admitted: Vec<Candidate>) -> Pending {
        let start = Instant::now();
        let keys = admitted.iter().map(Candidate::key).collect();
        let (transactions, verified): (Vec<_>, Vec<VerifiedTransaction>) =
            admitted.into_iter().map(|one| (one.transaction, one.verified)).unzip();
        let outcome = self.ledger.execute(now, &verified);
        let signed = self.shared.receipt_log.signed_size();
        assert!(outcome.header.receipt_log_size >= signed, "no block is below what was signed");
        let block = Block { header: outcome.header.clone(), transactions };
        let bytes: Arc<[u8]> = block.encode().into();
        assert!(bytes.len() <= BLOCK_BYTES_MAX, "a block is kept below its largest size");
        self.shared.counters.execute.note(start.elapsed());
        Pending { block, bytes, outcome, keys, start }
    }

    /// The block is durable: makes it the last one and tells everybody.
    pub(super) fn publish(
        &mut self,
        pending: Pending,
        certificate: Certificate,
    ) -> Result<(), NodeFailure> {
        let Pending { block, outcome, keys, bytes, start } = pending;
        let first_receipt = self.ledger.tip().log.size();
        let before = self.ledger.tip().validators.hash();
        let (header, receipts) = self.ledger.apply(outcome);
        let receipts: Vec<_> = receipts.into_iter().map(Arc::new).collect();
        let is_other = header.next_validators != before;
        let handover = is_other.then(|| Handover {
            header: header.clone(),
            certificate: certificate.clone(),
            validators: self.ledger.tip().validators.clone(),
        });
        let committed = Committed { block, certificate, first_receipt, receipts, handover };
        let committed = Arc::new(committed);
        let shared = &self.shared;
        shared.receipt_log.append(&committed)?;
        shared.recent.push(Arc::clone(&committed));
        let (state, tip) = (self.ledger.state().clone(), self.ledger.tip().clone());
        shared.publish(ReadView { state, tip, header: Some(header) });
        self.count(&committed, bytes.len());
        let answers = keys.into_iter().zip(committed.placed()).map(|(key, placed)| {
            let (receipt_index, receipt) = (placed.index, placed.receipt);
            (key, Ok(Submitted { receipt_index, receipt, is_duplicate: false }))
        });
        // Whoever subscribes after an answer hears of later blocks only.
        shared.subscribers.publish(&committed);
        shared.mempool.settle(answers.collect());
        shared.counters.block.note(start.elapsed());
        // Waits while the history is far behind, so that memory stays bounded.
        let task = HistoryTask::Block(Arc::clone(&committed));
        self.history.send(task).map_err(|_| NodeFailure::Stopped)?;
        self.snapshots.advance(bytes.len(), &self.shared)?;
        UpgradeNeeded::check(self.protocol, &self.ledger)?;
        Ok(())
    }

    fn count(&self, committed: &Committed, bytes: usize) {
        let counters = &self.shared.counters;
        let all = committed.receipts.len();
        let mut accepted = 0;
        for receipt in &committed.receipts {
            match receipt.record.outcome {
                OutcomeCode::Accepted => accepted += 1,
                OutcomeCode::Rejected(number) => {
                    counters.refusals.note(Refusal::InBlock(number));
                }
            }
        }
        add(&counters.blocks, 1);
        add(&counters.accepted, accepted);
        add(&counters.rejected_in_block, all - accepted);
        add(&counters.block_bytes, bytes);
    }
}

impl<D: Disk> Application for Sequencer<D> {
    type Error = NodeFailure;

    fn next(&self) -> Next {
        let tip = self.ledger.tip();
        Next { height: tip.height + 1, validators: tip.validators.clone() }
    }

    fn propose(&mut self, _height: u64, _round: u32) -> Result<Option<Proposal>, NodeFailure> {
        if self.shared.is_failed.load(Ordering::Acquire) {
            // Something behind the sequencer failed; nothing more may be promised.
            return Err(NodeFailure::Stopped);
        }
        if self.pending.is_none() {
            self.pending = self.build();
        }
        Ok(self.pending.as_ref().map(Pending::proposal))
    }

    fn commit(&mut self, proposal: Proposal, certificate: Certificate) -> Result<(), NodeFailure> {
        if self.among.is_some() {
            return self.decide(&proposal, certificate);
        }
        let pending = self.pending.take().filter(|one| one.block.header == proposal.header);
        let pending = pending.ok_or(NodeFailure::UnknownBlock(proposal.header.height))?;
        let start = Instant::now();
        let stored = StoredBlock { block: pending.bytes.to_vec(), certificate };
        self.store.write().unwrap_or_else(PoisonError::into_inner).append(&stored)?;
        self.shared.counters.durable.note(start.elapsed());
        self.publish(pending, stored.certificate)
    }
}
