//! Ed25519 by our definition (decision record 0005), in plain Rust. Logs and witnesses sign with
//! nothing else.

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use primitives::{PublicKey, SignatureError, Verifier};

/// Ed25519 by `ed25519-dalek`.
pub(crate) struct Ed25519;

impl Ed25519 {
    /// The key, if it is canonical, on the curve and of large order.
    fn key(key: &PublicKey) -> Result<VerifyingKey, SignatureError> {
        let PublicKey::Ed25519(bytes) = key else { return Err(SignatureError::SchemeMismatch) };
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::InvalidKey)?;
        let is_canonical = key.to_edwards().compress().to_bytes() == *bytes;
        if is_canonical && !key.is_weak() { Ok(key) } else { Err(SignatureError::InvalidKey) }
    }
}

impl Verifier for Ed25519 {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        Self::key(key).map(drop)
    }

    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(signature);
        Self::key(key)?.verify(message, &signature).map_err(|_| SignatureError::InvalidSignature)
    }
}
