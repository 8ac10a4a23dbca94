//! What every module stands on.
//!
//! Reading order: [`state`] (rows under one root), [`overlay`] and [`table`] (how a transaction
//! reads and writes them), [`account`] and [`posting`] (money), [`transaction`], [`registry`]
//! (kinds), [`receipt`], [`effect`] (payments outside), [`block`] (execution), [`rejection`] (why
//! something may not happen); [`month`] when a module reckons by months.

pub mod account;
pub mod block;
pub mod context;
pub mod effect;
pub mod idempotency;
pub mod month;
pub mod overlay;
pub mod posting;
pub mod receipt;
pub mod registry;
pub mod rejection;
pub mod state;
pub mod table;
pub mod transaction;

#[cfg(test)]
mod tests;
