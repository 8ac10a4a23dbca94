//! What a client wants done: a signed transaction that it sends again and again, the same each
//! time, until it knows for certain what became of it.

use ledger::Transaction;
use ledger::kernel::rejection::kernel as code;
use node::NodeHandle;
use node::runtime::{SubmitError, SubmitResult};
use primitives::{Hash, Timestamp};
use proof::receipt::OutcomeCode;

use crate::actor::Draft;

/// What a client knows of its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing final.
    Unknown,
    /// Accepted, with the receipt at this place.
    Accepted(u64),
    /// Rejected in a block, with this code; until its validity ends, a late copy may still be
    /// accepted.
    Rejected(u16),
    /// It can never be executed any more, and was not accepted.
    Dead,
}

impl Fate {
    /// Whether it can still change.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Dead)
    }
}

/// What is done with a job that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// The client thinks of something else.
    Once,
    /// It is tried until it is accepted, signed anew when it has to be.
    UntilAccepted,
}

/// A client's transaction and what the client knows of it.
pub struct Job<I> {
    /// What it is for.
    pub intent: I,
    /// What it was signed from.
    pub draft: Draft,
    /// The transaction as it is sent.
    pub transaction: Transaction,
    /// Its id.
    pub id: Hash,
    /// What is known of it.
    pub fate: Fate,
    /// Whether it was sent at all.
    pub is_sent: bool,
    /// What happens when it is not accepted.
    pub persistence: Persistence,
    /// Whether another job stands for it now.
    pub is_replaced: bool,
}

impl<I> Job<I> {
    /// A job that was not sent yet.
    #[must_use]
    pub fn new(
        intent: I,
        draft: Draft,
        transaction: Transaction,
        persistence: Persistence,
    ) -> Self {
        let id = transaction.content.id();
        Self {
            intent,
            draft,
            transaction,
            id,
            fate: Fate::Unknown,
            is_sent: false,
            persistence,
            is_replaced: false,
        }
    }

    /// The last instant of block time at which it can be executed.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.transaction.content.valid_until
    }

    /// Whether the client still has to do something about it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.persistence {
            Persistence::Once => self.fate == Fate::Unknown,
            Persistence::UntilAccepted => !matches!(self.fate, Fate::Accepted(_)),
        }
    }

    /// Learns from an answer. What does not say for certain changes nothing.
    pub fn learn(&mut self, answer: &SubmitResult) {
        match answer {
            Ok(submitted) => match submitted.receipt.record.outcome {
                OutcomeCode::Accepted => self.fate = Fate::Accepted(submitted.receipt_index),
                OutcomeCode::Rejected(number) if !self.fate.is_final() => {
                    self.fate = Fate::Rejected(number);
                }
                OutcomeCode::Rejected(_) => {}
            },
            // Nothing of it will ever stand in a block.
            Err(SubmitError::Malformed(_) | SubmitError::Signature(_)) => self.fate = Fate::Dead,
            Err(SubmitError::Rejected(rejection)) if is_hopeless(rejection.code.number) => {
                self.fate = Fate::Dead;
            }
            // An expired one may have been executed before: that is for `Job::look`.
            Err(_) => {}
        }
    }

    /// Once block time has passed its validity, nothing can change any more: the receipts say what
    /// became of it.
    ///
    /// # Panics
    /// When the history cannot be read.
    pub fn look(&mut self, node: &NodeHandle, block_time: Timestamp) {
        if self.fate.is_final() || block_time <= self.valid_until() {
            return;
        }
        let placed = node.receipt_by_transaction(&self.id).expect("the history can be read");
        let accepted =
            placed.filter(|placed| placed.receipt.record.outcome == OutcomeCode::Accepted);
        self.fate = accepted.map_or(Fate::Dead, |placed| Fate::Accepted(placed.index));
    }
}

/// Refused before it stood in a block, for a reason that does not pass.
fn is_hopeless(number: u16) -> bool {
    [
        code::KEY_REUSED,
        code::WRONG_CHAIN,
        code::UNKNOWN_KIND,
        code::WRONG_VERSION,
        code::AUTHOR_MISSING,
    ]
    .iter()
    .any(|code| code.number == number)
}
