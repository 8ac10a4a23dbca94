use node::signature::{KeyFileError, Scheme, SecretKey, SecretKeyError, load_key, save_key};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SCHEMES: [Scheme; 3] = [Scheme::Ed25519, Scheme::P256, Scheme::Sm2];

#[test]
fn a_seed_gives_the_same_key_for_ever() {
    let known = SCHEMES.map(|scheme| {
        hex::encode(&SecretKey::from_seed(scheme, &[0; 32]).public_key().as_bytes()[..8])
    });
    assert_eq!(known, ["a0b22efac56c534c", "5f113d19ced91d6f", "d4a3db8d53dd4234"]);
}

#[test]
fn generated_keys_differ_and_bytes_outside_the_range_are_refused() {
    for scheme in SCHEMES {
        let (one, other) =
            (SecretKey::generate(scheme).unwrap(), SecretKey::generate(scheme).unwrap());
        assert_ne!(one.public_key(), other.public_key());
        assert!(!format!("{one:?}").contains(&hex::encode(one.as_bytes())));
    }
    for scheme in [Scheme::P256, Scheme::Sm2] {
        for bytes in [[0; 32], [0xff; 32]] {
            let result = SecretKey::from_bytes(scheme, &bytes);
            assert!(matches!(result, Err(SecretKeyError::Invalid(wrong)) if wrong == scheme));
        }
    }
}

#[test]
fn a_key_file_is_for_its_owner_alone_and_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        let path = directory.path().join(format!("{}.key", scheme.name()));
        let key = SecretKey::generate(scheme).unwrap();
        save_key(&path, &key).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_key(&path).unwrap().public_key(), key.public_key());
        assert!(matches!(save_key(&path, &key), Err(KeyFileError::File { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_key(&path), Err(KeyFileError::Exposed(_))));
    }
}

#[test]
fn a_damaged_key_file_is_refused_without_showing_the_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.key");
    let key = SecretKey::from_seed(Scheme::Ed25519, &[1; 32]);
    save_key(&path, &key).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let secret = hex::encode(key.as_bytes());
    let wrong = [
        text.replace("secret key 1", "secret key 2"),
        text.replace("ed25519\"", "p256\""),
        text.replace(&secret, &secret[1..]),
        text.replace(&secret, &secret.replace(&secret[..2], "00")),
        text.replace("\"scheme\"", "\"skeem\""),
        text[..100].to_owned(),
        String::new(),
        format!("{text}{}", "x".repeat(10_000)),
    ];
    for damaged in wrong {
        fs::write(&path, &damaged).unwrap();
        let error = load_key(&path).expect_err(&damaged);
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
        assert!(!error.to_string().contains(&secret[2..20]), "{error}");
    }
}
