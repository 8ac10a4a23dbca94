//! Drives an effect to its rail's final word, whatever the rail, the network or a crash does.

use std::{collections::BTreeMap, sync::Arc};

use primitives::Timestamp;

use crate::{
    clock::Clock,
    effect::{
        Backlog, Effect, EffectState, OutboxError, OutboxRecord, OutboxStore, RailName, Recorded,
    },
    rail::{Action, Answer, Order, Outcome, Rail, Reference, Verdict},
};

/// How long the sweeper waits before it asks for the first time, in milliseconds; doubled with
/// every further attempt.
pub const RETRY_MILLISECONDS_MIN: u64 = 1_000;
/// The longest pause between two attempts, in milliseconds: ten minutes.
pub const RETRY_MILLISECONDS_MAX: u64 = 600_000;

/// Executes the effects of one organisation on its rails. Any number of threads may share it.
pub struct Executor {
    rails: BTreeMap<RailName, Arc<dyn Rail>>,
    outbox: Arc<dyn OutboxStore>,
    clock: Arc<dyn Clock>,
}

/// What a sweep did.
#[derive(Debug, Default)]
pub struct Sweep {
    /// Effects that got their final word.
    pub finished: u32,
    /// Effects that still wait for one; they are due again later.
    pub waiting: u32,
    /// Effects that could not be driven at all; a person must look.
    pub failed: Vec<(Reference, ExecutorError)>,
}

/// Why an effect could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The organisation has no rail of that name.
    #[error("there is no rail called `{0}`; add it to the organisation's configuration")]
    UnknownRail(String),
    /// The reference stands for another effect.
    #[error("reference `{0}` is already used for a different effect; use a new one")]
    OtherEffect(Reference),
    /// There is no such effect.
    #[error("the outbox has no effect with reference `{0}`")]
    UnknownEffect(Reference),
    /// The outbox failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl Executor {
    /// An executor for these rails, by the names that effects call them.
    #[must_use]
    pub fn new(
        rails: BTreeMap<RailName, Arc<dyn Rail>>,
        outbox: Arc<dyn OutboxStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { rails, outbox, clock }
    }

    /// Records the effect durably and tries it once. Submitting the same effect again is harmless
    /// and tells how far it is. What is not final afterwards is for [`Executor::sweep`].
    ///
    /// # Errors
    /// An unknown rail, a reference used for another effect, or a failing outbox. When the record
    /// was not made, the rail was not called.
    pub fn submit(&self, effect: &Effect) -> Result<EffectState, ExecutorError> {
        let states = self.submit_all(std::slice::from_ref(effect))?;
        let reference = effect.order.reference;
        states.into_iter().next().unwrap_or(Err(ExecutorError::UnknownEffect(reference)))
    }

    /// As [`Executor::submit`] for many effects: one commit of the outbox before the rails are
    /// called, one after. One answer per effect.
    ///
    /// # Errors
    /// When the outbox fails. What was recorded by then is for [`Executor::sweep`].
    pub fn submit_all(
        &self,
        effects: &[Effect],
    ) -> Result<Vec<Result<EffectState, ExecutorError>>, ExecutorError> {
        let known: Vec<Effect> =
            effects.iter().filter(|effect| self.rail(&effect.rail).is_ok()).cloned().collect();
        let now = self.clock.now();
        let recorded = self.outbox.record_all(&known, now, next_try_at(now, 0))?;
        let is_new =
            |(effect, recorded): (_, &Recorded)| (*recorded == Recorded::New).then_some(effect);
        let mut fresh: Vec<&Effect> = known.iter().zip(&recorded).filter_map(is_new).collect();
        let mut words = BTreeMap::new();
        // A round for what can be told now, and further ones for what waited for that.
        loop {
            let (mut ready, mut waiting) = (Vec::new(), Vec::new());
            for effect in fresh {
                let list = if self.waits(&effect.order)? { &mut waiting } else { &mut ready };
                list.push(effect);
            }
            if ready.is_empty() {
                break;
            }
            let round = self.perform_fresh(&ready)?;
            self.outbox.finish_all(&round)?;
            words.extend(round);
            fresh = waiting;
        }
        let mut recorded = recorded.into_iter();
        let answers = effects.iter().map(|effect| {
            self.rail(&effect.rail)?;
            let reference = effect.order.reference;
            match recorded.next() {
                Some(Recorded::New) => Ok(state_of(words.get(&reference))),
                // Recorded earlier, or by this very call for an effect that stands in it twice.
                Some(Recorded::Known(record)) => match words.get(&reference) {
                    Some(verdict) => Ok(EffectState::Final(verdict.clone())),
                    None => Ok(record.state),
                },
                Some(Recorded::OtherEffect) => Err(ExecutorError::OtherEffect(reference)),
                None => Err(ExecutorError::UnknownEffect(reference)),
            }
        });
        Ok(answers.collect())
    }

    /// Gives the orders of freshly recorded effects to their rails; the final words that came back.
    fn perform_fresh(
        &self,
        effects: &[&Effect],
    ) -> Result<Vec<(Reference, Verdict)>, ExecutorError> {
        let mut by_rail: BTreeMap<&RailName, Vec<Order>> = BTreeMap::new();
        for effect in effects {
            by_rail.entry(&effect.rail).or_default().push(effect.order.clone());
        }
        let mut words = Vec::new();
        for (name, orders) in by_rail {
            let outcomes = self.rail(name)?.perform_all(&orders);
            for (order, outcome) in orders.iter().zip(outcomes) {
                if let Outcome::Final(verdict) = outcome {
                    words.push((order.reference, verdict));
                }
            }
        }
        Ok(words)
    }

    /// How far the effect with this reference is.
    ///
    /// # Errors
    /// When there is none, or the outbox fails.
    pub fn state(&self, reference: &Reference) -> Result<EffectState, ExecutorError> {
        let record = self.outbox.get(reference)?;
        record.map(|record| record.state).ok_or(ExecutorError::UnknownEffect(*reference))
    }

    /// Drives effects that are due and have no final word: after a crash, a time-out, a rail that
    /// was away. At most `limit` of them; one that fails does not hold up the others.
    ///
    /// # Errors
    /// When the outbox cannot say what is due.
    pub fn sweep(&self, limit: u32) -> Result<Sweep, ExecutorError> {
        let mut sweep = Sweep::default();
        for record in self.outbox.due(self.clock.now(), limit)? {
            match self.drive(&record) {
                Ok(EffectState::Final(_)) => sweep.finished = sweep.finished.saturating_add(1),
                Ok(_) => sweep.waiting = sweep.waiting.saturating_add(1),
                Err(error) => sweep.failed.push((record.effect.order.reference, error)),
            }
        }
        Ok(sweep)
    }

    /// How much is open, and since when.
    ///
    /// # Errors
    /// When the outbox fails.
    pub fn backlog(&self) -> Result<Backlog, ExecutorError> {
        Ok(self.outbox.backlog()?)
    }

    /// Effects with a final word that the ledger has not heard yet; call
    /// [`Executor::mark_reported`] once it has. After a crash between the two, they come again.
    ///
    /// # Errors
    /// When the outbox fails.
    pub fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, ExecutorError> {
        Ok(self.outbox.unreported(limit)?)
    }

    /// Notes that the ledger has the final words.
    ///
    /// # Errors
    /// When the outbox fails or one of the effects is not final.
    pub fn mark_reported(&self, references: &[Reference]) -> Result<(), ExecutorError> {
        Ok(self.outbox.mark_reported(references)?)
    }

    pub(super) fn outbox(&self) -> &dyn OutboxStore {
        self.outbox.as_ref()
    }

    pub(super) fn rail(&self, name: &RailName) -> Result<&dyn Rail, ExecutorError> {
        let rail = self.rails.get(name).map(Arc::as_ref);
        rail.ok_or_else(|| ExecutorError::UnknownRail(String::from(&**name)))
    }

    /// Whether the order is about another effect that is still open: a rail that has not got the
    /// payment yet would refuse its refund for good. A void does not wait: it is what closes an
    /// order that hangs.
    fn waits(&self, order: &Order) -> Result<bool, ExecutorError> {
        let earlier = match &order.action {
            Action::Capture { hold, .. } => hold,
            Action::Refund { original, .. } => original,
            Action::Hold { .. }
            | Action::Void { .. }
            | Action::Pay { .. }
            | Action::PayOut { .. } => return Ok(false),
        };
        let record = self.outbox.get(earlier)?;
        Ok(record.is_some_and(|record| record.state == EffectState::Open))
    }

    /// Drives an effect that was recorded before: the rail is asked before it is told.
    fn drive(&self, record: &OutboxRecord) -> Result<EffectState, ExecutorError> {
        let reference = record.effect.order.reference;
        let next = next_try_at(self.clock.now(), record.attempts);
        // First of all, so that what cannot be driven does not stay the first in every sweep.
        self.outbox.note_attempt(&reference, next)?;
        let rail = self.rail(&record.effect.rail)?;
        if self.waits(&record.effect.order)? {
            return Ok(EffectState::Open);
        }
        let verdict = ask_and_perform(rail, &record.effect.order);
        if let Some(verdict) = &verdict {
            self.outbox.finish_all(&[(reference, verdict.clone())])?;
        }
        Ok(state_of(verdict.as_ref()))
    }
}

fn state_of(verdict: Option<&Verdict>) -> EffectState {
    verdict.map_or(EffectState::Open, |verdict| EffectState::Final(verdict.clone()))
}

/// When to try again after so many attempts.
fn next_try_at(now: Timestamp, attempts: u32) -> Timestamp {
    let pause = RETRY_MILLISECONDS_MIN.saturating_mul(2_u64.saturating_pow(attempts));
    now.plus_millis(pause.min(RETRY_MILLISECONDS_MAX))
}

fn perform(rail: &dyn Rail, order: &Order) -> Option<Verdict> {
    match rail.perform(order) {
        Outcome::Final(verdict) => Some(verdict),
        Outcome::Unknown => None,
    }
}

/// Asks by our own reference; only what the rail has never seen is sent again, under the same
/// reference, so that a first try which is still under way changes nothing when it arrives.
fn ask_and_perform(rail: &dyn Rail, order: &Order) -> Option<Verdict> {
    match rail.query(&order.reference) {
        Answer::Final(verdict) if fits(&verdict, &order.action) => Some(verdict),
        // The reference stands for another order at the rail (or for nothing): the rail itself
        // says so when it is given ours.
        Answer::Final(_) | Answer::NotFound => perform(rail, order),
        Answer::InProgress | Answer::Unknown => None,
    }
}

/// Whether this word can be about this action: what is done is done in the full amount.
fn fits(verdict: &Verdict, action: &Action) -> bool {
    match (verdict, action) {
        (Verdict::Refused(_), _) | (Verdict::Done(_), Action::Void { .. }) => true,
        (
            Verdict::Done(done),
            Action::Hold { amount, .. }
            | Action::Capture { amount, .. }
            | Action::Pay { amount, .. }
            | Action::Refund { amount, .. }
            | Action::PayOut { amount, .. },
        ) => done.amount == *amount,
    }
}
