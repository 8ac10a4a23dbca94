//! Writes that come at once and become durable together: one `fsync` for all that were made while
//! the one before was under way, instead of one for each.
//!
//! Every write is undone alone when it fails. One that was made is seen by reads of this program
//! before it is durable; whoever made it hears of it only afterwards, and what is written later
//! is durable later. Who needs several writes and one answer waits for the last of them only.
//!
//! Invariant: a write is durable when it returns `Ok`, and none of it is there when it does not
//! (tests in this file); a write that did not wait is durable when a later one after its [`Mark`]
//! returns `Ok`.

use std::sync::{Arc, OnceLock, PoisonError};

use rusqlite::Connection;

use super::{Database, Held, StoreError};

/// Writes that become durable together.
#[derive(Default)]
pub(super) struct Batch {
    /// What SQLite said when they did; nothing for as long as they wait.
    ended: OnceLock<Result<(), Failure>>,
}

/// A moment among the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

/// An error of SQLite that several hear of.
#[derive(Clone)]
struct Failure(rusqlite::ffi::Error, Option<String>);

impl Failure {
    fn of(error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error().copied();
        Self(
            code.unwrap_or_else(|| rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR)),
            Some(error.to_string()),
        )
    }
}

impl From<Failure> for rusqlite::Error {
    fn from(Failure(code, words): Failure) -> Self {
        Self::SqliteFailure(code, words)
    }
}

/// A statement without rows, which is prepared once.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

impl Held {
    /// Ends the batch that is open, if one is: durable, or undone as a whole.
    pub(super) fn commit(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        let ended = run(&self.connection, "COMMIT").map_err(|error| Failure::of(&error));
        self.losses = self.losses.saturating_add(u64::from(ended.is_err()));
        if ended.is_err() && !self.connection.is_autocommit() {
            // What cannot be undone now is undone when the file is opened again: it has no commit.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let _ = batch.ended.set(ended);
    }

    /// Makes a write within the batch that is open, or opens one.
    fn add<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<(T, Arc<Batch>)> {
        if self.batch.is_none() {
            run(&self.connection, "BEGIN IMMEDIATE")?;
        }
        let batch = Arc::clone(self.batch.get_or_insert_default());
        let made = self.made(write);
        // Nobody else waits for the batch: it does not stay open for a write that failed.
        if made.is_err() && Arc::strong_count(&batch) == 2 {
            self.commit();
        }
        Ok((made?, batch))
    }

    fn made<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let one = self.connection.savepoint()?;
        // Dropped without commit, also by a panic, a savepoint is rolled back.
        let value = write(&one)?;
        one.commit()?;
        Ok(value)
    }
}

impl Database {
    /// Writes, together with what others write at once: durable when this returns `Ok`, undone when
    /// it does not.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write_together<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let added = self.lock().add(write);
        self.durable(added)
    }

    /// This moment, for [`Database::write_after`].
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.lock().losses)
    }

    /// Writes without waiting: seen by reads at once, durable with whatever becomes durable next.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write_soon<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let added = self.lock().add(write);
        added.map(|(value, _)| value).map_err(|cause| self.failed(cause))
    }

    /// As [`Database::write_together`], unless a write since this mark was lost: when this returns
    /// `Ok`, all of them are durable.
    ///
    /// # Errors
    /// What SQLite says, and when one was lost; then nothing is written.
    pub fn write_after<T>(
        &self,
        Mark(losses): Mark,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut held = self.lock();
        if held.losses != losses {
            let words = Some("what was written before it was lost".to_owned());
            let lost = Failure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT), words);
            return Err(self.failed(lost.into()));
        }
        let added = held.add(write);
        drop(held);
        self.durable(added)
    }

    /// Waits for the batch that a write was added to.
    fn durable<T>(&self, added: rusqlite::Result<(T, Arc<Batch>)>) -> Result<T, StoreError> {
        let (value, batch) = added.map_err(|cause| self.failed(cause))?;
        let committing = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waited for the one before finds the own write durable with it, or ends the batch
        // for all that came meanwhile.
        if batch.ended.get().is_none() {
            self.lock().commit();
        }
        drop(committing);
        match batch.ended.get() {
            Some(Ok(())) => Ok(value),
            Some(Err(failure)) => Err(self.failed(failure.clone().into())),
            None => unreachable!("a batch that is no longer open has ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::{Place, Schema};
    use super::*;

    const BOOK: Schema = Schema {
        name: "test book",
        application_id: 1,
        version: 1,
        tables: &["CREATE TABLE t (n INTEGER PRIMARY KEY, m INTEGER NOT NULL) STRICT"],
    };

    fn count(database: &Database) -> i64 {
        database.read(|one| one.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).unwrap()
    }

    fn insert(database: &Database, number: i64) -> Result<usize, StoreError> {
        database.write_together(|one| one.execute("INSERT INTO t VALUES (?1, ?1)", [number]))
    }

    #[test]
    fn what_many_write_at_once_is_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("book.sqlite"));
        let database = Database::open(&place, &BOOK).unwrap();
        let reader = Connection::open(folder.path().join("book.sqlite")).unwrap();
        thread::scope(|scope| {
            for first in 0..8 {
                let (database, reader) = (&database, folder.path().join("book.sqlite"));
                scope.spawn(move || {
                    let reader = Connection::open(reader).unwrap();
                    for number in (first..400).step_by(8) {
                        insert(database, number).unwrap();
                        let seen: i64 = reader
                            .query_row("SELECT m FROM t WHERE n = ?1", [number], |row| row.get(0))
                            .unwrap();
                        assert_eq!(seen, number, "others see it once it returned");
                    }
                });
            }
        });
        drop(reader);
        drop(database);
        assert_eq!(count(&Database::open(&place, &BOOK).unwrap()), 400);
    }

    #[test]
    fn a_write_that_fails_is_undone_alone() {
        let database = Database::open(&Place::Memory, &BOOK).unwrap();
        insert(&database, 1).unwrap();
        let failed = database.write_together(|one| {
            one.execute("INSERT INTO t VALUES (2, 2)", [])?;
            one.execute("INSERT INTO t VALUES (1, 1)", [])
        });
        assert!(matches!(failed, Err(StoreError::Database { .. })));
        assert_eq!(count(&database), 1);
        insert(&database, 3).unwrap();
        database.write(|one| one.execute("INSERT INTO t VALUES (4, 4)", [])).unwrap();
        assert_eq!(count(&database), 3);
    }

    #[test]
    fn a_batch_that_does_not_become_durable_is_an_error_for_all_of_it() {
        let database = Database::open(&Place::Memory, &BOOK).unwrap();
        // A foreign key that is checked at the end is what a commit can fail of here.
        let deferred = "CREATE TABLE u (t INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)";
        database.write(|one| one.execute_batch(deferred)).unwrap();
        let failed = database.write_together(|one| one.execute("INSERT INTO u VALUES (9)", []));
        assert!(matches!(failed, Err(StoreError::Database { .. })));
        insert(&database, 1).unwrap();
        let rows: i64 =
            database.read(|one| one.query_row("SELECT count(*) FROM u", [], |r| r.get(0))).unwrap();
        assert_eq!((rows, count(&database)), (0, 1));
    }

    #[test]
    fn a_write_that_did_not_wait_is_durable_with_a_later_one_or_its_loss_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("book.sqlite"));
        let soon = |database: &Database, number: i64| {
            database.write_soon(|one| one.execute("INSERT INTO t VALUES (?1, ?1)", [number]))
        };
        let after = |database: &Database, mark: Mark, number: i64| {
            database.write_after(mark, |one| one.execute("INSERT INTO t VALUES (?1, ?1)", [number]))
        };
        let database = Database::open(&place, &BOOK).unwrap();
        let mark = database.mark();
        soon(&database, 1).unwrap();
        assert_eq!(count(&database), 1, "it is seen at once");
        after(&database, mark, 2).unwrap();
        soon(&database, 3).unwrap();
        drop(database);
        let database = Database::open(&place, &BOOK).unwrap();
        assert_eq!(count(&database), 2, "nobody waited for the third");
        let deferred = "CREATE TABLE u (t INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)";
        database.write(|one| one.execute_batch(deferred)).unwrap();
        let mark = database.mark();
        soon(&database, 4).unwrap();
        // Another's write takes the batch with it.
        let failed = database.write_together(|one| one.execute("INSERT INTO u VALUES (9)", []));
        assert!(matches!(failed, Err(StoreError::Database { .. })));
        assert!(after(&database, mark, 5).is_err(), "the fourth was lost");
        assert_eq!(count(&database), 2);
        after(&database, database.mark(), 5).unwrap();
        assert_eq!(count(&database), 3);
    }
}
