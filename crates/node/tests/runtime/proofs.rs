//! Checkpoints, proofs and vouchers, verified as a stranger would.

use node::receipt_log::{LogSigner, ReceiptLogError};
use node::runtime::SnapshotPace;
use node::runtime::Threads;
use node::signature::{FastVerifier, Scheme, SecretKey};
use node::voucher::IssueVoucherError;
use primitives::{Timestamp, sha256};
use proof::log::{leaf_hash, verify_consistency, verify_inclusion};
use proof::policy::{Policy, policy_text};
use proof::receipt::FieldValue;
use proof::tile::Tile;
use proof::voucher::Voucher;

use crate::world::{ORIGIN, Place, START, contribute, id_of, key, open_fund};

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

#[test]
fn every_receipt_is_proven_at_every_size_and_every_size_continues_the_smaller_ones() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    node.submit_all((1..=300).map(|nth| contribute(1, nth, nth, now())).collect());
    let signed = node.checkpoint().unwrap();
    assert_eq!((signed.checkpoint().size, signed.checkpoint().root), {
        let tip = &node.view().tip;
        (tip.log.size(), tip.log.root())
    });
    assert_eq!(signed.checkpoint().origin, ORIGIN);
    let size = signed.checkpoint().size;
    for index in (0..size).step_by(7) {
        let path = node.inclusion_proof(index, size).unwrap();
        let leaf = leaf_hash(&node.receipt_at(index).unwrap().unwrap().record.leaf());
        verify_inclusion(leaf, index, size, signed.checkpoint().root, &path).unwrap();
    }
    node.submit(contribute(1, 301, 5, now())).unwrap();
    let later = node.checkpoint().unwrap();
    let (old, new) = (signed.checkpoint(), later.checkpoint());
    let path = node.consistency_proof(old.size, new.size).unwrap();
    verify_consistency(old.size, old.root, new.size, new.root, &path).unwrap();
    let policy = policy_text(node.log_key(), &[], 0);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    policy.check(&later, &FastVerifier).unwrap();
    for out_of_range in [
        node.inclusion_proof(new.size, new.size),
        node.inclusion_proof(0, new.size + 1),
        node.consistency_proof(1, new.size + 1),
    ] {
        assert!(matches!(out_of_range, Err(ReceiptLogError::OutOfRange)));
    }
}

#[test]
fn tiles_are_handed_out_as_far_as_the_log_goes() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    node.submit_all((1..=259).map(|nth| contribute(1, nth, nth, now())).collect());
    let tile = |level, index, width| Tile::new(level, index, width).unwrap();
    let full = node.tile(tile(0, 0, 256)).unwrap().unwrap();
    assert_eq!(full.len(), 256 * 32);
    assert_eq!(node.tile(tile(0, 0, 7)).unwrap().unwrap(), full[..7 * 32]);
    assert_eq!(node.tile(tile(0, 1, 4)).unwrap().unwrap().len(), 4 * 32);
    assert_eq!(node.tile(tile(1, 0, 1)).unwrap().unwrap().len(), 32);
    for beyond in [tile(0, 1, 5), tile(0, 2, 1), tile(1, 0, 2), tile(2, 0, 1)] {
        assert_eq!(node.tile(beyond).unwrap(), None);
        assert_eq!(node.entry_bundle(beyond).unwrap(), None);
    }
    let bundle = node.entry_bundle(tile(0, 1, 4)).unwrap().unwrap();
    let entries = proof::tile::decode_entries(&bundle).unwrap();
    assert_eq!(entries[3], node.receipt_at(259).unwrap().unwrap().record.leaf());
    assert_eq!(node.entry_bundle(tile(1, 0, 1)).unwrap(), None);
}

#[test]
fn a_voucher_shows_what_its_holder_chooses_and_a_stranger_verifies_it() {
    let place = Place::new();
    let mut config = place.config(Threads::Caller);
    config.snapshots = SnapshotPace { blocks: 2, bytes: u64::MAX, at_stop: false };
    let (node, _) = place.try_open(config).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    let transaction = contribute(1, 1, 4_520, now());
    node.submit(transaction.clone()).unwrap();
    node.submit(contribute(1, 2, 5, now())).unwrap();
    let policy = policy_text(node.log_key(), &[], 0);
    drop(node);
    let node = place.driven();
    let id = id_of(&transaction);
    let voucher = node.issue_voucher(&id, None).unwrap().unwrap();
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let read = Voucher::decode(voucher.encode().as_bytes()).unwrap();
    let verified = read.verify(&policy, &FastVerifier).unwrap();
    assert_eq!((verified.index, verified.log_size), (1, 3));
    assert_eq!(verified.record.transaction_id, id);
    let FieldValue::Amount(amount) = &verified.fields[&0].value else { panic!("an amount") };
    assert_eq!(amount.amount.minor(), 4_520);

    let closed = node.issue_voucher(&id, Some(&[])).unwrap().unwrap();
    assert!(closed.verify(&policy, &FastVerifier).unwrap().fields.is_empty());
    let missing = node.issue_voucher(&id, Some(&["diagnosis".parse().unwrap()])).unwrap_err();
    assert!(matches!(missing, IssueVoucherError::NoSuchField { .. }));
    assert_eq!(missing.to_string(), "the receipt has no field `diagnosis`; it has amount");
    assert!(node.issue_voucher(&sha256(b"no such transaction"), None).unwrap().is_none());

    let other = LogSigner::new(ORIGIN, key("another log")).unwrap();
    let policy = policy_text(other.public_key(), &[], 0);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert!(read.verify(&policy, &FastVerifier).is_err());
}

#[test]
fn a_log_key_must_be_ed25519_and_its_name_one_of_a_log() {
    let p256 = SecretKey::from_seed(Scheme::P256, &[7; 32]);
    let error = LogSigner::new(ORIGIN, p256).unwrap_err().to_string();
    assert!(error.contains("make one with scheme `ed25519`"), "{error}");
    assert!(LogSigner::new("a name with spaces", key("log")).is_err());
}
