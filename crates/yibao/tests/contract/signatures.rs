//! `vectors/signatures.json`: signatures of every scheme over one message, good ones and bad ones
//! with the reason why. ECDSA makes another signature each time, so committed ones are checked, not
//! compared.

use node::signature::{FastVerifier, Scheme, SecretKey, SoftwareAuthenticator};
use primitives::key::verify;
use primitives::{Hash, PublicKey, Signature, SignatureError, sha256};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::golden::{check_json, is_update};
use crate::support::read;

const PATH: &str = "vectors/signatures.json";

#[derive(Serialize, Deserialize)]
struct Vector {
    name: String,
    key: PublicKey,
    message: Hash,
    signature: Signature,
    /// `valid`, or the reason why not.
    outcome: String,
}

fn outcome(vector: &Vector) -> String {
    match verify(&FastVerifier, &vector.key, &vector.message, &vector.signature) {
        Ok(_) => "valid".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The same with one bit of the signature changed.
fn with_changed_bit(signature: &Signature) -> Signature {
    let mut changed = signature.clone();
    match &mut changed {
        Signature::Ed25519(raw) | Signature::P256(raw) | Signature::Sm2(raw) => raw[5] ^= 1,
        Signature::WebAuthn(assertion) => assertion.signature[5] ^= 1,
    }
    changed
}

fn made() -> Vec<Vector> {
    let message = sha256(b"what is signed");
    let mut vectors = Vec::new();
    let mut add = |name: &str, key: PublicKey, message: Hash, signature: Signature| {
        let mut vector =
            Vector { name: name.to_owned(), key, message, signature, outcome: String::new() };
        vector.outcome = outcome(&vector);
        vectors.push(vector);
    };
    let other = sha256(b"something else");
    for scheme in [Scheme::Ed25519, Scheme::P256, Scheme::Sm2] {
        let key = SecretKey::from_seed(scheme, &sha256(b"signature vectors").0);
        let name = scheme.name();
        let signature = key.sign(&message);
        add(name, key.public_key(), message, signature.clone());
        add(
            &format!("{name}, a changed bit"),
            key.public_key(),
            message,
            with_changed_bit(&signature),
        );
        add(&format!("{name}, another message"), key.public_key(), other, signature);
    }
    let p256 = SecretKey::from_seed(Scheme::P256, &sha256(b"signature vectors").0);
    let ed25519 = SecretKey::from_seed(Scheme::Ed25519, &sha256(b"signature vectors").0);
    add("another scheme", ed25519.public_key(), message, p256.sign(&message));
    add(
        "ed25519, key of order one",
        PublicKey::Ed25519(small_order()),
        message,
        ed25519.sign(&message),
    );
    let public = p256.public_key();
    let passkey = SoftwareAuthenticator::new(p256, "localhost", "http://localhost:8420")
        .expect("a key on P-256");
    let assertion = passkey.assert(&message);
    add("passkey", public, message, assertion.clone());
    add("passkey, a changed bit", public, message, with_changed_bit(&assertion));
    add("passkey, another challenge", public, other, assertion);
    vectors
}

/// The point of order one: y is 1.
fn small_order() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
}

/// What each vector is called, and how it is judged.
fn names(vectors: &[Vector]) -> Vec<(String, String)> {
    vectors.iter().map(|one| (one.name.clone(), one.outcome.clone())).collect()
}

fn committed() -> Result<Vec<Vector>, serde_json::Error> {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    serde_json::from_str::<File>(&read(PATH)).map(|file| file.vectors)
}

#[test]
fn every_signature_is_judged_as_the_file_says() {
    let made = made();
    // ECDSA signatures differ each time; they are written anew only when there are other vectors.
    if is_update() && !committed().is_ok_and(|vectors| names(&vectors) == names(&made)) {
        let about = "a signature is over the 32 bytes of the message; of a passkey, the message is the challenge. \
                     `outcome` is `valid` or the reason why not";
        check_json(PATH, &json!({ "about": about, "vectors": made }));
    }
    let vectors = committed().expect("the committed vectors");
    for vector in &vectors {
        assert_eq!(outcome(vector), vector.outcome, "{}", vector.name);
    }
    assert_eq!(names(&made), names(&vectors), "the same vectors are made today");
    let valid = vectors.iter().filter(|one| one.outcome == "valid").count();
    assert_eq!((valid, vectors.len()), (4, 14));
    let low_order = vectors.iter().find(|one| one.name.contains("order one"));
    let words = SignatureError::InvalidKey.to_string();
    assert_eq!(low_order.map(|one| one.outcome.as_str()), Some(words.as_str()));
}
