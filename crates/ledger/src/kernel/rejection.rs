//! Why a transaction may not happen: a stable code, a stable name, and words for a person.

use core::fmt;
use primitives::Detail;

/// The declaration of a rejection: its wire number and name are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The wire number, in the receipt of a rejected transaction.
    pub number: u16,
    /// The stable name, used in the API and as message key in `locales/`.
    pub name: &'static str,
    /// What is true, in plain English: lower case, no full stop.
    pub words: &'static str,
}

/// A transaction may not happen; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which rejection it is.
    pub code: Code,
    /// Particulars that help to mend it: field, limit, value held. Never health data or names.
    pub detail: Option<Detail>,
}

impl Code {
    /// This rejection without particulars.
    #[must_use]
    pub fn reject(self) -> Rejection {
        Rejection { code: self, detail: None }
    }

    /// This rejection with particulars.
    #[must_use]
    pub fn with(self, detail: impl Into<Detail>) -> Rejection {
        Rejection { code: self, detail: Some(detail.into()) }
    }

    /// The rejection of this name, as a particular of another one.
    #[must_use]
    pub const fn reference(name: &'static str) -> Detail {
        Detail::word("problem", name)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.words)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Rejection {}

/// Declares the rejections of a module: `NUMBER NAME "words"` with a doc comment each, and `ALL`.
macro_rules! rejections {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal, $words:literal;)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\n\nStable name `", $name, "`, wire number ", stringify!($number), ".")]
            pub const $constant: $crate::kernel::rejection::Code =
                $crate::kernel::rejection::Code { number: $number, name: $name, words: $words };
        )*
        /// Every rejection declared here.
        pub const ALL: &[$crate::kernel::rejection::Code] = &[$($constant),*];
    };
}
pub(crate) use rejections;

/// `Ok` when the condition holds, else the rejection.
///
/// # Errors
/// The rejection, when the condition does not hold.
pub fn require(condition: bool, otherwise: impl FnOnce() -> Rejection) -> Result<(), Rejection> {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// Rejections of the kernel itself: numbers 1 to 99.
pub mod kernel {
    super::rejections! {
        /// The transaction is for another chain.
        WRONG_CHAIN = 1, "wrong_chain", "the transaction is meant for another ledger";
        /// The block's time is past the transaction's `valid_until`.
        EXPIRED = 2, "expired", "the transaction is no longer valid; sign it anew";
        /// `valid_until` is more than seven days ahead.
        VALID_TOO_LONG = 3, "valid_too_long", "a transaction may be valid for at most 7 days";
        /// No kind has this number.
        UNKNOWN_KIND = 4, "unknown_kind", "there is no such kind of transaction";
        /// The body does not decode as its kind, or not canonically.
        MALFORMED_BODY = 5, "malformed_body", "the body does not fit its kind";
        /// The idempotency key was used with other content.
        KEY_REUSED = 6, "idempotency_key_reused", "this idempotency key was used for something else";
        /// The transaction format is of another version.
        WRONG_VERSION = 7, "wrong_version", "the transaction has another format version";
        /// The author did not sign.
        AUTHOR_MISSING = 8, "author_missing", "the author's own signature is missing";
        /// An account would fall below its floor.
        INSUFFICIENT_BALANCE = 20, "insufficient_balance", "the balance is not sufficient";
        /// Accounts or amounts of different currencies met.
        CURRENCY_MISMATCH = 21, "currency_mismatch", "the currencies differ";
        /// A sum does not fit 64 bits.
        AMOUNT_OVERFLOW = 22, "amount_overflow", "the amount is too large";
        /// The account does not exist.
        UNKNOWN_ACCOUNT = 23, "unknown_account", "there is no such account";
        /// The account exists already.
        ACCOUNT_EXISTS = 24, "account_exists", "the account exists already";
        /// An amount of zero was to be moved.
        NOTHING_TO_MOVE = 25, "nothing_to_move", "the amount must be more than zero";
        /// There is no such hold, or it is posted, voided or expired.
        HOLD_NOT_PENDING = 26, "hold_not_pending", "the held amount is no longer pending";
        /// The account carries its largest number of holds.
        TOO_MANY_HOLDS = 27, "too_many_holds", "too many amounts are held on this account";
        /// More than the held amount was to be posted.
        HOLD_EXCEEDED = 28, "hold_exceeded", "more than the held amount cannot be posted";
        /// A hold with this id exists already.
        HOLD_EXISTS = 29, "hold_exists", "a held amount with this id exists already";
        /// Debit and credit are the same account.
        SAME_ACCOUNT = 30, "same_account", "an account cannot pay itself";
    }
}
