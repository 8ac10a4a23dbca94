//! The disk of a simulated machine: the faulty disk of `node`, and beyond it a disk that is full,
//! one that is slow, and, for planted bugs, one that lies.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::clock::ManualClock;
use node::store::fault::{Faults, FaultyDisk, FaultyFile};
use node::store::{Disk, DiskFile};

use crate::dice::Dice;

/// What disks write in one piece.
const SECTOR_BYTES: u64 = 512;

/// What goes wrong with the disk until the machine starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFaults {
    /// The power is cut in the middle of this operation, counted from 1 at the start.
    pub power_cut_at: Option<u64>,
    /// The sync of this number fails, of files and folders together, counted from 1 at the start.
    pub failed_sync_at: Option<u64>,
    /// From this write on there is no room: a part of it is written, later ones not at all.
    pub full_from_write: Option<u64>,
    /// A sync takes up to so many milliseconds of the world's time.
    pub sync_millis_max: u64,
    /// Planted: syncs of blocks say that all is well and do nothing.
    pub lies: bool,
}

struct Shared {
    faults: DiskFaults,
    clock: Arc<ManualClock>,
    dice: Mutex<Dice>,
    writes: AtomicU64,
    syncs: AtomicU64,
    has_failed: AtomicBool,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    disk: FaultyDisk,
    shared: Arc<Shared>,
}

/// A file on it.
pub struct SimFile {
    file: FaultyFile,
    disk: FaultyDisk,
    shared: Arc<Shared>,
    is_block_log: bool,
}

impl SimDisk {
    /// A new disk in the middle of a world's time.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, dice: Dice, faults: DiskFaults) -> Self {
        let disk = FaultyDisk::new(inner_faults(faults));
        Self { disk, shared: shared(clock, dice, faults) }
    }

    /// What is left after the power was cut now; `seed` decides what of the unsynced got through.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64, faults: DiskFaults) -> Self {
        self.again(self.disk.after_power_cut(seed, inner_faults(faults)), faults)
    }

    /// The same disk for a process that starts anew while the power stayed on.
    #[must_use]
    pub fn after_restart(&self, faults: DiskFaults) -> Self {
        self.again(self.disk.after_restart(inner_faults(faults)), faults)
    }

    fn again(&self, disk: FaultyDisk, faults: DiskFaults) -> Self {
        let seed = self.shared.dice.lock().unwrap_or_else(PoisonError::into_inner).below(u64::MAX);
        Self { disk, shared: shared(Arc::clone(&self.shared.clock), Dice::new(seed), faults) }
    }

    fn file(&self, file: FaultyFile, path: &str) -> SimFile {
        let (disk, shared) = (self.disk.clone(), Arc::clone(&self.shared));
        SimFile { file, disk, shared, is_block_log: path.starts_with("blocks/") }
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.shared.faults.power_cut_at.is_some_and(|at| self.disk.operations() >= at)
    }

    /// Whether any fault has shown itself since the start.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.is_off() || self.shared.has_failed.load(Ordering::SeqCst)
    }

    /// Whether the room has ended since the start.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let writes = self.shared.writes.load(Ordering::SeqCst);
        self.shared.faults.full_from_write.is_some_and(|from| writes >= from)
    }

    /// How many operations there were since the start.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk.operations()
    }

    /// The disk below, for looking at it from outside.
    #[must_use]
    pub const fn below(&self) -> &FaultyDisk {
        &self.disk
    }
}

const fn inner_faults(faults: DiskFaults) -> Faults {
    Faults { power_cut_at: faults.power_cut_at, failed_sync_at: None }
}

fn shared(clock: Arc<ManualClock>, dice: Dice, faults: DiskFaults) -> Arc<Shared> {
    Arc::new(Shared {
        faults,
        clock,
        dice: Mutex::new(dice),
        writes: AtomicU64::new(0),
        syncs: AtomicU64::new(0),
        has_failed: AtomicBool::new(false),
    })
}

impl Shared {
    /// Remembers that something failed that only a broken disk does.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let natural =
            [io::ErrorKind::NotFound, io::ErrorKind::AlreadyExists, io::ErrorKind::UnexpectedEof];
        if result.as_ref().is_err_and(|error| !natural.contains(&error.kind())) {
            self.has_failed.store(true, Ordering::SeqCst);
        }
        result
    }

    /// Counts a write: whether the room ends with it, or ended before.
    fn room(&self) -> Room {
        let write = self.writes.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        match self.faults.full_from_write {
            Some(from) if write == from => Room::Half,
            Some(from) if write > from => Room::None,
            _ => Room::Enough,
        }
    }

    /// A sync begins: it takes its time, and fails when it is its turn.
    fn begin_sync(&self, disk: &FaultyDisk) {
        let sync = self.syncs.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if self.faults.failed_sync_at == Some(sync) {
            disk.fail_next_sync();
        }
        if self.faults.sync_millis_max > 0 {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            self.clock.advance_millis(dice.below(self.faults.sync_millis_max));
        }
    }
}

enum Room {
    Enough,
    Half,
    None,
}

/// How many bytes of a write get onto a disk that becomes full half-way: it ends with a block of
/// the file system, so that no sector is written in part.
fn written_when_full(offset: u64, length: usize) -> usize {
    let end = offset.saturating_add(length as u64 / 2) / SECTOR_BYTES * SECTOR_BYTES;
    usize::try_from(end.saturating_sub(offset)).unwrap_or(0)
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create(&self, path: &str) -> io::Result<SimFile> {
        if !matches!(self.shared.room(), Room::Enough) {
            return self.shared.note(Err(full()));
        }
        let file = self.shared.note(self.disk.create(path))?;
        Ok(self.file(file, path))
    }

    fn open(&self, path: &str) -> io::Result<SimFile> {
        let file = self.shared.note(self.disk.open(path))?;
        Ok(self.file(file, path))
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        self.shared.note(self.disk.names(folder))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.shared.note(self.disk.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.shared.note(self.disk.remove(path))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.shared.begin_sync(&self.disk);
        self.shared.note(self.disk.sync_folder(folder))
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.shared.note(self.file.length())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.shared.note(self.file.read_at(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.shared.room() {
            Room::Enough => self.shared.note(self.file.write_at(offset, bytes)),
            Room::Half => {
                let some = &bytes[..written_when_full(offset, bytes.len())];
                self.shared.note(self.file.write_at(offset, some))?;
                self.shared.note(Err(full()))
            }
            Room::None => self.shared.note(Err(full())),
        }
    }

    fn sync(&self) -> io::Result<()> {
        if self.shared.faults.lies && self.is_block_log {
            return Ok(());
        }
        self.shared.begin_sync(&self.disk);
        self.shared.note(self.file.sync())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use adapters::clock::Clock as _;
    use primitives::Timestamp;

    fn disk(faults: DiskFaults) -> SimDisk {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        SimDisk::new(clock, Dice::new(1), faults)
    }

    #[test]
    fn a_full_disk_takes_half_of_the_write_that_fills_it_and_nothing_after() {
        let disk = disk(DiskFaults { full_from_write: Some(3), ..DiskFaults::default() });
        let file = disk.create("blocks/1.log").unwrap();
        file.write_at(0, &[1; 4]).unwrap();
        assert!(!disk.has_failed());
        assert_eq!(file.write_at(4, &[2; 3_000]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.length().unwrap(), 1_024);
        assert!(file.write_at(0, &[3]).is_err());
        assert!(disk.create("blocks/2.log").is_err());
        assert!(disk.has_failed() && !disk.is_off());
        let again = disk.after_restart(DiskFaults::default());
        again.open("blocks/1.log").unwrap().write_at(0, &[4]).unwrap();
        assert!(!again.has_failed());
    }

    #[test]
    fn what_a_lying_disk_did_not_sync_is_gone_after_a_power_cut() {
        for lies in [false, true] {
            let disk = disk(DiskFaults { lies, ..DiskFaults::default() });
            let file = disk.create("blocks/1.log").unwrap();
            disk.sync_folder("blocks").unwrap();
            file.write_at(0, &[1; 4]).unwrap();
            file.sync().unwrap();
            // Some seed loses what was not synced.
            let lost = (0..64).any(|seed| {
                let after = disk.after_power_cut(seed, DiskFaults::default());
                after.open("blocks/1.log").unwrap().length().unwrap() == 0
            });
            assert_eq!(lost, lies);
        }
    }

    #[test]
    fn the_sync_whose_turn_it_is_fails_once() {
        let disk = disk(DiskFaults { failed_sync_at: Some(2), ..DiskFaults::default() });
        let file = disk.create("blocks/1.log").unwrap();
        disk.sync_folder("blocks").unwrap();
        file.write_at(0, &[1; 4]).unwrap();
        assert!(file.sync().is_err());
        assert!(disk.has_failed() && !disk.is_full() && !disk.is_off());
        file.sync().unwrap();
        let after = disk.after_power_cut(1, DiskFaults::default());
        let length = after.open("blocks/1.log").unwrap().length().unwrap();
        assert_eq!(length, 0, "the system had thrown the write away");
    }

    #[test]
    fn a_slow_sync_takes_time_and_a_power_cut_is_noticed() {
        let faults =
            DiskFaults { sync_millis_max: 500, power_cut_at: Some(12), ..DiskFaults::default() };
        let disk = disk(faults);
        let file = disk.create("blocks/1.log").unwrap();
        for _ in 0..10 {
            file.sync().unwrap();
        }
        assert!(disk.shared.clock.now() > Timestamp::from_millis(0));
        assert!(!disk.is_off());
        assert!(file.sync().is_err());
        assert!(disk.is_off() && disk.has_failed());
    }
}
