//! Headers, certificates and receipts: their bytes, their hashes and their rules.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use common::{AwsLc, field, fields, record, seed, yuan};
use primitives::{Hash, OrganisationId, PublicKey, Signature, SignatureError, Timestamp, codec};
use proof::{
    header::{
        Certificate, CertificateError, ChainId, CommitSignature, HEADER_VERSION, Header, POWER_MAX,
        Validator, ValidatorSet, ValidatorSetError, commit_message,
    },
    receipt::{Field, FieldName, FieldValue, FieldsError, OutcomeCode, ReceiptRecord},
};

/// Computed apart from this code, with Python's `hashlib` and `struct`, like the next three.
const VALUE_ID: &str = "cad07aa95862b62eb76f963e774fad2c5b6d29b3de14aeae6849e4767a1c2603";
const COMMIT_MESSAGE: &str = "de52e64f5abaab7565cef0a762992f93255744e329d75b654fc52192c495c771";
const RECORD_HASH: &str = "c24201e8de2c143086eeefd41aa923a8aba5dd73e16741ea2fa1fb4e128fba54";
const TOTAL_COMMITMENT: &str = "7b18d387140b612e81cca8e236fb3a149a0ae29ed40605fbd98a643f9cded136";

fn header() -> Header {
    Header {
        version: HEADER_VERSION,
        chain_id: "gansu-demo".parse().unwrap(),
        height: 812,
        time: common::time(),
        parent: Hash([1; 32]),
        transaction_root: Hash([2; 32]),
        receipt_log_size: 100,
        receipt_log_root: Hash([3; 32]),
        state_root: Hash([4; 32]),
        next_validators: validators(&[1, 1, 1, 1]).hash(),
    }
}

fn organisation(number: usize) -> OrganisationId {
    ["audit", "bureau", "finance", "tax"][number].parse().unwrap()
}

fn pair(number: usize) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[u8::try_from(number).unwrap() + 40; 32]).unwrap()
}

fn validator(number: usize, power: u64) -> Validator {
    let key = PublicKey::Ed25519(pair(number).public_key().as_ref().try_into().unwrap());
    Validator { organisation: organisation(number), key, power }
}

/// The four organisations with these powers, those of power 0 left out.
fn validators(powers: &[u64]) -> ValidatorSet {
    let present = powers.iter().enumerate().filter(|(_, power)| **power > 0);
    ValidatorSet::new(present.map(|(number, power)| validator(number, *power)).collect()).unwrap()
}

/// The certificate of this header by these organisations.
fn certificate(header: &Header, round: u32, signers: &[usize]) -> Certificate {
    let value_id = header.value_id();
    let message = commit_message(header.chain_id, header.height, round, value_id);
    let sign = |number: &usize| CommitSignature {
        organisation: organisation(*number),
        signature: Signature::Ed25519(
            pair(*number).sign(message.as_bytes()).as_ref().try_into().unwrap(),
        ),
    };
    let signatures = signers.iter().map(sign).collect();
    Certificate { height: header.height, round, value_id, signatures }
}

#[test]
fn header_bytes_and_value_id_never_change() {
    let header = header();
    let bytes = codec::encode(&header);
    assert_eq!(bytes.len(), 218);
    assert_eq!(codec::decode::<Header>(&bytes).unwrap(), header);
    assert_eq!(header.value_id().to_string(), VALUE_ID);
    let message = commit_message(header.chain_id, 812, 0, header.value_id());
    assert_eq!(message.to_string(), COMMIT_MESSAGE);
    let json = serde_json::to_string(&header).unwrap();
    assert_eq!(serde_json::from_str::<Header>(&json).unwrap(), header);
}

#[test]
fn the_value_id_covers_every_field() {
    let other: [fn(&mut Header); 10] = [
        |header| header.version += 1,
        |header| header.chain_id = "gansu-demp".parse().unwrap(),
        |header| header.height += 1,
        |header| header.time = Timestamp::from_millis(0),
        |header| header.parent.0[31] ^= 1,
        |header| header.transaction_root.0[31] ^= 1,
        |header| header.receipt_log_size += 1,
        |header| header.receipt_log_root.0[31] ^= 1,
        |header| header.state_root.0[31] ^= 1,
        |header| header.next_validators.0[31] ^= 1,
    ];
    for change in other {
        let mut changed = header();
        change(&mut changed);
        assert_ne!(changed.value_id(), header().value_id(), "{changed:?}");
    }
}

#[test]
fn a_commit_message_is_of_one_chain_height_round_and_value() {
    let chain: ChainId = "gansu-demo".parse().unwrap();
    let message = commit_message(chain, 1, 0, Hash([1; 32]));
    for other in [
        commit_message("gansu-dem".parse().unwrap(), 1, 0, Hash([1; 32])),
        commit_message(chain, 2, 0, Hash([1; 32])),
        commit_message(chain, 1, 1, Hash([1; 32])),
        commit_message(chain, 1, 0, Hash([2; 32])),
    ] {
        assert_ne!(message, other);
    }
}

#[test]
fn chain_ids_have_one_spelling() {
    let long = "a".repeat(32);
    for good in ["a", "gansu-demo", "x9", &long] {
        let id: ChainId = good.parse().unwrap();
        assert_eq!(id.as_str(), good);
        assert_eq!(codec::decode::<ChainId>(&codec::encode(&id)).unwrap(), id);
    }
    let longer = "a".repeat(33);
    for wrong in ["", "9a", "-a", "A", "a b", "a\0", "甘肃", &longer] {
        assert!(wrong.parse::<ChainId>().is_err(), "{wrong}");
    }
    let mut bytes = [0; 32];
    bytes[0] = b'a';
    bytes[2] = b'b';
    assert!(codec::decode::<ChainId>(&bytes).is_err(), "nothing may stand behind the end");
}

#[test]
fn a_validator_set_is_sorted_and_names_nobody_twice() {
    let set = validators(&[1, 2, 3, 4]);
    let turned = set.validators().iter().rev().cloned().collect();
    assert_eq!(ValidatorSet::new(turned), Ok(set.clone()));
    assert_eq!(set.total_power(), 10);
    assert_eq!(set.get(organisation(2)).unwrap().power, 3);
    let bytes = codec::encode(&set);
    assert_eq!(codec::decode::<ValidatorSet>(&bytes).unwrap(), set);
    let (first, second) = (validator(0, 1), validator(1, 1));
    let encoded = codec::encode(&vec![second.clone(), first.clone()]);
    assert!(codec::decode::<ValidatorSet>(&encoded).is_err(), "one encoding per set");
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<ValidatorSet>(&json).unwrap(), set);
    let same_key = Validator { organisation: organisation(1), ..first.clone() };
    for (list, error) in [
        (vec![], ValidatorSetError::Empty),
        (vec![first.clone(); 65], ValidatorSetError::TooMany),
        (vec![first.clone(), first.clone()], ValidatorSetError::Duplicate(organisation(0))),
        (vec![first.clone(), same_key], ValidatorSetError::Duplicate(organisation(1))),
        (vec![validator(0, 0)], ValidatorSetError::Power(organisation(0))),
        (vec![validator(0, POWER_MAX + 1)], ValidatorSetError::Power(organisation(0))),
    ] {
        assert_eq!(ValidatorSet::new(list), Err(error));
    }
    assert!(ValidatorSet::new(vec![validator(0, POWER_MAX)]).is_ok());
    assert_ne!(validators(&[1, 2, 3, 4]).hash(), validators(&[1, 2, 3, 5]).hash());
}

#[test]
fn more_than_two_thirds_decide() {
    for (powers, least) in [([1, 0, 0, 0], 1), ([1, 1, 0, 0], 2), ([1, 1, 1, 0], 3), ([1; 4], 3)] {
        let set = validators(&powers);
        assert!(set.is_quorum(least) && !set.is_quorum(least - 1), "{powers:?}");
    }
    let set = validators(&[POWER_MAX; 4]);
    assert!(!set.is_quorum(2 * POWER_MAX + (2 * POWER_MAX) / 3));
    assert!(set.is_quorum(2 * POWER_MAX + (2 * POWER_MAX) / 3 + 1));
}

#[test]
fn a_certificate_holds_for_its_header_by_a_quorum_of_its_validators() {
    let (header, set) = (header(), validators(&[1, 1, 1, 1]));
    let check = |certificate: &Certificate| set.verify_certificate(&header, certificate, &AwsLc);
    let good = certificate(&header, 2, &[0, 1, 3]);
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&certificate(&header, 0, &[3, 2, 1, 0])), Ok(()));
    assert_eq!(codec::decode::<Certificate>(&codec::encode(&good)).unwrap(), good);
    let two = certificate(&header, 2, &[0, 1]);
    assert_eq!(check(&two), Err(CertificateError::NoQuorum { power: 2, total: 4 }));
    let twice = certificate(&header, 2, &[0, 1, 1]);
    assert_eq!(check(&twice), Err(CertificateError::Duplicate(organisation(1))));
    let late = Certificate { round: 3, ..good.clone() };
    let invalid = |number| {
        Err(CertificateError::Signature(organisation(number), SignatureError::InvalidSignature))
    };
    assert_eq!(check(&late), invalid(0));
    let mut swapped = good.clone();
    swapped.signatures[1].signature = good.signatures[0].signature.clone();
    assert_eq!(check(&swapped), invalid(1));
    let other = Header { height: 813, ..header.clone() };
    assert_eq!(set.verify_certificate(&other, &good, &AwsLc), Err(CertificateError::OtherBlock));
    let smaller = validators(&[1, 1, 1, 0]);
    assert_eq!(
        smaller.verify_certificate(&header, &good, &AwsLc),
        Err(CertificateError::NotAValidator(organisation(3)))
    );
}

#[test]
fn receipt_bytes_and_commitments_never_change() {
    let record = record();
    let leaf = record.leaf();
    assert_eq!(codec::decode::<ReceiptRecord>(&leaf).unwrap(), record);
    assert_eq!(primitives::sha256(&leaf).to_string(), RECORD_HASH);
    assert_eq!(record.commitments[1].to_string(), TOTAL_COMMITMENT);
    // The commitment written out by hand, as the documentation says it.
    let mut by_hand = b"yibao/field/v1".to_vec();
    by_hand.extend(seed().salt(1));
    by_hand.extend(5_u32.to_le_bytes());
    by_hand.extend(b"total");
    by_hand.extend(13_u32.to_le_bytes());
    by_hand.push(0);
    by_hand.extend(87_635_u64.to_le_bytes());
    by_hand.extend(b"CNY\x02");
    assert_eq!(primitives::sha256(&by_hand), record.commitments[1]);
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<ReceiptRecord>(&json).unwrap(), record);
}

#[test]
fn a_rejection_keeps_its_code() {
    let rejected = ReceiptRecord { outcome: OutcomeCode::Rejected(4_711), ..record() };
    assert_eq!(codec::decode::<ReceiptRecord>(&rejected.leaf()).unwrap(), rejected);
    assert_ne!(rejected.leaf(), record().leaf());
}

#[test]
fn a_receipt_has_at_most_64_fields_each_under_its_own_name() {
    let many = |count: u64| -> Vec<Field> {
        (0..count).map(|n| field(&format!("line.{n}"), FieldValue::Number(n))).collect()
    };
    assert_eq!(seed().commit(&many(64)).unwrap().len(), 64);
    assert_eq!(seed().commit(&many(65)), Err(FieldsError::TooMany));
    let twice = [field("total", yuan(1)), field("cash", yuan(1)), field("total", yuan(2))];
    let name: FieldName = "total".parse().unwrap();
    assert_eq!(seed().commit(&twice), Err(FieldsError::Duplicate(name)));
    let mut long = record();
    long.commitments = vec![Hash::default(); 65];
    assert!(codec::decode::<ReceiptRecord>(&long.leaf()).is_err());
    long.commitments.pop();
    assert!(codec::decode::<ReceiptRecord>(&long.leaf()).is_ok());
}

#[test]
fn equal_values_have_unlike_commitments() {
    let twins = [field("a", yuan(5)), field("b", yuan(5))];
    let here = seed().commit(&twins).unwrap();
    assert_ne!(here[0], here[1]);
    let there = proof::receipt::ReceiptSeed([9; 32]).commit(&twins).unwrap();
    assert_ne!(here[0], there[0]);
    assert_eq!(format!("{:?}", seed()), "ReceiptSeed(secret)");
}

#[test]
fn a_field_has_one_encoding_and_one_reading() {
    for field in fields() {
        assert_eq!(codec::decode::<Field>(&codec::encode(&field)).unwrap(), field);
        let json = serde_json::to_string(&field).unwrap();
        assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), field);
    }
    let json = serde_json::to_string(&field("total", yuan(87_635))).unwrap();
    assert_eq!(
        json,
        r#"{"name":"total","value":{"type":"amount","value":{"amount":"87635","currency":"CNY"}}}"#
    );
    // A currency that shows another number of decimals would show another amount.
    let mut bytes = codec::encode(&yuan(87_635));
    *bytes.last_mut().unwrap() = 0;
    assert!(codec::decode::<FieldValue>(&bytes).is_err());
    for wrong in ["", "Total", "1st", "a b", "a-b", "ä", &"a".repeat(49)] {
        assert!(wrong.parse::<FieldName>().is_err(), "{wrong}");
        assert!(codec::decode::<FieldName>(&codec::encode(wrong)).is_err(), "{wrong}");
    }
}
