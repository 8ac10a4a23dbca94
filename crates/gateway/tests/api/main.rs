//! The API over a real ledger, request by request.

mod access;
mod contract;
mod event;
mod problems;
mod receipt;
mod session;
mod support;
mod transaction;
mod visit;
mod words;
