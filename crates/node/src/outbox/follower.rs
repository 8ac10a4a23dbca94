//! The steps of the outbox: take effects, drive them, tell the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adapters::clock::Clock;
use adapters::effect::{
    Effect as RailEffect, EffectState, Executor, OutboxRecord, OutboxStore, RailName,
    ReconcileError, Reconciliation, SqliteOutbox,
};
use adapters::rail::{Rail, Token, Verdict};
use adapters::sqlite::Place;
use ledger::Effect;
use primitives::{Amount, CivilDate, Hash, OrganisationId, UtcOffset};
use proof::receipt::OutcomeCode;

use super::book::{Book, BookError, FinalEffect, OpenEffect, OpenReason, Planned};
use super::confirm::Confirmer;
use super::failure::OutboxFailure;
use super::plan::{Known, Plan, Stuck, plan};
use super::{Authorisation, Word, refusal_code};
use crate::runtime::{NodeHandle, SubmitError, SubmitResult, SubscriptionEnd};
use crate::signature::SecretKey;

/// How many effects a station handles at once. Our own limit.
pub(super) const AT_ONCE: u32 = 256;
/// How often a station is repeated within a step while it is full. Our own limit: it bounds a step
/// of an outbox that is far behind to some seconds.
const ROUNDS_MAX: u32 = 16;
/// When to look again at an effect that cannot be driven, in milliseconds.
const STUCK_MILLISECONDS: u64 = 60_000;
/// When to tell the ledger again after it did not take a word, in milliseconds.
const TELL_AGAIN_MILLISECONDS: u64 = 5_000;
/// How long a confirmation is valid, in milliseconds: within the ledger's seven days.
const VALIDITY_MILLISECONDS: u64 = 24 * 3_600 * 1_000;
/// How long the thread sleeps when nothing happens on the ledger.
const PAUSE: Duration = Duration::from_millis(500);
/// How close together two looks may be where the first one found nothing to do.
const REST: Duration = Duration::from_millis(20);

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
    /// Blocks that the book knows of were lost, as the node's operator stated: the book goes on
    /// from what is left.
    pub is_after_loss: bool,
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
    /// Receipts that were not looked at yet.
    pub lag: u64,
}

/// What an outbox has not done yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxBacklog {
    /// Receipts that were not looked at yet; what they order is in no other figure.
    pub lag: u64,
    /// Effects that the ledger still waits for, and those whose change is owed.
    pub open: u64,
    /// Those of them that wait for a clerk.
    pub for_clerk: u64,
    /// Those of them that wait for another person: they cannot be driven, or the ledger refuses
    /// their word.
    pub stuck: u64,
    /// Orders that a rail has not given its final word on.
    pub at_rails: u64,
}

impl OutboxBacklog {
    /// Whether everything that the ledger ordered so far is done and told.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lag == 0 && self.open == 0 && self.at_rails == 0
    }
}

/// What a station did in one round.
struct Round {
    /// How many things it looked at.
    seen: usize,
    /// How many of them it was done with.
    done: usize,
}

/// Executes an organisation's effects. Any number of threads may ask; one of them steps.
pub struct Outbox {
    node: NodeHandle,
    organisation: OrganisationId,
    pub(super) book: Book,
    executor: Executor,
    rails: BTreeSet<RailName>,
    pub(super) clerk_rails: BTreeSet<RailName>,
    clock: Arc<dyn Clock>,
    confirmer: Confirmer,
    stepping: Mutex<()>,
    /// How many receipts were looked at. The book notes it with the effects that it takes.
    looked_at: AtomicU64,
}

impl Outbox {
    /// Opens the outbox; after a crash it goes on where it was.
    ///
    /// # Errors
    /// When one of its books cannot be opened, or the ledger has lost what it looked at.
    pub fn open(node: NodeHandle, config: OutboxConfig) -> Result<Self, OutboxFailure> {
        let book = Book::open(&config.book)?;
        let (mut looked_at, there) = (book.next_receipt()?, node.view().tip.log.size());
        if config.is_after_loss {
            looked_at = looked_at.min(there);
            book.rewind(looked_at)?;
        }
        if looked_at > there {
            let organisation = config.organisation;
            return Err(OutboxFailure::Ahead { organisation, looked_at, there });
        }
        let is_configured = |rail: &String| config.rails.keys().any(|one| **one == **rail);
        if let Some(rail) = book.rails()?.into_iter().find(|rail| !is_configured(rail)) {
            return Err(OutboxFailure::Rail { organisation: config.organisation, rail });
        }
        book.tell_again()?;
        let store: Arc<dyn OutboxStore> = Arc::new(SqliteOutbox::open(&config.outbox)?);
        let rails = config.rails.keys().cloned().collect();
        let organisation = config.organisation;
        let confirmer = Confirmer { chain_id: node.chain_id(), organisation, key: config.key };
        Ok(Self {
            node,
            organisation,
            book,
            executor: Executor::new(config.rails, store, Arc::clone(&config.clock)),
            rails,
            clerk_rails: config.clerk_rails,
            clock: config.clock,
            confirmer,
            stepping: Mutex::default(),
            looked_at: AtomicU64::new(looked_at),
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

    /// Effects that no rail was told yet, and those whose word the ledger refuses: the worklist of
    /// clerks and operators.
    ///
    /// # Errors
    /// When the book fails.
    pub fn worklist(&self, limit: u32) -> Result<Vec<OpenEffect>, BookError> {
        self.book.open_effects(limit)
    }

    /// Whose effects are executed.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Compares what this organisation's own outbox knows of a day with the rail's statement of
    /// that day, in the rail's time zone.
    ///
    /// # Errors
    /// An unknown rail, no statement, or a failing outbox.
    pub fn reconcile(
        &self,
        rail: &RailName,
        day: CivilDate,
        offset: UtcOffset,
    ) -> Result<Reconciliation, ReconcileError> {
        self.executor.reconcile(rail, day, offset)
    }

    /// How many effects the ledger still waits for, of those that were taken from its receipts;
    /// see [`Outbox::lag`] for the others.
    ///
    /// # Errors
    /// When the book fails.
    pub fn open_count(&self) -> Result<u64, BookError> {
        Ok(self.book.counts()?.0)
    }

    /// How many receipts were not looked at yet.
    #[must_use]
    pub fn lag(&self) -> u64 {
        let there = self.node.view().tip.log.size();
        there.saturating_sub(self.looked_at.load(Ordering::Acquire))
    }

    /// What is not done yet.
    ///
    /// # Errors
    /// When a book fails.
    pub fn backlog(&self) -> Result<OutboxBacklog, OutboxFailure> {
        // What is taken in between is counted twice rather than not at all.
        let lag = self.lag();
        let (open, for_clerk, stuck) = self.book.counts()?;
        let at_rails = self.executor.backlog()?.open;
        Ok(OutboxBacklog { lag, open, for_clerk, stuck, at_rails })
    }

    /// Whether everything that the ledger ordered so far is done and told.
    ///
    /// # Errors
    /// When a book fails.
    pub fn is_idle(&self) -> Result<bool, OutboxFailure> {
        Ok(self.backlog()?.is_empty())
    }

    /// Does everything that can be done now.
    ///
    /// # Errors
    /// When a book fails; the next step goes on.
    pub fn step(&self) -> Result<StepReport, OutboxFailure> {
        let _one = self.stepping.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.rounds(Self::take)?;
        let ordered = self.rounds(Self::order)?;
        self.order_change()?;
        let sweep = self.executor.sweep(AT_ONCE)?;
        for (reference, error) in &sweep.failed {
            tracing::error!(%reference, %error, "an effect cannot be driven");
        }
        let finished = self.rounds(Self::note_words)?;
        let told = self.rounds(Self::tell)?;
        Ok(StepReport { taken, ordered, finished, told, lag: self.lag() })
    }

    /// Repeats a station while it is full; how much it was done with.
    fn rounds(
        &self,
        station: impl Fn(&Self) -> Result<Round, OutboxFailure>,
    ) -> Result<usize, OutboxFailure> {
        let mut all = 0_usize;
        for _ in 0..ROUNDS_MAX {
            let Round { seen, done } = station(self)?;
            all = all.saturating_add(done);
            if seen < at_once() {
                break;
            }
        }
        Ok(all)
    }

    /// Takes effects of this organisation from receipts that were not looked at yet.
    fn take(&self) -> Result<Round, OutboxFailure> {
        let next = self.looked_at.load(Ordering::Acquire);
        let there = self.node.view().tip.log.size();
        let receipts = self.node.receipts_with_effects_of(self.organisation, next, at_once())?;
        let last = receipts.last().map_or(next, |last| last.index.saturating_add(1));
        let seen = receipts.len();
        // When there are no more of ours, everything up to the end was looked at.
        let behind = if seen < at_once() { last.max(there) } else { last };
        let mut effects = Vec::new();
        for placed in &receipts {
            let id = placed.receipt.record.transaction_id;
            let own = placed.receipt.effects.iter().filter(|one| one.executor == self.organisation);
            effects.extend(own.map(|one| (Effect::reference(id, one.number), one.clone())));
        }
        if !effects.is_empty() {
            self.book.take(&effects, behind)?;
        }
        self.looked_at.store(behind, Ordering::Release);
        Ok(Round { seen, done: effects.len() })
    }

    /// Gives open effects to the rails.
    fn order(&self) -> Result<Round, OutboxFailure> {
        let now = self.clock.now();
        let view = self.node.view();
        let (mut planned, mut waiting, mut done) = (Vec::new(), Vec::new(), Vec::new());
        let mut dropped = Vec::new();
        let due = self.book.list_open(now, AT_ONCE)?;
        let seen = due.len();
        for open in due {
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
        Ok(Round { seen, done: ordered.len() + done.len() })
    }

    pub(super) fn submit(&self, orders: &[RailEffect]) -> Result<(), OutboxFailure> {
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
    fn note_words(&self) -> Result<Round, OutboxFailure> {
        let records = self.executor.unreported(AT_ONCE)?;
        let (mut words, mut seen) = (Vec::new(), Vec::new());
        for record in &records {
            let reference = record.effect.order.reference;
            seen.push(reference);
            let EffectState::Final(verdict) = &record.state else { continue };
            match self.book.effect_of(&reference)? {
                Some((effect, true)) => words.push(self.word(effect, record, verdict)?),
                Some((effect, false)) => self.note_change(&effect, record, verdict)?,
                None => {
                    tracing::error!(%reference, "the outbox has an order that no effect asked for")
                }
            }
        }
        let words: Vec<(Hash, Word, &str)> =
            words.iter().map(|(effect, word, rail)| (*effect, *word, rail.as_str())).collect();
        self.finish(&words)?;
        self.executor.mark_reported(&seen)?;
        Ok(Round { seen: seen.len(), done: words.len() })
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

    /// Tells the ledger final words that it waits for. A word that it would refuse is not sent:
    /// every try would leave a receipt for ever.
    fn tell(&self) -> Result<Round, OutboxFailure> {
        let now = self.clock.now();
        let view = self.node.view();
        let (mut told, mut transactions, mut tries) = (Vec::new(), Vec::new(), Vec::new());
        let mut refused = Vec::new();
        let due = self.book.list_final(now, AT_ONCE)?;
        let seen = due.len();
        for mut one in due {
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
            let transaction = self.confirmer.transaction(&one, key);
            match self.node.rehearse(transaction.clone()) {
                Ok(_) => {
                    transactions.push(transaction);
                    tries.push((one.reference, one.valid_until));
                }
                Err(error) => refused.push((one.reference, error.to_string())),
            }
        }
        self.book.note_tries(&tries, now.plus_millis(TELL_AGAIN_MILLISECONDS))?;
        let answers = self.node.submit_all(transactions);
        for ((effect, _), answer) in tries.iter().zip(&answers) {
            match heard(answer) {
                Heard::Taken => told.push(*effect),
                Heard::Refused(words) => refused.push((*effect, words)),
                Heard::Later => {}
            }
        }
        for (effect, words) in &refused {
            tracing::error!(%effect, words, "the ledger refuses the word on an effect");
        }
        self.book.note_told(&told)?;
        self.book.note_refused(&refused, now)?;
        Ok(Round { seen, done: told.len() })
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
            let stepped = Instant::now();
            match self.step() {
                // Whatever was done may have given more to do.
                Ok(done) if done != StepReport::default() => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the outbox will try again"),
            }
            match blocks.next_block_within(PAUSE) {
                Ok(_) | Err(SubscriptionEnd::Timeout) => {
                    // Blocks that come close together are looked at together: there are as many
                    // outboxes as organisations, and most blocks have nothing for most of them.
                    std::thread::sleep(REST.saturating_sub(stepped.elapsed()));
                    while blocks.try_next_block().is_ok() {}
                }
                Err(SubscriptionEnd::TooSlow) => blocks = self.node.subscribe(),
                Err(SubscriptionEnd::Stopped) => return,
            }
        }
    }
}

/// [`AT_ONCE`] as a length.
const fn at_once() -> usize {
    AT_ONCE as usize
}

/// What came of telling the ledger a word.
enum Heard {
    Taken,
    /// Why not; it is told again later, since the reason may pass.
    Refused(String),
    /// The node could not say, or has no time; soon.
    Later,
}

fn heard(answer: &SubmitResult) -> Heard {
    match answer {
        Ok(submitted) => match submitted.receipt.record.outcome {
            OutcomeCode::Accepted => Heard::Taken,
            OutcomeCode::Rejected(code) => {
                Heard::Refused(format!("the ledger rejected it with number {code}"))
            }
        },
        Err(
            SubmitError::Stopped
            | SubmitError::Unknown { .. }
            | SubmitError::InProgress
            | SubmitError::Overloaded { .. },
        ) => Heard::Later,
        Err(error) => Heard::Refused(error.to_string()),
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
