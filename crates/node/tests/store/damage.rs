//! Damage that no crash leaves behind: it is found, named, and never papered over.

use crate::world::{Node, world_at};
use node::store::fault::{Faults, FaultyDisk};
use node::store::{Store, StoreError};

fn filled(height: u64, snapshots: bool) -> FaultyDisk {
    let disk = FaultyDisk::new(Faults::default());
    let mut node = Node::start(disk.clone()).unwrap();
    if snapshots {
        node.run(height, |_| {}).unwrap();
    } else {
        node.append_blocks(height);
    }
    drop(node);
    disk
}

fn copy(disk: &FaultyDisk) -> FaultyDisk {
    disk.after_restart(Faults::default())
}

fn segments(disk: &FaultyDisk) -> Vec<String> {
    disk.files().into_keys().filter(|path| path.starts_with("blocks/")).collect()
}

#[test]
fn a_changed_byte_in_an_acknowledged_block_is_named_and_never_cut_off() {
    const HEIGHT: u64 = 14;
    let disk = filled(HEIGHT, false);
    let paths = segments(&disk);
    assert!(paths.len() > 1);
    for path in &paths {
        for at in (0..disk.files()[path].len()).step_by(7) {
            let damaged = copy(&disk);
            damaged.damage(path, at, 0x20);
            match Node::start(damaged) {
                // A zero behind the last block, or the padding of one.
                Ok(node) => assert_eq!(node.world.tip.height, HEIGHT, "{path} {at}"),
                Err(StoreError::Damaged { file, offset, height, .. }) => {
                    assert_eq!(file, *path);
                    assert!(offset <= at as u64);
                    assert!(height <= HEIGHT);
                }
                Err(other) => panic!("{path} {at}: {other}"),
            }
        }
    }
}

#[test]
fn damage_below_a_snapshot_is_found_when_the_block_is_read() {
    let disk = filled(13, true);
    let path = &segments(&disk)[0];
    disk.damage(path, 200, 1);
    let node = Node::start(disk).unwrap();
    assert_eq!(node.world.tip.height, 13);
    assert_eq!(node.replayed_after, 10);
    let error = node.store.read_block(1).unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged { file, offset: 96, height: 1, .. } if file == path)
    );
    assert!(error.to_string().contains("restore the data folder from a backup"), "{error}");
    assert!(node.store.read_block(13).is_ok());
    assert!(matches!(node.store.read_block(14), Err(StoreError::NoBlock(14))));
    assert!(matches!(node.store.read_block(0), Err(StoreError::NoBlock(0))));
}

#[test]
fn a_block_zeroed_in_the_middle_is_not_taken_for_the_end() {
    let disk = filled(6, false);
    let path = segments(&disk).remove(0);
    let bytes = disk.files()[&path].clone();
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"yb-block")).collect();
    assert!(starts.len() > 1);
    // The first block of the first file, from its first byte to the second block.
    for (at, byte) in bytes.iter().enumerate().take(starts[1]).skip(starts[0]) {
        disk.damage(&path, at, *byte);
    }
    let result = Node::start(disk).err();
    assert!(matches!(result, Some(StoreError::Damaged { file, .. }) if file == path));
}

#[test]
fn a_missing_file_of_blocks_is_named() {
    let disk = filled(14, false);
    let paths = segments(&disk);
    assert!(paths.len() > 2);
    let without = |path: &str| {
        let copy = copy(&disk);
        copy.lose(path);
        Node::start(copy)
    };
    assert!(matches!(without(&paths[0]).err(), Some(StoreError::MissingBlocks { first: 1, .. })));
    let error = without(&paths[1]).err();
    assert!(matches!(error, Some(StoreError::Damaged { file, .. }) if file == paths[0]));
}

#[test]
fn blocks_that_a_snapshot_knows_of_cannot_be_lost_unseen() {
    let disk = filled(15, true);
    let last = segments(&disk).pop().unwrap();
    disk.lose(&last);
    let error = Node::start(disk).err().unwrap();
    assert!(matches!(error, StoreError::MissingBlocks { last: 15, .. }), "{error}");
}

#[test]
fn old_blocks_may_be_archived_once_a_snapshot_covers_them() {
    let disk = filled(23, true);
    let paths = segments(&disk);
    disk.lose(&paths[0]);
    let node = Node::start(disk).unwrap();
    assert_eq!(node.world.tip, world_at(23).tip);
    assert!(matches!(node.store.read_block(1), Err(StoreError::NoBlock(1))));
}

#[test]
fn a_file_that_is_no_block_log_is_refused() {
    let disk = FaultyDisk::new(Faults::default());
    {
        use node::store::{Disk, DiskFile};
        let file = disk.create("blocks/00000000000000000001.log").unwrap();
        file.write_at(0, &[b'x'; 300]).unwrap();
    }
    let error = Store::open(disk, crate::world::OPTIONS).err().unwrap();
    assert!(error.to_string().contains("no header of a block log"), "{error}");
}

#[test]
fn a_block_log_of_another_version_is_named_as_such() {
    let disk = filled(3, false);
    let path = &segments(&disk)[0];
    // The last byte of `yibao block log1`: 1 becomes 2.
    disk.damage(path, 15, b'1' ^ b'2');
    let error = Node::start(disk).err().unwrap();
    assert!(matches!(&error, StoreError::OtherVersion(file) if file == path), "{error}");
    assert!(error.to_string().contains("another version"), "{error}");
}
