//! The one way in which adapters and the outbox keep books on disk: SQLite, durable at commit (WAL
//! and `synchronous = FULL`), every write in one immediate transaction of its own or in one with
//! those that come at once (`together`).

pub mod copy;
mod sums;
mod together;

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use primitives::{Amount, Hash, Timestamp};
use rusqlite::{
    Connection, Transaction, TransactionBehavior,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};

use together::Batch;
pub use together::Mark;

/// How long a write waits for another process that is writing, in milliseconds.
const BUSY_MILLISECONDS: u64 = 5_000;

/// How many statements stay prepared. With the triggers of the sums in it, one costs more to
/// prepare than to run.
const STATEMENTS_MAX: usize = 64;

/// Where books are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory, gone when closed.
    Memory,
    /// In this file, made when missing.
    File(PathBuf),
}

/// Why books could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file holds something else, or is of another version.
    #[error("the file `{path}` is not a {expected}, or of another version; name another file")]
    OtherFile {
        /// The file's name.
        path: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The file is not what was written.
    #[error(
        "the {what} in `{path}` is damaged: {reason}; stop the program, keep the file, and restore it \
         from a backup"
    )]
    Damaged {
        /// Whose database.
        what: &'static str,
        /// The file's name.
        path: String,
        /// What is wrong in it.
        reason: String,
    },
    /// The database failed.
    #[error(
        "the database of the {what} in `{path}` failed; make sure that its disk is in order and has \
         room, then start again"
    )]
    Database {
        /// Whose database.
        what: &'static str,
        /// The file's name.
        path: String,
        /// What SQLite says.
        #[source]
        cause: rusqlite::Error,
    },
}

/// What a database holds.
pub struct Schema {
    /// What users call it, such as `sandbox bank's books`.
    pub name: &'static str,
    /// Written into the file's header, so that one kind of book is not opened as another.
    pub application_id: i32,
    /// Written into the file's header; another version is refused.
    pub version: i32,
    /// The statements that make the tables of an empty file.
    pub tables: &'static [&'static str],
}

/// An open database.
pub struct Database {
    held: Mutex<Held>,
    /// Held by whoever makes a batch durable.
    committing: Mutex<()>,
    name: &'static str,
    path: String,
}

/// The connection, and the writes that wait to become durable together.
struct Held {
    connection: Connection,
    batch: Option<Arc<Batch>>,
    /// How often a batch did not become durable, and all of it was lost.
    losses: u64,
}

impl Database {
    /// Opens the database and makes its tables when it is new.
    ///
    /// # Errors
    /// When the file is another one, is damaged, or cannot be opened.
    pub fn open(place: &Place, schema: &Schema) -> Result<Self, StoreError> {
        let path = shown(place);
        let failed = |cause| failure(schema.name, &path, cause);
        let mut connection = match place {
            Place::Memory => Connection::open_in_memory(),
            Place::File(path) => {
                keep_private(path);
                Connection::open(path)
            }
        }
        .map_err(failed)?;
        match prepare(&mut connection, schema) {
            Ok(true) => {
                if let Some(reason) = sums::keep_and_check(&mut connection).map_err(failed)? {
                    return Err(StoreError::Damaged { what: schema.name, path, reason });
                }
                let (held, committing) =
                    (Mutex::new(Held { connection, batch: None, losses: 0 }), Mutex::default());
                Ok(Self { held, committing, name: schema.name, path })
            }
            Err(rusqlite::Error::SqliteFailure(cause, _))
                if cause.code == rusqlite::ErrorCode::NotADatabase =>
            {
                Err(other_file(place, schema))
            }
            Ok(false) => Err(other_file(place, schema)),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Reads. A panic of another thread leaves no half-done transaction behind (SQLite rolls it
    /// back when the transaction is dropped), so a poisoned lock is taken over.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.lock().connection).map_err(|cause| self.failed(cause))
    }

    /// Writes in one transaction: durable when this returns `Ok`, undone when it does not.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write<T>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let written = self.write_unless(|transaction| write(transaction).map(Ok))?;
        Ok(written.unwrap_or_else(|never: std::convert::Infallible| match never {}))
    }

    /// As [`Database::write`]; an objection of the caller's own (`Ok(Err(..))`) undoes everything.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write_unless<T, E>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, E>>,
    ) -> Result<Result<T, E>, StoreError> {
        let mut held = self.lock();
        held.commit();
        let run = || {
            let transaction =
                held.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            if value.is_ok() {
                transaction.commit()?;
            }
            // Dropped without commit, a transaction is rolled back.
            Ok(value)
        };
        run().map_err(|cause| self.failed(cause))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: rusqlite::Error) -> StoreError {
        failure(self.name, &self.path, cause)
    }
}

/// Makes a new file that nobody else on this machine may read; SQLite gives the files that it puts
/// beside it the same rights. What keeps it from being made, SQLite says when it opens it.
fn keep_private(path: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

fn shown(place: &Place) -> String {
    match place {
        Place::Memory => String::from(":memory:"),
        Place::File(path) => path.display().to_string(),
    }
}

/// What SQLite finds to be no database any more is damaged; whatever else fails is the disk.
fn failure(what: &'static str, path: &str, cause: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { what, path, reason: cause.to_string() }
        }
        _ => StoreError::Database { what, path, cause },
    }
}

fn write_in<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = write(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

fn other_file(place: &Place, schema: &Schema) -> StoreError {
    StoreError::OtherFile { path: shown(place), expected: schema.name }
}

/// Sets durability and makes the tables of a new file; `false` when the file is another one.
fn prepare(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS))?;
    let header = |connection: &Connection| -> rusqlite::Result<(i32, i32)> {
        let id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok((id, connection.pragma_query_value(None, "user_version", |row| row.get(0))?))
    };
    // The header is looked at before anything is written, so that a foreign file stays as it is.
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = (schema.application_id, schema.version);
    if header(connection)? != ours && (header(connection)? != (0, 0) || tables != 0) {
        return Ok(false);
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A row that is replaced leaves the sums as well.
    connection.pragma_update(None, "recursive_triggers", true)?;
    write_in(connection, |transaction| {
        if header(transaction)? == (0, 0) {
            for table in schema.tables {
                transaction.execute_batch(table)?;
            }
            transaction.pragma_update(None, "application_id", schema.application_id)?;
            transaction.pragma_update(None, "user_version", schema.version)?;
        }
        Ok(())
    })?;
    Ok(true)
}

/// A value of ours as SQLite keeps it: amounts and instants as integers, hashes as blobs.
pub struct Sql<T>(pub T);

/// A value of ours as JSON text in a column.
pub struct Json<T>(pub T);

fn integer(number: u64) -> rusqlite::Result<ToSqlOutput<'static>> {
    let number = i64::try_from(number)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    Ok(ToSqlOutput::from(number))
}

fn unsigned(value: ValueRef<'_>) -> FromSqlResult<u64> {
    let number = value.as_i64()?;
    u64::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
}

impl ToSql for Sql<Amount> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.0.minor())
    }
}

impl FromSql for Sql<Amount> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        unsigned(value).map(Amount::from_minor).map(Self)
    }
}

impl ToSql for Sql<Timestamp> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.0.millis())
    }
}

impl FromSql for Sql<Timestamp> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        unsigned(value).map(Timestamp::from_millis).map(Self)
    }
}

impl ToSql for Sql<u64> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.0)
    }
}

impl FromSql for Sql<u64> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        unsigned(value).map(Self)
    }
}

impl ToSql for Sql<Hash> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_bytes().as_slice()))
    }
}

impl FromSql for Sql<Hash> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Hash).map(Self)
    }
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(ToSqlOutput::from(text))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Schema = Schema {
        name: "test book",
        application_id: 1,
        version: 1,
        tables: &["CREATE TABLE t (n INTEGER NOT NULL) STRICT"],
    };

    fn file() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("book.sqlite"));
        (folder, place)
    }

    #[test]
    fn what_was_written_is_there_after_opening_again_and_is_synchronous() {
        let (_folder, place) = file();
        let database = Database::open(&place, &ONE).unwrap();
        database.write(|tx| tx.execute("INSERT INTO t VALUES (7)", [])).unwrap();
        drop(database);
        let database = Database::open(&place, &ONE).unwrap();
        let read = |sql: &'static str| {
            database.read(|c| c.query_row(sql, [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert_eq!(read("SELECT n FROM t"), 7);
        assert_eq!(read("PRAGMA synchronous"), 2, "FULL");
        let mode: String =
            database.read(|c| c.query_row("PRAGMA journal_mode", [], |row| row.get(0))).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn nobody_else_on_the_machine_reads_a_book() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, place) = file();
        let database = Database::open(&place, &ONE).unwrap();
        database.write(|tx| tx.execute("INSERT INTO t VALUES (7)", [])).unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
        assert!(files.len() > 1, "the log beside it as well");
        for one in files {
            let mode = one.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", one.file_name());
        }
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let database = Database::open(&Place::Memory, &ONE).unwrap();
        let result = database.write(|tx| {
            tx.execute("INSERT INTO t VALUES (7)", [])?;
            tx.execute("INSERT INTO t VALUES ('seven')", [])
        });
        assert!(matches!(result, Err(StoreError::Database { .. })));
        let count: i64 =
            database.read(|c| c.query_row("SELECT count(*) FROM t", [], |r| r.get(0))).unwrap();
        assert_eq!(count, 0);
    }

    #[test]
    fn another_kind_of_book_another_version_and_a_text_file_are_refused() {
        let (_folder, place) = file();
        drop(Database::open(&place, &ONE).unwrap());
        for other in [Schema { application_id: 2, ..ONE }, Schema { version: 2, ..ONE }] {
            assert!(matches!(Database::open(&place, &other), Err(StoreError::OtherFile { .. })));
        }
        let (folder, _) = file();
        let text = folder.path().join("letter.txt");
        std::fs::write(&text, "dear bank, this is a letter and not a database at all".repeat(9))
            .unwrap();
        let place = Place::File(text.clone());
        assert!(matches!(Database::open(&place, &ONE), Err(StoreError::OtherFile { .. })));
        assert!(std::fs::read_to_string(text).unwrap().starts_with("dear bank"));
    }

    #[test]
    fn a_database_without_our_mark_is_refused_and_left_alone() {
        let (folder, place) = file();
        let path = folder.path().join("book.sqlite");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE foreign_book (a)").unwrap();
        assert!(matches!(Database::open(&place, &ONE), Err(StoreError::OtherFile { .. })));
        let tables: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1);
    }

    /// Turns each bit of some of the file's bytes; what opening it says, by the byte.
    fn turned(path: &std::path::Path, step: usize) -> Vec<Result<i64, String>> {
        let whole = std::fs::read(path).unwrap();
        let read = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(path, bytes).unwrap();
            let database = Database::open(&Place::File(path.to_owned()), &ONE);
            let sum = database.and_then(|one| {
                one.read(|c| c.query_row("SELECT sum(n) FROM t", [], |row| row.get(0)))
            });
            sum.map_err(|error| error.to_string())
        };
        (0..whole.len()).step_by(step).map(read).collect()
    }

    #[test]
    fn a_turned_bit_is_without_effect_or_named_with_its_file() {
        let (_folder, place) = file();
        let database = Database::open(&place, &ONE).unwrap();
        for number in 0..600 {
            let insert = "INSERT INTO t VALUES (?1)";
            database.write(|tx| tx.execute(insert, [number])).unwrap();
        }
        database.write(|tx| tx.execute("UPDATE t SET n = n + 1 WHERE n < 300", [])).unwrap();
        database.write(|tx| tx.execute("DELETE FROM t WHERE n = 599", [])).unwrap();
        drop(database);
        let Place::File(path) = &place else { panic!("a file") };
        let outcomes = turned(path, 13);
        let damaged = outcomes.iter().filter_map(|one| one.as_ref().err());
        assert!(damaged.clone().count() > 100, "{}", damaged.count());
        for words in damaged {
            assert!(words.contains("book.sqlite"), "{words}");
        }
        let sum = (0..600).sum::<i64>() + 300 - 599;
        assert!(outcomes.iter().flatten().all(|read| *read == sum));
    }

    #[test]
    fn a_book_without_sums_gets_them_and_keeps_its_rows() {
        let (_folder, place) = file();
        let Place::File(path) = &place else { panic!("a file") };
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(ONE.tables[0]).unwrap();
        connection.execute("INSERT INTO t VALUES (7)", []).unwrap();
        connection.pragma_update(None, "application_id", ONE.application_id).unwrap();
        connection.pragma_update(None, "user_version", ONE.version).unwrap();
        drop(connection);
        let database = Database::open(&place, &ONE).unwrap();
        database.write(|tx| tx.execute("INSERT INTO t VALUES (8)", [])).unwrap();
        drop(database);
        let database = Database::open(&place, &ONE).unwrap();
        let sum: Result<i64, _> =
            database.read(|c| c.query_row("SELECT sum(n) FROM t", [], |row| row.get(0)));
        assert_eq!(sum.unwrap(), 15);
        drop(database);
        // Whoever writes past the sums is found out.
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("DROP TRIGGER \"t row_sum update\"; UPDATE t SET n = 9").unwrap();
        drop(connection);
        assert!(matches!(Database::open(&place, &ONE), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn a_replaced_row_is_counted_once() {
        let keyed = Schema { tables: &["CREATE TABLE t (k INTEGER PRIMARY KEY, n TEXT)"], ..ONE };
        let (_folder, place) = file();
        for word in ["one", "two", "three"] {
            let database = Database::open(&place, &keyed).unwrap();
            let replace = "INSERT OR REPLACE INTO t VALUES (1, ?1)";
            database.write(|tx| tx.execute(replace, [word])).unwrap();
        }
        Database::open(&place, &keyed).unwrap();
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let (folder, _) = file();
        let place = Place::File(folder.path().join("missing").join("book.sqlite"));
        assert!(matches!(Database::open(&place, &ONE), Err(StoreError::Database { .. })));
    }

    #[test]
    fn amounts_above_what_sqlite_holds_are_refused_not_wrapped() {
        let database = Database::open(&Place::Memory, &ONE).unwrap();
        let amount = Sql(Amount::from_minor(u64::MAX));
        assert!(database.write(|tx| tx.execute("INSERT INTO t VALUES (?1)", [&amount])).is_err());
        database.write(|tx| tx.execute("INSERT INTO t VALUES (-1)", [])).unwrap();
        let negative =
            database.read(|c| c.query_row("SELECT n FROM t", [], |r| r.get::<_, Sql<Amount>>(0)));
        assert!(negative.is_err());
    }
}
