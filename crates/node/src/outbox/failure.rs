//! What stops an outbox.

use adapters::effect::ExecutorError;
use adapters::sqlite::StoreError;
use primitives::OrganisationId;

use super::book::BookError;
use crate::history::HistoryError;

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
    /// The book has looked at receipts that the ledger does not have: it has lost blocks.
    #[error(
        "the outbox of `{organisation}` has executed what {looked_at} receipts order, and the \
         ledger has {there}: blocks that were acknowledged are missing; restore the node's folder \
         from a newer backup, or copy it from another node"
    )]
    Ahead {
        /// Whose outbox.
        organisation: OrganisationId,
        /// How many receipts the book has looked at.
        looked_at: u64,
        /// How many receipts there are.
        there: u64,
    },
    /// A rail that was told something is not configured any more, so nothing can ask it.
    #[error(
        "`{organisation}` has payments over the rail `{rail}`, and its rails are other ones: name \
         it in `rails.toml` again"
    )]
    Rail {
        /// Whose outbox.
        organisation: OrganisationId,
        /// The rail that is missing.
        rail: String,
    },
    /// The thread could not be started.
    #[error("the outbox thread cannot be started: {0}")]
    Thread(std::io::Error),
}
