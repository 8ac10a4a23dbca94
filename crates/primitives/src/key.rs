//! Keys, signatures, and what makes a signature valid: one definition for every backend.
//!
//! Rules (decision record 0005):
//! - Ed25519: RFC 8032, without cofactor; `S` below the group order; `R` and `A` canonical. A key
//!   of
//!   small order is refused at registration and at verification.
//! - P-256 and SM2: `r` and `s` between 1 and n-1; a high `s` is accepted (passkeys make it);
//!   points are uncompressed SEC1, on the curve, not at infinity. SM2 additionally `r + s != n`,
//!   with
//!   user id `1234567812345678`.
//! - WebAuthn: the P-256 signature of `authenticatorData || SHA-256(clientDataJSON)`, type
//!   `webauthn.get`, challenge equal to the message in base64url without padding, user present and
//!   user verified, not cross-origin. Origin and rpId are parameters of the ledger, which compares
//!   them when it authorises ([`WebAuthnContext`]).
//! - No id ever covers a signature, so a second valid signature changes nothing.

use alloc::{boxed::Box, string::String, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Detail, detail,
    hash::{Hash, sha256},
};

/// The longest `clientDataJSON` that is looked at, in bytes.
pub const CLIENT_DATA_BYTES_MAX: usize = 1_024;
/// The longest `authenticatorData` that is looked at, in bytes.
pub const AUTHENTICATOR_DATA_BYTES_MAX: usize = 512;

/// A public key of one of the schemes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032), 32 bytes compressed.
    Ed25519([u8; 32]),
    /// ECDSA on P-256 with SHA-256; x and y, 64 bytes. Signs raw or inside a WebAuthn assertion.
    P256([u8; 64]),
    /// SM2 with SM3 (GB/T 32918); x and y, 64 bytes.
    Sm2([u8; 64]),
}

/// A signature; its variant says how the message was wrapped.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Signature {
    /// R and S.
    Ed25519([u8; 64]),
    /// r and s, big-endian.
    P256([u8; 64]),
    /// r and s, big-endian.
    Sm2([u8; 64]),
    /// A WebAuthn assertion by a P-256 key.
    WebAuthn(Box<Assertion>),
}

/// What an authenticator returns for `navigator.credentials.get`.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Assertion {
    /// `authenticatorData`, 37 bytes at the least.
    pub authenticator_data: Vec<u8>,
    /// `clientDataJSON`, byte for byte as the browser made it.
    pub client_data_json: Vec<u8>,
    /// r and s, big-endian (the edge turns the browser's DER into this form).
    pub signature: [u8; 64],
}

/// Where an assertion was made; compared with the ledger's parameters when it authorises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAuthnContext {
    /// SHA-256 of the rpId.
    pub rp_id_hash: Hash,
    /// The origin the browser saw, such as `https://wallet.example.org`.
    pub origin: String,
}

/// Why a signature or a key is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// Key and signature belong to different schemes.
    SchemeMismatch,
    /// The key is not a valid point (off the curve, not canonical, of small order).
    InvalidKey,
    /// The signature does not fit key and message.
    InvalidSignature,
    /// The assertion is longer than allowed or cut short.
    AssertionSize,
    /// `clientDataJSON` is not the expected JSON.
    ClientData,
    /// The type is not `webauthn.get`, or the page was embedded in a foreign one.
    ClientDataType,
    /// The challenge is not this message.
    ChallengeMismatch,
    /// User presence or user verification is missing.
    UserNotVerified,
}

impl From<SignatureError> for Detail {
    fn from(error: SignatureError) -> Self {
        use SignatureError as Error;
        match error {
            Error::SchemeMismatch => detail!("key and signature belong to different schemes"),
            Error::InvalidKey => detail!("the key is not a valid public key"),
            Error::InvalidSignature => {
                detail!("the signature does not fit the key and the signed bytes")
            }
            Error::AssertionSize => detail!("the passkey answer is too long or cut short"),
            Error::ClientData => detail!("the passkey answer has no readable client data"),
            Error::ClientDataType => detail!("the passkey answer is not a sign-in on our own page"),
            Error::ChallengeMismatch => detail!("the passkey signed something else"),
            Error::UserNotVerified => detail!("the passkey did not check finger, face or PIN"),
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}
impl core::error::Error for SignatureError {}

/// A backend that checks raw signatures by the rules of this module. Wrapping is done here once.
pub trait Verifier {
    /// Whether the key is valid: on the curve, canonical, not of small order.
    ///
    /// # Errors
    /// [`SignatureError::InvalidKey`].
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError>;

    /// Whether these 64 bytes are the key's signature of the message, under the key's scheme.
    ///
    /// # Errors
    /// [`SignatureError::InvalidKey`] or [`SignatureError::InvalidSignature`].
    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError>;
}

/// Whether the signature is the key's over this message; for an assertion also where it was made.
///
/// # Errors
/// The first rule of this module that does not hold.
pub fn verify(
    verifier: &(impl Verifier + ?Sized),
    key: &PublicKey,
    message: &Hash,
    signature: &Signature,
) -> Result<Option<WebAuthnContext>, SignatureError> {
    match (key, signature) {
        (PublicKey::Ed25519(_), Signature::Ed25519(raw))
        | (PublicKey::P256(_), Signature::P256(raw))
        | (PublicKey::Sm2(_), Signature::Sm2(raw)) => {
            verifier.verify_raw(key, message.as_bytes(), raw).map(|()| None)
        }
        (PublicKey::P256(_), Signature::WebAuthn(assertion)) => {
            let context = check_assertion(message, assertion)?;
            let client_hash = sha256(&assertion.client_data_json);
            let mut signed = assertion.authenticator_data.clone();
            signed.extend_from_slice(client_hash.as_bytes());
            verifier.verify_raw(key, &signed, &assertion.signature).map(|()| Some(context))
        }
        _ => Err(SignatureError::SchemeMismatch),
    }
}

/// The members of `clientDataJSON` that count.
#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

/// Flags of `authenticatorData`: user present (bit 0) and user verified (bit 2).
const PRESENT_AND_VERIFIED: u8 = 0b101;

fn check_assertion(
    message: &Hash,
    assertion: &Assertion,
) -> Result<WebAuthnContext, SignatureError> {
    if assertion.client_data_json.len() > CLIENT_DATA_BYTES_MAX
        || assertion.authenticator_data.len() > AUTHENTICATOR_DATA_BYTES_MAX
    {
        return Err(SignatureError::AssertionSize);
    }
    let (rp_id_hash, rest) = assertion
        .authenticator_data
        .split_first_chunk::<32>()
        .ok_or(SignatureError::AssertionSize)?;
    let (flags, _counter) = match rest {
        [flags, c0, c1, c2, c3, ..] => (*flags, [*c0, *c1, *c2, *c3]),
        _ => return Err(SignatureError::AssertionSize),
    };
    let client: ClientData = serde_json::from_slice(&assertion.client_data_json)
        .map_err(|_| SignatureError::ClientData)?;
    if client.r#type != "webauthn.get" || client.cross_origin {
        return Err(SignatureError::ClientDataType);
    }
    if client.challenge != Base64UrlUnpadded::encode_string(message.as_bytes()) {
        return Err(SignatureError::ChallengeMismatch);
    }
    if flags & PRESENT_AND_VERIFIED != PRESENT_AND_VERIFIED {
        return Err(SignatureError::UserNotVerified);
    }
    Ok(WebAuthnContext { rp_id_hash: Hash(*rp_id_hash), origin: client.origin })
}

impl PublicKey {
    /// The name of the scheme: `ed25519`, `p256`, `sm2`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ed25519",
            Self::P256(_) => "p256",
            Self::Sm2(_) => "sm2",
        }
    }

    /// The bytes behind the scheme's name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(bytes) => bytes,
            Self::P256(bytes) | Self::Sm2(bytes) => bytes,
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme(), hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for PublicKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let wrong = detail!(
                "`{text}` is not a public key; write `ed25519:HEX`, `p256:HEX` or `sm2:HEX`",
                text
            );
            String::from(wrong)
        };
        let (scheme, digits) = text.split_once(':').ok_or_else(wrong)?;
        let bytes = hex::decode(digits).map_err(|_| wrong())?;
        match scheme {
            "ed25519" => bytes.try_into().map(Self::Ed25519).map_err(|_| wrong()),
            "p256" => bytes.try_into().map(Self::P256).map_err(|_| wrong()),
            "sm2" => bytes.try_into().map(Self::Sm2).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

crate::text::string_schema!(
    PublicKey,
    "PublicKey",
    "`ed25519:HEX` (32 bytes), `p256:HEX` or `sm2:HEX` (x and y, 64 bytes)",
    "^(ed25519:[0-9a-f]{64}|(p256|sm2):[0-9a-f]{128})$"
);

/// A signature in JSON: `{"scheme":"ed25519","bytes":HEX}`, or a WebAuthn assertion with its parts
/// in hex.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "scheme", rename_all = "lowercase", deny_unknown_fields)]
enum SignatureForm {
    Ed25519 { bytes: String },
    P256 { bytes: String },
    Sm2 { bytes: String },
    WebAuthn { authenticator_data: String, client_data_json: String, signature: String },
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ed25519(raw) => SignatureForm::Ed25519 { bytes: hex::encode(raw) },
            Self::P256(raw) => SignatureForm::P256 { bytes: hex::encode(raw) },
            Self::Sm2(raw) => SignatureForm::Sm2 { bytes: hex::encode(raw) },
            Self::WebAuthn(assertion) => SignatureForm::WebAuthn {
                authenticator_data: hex::encode(&assertion.authenticator_data),
                client_data_json: hex::encode(&assertion.client_data_json),
                signature: hex::encode(assertion.signature),
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn bytes<E: serde::de::Error>(field: &str, text: &str) -> Result<Vec<u8>, E> {
            hex::decode(text).map_err(|_| E::custom(detail!("`{field}` is not hex", field)))
        }
        fn raw<E: serde::de::Error>(field: &str, text: &str) -> Result<[u8; 64], E> {
            bytes(field, text)?
                .try_into()
                .map_err(|_| E::custom(detail!("`{field}` is not 64 bytes in hex", field)))
        }
        Ok(match SignatureForm::deserialize(deserializer)? {
            SignatureForm::Ed25519 { bytes } => Self::Ed25519(raw("bytes", &bytes)?),
            SignatureForm::P256 { bytes } => Self::P256(raw("bytes", &bytes)?),
            SignatureForm::Sm2 { bytes } => Self::Sm2(raw("bytes", &bytes)?),
            SignatureForm::WebAuthn { authenticator_data, client_data_json, signature } => {
                Self::WebAuthn(Box::new(Assertion {
                    authenticator_data: bytes("authenticator_data", &authenticator_data)?,
                    client_data_json: bytes("client_data_json", &client_data_json)?,
                    signature: raw("signature", &signature)?,
                }))
            }
        })
    }
}

impl schemars::JsonSchema for Signature {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Signature".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        SignatureForm::json_schema(generator)
    }
}
