//! When what was committed is durable: SQLite writes its log and does not wait for the disk
//! (`synchronous` is `NORMAL`); whoever needs it durable has the log's file synced here, while
//! others go on reading and writing. The log goes into the database on a thread of its own.
//!
//! SQLite syncs its log before it copies from it, and the database before the log begins anew, so
//! the file is whole after a crash at any moment; what such a crash may take is what was not synced
//! here. After a sync that failed nobody knows what the disk has, and nothing is taken or told any
//! more until the file is opened again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use rusqlite::Connection;

use super::Place;
use super::copy::beside;
use super::together::Failure;

/// From this size the log is copied into the database, in bytes.
const COPIED_FROM: u64 = 4 << 20;
/// From this size writers wait until it is copied whole, so that it begins anew.
const BEGUN_ANEW_FROM: u64 = 64 << 20;

/// What makes commits durable.
pub(super) struct Disk {
    log: Option<Log>,
    /// Commits that are durable, counted since the file was opened.
    pub synced: u64,
    is_copying: Arc<AtomicBool>,
}

/// The file of SQLite's log.
struct Log {
    database: PathBuf,
    file: Option<File>,
    sync: fn(&File) -> io::Result<()>,
}

impl Disk {
    /// That of a database in this place; one in memory is as durable as it will be.
    pub fn new(place: &Place) -> Self {
        let log =
            |path: &PathBuf| Log { database: path.clone(), file: None, sync: File::sync_data };
        Self {
            log: match place {
                Place::Memory => None,
                Place::File(path) => Some(log(path)),
            },
            synced: 0,
            is_copying: Arc::default(),
        }
    }

    /// Has the disk say otherwise than it does.
    #[cfg(test)]
    pub fn sync_by(&mut self, sync: fn(&File) -> io::Result<()>) {
        self.log.as_mut().expect("a file").sync = sync;
    }

    /// Waits until all commits up to this one are durable.
    pub fn sync(&mut self, commits: u64) -> Result<(), Failure> {
        let Some(log) = &mut self.log else { return Ok(()) };
        match log.sync() {
            Ok(bytes) => {
                self.synced = commits;
                if bytes >= COPIED_FROM && !self.is_copying.swap(true, Ordering::AcqRel) {
                    copy_log(&log.database, bytes, Arc::clone(&self.is_copying));
                }
                Ok(())
            }
            Err(error) => Err(Failure::of_disk(&error)),
        }
    }
}

impl Log {
    /// Syncs the file; its size.
    fn sync(&mut self) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(beside(&self.database, "-wal"))?),
        };
        (self.sync)(file)?;
        Ok(file.metadata()?.len())
    }
}

/// Copies the log into the database. Readers and writers go on meanwhile, until it is large.
fn copy_log(database: &Path, bytes: u64, is_copying: Arc<AtomicBool>) {
    let (path, done) = (database.to_owned(), Arc::clone(&is_copying));
    let copied = move || {
        let mode = if bytes >= BEGUN_ANEW_FROM { "RESTART" } else { "PASSIVE" };
        // What is not copied now is copied the next time.
        let _ = Connection::open(path).and_then(|one| {
            one.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
        });
        done.store(false, Ordering::Release);
    };
    if Builder::new().name("yibao-log-copy".to_owned()).spawn(copied).is_err() {
        is_copying.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::{Database, Schema, StoreError};
    use super::*;

    const BOOK: Schema = Schema {
        name: "test book",
        application_id: 1,
        version: 1,
        tables: &["CREATE TABLE t (n INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT"],
    };

    fn insert(database: &Database, number: i64, words: &str) -> Result<usize, StoreError> {
        let sql = "INSERT INTO t VALUES (?1, ?2)";
        database.write_together(|one| one.execute(sql, rusqlite::params![number, words]))
    }

    fn count(path: &Path) -> i64 {
        let one = Connection::open(path).unwrap();
        one.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_write_returns_once_the_disk_has_it() {
        static SYNCS: AtomicUsize = AtomicUsize::new(0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.sqlite");
        let database = Database::open(&Place::File(path.clone()), &BOOK).unwrap();
        database.disk().sync_by(|file| {
            SYNCS.fetch_add(1, Ordering::SeqCst);
            file.sync_data()
        });
        let syncs = || SYNCS.swap(0, Ordering::SeqCst);
        insert(&database, 1, "one").unwrap();
        assert_eq!(syncs(), 1);
        database.write(|one| one.execute("INSERT INTO t VALUES (2, 'two')", [])).unwrap();
        assert_eq!(syncs(), 1);
        database.write_soon(|one| one.execute("INSERT INTO t VALUES (3, 'three')", [])).unwrap();
        assert_eq!(syncs(), 0, "nobody waits for it");
        // What is undone needs no disk, but what came before it without waiting keeps its place.
        let objection: Result<(), u8> = database.write_unless(|_| Ok(Err(7))).unwrap();
        assert_eq!((objection, syncs()), (Err(7), 0));
        insert(&database, 4, "four").unwrap();
        assert_eq!(syncs(), 1, "one for both");
        assert_eq!(count(&path), 4);
    }

    #[test]
    fn after_a_sync_that_failed_nothing_is_taken_until_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("book.sqlite"));
        let database = Database::open(&place, &BOOK).unwrap();
        insert(&database, 1, "one").unwrap();
        let mark = database.mark();
        database.disk().sync_by(|_| Err(io::Error::other("the disk is gone")));
        let told = insert(&database, 2, "two").unwrap_err();
        assert!(matches!(told, StoreError::Database { .. }), "{told}");
        // The disk answers again, and what it has of the writes before nobody knows.
        database.disk().sync_by(File::sync_data);
        assert!(insert(&database, 3, "three").is_err());
        assert!(database.write(|one| one.execute("INSERT INTO t VALUES (4, '')", [])).is_err());
        assert!(
            database.write_soon(|one| one.execute("INSERT INTO t VALUES (5, '')", [])).is_err()
        );
        let after =
            database.write_after(mark, |one| one.execute("INSERT INTO t VALUES (6, '')", []));
        assert!(after.is_err());
        let read = |database: &Database| {
            database
                .read(|one| one.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)))
        };
        assert!(read(&database).is_err());
        drop(database);
        let database = Database::open(&place, &BOOK).unwrap();
        assert!(read(&database).unwrap() >= 1);
        insert(&database, 7, "seven").unwrap();
    }

    #[test]
    fn the_log_is_copied_while_others_write_and_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.sqlite");
        let database = Database::open(&Place::File(path.clone()), &BOOK).unwrap();
        let words = "a".repeat(1 << 16);
        for number in 0..3_000 {
            insert(&database, number, &words).unwrap();
        }
        let log = std::fs::metadata(beside(&path, "-wal")).unwrap().len();
        let all = std::fs::metadata(&path).unwrap().len() + log;
        assert!(log <= BEGUN_ANEW_FROM + (32 << 20), "of {all} bytes {log} lie in the log");
        drop(database);
        assert_eq!(count(&path), 3_000);
    }
}
