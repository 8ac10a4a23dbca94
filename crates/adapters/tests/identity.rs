//! The identity register: who is attested, under which index, and how indices change keys.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use adapters::{
    identity::{
        Attestation, AuthorityKeys, DocumentError, Identity, IdentityAuthority, IdentityError,
        ImportError, Imported, MatchedFace, NAME_BYTES_MAX, OpenRegistryError,
        PEOPLE_PER_IMPORT_MAX, Registry, gb11643::NumberError,
    },
    sqlite::Place,
};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use primitives::{Hash, PublicKey, Signature, sha256};

/// The examples of GB 11643-1999; nobody real has them.
const FIRST: &str = "11010519491231002X";
const SECOND: &str = "440524188001010014";
const FOREIGN: &str = "JP:TK1234567";

fn keys(versions: &[u32]) -> AuthorityKeys {
    let key = |version: &u32| (*version, sha256(&version.to_be_bytes()).0);
    AuthorityKeys { signing_seed: [7; 32], index_keys: versions.iter().map(key).collect() }
}

fn person(name: &str, number: &str) -> Identity {
    Identity { name: String::from(name), number: String::from(number) }
}

fn people() -> Vec<Identity> {
    vec![person("Ada Test", FIRST), person("Bob Test", SECOND), person("Kei Test", FOREIGN)]
}

fn registry(versions: &[u32]) -> Registry {
    let registry = Registry::open(&Place::Memory, &keys(versions)).unwrap();
    registry.import(&people()).unwrap();
    registry
}

fn is_signed(key: PublicKey, message: &Hash, signature: &Signature) -> bool {
    let (PublicKey::Ed25519(key), Signature::Ed25519(signature)) = (key, signature) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(message.as_bytes(), signature).is_ok()
}

fn attest(registry: &Registry, name: &str, number: &str) -> Result<Attestation, IdentityError> {
    registry.attest(&person(name, number), &sha256(b"commitment"))
}

#[test]
fn a_person_is_attested_with_a_signature_over_index_and_commitment() {
    let registry = registry(&[1]);
    let attestation = attest(&registry, "Ada Test", FIRST).unwrap();
    let statement = attestation.statement;
    assert_eq!((statement.key_version, statement.commitment), (1, sha256(b"commitment")));
    let key = registry.public_key();
    assert!(is_signed(key, &statement.message(), &attestation.signature));
    let mut other = statement;
    other.commitment = sha256(b"another");
    assert!(!is_signed(key, &other.message(), &attestation.signature));
    other = statement;
    other.blind_index = sha256(b"another");
    assert!(!is_signed(key, &other.message(), &attestation.signature));
}

#[test]
fn the_index_is_the_persons_and_the_authoritys_alone() {
    let registry = registry(&[1]);
    let index = |name, number| attest(&registry, name, number).unwrap().statement.blind_index;
    // The same person in another spelling has the same index.
    assert_eq!(index("Ada Test", FIRST), index("  ada  TEST ", FIRST));
    let all = [index("Ada Test", FIRST), index("Bob Test", SECOND), index("Kei Test", FOREIGN)];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    // Another authority key gives another index: the number alone gives nothing away.
    let other = AuthorityKeys { index_keys: BTreeMap::from([(1, [9; 32])]), ..keys(&[1]) };
    let other = Registry::open(&Place::Memory, &other).unwrap();
    other.import(&people()).unwrap();
    assert_ne!(attest(&other, "Ada Test", FIRST).unwrap().statement.blind_index, all[0]);
    assert_ne!(all[0], sha256(FIRST.as_bytes()));
}

#[test]
fn who_does_not_match_is_not_told_which_part_is_wrong() {
    let registry = registry(&[1]);
    let wrong_name = attest(&registry, "Eve Test", FIRST).unwrap_err();
    let unknown = attest(&registry, "Ada Test", "US:123456789").unwrap_err();
    assert!(matches!(wrong_name, IdentityError::NoMatch));
    assert_eq!(wrong_name.to_string(), unknown.to_string());
    let small = attest(&registry, "Ada Test", "11010519491231002x").unwrap_err();
    assert!(matches!(small, IdentityError::Document(DocumentError::Citizen(NumberError::SmallX))));
    assert!(small.to_string().contains("capital X"));
    // None of these left an index to rotate.
    assert!(registry.rotate(1, 1, None, 10).unwrap().is_empty());
}

const PICTURE: &[u8] = &[0xff, 0xd8, 0xff, 1, 2, 3];

fn with_face(place: &Place) -> Registry {
    let registry = Registry::open(place, &keys(&[1])).unwrap();
    registry.import(&people()).unwrap();
    registry.enter_faces(&[(FIRST.parse().unwrap(), PICTURE.to_vec())]).unwrap();
    registry
}

#[test]
fn a_face_is_attested_for_one_transaction_of_one_person() {
    let registry = with_face(&Place::Memory);
    let (transaction, now) = (sha256(b"binding"), support::NOON);
    let check = |name: &str, number: &str, picture: &[u8]| {
        registry.check_face(&person(name, number), picture, (&transaction, now))
    };
    let attestation = check("Ada Test", FIRST, PICTURE).unwrap();
    let statement = attestation.statement;
    assert_eq!((statement.transaction, statement.checked), (transaction, now));
    let index = attest(&registry, "Ada Test", FIRST).unwrap().statement.blind_index;
    assert_eq!(statement.blind_index, index);
    let key = registry.public_key();
    assert!(is_signed(key, &statement.message(), &attestation.signature));
    let other = MatchedFace { transaction: sha256(b"another"), ..statement };
    assert!(!is_signed(key, &other.message(), &attestation.signature));
    let differs = check("Ada Test", FIRST, &[0xff, 0xd8, 0xff, 1, 2, 4]).unwrap_err();
    assert!(matches!(differs, IdentityError::FaceDiffers));
    // The same picture is nobody else's face, and who has none entered is told what to do.
    assert!(matches!(check("Bob Test", SECOND, PICTURE), Err(IdentityError::NoFace)));
    assert!(matches!(check("Eve Test", FIRST, PICTURE), Err(IdentityError::NoMatch)));
    assert!(registry.is_simulated());
}

#[test]
fn no_picture_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("register.sqlite"));
    let picture = [PICTURE, b"somebody's eyes and nose"].concat();
    let registry = with_face(&place);
    registry.enter_faces(&[(FIRST.parse().unwrap(), picture.clone())]).unwrap();
    let asked = (&sha256(b"binding"), support::NOON);
    registry.check_face(&person("Ada Test", FIRST), &picture, asked).unwrap();
    let replaced = registry.check_face(&person("Ada Test", FIRST), PICTURE, asked);
    assert!(matches!(replaced, Err(IdentityError::FaceDiffers)), "the later one counts");
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for part in [&picture[..], &sha256(&picture).0] {
            assert!(!bytes.windows(part.len()).any(|window| window == part));
        }
    }
}

#[test]
fn an_import_says_what_it_did_and_changes_all_or_nothing() {
    let registry = registry(&[1]);
    let again = registry.import(&people()).unwrap();
    assert_eq!(again, Imported { added: 0, renamed: 0, unchanged: 3 });
    let list = [person("Ada Newname", FIRST), person("New Test", "US:123456789")];
    let imported = registry.import(&list).unwrap();
    assert_eq!(imported, Imported { added: 1, renamed: 1, unchanged: 0 });
    attest(&registry, "Ada Newname", FIRST).unwrap();
    assert!(attest(&registry, "Ada Test", FIRST).is_err());

    let error = registry.import(&[person("Ada Test", FIRST), person("X", "123")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2, field `number`: the identity number has 3 characters; it has 18, as on the \
         identity card"
    );
    for name in ["", "  ", &"x".repeat(NAME_BYTES_MAX + 1)] {
        let error = registry.import(&[person("Ada Test", FIRST), person(name, SECOND)]);
        assert!(matches!(error, Err(ImportError::Name { row: 2 })), "{name}");
    }
    registry.import(&[person(&"x".repeat(NAME_BYTES_MAX), SECOND)]).unwrap();
    let many = vec![person("Ada Test", FIRST); PEOPLE_PER_IMPORT_MAX + 1];
    assert!(matches!(registry.import(&many), Err(ImportError::TooMany)));
    attest(&registry, "Ada Newname", FIRST).unwrap();
}

#[test]
fn a_new_key_maps_every_old_index_to_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("register.sqlite"));
    let old = Registry::open(&place, &keys(&[1])).unwrap();
    old.import(&people()).unwrap();
    let mut before = BTreeMap::new();
    for person in people() {
        let index = old.attest(&person, &sha256(b"c")).unwrap().statement.blind_index;
        before.insert(index, person);
    }
    drop(old);
    let new = Registry::open(&place, &keys(&[1, 2])).unwrap();
    let (mut pairs, mut after) = (Vec::new(), None);
    loop {
        let page = new.rotate(1, 2, after, 2).unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.statement.old_index);
        pairs.extend(page);
    }
    assert_eq!(pairs.len(), 3);
    for pair in pairs {
        let statement = pair.statement;
        assert_eq!((statement.from, statement.to), (1, 2));
        assert!(is_signed(new.public_key(), &statement.message(), &pair.signature));
        let fresh = new.attest(&before[&statement.old_index], &sha256(b"c")).unwrap().statement;
        assert_eq!((fresh.key_version, fresh.blind_index), (2, statement.new_index));
    }
    assert!(matches!(new.rotate(1, 3, None, 9), Err(IdentityError::UnknownKeyVersion(3))));
    assert!(matches!(new.rotate(9, 2, None, 9), Err(IdentityError::UnknownKeyVersion(9))));
}

#[test]
fn a_register_needs_an_index_key() {
    let error = Registry::open(&Place::Memory, &keys(&[]));
    assert!(matches!(error, Err(OpenRegistryError::NoIndexKey)));
}

#[test]
fn a_failing_register_is_an_error_and_no_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    let registry = Registry::open(&Place::File(path.clone()), &keys(&[1])).unwrap();
    registry.import(&people()).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("ALTER TABLE person RENAME TO elsewhere").unwrap();
    let error = attest(&registry, "Ada Test", FIRST).unwrap_err();
    assert!(matches!(error, IdentityError::Storage(_)), "{error}");
}

#[test]
fn people_are_entered_who_are_free_and_nobody_is_renamed() {
    let registry = Registry::open(&Place::Memory, &keys(&[1])).unwrap();
    registry.import(&people()[..1]).unwrap();
    assert!(!registry.is_free(&person("Ada Test", FIRST)).unwrap());
    assert!(
        !registry.is_free(&person("Eve Test", FIRST)).unwrap(),
        "another name is no other person"
    );
    assert!(registry.is_free(&person("Bob Test", SECOND)).unwrap());
    assert!(!registry.is_free(&person(" ", SECOND)).unwrap());
    assert!(!registry.is_free(&person(&"a".repeat(NAME_BYTES_MAX + 1), SECOND)).unwrap());
    let error = registry.is_free(&person("Bob Test", "440524188001010015")).unwrap_err();
    assert!(matches!(error, IdentityError::Document(_)), "{error}");
    let wrong =
        [person("Eve Test", FIRST), person("", SECOND), person("Bob Test", "440524188001010015")];
    registry.enter(&wrong).unwrap();
    assert!(matches!(attest(&registry, "Eve Test", FIRST), Err(IdentityError::NoMatch)));
    assert!(registry.is_free(&person("Bob Test", SECOND)).unwrap());
    registry.enter(&[person("Bob Test", SECOND), person("Rob Test", SECOND)]).unwrap();
    let first = attest(&registry, "Bob Test", SECOND).unwrap();
    registry.enter(&[person("Bob Test", SECOND)]).unwrap();
    assert_eq!(attest(&registry, "bob  test", SECOND).unwrap().statement, first.statement);
    assert!(matches!(attest(&registry, "Rob Test", SECOND), Err(IdentityError::NoMatch)));
    // A change of keys finds whoever was entered.
    assert_eq!(registry.rotate(1, 1, None, 10).unwrap().len(), 1);
}
