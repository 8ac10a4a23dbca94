//! The gateway's [`Chain`] on a light node: each answer of a peer is judged here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Builder;

use gateway::port::{
    Answer as Submission, Chain, Committed, IndexedReceipt, Order, PortError, Rehearsal,
    SignedHeader, SubmitError, Trouble, View,
};
use ledger::kernel::block::After;
use ledger::modules::visit::{self, SettlementRecord, VisitRow};
use ledger::{Registry, Transaction};
use primitives::key::{self, WebAuthnContext};
use primitives::{Hash, Party, PublicKey, Signature, SignatureError, Verifier, VisitId};
use proof::checkpoint::SignedCheckpoint;
use proof::cosign::verify_voucher;
use proof::header::{ChainId, ValidatorSet};
use proof::note::NoteKey;
use proof::policy::Policy;
use proof::receipt::FieldName;
use proof::tile::Tile;
use proof::voucher::{VerifiedVoucher, Voucher};

use crate::node::{Inner, LATER, LightNode, RETRY_MAX, SUBMISSIONS_MAX, failed, lock, no_answer};
use crate::peers::Judged;
use crate::question::{Answer, Place, Question, RECEIPTS_MAX};

impl<V: Verifier + Send + Sync + 'static> Chain for LightNode<V> {
    fn chain_id(&self) -> ChainId {
        self.0.inner.chain_id
    }

    fn registry(&self) -> &Registry {
        &self.0.inner.registry
    }

    fn view(&self) -> Arc<View> {
        Arc::new(self.0.inner.view())
    }

    fn verify_signature(
        &self,
        key: &PublicKey,
        message: &Hash,
        signature: &Signature,
    ) -> Result<Option<WebAuthnContext>, SignatureError> {
        key::verify(&self.0.inner.verifier, key, message, signature)
    }

    fn submit(&self, transaction: Transaction, answer: Submission) {
        let inner = Arc::clone(&self.0.inner);
        if let Err(error) = transaction.clone().verify(&inner.verifier, &inner.registry) {
            return answer(Err(SubmitError::Invalid(error)));
        }
        if inner.submissions.fetch_add(1, Ordering::AcqRel) >= SUBMISSIONS_MAX {
            inner.submissions.fetch_sub(1, Ordering::AcqRel);
            return answer(Err(SubmitError::Overloaded { retry_after: LATER }));
        }
        let here = Arc::clone(&inner);
        let (sender, receiver) = std::sync::mpsc::channel::<Submission>();
        let thread = Builder::new().name("yibao-light-submit".to_owned()).spawn(move || {
            let result = here.submit(transaction);
            here.submissions.fetch_sub(1, Ordering::AcqRel);
            if let Ok(answer) = receiver.recv() {
                answer(result);
            }
        });
        match thread {
            // It waits for whom to answer.
            Ok(_) => drop(sender.send(answer)),
            Err(_) => {
                inner.submissions.fetch_sub(1, Ordering::AcqRel);
                answer(Err(SubmitError::Overloaded { retry_after: LATER }));
            }
        }
    }

    fn rehearse(&self, transaction: Transaction) -> Result<Rehearsal, SubmitError> {
        let inner = &self.0.inner;
        let verified = transaction.clone().verify(&inner.verifier, &inner.registry);
        let verified = verified.map_err(SubmitError::Invalid)?;
        let view = inner.view();
        let head = &view.tip;
        let after = After { height: head.height, time: head.time, validators: &head.validators };
        let rehearsed = inner
            .with_rules(|rules| rules.rehearse(view.rows(), after, inner.clock.now(), &verified));
        match view.state.trouble() {
            None => {
                let (outcome, entries) = rehearsed.map_err(SubmitError::Rejected)?;
                Ok(Rehearsal { outcome, entries })
            }
            // It needs rows that are not for this organisation: who has them says what would come
            // of it. When it is submitted, the validators decide anyway.
            Some(Trouble::NotShown) => {
                let judge = |answer| match answer {
                    Answer::Rehearsed(Ok(done)) => Judged::True(Ok(*done)),
                    Answer::Rehearsed(Err(refused)) => Judged::True(Err(refused)),
                    answer => no_answer(answer),
                };
                let question = Question::Rehearse(Box::new(transaction));
                let asked = inner.peers.ask(&question, judge);
                let later = |_| SubmitError::Overloaded { retry_after: LATER };
                let done = asked.map_err(later)?.map_err(|refused| inner.refused(refused))?;
                Ok(Rehearsal { outcome: done.0, entries: done.1 })
            }
            Some(Trouble::Unreachable(reason)) => {
                tracing::warn!(reason, "a transaction is not rehearsed");
                Err(SubmitError::Overloaded { retry_after: LATER })
            }
        }
    }

    fn receipt(&self, index: u64) -> Result<Option<IndexedReceipt>, PortError> {
        self.0.inner.receipt(Place::Index(index))
    }

    fn receipt_of_transaction(&self, id: Hash) -> Result<Option<IndexedReceipt>, PortError> {
        self.0.inner.receipt(Place::Transaction(id))
    }

    fn receipts_of(
        &self,
        party: Party,
        order: Order,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<IndexedReceipt>, PortError> {
        let inner = &self.0.inner;
        let Some(header) = inner.present().header else { return Ok(Vec::new()) };
        let size = header.receipt_log_size;
        let newest_first = order == Order::NewestFirst;
        let mut page: Vec<IndexedReceipt> = Vec::new();
        while page.len() < limit {
            let after = page.last().map(|last| last.index).or(after);
            let missing = u32::try_from(limit - page.len()).unwrap_or(u32::MAX).min(RECEIPTS_MAX);
            let question = Question::Receipts { party, newest_first, after, limit: missing, size };
            let judge = |answer| match answer {
                Answer::Receipts(proven) => {
                    let mut before = after;
                    let in_order = proven.iter().all(|one| {
                        let last = before.replace(one.index);
                        order.is_behind(one.index, last)
                    });
                    if !in_order || proven.len() > limit {
                        return Judged::Lie("its list has another order".to_owned());
                    }
                    inner.judge_receipts(&header, proven)
                }
                answer => no_answer(answer),
            };
            let found = inner.peers.ask(&question, judge).map_err(failed)?;
            let is_last = found.len() < usize::try_from(missing).unwrap_or(usize::MAX);
            page.extend(found);
            if is_last {
                break;
            }
        }
        Ok(page)
    }

    fn issue_voucher(
        &self,
        transaction_id: Hash,
        shown: Option<&[FieldName]>,
    ) -> Result<Option<Voucher>, PortError> {
        let judge = |answer| match answer {
            Answer::Voucher(None) => Judged::True(None),
            Answer::Voucher(Some(text)) => match Voucher::decode(text.as_bytes()) {
                Ok(voucher) => match self.verify_voucher(&voucher) {
                    Some(proved) if proved.record.transaction_id == transaction_id => {
                        Judged::True(Some(voucher))
                    }
                    _ => Judged::Lie("its voucher proves nothing".to_owned()),
                },
                Err(error) => Judged::Lie(error.to_string()),
            },
            answer => no_answer(answer),
        };
        let question = Question::Voucher { transaction_id, shown: shown.map(<[_]>::to_vec) };
        self.0.inner.peers.ask(&question, judge).map_err(failed)
    }

    fn verify_voucher(&self, voucher: &Voucher) -> Option<VerifiedVoucher> {
        let inner = &self.0.inner;
        let validators = inner.present().head.validators;
        let present = (&self.log_key()?, inner.chain_id, &validators);
        verify_voucher(voucher, present, &inner.policies, &inner.verifier)
    }

    fn log_key(&self) -> Option<NoteKey> {
        let logs = self.0.inner.policies.iter().flat_map(Policy::logs);
        logs.map(|log| log.key.clone()).next()
    }

    fn checkpoint(&self) -> Result<Option<String>, PortError> {
        let inner = &self.0.inner;
        let judge = |answer| match answer {
            Answer::Checkpoint(None) => Judged::True(None),
            Answer::Checkpoint(Some(text)) => match SignedCheckpoint::parse(text.as_bytes()) {
                Ok(signed) => {
                    let fits = |policy: &Policy| policy.check(&signed, &inner.verifier).is_ok();
                    if inner.policies.iter().any(fits) {
                        Judged::True(Some(text))
                    } else {
                        Judged::Lie("its checkpoint is not signed as agreed".to_owned())
                    }
                }
                Err(error) => Judged::Lie(error.to_string()),
            },
            answer => no_answer(answer),
        };
        inner.peers.ask(&Question::Checkpoint, judge).map_err(failed)
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PortError> {
        let judge = |answer| match answer {
            Answer::Tile(None) => Judged::True(None),
            Answer::Tile(Some(bytes)) => match tile.decode(&bytes) {
                Ok(_) => Judged::True(Some(bytes)),
                Err(error) => Judged::Lie(error.to_string()),
            },
            answer => no_answer(answer),
        };
        self.0.inner.peers.ask(&Question::Tile(tile.path()), judge).map_err(failed)
    }

    fn header(&self, height: u64) -> Result<Option<SignedHeader>, PortError> {
        let inner = &self.0.inner;
        let known = lock(&inner.headers).value_id(height);
        let Some(known) = known else { return Ok(None) };
        let judge = |answer| match answer {
            Answer::Headers(headers) => match headers.into_iter().next() {
                Some(one) if one.header.value_id() == known => Judged::True(Some(SignedHeader {
                    header: one.header,
                    certificate: Some(one.certificate),
                })),
                Some(_) => Judged::Lie(format!("its header {height} is another")),
                None => Judged::True(None),
            },
            answer => no_answer(answer),
        };
        let question = Question::Headers { from: height, wait: false };
        inner.peers.ask(&question, judge).map_err(failed)
    }

    fn subscribe(&self) -> Committed {
        let inner = Arc::clone(&self.0.inner);
        let next = inner.present().head.receipts;
        Box::new(Receipts { inner, next, waiting: Vec::new() })
    }

    fn validators(&self, hash: Hash) -> Result<Option<ValidatorSet>, PortError> {
        let present = self.0.inner.present();
        if present.head.validators.hash() == hash {
            return Ok(Some(present.head.validators));
        }
        self.0.inner.named(hash).map_err(PortError::Unreachable)
    }

    fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, PortError> {
        let inner = &self.0.inner;
        let view = inner.view();
        let row = visit::view::visit(view.rows(), visit);
        let settled = match (view.state.trouble(), row) {
            (Some(Trouble::NotShown), _)
            | (None, None | Some(VisitRow::Open(_) | VisitRow::Cancelled)) => {
                return Ok(None);
            }
            (Some(Trouble::Unreachable(reason)), _) => return Err(PortError::Unreachable(reason)),
            (None, Some(VisitRow::Settled(settled))) => settled,
        };
        let judge = |answer| match answer {
            Answer::Settlement(Some(record)) if record.hash() == settled.record => {
                Judged::True(Some(*record))
            }
            Answer::Settlement(Some(_)) => {
                Judged::Failed("its record is an older or newer one".to_owned())
            }
            Answer::Settlement(None) => Judged::True(None),
            answer => no_answer(answer),
        };
        inner.peers.ask(&Question::Settlement(visit), judge).map_err(failed)
    }
}

/// Receipts as they come.
struct Receipts<V> {
    inner: Arc<Inner<V>>,
    /// The place that is looked at next.
    next: u64,
    /// What was read and not given yet, last first.
    waiting: Vec<IndexedReceipt>,
}

impl<V: Verifier + Send + Sync + 'static> Iterator for Receipts<V> {
    type Item = IndexedReceipt;

    fn next(&mut self) -> Option<IndexedReceipt> {
        while self.waiting.is_empty() {
            let inner = &self.inner;
            let guard = lock(&inner.waiting);
            let asleep =
                |_: &mut ()| !inner.is_over() && inner.present().head.receipts <= self.next;
            drop(inner.came.wait_while(guard, asleep));
            if inner.is_over() {
                return None;
            }
            match inner.log(self.next) {
                Ok((receipts, next)) => {
                    self.waiting = receipts;
                    self.waiting.reverse();
                    self.next = next;
                }
                Err(error) => {
                    tracing::warn!(%error, "live receipts wait");
                    inner.pause(RETRY_MAX);
                }
            }
        }
        self.waiting.pop()
    }
}
