//! Backups of a data folder, made while it is served, and data folders made from them.
//!
//! ```text
//! TO/20260302T101500.123Z-block-1234/          one backup: a data folder without `node/signed`
//! TO/20260302T101500.123Z-block-1234/backup.json   what it is of, and the sum of every file in it
//! ```
//! Reading order: this file (what a backup is), [`make`], [`restore`], [`loss`] (when newer blocks
//! are gone for good).
//!
//! A file that cannot have changed since an earlier backup in the same folder is named there once
//! more and takes no further room; each backup is whole without the others all the same.

pub mod loss;
pub mod make;
pub mod restore;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use node::backup::BlocksEnd;
use primitives::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::input::{bad, read_json};

/// What a backup is of, in its folder; written last.
pub const MANIFEST_FILE: &str = "backup.json";
/// What is told of the last backup, in the node's folder of the data folder.
pub const LAST_FILE: &str = "node/last-backup.json";
/// The form of a backup. A program that does not know a form refuses it.
const FORMAT: &str = "yibao backup 1";
/// A million files have some hundred megabytes of sums.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// What a backup is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The version of the program that made it.
    pub program: String,
    /// When it was begun.
    pub made: Timestamp,
    /// Where its blocks end.
    pub end: BlocksEnd,
    /// Every file in it, by its path.
    pub files: Vec<FileSum>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSum {
    /// Its path, with `/` between names.
    pub path: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The BLAKE3 of its bytes, in hex.
    pub blake3: String,
}

/// What is told of the last backup of a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastBackup {
    /// When it was begun.
    pub made: Timestamp,
    /// Where it is.
    pub folder: PathBuf,
    /// Its last block.
    pub height: u64,
    /// How many receipts it has.
    pub receipts: u64,
}

impl Manifest {
    /// The manifest of a backup made by this program now.
    #[must_use]
    pub fn new(made: Timestamp, end: BlocksEnd, files: Vec<FileSum>) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT.to_owned(), program, made, end, files }
    }

    /// Reads the manifest of the backup in this folder.
    ///
    /// # Errors
    /// When it is missing, damaged, or of a newer form.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let form: Form = read_json("the backup's list of files", &path, MANIFEST_BYTES_MAX)?;
        if form.format != FORMAT {
            return Err(bad(format!(
                "`{}` is of the form `{}`, and this version knows `{FORMAT}`; restore it with the version that made it, {}",
                path.display(),
                form.format,
                form.program
            )));
        }
        read_json("the backup's list of files", &path, MANIFEST_BYTES_MAX)
    }
}

/// The part of a manifest that every form has.
#[derive(Deserialize)]
struct Form {
    format: String,
    program: String,
}

/// The sum of a file's bytes as they are on the disk.
///
/// # Errors
/// When it cannot be read.
pub fn sum_of(folder: &Path, path: &str) -> Result<FileSum> {
    let file = folder.join(path);
    let sum = node::backup::sum_of(&file);
    let (bytes, blake3) = sum.with_context(|| format!("`{}` cannot be read", file.display()))?;
    Ok(FileSum { path: path.to_owned(), bytes, blake3 })
}

/// The backups in a folder, oldest first: their names begin with their times.
///
/// # Errors
/// When the folder cannot be read.
pub fn backups_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .map_err(|error| bad(format!("`{}` cannot be read: {error}", folder.display())))?;
    let mut backups = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join(MANIFEST_FILE).is_file() {
            backups.push(path);
        }
    }
    backups.sort();
    Ok(backups)
}
