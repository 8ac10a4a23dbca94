//! A hospital's edge: it stands inside the hospital, speaks the national interface to its own
//! system on the local network, passes every message on to the platform, and goes on when the line
//! is cut (decision record 0031).
//!
//! Reading order: [`setup`] (who is served), [`line`](mod@line) (the platform, and whether it
//! answers), [`ledger`] (the hospital's own window on the ledger), [`known`] (what the edge
//! remembers of persons and visits), [`house`] (one hospital with its keys, book and order),
//! [`answer`] (from a message to its answer), [`learn`] (what an answer of the platform teaches),
//! [`offline`] (what is answered without the line), [`numbers`] (the edge's own numbers and the
//! platform's), [`play`] (what was taken goes to the platform), [`sign`] (what the hospital's key
//! signs, and what not), [`prove`] (what was answered is looked up on the ledger), [`page`] (what a
//! person sees), [`server`].
//!
//! Invariants: nothing is answered before the hospital is known by its signature; a message that
//! was answered as carried out is answered by the same bytes for ever; what was taken is signed,
//! chained and durable before its answer leaves, and goes to the platform by bytes that are always
//! the same, under the number of the message, so that it happens once (test
//! `the_cable_is_pulled_and_nothing_is_lost_or_doubled` in `yibao/tests/cli/edge.rs`).

pub mod answer;
pub mod house;
pub mod known;
pub mod learn;
pub mod ledger;
pub mod line;
pub mod numbers;
pub mod offline;
pub mod page;
pub mod play;
pub mod prove;
pub mod server;
pub mod setup;
pub mod sign;

use adapters::directory::DirectoryError;

/// Why an edge does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// What it was set up with; with the remedy.
    #[error("{0}")]
    Setup(String),
    /// Its book.
    #[error("the edge's book: {0}")]
    Book(#[from] DirectoryError),
    /// The system gives no thread or port.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}
