//! Secret keys of the three schemes.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use primitives::{Hash, OrganisationId, PublicKey, Signature, sha256_parts};
use serde::{Deserialize, Serialize};
use sm2::dsa::signature::Signer as _;
use zeroize::Zeroizing;

use super::SM2_USER_ID;

/// The signature schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Ed25519 (RFC 8032), the organisations' scheme.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, the scheme of passkeys.
    P256,
    /// SM2 with SM3, where national cryptography is required.
    Sm2,
}

impl Scheme {
    /// The name of the scheme: `ed25519`, `p256`, `sm2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::Sm2 => "sm2",
        }
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
    /// The bytes are no secret key of the scheme (P-256 and SM2: a number from 1 to n-1).
    #[error("the bytes are not a secret key of `{}`", .0.name())]
    Invalid(Scheme),
}

/// A secret key, ready to sign. Its bytes are wiped from memory when it is dropped, and `Debug`
/// shows the public key only.
pub struct SecretKey {
    scheme: Scheme,
    bytes: Zeroizing<[u8; 32]>,
    public: PublicKey,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Sm2(Box<sm2::dsa::SigningKey>),
}

impl SecretKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`SecretKeyError::Randomness`].
    pub fn generate(scheme: Scheme) -> Result<Self, SecretKeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(SecretKeyError::Randomness)?;
        Ok(Self::from_seed(scheme, &seed))
    }

    /// The key that belongs to a seed; the same seed always gives the same key. For demonstrations,
    /// tests and keys derived from a stronger secret.
    ///
    /// # Panics
    /// Never: of the candidates that a seed gives, all but one in 2^32 are keys.
    #[must_use]
    pub fn from_seed(scheme: Scheme, seed: &[u8; 32]) -> Self {
        (0_u32..256)
            .find_map(|attempt| {
                let tag = b"yibao/secret-key/v1";
                let parts = [&tag[..], scheme.name().as_bytes(), seed, &attempt.to_le_bytes()];
                Self::from_bytes(scheme, &sha256_parts(&parts).0).ok()
            })
            .expect("one of 256 random numbers of 256 bits is below the order of the curve")
    }

    /// The key with these bytes: the RFC 8032 seed, or the scalar in big-endian.
    ///
    /// # Errors
    /// [`SecretKeyError::Invalid`].
    pub fn from_bytes(scheme: Scheme, bytes: &[u8; 32]) -> Result<Self, SecretKeyError> {
        let (pair, public) =
            Pair::from_bytes(scheme, bytes).ok_or(SecretKeyError::Invalid(scheme))?;
        Ok(Self { scheme, bytes: Zeroizing::new(*bytes), public, pair })
    }

    /// The bytes that [`SecretKey::from_bytes`] takes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The key as PKCS#8, for programs that know no other form: that of a P-256 key.
    #[must_use]
    pub fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        match &self.pair {
            Pair::P256(pair) => Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec())),
            Pair::Ed25519(_) | Pair::Sm2(_) => None,
        }
    }

    /// The signature of a message that [`primitives::key::verify`] accepts.
    #[must_use]
    pub fn sign(&self, message: &Hash) -> Signature {
        let raw = self.sign_raw(message.as_bytes());
        match self.scheme {
            Scheme::Ed25519 => Signature::Ed25519(raw),
            Scheme::P256 => Signature::P256(raw),
            Scheme::Sm2 => Signature::Sm2(raw),
        }
    }

    /// The 64 bytes of the signature of any bytes. Ed25519 and SM2 signatures depend on nothing but
    /// key and message; a P-256 signature differs each time.
    ///
    /// # Panics
    /// When the library cannot sign with a key that it accepted before, which only lack of memory
    /// brings about.
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().try_into().ok(),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .ok()
                .and_then(|signature| signature.as_ref().try_into().ok()),
            Pair::Sm2(key) => {
                key.try_sign(message).ok().map(|signature| signature.to_bytes().into())
            }
        };
        signature.expect("a key that was accepted signs, and every signature is 64 bytes")
    }
}

impl Pair {
    fn from_bytes(scheme: Scheme, bytes: &[u8; 32]) -> Option<(Self, PublicKey)> {
        Some(match scheme {
            Scheme::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(bytes).ok()?;
                let public = PublicKey::Ed25519(pair.public_key().as_ref().try_into().ok()?);
                (Self::Ed25519(pair), public)
            }
            Scheme::P256 => {
                let scalar = PrivateKey::from_private_key(&ECDH_P256, bytes).ok()?;
                let point = scalar.compute_public_key().ok()?;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    bytes,
                    point.as_ref(),
                );
                (Self::P256(pair.ok()?), PublicKey::P256(coordinates(point.as_ref())?))
            }
            Scheme::Sm2 => {
                let key = sm2::dsa::SigningKey::from_slice(SM2_USER_ID, bytes).ok()?;
                let point = key.verifying_key().to_sec1_bytes();
                (Self::Sm2(Box::new(key)), PublicKey::Sm2(coordinates(&point)?))
            }
        })
    }
}

/// x and y of an uncompressed SEC1 point.
fn coordinates(point: &[u8]) -> Option<[u8; 64]> {
    match point {
        [4, xy @ ..] => xy.try_into().ok(),
        _ => None,
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", self.public)
    }
}

/// A validator's key in this process's memory.
#[derive(Debug)]
pub struct ValidatorKey {
    organisation: OrganisationId,
    key: SecretKey,
}

impl ValidatorKey {
    /// The key with which this organisation certifies blocks.
    #[must_use]
    pub const fn new(organisation: OrganisationId, key: SecretKey) -> Self {
        Self { organisation, key }
    }
}

impl consensus::Signer for ValidatorKey {
    fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &Hash) -> Result<Signature, consensus::SignerError> {
        Ok(self.key.sign(message))
    }
}
