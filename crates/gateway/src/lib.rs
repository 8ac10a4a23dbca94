//! The HTTP edge: sessions, transactions, receipts, vouchers and views over a ledger that is seen
//! only through the trait [`Port`].
//!
//! Reading order: [`port`] (the ledger as seen from here), [`endpoint`] (what an operation is),
//! [`api`] (the operations, one file per resource), [`nhsa`] (the national interface of hospitals),
//! [`access`] (who may load what), [`session`] (who asks), [`problem`] (what is said when something
//! is wrong), [`router`] and [`server`] (from bytes to handlers and back), [`wallet`] (what the
//! bureau does for wallets), [`web`] (the embedded app), [`openapi`].
//!
//! Invariants:
//! - A person or organisation sees only what concerns it; every operation is tried without a
//!   session, by the wrong party and by the right one (`tests/access.rs`, which fails when a trial
//!   is missing).
//! - No operation scans the state.
//! - Everything that goes wrong is a problem document with a stable code (`tests/problems.rs`).
//! - Logs carry operation names, statuses and request ids, never parties, bodies or addresses.

pub mod access;
pub mod api;
pub mod call;
pub mod config;
mod connection;
pub mod endpoint;
pub mod gateway;
pub mod hub;
pub mod in_flight;
mod json_room;
pub mod metrics;
pub mod nhsa;
mod notices;
pub mod openapi;
pub mod payments;
pub mod port;
pub mod problem;
pub mod receipt_view;
pub mod router;
pub mod server;
pub mod session;
pub mod simulation;
pub mod wallet;
pub mod web;

pub use config::Config;
pub use gateway::Gateway;
pub use openapi::openapi;
pub use port::{Chain, Port};
pub use router::router;
pub use server::serve;
