//! Generated files that are committed and reviewed: the contract for clients (`contract/`) and
//! golden values for other implementations (`vectors/`). `make contract` writes them anew.

#[path = "../support/mod.rs"]
mod support;

mod adjudications;
mod encodings;
mod golden;
mod openapi;
mod payouts;
mod regions;
mod sampler;
mod signatures;
mod voucher;
mod words;
