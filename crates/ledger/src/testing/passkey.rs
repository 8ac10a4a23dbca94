//! Passkeys as a browser would use them: P-256 keys that sign only inside a WebAuthn assertion.

use alloc::{boxed::Box, format, vec::Vec};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use primitives::key::Assertion;
use primitives::{Hash, PublicKey, Signature, sha256};

/// Where a passkey is used.
pub(crate) struct Page {
    pub rp_id: &'static str,
    pub origin: &'static str,
}

fn pair(name: &str) -> EcdsaKeyPair {
    let seed = sha256(name.as_bytes()).0;
    let private = PrivateKey::from_private_key(&ECDH_P256, &seed).expect("a scalar below n");
    let public = private.compute_public_key().expect("a point");
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &seed, public.as_ref())
        .expect("a pair of the same key")
}

fn sign_raw(name: &str, message: &[u8]) -> [u8; 64] {
    let signature = pair(name).sign(&SystemRandom::new(), message).expect("a signature");
    signature.as_ref().try_into().expect("64 bytes")
}

/// The public key that belongs to a name.
pub(crate) fn public(name: &str) -> PublicKey {
    let pair = pair(name);
    let point = pair.public_key().as_ref();
    PublicKey::P256(point[1..].try_into().expect("x and y behind the mark 4"))
}

/// What the browser hands back on this page for this transaction id, with the user verified.
pub(crate) fn assertion(name: &str, id: &Hash, page: &Page) -> Signature {
    let mut authenticator_data: Vec<u8> = sha256(page.rp_id.as_bytes()).0.to_vec();
    authenticator_data.extend_from_slice(&[0b101, 0, 0, 0, 0]);
    let challenge = Base64UrlUnpadded::encode_string(id.as_bytes());
    let origin = page.origin;
    let client = format!(
        r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
    );
    let client_data_json = client.into_bytes();
    let mut signed = authenticator_data.clone();
    signed.extend_from_slice(sha256(&client_data_json).as_bytes());
    let signature = sign_raw(name, &signed);
    Signature::WebAuthn(Box::new(Assertion { authenticator_data, client_data_json, signature }))
}

/// A signature by the same key outside any assertion, which no browser makes.
pub(crate) fn raw(name: &str, id: &Hash) -> Signature {
    Signature::P256(sign_raw(name, id.as_bytes()))
}
