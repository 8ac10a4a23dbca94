//! Disks that fail: whatever happens, what was acknowledged is there, once.

use node::runtime::{Health, SnapshotPace, SubmitError, Threads};
use node::store::fault::{Faults, FaultyDisk};
use node::verify::{Evidence, verify_disk};
use node::{Node, NodeHandle};
use primitives::Timestamp;
use proof::receipt::OutcomeCode;

use crate::world::{Place, START, balance, contribute, genesis, id_of, open_fund};

const PAYMENTS: u64 = 6;

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

fn open(place: &Place, disk: &FaultyDisk) -> Option<NodeHandle> {
    let mut config = place.config(Threads::Caller);
    config.snapshots = SnapshotPace { blocks: 3, bytes: u64::MAX, at_stop: false };
    Node::open(disk.clone(), &genesis(), config).ok().map(|(node, _)| node)
}

/// Opens a fund and pays into it until the disk fails; which payments were acknowledged at which
/// place, and which one is not known.
fn run(node: &NodeHandle) -> (Vec<(u64, u64)>, Option<u64>) {
    let mut acknowledged = Vec::new();
    for nth in 0..=PAYMENTS {
        let transaction =
            if nth == 0 { open_fund(1, now()) } else { contribute(1, nth, nth, now()) };
        let id = id_of(&transaction);
        match node.submit(transaction) {
            Ok(submitted) => acknowledged.push((nth, submitted.receipt_index)),
            Err(SubmitError::Unknown { transaction_id }) => {
                assert_eq!(transaction_id, id);
                return (acknowledged, Some(nth));
            }
            Err(error) => {
                assert_eq!(error, SubmitError::Stopped);
                return (acknowledged, None);
            }
        }
    }
    (acknowledged, None)
}

/// Starts again and finishes the work: everything is there exactly once.
fn recover_and_finish(place: &Place, disk: &FaultyDisk, acknowledged: &[(u64, u64)]) {
    let node = open(place, disk).expect("what is on the disk is a whole ledger");
    for (nth, index) in acknowledged {
        let transaction =
            if *nth == 0 { open_fund(1, now()) } else { contribute(1, *nth, *nth, now()) };
        let placed = node.receipt_by_transaction(&id_of(&transaction)).unwrap();
        let placed = placed.expect("what was acknowledged is there");
        assert_eq!(placed.index, *index);
        let again = node.submit(transaction).unwrap();
        assert_eq!((again.receipt_index, again.is_duplicate), (*index, true));
    }
    let (all, unknown) = run(&node);
    assert_eq!((all.len() as u64, unknown), (PAYMENTS + 1, None));
    assert_eq!(balance(&node, 1), (1..=PAYMENTS).map(i128::from).sum::<i128>());
    assert_eq!(node.view().tip.log.size(), PAYMENTS + 1, "no transaction stands there twice");
    drop(node);
    let report = verify_disk(disk.clone(), "disk".as_ref(), Evidence::default(), |_| {}).unwrap();
    assert_eq!(report.accepted, PAYMENTS + 1);
}

fn operations_of_a_whole_run() -> u64 {
    let (place, disk) = (Place::new(), FaultyDisk::default());
    let node = open(&place, &disk).unwrap();
    assert_eq!(run(&node).0.len() as u64, PAYMENTS + 1);
    assert!(node.metrics().snapshot_height >= 3);
    disk.operations()
}

#[test]
fn a_power_cut_at_every_operation_loses_nothing_that_was_acknowledged() {
    let mut unknown_count = 0;
    for at in 1..=operations_of_a_whole_run() {
        for seed in 0..2 {
            let place = Place::new();
            let disk = FaultyDisk::new(Faults { power_cut_at: Some(at), ..Faults::default() });
            let (acknowledged, unknown) = match open(&place, &disk) {
                Some(node) => run(&node),
                None => (Vec::new(), None),
            };
            unknown_count += u32::from(unknown.is_some());
            let disk = disk.after_power_cut(seed * 1_000 + at, Faults::default());
            recover_and_finish(&place, &disk, &acknowledged);
        }
    }
    assert!(unknown_count > 0, "some cut fell into the writing of a block");
}

#[test]
fn a_failed_sync_stops_the_node_and_nobody_is_told_that_it_happened() {
    let mut stopped = 0;
    for at in 1..=operations_of_a_whole_run() {
        let place = Place::new();
        let disk = FaultyDisk::new(Faults { failed_sync_at: Some(at), ..Faults::default() });
        let Some(node) = open(&place, &disk) else { continue };
        let (acknowledged, unknown) = run(&node);
        if let Some(nth) = unknown {
            stopped += 1;
            assert!(matches!(node.status(), Health::Failed(_)));
            assert_eq!(node.submit(contribute(1, 99, 5, now())), Err(SubmitError::Stopped));
            let placed = node.receipt_by_transaction(&id_of(&contribute(1, nth, nth, now())));
            assert!(placed.unwrap().is_none(), "what may not be durable is not shown");
        }
        drop(node);
        recover_and_finish(&place, &disk.after_power_cut(at, Faults::default()), &acknowledged);
    }
    assert!(stopped >= 6, "{stopped} syncs of blocks failed");
}

#[test]
fn a_power_cut_after_a_failed_sync_and_a_start_loses_nothing_that_was_acknowledged() {
    for at in 1..=operations_of_a_whole_run() {
        let place = Place::new();
        let disk = FaultyDisk::new(Faults { failed_sync_at: Some(at), ..Faults::default() });
        if let Some(node) = open(&place, &disk) {
            run(&node);
        }
        // The power stays on: what no sync made durable is still to be seen.
        let disk = disk.after_restart(Faults::default());
        let node = open(&place, &disk).expect("what can be seen is a whole ledger");
        let (acknowledged, unknown) = run(&node);
        assert_eq!((acknowledged.len() as u64, unknown), (PAYMENTS + 1, None));
        drop(node);
        recover_and_finish(&place, &disk.after_power_cut(at, Faults::default()), &acknowledged);
    }
}

#[test]
fn with_threads_of_its_own_a_node_stops_the_same_way() {
    let place = Place::new();
    let whole = {
        let (place, disk) = (Place::new(), FaultyDisk::default());
        run(&open(&place, &disk).unwrap());
        disk.operations()
    };
    let mut unknown_count = 0;
    for at in 1..=whole {
        let _ = std::fs::remove_file(place.history());
        let disk = FaultyDisk::new(Faults { failed_sync_at: Some(at), ..Faults::default() });
        let config = place.config(Threads::Own { checking: 1 });
        let Ok((node, _)) = Node::open(disk, &genesis(), config) else { continue };
        unknown_count += u32::from(run(&node).1.is_some());
    }
    assert!(unknown_count >= 6);
}

#[test]
fn a_transaction_whose_outcome_was_unknown_is_asked_for_by_its_id_and_sent_again() {
    let place = Place::new();
    // The sync of the second block fails once.
    let mut at = 0;
    let (disk, transaction) = loop {
        at += 1;
        let _ = std::fs::remove_file(place.history());
        let disk = FaultyDisk::new(Faults { failed_sync_at: Some(at), ..Faults::default() });
        let Some(node) = open(&place, &disk) else { continue };
        if node.submit(open_fund(1, now())).is_err() {
            continue;
        }
        let transaction = contribute(1, 1, 1, now());
        let Err(error) = node.submit(transaction.clone()) else { continue };
        assert_eq!(error, SubmitError::Unknown { transaction_id: id_of(&transaction) });
        break (disk, transaction);
    };
    let node = open(&place, &disk.after_restart(Faults::default())).unwrap();
    let known = node.receipt_by_transaction(&id_of(&transaction)).unwrap();
    let again = node.submit(transaction).unwrap();
    assert_eq!(again.receipt.record.outcome, OutcomeCode::Accepted);
    assert_eq!(again.is_duplicate, known.is_some());
    assert_eq!(balance(&node, 1), 1);
}
