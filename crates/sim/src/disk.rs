//! The disk of a simulated machine: the faulty disk of `node`, and beyond it a disk that is full,
//! one that is slow, and, for planted bugs, one that lies.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::clock::ManualClock;
use node::store::fault::{Faults, FaultyDisk, FaultyFile};
use node::store::{Disk, DiskFile};

use crate::dice::Dice;
use crate::fault::{Call, Fault, FaultCounts};

/// What disks write in one piece.
const SECTOR_BYTES: u64 = 512;

/// The block of a snapshot is read in two parts and compared, and is not executed again.
const SNAPSHOT_BLOCK_READS: u32 = 2;

/// What goes wrong with the disk until the machine starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFaults {
    /// The power is cut in the middle of this operation, counted from 1 at the start.
    pub power_cut_at: Option<u64>,
    /// The sync of this number fails, of files and folders together, counted from 1 at the start.
    pub failed_sync_at: Option<u64>,
    /// From this write on there is no room.
    pub full_from_write: Option<u64>,
    /// Whether a part of the write with which the room ends is written.
    pub is_full_within: bool,
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
    /// Whether the start has come to the blocks that it executes again, and whether it is over.
    start: Mutex<Start>,
    /// What happened to this disk in all its lives.
    counts: Arc<Mutex<FaultCounts>>,
    /// Every operation since the start, for a copy that is looked at.
    operations: Option<Mutex<Vec<Operation>>>,
}

/// An operation of the disk: the call, and the file or folder that it is about.
pub type Operation = (Call, String);

/// How far a start is, as the disk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// It has found out what is there.
    Looking,
    /// It has made the end of the blocks durable, and has read so many parts of blocks since.
    Settled(u32),
    /// It executes blocks again.
    Replaying,
    /// It is over.
    Over,
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
    path: String,
}

impl SimDisk {
    /// A new disk in the middle of a world's time.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, dice: Dice, faults: DiskFaults) -> Self {
        let disk = FaultyDisk::new(inner_faults(faults));
        let counts = Arc::new(Mutex::new(FaultCounts::default()));
        Self { disk, shared: shared(clock, dice, faults, counts) }
    }

    /// What is left after the power was cut now; `seed` decides what of the unsynced got through.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64, faults: DiskFaults) -> Self {
        let disk = self.disk.after_power_cut(seed, inner_faults(faults));
        let losses = disk.losses();
        self.shared.count(|counts| {
            counts.note_many(Fault::TornWrite, losses.torn_files);
            counts.note_many(Fault::LostWrite, losses.sectors);
            counts.note_many(Fault::LostName, losses.names);
        });
        self.again(disk, faults)
    }

    /// The same disk for a process that starts anew while the power stayed on.
    #[must_use]
    pub fn after_restart(&self, faults: DiskFaults) -> Self {
        self.again(self.disk.after_restart(inner_faults(faults)), faults)
    }

    fn again(&self, disk: FaultyDisk, faults: DiskFaults) -> Self {
        let seed = lock(&self.shared.dice).below(u64::MAX);
        let (clock, counts) = (Arc::clone(&self.shared.clock), Arc::clone(&self.shared.counts));
        Self { disk, shared: shared(clock, Dice::new(seed), faults, counts) }
    }

    /// A copy whose faults are not counted, for looking at what would happen.
    #[must_use]
    pub fn aside(&self, faults: DiskFaults) -> Self {
        self.beside(self.disk.after_restart(inner_faults(faults)), faults)
    }

    /// The same with nothing on it yet.
    #[must_use]
    pub fn blank_aside(&self, faults: DiskFaults) -> Self {
        self.beside(FaultyDisk::new(inner_faults(faults)), faults)
    }

    fn beside(&self, disk: FaultyDisk, faults: DiskFaults) -> Self {
        let counts = Arc::new(Mutex::new(FaultCounts::default()));
        let (clock, dice) = (Arc::clone(&self.shared.clock), lock(&self.shared.dice).clone());
        let mut shared = fresh(clock, dice, faults, counts);
        shared.operations = Some(Mutex::default());
        Self { disk, shared: Arc::new(shared) }
    }

    /// Every operation since the start, in order, of a copy that is looked at.
    #[must_use]
    pub fn operations_so_far(&self) -> Vec<Operation> {
        self.shared.operations.as_ref().map_or_else(Vec::new, |all| lock(all).clone())
    }

    fn file(&self, file: FaultyFile, path: &str) -> SimFile {
        let (disk, shared) = (self.disk.clone(), Arc::clone(&self.shared));
        SimFile { file, disk, shared, path: path.to_owned() }
    }

    /// The start is over; whether the node is up. One that failed is counted by how far it came.
    pub fn start_is_over(&self, is_up: bool) {
        let before = std::mem::replace(&mut *lock(&self.shared.start), Start::Over);
        if !is_up {
            let is_replaying = before == Start::Replaying;
            let fault =
                if is_replaying { Fault::StartCutInReplay } else { Fault::StartCutElsewhere };
            self.shared.count(|counts| counts.note(fault));
        }
    }

    /// What happened to this disk in all its lives.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        lock(&self.shared.counts).clone()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shared(
    clock: Arc<ManualClock>,
    dice: Dice,
    faults: DiskFaults,
    counts: Arc<Mutex<FaultCounts>>,
) -> Arc<Shared> {
    Arc::new(fresh(clock, dice, faults, counts))
}

fn fresh(
    clock: Arc<ManualClock>,
    dice: Dice,
    faults: DiskFaults,
    counts: Arc<Mutex<FaultCounts>>,
) -> Shared {
    Shared {
        faults,
        clock,
        dice: Mutex::new(dice),
        writes: AtomicU64::new(0),
        syncs: AtomicU64::new(0),
        has_failed: AtomicBool::new(false),
        start: Mutex::new(Start::Looking),
        counts,
        operations: None,
    }
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

    fn count(&self, note: impl FnOnce(&mut FaultCounts)) {
        note(&mut lock(&self.counts));
    }

    /// An operation of the disk begins: whether the power is cut in it, and how far a start is.
    fn begin(&self, disk: &FaultyDisk, call: Call, path: &str) {
        if self.faults.power_cut_at == Some(disk.operations() + 1) {
            self.count(|counts| counts.note_cut(call, path));
        }
        if let Some(all) = &self.operations {
            lock(all).push((call, path.to_owned()));
        }
        let mut start = lock(&self.start);
        *start = match (*start, call) {
            (Start::Looking, Call::SyncFolder) if path == "blocks" => Start::Settled(0),
            (Start::Settled(reads), Call::Read) if path.starts_with("blocks/") => {
                if reads < SNAPSHOT_BLOCK_READS {
                    Start::Settled(reads + 1)
                } else {
                    Start::Replaying
                }
            }
            (stage, _) => stage,
        };
    }

    /// Counts a write: whether the room ends with it, or ended before.
    fn room(&self) -> Room {
        let write = self.writes.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        match self.faults.full_from_write {
            Some(from) if write == from && self.faults.is_full_within => Room::Half,
            Some(from) if write >= from => Room::None,
            _ => Room::Enough,
        }
    }

    /// A sync begins: it takes its time, and fails when it is its turn.
    fn begin_sync(&self, disk: &FaultyDisk, failure: Fault) {
        let sync = self.syncs.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if self.faults.failed_sync_at == Some(sync) {
            disk.fail_next_sync();
            self.count(|counts| counts.note(failure));
        }
        if self.faults.sync_millis_max > 0 {
            let millis = lock(&self.dice).below(self.faults.sync_millis_max);
            self.clock.advance_millis(millis);
            self.count(|counts| counts.note_many(Fault::SlowSync, u64::from(millis > 0)));
        }
    }

    /// There is no room for something.
    fn refuse<T>(&self, fault: Fault) -> io::Result<T> {
        self.count(|counts| counts.note(fault));
        self.note(Err(io::ErrorKind::StorageFull.into()))
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

impl Disk for SimDisk {
    type File = SimFile;

    fn create(&self, path: &str) -> io::Result<SimFile> {
        if !matches!(self.shared.room(), Room::Enough) {
            return self.shared.refuse(Fault::FullBeforeWrite);
        }
        self.shared.begin(&self.disk, Call::Create, path);
        let file = self.shared.note(self.disk.create(path))?;
        Ok(self.file(file, path))
    }

    fn open(&self, path: &str) -> io::Result<SimFile> {
        self.shared.begin(&self.disk, Call::Open, path);
        let file = self.shared.note(self.disk.open(path))?;
        Ok(self.file(file, path))
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        self.shared.begin(&self.disk, Call::Names, folder);
        self.shared.note(self.disk.names(folder))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.shared.begin(&self.disk, Call::Rename, to);
        self.shared.note(self.disk.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.shared.begin(&self.disk, Call::Remove, path);
        self.shared.note(self.disk.remove(path))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.shared.begin(&self.disk, Call::SyncFolder, folder);
        self.shared.begin_sync(&self.disk, Fault::FailedFolderSync);
        self.shared.note(self.disk.sync_folder(folder))
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.shared.begin(&self.disk, Call::Length, &self.path);
        self.shared.note(self.file.length())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.shared.begin(&self.disk, Call::Read, &self.path);
        self.shared.note(self.file.read_at(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.shared.room() {
            Room::Enough => {
                self.shared.begin(&self.disk, Call::Write, &self.path);
                self.shared.note(self.file.write_at(offset, bytes))
            }
            Room::Half => {
                let some = &bytes[..written_when_full(offset, bytes.len())];
                self.shared.note(self.file.write_at(offset, some))?;
                self.shared.refuse(Fault::FullWithinWrite)
            }
            Room::None => self.shared.refuse(Fault::FullBeforeWrite),
        }
    }

    fn sync(&self) -> io::Result<()> {
        if self.shared.faults.lies && self.path.starts_with("blocks/") {
            return Ok(());
        }
        self.shared.begin(&self.disk, Call::Sync, &self.path);
        self.shared.begin_sync(&self.disk, Fault::FailedFileSync);
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
        let disk = disk(DiskFaults {
            full_from_write: Some(3),
            is_full_within: true,
            ..DiskFaults::default()
        });
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
