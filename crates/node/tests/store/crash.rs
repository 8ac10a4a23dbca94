//! Power cuts and failed syncs at every single operation.

use crate::world::{Node, OPTIONS, assert_same, world_at};
use node::store::fault::{Faults, FaultyDisk};
use node::store::{BlockLog, Known, StoreError};
use std::sync::Arc;

const HEIGHT: u64 = 26;

/// Runs until the disk fails; the height of the last acknowledged block.
fn run_until_failure(disk: &FaultyDisk, to: u64) -> (u64, Option<StoreError>) {
    let mut acknowledged = 0;
    let result = Node::start(disk.clone()).and_then(|mut node| {
        acknowledged = node.world.tip.height;
        node.run(to, |height| acknowledged = height)
    });
    (acknowledged, result.err())
}

/// Starts again and checks that nothing acknowledged is lost and nothing is there by halves.
fn check_recovery(disk: FaultyDisk, acknowledged: u64) -> Node<FaultyDisk> {
    let node = Node::start(disk).unwrap();
    let found = node.world.tip.height;
    assert!(found >= acknowledged, "block {acknowledged} was acknowledged, {found} is the last");
    assert!(found <= acknowledged + 1, "only one block can have been under way");
    assert_same(&node.world, &world_at(found));
    node
}

fn operations_of_a_whole_run() -> u64 {
    let disk = FaultyDisk::new(Faults::default());
    assert!(run_until_failure(&disk, HEIGHT).1.is_none());
    disk.operations()
}

#[test]
fn whatever_was_acknowledged_survives_a_power_cut_at_every_operation() {
    let mut cuts = 0;
    for at in 1..=operations_of_a_whole_run() {
        for seed in 0..6 {
            let disk = FaultyDisk::new(Faults { power_cut_at: Some(at), ..Faults::default() });
            let (acknowledged, error) = run_until_failure(&disk, HEIGHT);
            assert!(error.is_some());
            let mut node =
                check_recovery(disk.after_power_cut(seed, Faults::default()), acknowledged);
            cuts += u32::from(node.report.cut.is_some());
            node.run(HEIGHT, |_| {}).unwrap();
            assert_same(&node.world, &world_at(HEIGHT));
        }
    }
    assert!(cuts > 50, "torn records were among what was tested: {cuts}");
}

#[test]
fn a_second_power_cut_while_coming_back_loses_nothing_either() {
    let whole = operations_of_a_whole_run();
    for first in (3..=whole).step_by(11) {
        let disk = FaultyDisk::new(Faults { power_cut_at: Some(first), ..Faults::default() });
        let (acknowledged, _) = run_until_failure(&disk, HEIGHT);
        for second in 1.. {
            let faults = Faults { power_cut_at: Some(second), ..Faults::default() };
            let disk = disk.after_power_cut(first + second, faults);
            let Err(_) = Node::start(disk.clone()) else { break };
            check_recovery(disk.after_power_cut(second, Faults::default()), acknowledged);
        }
    }
}

#[test]
fn after_a_failed_sync_a_restart_and_a_power_cut_nothing_acknowledged_is_lost() {
    let mut failures = 0;
    for at in 1..=operations_of_a_whole_run() {
        let disk = FaultyDisk::new(Faults { failed_sync_at: Some(at), ..Faults::default() });
        let (acknowledged, Some(_)) = run_until_failure(&disk, HEIGHT) else { continue };
        failures += 1;
        // The restarted node may see the block whose sync failed, and builds on it.
        let disk = disk.after_restart(Faults::default());
        let mut node = check_recovery(disk.clone(), acknowledged);
        let mut acknowledged = node.world.tip.height;
        for seed in 0..3 {
            check_recovery(disk.after_power_cut(seed, Faults::default()), acknowledged);
        }
        node.run(acknowledged + 2, |height| acknowledged = height).unwrap();
        for seed in 0..3 {
            check_recovery(disk.after_power_cut(seed, Faults::default()), acknowledged);
        }
    }
    assert!(failures > 50, "{failures}");
}

#[test]
fn a_failed_sync_stops_the_log_for_good() {
    let disk = FaultyDisk::new(Faults::default());
    let mut node = Node::start(disk.clone()).unwrap();
    node.run(2, |_| {}).unwrap();
    // An append is a write and a sync, unless zeros have to be written first.
    let faulty = disk.after_restart(Faults::default());
    let mut node = Node::start(faulty.clone()).unwrap();
    let before = faulty.operations();
    node.append().unwrap();
    let sync = faulty.operations();
    assert!(sync - before <= 3);
    drop(node);

    let faulty = disk.after_restart(Faults { failed_sync_at: Some(sync), ..Faults::default() });
    let mut node = Node::start(faulty.clone()).unwrap();
    assert!(matches!(node.append(), Err(StoreError::Io { .. })));
    let operations = faulty.operations();
    for _ in 0..3 {
        assert!(matches!(node.append(), Err(StoreError::Stopped)));
    }
    assert_eq!(faulty.operations(), operations, "the disk was not asked again");
}

#[test]
fn one_block_is_one_write_and_one_sync() {
    let disk = FaultyDisk::new(Faults::default());
    let mut node = Node::start(disk.clone()).unwrap();
    let mut counts = Vec::new();
    for _ in 0..40 {
        let next = node.world.next();
        let before = disk.operations();
        node.store.append(&next.block).unwrap();
        counts.push(disk.operations() - before);
        node.world = next.world;
    }
    let plain = counts.iter().filter(|count| **count == 2).count();
    assert!(plain > 10, "{counts:?}");
    assert!(counts.iter().all(|count| *count <= 7), "{counts:?}");
}

#[test]
fn the_remains_of_a_torn_block_do_not_trouble_a_shorter_one() {
    let open = |disk: &FaultyDisk| {
        let disk = Arc::new(disk.clone());
        let opened = BlockLog::open(disk, OPTIONS.limits, OPTIONS.key, Known::default());
        let (mut log, cut) = opened.unwrap();
        log.settle().unwrap();
        (log, cut)
    };
    let first = FaultyDisk::new(Faults::default());
    open(&first).0.append(&[1; 100]).unwrap();
    let mut torn = 0;
    for seed in 0..64 {
        // Opening takes as many operations as before; then a write and the sync that is cut off.
        let disk = first.after_restart(Faults::default());
        let (mut log, _) = open(&disk);
        let power_cut_at = Some(disk.operations() + 2);
        drop(log);
        let disk = first.after_restart(Faults { power_cut_at, ..Faults::default() });
        log = open(&disk).0;
        assert!(log.append(&[2; 2_000]).is_err());

        let disk = disk.after_power_cut(seed, Faults::default());
        let (mut log, cut) = open(&disk);
        assert_eq!(log.last_height(), if cut.is_some() { 1 } else { log.last_height() });
        torn += u32::from(cut.is_some());
        let next = log.last_height() + 1;
        log.append(&[3; 50]).unwrap();
        let (log, cut) = open(&disk);
        assert_eq!((log.last_height(), cut), (next, None));
        assert_eq!(log.read(next).unwrap(), [3; 50]);
    }
    assert!(torn > 20, "{torn}");
}
