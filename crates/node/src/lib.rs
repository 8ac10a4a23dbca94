//! The shell of the ledger: signature backends, durable storage, the block loop and what serves it.
//!
//! Reading order: [`signature`], [`store`] (what is on disk), [`runtime`] (the running node),
//! `mempool`, [`history`], [`receipt_log`], [`voucher`], [`verify`], [`backup`], [`sync`],
//! [`outbox`], [`vault_store`].

pub mod backup;
mod cosign;
pub mod history;
mod mempool;
pub mod outbox;
pub mod receipt_log;
pub mod runtime;
pub mod signature;
pub mod store;
pub mod sync;
pub mod vault_store;
pub mod verify;
pub mod voucher;

pub use mempool::{MempoolFill, MempoolLimits};
pub use runtime::{Node, NodeConfig, NodeHandle};
