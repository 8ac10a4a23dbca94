//! Bodies that are sealed, as mobile payment (6xxx) has them: the message goes by SM4 into
//! `encData`, and `signData` shows by SM2, or by SM3 with the secret, that nothing was changed.
//!
//! ```text
//! {"appId", "version", "timestamp" (s), "encType": "SM4", "signType": "SM2" or "SM3",
//!  "encData": upper-case hex, "signData": Base64 for SM2, hex for SM3}
//! key    = first 16 of hex(SM4(first 16 of appId, secret)), hex in upper case
//! signed = members but encData, signData, extra, and data = the message as it was sealed, by
//!          their names: "name=value" joined by "&", and "&key=" and the secret at the end
//! ```
//! SM4 is used as the interface has it, block by block (ECB, PKCS #7): blocks that are alike look
//! alike. That is no reason to leave TLS out, and what nothing here relies on.

use std::borrow::Cow;

use base64ct::{Base64, Encoding as _};
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyInit as _};
use primitives::Timestamp;
use serde_json::{Map, Value, json};
use sm2::dsa::signature::Verifier as _;
use sm3::{Digest as _, Sm3};
use sm4::Sm4;

use super::signature::{Keys, Received, SKEW_MILLIS, Scheme, sm2_key};

/// The member with the signature.
pub(super) const SIGNATURE_MEMBER: &str = "signData";
/// The member with the sealed message.
pub(super) const SEALED_MEMBER: &str = "encData";
/// The member that names whose body it is.
pub(super) const APP_MEMBER: &str = "appId";

/// What is not signed as it stands.
const UNSIGNED: [&str; 3] = [SEALED_MEMBER, SIGNATURE_MEMBER, "extra"];
/// The size of a key and of a block of SM4, in bytes.
const KEY_BYTES: usize = 16;
const VERSION: &str = "1.0.0";

/// How a hospital's sealed bodies are made.
pub struct Sealing {
    /// Whose they are; at least 16 characters.
    pub app_id: String,
    /// The 64 bytes of the key that signs them with SM2; without it they are signed with SM3.
    pub point: Option<Vec<u8>>,
    /// The secrets.
    pub keys: Keys,
}

impl Sealing {
    /// The key of SM4 that goes with a secret.
    fn key(&self, secret: &[u8]) -> Option<[u8; KEY_BYTES]> {
        let outer = self.app_id.as_bytes().first_chunk::<KEY_BYTES>()?;
        let sealed = ecb::Encryptor::<Sm4>::new(outer.into()).encrypt_padded_vec::<Pkcs7>(secret);
        hex::encode_upper(sealed).as_bytes().first_chunk().copied()
    }

    /// The body with an answer in it, under the secret that opened the question; signed with SM3,
    /// because the secret is the only key that both have.
    #[must_use]
    pub fn seal(&self, answer: &[u8], secret: &[u8], now: Timestamp) -> Vec<u8> {
        let Some(key) = self.key(secret) else { return Vec::new() };
        let sealed = ecb::Encryptor::<Sm4>::new(&key.into()).encrypt_padded_vec::<Pkcs7>(answer);
        let body = json!({
            "appId": self.app_id, "version": VERSION, "encType": "SM4", "signType": "SM3",
            "timestamp": (now.millis() / 1_000).to_string()
        });
        let mut members = body.as_object().cloned().unwrap_or_default();
        let tag = Sm3::digest(signed(&members, answer, secret));
        members.insert(SEALED_MEMBER.to_owned(), json!(hex::encode_upper(sealed)));
        members.insert(SIGNATURE_MEMBER.to_owned(), json!(hex::encode_upper(tag)));
        serde_json::to_vec(&members).unwrap_or_default()
    }
}

impl Scheme for Sealing {
    fn opened<'a>(&self, received: Received<'a>, secret: &[u8]) -> Option<Cow<'a, [u8]>> {
        let members: Map<String, Value> = serde_json::from_slice(received.body).ok()?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let sign_type = if self.point.is_some() { "SM2" } else { "SM3" };
        if text("encType") != Some("SM4") || text("signType") != Some(sign_type) {
            return None;
        }
        let seconds = written(members.get("timestamp")?)?.parse::<u64>().ok()?;
        if seconds.checked_mul(1_000)?.abs_diff(received.now.millis()) > SKEW_MILLIS {
            return None;
        }
        let sealed = hex::decode(text(SEALED_MEMBER)?).ok()?;
        let key = self.key(secret)?;
        let open = ecb::Decryptor::<Sm4>::new(&key.into());
        let message = open.decrypt_padded_vec::<Pkcs7>(&sealed).ok()?;
        let signed = signed(&members, &message, secret);
        let shown = text(SIGNATURE_MEMBER)?;
        match &self.point {
            Some(point) => {
                let signature = Base64::decode_vec(shown).ok()?;
                let signature = sm2::dsa::Signature::from_slice(&signature).ok()?;
                sm2_key(point)?.verify(&signed, &signature).ok()?;
            }
            None => {
                // Hashes of this kind are compared in constant time.
                let shown = blake3::hash(&hex::decode(shown).ok()?);
                if shown != blake3::hash(&Sm3::digest(&signed)) {
                    return None;
                }
            }
        }
        Some(Cow::Owned(message))
    }
}

/// The text that is signed.
fn signed(members: &Map<String, Value>, message: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut parts: Vec<(&str, Vec<u8>)> = members
        .iter()
        .filter(|(name, _)| !UNSIGNED.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), written(value)?.into_bytes())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    parts.retain(|(name, _)| *name != "data");
    parts.push(("data", message.to_vec()));
    parts.sort();
    let mut text = Vec::new();
    for (name, value) in parts {
        text.extend([name.as_bytes(), b"=", &value, b"&"].concat());
    }
    [&text, b"key=".as_slice(), secret].concat()
}

/// A member as text; nothing where it is neither text nor number.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use primitives::CivilDate;

    use super::*;

    const SECRET: &[u8] = b"synthetic secret of a test hospital";
    const APP: &str = "APP0000000000000000000000000001";
    const MESSAGE: &str = "{\"infno\":\"6301\",\"opter_name\":\"收费员\"}";
    /// In seconds; 2026-01-10 08:30:00 by the interface's clock.
    const TIME: u64 = 1_768_005_000;
    // K0=$(printf %s "${APP:0:16}" | xxd -p)
    // H=$(printf %s "$SECRET" | openssl enc -sm4-ecb -K $K0 | xxd -p -c 999 | tr a-f A-F)
    // K=$(printf %s "${H:0:16}" | xxd -p)
    // printf %s "$MESSAGE" | openssl enc -sm4-ecb -K $K | xxd -p -c 999 | tr a-f A-F
    // OpenSSL 3.0.19
    const SEALED: &str = "2047F502BF47C0AC5E6C7B439103B730060D843CB1EF9E5D9B81F98EB56F85F1\
                          7D8704DDE916D19CAB8350F744AE9ACD";
    // T="appId=$APP&data=$MESSAGE&encType=SM4&signType=SM3&timestamp=1768005000\
    //    &transType=6301&version=1.0.0&key=$SECRET"
    // printf %s "$T" | openssl dgst -sm3 | tr a-f A-F
    const DIGEST: &str = "B6AC47AB1E2B9DD61709F238D8C9124C49F1AB2A2C9E78CAE07BE120504EFB85";
    // The same with signType=SM2, in the file t; the key as in `nhsa::signature`:
    // openssl pkeyutl -sign -inkey key.pem -rawin -in t -digest sm3
    //   -pkeyopt distid:1234567812345678, its two integers as 64 bytes in Base64
    const POINT: &str = "0eff7e0a041fcbe6d53bba61bdc34a9668c373dd02c0289494c1d424d0e2927d\
                          010537f959c29119d330c972703ee8ca39da77c1a571867792ffe148f95f7dee";
    const SIGNATURE: &str = "Zf9kMDieHayTFe6LhLI4x+6mVBeWCioOQTaNUrYTNE5VqN4y8W/Z/SiZM8VhPrJt\
                          w7dJ9HWx3kUMiKuV+JacdA==";

    fn sealing(point: Option<&str>) -> Sealing {
        let keys = Keys { current: SECRET.to_vec(), previous: None::<(Vec<u8>, CivilDate)> };
        let point = point.map(|point| hex::decode(point).unwrap());
        Sealing { app_id: APP.to_owned(), point, keys }
    }

    fn body(sign_type: &str, sign: &str) -> Value {
        json!({
            "appId": APP, "version": "1.0.0", "timestamp": TIME, "encType": "SM4",
            "signType": sign_type, "transType": "6301", "encData": SEALED, "signData": sign,
            "extra": "not signed"
        })
    }

    fn opened(sealing: &Sealing, body: &Value, seconds: u64, secret: &[u8]) -> Option<String> {
        let (text, now) = (body.to_string(), Timestamp::from_millis(seconds * 1_000));
        let received = Received { body: text.as_bytes(), now, ..Received::default() };
        sealing.opened(received, secret).map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
    }

    #[test]
    fn openssl_makes_the_same_bodies() {
        for (point, sign_type, sign) in [(None, "SM3", DIGEST), (Some(POINT), "SM2", SIGNATURE)] {
            let told = opened(&sealing(point), &body(sign_type, sign), TIME, SECRET);
            assert_eq!(told.as_deref(), Some(MESSAGE), "{sign_type}");
        }
    }

    #[test]
    fn another_secret_time_kind_or_a_changed_part_is_refused() {
        for (point, sign_type, sign) in [(None, "SM3", DIGEST), (Some(POINT), "SM2", SIGNATURE)] {
            let (sealing, good) = (sealing(point), body(sign_type, sign));
            let skew = SKEW_MILLIS / 1_000;
            assert!(opened(&sealing, &good, TIME + skew, SECRET).is_some());
            assert!(opened(&sealing, &good, TIME - skew, SECRET).is_some());
            assert!(opened(&sealing, &good, TIME + skew + 1, SECRET).is_none());
            assert!(opened(&sealing, &good, TIME - skew - 1, SECRET).is_none());
            assert!(opened(&sealing, &good, TIME, b"another").is_none());
            for (name, value) in [
                ("version", json!("1.0.1")),
                ("timestamp", json!(TIME + 1)),
                ("transType", json!("6203")),
                ("more", json!("x")),
                ("encType", json!("none")),
                ("signType", json!("SM9")),
                ("encData", json!(&SEALED[32..])),
                ("encData", json!("0")),
                ("encData", json!("")),
                ("signData", json!("")),
                ("signData", json!(&sign[2..])),
                ("signData", Value::Null),
            ] {
                let mut wrong = good.clone();
                wrong[name] = value.clone();
                assert!(opened(&sealing, &wrong, TIME, SECRET).is_none(), "{name} {value}");
            }
        }
        // Who is known by a key of SM2 is not taken by the secret alone.
        assert!(opened(&sealing(Some(POINT)), &body("SM3", DIGEST), TIME, SECRET).is_none());
        assert!(opened(&sealing(None), &body("SM2", SIGNATURE), TIME, SECRET).is_none());
    }

    #[test]
    fn an_answer_is_opened_by_who_asked() {
        let (sealing, now) = (sealing(None), Timestamp::from_millis(TIME * 1_000));
        let answer: Value = serde_json::from_slice(&sealing.seal(b"{}", SECRET, now)).unwrap();
        assert_eq!(opened(&sealing, &answer, TIME, SECRET).as_deref(), Some("{}"));
        assert_eq!(opened(&sealing, &answer, TIME, b"another"), None);
    }
}
