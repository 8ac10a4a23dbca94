//! The few things that durable storage asks of a disk, and a folder that does them.
//!
//! A simulator supplies another [`Disk`] ([`super::fault::FaultyDisk`]) and may lose, tear or
//! refuse everything that was not synced.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A folder of files. Paths are relative, with `/` between names.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;

    /// Makes a new, empty file and the folders above it.
    ///
    /// # Errors
    /// When it exists, or what the system says.
    fn create(&self, path: &str) -> io::Result<Self::File>;

    /// Opens an existing file.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, path: &str) -> io::Result<Self::File>;

    /// The names in a folder, sorted; none when there is no such folder.
    ///
    /// # Errors
    /// What the system says.
    fn names(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Gives a file another name in one step, replacing what has that name.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder durable, and the folder's own name.
    ///
    /// # Errors
    /// What the system says; then it is not known which names are durable.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer from this place.
    ///
    /// # Errors
    /// When the file ends before, or what the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all the bytes at this place; nothing is durable yet.
    ///
    /// # Errors
    /// What the system says; then it is not known what was written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// What the system says. It is then not known what is durable, and asking again proves nothing:
    /// the system may have thrown the writes away.
    fn sync(&self) -> io::Result<()>;
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process works in it.
    #[error(
        "the data folder `{}` is in use by another node; stop that node, or name another folder",
        .0.display()
    )]
    InUse(PathBuf),
    /// It cannot be made or opened.
    #[error("the data folder `{}` cannot be used: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A folder on a real disk, locked against a second node for as long as this value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens a folder, making it if it is missing, and locks it. The system lets the lock go when
    /// the process ends in whatever way.
    ///
    /// # Errors
    /// When another node holds it or the system refuses.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        let failed = |source| FolderError::Io { path: path.clone(), source };
        make_folder(&path).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let lock = options.open(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a folder and those above it, durably: what is made durable in it later would be gone with
/// its name.
///
/// # Errors
/// What the system says.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let naming = naming_folders(path);
    std::fs::create_dir_all(path)?;
    for (folder, is_named_anew) in naming {
        match File::open(&folder).and_then(|folder| folder.sync_all()) {
            // What was there before may lie where this user may not look.
            Err(error) if is_named_anew || error.kind() != io::ErrorKind::PermissionDenied => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The folders in which a path's own name and those above it are missing, and the one above them,
/// whose name for the path may never have been synced; whether something is named anew in each.
fn naming_folders(path: &Path) -> Vec<(PathBuf, bool)> {
    let mut folders = Vec::new();
    for name in path.ancestors() {
        let Some(above) = name.parent() else { break };
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        let is_missing = !name.exists();
        if is_missing || folders.is_empty() {
            folders.push((above.to_owned(), is_missing));
        }
        if !is_missing {
            break;
        }
    }
    folders
}

impl Disk for Folder {
    type File = File;

    fn create(&self, path: &str) -> io::Result<File> {
        let path = self.path.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    fn open(&self, path: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path.join(path))
    }

    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.path.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<String>>>()?;
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(path))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let folder = self.path.join(folder);
        // A folder that was just made is named in the one above, up to our own.
        let above = folder.ancestors().take_while(|above| above.starts_with(&self.path));
        for folder in above {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_that_gets_a_new_name_is_synced_and_always_the_one_above() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let above = root.path().to_owned();
        let expected = [(at("one/two"), true), (at("one"), true), (above.clone(), true)];
        assert_eq!(naming_folders(&at("one/two/three")), expected);
        make_folder(&at("one/two/three")).unwrap();
        assert_eq!(naming_folders(&at("one/two/three")), [(at("one/two"), false)]);
        assert_eq!(naming_folders(&at("one/new")), [(at("one"), true)]);
        assert_eq!(naming_folders(Path::new("new")), [(PathBuf::from("."), true)]);
        std::fs::write(at("file"), b"").unwrap();
        assert!(make_folder(&at("file/below")).is_err());
    }
}
