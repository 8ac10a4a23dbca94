//! What this validator signed at its last height, durable before a signature leaves.
//!
//! The engine's own log keeps it from signing twice as long as that log is there. After a folder
//! was restored it is not, or an older one is, and two signatures for one step are what others may
//! exclude an organisation for. So the key signs nothing below the height that it signed at, and
//! nothing else in the same place, whatever the engine believes; and an engine whose log does not
//! know a place that was signed ([`Guard::signed`]) has to watch, since it may have forgotten what
//! it promised.
//!
//! A guard that is not there where a ledger is was lost with its disk, or was not restored with the
//! ledger (a backup leaves it out). What the key signed then is known to nobody here, so a new
//! guard says beside itself, in a file of its own, that the key signs nothing yet: until a block
//! was made after the node first came up so ([`watching_since`], [`Guard::has_watched`]).
//!
//! The file is a ring of records of 64 bytes: `ybg2`, a running number, height, round, step, the
//! signed message, and the first bytes of a SHA-256 over these. A record that was torn was never
//! acted on.
//!
//! Invariant: tests `nothing_is_signed_twice_or_at_a_height_below_also_after_a_restart`,
//! `a_torn_record_is_as_if_it_had_not_been_written`, `a_new_guard_watches_until_it_has`; in whole
//! networks the worlds in which disks are lost, and with real nodes
//! `a_validator_that_comes_back_without_what_it_signed_watches_first`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use primitives::{Hash, sha256};

const MAGIC: &[u8; 4] = b"ybg2";
const RECORD_BYTES: usize = 64;
const RECORDS: usize = 1_024;
const CONTENT_BYTES: usize = 4 + 4 + 8 + 4 + 1 + 32;

/// A place in the course of consensus, in the order in which a validator comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The block's number.
    pub height: u64,
    /// The round.
    pub round: u32,
    /// 1 for a proposal, 2 for a prevote, 3 for a precommit.
    pub step: u8,
}

/// Why a place is not signed.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A later height was signed already, or something else in its place.
    #[error(
        "block {}, round {}, step {} is not signed: the key signed up to block {}, round {}, step {}",
        wanted.height, wanted.round, wanted.step, last.height, last.round, last.step
    )]
    SignedBefore {
        /// What was to be signed.
        wanted: Place,
        /// The last that was.
        last: Place,
    },
    /// The disk failed.
    #[error("what the validator's key signed last cannot be written: {0}")]
    Disk(#[from] Error),
}

/// Keeps a validator's key from signing twice.
#[derive(Debug)]
pub struct Guard {
    file: File,
    /// What was signed at the last height.
    signed: BTreeMap<Place, Hash>,
    /// The number of the next record.
    next: u32,
    /// The file that says that the key signs nothing yet, while it is there.
    watch: Option<PathBuf>,
}

/// Since when a key whose guard is this file has been watching: the time at which a node first came
/// up without what it signed, in milliseconds. Later starts change nothing in what may have been
/// signed before the first. A time that is ahead of `now` was a wrong clock's, and `now` takes its
/// place. `None` for a key that does not watch.
///
/// # Errors
/// When the disk fails.
pub fn watching_since(path: &Path, now: u64) -> Result<Option<u64>> {
    let watch = path.with_extension("watch");
    let text = match std::fs::read_to_string(&watch) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(since) = text.trim().parse().ok().filter(|since| *since <= now) {
        return Ok(Some(since));
    }
    // Written in one piece under its name: half a time would be an earlier one.
    let new = path.with_extension("watch.new");
    std::fs::write(&new, format!("{now}\n"))?;
    File::open(&new)?.sync_all()?;
    std::fs::rename(&new, &watch)?;
    sync_folder(path)?;
    Ok(Some(now))
}

/// Makes what was written in a file's folder durable.
fn sync_folder(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl Guard {
    /// The guard of this file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file is none of ours or the disk fails.
    pub fn open(path: &Path) -> Result<Self> {
        let is_new = !path.exists();
        let watch = path.with_extension("watch");
        if is_new {
            File::create(&watch)?.sync_all()?;
            sync_folder(path)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let watch = watch.exists().then_some(watch);
        let mut guard = Self { file, signed: BTreeMap::new(), next: 0, watch };
        let length = guard.file.metadata()?.len();
        if is_new || length == 0 {
            guard.file.write_all_at(&vec![0; RECORDS * RECORD_BYTES], 0)?;
            guard.file.sync_all()?;
            sync_folder(path)?;
            return Ok(guard);
        }
        let mut bytes = vec![0; RECORDS * RECORD_BYTES];
        guard.file.read_exact_at(&mut bytes, 0).map_err(|_| {
            Error::new(ErrorKind::InvalidData, "the guard of the validator's key is cut short")
        })?;
        guard.read(&bytes);
        Ok(guard)
    }

    /// The guard of a key that was made just now, and has signed nothing anywhere.
    ///
    /// # Errors
    /// As [`Guard::open`].
    pub fn of_new_key(path: &Path) -> Result<Self> {
        let mut guard = Self::open(path)?;
        guard.has_watched()?;
        Ok(guard)
    }

    /// Whether nobody here knows what the key has signed.
    #[must_use]
    pub const fn must_watch(&self) -> bool {
        self.watch.is_some()
    }

    /// Notes durably that all that the key may have signed unknown to this guard lies behind.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn has_watched(&mut self) -> Result<()> {
        if let Some(watch) = &self.watch {
            std::fs::remove_file(watch)?;
            sync_folder(watch)?;
            self.watch = None;
        }
        Ok(())
    }

    fn read(&mut self, bytes: &[u8]) {
        let records: Vec<_> = bytes.chunks_exact(RECORD_BYTES).filter_map(decode).collect();
        let height = records.iter().map(|(_, place, _)| place.height).max();
        self.next = records.iter().map(|(number, ..)| number.wrapping_add(1)).max().unwrap_or(0);
        let last = records.into_iter().filter(|(_, place, _)| Some(place.height) == height);
        self.signed = last.map(|(_, place, message)| (place, message)).collect();
    }

    /// All that was signed at the last height.
    pub fn signed(&self) -> impl Iterator<Item = (Place, Hash)> {
        self.signed.iter().map(|(place, message)| (*place, *message))
    }

    /// The last that was signed.
    #[must_use]
    pub fn last(&self) -> Option<Place> {
        self.signed.keys().next_back().copied()
    }

    /// Notes durably that this message is signed at this place; the same again is nothing new.
    ///
    /// # Errors
    /// When the message must not be signed, or cannot be noted.
    pub fn allow(&mut self, wanted: Place, message: Hash) -> std::result::Result<(), GuardError> {
        if let Some(last) = self.last() {
            match self.signed.get(&wanted) {
                Some(signed) if *signed == message => return Ok(()),
                None if wanted.height >= last.height => {}
                _ => return Err(GuardError::SignedBefore { wanted, last }),
            }
        }
        let slot = usize::try_from(self.next).unwrap_or(0) % RECORDS;
        let offset = u64::try_from(slot * RECORD_BYTES).unwrap_or(0);
        self.file.write_all_at(&encode(self.next, wanted, &message), offset)?;
        self.file.sync_data()?;
        self.next = self.next.wrapping_add(1);
        if self.last().is_some_and(|last| last.height < wanted.height) {
            self.signed.clear();
        }
        self.signed.insert(wanted, message);
        Ok(())
    }
}

fn encode(number: u32, place: Place, message: &Hash) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(number.to_le_bytes());
    bytes.extend(place.height.to_le_bytes());
    bytes.extend(place.round.to_le_bytes());
    bytes.push(place.step);
    bytes.extend(message.as_bytes());
    let sum = sha256(&bytes);
    bytes.extend(sum.as_bytes().iter().take(RECORD_BYTES - CONTENT_BYTES));
    bytes
}

fn decode(record: &[u8]) -> Option<(u32, Place, Hash)> {
    let number = u32::from_le_bytes(record.get(4..8)?.try_into().ok()?);
    let height = u64::from_le_bytes(record.get(8..16)?.try_into().ok()?);
    let round = u32::from_le_bytes(record.get(16..20)?.try_into().ok()?);
    let place = Place { height, round, step: *record.get(20)? };
    let message = Hash(record.get(21..CONTENT_BYTES)?.try_into().ok()?);
    (encode(number, place, &message) == record).then_some((number, place, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(height: u64, round: u32, step: u8) -> Place {
        Place { height, round, step }
    }

    #[test]
    fn nothing_is_signed_twice_or_at_a_height_below_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        let (one, other) = (Hash([1; 32]), Hash([2; 32]));
        let mut guard = Guard::open(&path).unwrap();
        guard.allow(place(5, 0, 2), one).unwrap();
        guard.allow(place(5, 0, 3), one).unwrap();
        guard.allow(place(5, 1, 2), other).unwrap();
        for mut guard in [guard, Guard::open(&path).unwrap()] {
            assert_eq!(guard.last(), Some(place(5, 1, 2)));
            guard.allow(place(5, 0, 3), one).expect("the same again");
            guard.allow(place(5, 1, 1), one).expect("its own proposal leaves after its vote");
            for (wanted, message) in
                [(place(5, 0, 3), other), (place(5, 1, 2), one), (place(4, 9, 3), one)]
            {
                let refused = guard.allow(wanted, message);
                assert!(matches!(refused, Err(GuardError::SignedBefore { .. })), "{wanted:?}");
            }
        }
        let mut guard = Guard::open(&path).unwrap();
        guard.allow(place(6, 0, 2), one).unwrap();
        assert!(guard.allow(place(5, 1, 2), other).is_err(), "a height below");
    }

    #[test]
    fn a_new_guard_watches_until_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        assert!(Guard::open(&path).unwrap().must_watch());
        let mut guard = Guard::open(&path).unwrap();
        assert!(guard.must_watch(), "also after a restart");
        guard.has_watched().unwrap();
        assert!(!guard.must_watch() && !Guard::open(&path).unwrap().must_watch());
        // Its disk is lost, and a ledger comes back without it.
        std::fs::remove_file(&path).unwrap();
        assert!(Guard::open(&path).unwrap().must_watch());
        let new = folder.path().join("new");
        assert!(!Guard::of_new_key(&new).unwrap().must_watch());
        assert!(!Guard::open(&new).unwrap().must_watch());
        assert_eq!(watching_since(&new, 7).unwrap(), None);
        // Since when it watches stays, whenever it comes up again; a clock that was ahead counts
        // for nothing.
        assert_eq!(watching_since(&path, 5_000).unwrap(), Some(5_000));
        assert_eq!(watching_since(&path, 9_000).unwrap(), Some(5_000));
        assert_eq!(watching_since(&path, 4_000).unwrap(), Some(4_000));
        assert!(Guard::open(&path).unwrap().must_watch());
    }

    #[test]
    fn the_ring_remembers_the_last_however_often_it_goes_round() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        let mut guard = Guard::open(&path).unwrap();
        let heights = RECORDS as u64 + 5;
        for height in 1..=heights {
            guard.allow(place(height, 0, 3), Hash([3; 32])).unwrap();
        }
        assert_eq!(Guard::open(&path).unwrap().last(), Some(place(heights, 0, 3)));
    }

    #[test]
    fn a_torn_record_is_as_if_it_had_not_been_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        let mut guard = Guard::open(&path).unwrap();
        guard.allow(place(5, 0, 2), Hash([1; 32])).unwrap();
        guard.allow(place(5, 0, 3), Hash([1; 32])).unwrap();
        guard.file.write_all_at(&[0; 20], (RECORD_BYTES + 30) as u64).unwrap();
        assert_eq!(Guard::open(&path).unwrap().last(), Some(place(5, 0, 2)));
    }
}
