//! Effects: what the ledger decided and a rail must do, exactly once.
//!
//! The outbox record is durable before the rail is called; whatever crashes after that, the next
//! run finds the record, asks the rail by our own reference, and only when the rail has never seen
//! it sends the same order again. So there is one movement of money per reference, and no effect
//! stays unknown.

mod executor;
mod reconciliation;
mod sqlite_outbox;

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rail::{Order, Reference, Verdict};

pub use executor::{
    Executor, ExecutorError, RETRY_MILLISECONDS_MAX, RETRY_MILLISECONDS_MIN, Sweep,
};
pub use reconciliation::{Difference, ReconcileError, Reconciliation};
pub use sqlite_outbox::SqliteOutbox;

/// By which name an organisation's configuration calls one of its rails, such as `bank`.
pub type RailName = Text<32>;

/// Something that a rail has to do because the ledger says so.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Which of the organisation's rails.
    pub rail: RailName,
    /// What to do, under the effect's own reference.
    pub order: Order,
}

/// How far an effect is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// Recorded; the rail may or may not have been called, and no verdict is known.
    Open,
    /// The rail's final word.
    Final(Verdict),
}

/// An effect as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// What is to be done.
    pub effect: Effect,
    /// How far it is.
    pub state: EffectState,
    /// How often the rail was called or asked; the first time is counted when it is recorded.
    pub attempts: u32,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Not to be tried again before this instant.
    pub next_try_at: Timestamp,
    /// Whether the final word was handed on (to the ledger as `confirm_effect`).
    pub is_reported: bool,
}

/// What became of an effect that the outbox was to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is new: whoever recorded it, and nobody else, may call the rail without asking first.
    New,
    /// It was recorded before.
    Known(OutboxRecord),
    /// Its reference stands for another effect.
    OtherEffect,
}

/// Where effects are kept before, while and after a rail executes them. Every call that returns
/// `Ok` is durable.
pub trait OutboxStore: Send + Sync {
    /// Keeps new effects, **before** a rail is called, in one commit; one answer per effect.
    /// A sweeper leaves them alone until `next_try_at`.
    ///
    /// # Errors
    /// When the store fails; then none of them is kept.
    fn record_all(
        &self,
        effects: &[Effect],
        at: Timestamp,
        next_try_at: Timestamp,
    ) -> Result<Vec<Recorded>, OutboxError>;

    /// The record of this reference.
    ///
    /// # Errors
    /// When the store fails.
    fn get(&self, reference: &Reference) -> Result<Option<OutboxRecord>, OutboxError>;

    /// Counts an attempt and sets when the next one is due. Does nothing to a final record.
    ///
    /// # Errors
    /// When the store fails or has no such record.
    fn note_attempt(
        &self,
        reference: &Reference,
        next_try_at: Timestamp,
    ) -> Result<(), OutboxError>;

    /// Keeps the rail's final words in one commit. Keeping the same word again is no error.
    ///
    /// # Errors
    /// [`OutboxError::OtherVerdict`] when another word was kept before; then none is kept.
    fn finish_all(&self, words: &[(Reference, Verdict)]) -> Result<(), OutboxError>;

    /// Records without a final word that are due, longest due first, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError>;

    /// Final records that were not handed on yet, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError>;

    /// Notes in one commit that the final words were handed on.
    ///
    /// # Errors
    /// When the store fails or one of the records is not final; then none is noted.
    fn mark_reported(&self, references: &[Reference]) -> Result<(), OutboxError>;

    /// Records that the rail carried out from `from` until before `until`, by the rail's clock.
    ///
    /// # Errors
    /// When the store fails.
    fn done_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OutboxRecord>, OutboxError>;

    /// How many records have no final word, and since when the oldest of them waits.
    ///
    /// # Errors
    /// When the store fails.
    fn backlog(&self) -> Result<Backlog, OutboxError>;
}

/// What is still open, for metrics and alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Records without a final word.
    pub open: u64,
    /// When the oldest of them was recorded.
    pub oldest: Option<Timestamp>,
}

/// Why the outbox did not do it.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The rail said something else before: the rail breaks its contract, a person must look.
    #[error("the rail gave two different verdicts on `{0}`; compare its statement with the outbox")]
    OtherVerdict(Reference),
    /// No such record, or not in the state for it.
    #[error("the outbox has no such record `{0}` in the right state")]
    NoRecord(Reference),
    /// The store failed.
    #[error("the outbox could not be read or written")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}
