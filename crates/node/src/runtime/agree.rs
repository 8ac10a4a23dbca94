//! Blocks of the next height that several organisations propose: built, judged, kept and decided.
//!
//! A block of others is executed with its own time, all signatures checked, and must give exactly
//! its header. What this node proposes or finds right is durable before the engine hears of it.
//!
//! Block time is the proposer's. A block from the future of this node's clock is not voted for, so
//! that a clock that is wrong, or lies, moves the ledger's time by seconds only; the ledger itself
//! lets time neither go back nor jump. What more than two thirds decided is taken as it is.
//!
//! Invariant: nobody is told that a transaction expired before no block can have it any more (test
//! `nobody_is_told_that_it_expired_while_a_block_with_it_may_still_be_decided`).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use consensus::{
    Application as _, Equivocation, Origin, Proposal, Replica, Reply, Undecided, Verdict,
};
use ledger::VerifiedTransaction;
use ledger::kernel::block::{BLOCK_BYTES_MAX, TIME_JUMP_MILLIS_MAX};
use primitives::{Hash, OrganisationId, Timestamp, codec, sha256};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::cosign;
use proof::header::{Certificate, Header};
use proof::receipt::OutcomeCode;

use super::NodeFailure;
use super::accusations::Accusations;
use super::check::{check_all, thread_count};
use super::sequencer::{BLOCK_OVERHEAD_BYTES, BLOCK_TRANSACTIONS_MAX, Pending, Sequencer};
use super::shared::Shared;
use crate::cosign::{Compared, Cosigner, Roots};
use crate::mempool::{Candidate, Key};
use crate::signature::FastVerifier;
use crate::store::{Disk, KeptBlock, StoredBlock};
use crate::sync::serve::Giver;

/// How far ahead of this node's clock a block may be: what clocks that are set by the network
/// differ by at the worst, and little enough to be no matter for any deadline.
pub const CLOCK_AHEAD_MILLIS_MAX: u64 = 10_000;
/// How many blocks of one height are known at once. An honest network has one or two.
const UNDECIDED_MAX: usize = 24;
/// In how many rounds one block is remembered to have been proposed.
const ROUNDS_MAX: usize = 16;

/// By how much the time of a block may be ahead of this node's clock although the block was
/// proposed before: twice what a validator lets pass.
const CLOCKS_APART_MILLIS: u64 = 20_000;

/// What a node among others knows beyond the ledger.
pub(crate) struct Among<D: Disk> {
    own: OrganisationId,
    /// After how long without a block an empty one is made, which keeps block time near the clock.
    heartbeat: Duration,
    since: Instant,
    /// When this node became one of several, by its clock; or first did so without what its key
    /// had signed, as long as it watches.
    up: Timestamp,
    /// The blocks of the next height, by the hashes of their headers.
    known: BTreeMap<Hash, Known>,
    /// Cosigns the checkpoints of others.
    cosigner: Option<Cosigner>,
    /// The log as it was after the last blocks.
    roots: Roots,
    /// Tells newcomers what they begin with.
    giver: Giver<D>,
    /// Who signed two things at once, and what shows it.
    accusations: Accusations,
}

struct Known {
    pending: Pending,
    told: Vec<Undecided>,
    is_own: bool,
}

impl<D: Disk> Sequencer<D> {
    /// Becomes one of several, and finds the blocks again that were kept before the start.
    pub(super) fn join(
        &mut self,
        own: OrganisationId,
        (heartbeat, up): (Duration, Timestamp),
        cosigner: Option<Cosigner>,
        accusations: Accusations,
    ) -> Result<(), NodeFailure> {
        let (known, since) = (BTreeMap::new(), Instant::now());
        let mut roots = Roots::default();
        roots.note(&self.ledger.tip().log);
        let giver = Giver::new(Arc::clone(&self.shared), Arc::clone(&self.store));
        self.shared.note_accused(accusations.accused());
        self.among =
            Some(Among { own, heartbeat, since, up, known, cosigner, roots, giver, accusations });
        self.know_kept(|_| true)
    }

    /// Cosigns another node's checkpoint if this node's blocks give the same.
    fn cosigned(&self, question: &[u8]) -> Reply {
        let Ok(mut signed) = SignedCheckpoint::parse(question) else { return Reply::Never };
        let Some(Among { cosigner: Some(cosigner), roots, .. }) = &self.among else {
            return Reply::Never;
        };
        match roots.compare(signed.checkpoint()) {
            Compared::Same if cosigner.cosign(&mut signed, self.shared.clock.now()) => {
                Reply::Now(signed.encode().into_bytes())
            }
            Compared::Ahead => Reply::Later,
            Compared::Other => {
                let Checkpoint { origin, size, .. } = signed.checkpoint();
                tracing::error!(origin, size, "a node signed a log that is not of these blocks");
                Reply::Never
            }
            Compared::Same | Compared::Unknown => Reply::Never,
        }
    }

    fn known(&self) -> impl Iterator<Item = (&Hash, &Known)> {
        self.among.iter().flat_map(|among| &among.known)
    }

    fn find_known(&self, value_id: &Hash) -> Option<&Known> {
        self.among.as_ref()?.known.get(value_id)
    }

    /// Knows those blocks of the next height again that are on the disk and wanted.
    fn know_kept(&mut self, is_wanted: impl Fn(&Hash) -> bool) -> Result<(), NodeFailure> {
        for kept in self.kept().of(self.next().height)? {
            let KeptBlock { round, valid_round, proposer, block: bytes } = kept;
            let Ok(block) = codec::decode::<ledger::Block>(&bytes) else { continue };
            let value_id = block.header.value_id();
            if self.find_known(&value_id).is_some() || !is_wanted(&value_id) {
                continue;
            }
            // Its time was looked at when it was kept.
            let origin = Origin { round, valid_round, proposer, is_decided: true };
            match self.execute_foreign(block, &bytes, true) {
                Ok(pending) => self.know(value_id, pending, origin),
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

    /// Keeps a block durably, and knows it from now on.
    fn keep(
        &mut self,
        value_id: Hash,
        pending: Pending,
        origin: Origin,
    ) -> Result<(), NodeFailure> {
        let Origin { round, valid_round, proposer, .. } = origin;
        let block = pending.bytes.to_vec();
        let kept = KeptBlock { round, valid_round, proposer, block };
        self.kept().keep(pending.block.header.height, &value_id, &kept)?;
        self.know(value_id, pending, origin);
        Ok(())
    }

    fn know(&mut self, value_id: Hash, pending: Pending, origin: Origin) {
        let Some(Among { own, known, .. }) = &mut self.among else { return };
        if known.len() >= UNDECIDED_MAX {
            // The one of the earliest round; it stays on the disk.
            let oldest = known.iter().filter(|(_, known)| !known.is_own);
            let round = |known: &Known| known.told.iter().map(|told| told.round).max();
            let oldest = oldest.min_by_key(|(_, known)| round(known)).map(|(id, _)| *id);
            oldest.and_then(|id| known.remove(&id));
        }
        let Origin { round, valid_round, proposer, .. } = origin;
        let is_own = proposer == *own;
        let told = vec![Undecided { round, valid_round, proposer, value_id }];
        known.insert(value_id, Known { pending, told, is_own });
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

    /// Whether it is too late for a transaction by this node's clock, and not by the ledger's.
    ///
    /// A block that is under way may still have it, so nobody may be told yet that it expired. The
    /// next block moves the ledger's time on, with or without it.
    fn is_undecidedly_late(&self, candidate: &Candidate, now: Timestamp) -> bool {
        let until = candidate.verified.content().valid_until;
        until < now && until >= self.ledger.tip().time
    }

    /// Makes a decided block the last one: durable together with its certificate, then told.
    pub(super) fn decide(
        &mut self,
        proposal: &Proposal,
        certificate: Certificate,
    ) -> Result<(), NodeFailure> {
        let (height, value_id) = (proposal.header.height, proposal.header.value_id());
        let known = self.among.as_mut().and_then(|among| among.known.remove(&value_id));
        let pending = known.map(|known| known.pending).ok_or(NodeFailure::UnknownBlock(height))?;
        let validators = &self.ledger.tip().validators;
        let header = &pending.block.header;
        let checked = validators.verify_certificate(header, &certificate, &FastVerifier);
        checked.map_err(|error| {
            NodeFailure::Engine(format!(
                "block {height} was decided without a certificate: {error}"
            ))
        })?;
        let start = Instant::now();
        let stored = StoredBlock { block: pending.bytes.to_vec(), certificate };
        self.store.write().unwrap_or_else(PoisonError::into_inner).append(&stored)?;
        self.shared.counters.durable.note(start.elapsed());
        let records = pending.outcome.receipts.iter().map(|receipt| &receipt.record);
        let rejected = records.filter(|record| record.outcome != OutcomeCode::Accepted);
        self.shared.mempool.note_rejected(rejected.map(|record| record.transaction_id));
        self.publish(pending, stored.certificate)?;
        if let Some(among) = &mut self.among {
            among.known.clear();
            among.since = Instant::now();
            among.roots.note(&self.ledger.tip().log);
        }
        self.kept().forget_up_to(height)?;
        Ok(())
    }
}

impl<D: Disk> Replica for Sequencer<D> {
    /// What cannot be tried is answered.
    fn has_work(&mut self) -> bool {
        let is_quiet = |among: &Among<D>| among.since.elapsed() >= among.heartbeat;
        if self.among.as_ref().is_some_and(is_quiet) {
            return true;
        }
        let mempool = &self.shared.mempool;
        let now = self.shared.clock.now();
        loop {
            let batch = mempool.peek(1, BLOCK_BYTES_MAX);
            let Some(first) = batch.first() else { return false };
            if self.is_undecidedly_late(first, now) || !self.admit(now, batch).is_empty() {
                return true;
            }
        }
    }

    fn has_moved_on(&self) -> bool {
        let up = self.among.as_ref().map(|among| among.up);
        up.is_some_and(|up| self.ledger.tip().time > up.plus_millis(CLOCKS_APART_MILLIS))
    }

    fn propose_in_turn(&mut self, round: u32) -> Result<Proposal, NodeFailure> {
        if let Some((_, known)) = self.known().find(|(_, known)| known.is_own) {
            return Ok(known.pending.proposal());
        }
        let now = self.shared.clock.now();
        let has_to_catch_up = now > self.ledger.tip().time.plus_millis(TIME_JUMP_MILLIS_MAX);
        let batch = if has_to_catch_up {
            Vec::new()
        } else {
            let bytes_max = BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES;
            let mut batch = self.shared.mempool.peek(BLOCK_TRANSACTIONS_MAX, bytes_max);
            batch.retain(|one| !self.is_undecidedly_late(one, now));
            self.admit(now, batch)
        };
        let pending = self.execute(now, batch);
        let proposal = pending.proposal();
        let proposer = self.among.as_ref().map(|among| among.own).ok_or(NodeFailure::Stopped)?;
        let origin = Origin { round, valid_round: None, proposer, is_decided: false };
        self.keep(proposal.header.value_id(), pending, origin)?;
        Ok(proposal)
    }

    fn header_of(&self, block: &[u8]) -> Option<Header> {
        codec::decode::<ledger::Block>(block).ok().map(|block| block.header)
    }

    fn judge(&mut self, origin: Origin, bytes: &[u8]) -> Result<Verdict, NodeFailure> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Ok(Verdict::Unreadable);
        }
        let Ok(block) = codec::decode::<ledger::Block>(bytes) else {
            return Ok(Verdict::Unreadable);
        };
        let (height, value_id) = (block.header.height, block.header.value_id());
        if height != self.next().height {
            return Ok(Verdict::Unreadable);
        }
        let Origin { round, valid_round, proposer, is_decided } = origin;
        if let Some(known) = self.among.as_mut().and_then(|among| among.known.get_mut(&value_id)) {
            if *known.pending.bytes != *bytes {
                // The same header over other transactions.
                return Ok(Verdict::Invalid(value_id));
            }
            let told = Undecided { round, valid_round, proposer, value_id };
            if known.told.len() < ROUNDS_MAX && !known.told.contains(&told) {
                known.told.push(told);
            }
            return Ok(Verdict::Valid(value_id));
        }
        match self.execute_foreign(block, bytes, is_decided) {
            Ok(pending) => {
                self.keep(value_id, pending, origin)?;
                Ok(Verdict::Valid(value_id))
            }
            Err(reason) => {
                tracing::warn!(height, round, %proposer, reason, "a block of others is not right");
                Ok(Verdict::Invalid(value_id))
            }
        }
    }

    fn undecided(&self) -> Vec<Undecided> {
        self.known().flat_map(|(_, known)| known.told.iter().cloned()).collect()
    }

    fn undecided_block(&mut self, value_id: &Hash) -> Result<Option<Proposal>, NodeFailure> {
        if self.find_known(value_id).is_none() {
            // Too many were known at once; what was voted for is on the disk.
            self.know_kept(|id| id == value_id)?;
        }
        Ok(self.find_known(value_id).map(|known| known.pending.proposal()))
    }

    fn decisions(&self, first: u64, count: usize) -> Vec<(Vec<u8>, Certificate)> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        if first < store.first_height() {
            // From another one on, the answer would have a gap.
            return Vec::new();
        }
        let blocks = (first..=store.last_height()).take(count).map_while(|height| {
            store.read_block(height).ok().map(|stored| (stored.block, stored.certificate))
        });
        blocks.collect()
    }

    fn take(&mut self, transactions: Vec<Vec<u8>>) {
        for bytes in transactions {
            take_passed_on(&self.shared, &bytes);
        }
    }

    fn question(&mut self) -> Option<Vec<u8>> {
        let Shared { cosignatures, receipt_log, chain_id, clock, .. } = &*self.shared;
        if !cosignatures.take_wanted() {
            return None;
        }
        // Where it cannot be signed now, whoever waits asks again.
        let mut signed = receipt_log.checkpoint(self.ledger.tip()).ok()?;
        let question = signed.encode().into_bytes();
        if let Some(cosigner) = self.among.as_ref().and_then(|among| among.cosigner.as_ref()) {
            cosigner.cosign(&mut signed, clock.now());
        }
        cosignatures.ask(signed, &cosign::cosigners(*chain_id, &self.ledger.tip().validators));
        Some(question)
    }

    fn reply(&mut self, question: &[u8]) -> Reply {
        self.cosigned(question)
    }

    fn replied(&mut self, reply: &[u8]) {
        if let Ok(answer) = SignedCheckpoint::parse(reply) {
            let Shared { cosignatures, chain_id, .. } = &*self.shared;
            cosignatures.take(&answer, *chain_id, &self.ledger.tip().validators);
        }
    }

    fn answer(&mut self, question: &[u8]) -> Option<Vec<u8>> {
        self.among.as_mut()?.giver.answer(question)
    }

    fn accuse(&mut self, equivocations: &[Equivocation]) {
        for Equivocation { organisation, height, .. } in equivocations {
            tracing::error!(height, %organisation, "a validator signed two things at once");
        }
        if let Some(among) = &mut self.among {
            among.accusations.note(equivocations);
            self.shared.note_accused(among.accusations.accused());
        }
    }
}

/// A transaction that another node passed on, when it is one and no block has had it yet.
///
/// What a block rejected is known from its receipt: words for a node that was down wait for it, and
/// must not make happen long afterwards what its sender was told did not.
fn take_passed_on(shared: &Shared, bytes: &[u8]) {
    let Ok(transaction) = ledger::Transaction::decode(bytes) else { return };
    let digest = sha256(bytes);
    if shared.mempool.has(&transaction, &digest) {
        return;
    }
    let content = &transaction.content;
    let view = shared.view();
    let used =
        ledger::kernel::idempotency::used(&view.state, content.author, content.idempotency_key);
    if used.is_none() && matches!(shared.receipt_by_transaction(&content.id()), Ok(None)) {
        shared.mempool.offer_passed_on(transaction, bytes.len(), digest);
    }
}
