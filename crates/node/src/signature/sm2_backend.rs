//! Checking SM2 signatures: one set of rules in front of several libraries (decision record 0015).
//!
//! What is looked at before any library computes with it: the key is a canonical point of the
//! curve, `r` and `s` lie between 1 and n-1, and `r + s` is not a multiple of n. These rules are
//! checked here, by the RustCrypto crate, because the fastest library leaves them out: it takes
//! any 64 bytes for a key and any 64 for a signature. Behind them, every backend computes the
//! same equation (test `every_sm2_backend_gives_the_same_answer`).

use sm2::dsa::signature::hazmat::PrehashVerifier as _;
use sm3::{Digest as _, Sm3};

use super::{SM2_USER_ID, uncompressed};

/// What computes the equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sm2Backend {
    /// The crate `efficient-sm2`: the fastest, and the one that a node uses.
    Efficient,
    /// The crate `sm2` of RustCrypto: the reference.
    RustCrypto,
    /// The system's OpenSSL, or a library that stands in its place, such as Tongsuo.
    #[cfg(feature = "openssl-sm2")]
    OpenSsl,
}

impl Sm2Backend {
    /// Every backend that is built in.
    pub const ALL: &'static [Self] = &[
        Self::Efficient,
        Self::RustCrypto,
        #[cfg(feature = "openssl-sm2")]
        Self::OpenSsl,
    ];

    /// The name in figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Efficient => "efficient_sm2",
            Self::RustCrypto => "rustcrypto",
            #[cfg(feature = "openssl-sm2")]
            Self::OpenSsl => "openssl",
        }
    }

    /// Whether these are the key's signature over the message, by the rules of
    /// [`primitives::key`]. A key that is none has no valid signature.
    #[must_use]
    pub fn accepts(self, point: &[u8; 64], message: &[u8], signature: &[u8; 64]) -> bool {
        let Some(key) = public_key(point) else { return false };
        let Some(signature) = in_range(signature) else { return false };
        let digest = digest(point, message);
        match self {
            Self::Efficient => efficient(point, &digest, &signature),
            Self::RustCrypto => {
                let key = sm2::dsa::VerifyingKey::new(SM2_USER_ID, key);
                key.is_ok_and(|key| key.verify_prehash(&digest, &signature).is_ok())
            }
            #[cfg(feature = "openssl-sm2")]
            Self::OpenSsl => openssl(point, &digest, &signature).unwrap_or(false),
        }
    }
}

/// The key of these coordinates: both below the prime, on the curve.
pub(super) fn public_key(point: &[u8; 64]) -> Option<sm2::PublicKey> {
    sm2::PublicKey::from_sec1_bytes(&uncompressed(point)).ok()
}

/// The signature of these bytes, when `r` and `s` lie in their range and do not add up to n.
fn in_range(bytes: &[u8; 64]) -> Option<sm2::dsa::Signature> {
    let signature = sm2::dsa::Signature::from_slice(bytes).ok()?;
    let (r, s) = (*signature.r(), *signature.s());
    (r != -s).then_some(signature)
}

/// What is signed: SM3 of the signer's identity and the message (GB/T 32918.2, sections 5.5 and
/// 6.1).
fn digest(point: &[u8; 64], message: &[u8]) -> [u8; 32] {
    let bits = u16::try_from(SM2_USER_ID.len() * 8).expect("the user id is short");
    let identity = Sm3::new()
        .chain_update(bits.to_be_bytes())
        .chain_update(SM2_USER_ID)
        .chain_update(CURVE)
        .chain_update(point)
        .finalize();
    Sm3::new().chain_update(identity).chain_update(message).finalize().into()
}

/// The parameters a and b of the curve and the coordinates of its generator (GB/T 32918.5), which
/// every identity covers.
const CURVE: [u8; 128] = hex_bytes(
    b"fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc\
      28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93\
      32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
      bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
);

const fn hex_bytes(digits: &[u8; 256]) -> [u8; 128] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit - b'a' + 10,
        }
    }
    let (mut bytes, mut at) = ([0; 128], 0);
    while at < 128 {
        bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

fn efficient(point: &[u8; 64], digest: &[u8; 32], signature: &sm2::dsa::Signature) -> bool {
    let key = efficient_sm2::PublicKey::from_slice(point);
    efficient_sm2::Signature::from_slice(&signature.to_bytes())
        .is_ok_and(|signature| signature.verify_digest(&key, digest).is_ok())
}

#[cfg(feature = "openssl-sm2")]
fn openssl(
    point: &[u8; 64],
    digest: &[u8; 32],
    signature: &sm2::dsa::Signature,
) -> Result<bool, openssl::error::ErrorStack> {
    use openssl::bn::{BigNum, BigNumContext};
    use openssl::ec::{EcGroup, EcKey, EcPoint};
    use openssl::ecdsa::EcdsaSig;
    use openssl::pkey::PKey;
    use openssl::pkey_ctx::PkeyCtx;

    let group = EcGroup::from_curve_name(openssl::nid::Nid::SM2)?;
    let mut context = BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, &uncompressed(point), &mut context)?;
    // A key on this curve becomes one of the kind SM2.
    let key = PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?;
    let half = |bytes: &[u8]| BigNum::from_slice(bytes);
    let bytes = signature.to_bytes();
    let encoded =
        EcdsaSig::from_private_components(half(&bytes[..32])?, half(&bytes[32..])?)?.to_der()?;
    let mut check = PkeyCtx::new(&key)?;
    check.verify_init()?;
    check.verify(digest, &encoded)
}
