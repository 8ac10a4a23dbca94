//! What is kept of notices: who wants them and where, which there are, and what became of them.
//! Addresses are sealed; a notice is its sort and its times, and goes after 90 days.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use primitives::{Hash, PersonId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{About, Channel, Choice, Delivery, DeliveryState, Message, NoticeError};
use crate::directory::DirectoryKey;
use crate::directory::seal::Sealer;
use crate::sqlite::{Database, Place, Schema, Sql};

pub use address::{CodeSent, CodeTry, PHONE_CODE_TRIES};

mod address;

const SCHEMA: Schema = Schema {
    name: "notice book",
    application_id: 0x7962_6e6f,
    version: 2,
    tables: &[
        "CREATE TABLE choice (
            person   BLOB PRIMARY KEY,
            language TEXT NOT NULL,
            wechat   INTEGER NOT NULL,
            sms      INTEGER NOT NULL
        ) STRICT",
        "CREATE TABLE address (
            id      BLOB PRIMARY KEY,
            person  BLOB NOT NULL,
            channel TEXT NOT NULL CHECK (channel IN ('push', 'wechat', 'sms')),
            sealed  BLOB NOT NULL,
            made    INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX address_person ON address (person, channel, made)",
        "CREATE TABLE code (
            person   BLOB PRIMARY KEY,
            sealed   BLOB NOT NULL,
            expires  INTEGER NOT NULL,
            failures INTEGER NOT NULL,
            day      INTEGER NOT NULL,
            sent     INTEGER NOT NULL
        ) STRICT",
        "CREATE TABLE notice (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id       BLOB NOT NULL UNIQUE,
            person   BLOB NOT NULL,
            about    TEXT NOT NULL,
            noted    INTEGER NOT NULL,
            seen     INTEGER,
            due      INTEGER
        ) STRICT",
        "CREATE INDEX notice_person ON notice (person, sequence)",
        "CREATE INDEX notice_noted ON notice (noted)",
        "CREATE INDEX notice_due ON notice (due) WHERE due IS NOT NULL",
        "CREATE TABLE delivery (
            reference BLOB PRIMARY KEY,
            notice    BLOB NOT NULL,
            channel   TEXT NOT NULL CHECK (channel IN ('push', 'wechat', 'sms')),
            tries     INTEGER NOT NULL,
            state     TEXT NOT NULL CHECK (state IN ('trying', 'handed', 'arrived', 'failed')),
            changed   INTEGER NOT NULL,
            UNIQUE (notice, channel)
        ) STRICT",
    ],
};

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// How long a notice is kept, in milliseconds: 90 days. Our own limit.
const KEPT_MILLIS: u64 = 90 * DAY_MILLIS;
/// The most notices in one answer.
pub const NOTICES_MAX: u32 = 50;
/// The most notices that one round looks at.
pub(super) const ROUND_MAX: u32 = 200;

/// The notices of one organisation's people.
pub struct NoticeBook {
    database: Database,
    sealer: Sealer,
    /// Who asked for notices; of everybody else nothing is noted.
    asked: RwLock<BTreeSet<PersonId>>,
}

/// Where somebody's notices stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What they want besides the wallet.
    pub choice: Choice,
    /// The end of the phone's number that text messages go to.
    pub phone_end: Option<String>,
    /// The browsers that are told, by their ids.
    pub browsers: Vec<Hash>,
}

/// A notice that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Its place in the book.
    pub sequence: u64,
    /// What it is.
    pub message: Message,
    /// When it was noted.
    pub noted: Timestamp,
    /// When the person saw it in the wallet.
    pub seen: Option<Timestamp>,
    /// What became of it on each channel, in the order in which they are tried.
    pub deliveries: Vec<Delivery>,
}

/// A notice that waits for its next step.
pub(super) struct Due {
    pub message: Message,
    pub tried: Vec<Tried>,
}

/// How far a notice is on one channel.
pub(super) struct Tried {
    pub channel: Channel,
    pub tries: u32,
    pub state: DeliveryState,
}

/// What a report of an arrival did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was noted; on this channel.
    Noted(Channel),
    /// It had been noted before.
    Known,
    /// Nothing was sent under this reference.
    Unknown,
}

impl NoticeBook {
    /// Opens the book, and makes it when it is new. `key` seals the addresses.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place, key: &DirectoryKey) -> Result<Self, NoticeError> {
        let database = Database::open(place, &SCHEMA)?;
        let asked = database.read(|connection| {
            let mut people = connection.prepare("SELECT person FROM choice")?;
            people.query_map([], |row| row.get(0).map(PersonId))?.collect()
        })?;
        Ok(Self { database, sealer: Sealer::new(key)?, asked: RwLock::new(asked) })
    }

    /// Whether a person asked for notices. Cheap: it is asked of everybody whom a receipt concerns.
    #[must_use]
    pub fn has_asked(&self, person: PersonId) -> bool {
        self.asked.read().unwrap_or_else(PoisonError::into_inner).contains(&person)
    }

    /// Notes what a person wants.
    ///
    /// # Errors
    /// When the book fails.
    pub fn choose(&self, person: PersonId, choice: &Choice) -> Result<(), NoticeError> {
        self.database.write(|tx| {
            let sql = "INSERT INTO choice (person, language, wechat, sms) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (person) DO UPDATE SET language = excluded.language,
                       wechat = excluded.wechat, sms = excluded.sms";
            tx.prepare_cached(sql)?.execute(params![
                person.0,
                choice.language,
                choice.wechat,
                choice.sms
            ])
        })?;
        self.asked.write().unwrap_or_else(PoisonError::into_inner).insert(person);
        Ok(())
    }

    /// Forgets everything about a person: wishes, addresses and notices.
    ///
    /// # Errors
    /// When the book fails.
    pub fn forget(&self, person: PersonId) -> Result<(), NoticeError> {
        self.asked.write().unwrap_or_else(PoisonError::into_inner).remove(&person);
        Ok(self.database.write(|tx| {
            let own = params![person.0];
            let sql = "DELETE FROM delivery
                       WHERE notice IN (SELECT id FROM notice WHERE person = ?1)";
            tx.execute(sql, own)?;
            for table in ["notice", "choice", "address", "code"] {
                tx.execute(&format!("DELETE FROM {table} WHERE person = ?1"), own)?;
            }
            Ok(())
        })?)
    }

    /// What a person wants, if notices were asked for.
    ///
    /// # Errors
    /// When the book fails.
    pub fn choice(&self, person: PersonId) -> Result<Option<Choice>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT language, wechat, sms FROM choice WHERE person = ?1";
            let read = |row: &Row<'_>| {
                Ok(Choice { language: row.get(0)?, wechat: row.get(1)?, sms: row.get(2)? })
            };
            connection.prepare_cached(sql)?.query_row(params![person.0], read).optional()
        })?)
    }

    /// Notes a notice that is tried outside the wallet from `due` on. Says whether it is new; of a
    /// person who did not ask for notices nothing is noted.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note(
        &self,
        message: &Message,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<bool, NoticeError> {
        if !self.has_asked(message.to) {
            return Ok(false);
        }
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(now.millis().saturating_sub(KEPT_MILLIS)));
            let sql = "DELETE FROM delivery
                       WHERE notice IN (SELECT id FROM notice WHERE noted < ?1)";
            tx.prepare_cached(sql)?.execute(params![old])?;
            tx.prepare_cached("DELETE FROM notice WHERE noted < ?1")?.execute(params![old])?;
            let sql = "INSERT INTO notice (id, person, about, noted, due)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING";
            let (id, about) = (Sql(message.id), message.about.name());
            let values = params![id, message.to.0, about, Sql(now), Sql(due)];
            Ok(tx.prepare_cached(sql)?.execute(values)? == 1)
        })?)
    }

    /// Notes that a person saw the notices up to this place in the wallet; they are not tried any
    /// further.
    ///
    /// # Errors
    /// When the book fails.
    pub fn mark_seen(
        &self,
        person: PersonId,
        through: u64,
        now: Timestamp,
    ) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE notice SET seen = ?3, due = NULL
                       WHERE person = ?1 AND sequence <= ?2 AND seen IS NULL";
            tx.prepare_cached(sql)?.execute(params![person.0, Sql(through), Sql(now)])?;
            Ok(())
        })?)
    }

    /// A person's notices, the newest first, at most [`NOTICES_MAX`].
    ///
    /// # Errors
    /// When the book fails.
    pub fn notices_of(&self, person: PersonId) -> Result<Vec<Noted>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT sequence, id, person, about, noted, seen FROM notice
                       WHERE person = ?1 ORDER BY sequence DESC LIMIT ?2";
            let mut notices = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| {
                Ok(Noted {
                    sequence: row.get::<_, Sql<u64>>(0)?.0,
                    message: message(row, 1)?,
                    noted: row.get::<_, Sql<Timestamp>>(4)?.0,
                    seen: row.get::<_, Option<Sql<Timestamp>>>(5)?.map(|Sql(when)| when),
                    deliveries: Vec::new(),
                })
            };
            let found = notices.query_map(params![person.0, NOTICES_MAX], read)?;
            let mut found: Vec<Noted> = found.collect::<rusqlite::Result<_>>()?;
            for noted in &mut found {
                let tried = tried(connection, &noted.message.id)?.into_iter();
                let delivery = |one: Tried| Delivery { channel: one.channel, state: one.state };
                noted.deliveries = tried.map(delivery).collect();
            }
            Ok(found)
        })?)
    }

    /// The notices whose next step is due, the oldest first.
    pub(super) fn due(&self, now: Timestamp) -> Result<Vec<Due>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT id, person, about FROM notice WHERE due <= ?1 ORDER BY due LIMIT ?2";
            let mut notices = connection.prepare_cached(sql)?;
            let found = notices.query_map(params![Sql(now), ROUND_MAX], |row| message(row, 0))?;
            let with_tries =
                |message: Message| Ok(Due { tried: tried(connection, &message.id)?, message });
            found.map(|message| message.and_then(with_tries)).collect()
        })?)
    }

    /// Notes how far a notice is on a channel, and when its next step is due; `None` for no
    /// further one. What arrived or was seen meanwhile stays so.
    pub(super) fn set_delivery(
        &self,
        notice: &Hash,
        step: &Tried,
        (now, due): (Timestamp, Option<Timestamp>),
    ) -> Result<(), NoticeError> {
        let reference = self.reference(notice, step.channel);
        let state = match step.state {
            DeliveryState::Trying => "trying",
            DeliveryState::Handed(_) => "handed",
            DeliveryState::Arrived(_) => "arrived",
            DeliveryState::Failed => "failed",
        };
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO delivery (reference, notice, channel, tries, state, changed)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                       ON CONFLICT (reference) DO UPDATE SET tries = excluded.tries,
                       state = excluded.state, changed = excluded.changed
                       WHERE state <> 'arrived'";
            let (channel, tries) = (step.channel.name(), step.tries);
            let values = params![Sql(reference), Sql(*notice), channel, tries, state, Sql(now)];
            tx.prepare_cached(sql)?.execute(values)?;
            set_due(tx, notice, due)
        })?)
    }

    /// Ends the steps of a notice.
    pub(super) fn end(&self, notice: &Hash) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| set_due(tx, notice, None))?)
    }

    /// Notes what a peer or a browser says of a dispatch: what arrived is not tried any further,
    /// what never will goes on at once.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note_report(
        &self,
        reference: &Hash,
        has_arrived: bool,
        now: Timestamp,
    ) -> Result<Arrival, NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "SELECT notice, channel, state FROM delivery WHERE reference = ?1";
            let known = tx.prepare_cached(sql)?.query_row(params![Sql(*reference)], |row| {
                Ok((row.get::<_, Sql<Hash>>(0)?.0, channel(row, 1)?, row.get::<_, String>(2)?))
            });
            let Some((notice, channel, state)) = known.optional()? else {
                return Ok(Arrival::Unknown);
            };
            // A report of something not handed over yet comes from a try whose answer was lost.
            if !matches!(state.as_str(), "handed" | "trying") {
                return Ok(Arrival::Known);
            }
            let state = if has_arrived { "arrived" } else { "failed" };
            let sql = "UPDATE delivery SET state = ?2, changed = ?3 WHERE reference = ?1";
            tx.prepare_cached(sql)?.execute(params![Sql(*reference), state, Sql(now)])?;
            set_due(tx, &notice, (!has_arrived).then_some(now))?;
            Ok(Arrival::Noted(channel))
        })?)
    }

    /// Under which number a dispatch of a notice on a channel is reported: nobody can make one.
    pub(super) fn reference(&self, notice: &Hash, channel: Channel) -> Hash {
        let bytes = self.sealer.hash("dispatch", &notice.0, channel.name().as_bytes());
        primitives::sha256(&bytes)
    }

    /// How many notices a person was sent on a channel within the last day.
    pub(super) fn sent_today(
        &self,
        person: PersonId,
        channel: Channel,
        now: Timestamp,
    ) -> Result<u32, NoticeError> {
        let since = Sql(Timestamp::from_millis(now.millis().saturating_sub(DAY_MILLIS)));
        Ok(self.database.read(|connection| {
            let sql = "SELECT COUNT(*) FROM notice n JOIN delivery d ON d.notice = n.id
                       WHERE n.person = ?1 AND n.noted > ?2 AND d.channel = ?3
                       AND d.state IN ('handed', 'arrived')";
            let values = params![person.0, since, channel.name()];
            connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))
        })?)
    }

    /// How many notices wait for a next step.
    pub(super) fn waiting(&self) -> Result<u64, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT COUNT(*) FROM notice WHERE due IS NOT NULL";
            connection.prepare_cached(sql)?.query_row([], |row| Ok(row.get::<_, Sql<u64>>(0)?.0))
        })?)
    }
}

/// A notice that was seen, or reached its person, has no next step.
fn set_due(connection: &Connection, notice: &Hash, due: Option<Timestamp>) -> rusqlite::Result<()> {
    let sql = "UPDATE notice SET due = ?2 WHERE id = ?1 AND seen IS NULL AND (?2 IS NULL OR NOT
               EXISTS (SELECT 1 FROM delivery WHERE notice = ?1 AND state = 'arrived'))";
    connection.prepare_cached(sql)?.execute(params![Sql(*notice), due.map(Sql)])?;
    Ok(())
}

fn tried(connection: &Connection, notice: &Hash) -> rusqlite::Result<Vec<Tried>> {
    let sql = "SELECT channel, tries, state, changed FROM delivery WHERE notice = ?1";
    let mut rows = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| {
        let Sql(changed) = row.get::<_, Sql<Timestamp>>(3)?;
        let state = match row.get::<_, String>(2)?.as_str() {
            "handed" => DeliveryState::Handed(changed),
            "arrived" => DeliveryState::Arrived(changed),
            "failed" => DeliveryState::Failed,
            _ => DeliveryState::Trying,
        };
        Ok(Tried { channel: channel(row, 0)?, tries: row.get(1)?, state })
    };
    let mut found: Vec<Tried> =
        rows.query_map(params![Sql(*notice)], read)?.collect::<rusqlite::Result<_>>()?;
    found.sort_by_key(|one| one.channel);
    Ok(found)
}

fn channel(row: &Row<'_>, at: usize) -> rusqlite::Result<Channel> {
    let name: String = row.get(at)?;
    Channel::of_name(&name).ok_or_else(|| malformed("a channel has a name"))
}

fn message(row: &Row<'_>, at: usize) -> rusqlite::Result<Message> {
    let about: String = row.get(at.saturating_add(2))?;
    Ok(Message {
        id: row.get::<_, Sql<Hash>>(at)?.0,
        to: PersonId(row.get(at.saturating_add(1))?),
        about: About::of_name(&about).ok_or_else(|| malformed("a notice is about something"))?,
    })
}

/// Why an entry was not read as it was written: its bytes are of another form.
fn malformed(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, what.into())
}
