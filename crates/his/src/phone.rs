//! The people on the other side of the counter: what waits on their phones is theirs to answer, not
//! the hospital's. Whoever plays a day brings them along.

use crate::money::Fen;

/// What somebody says to a settlement that waits on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is right: it is confirmed.
    Yes,
    /// It is wrong: it is refused.
    No,
}

/// The phones of simulated people, by the numbers of their identity cards.
pub trait Phones: Sync {
    /// Whether this person has a phone.
    fn has(&self, number: &str) -> bool;

    /// The person looks at the phone, and answers a settlement of this total if one waits there;
    /// whether one did.
    ///
    /// # Errors
    /// When the phone does not work, in words.
    fn answer(&self, number: &str, total: Fen, says: Says) -> Result<bool, String>;
}

/// What it takes to be paid by phone.
#[derive(Clone, Copy)]
pub struct Mobile<'a> {
    /// The secret by which bodies are sealed.
    pub secret: &'a [u8],
    /// Those who pay.
    pub phones: &'a dyn Phones,
}
