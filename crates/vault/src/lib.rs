//! Sealed envelopes: an itemised bill is encrypted once, and its key is wrapped for each reader.
//!
//! Reading order: [`bill`] (what is sealed, and the commitment that the ledger holds), [`reader`]
//! (who can open), [`grant`] (who else, for a time), [`envelope`] (seal, open, grant, revoke),
//! [`padding`] (what the size tells).
//!
//! The cryptography is other people's: XChaCha20-Poly1305 for content, HPKE (RFC 9180) with X25519,
//! HKDF-SHA256 and ChaCha20-Poly1305 for keys.
//!
//! Invariants: randomness and time are arguments; nothing here reads a clock, a file or a random
//! source; every reader of outside bytes bounds their size before anything else.
#![no_std]
extern crate alloc;

pub mod bill;
pub mod envelope;
pub mod grant;
pub mod padding;
pub mod reader;

pub use bill::{BillContent, commit_bill};
pub use envelope::{Envelope, EnvelopeContext, EnvelopeError};
pub use grant::{Grant, GrantedKey};
pub use reader::{ReaderKey, ReaderSecret};

/// The trait that randomness comes in, with the version that this crate uses.
pub use hpke::rand_core;

/// A stream of randomness from 32 fresh random bytes, for callers whose random source gives bytes
/// and not a stream. The seed must never be used twice.
#[must_use]
pub fn randomness(seed: [u8; 32]) -> impl rand_core::CryptoRng {
    <chacha20::ChaCha20Rng as rand_core::SeedableRng>::from_seed(seed)
}
