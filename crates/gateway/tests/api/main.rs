//! The API over a real ledger, request by request.

mod access;
mod contract;
mod details;
mod event;
mod family;
mod inquiry;
mod later;
mod limits;
mod nhsa;
mod nhsa_sale;
mod nhsa_standing;
mod nhsa_statement;
mod nhsa_stay;
mod objection;
mod premium;
mod privacy;
mod problems;
mod rail;
mod receipt;
mod request;
mod session;
mod support;
mod transaction;
mod visit;
mod wallet;
mod words;
