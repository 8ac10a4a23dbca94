//! What the node says to those who submit, read and follow.

use std::sync::Arc;
use std::time::Duration;

use ledger::kernel::posting::PostedEntry;
use ledger::kernel::receipt::Outcome;
use ledger::kernel::transaction::TransactionError;
use ledger::{Block, Receipt, Rejection, State, Tip};
use primitives::Hash;
use proof::header::{Certificate, Header};

use crate::history::Handover;

/// A receipt with its place in the receipt log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The place; the first is 0.
    pub index: u64,
    /// The receipt.
    pub receipt: Arc<Receipt>,
}

/// The answer to a transaction that was executed, now or earlier. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The place of its receipt in the receipt log.
    pub receipt_index: u64,
    /// What the ledger answered; it may say that the transaction was rejected in the block.
    pub receipt: Arc<Receipt>,
    /// Whether this very transaction was executed, or on its way, before.
    pub is_duplicate: bool,
}

/// Why a transaction was not executed. But for [`SubmitError::Unknown`], nothing was changed and
/// nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It is not well-formed.
    #[error("{0}")]
    Malformed(TransactionError),
    /// It is not validly signed, or registers an invalid key.
    #[error("{0}")]
    Signature(TransactionError),
    /// It may not be tried.
    #[error("{0}")]
    Rejected(Rejection),
    /// Another transaction with the same author and idempotency key is on its way.
    #[error("a transaction with this idempotency key is in progress; wait for its answer")]
    InProgress,
    /// There is more to do than can be done now.
    #[error("there is more to do than can be done now; try again in {} seconds", retry_after.as_secs())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The node stopped while the transaction stood in a block: it may or may not have happened.
    #[error(
        "whether transaction `{transaction_id}` happened is not known; ask for its receipt later"
    )]
    Unknown {
        /// By which its receipt can be asked for.
        transaction_id: Hash,
    },
    /// The node is stopping, or stopped because something is wrong with it.
    #[error("the node takes no transactions; see its status")]
    Stopped,
}

impl From<TransactionError> for SubmitError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Signature(..) | TransactionError::Key(_) => Self::Signature(error),
            _ => Self::Malformed(error),
        }
    }
}

/// The answer to a submitted transaction.
pub type SubmitResult = Result<Submitted, SubmitError>;

/// What a transaction would do if it were executed now.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// Its facts, events and effects.
    pub outcome: Outcome,
    /// What it would post.
    pub entries: Vec<PostedEntry>,
}

/// The ledger after one block. A view never changes; a later block is another view.
#[derive(Clone, Debug)]
pub struct ReadView {
    /// All rows.
    pub state: State,
    /// Where the ledger stands.
    pub tip: Tip,
    /// The header of the last block; none before the first.
    pub header: Option<Header>,
}

/// A block that is durable and applied, with all that followers need.
#[derive(Debug)]
pub struct Committed {
    /// Header and transactions.
    pub block: Block,
    /// What makes it final.
    pub certificate: Certificate,
    /// The place of its first receipt in the receipt log.
    pub first_receipt: u64,
    /// One receipt per transaction, in their order.
    pub receipts: Vec<Arc<Receipt>>,
    /// Who certifies from the next block on, if it changes that.
    pub handover: Option<Handover>,
}

impl Committed {
    /// The block's header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.block.header
    }

    /// The receipts with their places.
    pub fn placed(&self) -> impl Iterator<Item = Placed> {
        let indexes = self.first_receipt..;
        indexes
            .zip(&self.receipts)
            .map(|(index, receipt)| Placed { index, receipt: receipt.clone() })
    }

    pub(crate) fn receipt_at(&self, index: u64) -> Option<&Arc<Receipt>> {
        let within = index.checked_sub(self.first_receipt)?;
        self.receipts.get(usize::try_from(within).ok()?)
    }
}

/// Which way a list of receipts goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first receipt on.
    OldestFirst,
    /// From the last receipt back.
    NewestFirst,
}

impl Direction {
    /// The place, as SQLite has it, behind which a list starts.
    pub(crate) fn start(self, behind: Option<u64>) -> i64 {
        match (self, behind) {
            (_, Some(place)) => i64::try_from(place).unwrap_or(i64::MAX),
            (Self::OldestFirst, None) => -1,
            (Self::NewestFirst, None) => i64::MAX,
        }
    }

    /// Whether a place lies behind another in this direction.
    pub(crate) fn is_behind(self, place: u64, other: Option<u64>) -> bool {
        match (self, other) {
            (_, None) => true,
            (Self::OldestFirst, Some(other)) => place > other,
            (Self::NewestFirst, Some(other)) => place < other,
        }
    }
}
