//! The mark: the last checkpoint of the receipt log that this node signed.
//!
//! It is durable before anybody gets the checkpoint, so that whatever becomes of the blocks, the
//! node never signs a log or a block below it: a folder whose blocks end before the mark has lost
//! some, and one that has blocks and no mark is a copy of which nobody knows whether it is the
//! newest. A backup therefore leaves the folder `signed` out.
//!
//! Invariant: the mark that a start finds is durable before the node takes its first block or gives
//! the checkpoint out (tests/runtime/lost.rs,
//! `a_mark_whose_name_was_not_synced_is_durable_before_the_next_block`).

use std::io;
use std::sync::Arc;

use proof::checkpoint::SignedCheckpoint;

use super::StoreError;
use super::disk::{Disk, DiskFile};

const FOLDER: &str = "signed";
/// Where the mark is, as a C2SP checkpoint.
pub const FILE: &str = "signed/checkpoint";
const PART: &str = "signed/checkpoint.part";
/// A checkpoint with one signature has some 200 bytes.
const BYTES_MAX: u64 = 64 << 10;

/// The mark on a disk.
pub struct Mark<D: Disk>(Arc<D>);

impl<D: Disk> Mark<D> {
    /// The mark on this disk.
    #[must_use]
    pub const fn new(disk: Arc<D>) -> Self {
        Self(disk)
    }

    /// The checkpoint that was signed last; `None` when there is no mark.
    ///
    /// # Errors
    /// When it is damaged or the disk fails.
    pub fn read(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        let read = || -> io::Result<Vec<u8>> {
            let file = self.0.open(FILE)?;
            let mut bytes = vec![0; file.length()?.min(BYTES_MAX) as usize];
            file.read_at(0, &mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => SignedCheckpoint::parse(&bytes).map(Some).map_err(StoreError::Mark),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(FILE)(error)),
        }
    }

    /// Makes the mark that is there durable for certain. Its name may stand in the system's memory
    /// alone, when the process that gave it ended before the folder was synced or the sync failed:
    /// whoever trusts it then would lose it in a power cut.
    ///
    /// # Errors
    /// When the disk fails: nothing may be signed or written after the mark.
    pub fn settle(&self) -> Result<(), StoreError> {
        let settle = || {
            self.0.open(FILE)?.sync()?;
            self.0.sync_folder(FOLDER)
        };
        match settle() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io(FILE)(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes this the last checkpoint, durably.
    ///
    /// # Errors
    /// When the disk fails: the checkpoint must not leave the node.
    pub fn write(&self, signed: &SignedCheckpoint) -> Result<(), StoreError> {
        let write = || {
            match self.0.remove(PART) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = self.0.create(PART)?;
            file.write_at(0, signed.encode().as_bytes())?;
            file.sync()?;
            self.0.rename(PART, FILE)?;
            self.0.sync_folder(FOLDER)
        };
        write().map_err(StoreError::io(FILE))
    }
}
