//! What the engine must not forget at a height, durable before a message leaves.
//!
//! A folder restored from a backup has an older log or none; then the key signs nothing that it may
//! have signed otherwise before ([`crate::guard`]).

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// A log of entries of one height.
pub trait Log: Send {
    /// The height that its entries belong to.
    fn height(&self) -> u64;

    /// All entries up to the first that is damaged, in order, and whether there is none such.
    ///
    /// # Errors
    /// When the disk fails.
    fn entries(&mut self) -> Result<(Vec<Vec<u8>>, bool)>;

    /// Adds an entry.
    ///
    /// # Errors
    /// When the disk fails.
    fn append(&mut self, entry: &[u8]) -> Result<()>;

    /// Returns when all entries are durable.
    ///
    /// # Errors
    /// When the disk fails.
    fn flush(&mut self) -> Result<()>;

    /// Forgets all entries and begins another height.
    ///
    /// # Errors
    /// When the disk fails.
    fn reset(&mut self, height: u64) -> Result<()>;
}

/// A log in a file, by the engine's own library.
#[derive(Debug)]
pub struct FileLog {
    log: malachite_wal::Log,
    is_flushed: bool,
}

impl FileLog {
    /// The log in this file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file is in use, none of ours, or the disk fails.
    pub fn open(path: &Path) -> Result<Self> {
        let log = malachite_wal::Log::open(path)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        Ok(Self { log, is_flushed: true })
    }
}

impl Log for FileLog {
    fn height(&self) -> u64 {
        self.log.sequence()
    }

    fn entries(&mut self) -> Result<(Vec<Vec<u8>>, bool)> {
        let mut entries = Vec::new();
        if self.log.is_empty() {
            return Ok((entries, true));
        }
        for entry in self.log.iter()? {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) if is_damage(&error) => {
                    tracing::warn!(%error, height = self.log.sequence(), "the engine's log is damaged");
                    return Ok((entries, false));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((entries, true))
    }

    fn append(&mut self, entry: &[u8]) -> Result<()> {
        self.is_flushed = false;
        self.log.append(entry)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.is_flushed {
            self.log.flush()?;
            self.is_flushed = true;
        }
        Ok(())
    }

    fn reset(&mut self, height: u64) -> Result<()> {
        self.log.reset(height)
    }
}

fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}
