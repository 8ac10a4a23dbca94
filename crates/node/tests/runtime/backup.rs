//! Copies of a node's folder: whole at one block, brought back to any block, and never a second
//! history.

use std::fs;
use std::path::Path;

use node::backup::{
    BackupError, BlocksEnd, Copier, Until, bring_blocks, copy_blocks, copy_followers, end_of,
    forget_behind, height_at, salvage,
};
use node::runtime::{NodeConfig, OpenError, SnapshotPace, Threads};
use node::store::{Folder, LogLimits, StoreError};
use node::verify::{Evidence, verify_chain};
use node::{Node, NodeHandle};
use primitives::Timestamp;

use crate::world::{Place, START, balance, contribute, genesis, open_fund};

const LIMITS: LogLimits = LogLimits { segment_bytes: 64 << 10, zeros_bytes: 16 << 10 };

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

/// As a served folder: the history lies in it, snapshots are written now and then.
fn config(place: &Place, data: &Path, threads: Threads) -> NodeConfig {
    let snapshots = SnapshotPace { blocks: 100, bytes: u64::MAX, at_stop: true };
    NodeConfig { history: data.join("history.sqlite"), snapshots, ..place.config(threads) }
}

fn open(place: &Place, data: &Path) -> Result<NodeHandle, OpenError> {
    let disk = Folder::open(data).expect("a folder");
    Node::open(disk, &genesis(), config(place, data, Threads::Caller)).map(|(node, _)| node)
}

fn start(place: &Place) -> NodeHandle {
    let node = open(place, &place.data()).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    node
}

/// Blocks of one payment each.
fn pay(place: &Place, node: &NodeHandle, payments: std::ops::Range<u64>) {
    for nth in payments {
        place.clock.advance_millis(10);
        node.submit(contribute(1, nth, 1, now())).unwrap();
    }
}

fn copy(from: &Path, to: &Path, copier: &mut Copier<'_>) -> Result<BlocksEnd, BackupError> {
    copy_followers(from, to, true, copier)?;
    copy_blocks(from, to, copier)
}

fn fresh<'a>() -> Copier<'a> {
    Copier { earlier: None, bytes_copied: 0, bytes_kept: 0 }
}

fn assert_whole(folder: &Path, end: &BlocksEnd) {
    let report = verify_chain(folder, Evidence::default(), |_| {}).unwrap();
    assert_eq!(report.blocks, end.height);
    assert_eq!(report.state_root, end.state_root);
    assert_eq!((report.receipts, report.receipt_log_root), (end.receipts, end.receipt_log_root));
    assert_eq!(end_of(folder).unwrap(), *end);
}

/// Starts a node on a copy of which somebody said that it is the newest one.
fn start_copy(place: &Place, folder: &Path) -> NodeHandle {
    let refused = open(place, folder).err().expect("a copy does not start by itself");
    assert!(matches!(refused, OpenError::Copy), "{refused}");
    let disk = Folder::open(folder).unwrap();
    let config = NodeConfig { is_newest_copy: true, ..config(place, folder, Threads::Caller) };
    Node::open(disk, &genesis(), config).unwrap().0
}

#[test]
fn copies_made_while_blocks_are_made_are_whole_ledgers() {
    let place = Place::new();
    let data = place.data();
    let disk = Folder::open(&data).unwrap();
    let own = Threads::Own { checking: 1 };
    let (node, _) = Node::open(disk, &genesis(), config(&place, &data, own)).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    let copies: Vec<_> =
        (0..6).map(|nth| place.folder.path().join(format!("copy-{nth}"))).collect();
    std::thread::scope(|scope| {
        let writer = node.clone();
        scope.spawn(move || {
            for nth in 1..600 {
                writer.submit(contribute(1, nth, 1, now())).unwrap();
            }
        });
        for target in &copies {
            let end = copy(&data, target, &mut fresh()).unwrap();
            assert_whole(target, &end);
        }
    });
    node.stop();
    let last = place.folder.path().join("last");
    let end = copy(&data, &last, &mut fresh()).unwrap();
    assert_whole(&last, &end);
    assert_eq!(end.receipts, 600);
    drop(node);
    let again = start_copy(&place, &last);
    assert_eq!(balance(&again, 1), 599);
}

#[test]
fn a_later_copy_takes_what_never_changes_from_an_earlier_one() {
    let place = Place::new();
    let node = start(&place);
    pay(&place, &node, 1..400);
    let [one, two] = ["one", "two"].map(|name| place.folder.path().join(name));
    copy(&place.data(), &one, &mut fresh()).unwrap();
    pay(&place, &node, 400..450);
    let mut copier = Copier { earlier: Some(&one), ..fresh() };
    let end = copy(&place.data(), &two, &mut copier).unwrap();
    assert_eq!(end.height, 450);
    assert!(copier.bytes_kept > 100_000, "{} bytes were kept", copier.bytes_kept);
    assert_whole(&two, &end);
    // The earlier copy is still what it was.
    assert_eq!(end_of(&one).unwrap().height, 400);
    verify_chain(&one, Evidence::default(), |_| {}).unwrap();
}

#[test]
fn a_ledger_is_brought_back_to_any_block_and_any_time() {
    let place = Place::new();
    let node = start(&place);
    pay(&place, &node, 1..350);
    let [all, part] = ["all", "part"].map(|name| place.folder.path().join(name));
    copy(&place.data(), &all, &mut fresh()).unwrap();
    for height in [0, 1, 2, 150, 299, 349, 350] {
        let header = (height > 0).then(|| node.header(height).unwrap().unwrap().0);
        if let Some(header) = &header {
            assert_eq!(height_at(&all, Until::Time(header.time)).unwrap(), height);
            let later = header.time.plus_millis(9);
            assert_eq!(height_at(&all, Until::Time(later)).unwrap(), height);
        }
        assert_eq!(height_at(&all, Until::Height(height)).unwrap(), height);
        let _ = fs::remove_dir_all(&part);
        copy_followers(&all, &part, true, &mut fresh()).unwrap();
        bring_blocks(&all, &part, height).unwrap();
        forget_behind(&part, height).unwrap();
        let end = end_of(&part).unwrap();
        assert_whole(&part, &end);
        assert_eq!(end.height, height);
        if let Some(header) = header {
            assert_eq!(end.value_id, header.value_id());
            let again = start_copy(&place, &part);
            assert_eq!(balance(&again, 1), i128::from(height) - 1);
            assert_eq!(again.view().tip.value_id, end.value_id);
        }
    }
    let error = height_at(&all, Until::Height(351)).unwrap_err();
    assert!(error.to_string().contains("there is no block 351; the last one is 350"), "{error}");
    let error = height_at(&all, Until::Time(START)).unwrap_err();
    assert!(matches!(error, BackupError::Before { .. }), "{error}");
}

#[test]
fn newer_blocks_of_a_whole_folder_bring_what_was_signed_along() {
    let place = Place::new();
    let node = start(&place);
    pay(&place, &node, 1..300);
    let backup = place.folder.path().join("backup");
    copy(&place.data(), &backup, &mut fresh()).unwrap();
    pay(&place, &node, 300..420);
    node.checkpoint().unwrap();
    node.stop();
    drop(node);
    let salvaged = salvage(&backup, &place.data(), LIMITS).unwrap();
    assert_eq!((salvaged.blocks, salvaged.is_complete), (120, true));
    let end = end_of(&backup).unwrap();
    assert_eq!(end, end_of(&place.data()).unwrap());
    // It is no copy any more: it has everything that was ever signed.
    let again = open(&place, &backup).unwrap();
    assert_eq!(balance(&again, 1), 419);
}

#[test]
fn newer_blocks_of_a_damaged_folder_are_taken_as_far_as_they_are_whole() {
    let place = Place::new();
    let node = start(&place);
    pay(&place, &node, 1..300);
    let backup = place.folder.path().join("backup");
    copy(&place.data(), &backup, &mut fresh()).unwrap();
    pay(&place, &node, 300..420);
    node.stop();
    drop(node);
    let blocks = place.data().join("blocks");
    let mut segments: Vec<_> =
        fs::read_dir(&blocks).unwrap().map(|one| one.unwrap().path()).collect();
    segments.sort();
    let last = segments.last().unwrap();
    let mut bytes = fs::read(last).unwrap();
    let records: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"yb-block")).collect();
    bytes[records[records.len() / 2] + 100] ^= 1;
    fs::write(last, bytes).unwrap();
    let refused = copy(&place.data(), &place.folder.path().join("none"), &mut fresh());
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("is damaged at byte"), "{error}");
    let salvaged = salvage(&backup, &place.data(), LIMITS).unwrap();
    assert!(salvaged.blocks > 0 && salvaged.blocks < 120, "{salvaged:?}");
    assert!(!salvaged.is_complete);
    let end = end_of(&backup).unwrap();
    assert_eq!(end.height, 300 + salvaged.blocks);
    assert_whole(&backup, &end);
    // Blocks are missing that were signed, so it stays a copy.
    start_copy(&place, &backup);
}

#[test]
fn blocks_of_another_history_or_ledger_are_not_appended() {
    let place = Place::new();
    let node = start(&place);
    pay(&place, &node, 1..20);
    let backup = place.folder.path().join("backup");
    copy(&place.data(), &backup, &mut fresh()).unwrap();
    let before = end_of(&backup).unwrap();
    let other = Place::new();
    other.clock.advance_millis(5);
    let forked = start(&other);
    pay(&other, &forked, 1..40);
    let error = salvage(&backup, &other.data(), LIMITS).unwrap_err();
    assert!(matches!(error, BackupError::Chain(20)), "{error}");
    fs::write(other.data().join("genesis/genesis.json"), b"{}").unwrap();
    assert!(salvage(&backup, &other.data(), LIMITS).is_err());
    assert_eq!(end_of(&backup).unwrap(), before);
}

#[test]
fn a_folder_without_a_ledger_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let error = copy_followers(folder.path(), &to, true, &mut fresh()).unwrap_err();
    assert!(matches!(error, BackupError::NoLedger(_)), "{error}");
    let missing = end_of(folder.path()).unwrap_err();
    assert!(!matches!(missing, BackupError::Store(StoreError::Stopped)), "{missing}");
}
