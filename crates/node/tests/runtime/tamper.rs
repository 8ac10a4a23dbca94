//! Whatever is changed behind the node's back is named, by block and part.

use std::sync::Arc;

use ledger::Block;
use node::runtime::{Divergence, OpenError};
use node::store::fault::{Faults, FaultyDisk};
use node::store::{BlockLog, Known, LogLimits, StoreError, StoredBlock};
use node::verify::{Evidence, VerifyError, verify_chain, verify_disk, verify_on};
use primitives::{Signature, Timestamp, codec, sha256};
use proof::header::{CommitSignature, commit_message};
use proof::policy::{Policy, policy_text};

use crate::world::{Place, START, contribute, key, open_fund, organisation};

const LIMITS: LogLimits = LogLimits { segment_bytes: 64 << 10, zeros_bytes: 16 << 10 };

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

/// A chain of six blocks on a disk.
fn chain(place: &Place) -> FaultyDisk {
    let disk = FaultyDisk::default();
    let (node, _) = place.open_on(disk.clone()).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    for number in 1..6 {
        node.submit(contribute(1, number, number, now())).unwrap();
    }
    disk
}

/// The same disk, its blocks written anew (with right checksums), one of them changed.
fn rewritten(disk: &FaultyDisk, height: u64, change: impl FnOnce(&mut StoredBlock)) -> FaultyDisk {
    let copy = disk.after_restart(Faults::default());
    let (old, _) =
        BlockLog::open(Arc::new(copy.clone()), LIMITS, [1; 32], Known::default()).unwrap();
    let mut blocks: Vec<StoredBlock> =
        (1..=old.last_height()).map(|at| codec::decode(&old.read(at).unwrap()).unwrap()).collect();
    drop(old);
    change(&mut blocks[height as usize - 1]);
    for path in copy.files().into_keys().filter(|path| path.starts_with("blocks/")) {
        copy.lose(&path);
    }
    let (mut new, _) =
        BlockLog::open(Arc::new(copy.clone()), LIMITS, [2; 32], Known::default()).unwrap();
    for block in blocks {
        new.append(&codec::encode(&block)).unwrap();
    }
    copy
}

/// Changes the block, and signs it again as a sequencer would that wants to deceive.
fn edit(stored: &mut StoredBlock, change: impl FnOnce(&mut Block)) {
    let mut block: Block = codec::decode(&stored.block).unwrap();
    change(&mut block);
    stored.block = block.encode();
    let header = &block.header;
    let value_id = header.value_id();
    let message = commit_message(header.chain_id, header.height, 0, value_id);
    let signature = key("bureau-blocks").sign(&message);
    stored.certificate.height = header.height;
    stored.certificate.value_id = value_id;
    stored.certificate.signatures =
        vec![CommitSignature { organisation: organisation("bureau"), signature }];
}

/// Both the node and `verify`, with one worker and with several, name this part of this block.
fn assert_named(place: &Place, disk: &FaultyDisk, height: u64, what: &str) -> Divergence {
    let [divergence, other] = [1, 3].map(|workers| {
        let name = "disk".as_ref();
        match verify_on(disk.clone(), name, Evidence::default(), workers, |_| {}) {
            Err(VerifyError::Divergence(divergence)) => divergence,
            verified => panic!("{what} was changed and verified: {verified:?}"),
        }
    });
    assert_eq!((divergence.height, divergence.what.as_str()), (height, what));
    assert_eq!(divergence, other);
    let _ = std::fs::remove_file(place.history());
    match place.open_on(disk.clone()) {
        Err(OpenError::Divergence(named)) => assert_eq!(named, divergence),
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} was changed and the node started"),
    }
    divergence
}

#[test]
fn a_changed_block_is_named_and_the_node_does_not_start() {
    let place = Place::new();
    let disk = chain(&place);
    type Change = fn(&mut Block);
    let changes: [(&str, Change); 9] = [
        ("the header's version", |block| block.header.version = 9),
        ("the height", |block| block.header.height += 1),
        ("the chain id", |block| block.header.chain_id = "other".parse().unwrap()),
        ("block time", |block| block.header.time = START),
        ("the parent", |block| block.header.parent = sha256(b"other")),
        ("the receipt log's size", |block| block.header.receipt_log_size += 1),
        ("the receipt log's root", |block| block.header.receipt_log_root = sha256(b"other")),
        ("the state root", |block| block.header.state_root = sha256(b"other")),
        ("the next validators", |block| block.header.next_validators = sha256(b"other")),
    ];
    for (what, change) in changes {
        let disk = rewritten(&disk, 4, |stored| edit(stored, change));
        assert_named(&place, &disk, 4, what);
    }
    let transaction_root = rewritten(&disk, 4, |stored| {
        edit(stored, |block| block.header.transaction_root = sha256(b"other"));
    });
    let named = assert_named(&place, &transaction_root, 4, "the transaction root");
    assert!(named.to_string().starts_with("block 4: the transaction root is `"));
}

/// A block that does not execute, and before it a receipt tile that does not belong to the blocks:
/// the earlier one is named, though its block is followed up while later ones are executed.
#[test]
fn the_first_wrong_block_is_named_however_many_workers_there_are() {
    let place = Place::new();
    let disk = FaultyDisk::default();
    let (node, _) = place.open_on(disk.clone()).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    for number in 1..=270 {
        node.submit(contribute(1, number, number, now())).unwrap();
    }
    drop(node);
    // The tile is full with the 256th receipt; a later block is changed as well.
    let tile = "receipts/tile/0/000";
    let disk = rewritten(&disk, 258, |stored| {
        edit(stored, |block| block.header.state_root = sha256(b"other"));
    });
    for workers in [1, 2, 5] {
        let copy = disk.after_restart(Faults::default());
        let verify = |disk: FaultyDisk| {
            let name = "disk".as_ref();
            verify_on(disk, name, Evidence::default(), workers, |_| {}).unwrap_err().to_string()
        };
        let error = verify(copy.clone());
        assert!(error.starts_with("block 258: the state root is"), "{error}");
        copy.damage(tile, 40, 1);
        let error = verify(copy);
        assert!(error.starts_with(&format!("block 256: the receipt tile `{tile}`")), "{error}");
    }
}

#[test]
fn a_changed_amount_a_left_out_and_a_repeated_transaction_are_named() {
    let place = Place::new();
    let disk = chain(&place);
    let amount = rewritten(&disk, 3, |stored| {
        edit(stored, |block| {
            let last = block.transactions[0].content.body.len() - 33;
            block.transactions[0].content.body[last] ^= 1;
        });
    });
    let named = assert_named(&place, &amount, 3, "transaction 0");
    assert!(named.got.contains("signature"), "{named}");
    let left_out = rewritten(&disk, 3, |stored| edit(stored, |block| block.transactions.clear()));
    assert_named(&place, &left_out, 3, "the receipt log's size");
    let repeated = rewritten(&disk, 3, |stored| {
        edit(stored, |block| block.transactions.push(block.transactions[0].clone()));
    });
    assert_named(&place, &repeated, 3, "the receipt log's size");
    let other = rewritten(&disk, 3, |stored| {
        edit(stored, |block| block.transactions[0] = contribute(1, 2, 700, now()));
    });
    assert_named(&place, &other, 3, "the transaction root");
    // Rewriting the header as well only moves the divergence: the next block has another parent.
    let forged = rewritten(&disk, 3, |stored| {
        edit(stored, |block| block.header.time = block.header.time.plus_millis(1));
    });
    assert_named(&place, &forged, 3, "the receipt log's root");
}

#[test]
fn a_certificate_of_another_key_or_of_another_block_is_named() {
    let place = Place::new();
    let disk = chain(&place);
    let other_key = rewritten(&disk, 5, |stored| {
        let block: Block = codec::decode(&stored.block).unwrap();
        let value_id = block.header.value_id();
        let message = commit_message(block.header.chain_id, 5, 0, value_id);
        stored.certificate.signatures[0].signature = key("somebody").sign(&message);
    });
    assert_named(&place, &other_key, 5, "the certificate");
    let none = rewritten(&disk, 5, |stored| stored.certificate.signatures.clear());
    assert_named(&place, &none, 5, "the certificate");
    let round = rewritten(&disk, 5, |stored| stored.certificate.round = 1);
    assert_named(&place, &round, 5, "the certificate");
}

/// Whoever trusts a checkpoint does not check the signatures under it again, and is told how many;
/// nothing else is left out, and later signatures are checked.
#[test]
fn under_a_trusted_checkpoint_only_signatures_are_left_out() {
    let place = Place::new();
    let disk = FaultyDisk::default();
    let (node, _) = place.open_on(disk.clone()).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    node.submit_all((1..=3).map(|nth| contribute(1, nth, nth, now())).collect());
    let policy = Policy::parse(policy_text(node.log_key(), &[], 0).as_bytes()).unwrap();
    let kept = node.checkpoint().unwrap().encode();
    node.submit(contribute(1, 4, 4, now())).unwrap();
    let blocks = node.view().tip.height;
    drop(node);
    let mut trusting = Evidence::default();
    trusting.trust_before("`kept.txt`", kept.as_bytes(), &policy).unwrap();
    let verify = |disk: &FaultyDisk, evidence: &Evidence| {
        let (copy, name) = (disk.after_restart(Faults::default()), "disk".as_ref());
        verify_on(copy, name, evidence.clone(), 2, |_| {})
    };
    let whole = verify(&disk, &Evidence::default()).unwrap();
    assert_eq!((whole.signatures, whole.signatures_unchecked), (5 + blocks, 0));
    let trusted = verify(&disk, &trusting).unwrap();
    assert_eq!((trusted.signatures, trusted.signatures_unchecked), (1 + blocks, 4));
    assert_eq!(trusted.state_root, whole.state_root);

    let signed_by_nobody = |block: &mut Block| {
        let Signature::Ed25519(raw) = &mut block.transactions[0].authorisations[0].signature else {
            panic!("organisations sign with Ed25519");
        };
        raw[3] ^= 1;
    };
    let before = rewritten(&disk, 2, |stored| edit(stored, signed_by_nobody));
    assert!(verify(&before, &Evidence::default()).is_err());
    assert_eq!(verify(&before, &trusting).unwrap().signatures_unchecked, 4);
    let after = rewritten(&disk, blocks, |stored| edit(stored, signed_by_nobody));
    let error = verify(&after, &trusting).unwrap_err().to_string();
    assert!(error.starts_with(&format!("block {blocks}: transaction 0")), "{error}");

    // Another amount under the checkpoint gives other receipts, whoever signs it.
    let other = rewritten(&disk, 2, |stored| {
        edit(stored, |block| block.transactions[0] = contribute(1, 1, 700, now()));
    });
    assert!(verify(&other, &trusting).is_err());
    // A chain that ends before the checkpoint is not the one that is trusted.
    let shorter = disk.after_restart(Faults::default());
    for path in shorter.files().into_keys().filter(|path| path.starts_with("blocks/")) {
        shorter.lose(&path);
    }
    shorter.lose("signed/checkpoint");
    assert!(verify(&shorter, &trusting).is_err());
}

#[test]
fn bytes_that_are_no_block_are_named() {
    let place = Place::new();
    let disk = chain(&place);
    let cut = rewritten(&disk, 2, |stored| stored.block.truncate(100));
    assert_named(&place, &cut, 2, "the block");
    let longer = rewritten(&disk, 2, |stored| stored.block.push(0));
    assert_named(&place, &longer, 2, "the block");
    let huge = rewritten(&disk, 2, |stored| stored.block.resize((1 << 20) + 1, 0));
    assert_named(&place, &huge, 2, "the block's length");
}

#[test]
fn a_byte_flipped_anywhere_in_the_log_is_found() {
    let place = Place::new();
    let disk = chain(&place);
    let (path, bytes) =
        disk.files().into_iter().find(|(path, _)| path.starts_with("blocks/")).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let (mut found, mut harmless) = (0, 0);
    for offset in (0..=end).step_by(37) {
        let disk = disk.after_restart(Faults::default());
        disk.damage(&path, offset, 0x20);
        match verify_disk(disk, "disk".as_ref(), Evidence::default(), |_| {}) {
            Err(VerifyError::Store(StoreError::Damaged { height, .. })) => {
                assert!((1..=6).contains(&height));
                found += 1;
            }
            // Only the zeros that fill a record up to sixteen bytes mean nothing.
            Ok(_) => harmless += 1,
            Err(error) => panic!("byte {offset}: {error}"),
        }
    }
    assert!(found > 50 && harmless <= 6, "{found} found, {harmless} harmless");
}

#[test]
fn a_whole_ledger_is_verified_with_progress_and_every_currency_comes_to_zero() {
    let place = Place::new();
    let node = place.driven();
    for number in 1..=3 {
        node.submit(open_fund(number, now())).unwrap();
        let payments = (1..=200).map(|nth| contribute(number, nth, nth, now())).collect();
        node.submit_all(payments);
        node.submit(contribute(number, 201, 0, now())).unwrap();
    }
    let view = node.view();
    let mut heights = Vec::new();
    // The node is still running in the folder.
    let report = verify_chain(&place.data(), Evidence::default(), |progress| {
        assert_eq!(progress.last_height, view.tip.height);
        heights.push(progress.height);
    });
    let report = report.unwrap();
    assert_eq!(heights, (1..=view.tip.height).collect::<Vec<_>>());
    assert_eq!((report.accepted, report.rejected, report.receipts), (603, 3, 606));
    assert_eq!(report.signatures, 606 + view.tip.height);
    assert_eq!(report.state_root, view.state.root());
    assert_eq!(
        (report.value_id, report.receipt_log_root),
        (view.tip.value_id, view.tip.log.root())
    );
    let [total] = &report.totals[..] else { panic!("one currency: {:?}", report.totals) };
    assert_eq!((total.accounts, total.entries, total.sum), (4, 600, 0));
    assert_eq!(total.moved, 3 * 20_100);
    assert_eq!((report.tiles, report.tiles_missing), (4, 0), "two tiles and their entries");
}

#[test]
fn a_changed_receipt_tile_is_named_and_a_missing_one_counted() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    node.submit_all((1..=300).map(|nth| contribute(1, nth, nth, now())).collect());
    drop(node);
    let tile = place.data().join("receipts/tile/0/000");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    let error = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("the receipt tile `receipts/tile/0/000`"), "{error}");
    std::fs::remove_file(&tile).unwrap();
    let report = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap();
    assert_eq!((report.tiles, report.tiles_missing), (1, 1));
}

#[test]
fn a_folder_without_a_ledger_is_named() {
    let place = Place::new();
    let error = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap_err();
    assert!(matches!(error, VerifyError::NoLedger(_)));
    assert!(error.to_string().contains("name the data folder of a node"));
    std::fs::create_dir_all(place.data().join("genesis")).unwrap();
    std::fs::write(place.data().join("genesis/genesis.json"), b"{").unwrap();
    let error = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap_err();
    assert!(matches!(error, VerifyError::Genesis(_)));
}
