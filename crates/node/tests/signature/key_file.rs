use node::signature::{
    KeyFile, KeyFileError, Passphrase, PassphraseError, Scheme, SecretKey, SecretKeyError,
    load_key, read_key_file, replace_key, save_key, save_key_with,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

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
        text.replace("secret key 1", "secret key 3"),
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

fn passphrase(text: &str) -> Passphrase {
    Passphrase::chosen(Zeroizing::new(text.to_owned())).unwrap()
}

fn open(path: &Path, words: &str) -> Result<SecretKey, KeyFileError> {
    match read_key_file(path).unwrap() {
        KeyFile::Protected(protected) => protected.open(&passphrase(words)),
        KeyFile::Open(_) => panic!("the key lies open"),
    }
}

#[test]
fn a_protected_key_file_opens_with_its_passphrase_and_no_other_and_holds_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        let path = directory.path().join(format!("{}.key", scheme.name()));
        let key = SecretKey::generate(scheme).unwrap();
        save_key_with(&path, &key, Some(&passphrase("correct horse 电池"))).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode(key.as_bytes())));
        assert!(text.contains(&key.public_key().to_string()));
        assert!(matches!(load_key(&path), Err(KeyFileError::Protected(_))));
        assert_eq!(open(&path, "correct horse 电池").unwrap().public_key(), key.public_key());
        let wrong = open(&path, "correct horse 电 池");
        assert!(matches!(wrong, Err(KeyFileError::WrongPassphrase(_))));
    }
}

#[test]
fn a_passphrase_is_changed_and_taken_away_in_one_step() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.key");
    let key = SecretKey::from_seed(Scheme::Ed25519, &[3; 32]);
    save_key(&path, &key).unwrap();
    // What a try before this one left behind is in nobody's way.
    fs::write(directory.path().join("a.key.new"), "half").unwrap();
    replace_key(&path, &key, Some(&passphrase("the first of them"))).unwrap();
    replace_key(&path, &key, Some(&passphrase("the second of them"))).unwrap();
    assert!(open(&path, "the first of them").is_err());
    assert_eq!(open(&path, "the second of them").unwrap().public_key(), key.public_key());
    replace_key(&path, &key, None).unwrap();
    assert_eq!(load_key(&path).unwrap().public_key(), key.public_key());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_protected_key_file_that_somebody_changed_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.key");
    let key = SecretKey::from_seed(Scheme::Ed25519, &[4; 32]);
    let other = SecretKey::from_seed(Scheme::Ed25519, &[5; 32]).public_key().to_string();
    save_key_with(&path, &key, Some(&passphrase("correct horse battery"))).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let public = key.public_key().to_string();
    let refused = [
        text.replace(&public, &other),
        text.replace("\"passes\":3", "\"passes\":1"),
        text.replace("\"memory_kib\":65536", "\"memory_kib\":65528"),
    ];
    for changed in refused {
        assert_ne!(changed, text);
        fs::write(&path, &changed).unwrap();
        let error = open(&path, "correct horse battery").unwrap_err();
        assert!(matches!(error, KeyFileError::WrongPassphrase(_)), "{error}");
    }
    // Whoever forges a file cannot make us take all of the memory.
    for (there, forged) in [
        ("\"memory_kib\":65536", "\"memory_kib\":4294967295"),
        ("\"memory_kib\":65536", "\"memory_kib\":0"),
        ("\"passes\":3", "\"passes\":4000000000"),
        ("\"salt\":\"", "\"salt\":\"00"),
    ] {
        let changed = text.replace(there, forged);
        assert_ne!(changed, text);
        fs::write(&path, &changed).unwrap();
        let error = open(&path, "correct horse battery").unwrap_err();
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
    }
    for (there, forged) in [("key 2", "key 1"), ("\"sealed\"", "\"seal\""), ("argon2id", "md5")] {
        fs::write(&path, text.replace(there, forged)).unwrap();
        let error = read_key_file(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_passphrase_has_its_bounds_and_is_never_shown() {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    assert_eq!(Passphrase::chosen(text("elf letters")).unwrap_err(), PassphraseError::Short);
    assert!(Passphrase::chosen(text("elf letters!")).is_ok());
    assert_eq!(Passphrase::given(text(&"x".repeat(1_025))).unwrap_err(), PassphraseError::Long);
    assert!(Passphrase::given(text("x")).is_ok());
    let shown = format!("{:?}", passphrase("correct horse battery"));
    assert!(!shown.contains("horse"), "{shown}");
}
