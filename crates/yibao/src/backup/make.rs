//! Making a backup while the data folder is served.
//!
//! Books of what was ordered come first, then everything that follows the blocks, then the blocks,
//! then the rails' own books: nothing in a backup knows of a block that it does not have, and no
//! order stands in it whose rail's book is older than the order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adapters::clock::Clock;
use adapters::sqlite::copy::copy;
use anyhow::{Context as _, Result};
use node::backup::{BlocksEnd, Copier, copy_blocks, copy_followers, files_below};
use node::store::Folder;
use primitives::Timestamp;

use super::{FileSum, LAST_FILE, LastBackup, MANIFEST_FILE, Manifest, backups_in, sum_of};
use crate::command::input::bad;
use crate::serving::NODE_FOLDER;
use crate::serving::folder::replace_file;

/// The book of what the ledger ordered, which follows the blocks.
const EFFECTS: &str = "/effects.sqlite";
/// The book of what rails were told, which the rails' own books follow.
const OUTBOX: &str = "/outbox.sqlite";
const DATABASE: &str = ".sqlite";

/// What to back up.
pub struct Request<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// The folder of backups.
    pub to: &'a Path,
    /// Whether the history comes along; without it, the first start makes it anew from all blocks.
    pub has_history: bool,
}

/// What was backed up.
pub struct Made {
    /// Where the backup is.
    pub folder: PathBuf,
    /// Where its blocks end.
    pub end: BlocksEnd,
    /// Bytes that were copied.
    pub bytes_copied: u64,
    /// Bytes that an earlier backup had already.
    pub bytes_kept: u64,
    /// How many files it has.
    pub files: usize,
}

/// Backs a data folder up.
///
/// # Errors
/// What cannot be read, copied or verified. The earlier backups are then as they were.
pub fn make(request: &Request<'_>, clock: &dyn Clock) -> Result<Made> {
    let Request { data, to, has_history } = *request;
    if !data.join(NODE_FOLDER).is_dir() {
        return Err(bad(format!(
            "`{}` is no data folder: there is no `{NODE_FOLDER}` in it",
            data.display()
        )));
    }
    if to.starts_with(data) {
        return Err(bad("a backup inside the data folder would be lost with it; name another one"));
    }
    // Two backups at once would remove each other's beginnings.
    let _one = Folder::open(to)?;
    remove_beginnings(to)?;
    let backups = backups_in(to)?;
    let earlier = backups.iter().rev().find(|earlier| is_of_the_same(earlier, data));
    let made = clock.now();
    let part = to.join(format!("{}.part", stamp(made)));
    fs::create_dir(&part).with_context(|| format!("`{}` cannot be made", part.display()))?;
    let mut work = Work { data, part: &part, earlier: earlier.map(PathBuf::as_path) };
    let (end, bytes_copied, bytes_kept) = work.copy_all(has_history)?;
    let files = work.sums()?;
    let manifest = Manifest::new(made, end.clone(), files);
    let text = serde_json::to_vec_pretty(&manifest)?;
    replace_file(&part.join(MANIFEST_FILE), &text)
        .with_context(|| format!("`{}` cannot be written", part.display()))?;
    let folder = to.join(format!("{}-block-{}", stamp(made), end.height));
    fs::rename(&part, &folder)
        .and_then(|()| fs::File::open(to)?.sync_all())
        .with_context(|| format!("`{}` cannot be named", folder.display()))?;
    let folder = folder.canonicalize().unwrap_or(folder);
    let (height, receipts) = (end.height, end.receipts);
    let last = LastBackup { made, folder: folder.clone(), height, receipts };
    replace_file(&data.join(LAST_FILE), &serde_json::to_vec_pretty(&last)?)
        .context("the backup is there; that it was made cannot be noted in the data folder")?;
    Ok(Made { folder, end, bytes_copied, bytes_kept, files: manifest.files.len() })
}

/// A time as names of backups begin: they sort by it.
fn stamp(time: Timestamp) -> String {
    let text = time.to_string();
    text.replace(['-', ':'], "")
}

/// What an interrupted backup left.
fn remove_beginnings(to: &Path) -> Result<()> {
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "part") {
            fs::remove_dir_all(&path)
                .with_context(|| format!("`{}` cannot be removed", path.display()))?;
        }
    }
    Ok(())
}

/// Whether a backup is of this ledger.
fn is_of_the_same(backup: &Path, data: &Path) -> bool {
    let genesis = |folder: &Path| fs::read(folder.join("node/genesis/genesis.json")).ok();
    genesis(backup).is_some_and(|there| Some(there) == genesis(data))
}

struct Work<'a> {
    data: &'a Path,
    part: &'a Path,
    earlier: Option<&'a Path>,
}

impl Work<'_> {
    fn copy_all(&mut self, has_history: bool) -> Result<(BlocksEnd, u64, u64)> {
        let (effects, rest): (Vec<String>, Vec<String>) =
            self.own_files()?.into_iter().partition(|path| path.ends_with(EFFECTS));
        let (outboxes, rest): (Vec<String>, Vec<String>) =
            rest.into_iter().partition(|path| path.ends_with(OUTBOX));
        let mut copier = Copier { earlier: self.earlier, bytes_copied: 0, bytes_kept: 0 };
        for path in &effects {
            self.copy_one(path, &mut copier)?;
        }
        let (from, to) = (self.data.join(NODE_FOLDER), self.part.join(NODE_FOLDER));
        let earlier = self.earlier.map(|earlier| earlier.join(NODE_FOLDER));
        let mut of_node = Copier { earlier: earlier.as_deref(), bytes_copied: 0, bytes_kept: 0 };
        copy_followers(&from, &to, has_history, &mut of_node)?;
        let end = copy_blocks(&from, &to, &mut of_node)?;
        for path in outboxes.iter().chain(&rest) {
            self.copy_one(path, &mut copier)?;
        }
        let copied = copier.bytes_copied + of_node.bytes_copied;
        Ok((end, copied, copier.bytes_kept + of_node.bytes_kept))
    }

    /// What the organisations have, and what lies beside their folders; without what SQLite keeps
    /// beside its databases and files that are just being written.
    fn own_files(&self) -> Result<Vec<String>> {
        let node = format!("{NODE_FOLDER}/");
        let mut files = files_below(self.data)
            .with_context(|| format!("`{}` cannot be read", self.data.display()))?;
        files.retain(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_beside = name.ends_with(".sqlite-wal") || name.ends_with(".sqlite-shm");
            // A vault writes `NAME#1` first and renames it.
            let is_begun = name.ends_with(".part") || name.contains('#');
            !path.starts_with(&node) && !is_beside && !is_begun
        });
        Ok(files)
    }

    fn copy_one(&self, path: &str, copier: &mut Copier<'_>) -> Result<()> {
        let (source, target) = (self.data.join(path), self.part.join(path));
        if path.ends_with(DATABASE) {
            let folder = target.parent().unwrap_or(self.part);
            fs::create_dir_all(folder)
                .with_context(|| format!("`{}` cannot be made", folder.display()))?;
            copy(&source, &target)?;
            copier.bytes_copied += fs::metadata(&target)?.len();
            return Ok(());
        }
        match copier.copy_compared(self.data, self.part, path) {
            // What was removed meanwhile is not there any more.
            Err(node::backup::BackupError::File { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(())
            }
            copied => Ok(copied?),
        }
    }

    /// Reads every file of the backup back.
    fn sums(&self) -> Result<Vec<FileSum>> {
        let files = files_below(self.part)?;
        files.iter().map(|path| sum_of(self.part, path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_backups_sort_by_their_times() {
        let stamps = [0, 999, 1_000, 1_767_225_600_000].map(|at| stamp(Timestamp::from_millis(at)));
        assert_eq!(stamps[1], "19700101T000000.999Z");
        assert_eq!(stamps[3], "20260101T000000.000Z");
        assert!(stamps.is_sorted());
    }
}
