//! The other side: what a full node tells the light node of an organisation.
//!
//! Who may read which row and receipt, the ledger says ([`ledger::readers`]). Rows are told of the
//! newest states only: each time that headers are told, the state behind them is kept for a while.
//!
//! Invariant: an organisation is told nothing that its rules do not allow (test
//! `a_hospital_is_told_what_concerns_it_and_nothing_else`).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use gateway::port::{Chain, IndexedReceipt, Order, PortError, SubmitError, View};
use ledger::readers::{self, Reader};
use primitives::{Hash, OrganisationId, Party};
use proof::log::prove_inclusion;
use proof::tile::{Tile, TiledNodes, Tiles};

use crate::question::{
    Answer, CertifiedHeader, Done, HEADERS_MAX, Place, ProvenReceipt, Question, RECEIPTS_MAX,
    ROWS_MAX, Refused, RowAnswer, RowQuestion,
};

/// How many states are kept for those who were told of them.
const STATES_MAX: usize = 256;
/// How long a question waits for the next block.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many places of the log are looked at for one answer.
const LOOKED_AT_MAX: u64 = 2_000;

/// Answers light nodes out of a full one.
pub struct Service {
    chain: Arc<dyn Chain>,
    told: Mutex<VecDeque<Arc<View>>>,
    watch: Arc<Watch>,
}

/// Wakes those who wait for the next block.
#[derive(Default)]
struct Watch {
    state: Mutex<Watched>,
    came: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Watched {
    /// Counts what came.
    count: u64,
    is_over: bool,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Watched)) {
        change(&mut self.lock());
        self.came.notify_all();
    }
}

impl Service {
    /// The service of this chain. A thread watches what is committed for as long as the chain runs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(chain: Arc<dyn Chain>) -> std::io::Result<Self> {
        let watch = Arc::new(Watch::default());
        let (committed, watcher) = (chain.subscribe(), Arc::clone(&watch));
        Builder::new().name("yibao-light-watch".to_owned()).spawn(move || {
            committed
                .for_each(|_| watcher.change(|state| state.count = state.count.wrapping_add(1)));
            watcher.change(|state| state.is_over = true);
        })?;
        Ok(Self { chain, told: Mutex::default(), watch })
    }

    /// The chain that it answers out of.
    #[must_use]
    pub fn chain(&self) -> &Arc<dyn Chain> {
        &self.chain
    }

    /// The answer to a question of this organisation, which has proved that it is the one.
    #[must_use]
    pub fn answer(&self, organisation: OrganisationId, question: Question) -> Answer {
        let asker = Asker { service: self, organisation };
        asker.answer(question).unwrap_or_else(|error| Answer::Failed(error.to_string()))
    }

    /// The present view, kept for a while.
    fn tell(&self) -> Arc<View> {
        let view = self.chain.view();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.back().is_none_or(|last| last.tip.height < view.tip.height);
        if is_new {
            told.push_back(Arc::clone(&view));
        }
        while told.len() > STATES_MAX {
            told.pop_front();
        }
        view
    }

    /// The view after the block of this height, if it is kept.
    fn told(&self, height: u64) -> Option<Arc<View>> {
        let present = self.chain.view();
        if present.tip.height == height {
            return Some(present);
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().find(|view| view.tip.height == height).cloned()
    }

    fn headers(&self, from: u64, wait: bool) -> Result<Answer, PortError> {
        let before = self.watch.lock().count;
        let mut view = self.tell();
        if wait && view.tip.height < from {
            let watch = self.watch.lock();
            let asleep = |watch: &mut Watched| watch.count == before && !watch.is_over;
            let waited = self.watch.came.wait_timeout_while(watch, PATIENCE, asleep);
            drop(waited);
            view = self.tell();
        }
        let mut headers = Vec::new();
        for height in (from..=view.tip.height).take(HEADERS_MAX) {
            let Some(signed) = self.chain.header(height)? else { break };
            let Some(certificate) = signed.certificate else { break };
            headers.push(CertifiedHeader { header: signed.header, certificate });
        }
        Ok(Answer::Headers(headers))
    }

    fn proven(
        &self,
        placed: IndexedReceipt,
        size: u64,
        tell: impl FnOnce(&ledger::Receipt) -> Option<ledger::Receipt>,
    ) -> Result<Option<ProvenReceipt>, PortError> {
        if placed.index >= size || size > self.chain.view().tip.receipts {
            return Ok(None);
        }
        let Some(receipt) = tell(&placed.receipt) else { return Ok(None) };
        let tiles = ChainTiles(&*self.chain);
        let path = prove_inclusion(&TiledNodes::new(&tiles, size), placed.index, size);
        let path = path.map_err(|error| PortError::Failed(format!("{error:?}")))?;
        Ok(Some(ProvenReceipt { index: placed.index, receipt, path }))
    }
}

/// The tiles of the log, as the chain gives them.
struct ChainTiles<'a>(&'a dyn Chain);

impl Tiles for ChainTiles<'_> {
    type Error = String;

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, String> {
        let bytes = self.0.tile(tile).map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("there is no tile {}", tile.path()))?;
        tile.decode(&bytes).map_err(|error| error.to_string())
    }
}

/// An organisation that asks.
struct Asker<'a> {
    service: &'a Service,
    organisation: OrganisationId,
}

impl Asker<'_> {
    fn answer(&self, question: Question) -> Result<Answer, PortError> {
        let chain = &*self.service.chain;
        Ok(match question {
            Question::Headers { from, wait } => self.service.headers(from, wait)?,
            Question::Validators(hash) => Answer::Validators(chain.validators(hash)?),
            Question::Rows { height, rows } => self.rows(height, &rows),
            Question::Receipt { place, size } => {
                let found = match place {
                    Place::Index(index) => chain.receipt(index)?,
                    Place::Transaction(id) => chain.receipt_of_transaction(id)?,
                };
                let proven = found.map(|found| self.proven(found, size)).transpose()?;
                Answer::Receipt(proven.flatten().map(Box::new))
            }
            Question::Receipts { party, newest_first, after, limit, size } => {
                let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
                if party != self.party() && !self.sees_all() {
                    return Ok(Answer::NotYours);
                }
                let limit = usize::try_from(limit.min(RECEIPTS_MAX)).unwrap_or(0);
                // Newer ones than the asker believes would take the places of those it asks for.
                let after = match order {
                    Order::OldestFirst => after,
                    Order::NewestFirst => Some(after.unwrap_or(size).min(size)),
                };
                let found = chain.receipts_of(party, order, after, limit)?;
                Answer::Receipts(self.all_proven(found, size)?)
            }
            Question::Log { from, size } => self.log(from, size)?,
            Question::Settlement(visit) => {
                let view = chain.view();
                let record = chain.settlement(visit)?.filter(|record| {
                    let may_see = ledger::modules::visit::view::may_see;
                    self.sees_all() || may_see(view.rows(), &record.subject, self.party())
                });
                Answer::Settlement(record.map(Box::new))
            }
            Question::Voucher { transaction_id, shown } => {
                let found = chain.receipt_of_transaction(transaction_id)?;
                let is_shown = found.is_some_and(|found| self.told(&found.receipt).is_some());
                let voucher = match is_shown {
                    true => chain.issue_voucher(transaction_id, shown.as_deref())?,
                    false => None,
                };
                Answer::Voucher(voucher.map(|voucher| voucher.encode()))
            }
            Question::Checkpoint => Answer::Checkpoint(chain.checkpoint()?),
            Question::Tile(path) => match Tile::from_path(&path) {
                Ok(tile) => Answer::Tile(chain.tile(tile)?),
                Err(error) => Answer::Failed(error.to_string()),
            },
            Question::Submit(transaction) => Answer::Submitted(self.submit(*transaction)),
            Question::Rehearse(transaction) => {
                let view = chain.view();
                let rehearsed = chain.rehearse(*transaction).map_err(refused).map(|done| {
                    let entries = if self.sees_all() {
                        done.entries
                    } else {
                        readers::entries_for(view.rows(), self.organisation, done.entries)
                    };
                    Box::new((done.outcome, entries))
                });
                Answer::Rehearsed(rehearsed)
            }
        })
    }

    const fn party(&self) -> Party {
        Party::Organisation(self.organisation)
    }

    fn sees_all(&self) -> bool {
        readers::sees_all(self.service.chain.view().rows(), self.organisation)
    }

    /// What the organisation may know of a receipt.
    fn told(&self, receipt: &ledger::Receipt) -> Option<ledger::Receipt> {
        if self.sees_all() {
            return Some(receipt.clone());
        }
        readers::receipt_for(self.service.chain.view().rows(), self.party(), receipt)
    }

    fn rows(&self, height: u64, rows: &[RowQuestion]) -> Answer {
        if rows.len() > ROWS_MAX {
            return Answer::Failed(format!("at most {ROWS_MAX} rows at once"));
        }
        let Some(view) = self.service.told(height) else { return Answer::Gone };
        let state = view.rows();
        let record_of = |visit| self.service.chain.settlement(visit).ok().flatten();
        let answer = |asked: &RowQuestion| {
            let organisation = self.organisation;
            let reader = Reader { organisation, visit: asked.visit, record_of: &record_of };
            if !reader.may_read(state, &asked.key) {
                return RowAnswer::NotYours;
            }
            match state.prove(&asked.key) {
                Some(proof) => RowAnswer::Row(state.read(&asked.key).map(<[u8]>::to_vec), proof),
                None => RowAnswer::NotYours,
            }
        };
        Answer::Rows(rows.iter().map(answer).collect())
    }

    fn proven(&self, found: IndexedReceipt, size: u64) -> Result<Option<ProvenReceipt>, PortError> {
        self.service.proven(found, size, |receipt| self.told(receipt))
    }

    fn all_proven(
        &self,
        found: Vec<IndexedReceipt>,
        size: u64,
    ) -> Result<Vec<ProvenReceipt>, PortError> {
        let proven = found.into_iter().map(|one| self.proven(one, size));
        proven.filter_map(Result::transpose).collect()
    }

    fn log(&self, from: u64, size: u64) -> Result<Answer, PortError> {
        let chain = &*self.service.chain;
        let limit = usize::try_from(RECEIPTS_MAX).unwrap_or(0);
        if !self.sees_all() {
            let after = from.checked_sub(1);
            let found = chain.receipts_of(self.party(), Order::OldestFirst, after, limit)?;
            let is_all = found.len() < limit;
            let next = found.last().map_or(from, |last| last.index.saturating_add(1));
            let proven = self.all_proven(found, size)?;
            return Ok(Answer::Log(proven, if is_all { size.max(next) } else { next }));
        }
        let mut proven = Vec::new();
        let mut next = from;
        while next < size && proven.len() < limit && next < from.saturating_add(LOOKED_AT_MAX) {
            let Some(found) = chain.receipt(next)? else { break };
            proven.extend(self.proven(found, size)?);
            next = next.saturating_add(1);
        }
        Ok(Answer::Log(proven, next))
    }

    fn submit(&self, transaction: ledger::Transaction) -> Result<Done, Refused> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let answer = move |result| {
            // The asker waits below until the answer comes.
            let _ = sender.send(result);
        };
        self.service.chain.submit(transaction, Box::new(answer));
        let submitted = receiver.recv().unwrap_or(Err(SubmitError::Unknown)).map_err(refused)?;
        Ok(Done {
            index: submitted.receipt.index,
            height: submitted.receipt.receipt.record.height,
            is_duplicate: submitted.is_duplicate,
        })
    }
}

fn refused(error: SubmitError) -> Refused {
    match error {
        SubmitError::Invalid(error) => Refused::Invalid(error.to_string()),
        SubmitError::Rejected(rejection) => {
            Refused::Rejected(rejection.code.number, rejection.detail)
        }
        SubmitError::InProgress => Refused::InProgress,
        SubmitError::Overloaded { retry_after } => {
            Refused::Overloaded(u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX))
        }
        SubmitError::Unknown => Refused::Unknown,
        SubmitError::Stopped => Refused::Stopped,
    }
}
