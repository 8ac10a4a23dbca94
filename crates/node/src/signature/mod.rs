//! Backends for keys and signatures: checking them fast, making them, keeping secret keys in files,
//! and a software authenticator for devices without passkeys.
//!
//! Reading order: this file, [`sm2_backend`], [`secret`], [`file`], [`passphrase`],
//! [`authenticator`].
//!
//! What makes a signature valid is said in [`primitives::key`] and nowhere else. A second,
//! independent backend in `tests/signature` answers every public and own vector the same way,
//! including the reason (test `both_backends_give_the_same_answer_to_every_wycheproof_vector`).

pub mod authenticator;
pub mod file;
pub mod passphrase;
pub mod secret;
pub mod sm2_backend;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, UnparsedPublicKey};
use curve25519_dalek::edwards::CompressedEdwardsY;
use primitives::{PublicKey, SignatureError, Verifier};

pub use authenticator::SoftwareAuthenticator;
pub use file::{
    KeyFile, KeyFileError, ProtectedKey, load_key, parse_key_file, read_key_file, replace_key,
    save_key, save_key_with, write_owned,
};
pub use passphrase::{Passphrase, PassphraseError};
pub use secret::{Scheme, SecretKey, SecretKeyError, ValidatorKey};
pub use sm2_backend::Sm2Backend;

/// The user id that every SM2 signature here is made under (GB/T 35276, section 10).
pub const SM2_USER_ID: &str = "1234567812345678";

/// The backend of the node: aws-lc for Ed25519 and P-256, [`Sm2Backend::Efficient`] for SM2.
///
/// It uses no batch verification: batches accept some signatures that single checks refuse, and
/// replicas that disagree on one signature have forked.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastVerifier;

impl Verifier for FastVerifier {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let valid = match key {
            PublicKey::Ed25519(bytes) => {
                is_canonical_and_of_large_order(bytes)
                    && CompressedEdwardsY(*bytes).decompress().is_some()
            }
            PublicKey::P256(point) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed(point)).is_ok()
            }
            PublicKey::Sm2(point) => sm2_backend::public_key(point).is_some(),
        };
        if valid { Ok(()) } else { Err(SignatureError::InvalidKey) }
    }

    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let valid = match key {
            PublicKey::Ed25519(bytes) => {
                is_canonical_and_of_large_order(bytes)
                    && UnparsedPublicKey::new(&ED25519, bytes).verify(message, signature).is_ok()
            }
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed(point))
                    .verify(message, signature)
                    .is_ok()
            }
            PublicKey::Sm2(point) => Sm2Backend::Efficient.accepts(point, message, signature),
        };
        if valid {
            return Ok(());
        }
        // The reason is part of the answer that all replicas agree on, so it must not depend on
        // which check a library happens to make first.
        self.check_key(key)?;
        Err(SignatureError::InvalidSignature)
    }
}

/// SEC1: the byte 4, x, y.
fn uncompressed(point: &[u8; 64]) -> [u8; 65] {
    let mut bytes = [4; 65];
    bytes[1..].copy_from_slice(point);
    bytes
}

/// The y coordinates of the points of order 1, 2, 4 and 8, little-endian without the sign bit. That
/// these are all is checked against the library's own list (test
/// `every_key_of_small_order_is_refused`).
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    small_number(0),
    small_number(1),
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn small_number(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

/// Whether the y coordinate is below 2^255-19 and not one of a point of small order. Together with
/// the curve equation, which the signature check needs anyway, this is the whole rule for Ed25519
/// keys; it costs nothing beside the check.
fn is_canonical_and_of_large_order(bytes: &[u8; 32]) -> bool {
    let mut y = *bytes;
    y[31] &= 0x7f;
    let canonical = y[0] < 0xed || y[31] != 0x7f || y[1..31].iter().any(|byte| *byte != 0xff);
    canonical && !SMALL_ORDER_Y.contains(&y)
}
