//! How a message shows whose it is: one of the three ways that `docs/guide/hospital-it.md` names.

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sm2::dsa::SigningKey;
use sm2::dsa::signature::Signer as _;
use sm3::Sm3;

use crate::HisError;
use crate::message::Moment;
use crate::wire::Outgoing;

/// The user under whose name keys of the interface sign with SM2.
const SM2_USER: &str = "1234567812345678";
const SM2_KEY_BYTES: usize = 32;
/// How old a message that is signed within itself may be.
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// How a hospital's system signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// HMAC with SM3 over time and body, in a header.
    #[default]
    HmacSm3,
    /// SM2 with SM3 over the message without its `input`, in the message.
    Sm2Envelope,
    /// SHA-256 over time, secret and what is used once, in a header.
    Sha256Header,
}

/// What a hospital's system signs with.
#[derive(Clone)]
pub enum Signer {
    /// A secret for [`Scheme::HmacSm3`].
    HmacSm3(Vec<u8>),
    /// A key for [`Scheme::Sm2Envelope`].
    Sm2Envelope(Box<SigningKey>),
    /// A secret for [`Scheme::Sha256Header`].
    Sha256Header(Vec<u8>),
}

impl Signer {
    /// With what the file of the secret holds: the secret, or for SM2 the key in hex.
    ///
    /// # Errors
    /// When it is no key.
    pub fn new(scheme: Scheme, secret: &[u8]) -> Result<Self, HisError> {
        Ok(match scheme {
            Scheme::HmacSm3 => Self::HmacSm3(secret.to_vec()),
            Scheme::Sha256Header => Self::Sha256Header(secret.to_vec()),
            Scheme::Sm2Envelope => {
                let key = hex::decode(secret).ok();
                let key = key.filter(|key| key.len() == SM2_KEY_BYTES);
                let key = key.and_then(|key| SigningKey::from_slice(SM2_USER, &key).ok());
                let wrong = "`secret`: with `sm2-envelope` the file holds the private key, 64 hex \
                             digits";
                Self::Sm2Envelope(Box::new(key.ok_or_else(|| HisError::Setup(wrong.into()))?))
            }
        })
    }

    /// A message as it goes out at this time, for the hospital of this code.
    #[must_use]
    pub fn signed(&self, code: &str, (body, now): (&str, u64)) -> Outgoing {
        match self {
            Self::HmacSm3(secret) => {
                let signature = hmac_sm3(secret, (body, now));
                let headers = vec![("x-ca-key", code.to_owned()), ("x-ca-signature", signature)];
                Outgoing { headers, body: body.to_owned() }
            }
            Self::Sha256Header(secret) => {
                let time = (now / 1_000).to_string();
                // Another message at the same moment has another one.
                let nonce = hex::encode(Sha256::digest(format!("{now}\n{body}")));
                let signature = sha256_header(secret, (&time, &nonce));
                let headers = vec![
                    ("x-tif-paasid", code.to_owned()),
                    ("x-tif-signature", signature),
                    ("x-tif-timestamp", time),
                    ("x-tif-nonce", nonce),
                ];
                Outgoing { headers, body: body.to_owned() }
            }
            // The same message is always signed to the same bytes.
            Self::Sm2Envelope(key) => {
                let mut message: Value = serde_json::from_str(body).unwrap_or_default();
                message["cainfo"] = json!(sm2_envelope(key, &message));
                Outgoing { headers: Vec::new(), body: message.to_string() }
            }
        }
    }

    /// The same by a clock that is this many milliseconds slow: too old to be taken.
    #[must_use]
    pub fn signed_late(&self, code: &str, (body, now): (&str, u64), millis: u64) -> Outgoing {
        if !matches!(self, Self::Sm2Envelope(_)) {
            return self.signed(code, (body, now.saturating_sub(millis)));
        }
        let mut message: Value = serde_json::from_str(body).unwrap_or_default();
        let before = Moment(now.saturating_sub(DAY_MILLIS + millis));
        message["inf_time"] = json!(before.text());
        self.signed(code, (&message.to_string(), now))
    }

    /// Another's secret or key.
    #[must_use]
    pub fn another(&self) -> Self {
        let reversed = |secret: &[u8]| secret.iter().rev().copied().collect();
        match self {
            Self::HmacSm3(secret) => Self::HmacSm3(reversed(secret)),
            Self::Sha256Header(secret) => Self::Sha256Header(reversed(secret)),
            Self::Sm2Envelope(_) => {
                let key = SigningKey::from_slice(SM2_USER, &[1; SM2_KEY_BYTES]);
                Self::Sm2Envelope(Box::new(key.expect("a number below the curve's order")))
            }
        }
    }
}

/// The time in milliseconds, a colon, and HMAC-SM3 over time, line feed and body in upper-case hex.
fn hmac_sm3(secret: &[u8], (body, now): (&str, u64)) -> String {
    let mut mac = Hmac::<Sm3>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{now}\n").as_bytes());
    mac.update(body.as_bytes());
    format!("{now}:{}", hex::encode_upper(mac.finalize().into_bytes()))
}

/// SHA-256 over time, secret, what is used once, and time.
fn sha256_header(secret: &[u8], (time, nonce): (&str, &str)) -> String {
    let parts = [time.as_bytes(), secret, nonce.as_bytes(), time.as_bytes()];
    hex::encode(Sha256::digest(parts.concat()))
}

/// What is signed: the message without its signature and `input`, members by their names, without
/// spaces.
fn envelope_text(message: &Value) -> String {
    let mut members = message.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| name != "input" && name != "cainfo");
    Value::Object(members).to_string()
}

/// SM2 with SM3 over it, r and s as 64 bytes in Base64.
fn sm2_envelope(key: &SigningKey, message: &Value) -> String {
    let signature: sm2::dsa::Signature = key.sign(envelope_text(message).as_bytes());
    Base64::encode_string(&signature.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"synthetic secret of a test hospital";

    #[test]
    fn openssl_makes_the_same_signatures() {
        // printf '1767225600000\n{"infno":"9001"}' | openssl dgst -sm3 -mac HMAC -macopt \
        //   "key:synthetic secret of a test hospital"
        assert_eq!(
            hmac_sm3(SECRET, ("{\"infno\":\"9001\"}", 1_767_225_600_000)),
            "1767225600000:1ABFC505AD7B686E2A03B7CBE55C6C3C3F97A7182F8F4546DA8AC76D03236BBD"
        );
        // printf '1767225600synthetic secret of a test hospitaln-11767225600' \
        //   | openssl dgst -sha256
        assert_eq!(
            sha256_header(SECRET, ("1767225600", "n-1")),
            "0f66382f286b65795edb161474c0db521f6732ffa651699a73ae1a4a0d462624"
        );
    }

    #[test]
    fn an_envelope_is_signed_to_the_same_bytes_and_without_its_input() {
        let signer = Signer::new(Scheme::Sm2Envelope, "7".repeat(64).as_bytes()).expect("a key");
        let body = "{\"infno\":\"9001\",\"input\":{\"a\":1},\"inf_time\":\"2026-01-01 08:00:00\"}";
        let sent = signer.signed("H62010000001", (body, 0));
        assert_eq!(sent.body, signer.signed("H62010000001", (body, 1)).body);
        let message: Value = serde_json::from_str(&sent.body).expect("JSON");
        assert_eq!(message["input"]["a"], 1);
        let text = "{\"inf_time\":\"2026-01-01 08:00:00\",\"infno\":\"9001\"}";
        assert_eq!(envelope_text(&message), text);
        let late = signer.signed_late("H62010000001", (body, 1_767_225_600_000), 600_000);
        assert!(late.body.contains("2025-12-31 07:50:00"), "{}", late.body);
        assert_ne!(signer.another().signed("H62010000001", (body, 0)).body, sent.body);
        assert!(Signer::new(Scheme::Sm2Envelope, SECRET).is_err());
    }
}
