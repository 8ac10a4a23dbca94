//! The second backend. It follows the same rules in other words: the rules for keys are computed on
//! points here, not compared with a table as in the node.

use crate::openssl;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::Verifier as _;
use p256::ecdsa;
use primitives::{PublicKey, SignatureError, Verifier};

pub struct SecondVerifier;

impl Verifier for SecondVerifier {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let valid = match key {
            PublicKey::Ed25519(bytes) => ed25519_key(bytes).is_some(),
            PublicKey::P256(xy) => p256_key(xy).is_some(),
            PublicKey::Sm2(xy) => openssl::sm2_key_is_valid(xy),
        };
        if valid { Ok(()) } else { Err(SignatureError::InvalidKey) }
    }

    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        self.check_key(key)?;
        let valid = match key {
            PublicKey::Ed25519(bytes) => {
                let signature = ed25519_dalek::Signature::from_bytes(signature);
                ed25519_key(bytes).is_some_and(|key| key.verify(message, &signature).is_ok())
            }
            PublicKey::P256(xy) => ecdsa::Signature::from_slice(signature)
                .ok()
                .zip(p256_key(xy))
                .is_some_and(|(signature, key)| key.verify(message, &signature).is_ok()),
            PublicKey::Sm2(xy) => openssl::sm2_verify(xy, message, signature),
        };
        if valid { Ok(()) } else { Err(SignatureError::InvalidSignature) }
    }
}

fn ed25519_key(bytes: &[u8; 32]) -> Option<ed25519_dalek::VerifyingKey> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    let acceptable = !point.is_small_order() && point.compress().0 == *bytes;
    ed25519_dalek::VerifyingKey::from_bytes(bytes).ok().filter(|_| acceptable)
}

fn p256_key(xy: &[u8; 64]) -> Option<ecdsa::VerifyingKey> {
    ecdsa::VerifyingKey::from_sec1_bytes(&[&[4], &xy[..]].concat()).ok()
}
