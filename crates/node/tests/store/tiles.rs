//! The receipt log on disk, read back the way a stranger would.

use crate::world::{Node, SNAPSHOT_EVERY, assert_same, world_at};
use node::store::fault::{Faults, FaultyDisk};
use node::store::{StoreError, TileLog};
use proof::log::{Frontier, leaf_hash, prove_inclusion, verify_inclusion};
use proof::tile::{Tile, TiledNodes, Tiles, decode_entries, encode_entries, encode_tile};
use std::sync::Arc;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn grown(disk: &FaultyDisk, size: u64) -> TileLog<FaultyDisk> {
    let log = TileLog::new(Arc::new(disk.clone()));
    (0..size).for_each(|index| log.push(&entry(index)).unwrap());
    log
}

#[test]
fn every_entry_of_a_log_on_disk_can_be_proven() {
    for size in [1, 255, 256, 257, 600, 70_000] {
        let disk = FaultyDisk::new(Faults::default());
        let log = grown(&disk, size);
        let mut frontier = Frontier::new();
        (0..size).for_each(|index| frontier.push(leaf_hash(&entry(index))));
        assert_eq!((log.size(), log.root()), (size, frontier.root()));
        let nodes = TiledNodes::new(&log, size);
        for index in [0, 1, 254, 255, 256, 511, 65_535, 65_536, size / 2, size - 1] {
            if index < size {
                let path = prove_inclusion(&nodes, index, size).unwrap();
                let leaf = leaf_hash(&entry(index));
                assert!(verify_inclusion(leaf, index, size, log.root(), &path).is_ok());
            }
        }
        for index in [0, 1, size / 256] {
            let Some(tile) = Tile::at(0, index, size) else { continue };
            let bundle = log.entries(tile).unwrap();
            let entries = decode_entries(&bundle).unwrap();
            let first = index * 256;
            let expected: Vec<Vec<u8>> =
                (first..first + u64::from(tile.width())).map(entry).collect();
            assert_eq!(entries, expected);
        }
        let files = disk.files();
        assert!(files.keys().all(|path| !path.ends_with(".part")));
        assert_eq!(files.len() as u64, size / 256 * 2 + size / 65_536);
    }
}

#[test]
fn tiles_of_earlier_sizes_stay_readable() {
    let log = grown(&FaultyDisk::new(Faults::default()), 300);
    for (index, width) in [(0, 1), (0, 200), (0, 256), (1, 3), (1, 44)] {
        let tile = Tile::new(0, index, width).unwrap();
        let first = index * 256;
        let range = first..first + u64::from(width);
        let expected: Vec<_> = range.clone().map(|at| leaf_hash(&entry(at))).collect();
        assert_eq!(log.tile(tile).unwrap(), expected);
        let entries: Vec<Vec<u8>> = range.map(entry).collect();
        assert_eq!(log.entries(tile).unwrap(), encode_entries(&entries).unwrap());
    }
    for (index, width) in [(1, 45), (2, 1)] {
        let tile = Tile::new(0, index, width).unwrap();
        assert!(matches!(log.tile(tile), Err(StoreError::Io { .. })));
        assert!(matches!(log.entries(tile), Err(StoreError::Io { .. })));
    }
}

#[test]
fn files_lie_where_the_specification_says() {
    let disk = FaultyDisk::new(Faults::default());
    let log = grown(&disk, 513);
    let files = disk.files();
    let tile = log.tile(Tile::new(0, 1, 256).unwrap()).unwrap();
    assert_eq!(files["receipts/tile/0/001"], encode_tile(&tile));
    assert!(files.contains_key("receipts/tile/entries/000"));
    assert_eq!(files.len(), 4);
}

#[test]
fn missing_or_short_tiles_are_made_again_from_the_blocks() {
    let height = 4 * SNAPSHOT_EVERY + 2;
    let disk = FaultyDisk::new(Faults::default());
    Node::start(disk.clone()).unwrap().run(height, |_| {}).unwrap();
    let whole = disk.files();
    let tiles: Vec<&String> = whole.keys().filter(|path| path.starts_with("receipts/")).collect();
    assert!(tiles.len() >= 2);
    for path in &tiles {
        let damaged = disk.after_restart(Faults::default());
        damaged.lose(path);
        let node = Node::start(damaged.clone()).unwrap();
        assert!(node.report.tiles_are_missing);
        assert_eq!(node.replayed_after, 0);
        assert_same(&node.world, &world_at(height));
        assert_eq!(damaged.files()[*path], whole[*path]);
    }
}

#[test]
fn an_entry_has_at_most_65535_bytes() {
    let log = grown(&FaultyDisk::new(Faults::default()), 1);
    assert!(log.push(&[1; 65_536]).is_err());
    assert_eq!(log.size(), 1);
    log.push(&[1; 65_535]).unwrap();
    assert_eq!(log.size(), 2);
}

#[test]
fn a_changed_byte_of_any_tile_or_bundle_is_noticed_when_it_is_read() {
    let size = 66_000;
    let disk = FaultyDisk::new(Faults::default());
    let log = grown(&disk, size);
    let read = |log: &TileLog<FaultyDisk>, path: &str| {
        let path = path.strip_prefix("receipts/").unwrap();
        match path.strip_prefix("tile/entries/") {
            Some(place) => {
                let tile = Tile::from_path(&format!("tile/0/{place}")).unwrap();
                log.entries(tile).map(|_| ())
            }
            None => log.tile(Tile::from_path(path).unwrap()).map(|_| ()),
        }
    };
    let files = disk.files();
    let paths = ["tile/0/000", "tile/0/256", "tile/1/000", "tile/entries/000", "tile/entries/256"];
    for path in paths.map(|path| format!("receipts/{path}")) {
        assert!(read(&log, &path).is_ok());
        for offset in (0..files[&path].len()).step_by(509) {
            disk.damage(&path, offset, 4);
            let error = read(&log, &path).unwrap_err();
            let named = matches!(&error, StoreError::DamagedTile(named) if *named == path);
            assert!(named, "byte {offset} of `{path}`: {error}");
            disk.damage(&path, offset, 4);
        }
    }
    // A tile that says otherwise than the one above it is found, whichever of them is damaged.
    disk.damage("receipts/tile/1/000", 40, 1);
    assert!(read(&log, "receipts/tile/0/001").is_err());
}
