//! Real keys: Ed25519 from a name, and a P-256 passkey that answers like a browser.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};
use primitives::key::Assertion;
use primitives::{Hash, PublicKey, Signature, SignatureError, Verifier, sha256};

/// Checks Ed25519 and P-256 for real; SM2 is tested where its backend lives.
#[derive(Clone, Copy)]
pub struct TestVerifier;

impl Verifier for TestVerifier {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        match key {
            PublicKey::Sm2(_) => Err(SignatureError::InvalidKey),
            PublicKey::Ed25519(_) | PublicKey::P256(_) => Ok(()),
        }
    }

    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let result = match key {
            PublicKey::Ed25519(bytes) => {
                UnparsedPublicKey::new(&ED25519, bytes).verify(message, signature)
            }
            PublicKey::P256(point) => {
                let sec1 = [&[4][..], point].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1).verify(message, signature)
            }
            PublicKey::Sm2(_) => return Err(SignatureError::InvalidKey),
        };
        result.map_err(|_| SignatureError::InvalidSignature)
    }
}

/// The Ed25519 key pair that belongs to a name.
fn pair(name: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&sha256(name.as_bytes()).0).unwrap()
}

/// The public key that belongs to a name.
pub fn public(name: &str) -> PublicKey {
    PublicKey::Ed25519(pair(name).public_key().as_ref().try_into().unwrap())
}

/// The signature of these bytes by the key that belongs to a name.
pub fn sign_bytes(name: &str, message: &[u8]) -> [u8; 64] {
    pair(name).sign(message).as_ref().try_into().unwrap()
}

/// The signature of a message by the key that belongs to a name.
pub fn sign(name: &str, message: &Hash) -> Signature {
    Signature::Ed25519(sign_bytes(name, message.as_bytes()))
}

/// A passkey.
pub struct Passkey(EcdsaKeyPair);

impl Passkey {
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn public(&self) -> PublicKey {
        let sec1 = self.0.public_key().as_ref();
        PublicKey::P256(sec1[1..].try_into().unwrap())
    }

    fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap()
    }

    /// A bare signature, as no browser makes it.
    pub fn sign_raw(&self, message: &Hash) -> Signature {
        Signature::P256(self.sign_bytes(message.as_bytes()))
    }

    /// What `navigator.credentials.get` answers on a page of this origin.
    pub fn assert(&self, message: &Hash, origin: &str, rp_id: &str) -> Signature {
        use base64ct::{Base64UrlUnpadded, Encoding};
        let challenge = Base64UrlUnpadded::encode_string(message.as_bytes());
        let client = format!(
            "{{\"type\":\"webauthn.get\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\",\
             \"crossOrigin\":false}}"
        );
        let mut data = sha256(rp_id.as_bytes()).0.to_vec();
        data.extend([0b0001_1101, 0, 0, 0, 0]);
        let signed = [data.as_slice(), sha256(client.as_bytes()).as_bytes()].concat();
        let signature = self.sign_bytes(&signed);
        Signature::WebAuthn(Box::new(Assertion {
            authenticator_data: data,
            client_data_json: client.into_bytes(),
            signature,
        }))
    }
}
