//! The shell of the ledger: signature backends, durable storage, the block loop and what serves it.
//!
//! Reading order: [`signature`], [`store`] (what is on disk).

pub mod signature;
pub mod store;
