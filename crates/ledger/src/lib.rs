//! The deterministic state machine: `(state, block) -> (state, receipts)`.
//!
//! Reading order: [`kernel`] (state, double entry, transactions, the registry of kinds), then
//! [`modules`], one folder per domain and one file per kind of transaction.
//!
//! Invariants: no clock, randomness, input or output; a rejected transaction changes nothing but
//! the receipt log; the sum over all accounts is zero after every transaction (test
//! `the_ledger_sums_to_zero`).
#![no_std]
extern crate alloc;

pub mod genesis;
pub mod kernel;
pub mod modules;
pub mod readers;
#[cfg(test)]
pub(crate) mod testing;

pub use genesis::Genesis;
pub use kernel::block::{Admission, Block, BlockOutcome, Ledger, Tip, execute_block};
pub use kernel::effect::Effect;
pub use kernel::receipt::{Event, Receipt};
pub use kernel::registry::{Registry, registry};
pub use kernel::rejection::{Code, Rejection};
pub use kernel::state::{Seeds, State};
pub use kernel::transaction::{
    Authorisation, Content, IdempotencyKey, Transaction, VerifiedTransaction,
};
