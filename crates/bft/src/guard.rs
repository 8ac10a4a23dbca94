//! What this validator signed at its last height, durable before a signature leaves.
//!
//! The engine's own log keeps it from signing twice as long as that log is there. After a folder
//! was restored it is not, or an older one is, and two signatures for one step are what others may
//! exclude an organisation for. So the key signs nothing below what it signed, and nothing else
//! in the same place, whatever the engine believes.
//!
//! The file is a ring of records of 64 bytes: `ybguard1`, height, round, step, the signed message,
//! and the first bytes of a SHA-256 over these. A record that was torn was never acted on.
//!
//! Invariant: tests `nothing_is_signed_twice_or_below_also_after_a_restart`,
//! `a_torn_record_is_as_if_it_had_not_been_written`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

use primitives::{Hash, sha256};

const MAGIC: &[u8; 8] = b"ybguard1";
const RECORD_BYTES: usize = 64;
const RECORDS: usize = 1_024;
const CONTENT_BYTES: usize = 8 + 8 + 4 + 1 + 32;

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
    /// Something later was signed already, or something else in its place.
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
    /// Where the next record goes.
    next: usize,
}

impl Guard {
    /// The guard of this file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file is none of ours or the disk fails.
    pub fn open(path: &Path) -> Result<Self> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let mut guard = Self { file, signed: BTreeMap::new(), next: 0 };
        let length = guard.file.metadata()?.len();
        if is_new || length == 0 {
            guard.file.write_all_at(&vec![0; RECORDS * RECORD_BYTES], 0)?;
            guard.file.sync_all()?;
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
            return Ok(guard);
        }
        let mut bytes = vec![0; RECORDS * RECORD_BYTES];
        guard.file.read_exact_at(&mut bytes, 0).map_err(|_| {
            Error::new(ErrorKind::InvalidData, "the guard of the validator's key is cut short")
        })?;
        guard.read(&bytes);
        Ok(guard)
    }

    fn read(&mut self, bytes: &[u8]) {
        let mut last = None;
        for (number, record) in bytes.chunks_exact(RECORD_BYTES).enumerate() {
            let Some((place, message)) = decode(record) else { continue };
            let height = self.signed.keys().next_back().map_or(0, |place| place.height);
            if place.height > height {
                self.signed.clear();
            }
            if place.height >= height {
                self.signed.insert(place, message);
                if last.is_none_or(|(there, _)| place >= there) {
                    last = Some((place, number));
                }
            }
        }
        self.next = last.map_or(0, |(_, number)| (number + 1) % RECORDS);
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
                None if wanted > last => {}
                _ => return Err(GuardError::SignedBefore { wanted, last }),
            }
        }
        let offset = u64::try_from(self.next * RECORD_BYTES).unwrap_or(0);
        self.file.write_all_at(&encode(wanted, &message), offset)?;
        self.file.sync_data()?;
        self.next = (self.next + 1) % RECORDS;
        if self.last().is_some_and(|last| last.height < wanted.height) {
            self.signed.clear();
        }
        self.signed.insert(wanted, message);
        Ok(())
    }
}

fn encode(place: Place, message: &Hash) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(place.height.to_le_bytes());
    bytes.extend(place.round.to_le_bytes());
    bytes.push(place.step);
    bytes.extend(message.as_bytes());
    let sum = sha256(&bytes);
    bytes.extend(sum.as_bytes().iter().take(RECORD_BYTES - CONTENT_BYTES));
    bytes
}

fn decode(record: &[u8]) -> Option<(Place, Hash)> {
    let height = u64::from_le_bytes(record.get(8..16)?.try_into().ok()?);
    let round = u32::from_le_bytes(record.get(16..20)?.try_into().ok()?);
    let place = Place { height, round, step: *record.get(20)? };
    let message = Hash(record.get(21..CONTENT_BYTES)?.try_into().ok()?);
    (encode(place, &message) == record).then_some((place, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(height: u64, round: u32, step: u8) -> Place {
        Place { height, round, step }
    }

    #[test]
    fn nothing_is_signed_twice_or_below_also_after_a_restart() {
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
            for (wanted, message) in [
                (place(5, 0, 3), other),
                (place(5, 1, 2), one),
                (place(5, 1, 1), one),
                (place(4, 9, 3), one),
            ] {
                let refused = guard.allow(wanted, message);
                assert!(matches!(refused, Err(GuardError::SignedBefore { .. })), "{wanted:?}");
            }
        }
        let mut guard = Guard::open(&path).unwrap();
        guard.allow(place(6, 0, 2), one).unwrap();
        assert!(guard.allow(place(5, 1, 2), other).is_err(), "a height below");
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
