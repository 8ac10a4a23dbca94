use crate::world::{Node, SNAPSHOT_EVERY, assert_same, world_at};
use node::store::fault::{Faults, FaultyDisk};

fn filled(height: u64) -> FaultyDisk {
    let disk = FaultyDisk::new(Faults::default());
    Node::start(disk.clone()).unwrap().run(height, |_| {}).unwrap();
    disk
}

fn snapshots(disk: &FaultyDisk) -> Vec<String> {
    disk.files().into_keys().filter(|path| path.starts_with("snapshots/")).collect()
}

#[test]
fn a_start_uses_the_newest_snapshot_and_replays_the_rest() {
    let disk = filled(4 * SNAPSHOT_EVERY + 3);
    let node = Node::start(disk.clone()).unwrap();
    assert_eq!(node.replayed_after, 4 * SNAPSHOT_EVERY);
    assert_same(&node.world, &world_at(4 * SNAPSHOT_EVERY + 3));
    assert_eq!(node.report, node::store::Report::default());
    assert_eq!(snapshots(&disk).len(), 2, "only the newest two are kept");
}

#[test]
fn a_snapshot_damaged_anywhere_is_refused_and_the_older_one_serves() {
    let disk = filled(2 * SNAPSHOT_EVERY);
    let newest = snapshots(&disk).pop().unwrap();
    let length = disk.files()[&newest].len();
    for at in (0..length).step_by(3).chain(length - 32..length) {
        let damaged = disk.after_restart(Faults::default());
        damaged.damage(&newest, at, 0x41);
        let node = Node::start(damaged).unwrap();
        assert_eq!(node.replayed_after, SNAPSHOT_EVERY, "byte {at}");
        assert_eq!(node.report.refused_snapshots[0].file, newest);
        assert_same(&node.world, &world_at(2 * SNAPSHOT_EVERY));
    }
}

#[test]
fn without_any_snapshot_everything_is_replayed_from_genesis() {
    let disk = filled(2 * SNAPSHOT_EVERY + 1);
    for path in snapshots(&disk) {
        disk.damage(&path, 20, 0xff);
    }
    let node = Node::start(disk).unwrap();
    assert_eq!(node.replayed_after, 0);
    assert_eq!(node.report.refused_snapshots.len(), 2);
    assert_same(&node.world, &world_at(2 * SNAPSHOT_EVERY + 1));
}

#[test]
fn blocks_go_on_while_a_snapshot_is_written() {
    let disk = FaultyDisk::new(Faults::default());
    let mut node = Node::start(disk.clone()).unwrap();
    node.append_blocks(7);
    let snapshot = node.snapshot();
    node.store.begin_snapshot(snapshot.clone()).unwrap();
    assert!(!node.store.snapshot_is_due());
    assert!(node.store.begin_snapshot(snapshot).is_err(), "one at a time");
    node.append_blocks(4);
    assert!(matches!(node.store.finish_snapshot(true), Some(Ok(()))));
    assert!(node.store.finish_snapshot(true).is_none());
    drop(node);
    let node = Node::start(disk).unwrap();
    assert_eq!(node.replayed_after, 7);
    assert_same(&node.world, &world_at(11));
}

#[test]
#[should_panic(expected = "a snapshot is of one block")]
fn a_snapshot_of_parts_that_do_not_belong_together_is_a_bug() {
    let mut node = Node::start(FaultyDisk::new(Faults::default())).unwrap();
    node.append_blocks(3);
    let mut snapshot = node.snapshot();
    snapshot.state = world_at(2).state;
    let _ = node.store.write_snapshot(&snapshot);
}
