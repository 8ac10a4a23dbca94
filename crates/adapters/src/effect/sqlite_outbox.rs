//! The outbox in SQLite: durable before the rail is called.

use primitives::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    effect::{Backlog, Effect, EffectState, OutboxError, OutboxRecord, OutboxStore},
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
            state       TEXT NOT NULL CHECK (state IN ('recorded', 'sent', 'final')),
            verdict     TEXT CHECK ((verdict IS NULL) = (state <> 'final')),
            attempts    INTEGER NOT NULL,
            recorded_at INTEGER NOT NULL,
            next_try_at INTEGER NOT NULL,
            is_reported INTEGER NOT NULL DEFAULT 0 CHECK (is_reported = 0 OR state = 'final')
        ) STRICT",
        "CREATE INDEX effect_open ON effect (next_try_at, sequence) WHERE state <> 'final'",
        "CREATE INDEX effect_unreported ON effect (sequence)
            WHERE state = 'final' AND is_reported = 0",
    ],
};

const COLUMNS: &str = "effect, state, verdict, attempts, recorded_at, next_try_at, is_reported";

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

    /// Every effect recorded from `from` until before `until`, oldest first; for comparing with a
    /// rail's statement.
    ///
    /// # Errors
    /// When the store fails.
    pub fn recorded_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OutboxRecord>, OutboxError> {
        self.list("recorded_at >= ?1 AND recorded_at < ?2 ORDER BY sequence", |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![Sql(from), Sql(until)], record_of)?.collect()
        })
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
    let verdict: Option<Json<Verdict>> = row.get(2)?;
    let state = match (verdict, row.get::<_, String>(1)?.as_str()) {
        (Some(Json(verdict)), _) => EffectState::Final(verdict),
        (None, "recorded") => EffectState::Recorded,
        // The table's check allows nothing else.
        (None, _) => EffectState::Sent,
    };
    Ok(OutboxRecord {
        effect: row.get::<_, Json<Effect>>(0)?.0,
        state,
        attempts: row.get(3)?,
        recorded_at: row.get::<_, Sql<Timestamp>>(4)?.0,
        next_try_at: row.get::<_, Sql<Timestamp>>(5)?.0,
        is_reported: row.get(6)?,
    })
}

fn find(connection: &Connection, reference: &Reference) -> rusqlite::Result<Option<OutboxRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM effect WHERE reference = ?1");
    connection.prepare_cached(&sql)?.query_row([Sql(reference.0)], record_of).optional()
}

impl OutboxStore for SqliteOutbox {
    fn record(&self, effect: &Effect, at: Timestamp) -> Result<OutboxRecord, OutboxError> {
        let reference = effect.order.reference;
        let record = self.0.write(|tx| {
            tx.prepare_cached(
                "INSERT INTO effect (reference, effect, state, attempts, recorded_at, next_try_at)
                 VALUES (?1, ?2, 'recorded', 0, ?3, ?3) ON CONFLICT (reference) DO NOTHING",
            )?
            .execute(params![Sql(reference.0), Json(effect), Sql(at)])?;
            find(tx, &reference)
        })?;
        match record {
            Some(record) if record.effect == *effect => Ok(record),
            Some(_) => Err(OutboxError::OtherEffect(reference)),
            None => Err(OutboxError::NoRecord(reference)),
        }
    }

    fn get(&self, reference: &Reference) -> Result<Option<OutboxRecord>, OutboxError> {
        Ok(self.0.read(|connection| find(connection, reference))?)
    }

    fn mark_sent(&self, reference: &Reference, next_try_at: Timestamp) -> Result<(), OutboxError> {
        let is_there = self.0.write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE effect SET state = 'sent', attempts = attempts + 1, next_try_at = ?2
                     WHERE reference = ?1 AND state <> 'final'",
                )?
                .execute(params![Sql(reference.0), Sql(next_try_at)])?;
            Ok(changed == 1 || find(tx, reference)?.is_some())
        })?;
        if is_there { Ok(()) } else { Err(OutboxError::NoRecord(*reference)) }
    }

    fn finish(&self, reference: &Reference, verdict: &Verdict) -> Result<(), OutboxError> {
        let kept = self.0.write(|tx| {
            tx.prepare_cached(
                "UPDATE effect SET state = 'final', verdict = ?2
                 WHERE reference = ?1 AND state <> 'final'",
            )?
            .execute(params![Sql(reference.0), Json(verdict)])?;
            find(tx, reference)
        })?;
        match kept.map(|record| record.state) {
            Some(EffectState::Final(kept)) if kept == *verdict => Ok(()),
            Some(_) => Err(OutboxError::OtherVerdict(*reference)),
            None => Err(OutboxError::NoRecord(*reference)),
        }
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        let condition =
            "state <> 'final' AND next_try_at <= ?1 ORDER BY next_try_at, sequence LIMIT ?2";
        self.list(condition, |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![Sql(now), limit], record_of)?.collect()
        })
    }

    fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        let condition = "state = 'final' AND is_reported = 0 ORDER BY sequence LIMIT ?1";
        self.list(condition, |sql, connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map([limit], record_of)?.collect()
        })
    }

    fn mark_reported(&self, reference: &Reference) -> Result<(), OutboxError> {
        let changed = self.0.write(|tx| {
            tx.prepare_cached(
                "UPDATE effect SET is_reported = 1 WHERE reference = ?1 AND state = 'final'",
            )?
            .execute([Sql(reference.0)])
        })?;
        if changed == 1 { Ok(()) } else { Err(OutboxError::NoRecord(*reference)) }
    }

    fn backlog(&self) -> Result<Backlog, OutboxError> {
        Ok(self.0.read(|connection| {
            connection.query_row(
                "SELECT count(*), min(recorded_at) FROM effect WHERE state <> 'final'",
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
