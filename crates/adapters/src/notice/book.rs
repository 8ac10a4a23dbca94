//! The embedded notice book: keeps notices for the wallet, and writes down what it would have sent
//! by text message or e-mail. A simulator of those channels, named so to users.

use std::{fmt, sync::Arc};

use primitives::{Hash, PersonId, Timestamp, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    clock::Clock,
    notice::{Channel, Delivery, Message, Notice, NoticeError},
    sqlite::{Database, Place, Schema, Sql, StoreError},
};

const SCHEMA: Schema = Schema {
    name: "notice book",
    application_id: 0x7962_6e6f,
    version: 1,
    tables: &[
        "CREATE TABLE channel (
            person  BLOB NOT NULL,
            kind    TEXT NOT NULL CHECK (kind IN ('sms', 'email')),
            PRIMARY KEY (person, kind)
        ) STRICT",
        "CREATE TABLE notice (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id       BLOB NOT NULL UNIQUE,
            digest   BLOB NOT NULL,
            person   BLOB NOT NULL,
            subject  TEXT NOT NULL,
            body     TEXT NOT NULL,
            sent_at  INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX notice_person ON notice (person, sequence)",
        "CREATE TABLE delivery (
            notice       BLOB NOT NULL REFERENCES notice (id),
            kind         TEXT NOT NULL CHECK (kind IN ('wallet', 'sms', 'email')),
            delivered_at INTEGER NOT NULL,
            read_at      INTEGER,
            PRIMARY KEY (notice, kind)
        ) STRICT",
    ],
};

/// The longest subject, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 200;
/// The longest text, in bytes.
pub const BODY_BYTES_MAX: usize = 4_000;
/// The most notices in one answer.
pub const INBOX_PAGE_MAX: u32 = 100;

/// The notices of one organisation's people.
pub struct NoticeBook {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// A notice as the wallet shows it. Its words show themselves nowhere but there.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Its place in the book; the cursor for the next page.
    pub sequence: u64,
    /// Its id.
    pub id: Hash,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The subject.
    pub subject: String,
    /// The words.
    pub body: String,
    /// When it was opened in the wallet.
    pub read_at: Option<Timestamp>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("id", &self.id).finish_non_exhaustive()
    }
}

impl NoticeBook {
    /// Opens the book, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(place, &SCHEMA)?, clock })
    }

    /// Sets which channels a person wants besides the wallet, which everybody has.
    ///
    /// # Errors
    /// When the book fails.
    pub fn set_channels(&self, person: PersonId, channels: &[Channel]) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            tx.prepare_cached("DELETE FROM channel WHERE person = ?1")?.execute([person.0])?;
            for kind in channels.iter().filter(|kind| **kind != Channel::Wallet) {
                tx.prepare_cached(
                    "INSERT INTO channel (person, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?
                .execute(params![person.0, name(*kind)])?;
            }
            Ok(())
        })?)
    }

    /// A person's notices, newest first, at most `limit` (and never more than
    /// [`INBOX_PAGE_MAX`]); `before` is the `sequence` of the last one of the page before.
    ///
    /// # Errors
    /// When the book fails.
    pub fn inbox(
        &self,
        person: PersonId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Received>, NoticeError> {
        let limit = limit.min(INBOX_PAGE_MAX);
        Ok(self.database.read(|connection| {
            let mut notices = connection.prepare_cached(
                "SELECT n.sequence, n.id, n.sent_at, n.subject, n.body, d.read_at
                 FROM notice n JOIN delivery d ON d.notice = n.id AND d.kind = 'wallet'
                 WHERE n.person = ?1 AND (?2 IS NULL OR n.sequence < ?2)
                 ORDER BY n.sequence DESC LIMIT ?3",
            )?;
            notices.query_map(params![person.0, before.map(Sql), limit], received)?.collect()
        })?)
    }

    /// Notes that the person opened the notice in the wallet; the first time counts. Says whether
    /// there is such a notice for this person.
    ///
    /// # Errors
    /// When the book fails.
    pub fn mark_read(&self, person: PersonId, id: &Hash) -> Result<bool, NoticeError> {
        let now = self.clock.now();
        Ok(self.database.write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE delivery SET read_at = coalesce(read_at, ?3) WHERE kind = 'wallet'
                     AND notice = (SELECT id FROM notice WHERE id = ?2 AND person = ?1)",
                )?
                .execute(params![person.0, Sql(*id), Sql(now)])?;
            Ok(changed == 1)
        })?)
    }

    fn keep(
        &self,
        tx: &Transaction<'_>,
        message: &Message,
    ) -> rusqlite::Result<Result<Vec<Delivery>, NoticeError>> {
        let digest = sha256_parts(&[
            b"yibao/notice/v1",
            &message.to.0,
            sha256_parts(&[message.subject.as_bytes()]).as_bytes(),
            message.body.as_bytes(),
        ]);
        let known: Option<Sql<Hash>> = tx
            .prepare_cached("SELECT digest FROM notice WHERE id = ?1")?
            .query_row([Sql(message.id)], |row| row.get(0))
            .optional()?;
        match known {
            Some(Sql(known)) if known == digest => {}
            Some(_) => return Ok(Err(NoticeError::OtherNotice(message.id))),
            None => self.deliver(tx, message, digest)?,
        }
        deliveries(tx, &message.id).map(Ok)
    }

    fn deliver(
        &self,
        tx: &Transaction<'_>,
        message: &Message,
        digest: Hash,
    ) -> rusqlite::Result<()> {
        let now = self.clock.now();
        tx.prepare_cached(
            "INSERT INTO notice (id, digest, person, subject, body, sent_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            Sql(message.id),
            Sql(digest),
            message.to.0,
            message.subject,
            message.body,
            Sql(now)
        ])?;
        tx.prepare_cached(
            "INSERT INTO delivery (notice, kind, delivered_at)
             SELECT ?1, 'wallet', ?3 UNION ALL SELECT ?1, kind, ?3 FROM channel WHERE person = ?2",
        )?
        .execute(params![Sql(message.id), message.to.0, Sql(now)])?;
        Ok(())
    }
}

const fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Wallet => "wallet",
        Channel::Sms => "sms",
        Channel::Email => "email",
    }
}

fn received(row: &Row<'_>) -> rusqlite::Result<Received> {
    Ok(Received {
        sequence: row.get::<_, Sql<u64>>(0)?.0,
        id: row.get::<_, Sql<Hash>>(1)?.0,
        sent_at: row.get::<_, Sql<Timestamp>>(2)?.0,
        subject: row.get(3)?,
        body: row.get(4)?,
        read_at: row.get::<_, Option<Sql<Timestamp>>>(5)?.map(|instant| instant.0),
    })
}

fn deliveries(connection: &Connection, id: &Hash) -> rusqlite::Result<Vec<Delivery>> {
    let mut deliveries = connection.prepare_cached(
        "SELECT kind, delivered_at, read_at FROM delivery WHERE notice = ?1
         ORDER BY CASE kind WHEN 'wallet' THEN 0 WHEN 'sms' THEN 1 ELSE 2 END",
    )?;
    deliveries
        .query_map([Sql(*id)], |row| {
            let channel = match row.get::<_, String>(0)?.as_str() {
                "sms" => Channel::Sms,
                "email" => Channel::Email,
                // The table's check allows nothing else.
                _ => Channel::Wallet,
            };
            Ok(Delivery {
                channel,
                delivered_at: row.get::<_, Sql<Timestamp>>(1)?.0,
                read_at: row.get::<_, Option<Sql<Timestamp>>>(2)?.map(|instant| instant.0),
            })
        })?
        .collect()
}

impl From<StoreError> for NoticeError {
    fn from(error: StoreError) -> Self {
        Self::Storage(Box::new(error))
    }
}

impl Notice for NoticeBook {
    fn send(&self, message: &Message) -> Result<Vec<Delivery>, NoticeError> {
        for (field, text, max) in [
            ("subject", &message.subject, SUBJECT_BYTES_MAX),
            ("body", &message.body, BODY_BYTES_MAX),
        ] {
            if text.is_empty() || text.len() > max {
                return Err(NoticeError::Length { field, found: text.len(), max });
            }
        }
        self.database.write_unless(|tx| self.keep(tx, message))?
    }

    fn deliveries(&self, id: &Hash) -> Result<Vec<Delivery>, NoticeError> {
        Ok(self.database.read(|connection| deliveries(connection, id))?)
    }
}
