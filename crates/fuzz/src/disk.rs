//! The files of a node: a block log and a snapshot with any bytes are refused with their names.

use node::store::fault::{Faults, FaultyDisk};
use node::store::{Disk as _, DiskFile as _, LogLimits, Store, StoreOptions};

/// Small files, so that a run stays fast.
const LIMITS: LogLimits = LogLimits { segment_bytes: 4_096, zeros_bytes: 1_024 };

fn open(path: &str, bytes: &[u8]) {
    let disk = FaultyDisk::new(Faults::default());
    let file = disk.create(path).expect("a disk in memory");
    file.write_at(0, bytes).expect("a disk in memory");
    let options = StoreOptions { limits: LIMITS, key: [7; 32], known_height: 0 };
    let Ok(mut opened) = Store::open(disk, options) else { return };
    for height in opened.store.first_height()..=opened.store.last_height() {
        let _ = opened.store.read_block(height);
    }
    let _ = opened.store.settle();
}

/// A file of the block log.
pub fn block_log(bytes: &[u8]) {
    open("blocks/00000000000000000001.log", bytes);
}

/// A snapshot.
pub fn snapshot(bytes: &[u8]) {
    open("snapshots/00000000000000000001.snapshot", bytes);
}
