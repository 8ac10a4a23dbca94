//! Blocks that were acknowledged and are gone are missed by whatever knows of them, and nothing is
//! signed below what was signed.

use node::NodeHandle;
use node::receipt_log::ReceiptLogError;
use node::runtime::{OpenError, SnapshotPace, Threads};
use node::signature::FastVerifier;
use node::store::StoreError;
use node::store::fault::{Faults, FaultyDisk};
use node::verify::{Evidence, VerifyError, VerifyReport, verify_disk};
use primitives::Timestamp;
use proof::policy::{Policy, policy_text};

use crate::world::{Place, START, contribute, genesis, id_of, open_fund};

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

/// A ledger of six blocks, and whether they were followed by a snapshot.
fn chain(place: &Place, has_snapshot: bool) -> FaultyDisk {
    let disk = FaultyDisk::default();
    let mut config = place.config(Threads::Caller);
    config.snapshots = SnapshotPace { blocks: u64::MAX, bytes: u64::MAX, at_stop: has_snapshot };
    let (node, _) = node::Node::open(disk.clone(), &genesis(), config).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    for number in 1..6 {
        node.submit(contribute(1, number, number, now())).unwrap();
    }
    node.stop();
    disk
}

fn copy(disk: &FaultyDisk) -> FaultyDisk {
    disk.after_restart(Faults::default())
}

fn block_file(disk: &FaultyDisk) -> (String, Vec<u8>) {
    disk.files().into_iter().find(|(path, _)| path.starts_with("blocks/")).unwrap()
}

/// Zeros a sector of the last record, as an interrupted write leaves it behind: its first one (0)
/// or its second one (1).
fn tear_last_block(disk: &FaultyDisk, sector: usize) {
    let (path, bytes) = block_file(disk);
    let start = (0..bytes.len()).rev().find(|at| bytes[*at..].starts_with(b"yb-block")).unwrap();
    let second = (start + 1).next_multiple_of(512);
    let range = if sector == 0 { start..second } else { second..second + 512 };
    range.for_each(|at| disk.damage(&path, at, bytes[at]));
}

fn lose(disk: &FaultyDisk, folder: &str) {
    for path in disk.files().into_keys().filter(|path| path.starts_with(folder)) {
        disk.lose(&path);
    }
}

fn forget_history(place: &Place) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(place.folder.path().join(format!("history.sqlite{suffix}")));
    }
}

fn verify(place: &Place, disk: &FaultyDisk) -> Result<VerifyReport, VerifyError> {
    let mut evidence = Evidence::default();
    evidence.history(&place.history());
    verify_disk(copy(disk), "disk".as_ref(), evidence, |_| {})
}

/// Neither the node nor `verify` takes the disk for a whole ledger, and every byte of the blocks
/// is still there afterwards; gives what both say.
fn refused(place: &Place, disk: &FaultyDisk) -> [String; 2] {
    let before = disk.files();
    let verified = match verify(place, disk) {
        Err(error) => error.to_string(),
        Ok(report) => panic!("{report:?}"),
    };
    let opened = match place.open_on(disk.clone()) {
        Err(error) => error.to_string(),
        Ok((node, _)) => panic!("it started at height {}", node.view().tip.height),
    };
    assert_eq!(disk.files(), before, "evidence was changed");
    [opened, verified]
}

#[test]
fn a_torn_block_that_the_history_knows_of_was_acknowledged_and_is_damage() {
    let place = Place::new();
    let disk = chain(&place, false);
    for sector in [0, 1] {
        let torn = copy(&disk);
        tear_last_block(&torn, sector);
        for words in refused(&place, &torn) {
            assert!(words.contains("where block 6 should be: it is not whole"), "{words}");
            assert!(words.contains("restore the data folder"), "{words}");
        }
    }
}

#[test]
fn a_torn_block_below_a_snapshot_is_damage_and_stays_as_it_is() {
    let place = Place::new();
    let disk = chain(&place, true);
    forget_history(&place);
    disk.lose("signed/checkpoint");
    tear_last_block(&disk, 0);
    for words in refused(&place, &disk) {
        assert!(words.contains("where block 6 should be: it is not whole"), "{words}");
    }
}

#[test]
fn a_torn_block_that_a_signed_checkpoint_covers_is_missed() {
    let place = Place::new();
    let disk = chain(&place, false);
    forget_history(&place);
    tear_last_block(&disk, 1);
    for words in refused(&place, &disk) {
        assert!(words.contains("the blocks end with 5 receipts, but"), "{words}");
        assert!(words.contains("`signed/checkpoint`"), "{words}");
    }
}

#[test]
fn a_torn_block_that_nobody_knows_of_is_cut_off() {
    let place = Place::new();
    let disk = chain(&place, false);
    forget_history(&place);
    disk.lose("signed/checkpoint");
    tear_last_block(&disk, 1);
    let report = verify(&place, &disk).unwrap();
    assert_eq!((report.blocks, report.cut.unwrap().height), (5, 6));
    let mut config = place.config(Threads::Caller);
    config.is_newest_copy = true;
    let (node, report) = node::Node::open(disk, &genesis(), config).unwrap();
    assert_eq!((node.view().tip.height, report.cut.unwrap().height), (5, 6));
}

#[test]
fn a_ledger_whose_blocks_are_all_gone_is_not_begun_anew() {
    let place = Place::new();
    let disk = chain(&place, true);
    lose(&disk, "blocks/");
    for words in refused(&place, &disk) {
        assert!(words.contains("blocks 1 to 6 are missing in `blocks`"), "{words}");
    }
    lose(&disk, "snapshots/");
    for words in refused(&place, &disk) {
        assert!(words.contains("blocks 1 to 6 are missing in `blocks`"), "{words}");
    }
    forget_history(&place);
    for words in refused(&place, &disk) {
        assert!(words.contains("the blocks end with 0 receipts"), "{words}");
    }
}

#[test]
fn receipt_tiles_beyond_the_blocks_show_that_blocks_are_missing() {
    let place = Place::new();
    let disk = FaultyDisk::default();
    let (node, _) = place.open_on(disk.clone()).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    node.submit_all((1..=300).map(|nth| contribute(1, nth, nth, now())).collect());
    drop(node);
    assert_eq!(verify(&place, &disk).unwrap().tiles, 2);
    lose(&disk, "blocks/");
    disk.lose("signed/checkpoint");
    forget_history(&place);
    for words in refused(&place, &disk) {
        assert!(words.contains("`receipts/tile/0/000` holds"), "{words}");
    }
}

#[test]
fn a_copy_signs_nothing_until_somebody_says_that_it_is_the_newest_one() {
    let place = Place::new();
    let disk = chain(&place, true);
    disk.lose("signed/checkpoint");
    let error = place.open_on(copy(&disk)).err().unwrap();
    assert!(matches!(error, OpenError::Copy), "{error}");
    assert!(error.to_string().contains("start it once with `--newest-copy`"), "{error}");
    let mut config = place.config(Threads::Caller);
    config.is_newest_copy = true;
    let (node, _) = node::Node::open(disk.clone(), &genesis(), config).unwrap();
    node.submit(contribute(1, 6, 6, now())).unwrap();
    drop(node);
    let (node, _) = place.open_on(disk).unwrap();
    assert_eq!(node.view().tip.height, 7);
}

#[test]
fn a_checkpoint_is_on_the_disk_before_it_is_given_out() {
    let place = Place::new();
    let disk = chain(&place, false);
    let (node, _) = place.open_on(disk.clone()).unwrap();
    for nth in 6..9 {
        node.submit(contribute(1, nth, nth, now())).unwrap();
        let given = node.checkpoint().unwrap();
        assert_eq!(given.checkpoint().size, nth + 1);
        assert_eq!(disk.files()["signed/checkpoint"], given.encode().as_bytes());
    }
}

#[test]
fn a_checkpoint_that_cannot_be_kept_is_not_given_out() {
    let mut refusals = 0;
    for ahead in 1..9 {
        let place = Place::new();
        let disk = chain(&place, false);
        let (node, _) = place.open_on(disk.clone()).unwrap();
        node.submit(contribute(1, 6, 6, now())).unwrap();
        let failed_sync_at = Some(disk.operations() + ahead);
        disk.plan(Faults { failed_sync_at, ..Faults::default() });
        match node.checkpoint() {
            Err(ReceiptLogError::Store(StoreError::Io { .. })) => refusals += 1,
            Err(error) => panic!("{error}"),
            Ok(given) => assert_eq!(disk.files()["signed/checkpoint"], given.encode().as_bytes()),
        }
    }
    assert_eq!(refusals, 2, "the sync of the file and that of its name");
}

#[test]
fn a_mark_whose_name_was_not_synced_is_durable_before_the_next_block() {
    let mut failed_starts = 0;
    for failed_sync_at in 1..40 {
        let place = Place::new();
        let disk =
            FaultyDisk::new(Faults { failed_sync_at: Some(failed_sync_at), ..Faults::default() });
        let Err(error) = place.open_on(disk.clone()) else { continue };
        let is_mark = error.to_string().contains("`signed/checkpoint`");
        failed_starts += u32::from(is_mark);
        // The power stays on, so the next start sees names that the disk may not have.
        let disk = copy(&disk);
        let (node, _) = place.open_on(disk.clone()).unwrap();
        node.submit(open_fund(1, now())).unwrap();
        drop(node);
        for seed in 0..32 {
            let after = disk.after_power_cut(seed, Faults::default());
            assert_eq!(verify(&place, &after).unwrap().blocks, 1, "seed {seed}");
            let (node, _) = place.open_on(after).expect("an ordinary power cut");
            assert_eq!(node.view().tip.height, 1, "seed {seed}");
        }
    }
    assert_eq!(failed_starts, 2, "the sync of the mark and that of its name");
}

#[test]
fn a_checkpoint_that_is_given_out_after_a_start_outlives_a_power_cut() {
    for ahead in 1..9 {
        let place = Place::new();
        let disk = chain(&place, false);
        let (node, _) = place.open_on(disk.clone()).unwrap();
        node.submit(contribute(1, 6, 6, now())).unwrap();
        let failed_sync_at = Some(disk.operations() + ahead);
        disk.plan(Faults { failed_sync_at, ..Faults::default() });
        let _ = node.checkpoint();
        drop(node);
        let disk = copy(&disk);
        let (node, _) = place.open_on(disk.clone()).unwrap();
        let given = node.checkpoint().unwrap();
        for seed in 0..32 {
            let after = disk.after_power_cut(seed, Faults::default());
            assert_eq!(after.files()["signed/checkpoint"], given.encode().as_bytes());
        }
    }
}

#[test]
fn other_blocks_than_those_that_were_signed_are_a_fork() {
    let place = Place::new();
    let disk = chain(&place, false);
    // The same ledger, half a second later: other blocks.
    let other = Place::new();
    other.clock.advance_millis(500);
    let forked = chain(&other, false);
    for words in refused(&place, &forked) {
        assert!(words.contains("block 6: the block id in the history"), "{words}");
    }
    forget_history(&place);
    let signed = disk.files()["signed/checkpoint"].clone();
    forked.replace("signed/checkpoint", &signed);
    let [opened, verified] = refused(&place, &forked);
    assert!(opened.contains("with another root than the blocks give"), "{opened}");
    let what = "block 6: the receipt log's root over 6 receipts in `signed/checkpoint`";
    assert!(verified.contains(what), "{verified}");
}

#[test]
fn a_damaged_mark_is_named() {
    let place = Place::new();
    let disk = chain(&place, false);
    let note = String::from_utf8(disk.files()["signed/checkpoint"].clone()).unwrap();
    // Behind the empty line stand the signer's name, which may be an earlier one, and signature.
    for at in (0..note.find("\n\n").unwrap()).chain([note.len() - 2]) {
        let damaged = copy(&disk);
        damaged.damage("signed/checkpoint", at, 1);
        let Err(error) = place.open_on(damaged) else { panic!("byte {at}") };
        let named = matches!(error, OpenError::Store(StoreError::Mark(_)))
            || matches!(error, OpenError::Store(StoreError::MissingReceipts { .. }))
            || matches!(error, OpenError::ReceiptLog(_));
        assert!(named, "byte {at}: {error}");
    }
}

#[test]
fn a_snapshot_with_a_byte_flipped_is_a_divergence() {
    let place = Place::new();
    let disk = chain(&place, true);
    assert_eq!(verify(&place, &disk).unwrap().snapshots, 1);
    let path = disk.files().into_keys().find(|path| path.starts_with("snapshots/")).unwrap();
    for at in (0..disk.files()[&path].len()).step_by(41) {
        let damaged = copy(&disk);
        damaged.damage(&path, at, 1);
        let error = verify(&place, &damaged).unwrap_err();
        assert!(error.to_string().contains(&format!("block 6: the snapshot `{path}`")), "{error}");
    }
}

#[test]
fn a_whole_snapshot_of_another_history_is_a_divergence() {
    let place = Place::new();
    let disk = chain(&place, true);
    let other = Place::new();
    other.clock.advance_millis(500);
    let forked = chain(&other, true);
    let path = disk.files().into_keys().find(|path| path.starts_with("snapshots/")).unwrap();
    disk.replace(&path, &forked.files()[&path]);
    let error = verify(&place, &disk).unwrap_err().to_string();
    assert!(error.contains(&format!("block 6: the snapshot `{path}`")), "{error}");
}

/// What others keep of a ledger: its policy, its newest checkpoint and a voucher of its fourth
/// payment.
fn kept(node: &NodeHandle) -> (Policy, Vec<u8>, proof::voucher::Voucher) {
    let policy = Policy::parse(policy_text(node.log_key(), &[], 0).as_bytes()).unwrap();
    let checkpoint = node.checkpoint().unwrap().encode().into_bytes();
    let voucher = node.issue_voucher(&id_of(&contribute(1, 4, 4, now())), None).unwrap().unwrap();
    voucher.verify(&policy, &FastVerifier).unwrap();
    (policy, checkpoint, voucher)
}

#[test]
fn what_others_kept_shows_a_ledger_that_was_cut_or_made_anew() {
    let place = Place::new();
    let short = chain(&place, false);
    let longer = copy(&short);
    let (node, _) = place.open_on(longer.clone()).unwrap();
    node.submit(contribute(1, 6, 6, now())).unwrap();
    let (policy, checkpoint, voucher) = kept(&node);
    drop(node);
    let other = Place::new();
    other.clock.advance_millis(500);
    let forked = chain(&other, false);

    let with = |disk: &FaultyDisk, evidence: &Evidence| {
        verify_disk(copy(disk), "disk".as_ref(), evidence.clone(), |_| {})
            .map(|report| report.blocks)
    };
    let (mut by_checkpoint, mut by_voucher) = (Evidence::default(), Evidence::default());
    by_checkpoint.checkpoint("`kept.txt`", &checkpoint, &policy).unwrap();
    by_voucher.voucher("`mine.tlog-proof`", &voucher, &policy).unwrap();
    for evidence in [&by_checkpoint, &by_voucher] {
        assert_eq!(with(&longer, evidence).unwrap(), 7);
        let error = with(&short, evidence).unwrap_err().to_string();
        assert!(error.contains("the blocks end with 6 receipts, but `"), "{error}");
    }
    let error = with(&forked, &by_voucher).unwrap_err().to_string();
    assert!(error.contains("block 5: receipt 4 in `mine.tlog-proof`"), "{error}");
    let (node, _) = other.open_on(forked.clone()).unwrap();
    node.submit(contribute(1, 6, 6, now())).unwrap();
    drop(node);
    let error = with(&forked, &by_checkpoint).unwrap_err().to_string();
    assert!(
        error.contains("block 7: the receipt log's root over 7 receipts in `kept.txt`"),
        "{error}"
    );
}

#[test]
fn what_no_trusted_log_signed_is_no_evidence() {
    let place = Place::new();
    let (node, _) = place.open_on(chain(&place, false)).unwrap();
    let (_, checkpoint, voucher) = kept(&node);
    let stranger = node::receipt_log::LogSigner::new("other.example", crate::world::key("x"));
    let policy = policy_text(stranger.unwrap().public_key(), &[], 0);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let mut evidence = Evidence::default();
    assert!(evidence.checkpoint("it", &checkpoint, &policy).is_err());
    assert!(evidence.checkpoint("it", b"words", &policy).is_err());
    assert!(evidence.voucher("it", &voucher, &policy).is_err());
}
