//! What is kept of notices: who wants them and where, which there are, and what became of them.
//! Addresses are sealed; a notice is its sort and its times, and goes after 90 days.

use std::collections::BTreeMap;
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
    version: 3,
    tables: &[
        "CREATE TABLE choice (
            person   BLOB PRIMARY KEY,
            language TEXT NOT NULL,
            wechat   INTEGER NOT NULL,
            sms      INTEGER NOT NULL,
            since    INTEGER NOT NULL
        ) STRICT",
        "CREATE TABLE address (
            id      BLOB PRIMARY KEY,
            person  BLOB NOT NULL,
            channel TEXT NOT NULL CHECK (channel IN ('push', 'wechat', 'sms')),
            sealed  BLOB NOT NULL,
            made    INTEGER NOT NULL,
            key     BLOB
        ) STRICT",
        "CREATE INDEX address_person ON address (person, channel, made)",
        "CREATE TABLE code (
            person    BLOB PRIMARY KEY,
            reference BLOB,
            sealed    BLOB,
            expires   INTEGER NOT NULL,
            failures  INTEGER NOT NULL,
            day       INTEGER NOT NULL,
            sent      INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX code_reference ON code (reference) WHERE reference IS NOT NULL",
        "CREATE TABLE notice (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id       BLOB NOT NULL UNIQUE,
            person   BLOB NOT NULL,
            about    TEXT NOT NULL,
            all_ways INTEGER NOT NULL,
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
            handed    INTEGER,
            UNIQUE (notice, channel)
        ) STRICT",
        "CREATE TABLE cursor (
            one  INTEGER PRIMARY KEY CHECK (one = 1),
            next INTEGER NOT NULL
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
    /// Who asked for notices, and from which place of the receipt log on; of everybody else nothing
    /// is noted.
    asked: RwLock<BTreeMap<PersonId, u64>>,
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
    /// It had been noted before, or is of a code, of which nothing is kept.
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
            let mut people = connection.prepare("SELECT person, since FROM choice")?;
            let read = |row: &Row<'_>| Ok((PersonId(row.get(0)?), row.get::<_, Sql<u64>>(1)?.0));
            people.query_map([], read)?.collect()
        })?;
        Ok(Self { database, sealer: Sealer::new(key)?, asked: RwLock::new(asked) })
    }

    /// Whether a person asked for notices. Cheap: it is asked of everybody whom a receipt concerns.
    #[must_use]
    pub fn has_asked(&self, person: PersonId) -> bool {
        self.asked_since(person).is_some()
    }

    /// From which place of the receipt log on a person is told of receipts; `None` for somebody who
    /// did not ask for notices.
    #[must_use]
    pub fn asked_since(&self, person: PersonId) -> Option<u64> {
        self.asked.read().unwrap_or_else(PoisonError::into_inner).get(&person).copied()
    }

    /// Notes what a person wants. Whoever asks for the first time is told of receipts from this
    /// place of the log on.
    ///
    /// # Errors
    /// When the book fails.
    pub fn choose(&self, person: PersonId, choice: &Choice, since: u64) -> Result<(), NoticeError> {
        self.database.write(|tx| {
            let sql = "INSERT INTO choice (person, language, wechat, sms, since)
                       VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (person) DO UPDATE SET language = excluded.language,
                       wechat = excluded.wechat, sms = excluded.sms";
            let Choice { language, wechat, sms } = choice;
            let values = params![person.0, language, wechat, sms, Sql(since)];
            tx.prepare_cached(sql)?.execute(values)
        })?;
        let mut asked = self.asked.write().unwrap_or_else(PoisonError::into_inner);
        asked.entry(person).or_insert(since);
        Ok(())
    }

    /// Forgets everything about a person: wishes, addresses and notices. How many codes were sent
    /// today stays until the day is over, or whoever turns notices off and on again could have
    /// strangers called all day.
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
            for table in ["notice", "choice", "address"] {
                tx.execute(&format!("DELETE FROM {table} WHERE person = ?1"), own)?;
            }
            let sql = "UPDATE code SET sealed = NULL, reference = NULL, expires = 0
                       WHERE person = ?1";
            tx.execute(sql, own)?;
            Ok(())
        })?)
    }

    /// Forgets what is too old: notices after 90 days, phones whose code counts no more, and how
    /// many codes were sent once the day is over.
    ///
    /// # Errors
    /// When the book fails.
    pub fn prune(&self, now: Timestamp) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(now.millis().saturating_sub(KEPT_MILLIS)));
            let sql = "DELETE FROM delivery
                       WHERE notice IN (SELECT id FROM notice WHERE noted < ?1)";
            tx.execute(sql, params![old])?;
            tx.execute("DELETE FROM notice WHERE noted < ?1", params![old])?;
            let today = Sql(now.millis() / DAY_MILLIS);
            let sql = "DELETE FROM code WHERE day < ?1 AND expires <= ?2";
            tx.execute(sql, params![today, Sql(now)])?;
            let sql = "UPDATE code SET sealed = NULL, reference = NULL
                       WHERE expires <= ?1 AND sealed IS NOT NULL";
            tx.execute(sql, params![Sql(now)])?;
            Ok(())
        })?)
    }

    /// The place in the receipt log of the first receipt that was not looked at yet; `None` in a
    /// new book.
    ///
    /// # Errors
    /// When the book fails.
    pub fn next_receipt(&self) -> Result<Option<u64>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT next FROM cursor";
            let next =
                connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
            Ok(next.map(|Sql(next)| next))
        })?)
    }

    /// Keeps the place in the receipt log of the first receipt that was not looked at yet.
    ///
    /// # Errors
    /// When the book fails.
    pub fn set_next_receipt(&self, next: u64) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO cursor (one, next) VALUES (1, ?1)
                       ON CONFLICT (one) DO UPDATE SET next = excluded.next";
            tx.prepare_cached(sql)?.execute(params![Sql(next)])?;
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

    /// Notes a notice that is tried outside the wallet from `due` on. One of a time that comes
    /// shows itself nowhere before. Says whether it is new; of a person who did not ask for notices
    /// nothing is noted.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note(
        &self,
        message: &Message,
        when: Timestamp,
        due: Timestamp,
    ) -> Result<bool, NoticeError> {
        if !self.has_asked(message.to) {
            return Ok(false);
        }
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO notice (id, person, about, all_ways, noted, due)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING";
            let Message { id, to, about, all_ways } = *message;
            let values = params![Sql(id), to.0, about.name(), all_ways, Sql(when), Sql(due)];
            Ok(tx.prepare_cached(sql)?.execute(values)? == 1)
        })?)
    }

    /// Forgets a notice whose time has not come: what it would have told did not happen.
    ///
    /// # Errors
    /// When the book fails.
    pub fn take_back(&self, notice: &Hash, now: Timestamp) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM notice WHERE id = ?1 AND noted > ?2";
            tx.prepare_cached(sql)?.execute(params![Sql(*notice), Sql(now)])?;
            Ok(())
        })?)
    }

    /// Notes that a person saw the notices up to this place in the wallet; but for those that go
    /// all ways, they are not tried any further.
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
            // What lies behind every place of the book is all of it.
            let through = i64::try_from(through).unwrap_or(i64::MAX);
            let sql = "UPDATE notice SET seen = ?3, due = CASE WHEN all_ways THEN due END
                       WHERE person = ?1 AND sequence <= ?2 AND seen IS NULL AND noted <= ?3";
            tx.prepare_cached(sql)?.execute(params![person.0, through, Sql(now)])?;
            Ok(())
        })?)
    }

    /// A person's notices whose time has come, the newest first, at most [`NOTICES_MAX`].
    ///
    /// # Errors
    /// When the book fails.
    pub fn notices_of(&self, person: PersonId, now: Timestamp) -> Result<Vec<Noted>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT sequence, id, person, about, all_ways, noted, seen FROM notice
                       WHERE person = ?1 AND noted <= ?3 ORDER BY sequence DESC LIMIT ?2";
            let mut notices = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| {
                Ok(Noted {
                    sequence: row.get::<_, Sql<u64>>(0)?.0,
                    message: message(row, 1)?,
                    noted: row.get::<_, Sql<Timestamp>>(5)?.0,
                    seen: row.get::<_, Option<Sql<Timestamp>>>(6)?.map(|Sql(when)| when),
                    deliveries: Vec::new(),
                })
            };
            let found = notices.query_map(params![person.0, NOTICES_MAX, Sql(now)], read)?;
            let mut found: Vec<Noted> = found.collect::<rusqlite::Result<_>>()?;
            let Some(first) = found.last().map(|noted| Sql(noted.sequence)) else {
                return Ok(found);
            };
            let sql = "SELECT n.sequence, d.channel, d.tries, d.state, d.changed FROM notice n
                       JOIN delivery d ON d.notice = n.id
                       WHERE n.person = ?1 AND n.sequence >= ?2";
            let mut tries = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| Ok((row.get::<_, Sql<u64>>(0)?.0, tried(row, 1)?));
            for one in tries.query_map(params![person.0, first], read)? {
                let (sequence, Tried { channel, state, .. }) = one?;
                if let Some(noted) = found.iter_mut().find(|noted| noted.sequence == sequence) {
                    noted.deliveries.push(Delivery { channel, state });
                }
            }
            for noted in &mut found {
                noted.deliveries.sort_by_key(|delivery| delivery.channel);
            }
            Ok(found)
        })?)
    }

    /// The notices whose next step is due, the oldest first. One that cannot be read is named and
    /// ended, so that it holds up no other.
    pub(super) fn due(&self, now: Timestamp) -> Result<Vec<Message>, NoticeError> {
        let found: Vec<(i64, rusqlite::Result<Message>)> = self.database.read(|connection| {
            let sql = "SELECT sequence, id, person, about, all_ways FROM notice
                       WHERE due <= ?1 ORDER BY due LIMIT ?2";
            let mut notices = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| Ok((row.get(0)?, message(row, 1)));
            notices.query_map(params![Sql(now), ROUND_MAX], read)?.collect()
        })?;
        let mut due = Vec::with_capacity(found.len());
        for (sequence, message) in found {
            match message {
                Ok(message) => due.push(message),
                Err(error) => {
                    tracing::error!(sequence, %error, "a notice cannot be read and is ended");
                    let sql = "UPDATE notice SET due = NULL WHERE sequence = ?1";
                    self.database.write(|tx| tx.execute(sql, params![sequence]))?;
                }
            }
        }
        Ok(due)
    }

    /// How far a notice is on each channel on which it was tried.
    pub(super) fn tried(&self, notice: &Hash) -> Result<Vec<Tried>, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT channel, tries, state, changed FROM delivery WHERE notice = ?1";
            let mut rows = connection.prepare_cached(sql)?;
            rows.query_map(params![Sql(*notice)], |row| tried(row, 0))?.collect()
        })?)
    }

    /// Takes the next step of a notice: counts a further try on this channel and makes the notice
    /// due again at `later`, in case that nothing comes of it. Says whether it was still to be
    /// taken: what was seen or arrived since the notice was read is not sent any more.
    pub(super) fn claim(
        &self,
        notice: &Hash,
        (channel, tries): (Channel, u32),
        (now, later): (Timestamp, Timestamp),
    ) -> Result<bool, NoticeError> {
        let reference = Sql(self.reference(notice, channel));
        Ok(self.database.write(|tx| {
            let sql = "UPDATE notice SET due = ?3 WHERE id = ?1 AND due <= ?2";
            let values = params![Sql(*notice), Sql(now), Sql(later)];
            if tx.prepare_cached(sql)?.execute(values)? == 0 {
                return Ok(false);
            }
            let sql = "INSERT INTO delivery (reference, notice, channel, tries, state, changed)
                       VALUES (?1, ?2, ?3, ?4, 'trying', ?5)
                       ON CONFLICT (reference) DO UPDATE SET tries = excluded.tries,
                       changed = excluded.changed WHERE state = 'trying'";
            let values = params![reference, Sql(*notice), channel.name(), tries, Sql(now)];
            Ok(tx.prepare_cached(sql)?.execute(values)? == 1)
        })?)
    }

    /// Notes what became of a try, and when the next step is due. What arrived or was seen
    /// meanwhile stays so.
    pub(super) fn settle(
        &self,
        notice: &Hash,
        (channel, was_taken): (Channel, bool),
        (now, due): (Timestamp, Timestamp),
    ) -> Result<(), NoticeError> {
        let reference = Sql(self.reference(notice, channel));
        Ok(self.database.write(|tx| {
            let state = if was_taken { "handed" } else { "failed" };
            let handed = was_taken.then_some(Sql(now));
            let sql = "UPDATE delivery SET handed = COALESCE(?4, handed),
                       changed = CASE state WHEN 'trying' THEN ?3 ELSE changed END,
                       state = CASE state WHEN 'trying' THEN ?2 ELSE state END
                       WHERE reference = ?1";
            tx.prepare_cached(sql)?.execute(params![reference, state, Sql(now), handed])?;
            set_due(tx, notice, due)
        })?)
    }

    /// Puts a notice off whose step went wrong here.
    pub(super) fn put_off(&self, notice: &Hash, due: Timestamp) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| set_due(tx, notice, due))?)
    }

    /// Ends the steps of a notice.
    pub(super) fn end(&self, notice: &Hash) -> Result<(), NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE notice SET due = NULL WHERE id = ?1";
            tx.prepare_cached(sql)?.execute(params![Sql(*notice)])?;
            Ok(())
        })?)
    }

    /// Notes what the peer of a channel or a browser says of a dispatch: what arrived is not tried
    /// any further, unless it goes all ways; what never will goes on at once.
    ///
    /// # Errors
    /// When the book fails.
    pub fn note_report(
        &self,
        (on, reference): (Channel, &Hash),
        has_arrived: bool,
        now: Timestamp,
    ) -> Result<Arrival, NoticeError> {
        Ok(self.database.write(|tx| {
            let (reference, name) = (Sql(*reference), on.name());
            let sql = "SELECT notice, state FROM delivery WHERE reference = ?1 AND channel = ?2";
            let known = tx.prepare_cached(sql)?.query_row(params![reference, name], |row| {
                Ok((row.get::<_, Sql<Hash>>(0)?.0, row.get::<_, String>(1)?))
            });
            let Some((notice, state)) = known.optional()? else {
                let sql = "SELECT 1 FROM code WHERE reference = ?1";
                let is_code = on == Channel::Sms && tx.prepare_cached(sql)?.exists([reference])?;
                return Ok(if is_code { Arrival::Known } else { Arrival::Unknown });
            };
            // A report of something not handed over yet comes from a try whose answer was lost.
            if !matches!(state.as_str(), "handed" | "trying") {
                return Ok(Arrival::Known);
            }
            let state = if has_arrived { "arrived" } else { "failed" };
            let sql = "UPDATE delivery SET state = ?2, changed = ?3,
                       handed = COALESCE(handed, ?3) WHERE reference = ?1";
            tx.prepare_cached(sql)?.execute(params![reference, state, Sql(now)])?;
            if has_arrived {
                let sql = "UPDATE notice SET due = NULL WHERE id = ?1 AND NOT all_ways";
                tx.prepare_cached(sql)?.execute(params![Sql(notice)])?;
            } else {
                set_due(tx, &notice, now)?;
            }
            Ok(Arrival::Noted(on))
        })?)
    }

    /// Under which number a dispatch of a notice on a channel is reported: nobody can make one.
    pub(super) fn reference(&self, notice: &Hash, channel: Channel) -> Hash {
        let bytes = self.sealer.hash("dispatch", &notice.0, channel.name().as_bytes());
        primitives::sha256(&bytes)
    }

    /// How many notices a channel took for a person within the last day, whatever became of them:
    /// they are paid for. What it refused is not.
    pub(super) fn sent_today(
        &self,
        person: PersonId,
        channel: Channel,
        now: Timestamp,
    ) -> Result<u32, NoticeError> {
        let since = Sql(Timestamp::from_millis(now.millis().saturating_sub(DAY_MILLIS)));
        Ok(self.database.read(|connection| {
            let sql = "SELECT COUNT(*) FROM notice n JOIN delivery d ON d.notice = n.id
                       WHERE n.person = ?1 AND d.handed > ?2 AND d.channel = ?3";
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

/// A notice that was seen, or reached its person, has no next step unless it goes all ways.
fn set_due(connection: &Connection, notice: &Hash, due: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE notice SET due = ?2 WHERE id = ?1 AND (all_ways OR (seen IS NULL AND NOT
               EXISTS (SELECT 1 FROM delivery WHERE notice = ?1 AND state = 'arrived')))";
    connection.prepare_cached(sql)?.execute(params![Sql(*notice), Sql(due)])?;
    Ok(())
}

/// How far a notice is on a channel: channel, tries, state and instant from this column on.
fn tried(row: &Row<'_>, at: usize) -> rusqlite::Result<Tried> {
    let Sql(changed) = row.get::<_, Sql<Timestamp>>(at.saturating_add(3))?;
    let state = match row.get::<_, String>(at.saturating_add(2))?.as_str() {
        "handed" => DeliveryState::Handed(changed),
        "arrived" => DeliveryState::Arrived(changed),
        "failed" => DeliveryState::Failed,
        _ => DeliveryState::Trying,
    };
    Ok(Tried { channel: channel(row, at)?, tries: row.get(at.saturating_add(1))?, state })
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
        all_ways: row.get(at.saturating_add(3))?,
    })
}

/// Why an entry was not read as it was written: its bytes are of another form.
fn malformed(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, what.into())
}
