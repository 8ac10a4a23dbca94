//! Bodies of mobile payment (6xxx): the message sealed by SM4, with SM3 over it and the secret.

use std::collections::BTreeMap;

use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyInit as _};
use serde_json::{Value, json};
use sm3::{Digest as _, Sm3};
use sm4::Sm4;

use crate::HisError;

const KEY_BYTES: usize = 16;
/// With what the numbers of mobile payment begin.
const OF_MOBILE_PAYMENT: &str = "6";

/// How this hospital seals.
pub struct Seal {
    app_id: String,
    secret: Vec<u8>,
}

impl Seal {
    /// With the name and the secret that were agreed.
    ///
    /// # Errors
    /// When the name is too short for a key.
    pub fn new(app_id: &str, secret: &[u8]) -> Result<Self, HisError> {
        if app_id.len() < KEY_BYTES {
            let words = "`mobile.app_id`: write the 16 or more characters that were agreed";
            return Err(HisError::Setup(words.to_owned()));
        }
        Ok(Self { app_id: app_id.to_owned(), secret: secret.to_vec() })
    }

    /// Whether a message is one that goes sealed.
    #[must_use]
    pub fn takes(body: &str) -> bool {
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        message["infno"].as_str().is_some_and(|number| number.starts_with(OF_MOBILE_PAYMENT))
    }

    /// The same with a secret that nobody agreed to.
    #[must_use]
    pub fn with_another_secret(&self) -> Self {
        let secret = self.secret.iter().rev().copied().collect();
        Self { app_id: self.app_id.clone(), secret }
    }

    /// The key of SM4: the beginning of the secret's own sealing under the beginning of the name.
    fn key(&self) -> Option<[u8; KEY_BYTES]> {
        let first = self.app_id.as_bytes().first_chunk::<KEY_BYTES>()?;
        let sealed = ecb::Encryptor::<Sm4>::new(first.into());
        let sealed = hex::encode_upper(sealed.encrypt_padded_vec::<Pkcs7>(&self.secret));
        sealed.as_bytes().first_chunk().copied()
    }

    /// A message as it is sent in this second.
    #[must_use]
    pub fn closed(&self, message: &str, seconds: u64) -> String {
        let key = self.key().unwrap_or_default();
        let sealed = ecb::Encryptor::<Sm4>::new(&key.into());
        let sealed = sealed.encrypt_padded_vec::<Pkcs7>(message.as_bytes());
        let time = seconds.to_string();
        let members = [
            ("appId", self.app_id.as_str()),
            ("encType", "SM4"),
            ("signType", "SM3"),
            ("timestamp", &time),
            ("version", "1.0.0"),
        ];
        let mut body: BTreeMap<&str, String> =
            members.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let tag = self.tag(&body, message);
        body.insert("encData", hex::encode_upper(sealed));
        body.insert("signData", tag);
        json!(body).to_string()
    }

    /// The message in an answer; nothing where it is not sealed, or not by who has the secret.
    #[must_use]
    pub fn opened(&self, answer: &[u8]) -> Option<String> {
        let mut body: BTreeMap<&str, String> = serde_json::from_slice(answer).ok()?;
        let sealed = hex::decode(body.remove("encData")?).ok()?;
        let tag = body.remove("signData")?;
        let open = ecb::Decryptor::<Sm4>::new(&self.key()?.into());
        let message = String::from_utf8(open.decrypt_padded_vec::<Pkcs7>(&sealed).ok()?).ok()?;
        (self.tag(&body, &message) == tag).then_some(message)
    }

    /// SM3 over the members by their names, the message as `data` among them, and the secret.
    fn tag(&self, members: &BTreeMap<&str, String>, message: &str) -> String {
        let mut members = members.clone();
        members.insert("data", message.to_owned());
        let mut text: String =
            members.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        text.push_str("key=");
        let mut hash = Sm3::new();
        hash.update(text.as_bytes());
        hash.update(&self.secret);
        hex::encode_upper(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "APP0000000000000000000000000001";
    const SECRET: &[u8] = b"synthetic secret of a test hospital";

    #[test]
    fn openssl_makes_the_same_body() {
        // K0=$(printf %s "${APP:0:16}" | xxd -p)
        // H=$(printf %s "$SECRET" | openssl enc -sm4-ecb -K $K0 | xxd -p -c 999 | tr a-f A-F)
        // K=$(printf %s "${H:0:16}" | xxd -p)
        // printf %s "$MESSAGE" | openssl enc -sm4-ecb -K $K | xxd -p -c 999 | tr a-f A-F
        // T="appId=$APP&data=$MESSAGE&encType=SM4&signType=SM3&timestamp=1768005000&version=1.0.0\
        //    &key=$SECRET"
        // printf %s "$T" | openssl dgst -sm3 | tr a-f A-F
        let seal = Seal::new(APP, SECRET).expect("a seal");
        let message = "{\"infno\":\"6301\",\"opter_name\":\"收费员\"}";
        assert!(Seal::takes(message));
        let body = seal.closed(message, 1_768_005_000);
        let read: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(read["encData"], SEALED);
        assert_eq!(read["signData"], DIGEST);
        assert_eq!(seal.opened(body.as_bytes()).as_deref(), Some(message));
        assert_eq!(seal.with_another_secret().opened(body.as_bytes()), None);
        let changed = body.replace("1768005000", "1768005001");
        assert_eq!(seal.opened(changed.as_bytes()), None);
        assert_eq!(seal.opened(b"{\"infcode\":-1}"), None);
    }

    const SEALED: &str = "2047F502BF47C0AC5E6C7B439103B730060D843CB1EF9E5D9B81F98EB56F85F1\
                          7D8704DDE916D19CAB8350F744AE9ACD";
    const DIGEST: &str = "71B55C6910774CC233E3DA6507A766B81850840FF9E39CFD01D5AD0F3C878A1A";

    #[test]
    fn other_messages_go_as_they_are_and_a_short_name_is_refused() {
        assert!(!Seal::takes("{\"infno\":\"2207\"}"));
        assert!(Seal::new("APP", SECRET).is_err());
    }
}
