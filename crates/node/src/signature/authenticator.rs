//! What a passkey does, in software: for devices that have none, for demonstrations and tests.

use primitives::key::Assertion;
use primitives::{Hash, PublicKey, Signature, sha256};
use serde::Serialize;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Scheme, SecretKey, SecretKeyError};

/// User present (bit 0) and user verified (bit 2).
const PRESENT_AND_VERIFIED: u8 = 0b101;

/// A device key that answers like `navigator.credentials.get`. Whoever holds one has to make sure
/// himself that the person is there: it vouches for user verification as a browser would.
#[derive(Debug)]
pub struct SoftwareAuthenticator {
    key: SecretKey,
    rp_id: String,
    origin: String,
    counter: AtomicU32,
}

/// The members and their order as in the WebAuthn specification, section 5.8.1.1.
#[derive(Serialize)]
struct ClientData<'a> {
    r#type: &'a str,
    challenge: String,
    origin: &'a str,
    #[serde(rename = "crossOrigin")]
    cross_origin: bool,
}

impl SoftwareAuthenticator {
    /// An authenticator with this P-256 key for one relying party.
    ///
    /// # Errors
    /// [`SecretKeyError::Invalid`] when the key is of another scheme.
    pub fn new(key: SecretKey, rp_id: &str, origin: &str) -> Result<Self, SecretKeyError> {
        if key.scheme() != Scheme::P256 {
            return Err(SecretKeyError::Invalid(Scheme::P256));
        }
        let (rp_id, origin) = (rp_id.to_owned(), origin.to_owned());
        Ok(Self { key, rp_id, origin, counter: AtomicU32::new(0) })
    }

    /// The public key to register.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Signs this message, for a transaction its id, as the challenge.
    ///
    /// # Panics
    /// Never: strings always serialise.
    #[must_use]
    pub fn assert(&self, message: &Hash) -> Signature {
        let client_data = ClientData {
            r#type: "webauthn.get",
            challenge: base64_url(message),
            origin: &self.origin,
            cross_origin: false,
        };
        let client_data_json = serde_json::to_vec(&client_data).expect("strings always serialise");
        let counter = self.counter.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut authenticator_data = sha256(self.rp_id.as_bytes()).0.to_vec();
        authenticator_data.push(PRESENT_AND_VERIFIED);
        authenticator_data.extend(counter.to_be_bytes());
        let mut signed = authenticator_data.clone();
        signed.extend(sha256(&client_data_json).0);
        let signature = self.key.sign_raw(&signed);
        Signature::WebAuthn(Box::new(Assertion { authenticator_data, client_data_json, signature }))
    }
}

fn base64_url(message: &Hash) -> String {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::encode_string(message.as_bytes())
}
