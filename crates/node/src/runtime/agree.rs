//! Blocks of the next height that several organisations propose: built, judged, kept and decided.
//!
//! A block of others is executed with its own time, all signatures checked, and must give exactly
//! its header. What this node proposes or finds right is durable before the engine hears of it.
//!
//! Block time is the proposer's. A block from the future of this node's clock is not voted for, so
//! that a clock that is wrong, or lies, moves the ledger's time by seconds only; the ledger itself
//! lets time neither go back nor jump. What more than two thirds decided is taken as it is.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use bft::{Origin, Proposed, Undecided as Told, Verdict};
use consensus::Application as _;
use ledger::VerifiedTransaction;
use ledger::kernel::block::{BLOCK_BYTES_MAX, TIME_JUMP_MILLIS_MAX};
use primitives::{Hash, OrganisationId, codec};
use proof::header::Certificate;

use super::NodeFailure;
use super::check::{check_all, thread_count};
use super::sequencer::{BLOCK_OVERHEAD_BYTES, BLOCK_TRANSACTIONS_MAX, Pending, Sequencer};
use crate::mempool::Key;
use crate::signature::FastVerifier;
use crate::store::{Disk, KeptBlock, StoredBlock};

/// How far ahead of this node's clock a block may be: what clocks that are set by the network
/// differ by at the worst, and little enough to be no matter for any deadline.
pub const CLOCK_AHEAD_MILLIS_MAX: u64 = 10_000;
/// How many blocks of one height are known at once. An honest network has one or two.
const UNDECIDED_MAX: usize = 24;
/// In how many rounds one block is remembered to have been proposed.
const ROUNDS_MAX: usize = 16;

/// The blocks of the next height, by the hashes of their headers.
pub(crate) struct Undecided(BTreeMap<Hash, Known>);

struct Known {
    pending: Pending,
    told: Vec<Told>,
    is_own: bool,
}

impl Undecided {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }
}

impl<D: Disk> Sequencer<D> {
    /// Finds the blocks again that were kept before the node was started.
    pub(super) fn find_undecided(&mut self, own: OrganisationId) -> Result<(), NodeFailure> {
        self.know_kept(|_| true)?;
        for known in self.undecided.0.values_mut() {
            known.is_own = known.told.iter().any(|told| told.proposer == own);
        }
        Ok(())
    }

    /// Knows those blocks of the next height again that are on the disk and wanted.
    fn know_kept(&mut self, is_wanted: impl Fn(&Hash) -> bool) -> Result<(), NodeFailure> {
        for kept in self.kept().of(self.next().height)? {
            let KeptBlock { round, valid_round, proposer, block: bytes } = kept;
            let Ok(block) = codec::decode::<ledger::Block>(&bytes) else { continue };
            let value_id = block.header.value_id();
            if self.undecided.0.contains_key(&value_id) || !is_wanted(&value_id) {
                continue;
            }
            // Its time was looked at when it was kept.
            let origin = Origin { round, valid_round, proposer, is_decided: true };
            match self.execute_foreign(block, &bytes, true) {
                Ok(pending) => self.know(value_id, pending, origin, false),
                Err(reason) => {
                    tracing::error!(%value_id, reason, "a block that was kept is not right")
                }
            }
        }
        Ok(())
    }

    fn kept(&self) -> crate::store::UndecidedBlocks<D> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).undecided()
    }

    /// Whether there is something to order. What cannot be tried is answered.
    pub(super) fn has_work(&self) -> bool {
        let mempool = &self.shared.mempool;
        let now = self.shared.clock.now();
        loop {
            let batch = mempool.peek(1, BLOCK_BYTES_MAX);
            if batch.is_empty() {
                return false;
            }
            if !self.admit(now, batch).is_empty() {
                return true;
            }
        }
    }

    /// This node's block of a height, the same one in every round.
    pub(super) fn propose_block(
        &mut self,
        round: u32,
        own: OrganisationId,
    ) -> Result<Proposed, NodeFailure> {
        let known = self.undecided.0.iter().find(|(_, known)| known.is_own);
        if let Some((value_id, known)) = known {
            return Ok(Proposed { value_id: *value_id, block: Arc::clone(&known.pending.bytes) });
        }
        let now = self.shared.clock.now();
        let has_to_catch_up = now > self.ledger.tip().time.plus_millis(TIME_JUMP_MILLIS_MAX);
        let batch = if has_to_catch_up {
            Vec::new()
        } else {
            let bytes_max = BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES;
            self.admit(now, self.shared.mempool.peek(BLOCK_TRANSACTIONS_MAX, bytes_max))
        };
        let pending = self.execute(now, batch);
        let value_id = pending.block.header.value_id();
        let block = Arc::clone(&pending.bytes);
        let origin = Origin { round, valid_round: None, proposer: own, is_decided: false };
        self.keep(value_id, pending, origin, true)?;
        Ok(Proposed { value_id, block })
    }

    /// Keeps a block durably, and knows it from now on.
    fn keep(
        &mut self,
        value_id: Hash,
        pending: Pending,
        origin: Origin,
        is_own: bool,
    ) -> Result<(), NodeFailure> {
        let Origin { round, valid_round, proposer, .. } = origin;
        let block = pending.bytes.to_vec();
        let kept = KeptBlock { round, valid_round, proposer, block };
        self.kept().keep(pending.block.header.height, &value_id, &kept)?;
        self.know(value_id, pending, origin, is_own);
        Ok(())
    }

    fn know(&mut self, value_id: Hash, pending: Pending, origin: Origin, is_own: bool) {
        if self.undecided.0.len() >= UNDECIDED_MAX {
            // The one of the earliest round; it stays on the disk.
            let oldest = self.undecided.0.iter().filter(|(_, known)| !known.is_own);
            let round = |known: &Known| known.told.iter().map(|told| told.round).max();
            let oldest = oldest.min_by_key(|(_, known)| round(known)).map(|(id, _)| *id);
            oldest.and_then(|id| self.undecided.0.remove(&id));
        }
        let Origin { round, valid_round, proposer, .. } = origin;
        let told = vec![Told { round, valid_round, proposer, value_id, is_valid: true }];
        self.undecided.0.insert(value_id, Known { pending, told, is_own });
    }

    /// What a block of others is: executed, and kept when it is right.
    pub(super) fn judge(
        &mut self,
        height: u64,
        origin: Origin,
        bytes: &[u8],
    ) -> Result<Verdict, NodeFailure> {
        if height != self.next().height {
            return Ok(Verdict::NotNow);
        }
        if bytes.len() > BLOCK_BYTES_MAX {
            return Ok(Verdict::Unreadable);
        }
        let Ok(block) = codec::decode::<ledger::Block>(bytes) else {
            return Ok(Verdict::Unreadable);
        };
        let value_id = block.header.value_id();
        let Origin { round, valid_round, proposer, is_decided } = origin;
        if let Some(known) = self.undecided.0.get_mut(&value_id) {
            let told = Told { round, valid_round, proposer, value_id, is_valid: true };
            if known.told.len() < ROUNDS_MAX && !known.told.contains(&told) {
                known.told.push(told);
            }
            return Ok(Verdict::Valid(value_id));
        }
        match self.execute_foreign(block, bytes, is_decided) {
            Ok(pending) => {
                self.keep(value_id, pending, origin, false)?;
                Ok(Verdict::Valid(value_id))
            }
            Err(reason) => {
                tracing::warn!(height, round, %proposer, reason, "a block of others is not right");
                Ok(Verdict::Invalid(value_id))
            }
        }
    }

    /// Executes a block of others, or says what is wrong with it.
    fn execute_foreign(
        &self,
        block: ledger::Block,
        bytes: &[u8],
        is_decided: bool,
    ) -> Result<Pending, &'static str> {
        let start = Instant::now();
        if block.transactions.len() > BLOCK_TRANSACTIONS_MAX {
            return Err("it has too many transactions");
        }
        let time = block.header.time;
        let latest = self.shared.clock.now().plus_millis(CLOCK_AHEAD_MILLIS_MAX);
        if !is_decided && time > latest.max(self.ledger.tip().time) {
            return Err("its time is in the future of this node's clock");
        }
        let verified = self.verify(&block).ok_or("a transaction is not validly signed")?;
        let outcome = self.ledger.execute(time, &verified);
        if outcome.header != block.header {
            return Err("its header is not what follows from its transactions");
        }
        let keys: Vec<Key> = verified
            .iter()
            .map(|one| (one.content().author, one.content().idempotency_key))
            .collect();
        self.shared.counters.execute.note(start.elapsed());
        Ok(Pending { block, bytes: bytes.into(), outcome, keys, start })
    }

    /// The signatures of a block of others: what was checked in the pool is not checked again.
    fn verify(&self, block: &ledger::Block) -> Option<Vec<VerifiedTransaction>> {
        let pool = &self.shared.mempool;
        let known: Vec<_> = block.transactions.iter().map(|one| pool.verified(one)).collect();
        let transactions = block.transactions.iter().zip(&known);
        let rest: Vec<_> = transactions
            .filter(|(_, known)| known.is_none())
            .map(|(transaction, _)| transaction.clone())
            .collect();
        let checked = check_all(&rest, self.ledger.registry(), thread_count()).ok()?;
        let mut checked = checked.into_iter();
        known.into_iter().map(|known| known.or_else(|| checked.next())).collect()
    }

    /// The blocks of a height that are kept and not decided.
    pub(super) fn told(&self, height: u64) -> Vec<Told> {
        if height != self.next().height {
            return Vec::new();
        }
        self.undecided.0.values().flat_map(|known| known.told.iter().cloned()).collect()
    }

    /// The bytes of one of them.
    pub(super) fn undecided_block(&self, value_id: &Hash) -> Option<Arc<[u8]>> {
        self.undecided.0.get(value_id).map(|known| Arc::clone(&known.pending.bytes))
    }

    /// Makes a decided block the last one: durable together with its certificate, then told.
    pub(super) fn decide(&mut self, certificate: Certificate) -> Result<(), NodeFailure> {
        let height = certificate.height;
        if height == self.ledger.tip().height {
            // The engine reads its log again after a crash; it was done then.
            return Ok(());
        }
        if !self.undecided.0.contains_key(&certificate.value_id) {
            // Too many were known at once; what was voted for is on the disk.
            self.know_kept(|id| *id == certificate.value_id)?;
        }
        let Some(known) = self.undecided.0.remove(&certificate.value_id) else {
            return Err(NodeFailure::UnknownBlock(height));
        };
        let validators = &self.ledger.tip().validators;
        let header = &known.pending.block.header;
        let checked = validators.verify_certificate(header, &certificate, &FastVerifier);
        checked.map_err(|error| {
            NodeFailure::Engine(format!(
                "block {height} was decided without a certificate: {error}"
            ))
        })?;
        let start = Instant::now();
        let stored = StoredBlock { block: known.pending.bytes.to_vec(), certificate };
        self.store.write().unwrap_or_else(PoisonError::into_inner).append(&stored)?;
        self.shared.counters.durable.note(start.elapsed());
        self.publish(known.pending, stored.certificate)?;
        self.undecided.0.clear();
        self.kept().forget_up_to(height)?;
        Ok(())
    }

    /// Decided blocks for somebody who catches up, from the first on as far as there are.
    pub(super) fn decisions(&self, first: u64, last: u64) -> Vec<(Vec<u8>, Certificate)> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let last = last.min(store.last_height());
        let blocks = (first.max(store.first_height())..=last).map_while(|height| {
            store.read_block(height).ok().map(|stored| (stored.block, stored.certificate))
        });
        // From another one on, the answer would have a gap.
        if first < store.first_height() { Vec::new() } else { blocks.collect() }
    }

    /// The first height that others can have from here.
    pub(super) fn first_height(&self) -> u64 {
        self.store.read().unwrap_or_else(PoisonError::into_inner).first_height()
    }
}

/// A transaction that another node passed on, when it is one and was not executed yet.
pub(super) fn take_passed_on(shared: &super::shared::Shared, bytes: &[u8]) {
    let Ok(transaction) = ledger::Transaction::decode(bytes) else { return };
    let content = &transaction.content;
    let view = shared.view();
    let used =
        ledger::kernel::idempotency::used(&view.state, content.author, content.idempotency_key);
    if used.is_none() {
        shared.mempool.offer_passed_on(transaction, bytes.len());
    }
}
