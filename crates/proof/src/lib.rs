//! What anybody can verify without asking us: block headers and their certificates, receipts with
//! salted commitments, the receipt log, signed checkpoints, and vouchers.
//!
//! Reading order: [`header`], [`receipt`], [`log`], [`tile`], [`note`], [`checkpoint`],
//! [`policy`], [`cosign`], [`tlog_proof`], [`voucher`].
//!
//! Invariants: this is the smallest trusted code, so it reads no clock, file, socket or random
//! source, holds no private key, and allocates no more than a small multiple of its input, whose
//! size every reader of outside bytes bounds first.
#![no_std]
extern crate alloc;

pub mod checkpoint;
pub mod cosign;
pub mod header;
pub mod log;
pub mod note;
pub mod policy;
pub mod receipt;
pub mod tile;
pub mod tlog_proof;
pub mod voucher;

mod base64;
mod bounded;
