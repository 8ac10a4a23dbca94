//! A hospital's own system (HIS), played against the national interface of a running node: a day of
//! outpatients and stays, or a pharmacy's of purchases, with the mistakes that a real system makes,
//! and its own book, which must come to the platform's figures in the end.
//!
//! It knows of yibao what `docs/guide/hospital-it.md` and `hospital-it-messages.md` tell a
//! vendor, and no more: it depends on no other crate of this workspace (test
//! `the_played_hospital_shares_no_code_with_what_it_tries` in `xtask`), writes and signs its own
//! messages, and adds up its own sums.
//!
//! Reading order: [`setup`] (who it is), [`money`], [`message`], [`seal`] (bodies of mobile
//! payment), [`wire`] (a network and a clock), [`signer`], [`line`](mod@line), [`journal`] (what
//! survives a restart), [`counter`] (one workplace: from a question to its final answer), [`care`],
//! [`mistake`], [`encounter`] (what all kinds of care have in common), [`settlement`], [`visit`]
//! (one outpatient), [`phone`] and [`mobile`] (one who pays by phone), [`stay`], [`purchase`],
//! [`book`] (what it believes it charged), [`statement`] (the comparison with the platform),
//! [`day`] (all of it, and the next morning), [`played`] (what became of it, as a table).
//!
//! Invariants: no message leaves before it is in the journal on the disk; a message that was
//! written is sent again by the same bytes until its answer is known; what a day does follows
//! from its seed and the answers alone, so that a day that was interrupted goes on where it was.

pub mod book;
pub mod care;
pub mod counter;
pub mod day;
pub mod encounter;
pub mod journal;
pub mod line;
pub mod message;
pub mod mistake;
pub mod mobile;
pub mod money;
pub mod phone;
pub mod played;
pub mod purchase;
pub mod seal;
pub mod settlement;
pub mod setup;
pub mod signer;
pub mod statement;
pub mod stay;
pub mod visit;
pub mod wire;

use std::path::PathBuf;

/// Why a day cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HisError {
    /// The address is not one of plain HTTP.
    #[error("`{0}` is no address; write `http://HOST:PORT`, such as http://localhost:8420")]
    Address(String),
    /// Nobody answers.
    #[error("`{address}` does not answer ({why}); run the same again to go on with the day")]
    Line {
        /// Where it was asked.
        address: String,
        /// The cause.
        why: String,
    },
    /// The platform says for too long that it is busy.
    #[error(
        "`{0}` stays unanswered: the platform is busy; run the same again to go on with the day"
    )]
    Busy(String),
    /// The platform refuses a step that has nothing wrong with it.
    #[error("step `{step}` is refused: {words}")]
    Refused {
        /// Which step.
        step: String,
        /// What the platform says.
        words: String,
    },
    /// An answer is not of the interface's form.
    #[error("step `{step}` is answered without `{field}`")]
    Answer {
        /// Which step.
        step: String,
        /// What is missing or has another form.
        field: String,
    },
    /// The book's folder.
    #[error("the book `{path}`: {why}")]
    Book {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Somebody's phone cannot be used.
    #[error("a simulated person's phone: {0}; run the same again to go on with the day")]
    Phone(String),
    /// What the hospital was set up with.
    #[error("{0}")]
    Setup(String),
}

impl HisError {
    /// Whether the platform says only that the same should come again.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}
