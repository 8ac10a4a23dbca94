//! The steps of the outbox: take effects, drive them, tell the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use adapters::clock::Clock;
use adapters::effect::{
    Effect as RailEffect, EffectState, Executor, ExecutorError, OutboxRecord, OutboxStore,
    RailName, SqliteOutbox,
};
use adapters::rail::{Rail, Reference, Token, Verdict};
use adapters::sqlite::{Place, StoreError};
use ledger::Effect;
use primitives::{Amount, Hash, OrganisationId};
use proof::receipt::OutcomeCode;

use super::book::{Book, BookError, FinalEffect, OpenEffect, OpenReason, Planned};
use super::confirm::Confirmer;
use super::plan::{Known, Plan, Stuck, plan};
use super::{Authorisation, Word, refusal_code};
use crate::history::HistoryError;
use crate::runtime::{NodeHandle, SubmitError, SubmitResult, SubscriptionEnd};
use crate::signature::SecretKey;

/// How many effects one step handles at each station. Our own limit.
const AT_ONCE: u32 = 256;
/// When to look again at an effect that cannot be driven, in milliseconds.
const STUCK_MILLISECONDS: u64 = 60_000;
/// When to tell the ledger again after it did not take a word, in milliseconds.
const TELL_AGAIN_MILLISECONDS: u64 = 5_000;
/// How long a confirmation is valid, in milliseconds: within the ledger's seven days.
const VALIDITY_MILLISECONDS: u64 = 24 * 3_600 * 1_000;
/// How long the thread sleeps when nothing happens on the ledger.
const PAUSE: Duration = Duration::from_millis(500);

/// One organisation's outbox.
pub struct OutboxConfig {
    /// Whose effects are executed.
    pub organisation: OrganisationId,
    /// Its book of effects.
    pub book: Place,
    /// The executor's own outbox.
    pub outbox: Place,
    /// Its rails, by the names that settlements call them.
    pub rails: BTreeMap<RailName, Arc<dyn Rail>>,
    /// The rails that pay back only by a clerk's hand ([`Outbox::hand_out`]).
    pub clerk_rails: BTreeSet<RailName>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The organisation's key with scope `execute`.
    pub key: SecretKey,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Effects taken from receipts.
    pub taken: usize,
    /// Effects that rails were told.
    pub ordered: usize,
    /// Effects that got their final word.
    pub finished: usize,
    /// Words that the ledger has now.
    pub told: usize,
}

/// Why a step ended early. Nothing is lost: the next step goes on.
#[derive(Debug, thiserror::Error)]
pub enum OutboxFailure {
    /// The book of effects failed.
    #[error(transparent)]
    Book(#[from] BookError),
    /// A database could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The executor's outbox failed.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The history failed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The thread could not be started.
    #[error("the outbox thread cannot be started: {0}")]
    Thread(std::io::Error),
}

/// Executes an organisation's effects. Any number of threads may ask; one of them steps.
pub struct Outbox {
    node: NodeHandle,
    organisation: OrganisationId,
    book: Book,
    executor: Executor,
    rails: BTreeSet<RailName>,
    clerk_rails: BTreeSet<RailName>,
    clock: Arc<dyn Clock>,
    confirmer: Confirmer,
    stepping: Mutex<()>,
}

impl Outbox {
    /// Opens the outbox; after a crash it goes on where it was.
    ///
    /// # Errors
    /// When one of its books cannot be opened.
    pub fn open(node: NodeHandle, config: OutboxConfig) -> Result<Self, OutboxFailure> {
        let store: Arc<dyn OutboxStore> = Arc::new(SqliteOutbox::open(&config.outbox)?);
        let rails = config.rails.keys().cloned().collect();
        let organisation = config.organisation;
        let confirmer = Confirmer { chain_id: node.chain_id(), organisation, key: config.key };
        Ok(Self {
            node,
            organisation,
            book: Book::open(&config.book)?,
            executor: Executor::new(config.rails, store, Arc::clone(&config.clock)),
            rails,
            clerk_rails: config.clerk_rails,
            clock: config.clock,
            confirmer,
            stepping: Mutex::default(),
        })
    }

    /// Keeps what a rail answered, before the settlement that names it is signed; gives the
    /// commitment that the settlement carries.
    ///
    /// # Errors
    /// When the book fails.
    pub fn record_authorisation(&self, authorisation: &Authorisation) -> Result<Hash, BookError> {
        self.book.record_authorisation(authorisation)
    }

    /// A clerk hands out the money of an effect that waits for one.
    ///
    /// # Errors
    /// When it does not wait for a clerk, or the book fails.
    pub fn hand_out(&self, effect: &Hash, till: &Token) -> Result<(), BookError> {
        self.book.hand_out(effect, till)
    }

    /// Effects that no rail was told yet: the worklist of clerks and operators.
    ///
    /// # Errors
    /// When the book fails.
    pub fn worklist(&self, limit: u32) -> Result<Vec<OpenEffect>, BookError> {
        self.book.open_effects(limit)
    }

    /// How many effects the ledger still waits for.
    ///
    /// # Errors
    /// When the book fails.
    pub fn open_count(&self) -> Result<u64, BookError> {
        self.book.untold()
    }

    /// Does everything that can be done now.
    ///
    /// # Errors
    /// When a book fails; the next step goes on.
    pub fn step(&self) -> Result<StepReport, OutboxFailure> {
        let _one = self.stepping.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.take()?;
        let ordered = self.order()?;
        let sweep = self.executor.sweep(AT_ONCE)?;
        for (reference, error) in &sweep.failed {
            tracing::error!(%reference, %error, "an effect cannot be driven");
        }
        let finished = self.note_words()?;
        let told = self.tell()?;
        Ok(StepReport { taken, ordered, finished, told })
    }

    /// Takes effects of this organisation from receipts that were not looked at yet.
    fn take(&self) -> Result<usize, OutboxFailure> {
        let next = self.book.next_receipt()?;
        let limit = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        let receipts = self.node.receipts_with_effects_of(self.organisation, next, limit)?;
        let Some(last) = receipts.last() else { return Ok(0) };
        let behind = last.index.saturating_add(1);
        let mut effects = Vec::new();
        for placed in &receipts {
            let id = placed.receipt.record.transaction_id;
            let own = placed.receipt.effects.iter().filter(|one| one.executor == self.organisation);
            effects.extend(own.map(|one| (Effect::reference(id, one.number), one.clone())));
        }
        self.book.take(&effects, behind)?;
        Ok(effects.len())
    }

    /// Gives open effects to the rails.
    fn order(&self) -> Result<usize, OutboxFailure> {
        let now = self.clock.now();
        let view = self.node.view();
        let (mut planned, mut waiting, mut done) = (Vec::new(), Vec::new(), Vec::new());
        let mut dropped = Vec::new();
        for open in self.book.list_open(now, AT_ONCE)? {
            let effect = open.reference;
            if !self.confirmer.is_awaited(&view.state, &effect) {
                tracing::warn!(%effect, "somebody else answered for an effect; no rail is told");
                dropped.push(effect);
                continue;
            }
            match self.plan(&open)? {
                Plan::Orders { main, change } => planned.push(Planned { effect, main, change }),
                Plan::Nothing => done.push((effect, Word::Done { amount: Amount::ZERO }, "")),
                Plan::Clerk => waiting.push((effect, OpenReason::Clerk)),
                Plan::Stuck(why) => waiting.push((effect, OpenReason::Stuck(why.to_string()))),
            }
        }
        let (mut orders, mut ordered) = (Vec::new(), Vec::new());
        for (one, is_noted) in planned.iter().zip(self.book.note_orders(&planned)?) {
            if is_noted {
                ordered.push(one.effect);
                orders.push(one.main.clone());
                orders.extend(one.change.as_deref().cloned());
            } else {
                waiting.push((one.effect, OpenReason::Stuck(Stuck::PaymentUsed.to_string())));
            }
        }
        for (effect, reason) in &waiting {
            tracing::warn!(%effect, ?reason, "an effect waits for a person");
        }
        self.book.drop_effects(&dropped)?;
        self.book.note_open(&waiting, now.plus_millis(STUCK_MILLISECONDS))?;
        self.finish(&done)?;
        self.submit(&orders)?;
        self.book.note_ordered(&ordered)?;
        Ok(ordered.len() + done.len())
    }

    fn submit(&self, orders: &[RailEffect]) -> Result<(), OutboxFailure> {
        if orders.is_empty() {
            return Ok(());
        }
        for (order, state) in orders.iter().zip(self.executor.submit_all(orders)?) {
            if let Err(error) = state {
                let reference = order.order.reference;
                tracing::error!(%reference, %error, "an order could not be given to its rail");
            }
        }
        Ok(())
    }

    fn plan(&self, open: &OpenEffect) -> Result<Plan, OutboxFailure> {
        let effect = &open.effect;
        let Some(rail) = self.rails.iter().find(|name| ***name == *effect.rail) else {
            return Ok(Plan::Stuck(Stuck::UnknownRail));
        };
        let authorisation = self.book.authorisation(&effect.authorisation)?;
        let original = match &effect.original {
            Some(original) => self.book.collected(original)?,
            None => None,
        };
        let known = Known {
            effect: open.reference,
            authorisation: authorisation.as_ref(),
            original: original.as_ref(),
            needs_clerk: self.clerk_rails.contains(rail),
            till: open.till.as_ref(),
        };
        Ok(plan(effect, &known))
    }

    /// Carries the rails' final words from the executor's outbox into the book.
    fn note_words(&self) -> Result<usize, OutboxFailure> {
        let records = self.executor.unreported(AT_ONCE)?;
        let (mut words, mut seen) = (Vec::new(), Vec::new());
        for record in &records {
            let reference = record.effect.order.reference;
            seen.push(reference);
            let EffectState::Final(verdict) = &record.state else { continue };
            match self.book.effect_of(&reference)? {
                Some((effect, true)) => words.push(self.word(effect, record, verdict)?),
                Some((effect, false)) => log_change(&effect, &reference, verdict),
                None => {
                    tracing::error!(%reference, "the outbox has an order that no effect asked for")
                }
            }
        }
        let words: Vec<(Hash, Word, &str)> =
            words.iter().map(|(effect, word, rail)| (*effect, *word, rail.as_str())).collect();
        self.finish(&words)?;
        self.executor.mark_reported(&seen)?;
        Ok(words.len())
    }

    /// The effect's word behind its main order's verdict, with the rail's own number.
    fn word(
        &self,
        effect: Hash,
        record: &OutboxRecord,
        verdict: &Verdict,
    ) -> Result<(Hash, Word, String), OutboxFailure> {
        Ok(match verdict {
            Verdict::Done(done) => {
                // A payment may have been larger than the effect; what is beyond it goes back.
                let wanted = self.book.effect(&effect)?.map_or(done.amount, |known| known.amount);
                let amount = done.amount.min(wanted);
                (effect, Word::Done { amount }, done.rail_reference.clone())
            }
            Verdict::Refused(refusal) => {
                let reference = record.effect.order.reference;
                tracing::warn!(%effect, %reference, %refusal, "a rail refused an effect");
                (effect, Word::Failed { reason: refusal_code(*refusal) }, String::new())
            }
        })
    }

    fn finish(&self, words: &[(Hash, Word, &str)]) -> Result<(), OutboxFailure> {
        let valid_until = self.now_on_ledger().plus_millis(VALIDITY_MILLISECONDS);
        let finals: Vec<FinalEffect> = words
            .iter()
            .map(|(reference, word, rail)| FinalEffect {
                reference: *reference,
                word: *word,
                rail_reference: self.book.rail_reference(reference, rail),
                valid_until,
            })
            .collect();
        Ok(self.book.note_words(&finals)?)
    }

    /// Tells the ledger final words that it waits for.
    fn tell(&self) -> Result<usize, OutboxFailure> {
        let now = self.clock.now();
        let view = self.node.view();
        let (mut told, mut transactions, mut tries) = (Vec::new(), Vec::new(), Vec::new());
        for mut one in self.book.list_final(now, AT_ONCE)? {
            if !self.confirmer.is_awaited(&view.state, &one.reference) {
                told.push(one.reference);
                continue;
            }
            // The same content is sent again as long as it is valid, so that it is one transaction.
            let ledger_now = self.now_on_ledger();
            if one.valid_until <= ledger_now {
                one.valid_until = ledger_now.plus_millis(VALIDITY_MILLISECONDS);
            }
            let key = self.book.idempotency_key(&one.reference);
            transactions.push(self.confirmer.transaction(&one, key));
            tries.push((one.reference, one.valid_until));
        }
        self.book.note_tries(&tries, now.plus_millis(TELL_AGAIN_MILLISECONDS))?;
        let answers = self.node.submit_all(transactions);
        for ((effect, _), answer) in tries.iter().zip(&answers) {
            if is_taken(effect, answer) {
                told.push(*effect);
            }
        }
        self.book.note_told(&told)?;
        Ok(told.len())
    }

    fn now_on_ledger(&self) -> primitives::Timestamp {
        self.clock.now().max(self.node.view().tip.time)
    }

    /// Lets a thread of its own step whenever something happens, until the handle is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self: Arc<Self>) -> Result<OutboxHandle, OutboxFailure> {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let (outbox, stop) = (self, Arc::clone(&is_stopping));
        let thread = std::thread::Builder::new()
            .name(format!("yibao-outbox-{}", outbox.organisation))
            .spawn(move || outbox.run(&stop))
            .map_err(OutboxFailure::Thread)?;
        Ok(OutboxHandle { is_stopping, thread: Some(thread) })
    }

    fn run(&self, is_stopping: &AtomicBool) {
        let mut blocks = self.node.subscribe();
        while !is_stopping.load(Ordering::Acquire) {
            match self.step() {
                // Whatever was done may have given more to do.
                Ok(done) if done != StepReport::default() => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the outbox will try again"),
            }
            match blocks.next_block_within(PAUSE) {
                Ok(_) | Err(SubscriptionEnd::Timeout) => while blocks.try_next_block().is_ok() {},
                Err(SubscriptionEnd::TooSlow) => blocks = self.node.subscribe(),
                Err(SubscriptionEnd::Stopped) => return,
            }
        }
    }
}

/// Whether the ledger has the word now. What it refused is told again later: the reason may pass,
/// and an operator sees the log.
fn is_taken(effect: &Hash, answer: &SubmitResult) -> bool {
    match answer {
        Ok(submitted) => match submitted.receipt.record.outcome {
            OutcomeCode::Accepted => return true,
            OutcomeCode::Rejected(code) => {
                tracing::error!(%effect, code, "the ledger rejected the word on an effect");
            }
        },
        Err(SubmitError::Stopped | SubmitError::Unknown { .. } | SubmitError::InProgress) => {}
        Err(error) => {
            tracing::error!(%effect, %error, "the ledger did not take the word on an effect")
        }
    }
    false
}

fn log_change(effect: &Hash, reference: &Reference, verdict: &Verdict) {
    match verdict {
        Verdict::Done(_) => tracing::info!(%effect, %reference, "what was paid too much went back"),
        Verdict::Refused(refusal) => tracing::error!(
            %effect, %reference, %refusal,
            "what was paid too much could not be given back; a person must do it"
        ),
    }
}

/// Keeps the outbox's thread running; dropping it ends the thread after the present step.
pub struct OutboxHandle {
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for OutboxHandle {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the outbox thread panicked");
        }
    }
}
