//! The shell of the ledger: signature backends, durable storage, the block loop and what serves it.
//!
//! Reading order: [`signature`].

pub mod signature;
