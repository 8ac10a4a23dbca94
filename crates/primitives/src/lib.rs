//! The words everything in yibao is said in: amounts, rates, dates, ids, hashes, keys, and what
//! makes a signature valid.
//!
//! Reading order: [`amount`], [`rate`], [`exchange`], [`date`], [`id`], [`hash`], [`key`],
//! [`codec`], [`detail`].
//!
//! Invariants: nothing here reads a clock, a file, a random source or an environment; there is no
//! floating point; the only encoding that is hashed or signed is borsh ([`codec`]).
#![no_std]
extern crate alloc;

pub mod amount;
pub mod codec;
pub mod date;
pub mod detail;
pub mod exchange;
pub mod hash;
pub mod id;
pub mod key;
pub mod party;
pub mod rate;
mod text;

pub use amount::{Amount, Currency, ParseAmountError, Rounding};
pub use date::{CivilDate, ParseDateError, Period, Timestamp, UtcOffset};
pub use detail::{Detail, Sentence};
pub use exchange::{ExchangePrice, ExchangeRate};
pub use hash::{Hash, sha256, sha256_parts};
pub use id::{FamilyId, FundId, OrganisationId, PersonId, RegionId, SchemeId, SlotId, VisitId};
pub use key::{PublicKey, Signature, SignatureError, Verifier};
pub use party::Party;
pub use rate::Rate;
pub use text::Text;
