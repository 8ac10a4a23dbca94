//! A copy of a database, as it is at one moment, while others go on reading and writing it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

/// How long a try waits for a lock, in milliseconds.
const BUSY_MILLISECONDS: u64 = 5_000;
/// How often a copy is tried.
const TRIES_MAX: usize = 5;

/// Why a database could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It could not be read, or its copy not be written.
    #[error("the database `{}` cannot be copied: {cause}", path.display())]
    Database {
        /// The database that is copied.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        cause: rusqlite::Error,
    },
    /// The copy is there already, or cannot be made.
    #[error("the copy `{}` cannot be made: {cause}", path.display())]
    File {
        /// The copy.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

/// Opens a database that nobody changes through this connection. One that nobody has open is left
/// exactly as it is, without the files that SQLite makes beside it.
///
/// # Errors
/// What SQLite says.
pub fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if beside(path, "-wal").exists() {
        Connection::open_with_flags(path, flags)?
    } else {
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f");
        let uri = format!("file:{}?immutable=1", name.replace('#', "%23"));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS))?;
    Ok(connection)
}

/// A file that SQLite keeps beside a database.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Copies a database as it is at one moment into a new file, durably.
///
/// # Errors
/// When it cannot be read, or the copy is there already.
pub fn copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    let file = |cause| CopyError::File { path: to.to_owned(), cause };
    File::create_new(to).map_err(file)?;
    copy_pages(from, to).map_err(|cause| CopyError::Database { path: from.to_owned(), cause })?;
    File::open(to).and_then(|file| file.sync_all()).map_err(file)
}

fn copy_pages(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let source = open_to_read(from)?;
    let mut target = Connection::open(to)?;
    let backup = Backup::new(&source, &mut target)?;
    // All pages in one step, which sees the database as it is when the step begins.
    for _ in 0..TRIES_MAX {
        if backup.step(-1)? == StepResult::Done {
            return Ok(());
        }
    }
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(busy, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &Path) -> i64 {
        let connection = open_to_read(path).unwrap();
        connection.query_row("SELECT count(*) FROM number", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_copy_is_whole_at_one_moment_and_leaves_the_original_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [from, one, two] = ["a ? % # b", "one", "two"].map(|name| folder.path().join(name));
        let writer = Connection::open(&from).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch("CREATE TABLE number (n INTEGER); BEGIN").unwrap();
        writer.execute_batch("INSERT INTO number VALUES (1), (2); COMMIT; BEGIN").unwrap();
        writer.execute_batch("INSERT INTO number VALUES (3)").unwrap();
        // What is not committed is not in the copy.
        copy(&from, &one).unwrap();
        assert_eq!(count(&one), 2);
        writer.execute_batch("COMMIT").unwrap();
        drop(writer);
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let before = names();
        copy(&from, &two).unwrap();
        assert_eq!((count(&two), names()), (3, before + 1));
        assert!(matches!(copy(&from, &two), Err(CopyError::File { .. })));
        let missing = copy(&folder.path().join("none"), &folder.path().join("three"));
        assert!(matches!(missing, Err(CopyError::Database { .. })));
    }
}
