//! The outbox in SQLite: durable before the rail is called.

use primitives::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    effect::{Backlog, Effect, EffectState, OutboxError, OutboxRecord, OutboxStore, Recorded},
    rail::{Reference, Verdict},
    sqlite::{Database, Json, Place, Schema, Sql, StoreError},
};

const SCHEMA: Schema = Schema {
    name: "outbox of effects",
    application_id: 0x7962_6f78,
    version: 1,
    tables: &[
        "CREATE TABLE effect (
            sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
            reference   BLOB NOT NULL UNIQUE,
            effect      TEXT NOT NULL,
            verdict     TEXT,
            done_at     INTEGER,
            attempts    INTEGER NOT NULL,
            recorded_at INTEGER NOT NULL,
            next_try_at INTEGER NOT NULL,
            is_reported INTEGER NOT NULL DEFAULT 0 CHECK (is_reported = 0 OR verdict IS NOT NULL)
        ) STRICT",
        "CREATE INDEX effect_open ON effect (next_try_at, sequence) WHERE verdict IS NULL",
        "CREATE INDEX effect_done ON effect (done_at) WHERE done_at IS NOT NULL",
        "CREATE INDEX effect_unreported ON effect (sequence)
            WHERE verdict IS NOT NULL AND is_reported = 0",
    ],
};

const COLUMNS: &str = "effect, verdict, attempts, recorded_at, next_try_at, is_reported";

/// The outbox of one organisation.
pub struct SqliteOutbox(Database);

impl SqliteOutbox {
    /// Opens the outbox, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place) -> Result<Self, StoreError> {
        Database::open(place, &SCHEMA).map(Self)
    }

    fn list(
        &self,
        condition: &str,
        run: impl FnOnce(&str, &Connection) -> rusqlite::Result<Vec<OutboxRecord>>,
    ) -> Result<Vec<OutboxRecord>, OutboxError> {
        let sql = format!("SELECT {COLUMNS} FROM effect WHERE {condition}");
        Ok(self.0.read(|connection| run(&sql, connection))?)
    }
}

impl From<StoreError> for OutboxError {
    fn from(error: StoreError) -> Self {
        Self::Storage(Box::new(error))
    }
}

fn record_of(row: &Row<'_>) -> rusqlite::Result<OutboxRecord> {
    let verdict: Option<Json<Verdict>> = row.get(1)?;
    Ok(OutboxRecord {
        effect: row.get::<_, Json<Effect>>(0)?.0,
        state: verdict.map_or(EffectState::Open, |verdict| EffectState::Final(verdict.0)),
        attempts: row.get(2)?,
        recorded_at: row.get::<_, Sql<Timestamp>>(3)?.0,
        next_try_at: row.get::<_, Sql<Timestamp>>(4)?.0,
        is_reported: row.get(5)?,
    })
}

fn find(connection: &Connection, reference: &Reference) -> rusqlite::Result<Option<OutboxRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM effect WHERE reference = ?1");
    connection.prepare_cached(&sql)?.query_row([Sql(reference.0)], record_of).optional()
}

/// Keeps one effect, unless its reference is taken.
fn record(
    tx: &Transaction<'_>,
    effect: &Effect,
    at: Timestamp,
    next_try_at: Timestamp,
) -> rusqlite::Result<Recorded> {
    let reference = effect.order.reference;
    match find(tx, &reference)? {
        Some(known) if known.effect == *effect => return Ok(Recorded::Known(known)),
        Some(_) => return Ok(Recorded::OtherEffect),
        None => {}
    }
    tx.prepare_cached(
        "INSERT INTO effect (reference, effect, attempts, recorded_at, next_try_at)
         VALUES (?1, ?2, 1, ?3, ?4)",
    )?
    .execute(params![Sql(reference.0), Json(effect), Sql(at), Sql(next_try_at)])?;
    Ok(Recorded::New)
}

/// What is wrong with keeping this word, if anything.
fn finish(
    tx: &Transaction<'_>,
    reference: &Reference,
    verdict: &Verdict,
) -> rusqlite::Result<Option<OutboxError>> {
    match find(tx, reference)?.map(|record| record.state) {
        Some(EffectState::Open) => {}
        Some(EffectState::Final(kept)) if kept == *verdict => return Ok(None),
        Some(EffectState::Final(_)) => return Ok(Some(OutboxError::OtherVerdict(*reference))),
        None => return Ok(Some(OutboxError::NoRecord(*reference))),
    }
    let done_at = match verdict {
        Verdict::Done(done) => Some(Sql(done.at)),
        Verdict::Refused(_) => None,
    };
    tx.prepare_cached("UPDATE effect SET verdict = ?2, done_at = ?3 WHERE reference = ?1")?
        .execute(params![Sql(reference.0), Json(verdict), done_at])?;
    Ok(None)
}

impl SqliteOutbox {
    /// Writes item by item in one commit; the first item with an objection undoes all.
    fn write_each<T>(
        &self,
        items: &[T],
        write: impl Fn(&Transaction<'_>, &T) -> rusqlite::Result<Option<OutboxError>>,
    ) -> Result<(), OutboxError> {
        if items.is_empty() {
            return Ok(());
        }
        self.0.write_unless(|tx| {
            for item in items {
                if let Some(objection) = write(tx, item)? {
                    return Ok(Err(objection));
                }
            }
            Ok(Ok(()))
        })?
    }
}

impl OutboxStore for SqliteOutbox {
    fn record_all(
        &self,
        effects: &[Effect],
        at: Timestamp,
        next_try_at: Timestamp,
    ) -> Result<Vec<Recorded>, OutboxError> {
        if effects.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.0.write(|tx| {
            effects.iter().map(|effect| record(tx, effect, at, next_try_at)).collect()
        })?)
    }

    fn get(&self, reference: &Reference) -> Result<Option<OutboxRecord>, OutboxError> {
        Ok(self.0.read(|connection| find(connection, reference))?)
    }

    fn note_attempt(
        &self,
        reference: &Reference,
        next_try_at: Timestamp,
    ) -> Result<(), OutboxError> {
        let is_there = self.0.write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE effect SET attempts = attempts + 1, next_try_at = ?2
                     WHERE reference = ?1 AND verdict IS NULL",
                )?
                .execute(params![Sql(reference.0), Sql(next_try_at)])?;
            Ok(changed == 1 || find(tx, reference)?.is_some())
        })?;
        if is_there { Ok(()) } else { Err(OutboxError::NoRecord(*reference)) }
    }

    fn finish_all(&self, words: &[(Reference, Verdict)]) -> Result<(), OutboxError> {
        self.write_each(words, |tx, (reference, verdict)| finish(tx, reference, verdict))
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        let condition =
            "verdict IS NULL AND next_try_at <= ?1 ORDER BY next_try_at, sequence LIMIT ?2";
        self.list(condition, |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![Sql(now), limit], record_of)?.collect()
        })
    }

    fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        let condition = "verdict IS NOT NULL AND is_reported = 0 ORDER BY sequence LIMIT ?1";
        self.list(condition, |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map([limit], record_of)?.collect()
        })
    }

    fn mark_reported(&self, references: &[Reference]) -> Result<(), OutboxError> {
        self.write_each(references, |tx, reference| {
            let changed = tx
                .prepare_cached(
                    "UPDATE effect SET is_reported = 1
                     WHERE reference = ?1 AND verdict IS NOT NULL",
                )?
                .execute([Sql(reference.0)])?;
            Ok((changed != 1).then_some(OutboxError::NoRecord(*reference)))
        })
    }

    fn done_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OutboxRecord>, OutboxError> {
        let condition = "done_at >= ?1 AND done_at < ?2 ORDER BY done_at, sequence";
        // SQLite's integers end earlier than ours, and so do the rails' clocks.
        let until = until.millis().min(i64::MAX.unsigned_abs());
        self.list(condition, |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![Sql(from), Sql(until)], record_of)?.collect()
        })
    }

    fn backlog(&self) -> Result<Backlog, OutboxError> {
        Ok(self.0.read(|connection| {
            connection.query_row(
                "SELECT count(*), min(recorded_at) FROM effect WHERE verdict IS NULL",
                [],
                |row| {
                    let oldest: Option<Sql<Timestamp>> = row.get(1)?;
                    let open = row.get::<_, Sql<u64>>(0)?.0;
                    Ok(Backlog { open, oldest: oldest.map(|instant| instant.0) })
                },
            )
        })?)
    }
}
