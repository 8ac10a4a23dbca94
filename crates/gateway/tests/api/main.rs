//! The API over a real ledger, request by request.

mod session;
mod support;
