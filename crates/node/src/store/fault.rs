//! A disk in memory that fails as real ones do, by plan: the power is cut at a chosen operation,
//! what was not synced is lost or torn sector by sector, and a sync fails once.
//!
//! After a failed sync of a file, reads still show what was written, but the disk never gets it, as
//! with real systems.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, DiskFile};

const SECTOR_BYTES: usize = 512;

/// What goes wrong, and when. Operations are counted from 1; each method of disk and file is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The power is cut in the middle of this operation: it may have its effect or not, and every
    /// later one fails.
    pub power_cut_at: Option<u64>,
    /// This operation, if it is a sync, fails.
    pub failed_sync_at: Option<u64>,
}

/// What the power cut before a start took, and what it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Files of which some unsynced sectors got through and others did not.
    pub torn_files: u64,
    /// Unsynced sectors that did not get through.
    pub sectors: u64,
    /// Unsynced changes of names that did not get through.
    pub names: u64,
}

#[derive(Clone, Default)]
struct Content {
    /// What reads see.
    visible: Vec<u8>,
    /// What survives.
    durable: Vec<u8>,
    /// Sectors that differ and will be made durable by the next sync.
    dirty: Vec<usize>,
}

#[derive(Clone)]
enum NameChange {
    Link(String, u64),
    Unlink(String),
    Rename(String, String),
}

#[derive(Clone, Default)]
struct Inner {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    name_changes: Vec<NameChange>,
    contents: BTreeMap<u64, Content>,
    faults: Faults,
    operations: u64,
    is_off: bool,
    losses: Losses,
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    inner: Arc<Mutex<Inner>>,
}

/// A file on it.
pub struct FaultyFile {
    disk: FaultyDisk,
    id: u64,
}

impl FaultyDisk {
    /// An empty disk with this plan.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        let disk = Self::default();
        disk.lock().faults = faults;
        disk
    }

    /// Lets the next operation fail, if it is a sync.
    pub fn fail_next_sync(&self) {
        self.plan(Faults { failed_sync_at: Some(self.operations() + 1), ..Faults::default() });
    }

    /// From now on this goes wrong.
    pub fn plan(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// What the disk holds after the power was cut now, with a plan for what comes next. The seed
    /// decides which unsynced sectors and names got through.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64, faults: Faults) -> Self {
        let mut inner = self.lock().clone();
        let (mut random, mut losses) = (Random(seed), Losses::default());
        for content in inner.contents.values_mut() {
            let dirty = std::mem::take(&mut content.dirty);
            // All, none, or each sector by itself.
            let rule = random.below(4);
            let mut kept = 0_u64;
            let count = dirty.len() as u64;
            for sector in dirty {
                if rule == 0 || rule > 1 && random.below(2) == 0 {
                    content.keep(sector);
                    kept += 1;
                }
            }
            content.visible = content.durable.clone();
            losses.sectors += count - kept;
            losses.torn_files += u64::from(kept > 0 && kept < count);
        }
        // Changes of names get through in their order, up to some point.
        let changes = std::mem::take(&mut inner.name_changes);
        let kept = random.below(changes.len() as u64 + 1) as usize;
        losses.names = (changes.len() - kept) as u64;
        let mut names = inner.durable_names.clone();
        changes.iter().take(kept).for_each(|change| change.apply(&mut names));
        inner.names = names.clone();
        inner.durable_names = names;
        inner.losses = losses;
        Self::restarted(inner, faults)
    }

    /// The same disk after the process was stopped and started again with the power on: nothing is
    /// lost that reads could see.
    #[must_use]
    pub fn after_restart(&self, faults: Faults) -> Self {
        Self::restarted(self.lock().clone(), faults)
    }

    /// What the last power cut took.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.lock().losses
    }

    /// Changes one byte of a file behind everybody's back.
    ///
    /// # Panics
    /// When there is no such byte.
    pub fn damage(&self, path: &str, offset: usize, flip: u8) {
        let mut inner = self.lock();
        let id = inner.names[path];
        let content = inner.contents.get_mut(&id).expect("a name has a file");
        content.visible[offset] ^= flip;
        content.durable = content.visible.clone();
    }

    /// Puts other bytes into a file behind everybody's back.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn replace(&self, path: &str, bytes: &[u8]) {
        let mut inner = self.lock();
        let id = inner.names[path];
        let (visible, durable) = (bytes.to_vec(), bytes.to_vec());
        inner.contents.insert(id, Content { visible, durable, dirty: Vec::new() });
    }

    /// Removes a file behind everybody's back.
    pub fn lose(&self, path: &str) {
        let mut inner = self.lock();
        inner.names.remove(path);
        inner.durable_names.remove(path);
    }

    /// The paths of all files and their bytes.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.lock();
        let file = |(name, id): (&String, &u64)| (name.clone(), inner.contents[id].visible.clone());
        inner.names.iter().map(file).collect()
    }

    fn restarted(mut inner: Inner, faults: Faults) -> Self {
        (inner.faults, inner.operations, inner.is_off) = (faults, 0, false);
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation and does it. In a power cut it is done, but nobody learns of it.
    fn operate<T>(&self, effect: impl FnOnce(&mut Inner) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.lock();
        if inner.is_off {
            return Err(power_cut());
        }
        inner.operations += 1;
        if inner.faults.power_cut_at == Some(inner.operations) {
            inner.is_off = true;
            drop(effect(&mut inner));
            return Err(power_cut());
        }
        effect(&mut inner)
    }

    /// A sync, which has no effect in a power cut and may fail by plan.
    fn operate_sync(&self, effect: impl FnOnce(&mut Inner, bool)) -> io::Result<()> {
        self.operate(|inner| {
            let fails = inner.faults.failed_sync_at == Some(inner.operations);
            if inner.is_off {
                return Ok(());
            }
            effect(inner, fails);
            if fails { Err(io::Error::other("input/output error")) } else { Ok(()) }
        })
    }
}

impl Disk for FaultyDisk {
    type File = FaultyFile;

    fn create(&self, path: &str) -> io::Result<FaultyFile> {
        self.operate(|inner| {
            if inner.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let id = inner.contents.keys().next_back().map_or(0, |last| last + 1);
            inner.contents.insert(id, Content::default());
            inner.change(NameChange::Link(path.to_owned(), id));
            Ok(FaultyFile { disk: self.clone(), id })
        })
    }

    fn open(&self, path: &str) -> io::Result<FaultyFile> {
        self.operate(|inner| {
            let id = inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
            Ok(FaultyFile { disk: self.clone(), id: *id })
        })
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        self.operate(|inner| {
            let below = inner.names.keys().filter_map(|path| path.strip_prefix(folder));
            let names = below.filter_map(|path| path.strip_prefix('/'));
            let mut names: Vec<String> =
                names.map(|path| path.split('/').next().unwrap_or(path).to_owned()).collect();
            names.dedup();
            Ok(names)
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(|inner| {
            if !inner.names.contains_key(from) {
                return Err(io::ErrorKind::NotFound.into());
            }
            inner.change(NameChange::Rename(from.to_owned(), to.to_owned()));
            Ok(())
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.operate(|inner| {
            if !inner.names.contains_key(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            inner.change(NameChange::Unlink(path.to_owned()));
            Ok(())
        })
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.operate_sync(|inner, fails| {
            let changes = std::mem::take(&mut inner.name_changes);
            for change in changes {
                // Names whose sync failed are still to be written: a file system that loses part of
                // its own tree stops altogether.
                if change.is_in(folder) && !fails {
                    change.apply(&mut inner.durable_names);
                } else {
                    inner.name_changes.push(change);
                }
            }
        })
    }
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        self.disk.operate(|inner| Ok(inner.contents[&self.id].visible.len() as u64))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.disk.operate(|inner| {
            let visible = &inner.contents[&self.id].visible;
            let end = offset as usize + buffer.len();
            let bytes = visible.get(offset as usize..end).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.operate(|inner| {
            inner.contents.get_mut(&self.id).expect("open files have content").write(offset, bytes);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operate_sync(|inner, fails| {
            let content = inner.contents.get_mut(&self.id).expect("open files have content");
            for sector in std::mem::take(&mut content.dirty) {
                if !fails {
                    content.keep(sector);
                }
            }
        })
    }
}

impl Inner {
    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Link(path, id) => {
                names.insert(path.clone(), *id);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
        }
    }

    fn is_in(&self, folder: &str) -> bool {
        let (Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _)) = self;
        path.rsplit_once('/').is_some_and(|(above, _)| above == folder)
    }
}

impl Content {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let start = offset as usize;
        let end = start + bytes.len();
        self.visible.resize(self.visible.len().max(end), 0);
        self.visible[start..end].copy_from_slice(bytes);
        self.dirty.extend(start / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES);
        self.dirty.sort_unstable();
        self.dirty.dedup();
    }

    /// Makes one sector durable as it is visible now.
    fn keep(&mut self, sector: usize) {
        let start = sector * SECTOR_BYTES;
        let end = (start + SECTOR_BYTES).min(self.visible.len());
        self.durable.resize(self.durable.len().max(end), 0);
        self.durable[start..end].copy_from_slice(&self.visible[start..end]);
    }
}

fn power_cut() -> io::Error {
    io::Error::other("the power is off")
}

/// SplitMix64: numbers by seed, good enough to choose what is lost.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
