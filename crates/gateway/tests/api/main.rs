//! The API over a real ledger, request by request.

mod contract;
mod event;
mod problems;
mod receipt;
mod session;
mod support;
mod transaction;
mod words;
