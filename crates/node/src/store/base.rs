//! Where a data folder begins that did not start with the first block: at the state of another
//! node's snapshot ([`crate::sync`]).
//!
//! `base/begun` is there while the folder is being filled: what it has is of no use then. `base/at`
//! says at which block it began, for as long as there is the folder. `signed/nothing` says that the
//! node has signed nothing since, so that a folder with blocks and without a mark is no copy; a
//! backup has it as little as it has the mark.

use std::io;
use std::sync::Arc;

use primitives::Hash;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::disk::{Disk, DiskFile};

const BEGUN: &str = "base/begun";
/// Where it is written at which block a folder begins.
pub const AT: &str = "base/at";
const UNSIGNED: &str = "signed/nothing";
/// What is read of it at the most.
const BYTES_MAX: u64 = 4_096;

/// The block that a folder begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its height.
    pub height: u64,
    /// Its value id.
    pub value_id: Hash,
    /// How many receipts there were with it; those themselves are not here.
    pub receipts: u64,
}

/// What a folder says of its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It has everything from the first block on, or nothing yet.
    First,
    /// It is being filled, or that was interrupted.
    Unfinished,
    /// It begins here.
    At(Base),
}

/// How a folder begins.
pub(crate) struct BaseFiles<D: Disk>(Arc<D>);

impl<D: Disk> BaseFiles<D> {
    pub(crate) const fn new(disk: Arc<D>) -> Self {
        Self(disk)
    }

    /// What the folder says.
    pub(crate) fn read(&self) -> Result<Beginning, StoreError> {
        if self.has(BEGUN)? {
            return Ok(Beginning::Unfinished);
        }
        if !self.has(AT)? {
            return Ok(Beginning::First);
        }
        let read = || {
            let file = self.0.open(AT)?;
            let mut bytes = vec![0; file.length()?.min(BYTES_MAX) as usize];
            file.read_at(0, &mut bytes)?;
            serde_json::from_slice(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
        };
        read().map(Beginning::At).map_err(StoreError::io(AT))
    }

    /// Says durably that the folder is being filled.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        if self.has(BEGUN)? {
            return Ok(());
        }
        self.make(BEGUN, b"")
    }

    /// Says durably that the folder is filled, and begins here.
    pub(crate) fn end(&self, base: &Base) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(base);
        let bytes = bytes.map_err(|error| StoreError::io(AT)(io::Error::other(error)))?;
        self.make(AT, &bytes)?;
        self.make(UNSIGNED, b"")?;
        self.remove(BEGUN)
    }

    /// Says durably that the folder is as new as before.
    pub(crate) fn abandon(&self) -> Result<(), StoreError> {
        self.remove(BEGUN)
    }

    /// Whether the node has signed nothing since it began.
    pub(crate) fn is_unsigned(&self) -> Result<bool, StoreError> {
        self.has(UNSIGNED)
    }

    /// Says durably that the node may have signed something.
    pub(crate) fn may_sign(&self) -> Result<(), StoreError> {
        self.remove(UNSIGNED)
    }

    fn has(&self, path: &str) -> Result<bool, StoreError> {
        match self.0.open(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io(path)(error)),
        }
    }

    fn make(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let part = format!("{path}.part");
        let make = || {
            remove_if_there(&*self.0, &part)?;
            let file = self.0.create(&part)?;
            file.write_at(0, bytes)?;
            file.sync()?;
            self.0.rename(&part, path)?;
            self.0.sync_folder(folder_of(path))
        };
        make().map_err(StoreError::io(path))
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        if !self.has(path)? {
            return Ok(());
        }
        let remove = || {
            self.0.remove(path)?;
            self.0.sync_folder(folder_of(path))
        };
        remove().map_err(StoreError::io(path))
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Removes a file unless there is none.
pub(crate) fn remove_if_there<D: Disk>(disk: &D, path: &str) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
