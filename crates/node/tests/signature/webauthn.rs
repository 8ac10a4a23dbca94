//! Assertions of passkeys, as the ledger's definition takes them.

use node::signature::{FastVerifier, Scheme, SecretKey, SoftwareAuthenticator};
use primitives::key::{
    AUTHENTICATOR_DATA_BYTES_MAX, Assertion, CLIENT_DATA_BYTES_MAX, WebAuthnContext, verify,
};
use primitives::{Hash, Signature, SignatureError, sha256};

const RP_ID: &str = "wallet.example.org";
const ORIGIN: &str = "https://wallet.example.org";
const CHALLENGE: Hash = Hash([5; 32]);

fn key() -> SecretKey {
    SecretKey::from_seed(Scheme::P256, &[1; 32])
}

fn asserted() -> Assertion {
    let authenticator = SoftwareAuthenticator::new(key(), RP_ID, ORIGIN).unwrap();
    match authenticator.assert(&CHALLENGE) {
        Signature::WebAuthn(assertion) => *assertion,
        other => panic!("{other:?} is no assertion"),
    }
}

/// Signs what stands in the assertion, as an authenticator that was lied to would.
fn signed(mut assertion: Assertion) -> Assertion {
    let client_hash = sha256(&assertion.client_data_json);
    let message = [&assertion.authenticator_data[..], client_hash.as_bytes()].concat();
    assertion.signature = key().sign_raw(&message);
    assertion
}

fn check(assertion: Assertion) -> Result<Option<WebAuthnContext>, SignatureError> {
    let signature = Signature::WebAuthn(Box::new(assertion));
    verify(&FastVerifier, &key().public_key(), &CHALLENGE, &signature)
}

fn with_client_data(text: &str) -> Assertion {
    signed(Assertion { client_data_json: text.as_bytes().to_vec(), ..asserted() })
}

fn client_data(kind: &str, challenge: &str, rest: &str) -> String {
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{ORIGIN}"{rest}}}"#)
}

fn challenge() -> String {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::encode_string(CHALLENGE.as_bytes())
}

#[test]
fn an_assertion_tells_where_it_was_made() {
    let context = check(asserted()).unwrap().unwrap();
    assert_eq!(context.rp_id_hash, sha256(RP_ID.as_bytes()));
    assert_eq!(context.origin, ORIGIN);
    // Origin and rpId are not judged here: the ledger compares them with its parameters.
    let elsewhere =
        SoftwareAuthenticator::new(key(), "evil.example", "https://evil.example").unwrap();
    let context =
        verify(&FastVerifier, &key().public_key(), &CHALLENGE, &elsewhere.assert(&CHALLENGE));
    let context = context.unwrap().unwrap();
    assert_eq!(context.rp_id_hash, sha256(b"evil.example"));
    assert_eq!(context.origin, "https://evil.example");
}

#[test]
fn members_that_browsers_may_add_do_not_matter() {
    for rest in
        ["", r#","crossOrigin":false"#, r#","topOrigin":"x","other_keys_can_be_added_here":1"#]
    {
        let text = client_data("webauthn.get", &challenge(), rest);
        assert!(check(with_client_data(&text)).is_ok(), "{text}");
    }
}

#[test]
fn an_assertion_for_another_message_is_refused() {
    let authenticator = SoftwareAuthenticator::new(key(), RP_ID, ORIGIN).unwrap();
    let other = authenticator.assert(&Hash([6; 32]));
    let result = verify(&FastVerifier, &key().public_key(), &CHALLENGE, &other);
    assert_eq!(result, Err(SignatureError::ChallengeMismatch));
    for wrong in [format!("{}=", challenge()), challenge().to_lowercase(), String::new()] {
        let text = client_data("webauthn.get", &wrong, "");
        assert_eq!(check(with_client_data(&text)), Err(SignatureError::ChallengeMismatch));
    }
}

#[test]
fn registration_and_foreign_pages_are_refused() {
    for (kind, rest) in [
        ("webauthn.create", ""),
        ("payment.get", ""),
        ("webauthn.get ", ""),
        ("webauthn.get", r#","crossOrigin":true"#),
    ] {
        let text = client_data(kind, &challenge(), rest);
        assert_eq!(check(with_client_data(&text)), Err(SignatureError::ClientDataType), "{text}");
    }
}

#[test]
fn presence_alone_or_verification_alone_is_not_enough() {
    for flags in [0, 0b001, 0b100, 0b1111_1010] {
        let mut assertion = asserted();
        assertion.authenticator_data[32] = flags;
        assert_eq!(check(signed(assertion)), Err(SignatureError::UserNotVerified), "{flags:b}");
    }
    let mut synced = asserted();
    synced.authenticator_data[32] = 0b0001_1101;
    assert!(check(signed(synced)).is_ok());
}

#[test]
fn client_data_that_is_not_the_expected_json_is_refused() {
    let whole = client_data("webauthn.get", &challenge(), "");
    let wrong = [
        String::new(),
        whole[..whole.len() - 1].to_owned(),
        format!("{whole}x"),
        whole.replace("webauthn.get", "\u{0}"),
        whole.replace("\"origin\"", "\"place\""),
        whole.replace("\"challenge\"", "\"challenge\":\"\",\"challenge\""),
        format!("[{whole}]"),
        "[".repeat(CLIENT_DATA_BYTES_MAX),
    ];
    for text in wrong {
        assert_eq!(check(with_client_data(&text)), Err(SignatureError::ClientData), "{text}");
    }
    let mut bytes = asserted();
    bytes.client_data_json[20] = 0xff;
    assert_eq!(check(signed(bytes)), Err(SignatureError::ClientData));
}

#[test]
fn assertions_cut_short_are_refused_and_so_are_longer_ones_than_the_bound() {
    for length in 0..37 {
        let mut assertion = asserted();
        assertion.authenticator_data.truncate(length);
        assert_eq!(check(signed(assertion)), Err(SignatureError::AssertionSize), "{length}");
    }
    let padded = |data: usize, client: usize| {
        let mut assertion = asserted();
        assertion.authenticator_data.resize(data, 0);
        assertion.client_data_json.resize(client, b' ');
        check(signed(assertion))
    };
    assert!(padded(AUTHENTICATOR_DATA_BYTES_MAX, CLIENT_DATA_BYTES_MAX).is_ok());
    let over = [(1, 0), (0, 1)].map(|(data, client)| {
        padded(AUTHENTICATOR_DATA_BYTES_MAX + data, CLIENT_DATA_BYTES_MAX + client)
    });
    assert_eq!(over, [Err(SignatureError::AssertionSize), Err(SignatureError::AssertionSize)]);
}

#[test]
fn one_byte_changed_in_what_was_signed_is_refused() {
    let assertion = asserted();
    for at in [0, 33, 36] {
        let mut changed = assertion.clone();
        changed.authenticator_data[at] ^= 1;
        assert_eq!(check(changed), Err(SignatureError::InvalidSignature));
    }
    let mut changed = assertion.clone();
    changed.client_data_json.push(b' ');
    assert_eq!(check(changed), Err(SignatureError::InvalidSignature));
    let mut changed = assertion;
    changed.signature[63] ^= 1;
    assert_eq!(check(changed), Err(SignatureError::InvalidSignature));
}

#[test]
fn only_a_p256_key_can_be_a_passkey() {
    let sm2 = SecretKey::from_seed(Scheme::Sm2, &[1; 32]);
    let signature = Signature::WebAuthn(Box::new(asserted()));
    let result = verify(&FastVerifier, &sm2.public_key(), &CHALLENGE, &signature);
    assert_eq!(result, Err(SignatureError::SchemeMismatch));
    assert!(SoftwareAuthenticator::new(sm2, RP_ID, ORIGIN).is_err());
}
