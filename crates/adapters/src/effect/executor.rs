//! Drives an effect to its rail's final word, whatever the rail, the network or a crash does.

use std::{collections::BTreeMap, sync::Arc};

use primitives::Timestamp;

use crate::{
    clock::Clock,
    effect::{Backlog, Effect, EffectState, OutboxError, OutboxRecord, OutboxStore, RailName},
    rail::{Action, Answer, Outcome, Rail, Reference, Verdict},
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
        self.rail(&effect.rail)?;
        let record = self.outbox.record(effect, self.clock.now())?;
        self.drive(&record)
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

    /// Effects with a final word that the ledger has not heard yet; call [`Executor::mark_reported`]
    /// once it has. After a crash between the two, the same ones come again.
    ///
    /// # Errors
    /// When the outbox fails.
    pub fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, ExecutorError> {
        Ok(self.outbox.unreported(limit)?)
    }

    /// Notes that the ledger has the final word.
    ///
    /// # Errors
    /// When the outbox fails or the effect is not final.
    pub fn mark_reported(&self, reference: &Reference) -> Result<(), ExecutorError> {
        Ok(self.outbox.mark_reported(reference)?)
    }

    fn rail(&self, name: &RailName) -> Result<&dyn Rail, ExecutorError> {
        let rail = self.rails.get(name).map(Arc::as_ref);
        rail.ok_or_else(|| ExecutorError::UnknownRail(String::from(&**name)))
    }

    fn drive(&self, record: &OutboxRecord) -> Result<EffectState, ExecutorError> {
        if let EffectState::Final(_) = &record.state {
            return Ok(record.state.clone());
        }
        let order = &record.effect.order;
        let rail = self.rail(&record.effect.rail)?;
        // From here on the rail may have been called, and a crash must find that written down.
        self.outbox.mark_sent(&order.reference, self.next_try_after(record.attempts))?;
        let verdict = match record.state {
            EffectState::Recorded => perform(rail, record),
            EffectState::Sent | EffectState::Final(_) => ask_and_perform(rail, record),
        };
        let Some(verdict) = verdict else {
            return Ok(EffectState::Sent);
        };
        self.outbox.finish(&order.reference, &verdict)?;
        Ok(EffectState::Final(verdict))
    }

    fn next_try_after(&self, attempts: u32) -> Timestamp {
        let factor = 2_u64.saturating_pow(attempts);
        let pause = RETRY_MILLISECONDS_MIN.saturating_mul(factor).min(RETRY_MILLISECONDS_MAX);
        self.clock.now().plus_millis(pause)
    }
}

fn perform(rail: &dyn Rail, record: &OutboxRecord) -> Option<Verdict> {
    match rail.perform(&record.effect.order) {
        Outcome::Final(verdict) => Some(verdict),
        Outcome::Unknown => None,
    }
}

/// Asks by our own reference; only what the rail has never seen is sent again, under the same
/// reference, so that a first try which is still under way changes nothing when it arrives.
fn ask_and_perform(rail: &dyn Rail, record: &OutboxRecord) -> Option<Verdict> {
    match rail.query(&record.effect.order.reference) {
        Answer::Final(verdict) if fits(&verdict, &record.effect.order.action) => Some(verdict),
        // The reference stands for another order at the rail (or for nothing): the rail itself
        // says so when it is given ours.
        Answer::Final(_) | Answer::NotFound => perform(rail, record),
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
            | Action::Refund { amount, .. },
        ) => done.amount == *amount,
    }
}
