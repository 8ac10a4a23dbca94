//! Effects on the world outside: taken from receipts, driven on the organisation's rails to their
//! final word, and that word told to the ledger.
//!
//! Reading order: this file (what an organisation knows about a payment), [`book`] (what is kept on
//! disk), [`plan`] (which order an effect becomes), [`follower`] (the steps), `confirm` (what the
//! ledger is told), `change` (what was paid too much).
//!
//! An effect goes through three books, each durable before the next one is touched: the history
//! says that the ledger ordered it, the outbox of [`adapters::effect`] that the rail is told, and
//! the ledger's own receipt of `confirm_effect` that the word has arrived. Every step can be
//! repeated: the rail is told under a fixed reference, the ledger under a fixed idempotency key.
//!
//! Invariants: no money moves twice for one effect and no effect is forgotten, wherever the process
//! ends (test `wherever_the_process_dies_every_payment_happens_once_and_the_ledger_hears_of_it`).

pub mod book;
mod change;
mod confirm;
mod failure;
pub mod follower;
pub mod plan;

use adapters::effect::RailName;
use adapters::rail::{Reference, Refusal, Token};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, codec, sha256_parts};
use serde::{Deserialize, Serialize};

pub use book::{Book, BookError, OpenEffect, OpenReason};
pub use failure::OutboxFailure;
pub use follower::{Outbox, OutboxBacklog, OutboxConfig, OutboxHandle, StepReport};

/// What an organisation's rail answered before a settlement, kept by the organisation. The ledger
/// knows its commitment only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// Which of the organisation's rails.
    pub rail: RailName,
    /// What the rail answered.
    pub note: Note,
    /// 32 random bytes behind the commitment.
    pub salt: Hash,
}

/// What a rail has promised or done before the settlement.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case", deny_unknown_fields)]
pub enum Note {
    /// The rail holds this amount under this reference.
    Held {
        /// Of the hold.
        reference: Reference,
        /// How much is held.
        amount: Amount,
    },
    /// The rail has taken this amount already.
    Paid {
        /// Of the payment.
        reference: Reference,
        /// What it was taken from.
        from: Token,
        /// How much was taken.
        amount: Amount,
    },
    /// Nothing happened yet; the money is to be taken from here, or for a payout to go there.
    Later {
        /// A bound card or a till.
        from: Token,
    },
}

impl Authorisation {
    /// What the ledger knows of it: SHA-256 of `yibao/authorisation/v1` and the bytes, salt
    /// included.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        sha256_parts(&[b"yibao/authorisation/v1", &codec::encode(self)])
    }
}

/// The executor's final word on an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Word {
    /// The rail did it, with this amount.
    Done {
        /// How much was collected, let go or given back.
        amount: Amount,
    },
    /// The rail did not do it and will not.
    Failed {
        /// The number of the rail's reason ([`refusal_code`]).
        reason: u8,
    },
}

/// The stable number of a rail's reason, as it stands on the ledger; never reused.
#[must_use]
pub const fn refusal_code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::InsufficientFunds => 1,
        Refusal::CardUnknown => 2,
        Refusal::CardBlocked => 3,
        Refusal::HolderMismatch => 4,
        Refusal::PaymentLimit => 5,
        Refusal::DailyLimit => 6,
        Refusal::Declined => 7,
        Refusal::AmountZero => 8,
        Refusal::HoldPeriod => 9,
        Refusal::HoldExpired => 10,
        Refusal::HoldClosed => 11,
        Refusal::ExceedsHold => 12,
        Refusal::ExceedsOriginal => 13,
        Refusal::OriginalUnknown => 14,
        Refusal::AlreadyMoved => 15,
        Refusal::Closed => 16,
        Refusal::ReferenceReused => 17,
        Refusal::NotSupported => 18,
        Refusal::ShiftNotOpen => 19,
        Refusal::TillShort => 20,
        Refusal::CardExpired => 21,
    }
}

/// The rail's reason behind a number on the ledger.
#[must_use]
pub fn refusal_of_code(code: u8) -> Option<Refusal> {
    Refusal::ALL.into_iter().find(|refusal| refusal_code(*refusal) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_number_of_its_own() {
        for refusal in Refusal::ALL {
            assert_eq!(refusal_of_code(refusal_code(refusal)), Some(refusal));
        }
        assert_eq!(refusal_of_code(0), None);
        assert_eq!(refusal_of_code(22), None);
    }

    #[test]
    fn a_commitment_changes_with_every_part() {
        let authorisation = Authorisation {
            rail: RailName::new("bank").unwrap(),
            note: Note::Later { from: "card:1".parse().unwrap() },
            salt: Hash([7; 32]),
        };
        let others = [
            Authorisation { rail: RailName::new("till").unwrap(), ..authorisation.clone() },
            Authorisation { salt: Hash([8; 32]), ..authorisation.clone() },
            Authorisation {
                note: Note::Later { from: "card:2".parse().unwrap() },
                ..authorisation.clone()
            },
        ];
        for other in others {
            assert_ne!(other.commitment(), authorisation.commitment());
        }
    }
}
