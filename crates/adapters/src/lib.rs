//! The outside world, a folder per adapter behind one trait per kind: payment rails, the identity
//! authority, notices. Everything embedded here is a simulator and is named so to its users, until
//! an operator connects the real thing behind the same trait.
//!
//! Reading order: [`clock`], [`rail`], [`effect`], [`bank_file`], [`identity`], [`notice`],
//! [`directory`], [`hospital`], [`edge`].
//!
//! Invariants:
//! - An order to move money carries our own reference and is recorded durably before it is sent;
//!   whatever a rail, a network or a crash does, money moves at most once per reference (guarded
//!   by `tests/exactly_once.rs`).
//! - "Unknown" is a state to leave, never one to stay in: it is left by asking the rail for our
//!   own reference.
//! - No type here shows a name, an identity number, a card number or an address in `Debug` or
//!   `Display` (guarded by `tests/redaction.rs`).
//! - Time comes from a [`clock::Clock`], randomness from a seed given by the caller.

pub mod bank_file;
pub mod clock;
pub mod directory;
pub mod edge;
pub mod effect;
pub mod hospital;
pub mod identity;
mod messages;
pub mod notice;
pub mod rail;
pub mod sqlite;
