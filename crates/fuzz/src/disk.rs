//! The files of a node: a block log and a snapshot with any bytes are refused with their names.

use std::fs;
use std::path::Path;

use node::store::fault::{Faults, FaultyDisk};
use node::store::{Disk as _, DiskFile as _, LogLimits, Store, StoreOptions};

/// Small files, so that a run stays fast.
const LIMITS: LogLimits = LogLimits { segment_bytes: 4_096, zeros_bytes: 1_024 };
const BLOCK_LOG: &str = "blocks/00000000000000000001.log";
/// The snapshot of the data folder that `make upgrade` opens.
pub(crate) const SNAPSHOT: &str = "snapshots/00000000000000000053.snapshot";
/// How long the sum behind a snapshot is, in bytes.
const SUM_BYTES: usize = 32;

/// A file of the data folder that `make upgrade` opens.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/fixtures/data-1/node");
    let path = node.join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

/// A snapshot without what [`snapshot`] puts behind it.
pub(crate) fn without_sum(snapshot: &[u8]) -> Vec<u8> {
    snapshot[..snapshot.len() - SUM_BYTES].to_vec()
}

fn write(disk: &FaultyDisk, path: &str, bytes: &[u8]) {
    let file = disk.create(path).expect("a disk in memory");
    file.write_at(0, bytes).expect("a disk in memory");
}

/// A file of the block log.
pub fn block_log(bytes: &[u8]) -> bool {
    let disk = FaultyDisk::new(Faults::default());
    write(&disk, BLOCK_LOG, bytes);
    let options = StoreOptions { limits: LIMITS, key: [7; 32], known_height: 0 };
    let Ok(mut opened) = Store::open(disk, options) else { return false };
    for height in opened.store.first_height()..=opened.store.last_height() {
        let _ = opened.store.read_block(height);
    }
    let _ = opened.store.settle();
    opened.store.last_height() > 0
}

/// A snapshot, beside the blocks before it; the sum over it is put behind, since nothing would be
/// read without it.
pub fn snapshot(bytes: &[u8]) -> bool {
    let disk = FaultyDisk::new(Faults::default());
    write(&disk, BLOCK_LOG, &fixture(BLOCK_LOG));
    let whole = [bytes, blake3::hash(bytes).as_bytes()].concat();
    write(&disk, SNAPSHOT, &whole);
    let options = StoreOptions { limits: LogLimits::default(), key: [7; 32], known_height: 0 };
    Store::open(disk, options).is_ok_and(|opened| opened.snapshot.is_some())
}
