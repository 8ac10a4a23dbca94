//! Who can open envelopes: X25519 keys.

use alloc::string::{String, ToString};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use primitives::detail;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
pub(crate) type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// The public key of somebody who can open envelopes: 32 bytes of X25519, 64 hex digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ReaderKey(pub [u8; 32]);

impl ReaderKey {
    pub(crate) fn to_public(self) -> Option<PublicKey> {
        PublicKey::from_bytes(&self.0).ok()
    }
}

impl fmt::Display for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for ReaderKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = [0_u8; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if Self(bytes).to_string() == text => Ok(Self(bytes)),
            _ => Err(detail!(
                "`{text}` is not a reader's key; write 64 lower-case hex digits",
                text = text.escape_debug().to_string()
            )
            .into()),
        }
    }
}

impl Serialize for ReaderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReaderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ReaderKey {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "ReaderKey".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "the X25519 key of somebody who can open envelopes",
            "pattern": "^[0-9a-f]{64}$"
        })
    }
}

/// The private key of a reader. Wiped from memory when dropped; never shown.
pub struct ReaderSecret {
    secret: PrivateKey,
    key: ReaderKey,
}

impl ReaderSecret {
    /// The key that these 32 secret random bytes give, by `DeriveKeyPair` of RFC 9180.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let (secret, public) = X25519HkdfSha256::derive_keypair(seed);
        Self { secret, key: ReaderKey(public.to_bytes().into()) }
    }

    /// The public key.
    #[must_use]
    pub const fn key(&self) -> ReaderKey {
        self.key
    }

    pub(crate) const fn private(&self) -> &PrivateKey {
        &self.secret
    }
}

impl fmt::Debug for ReaderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderSecret(of {})", self.key)
    }
}
