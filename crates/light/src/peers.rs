//! Whom a light node asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::question::{Answer, Question};

/// A full node that answers.
pub trait Peer: Send + Sync {
    /// Its answer. May wait; a question that waits at the other side takes up to some seconds.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn ask(&self, question: &Question) -> Result<Answer, PeerError>;

    /// Who it is, for the log.
    fn name(&self) -> String;
}

/// Why there is no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It was not reached, or the connection broke before the question was out.
    #[error("`{peer}` is not reached: {reason}")]
    NotReached {
        /// Who.
        peer: String,
        /// Why.
        reason: String,
    },
    /// The connection broke while it was to answer.
    #[error("`{peer}` did not answer: {reason}")]
    NoAnswer {
        /// Who.
        peer: String,
        /// Why.
        reason: String,
    },
    /// What it says is not proved by what it shows.
    #[error("`{peer}` says what is not proved: {reason}")]
    Lie {
        /// Who.
        peer: String,
        /// What does not hold.
        reason: String,
    },
    /// It says that it cannot answer now.
    #[error("`{peer}` cannot answer: {reason}")]
    Failed {
        /// Who.
        peer: String,
        /// Why, in its words.
        reason: String,
    },
    /// No peer was named.
    #[error("no full node is named to ask")]
    Nobody,
}

/// Full nodes, of which one is asked until it fails or lies.
pub struct Peers {
    all: Vec<Arc<dyn Peer>>,
    present: AtomicUsize,
}

/// What a peer's answer is worth.
pub enum Judged<T> {
    /// It is true.
    True(T),
    /// It is not proved.
    Lie(String),
    /// It was not given now.
    Failed(String),
}

impl Peers {
    /// These, asked in this order.
    #[must_use]
    pub fn new(all: Vec<Arc<dyn Peer>>) -> Self {
        Self { all, present: AtomicUsize::new(0) }
    }

    /// The first answer that counts, from whoever gives it.
    ///
    /// # Errors
    /// What the last of them did wrong.
    pub fn ask<T>(
        &self,
        question: &Question,
        judge: impl Fn(Answer) -> Judged<T>,
    ) -> Result<T, PeerError> {
        let mut failure = PeerError::Nobody;
        let first = self.present.load(Ordering::Relaxed);
        for turn in 0..self.all.len() {
            let at = first.wrapping_add(turn).checked_rem(self.all.len()).unwrap_or(0);
            let Some(peer) = self.all.get(at) else { continue };
            let error = match peer.ask(question).map(&judge) {
                Ok(Judged::True(value)) => {
                    self.present.store(at, Ordering::Relaxed);
                    return Ok(value);
                }
                Ok(Judged::Lie(reason)) => {
                    let error = PeerError::Lie { peer: peer.name(), reason };
                    tracing::error!(%error, "a full node is not to be trusted");
                    error
                }
                Ok(Judged::Failed(reason)) => PeerError::Failed { peer: peer.name(), reason },
                Err(error) => error,
            };
            failure = error;
        }
        Err(failure)
    }

    /// Asks one peer once, without asking another when it does not answer: for what must not be
    /// done twice without knowing.
    ///
    /// # Errors
    /// When nobody is reached, or the one that was reached does not answer.
    pub fn ask_once(&self, question: &Question) -> Result<Answer, PeerError> {
        let mut failure = PeerError::Nobody;
        let first = self.present.load(Ordering::Relaxed);
        for turn in 0..self.all.len() {
            let at = first.wrapping_add(turn).checked_rem(self.all.len()).unwrap_or(0);
            let Some(peer) = self.all.get(at) else { continue };
            match peer.ask(question) {
                Err(error @ PeerError::NotReached { .. }) => failure = error,
                answered => return answered,
            }
        }
        Err(failure)
    }
}
