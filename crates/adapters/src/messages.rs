//! What the books of the national interface have in common: messages with their answers, and sealed
//! entries by kind and name.
//!
//! A message that was answered is answered by the same bytes for ever; a number is of one message.

use primitives::{Hash, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::directory::DirectoryError;
use crate::directory::seal::Sealer;
use crate::sqlite::{Database, Sql};

/// The table of entries. The one of messages has columns `msgid`, `digest`, `received` and
/// `answer` at the least.
pub(crate) const ENTRIES: &str = "CREATE TABLE entry (
            kind   TEXT NOT NULL,
            id     TEXT NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (kind, id)
        ) STRICT, WITHOUT ROWID";

/// What is known of a message that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It never came before.
    New,
    /// It came before and was not answered for good.
    Open,
    /// It was answered like this.
    Answered(Vec<u8>),
    /// Another message came under this number.
    Differs,
}

/// A message that came before: what it was, and its answer as it is kept.
pub(crate) type Known = Option<(Sql<Hash>, Option<Vec<u8>>)>;

/// Notes a message, or finds the one that came under its number.
pub(crate) fn note(
    tx: &Connection,
    msgid: &str,
    (digest, now): (&Hash, Timestamp),
) -> Result<Known> {
    let sql = "SELECT digest, answer FROM message WHERE msgid = ?1";
    let known = tx
        .prepare_cached(sql)?
        .query_row([msgid], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if known.is_none() {
        let sql = "INSERT INTO message (msgid, digest, received) VALUES (?1, ?2, ?3)";
        tx.prepare_cached(sql)?.execute(params![msgid, Sql(*digest), Sql(now)])?;
    }
    Ok(known)
}

/// What became of a message that comes in; `answers` is what its answer was sealed as.
///
/// # Errors
/// When the answer that is kept cannot be opened.
pub(crate) fn begun(
    sealer: &Sealer,
    answers: &str,
    (msgid, digest): (&str, &Hash),
    known: Known,
) -> std::result::Result<Begun, DirectoryError> {
    match known {
        Some((Sql(other), _)) if other != *digest => Ok(Begun::Differs),
        Some((_, Some(sealed))) => {
            Ok(Begun::Answered(sealer.open(answers, msgid.as_bytes(), &sealed)?))
        }
        Some((_, None)) => Ok(Begun::Open),
        None => Ok(Begun::New),
    }
}

/// Keeps a sealed answer; one that is there stays.
pub(crate) fn keep_answer(tx: &Connection, msgid: &str, sealed: &[u8]) -> Result<()> {
    let sql = "UPDATE message SET answer = ?2 WHERE msgid = ?1 AND answer IS NULL";
    tx.prepare_cached(sql)?.execute(params![msgid, sealed]).map(drop)
}

/// Enters something sealed under its kind and name, in place of what was there.
pub(crate) fn put(tx: &Connection, (kind, id): (&str, &str), sealed: &[u8]) -> Result<()> {
    let sql = "INSERT INTO entry (kind, id, sealed) VALUES (?1, ?2, ?3)
               ON CONFLICT (kind, id) DO UPDATE SET sealed = excluded.sealed";
    tx.prepare_cached(sql)?.execute(params![kind, id, sealed]).map(drop)
}

/// What was entered under a kind and name.
///
/// # Errors
/// When the book fails, or what is kept cannot be opened.
pub(crate) fn get(
    database: &Database,
    sealer: &Sealer,
    (kind, id): (&str, &str),
) -> std::result::Result<Option<Vec<u8>>, DirectoryError> {
    let sql = "SELECT sealed FROM entry WHERE kind = ?1 AND id = ?2";
    let sealed = database.read(|one| {
        one.prepare_cached(sql)?.query_row([kind, id], |row| row.get::<_, Vec<u8>>(0)).optional()
    })?;
    sealed.map(|sealed| sealer.open(kind, id.as_bytes(), &sealed)).transpose()
}

/// Takes an entry away.
pub(crate) fn remove(tx: &Connection, (kind, id): (&str, &str)) -> Result<()> {
    let sql = "DELETE FROM entry WHERE kind = ?1 AND id = ?2";
    tx.prepare_cached(sql)?.execute([kind, id]).map(drop)
}

/// The first so many entries of a kind behind this name, by their names.
///
/// # Errors
/// When the book fails, or what is kept cannot be opened.
pub(crate) fn entries(
    database: &Database,
    sealer: &Sealer,
    (kind, after, most): (&str, &str, u32),
) -> std::result::Result<Vec<(String, Vec<u8>)>, DirectoryError> {
    let sql = "SELECT id, sealed FROM entry WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let rows = database.read(|one| {
        let mut query = one.prepare_cached(sql)?;
        let rows = query.query_map(params![kind, after, most], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        rows.collect::<Result<Vec<_>>>()
    })?;
    let opened = rows.into_iter().map(|(id, sealed)| {
        let bytes = sealer.open(kind, id.as_bytes(), &sealed)?;
        Ok((id, bytes))
    });
    opened.collect()
}
