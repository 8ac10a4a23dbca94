//! Stopping and starting: nothing is lost, nothing is there twice, the root is the same.

use node::runtime::{OpenError, OpenReport, SnapshotPace, Threads};
use node::verify::{Evidence, verify_chain};
use primitives::Timestamp;

use crate::world::{
    HOUR, Place, START, balance, contribute, genesis, id_of, insurer, key, open_fund, organisation,
};

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

/// Opens a fund and pays into it, one block each.
fn pay(node: &node::NodeHandle, from: u64, to: u64) {
    for number in from..to {
        node.submit(contribute(1, number, number, now())).unwrap();
    }
}

#[test]
fn a_node_that_is_simply_dropped_comes_back_with_an_equal_root() {
    let place = Place::new();
    let (node, report) = place.open();
    assert_eq!(report, OpenReport::default());
    node.submit(open_fund(1, now())).unwrap();
    pay(&node, 1, 20);
    let view = node.view();
    drop(node);
    let (node, report) = place.open();
    assert_eq!(report, OpenReport { blocks_replayed: 20, ..OpenReport::default() });
    assert_eq!(node.view().state.root(), view.state.root());
    assert_eq!(node.view().tip, view.tip);
    assert_eq!(node.view().header, view.header);
    pay(&node, 20, 22);
    assert_eq!(balance(&node, 1), (1..22).sum::<i128>());
    assert_eq!(node.block(21).unwrap().unwrap().header.parent, view.tip.value_id);
}

#[test]
fn a_node_that_is_killed_again_and_again_does_not_replay_more_each_time() {
    let place = Place::new();
    let open = || {
        let mut config = place.config(Threads::Caller);
        config.snapshots = SnapshotPace { blocks: u64::MAX, bytes: 32_000, at_stop: false };
        place.try_open(config).unwrap()
    };
    let (node, _) = open();
    node.submit(open_fund(1, now())).unwrap();
    pay(&node, 1, 20);
    assert_eq!(node.metrics().snapshot_height, 0);
    drop(node);
    // Before it could write one beside its blocks.
    let (node, report) = open();
    let height = node.view().tip.height;
    assert_eq!((report.blocks_replayed, node.metrics().snapshot_height), (height, height));
    drop(node);
    let (node, report) = open();
    assert_eq!((report.blocks_replayed, report.snapshot_height), (0, height));
    drop(node);
    for life in 1..6 {
        let (node, report) = open();
        assert!(report.blocks_replayed <= 20, "life {life} replays {}", report.blocks_replayed);
        let height = node.view().tip.height;
        assert_eq!(node.metrics().snapshot_height, height, "life {life} begins with a snapshot");
        pay(&node, life * 20, life * 20 + 20);
    }
}

#[test]
fn from_a_snapshot_only_what_came_later_is_replayed() {
    let place = Place::new();
    let open = || {
        let mut config = place.config(Threads::Caller);
        config.snapshots = SnapshotPace { blocks: 8, bytes: u64::MAX, at_stop: false };
        place.try_open(config).unwrap()
    };
    let (node, _) = open();
    node.submit(open_fund(1, now())).unwrap();
    pay(&node, 1, 21);
    assert_eq!(node.metrics().snapshot_height, 16);
    let view = node.view();
    drop(node);
    let (node, report) = open();
    assert_eq!((report.snapshot_height, report.blocks_replayed), (16, 5));
    assert_eq!(node.view().tip, view.tip);
    assert_eq!(node.view().state.root(), view.state.root());
    pay(&node, 21, 25);
    assert_eq!(node.metrics().snapshot_height, 24);
    verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap();
}

#[test]
fn an_orderly_stop_writes_a_snapshot_with_or_without_threads() {
    for threads in [Threads::Caller, Threads::Own { checking: 1 }] {
        let place = Place::new();
        let open = || {
            let mut config = place.config(threads);
            config.snapshots.at_stop = true;
            place.try_open(config).unwrap()
        };
        let (node, _) = open();
        node.submit(open_fund(1, now())).unwrap();
        pay(&node, 1, 6);
        let tip = node.view().tip.clone();
        node.stop();
        drop(node);
        let (node, report) = open();
        assert_eq!((report.snapshot_height, report.blocks_replayed), (6, 0), "{threads:?}");
        assert_eq!(node.view().tip, tip);
        assert_eq!(node.view().header.as_ref().unwrap().height, 6);
        node.submit(contribute(1, 6, 6, now())).unwrap();
    }
}

#[test]
fn a_snapshot_that_is_damaged_is_reported_and_the_blocks_take_its_place() {
    let place = Place::new();
    let open = || {
        let mut config = place.config(Threads::Caller);
        config.snapshots = SnapshotPace { blocks: 4, bytes: u64::MAX, at_stop: false };
        place.try_open(config).unwrap()
    };
    let (node, _) = open();
    node.submit(open_fund(1, now())).unwrap();
    pay(&node, 1, 4);
    let tip = node.view().tip.clone();
    drop(node);
    let snapshots = place.data().join("snapshots");
    let file = std::fs::read_dir(&snapshots).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (node, report) = open();
    assert_eq!((report.snapshot_height, report.blocks_replayed), (0, 4));
    assert_eq!(report.refused_snapshots.len(), 1);
    assert_eq!(node.view().tip, tip);
}

#[test]
fn a_folder_of_another_ledger_is_refused() {
    let place = Place::new();
    place.driven().submit(open_fund(1, now())).unwrap();
    let mut other = genesis();
    other.salt = primitives::sha256(b"another salt");
    let disk = node::store::Folder::open(place.data()).unwrap();
    let error = node::Node::open(disk, &other, place.config(Threads::Caller)).err().unwrap();
    assert!(matches!(error, OpenError::OtherGenesis { ref there } if there == "test"));
    assert!(error.to_string().contains("another genesis"));
}

#[test]
fn two_nodes_cannot_work_in_one_folder() {
    let place = Place::new();
    let node = place.driven();
    let second = node::store::Folder::open(place.data());
    assert!(second.err().unwrap().to_string().contains("in use by another node"));
    drop(node);
    node::store::Folder::open(place.data()).unwrap();
}

#[test]
fn a_node_with_another_key_than_the_validator_s_stops_at_its_first_block_and_says_so() {
    let place = Place::new();
    let mut config = place.config(Threads::Caller);
    let other = node::runtime::BlockSigner::new(organisation("bureau"), key("another key"));
    config.signer = other;
    let (node, _) = place.try_open(config).unwrap();
    let answer = node.submit(open_fund(1, now()));
    assert_eq!(answer, Err(node::runtime::SubmitError::Stopped));
    let node::runtime::Health::Failed(words) = node.status() else { panic!("it cannot go on") };
    assert!(words.contains("start the node with that organisation's key"), "{words}");
    assert_eq!(node.view().tip.height, 0);
}

#[test]
fn idempotency_keys_outlive_a_restart_until_the_transaction_has_expired() {
    let place = Place::new();
    let node = place.driven();
    node.submit(open_fund(1, now())).unwrap();
    let transaction = contribute(1, 1, 500, now());
    let first = node.submit(transaction.clone()).unwrap();
    drop(node);
    let node = place.driven();
    assert_eq!(node.submit(transaction.clone()).unwrap().receipt, first.receipt);
    place.clock.advance_millis(4 * HOUR);
    node.submit(contribute(1, 2, 1, now().plus_millis(4 * HOUR))).unwrap();
    let late = node.submit(transaction.clone()).unwrap_err();
    assert!(late.to_string().contains("no longer valid"), "{late}");
    // Its receipt is there for ever.
    let placed = node.receipt_by_transaction(&id_of(&transaction)).unwrap().unwrap();
    assert_eq!(placed.receipt, first.receipt);
    assert_eq!(balance(&node, 1), 501);
    let own = crate::world::party(&insurer(1));
    let all = node.receipts_of(&own, node::runtime::Direction::OldestFirst, None, 9).unwrap();
    assert_eq!(all.len(), 3);
}

#[test]
fn a_snapshot_that_a_reader_of_the_history_holds_up_is_counted_and_tried_again() {
    let place = Place::new();
    let mut config = place.config(Threads::Caller);
    config.snapshots = SnapshotPace { blocks: 4, bytes: u64::MAX, at_stop: false };
    let (node, _) = place.try_open(config).unwrap();
    node.submit(open_fund(1, now())).unwrap();
    pay(&node, 1, 2);
    // Somebody reads and does not come to an end: what he sees cannot be written over.
    let mut reader = rusqlite::Connection::open(place.history()).unwrap();
    let reading = reader.transaction().unwrap();
    let count = |reading: &rusqlite::Transaction<'_>| -> i64 {
        reading.query_row("SELECT count(*) FROM receipt", [], |row| row.get(0)).unwrap()
    };
    assert!(count(&reading) > 0);
    pay(&node, 2, 4);
    let metrics = node.metrics();
    assert_eq!((metrics.snapshot_height, metrics.snapshots_given_up), (0, 1));
    drop(reading);
    pay(&node, 4, 5);
    let metrics = node.metrics();
    assert_eq!((metrics.snapshot_height, metrics.snapshots_given_up), (5, 1));
}
