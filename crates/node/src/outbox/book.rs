//! What the outbox keeps of its own: authorisations, effects, and which word each one has.

use std::collections::BTreeSet;

use adapters::effect::{Effect as RailEffect, RailName};
use adapters::rail::{Reference, Token};
use adapters::sqlite::{Database, Json, Place, Schema, Sql, StoreError};
use ledger::Effect;
use ledger::kernel::effect::EffectAction;
use primitives::{Hash, Timestamp, codec, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::plan::Collected;
use super::{Authorisation, Word};

const SCHEMA: Schema = Schema {
    name: "book of effects",
    application_id: 0x7962_6562,
    version: 3,
    tables: &[
        "CREATE TABLE follower (
            only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
            next_receipt INTEGER NOT NULL,
            secret       BLOB NOT NULL
        ) STRICT",
        "CREATE TABLE authorisation (
            commitment   BLOB PRIMARY KEY,
            value        TEXT NOT NULL
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE effect (
            sequence     INTEGER PRIMARY KEY,
            reference    BLOB NOT NULL UNIQUE,
            effect       TEXT NOT NULL,
            stage        TEXT NOT NULL
                CHECK (stage IN ('open', 'ordered', 'final', 'told', 'dropped')),
            next_look_at INTEGER NOT NULL,
            reason       TEXT,
            till         TEXT,
            refusals     INTEGER NOT NULL DEFAULT 0,
            main_order   BLOB,
            word         BLOB,
            valid_until  INTEGER,
            CHECK ((stage IN ('final', 'told')) = (word IS NOT NULL))
        ) STRICT",
        "CREATE INDEX effect_by_stage ON effect (stage, next_look_at) 
            WHERE stage IN ('open', 'ordered', 'final')",
        "CREATE TABLE rail_order (
            reference    BLOB PRIMARY KEY,
            effect       BLOB NOT NULL REFERENCES effect (reference),
            is_main      INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE owed_change (
            reference    BLOB PRIMARY KEY REFERENCES effect (reference),
            refused      TEXT NOT NULL,
            tries        INTEGER NOT NULL,
            till         TEXT
        ) STRICT, WITHOUT ROWID",
    ],
};

/// What can go wrong with the book.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The database failed or is another file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such effect, or it is not one that waits for a clerk.
    #[error("no effect `{0}` waits for a clerk here")]
    NotWaiting(Hash),
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// The book of one organisation. Every call that returns `Ok` is durable.
pub struct Book {
    pub(super) database: Database,
    secret: Hash,
}

/// Why an effect is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenReason {
    /// It will be looked at next.
    New,
    /// A clerk has to hand the money out.
    Clerk,
    /// It cannot be driven, or the ledger refuses its word; the words are for an operator.
    Stuck(String),
}

/// An effect that no rail has been told yet, or whose word the ledger refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEffect {
    /// Its reference on the ledger.
    pub reference: Hash,
    /// The effect.
    pub effect: Effect,
    /// Why it is open.
    pub reason: OpenReason,
    /// The till that a clerk named.
    pub till: Option<Token>,
}

/// An effect whose word the ledger has not confirmed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FinalEffect {
    pub(crate) reference: Hash,
    pub(crate) word: Word,
    pub(crate) rail_reference: Hash,
    pub(crate) valid_until: Timestamp,
}

/// The orders that an effect becomes.
pub(crate) struct Planned {
    pub(crate) effect: Hash,
    pub(crate) main: RailEffect,
    pub(crate) change: Option<Box<RailEffect>>,
}

/// How often a refund may have been tried again. Our own limit.
const REFUND_TRIES_MAX: usize = 64;

/// When to tell the ledger a word again that it refused, in milliseconds; doubled with every
/// further refusal.
const REFUSED_MILLISECONDS_MIN: u64 = 5_000;
/// The longest pause between two attempts, in milliseconds: an hour.
const REFUSED_MILLISECONDS_MAX: u64 = 3_600_000;
/// How often the pause is doubled at the most.
const REFUSED_DOUBLINGS_MAX: u32 = 16;

/// What stands in the reason of an effect that waits for a clerk.
const CLERK: &str = "clerk";

impl Book {
    /// Opens the book, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place) -> Result<Self, BookError> {
        let database = Database::open(place, &SCHEMA)?;
        let mut fresh = [0_u8; 32];
        getrandom::fill(&mut fresh).map_err(BookError::Randomness)?;
        let secret = database.write(|tx| {
            tx.execute("INSERT OR IGNORE INTO follower VALUES (1, 0, ?1)", [Sql(Hash(fresh))])?;
            tx.query_row("SELECT secret FROM follower", [], |row| row.get::<_, Sql<Hash>>(0))
        })?;
        Ok(Self { database, secret: secret.0 })
    }

    /// Keeps what a rail answered; gives the commitment that goes into the settlement. Twice the
    /// same is no error.
    ///
    /// # Errors
    /// When the store fails.
    pub fn record_authorisation(&self, authorisation: &Authorisation) -> Result<Hash, BookError> {
        let commitment = authorisation.commitment();
        self.database.write(|tx| {
            tx.execute(
                "INSERT OR IGNORE INTO authorisation VALUES (?1, ?2)",
                params![Sql(commitment), Json(authorisation)],
            )?;
            // What could not be driven for want of it is looked at again.
            tx.execute("UPDATE effect SET next_look_at = 0 WHERE stage = 'open'", [])
        })?;
        Ok(commitment)
    }

    /// The rails that were told something.
    ///
    /// # Errors
    /// When the store fails.
    pub fn rails(&self) -> Result<BTreeSet<String>, BookError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare(
                    "SELECT DISTINCT effect ->> '$.rail' FROM effect
                     WHERE stage IN ('ordered', 'final', 'told')",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
        })?)
    }

    /// The record behind a commitment.
    ///
    /// # Errors
    /// When the store fails.
    pub fn authorisation(&self, commitment: &Hash) -> Result<Option<Authorisation>, BookError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM authorisation WHERE commitment = ?1")?
                .query_row([Sql(*commitment)], |row| row.get::<_, Json<Authorisation>>(0))
                .optional()
        })?;
        Ok(found.map(|json| json.0))
    }

    /// Effects that no rail was told, oldest first: new ones, those that wait for a clerk, and
    /// those that a person must look at, among them those whose word the ledger refuses; and as a
    /// refund of the collection the change that a rail refused to give back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open_effects(&self, limit: u32) -> Result<Vec<OpenEffect>, BookError> {
        Ok(self.database.read(|connection| {
            let open = connection
                .prepare_cached(
                    "SELECT reference, effect, reason, till FROM effect
                     WHERE stage = 'open' OR (stage = 'final' AND reason IS NOT NULL)
                     ORDER BY sequence LIMIT ?1",
                )?
                .query_map([limit], open_of)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let left = limit.saturating_sub(u32::try_from(open.len()).unwrap_or(u32::MAX));
            Ok([open, super::change::list_owed(connection, left)?].concat())
        })?)
    }

    /// How many effects the ledger still waits for, or whose change is owed; how many of them wait
    /// for a clerk, and how many for another person.
    pub(crate) fn counts(&self) -> Result<(u64, u64, u64), BookError> {
        Ok(self.database.read(|connection| {
            connection.query_row(
                "SELECT count(*), count(*) FILTER (WHERE reason = 'clerk'),
                 count(*) FILTER (WHERE reason <> 'clerk')
                 FROM (SELECT reason FROM effect WHERE stage IN ('open', 'ordered', 'final')
                       UNION ALL SELECT iif(till IS NULL, 'clerk', NULL) FROM owed_change)",
                [],
                |row| {
                    let count = |column| row.get::<_, Sql<u64>>(column).map(|count| count.0);
                    Ok((count(0)?, count(1)?, count(2)?))
                },
            )
        })?)
    }

    /// Words that the ledger refused are told again at once: the operator may have changed
    /// something.
    pub(crate) fn tell_again(&self) -> Result<(), BookError> {
        self.database.write(|tx| {
            tx.execute("UPDATE effect SET next_look_at = 0 WHERE stage = 'final'", [])
        })?;
        Ok(())
    }

    /// A clerk hands the money of this effect out of his till.
    ///
    /// # Errors
    /// [`BookError::NotWaiting`], or a failing store.
    pub fn hand_out(&self, effect: &Hash, till: &Token) -> Result<(), BookError> {
        let changed = self.database.write(|tx| {
            let changed = tx.execute(
                "UPDATE effect SET till = ?2, next_look_at = 0, reason = NULL
                 WHERE reference = ?1 AND stage = 'open' AND reason = 'clerk'",
                params![Sql(*effect), till.as_str()],
            )? + tx.execute(
                "UPDATE owed_change SET till = ?2 WHERE reference = ?1 AND till IS NULL",
                params![Sql(*effect), till.as_str()],
            )?;
            Ok(changed)
        })?;
        if changed == 1 { Ok(()) } else { Err(BookError::NotWaiting(*effect)) }
    }

    /// 16 bytes that stand for this effect and that nobody else can guess.
    pub(crate) fn idempotency_key(&self, effect: &Hash) -> [u8; 16] {
        let tag: &[u8] = b"yibao/confirmation-key/v1";
        let hash = sha256_parts(&[tag, self.secret.as_bytes(), effect.as_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&hash.0[..16]);
        key
    }

    /// The commitment to the rail's own number of what it did for this effect.
    pub(crate) fn rail_reference(&self, effect: &Hash, rail_reference: &str) -> Hash {
        let tag: &[u8] = b"yibao/rail-reference-salt/v1";
        let salt = sha256_parts(&[tag, self.secret.as_bytes(), effect.as_bytes()]);
        let tag: &[u8] = b"yibao/rail-reference/v1";
        sha256_parts(&[tag, salt.as_bytes(), rail_reference.as_bytes()])
    }

    /// The first receipt that was not looked at yet.
    pub(crate) fn next_receipt(&self) -> Result<u64, BookError> {
        let next = self.database.read(|connection| {
            connection
                .query_row("SELECT next_receipt FROM follower", [], |row| row.get::<_, Sql<u64>>(0))
        })?;
        Ok(next.0)
    }

    /// Takes effects in, and notes up to where receipts were looked at.
    pub(crate) fn take(
        &self,
        effects: &[(Hash, Effect)],
        next_receipt: u64,
    ) -> Result<(), BookError> {
        self.database.write(|tx| {
            for (reference, effect) in effects {
                // One that is there was ordered before blocks were lost, and is ordered again.
                tx.prepare_cached(
                    "INSERT INTO effect (reference, effect, stage, next_look_at)
                     VALUES (?1, ?2, 'open', 0) ON CONFLICT (reference) DO UPDATE SET
                     stage = CASE stage WHEN 'told' THEN 'final' WHEN 'dropped' THEN 'open'
                             ELSE stage END, next_look_at = 0, refusals = 0",
                )?
                .execute(params![Sql(*reference), Json(effect)])?;
            }
            tx.execute("UPDATE follower SET next_receipt = ?1", [Sql(next_receipt)])
        })?;
        Ok(())
    }

    /// Receipts from this one on are gone, and with them words that the ledger was told: what it
    /// waits for is told or driven again, under the same references, and receipts that come in
    /// their place are looked at.
    pub(crate) fn rewind(&self, next_receipt: u64) -> Result<(), BookError> {
        self.database.write(|tx| {
            tx.execute(
                "UPDATE effect SET stage = iif(stage = 'told', 'final', 'open'), next_look_at = 0,
                 refusals = 0 WHERE stage IN ('told', 'dropped')",
                [],
            )?;
            tx.execute("UPDATE follower SET next_receipt = ?1", [Sql(next_receipt)])
        })?;
        Ok(())
    }

    /// Open effects that are due, oldest first.
    pub(crate) fn list_open(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OpenEffect>, BookError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached(
                    // An index in parts is used where its own condition is repeated; else every
                    // look goes past all effects that ever were.
                    "SELECT reference, effect, reason, till FROM effect INDEXED BY effect_by_stage
                     WHERE stage = 'open' AND stage IN ('open', 'ordered', 'final')
                     AND next_look_at <= ?1 ORDER BY sequence LIMIT ?2",
                )?
                .query_map(params![Sql(now), limit], open_of)?
                .collect()
        })?)
    }

    /// What the money of this effect was collected with, if that was ordered here. A refund that is
    /// tried again names the refund before it, which names the collection.
    pub(crate) fn collected(&self, effect: &Hash) -> Result<Option<Collected>, BookError> {
        let mut reference = *effect;
        for _ in 0..REFUND_TRIES_MAX {
            let found = self.database.read(|connection| {
                connection
                    .prepare_cached("SELECT effect, main_order FROM effect WHERE reference = ?1")?
                    .query_row([Sql(reference)], |row| {
                        let order = row.get::<_, Option<Sql<Hash>>>(1)?;
                        Ok((row.get::<_, Json<Effect>>(0)?.0, order.map(|order| order.0)))
                    })
                    .optional()
            })?;
            let Some((effect, order)) = found else { return Ok(None) };
            match (effect.action, effect.original) {
                (EffectAction::Refund, Some(original)) => reference = original,
                _ => {
                    let rail = RailName::new(&effect.rail).ok();
                    let order = order.map(Reference);
                    return Ok(rail
                        .zip(order)
                        .map(|(rail, reference)| Collected { rail, reference }));
                }
            }
        }
        Ok(None)
    }

    /// Notes that the ledger no longer waits for these effects, before any rail was told.
    pub(crate) fn drop_effects(&self, effects: &[Hash]) -> Result<(), BookError> {
        self.each(effects, |tx, effect| {
            tx.prepare_cached(
                "UPDATE effect SET stage = 'dropped' WHERE reference = ?1 AND stage = 'open'",
            )?
            .execute([Sql(*effect)])
        })
    }

    /// Notes which orders effects become, before the rails are told. One answer per effect: `false`
    /// when an order stands for another effect already; then nothing is noted for it.
    pub(crate) fn note_orders(&self, planned: &[Planned]) -> Result<Vec<bool>, BookError> {
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.database.write(|tx| planned.iter().map(|one| note_orders(tx, one)).collect())?)
    }

    /// Notes that the rails were told these effects: the outbox has them from here on.
    pub(crate) fn note_ordered(&self, effects: &[Hash]) -> Result<(), BookError> {
        self.each(effects, |tx, effect| {
            tx.prepare_cached(
                "UPDATE effect SET stage = 'ordered', reason = NULL
                 WHERE reference = ?1 AND stage = 'open'",
            )?
            .execute([Sql(*effect)])
        })
    }

    /// Notes why effects stay open and when to look at them again.
    pub(crate) fn note_open(
        &self,
        effects: &[(Hash, OpenReason)],
        next_look_at: Timestamp,
    ) -> Result<(), BookError> {
        self.each(effects, |tx, (effect, reason)| {
            let words = match reason {
                OpenReason::New => None,
                OpenReason::Clerk => Some(CLERK),
                OpenReason::Stuck(words) => Some(words.as_str()),
            };
            tx.prepare_cached(
                "UPDATE effect SET reason = ?2, next_look_at = ?3
                 WHERE reference = ?1 AND stage = 'open'",
            )?
            .execute(params![Sql(*effect), words, Sql(next_look_at)])
        })
    }

    /// The effect that an order to a rail belongs to, and whether its word is the effect's.
    pub(crate) fn effect_of(&self, order: &Reference) -> Result<Option<(Hash, bool)>, BookError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached("SELECT effect, is_main FROM rail_order WHERE reference = ?1")?
                .query_row([Sql(order.0)], |row| Ok((row.get::<_, Sql<Hash>>(0)?.0, row.get(1)?)))
                .optional()
        })?)
    }

    /// The effect of this reference, as the ledger ordered it.
    pub(crate) fn effect(&self, reference: &Hash) -> Result<Option<Effect>, BookError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT effect FROM effect WHERE reference = ?1")?
                .query_row([Sql(*reference)], |row| row.get::<_, Json<Effect>>(0))
                .optional()
        })?;
        Ok(found.map(|json| json.0))
    }

    /// Notes final words. A word that was noted before stays.
    pub(crate) fn note_words(&self, words: &[FinalEffect]) -> Result<(), BookError> {
        self.each(words, |tx, one| {
            tx.prepare_cached(
                "UPDATE effect SET stage = 'final', word = ?2, valid_until = ?3, next_look_at = 0,
                 reason = NULL WHERE reference = ?1 AND stage IN ('open', 'ordered')",
            )?
            .execute(params![
                Sql(one.reference),
                codec::encode(&(one.word, one.rail_reference)),
                Sql(one.valid_until)
            ])
        })
    }

    /// Effects with a word that the ledger has not confirmed, oldest first.
    pub(crate) fn list_final(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<FinalEffect>, BookError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT reference, word, valid_until FROM effect INDEXED BY effect_by_stage
                     WHERE stage = 'final' AND stage IN ('open', 'ordered', 'final')
                     AND next_look_at <= ?1 ORDER BY sequence LIMIT ?2",
                )?
                .query_map(params![Sql(now), limit], final_of)?
                .collect()
        })?)
    }

    /// Notes until when confirmations are valid and when to tell again.
    pub(crate) fn note_tries(
        &self,
        tries: &[(Hash, Timestamp)],
        next_look_at: Timestamp,
    ) -> Result<(), BookError> {
        self.each(tries, |tx, (effect, valid_until)| {
            tx.prepare_cached(
                "UPDATE effect SET valid_until = ?2, next_look_at = ?3
                 WHERE reference = ?1 AND stage = 'final'",
            )?
            .execute(params![Sql(*effect), Sql(*valid_until), Sql(next_look_at)])
        })
    }

    /// Notes why the ledger refuses words, and when to tell them again: later each time.
    pub(crate) fn note_refused(
        &self,
        effects: &[(Hash, String)],
        now: Timestamp,
    ) -> Result<(), BookError> {
        self.each(effects, |tx, (effect, words)| {
            tx.prepare_cached(
                "UPDATE effect SET reason = ?2, refusals = refusals + 1,
                 next_look_at = ?3 + min(?4 << min(refusals, ?5), ?6)
                 WHERE reference = ?1 AND stage = 'final'",
            )?
            .execute(params![
                Sql(*effect),
                words,
                Sql(now),
                Sql(REFUSED_MILLISECONDS_MIN),
                REFUSED_DOUBLINGS_MAX,
                Sql(REFUSED_MILLISECONDS_MAX)
            ])
        })
    }

    /// Notes that the ledger has the words.
    pub(crate) fn note_told(&self, effects: &[Hash]) -> Result<(), BookError> {
        self.each(effects, |tx, effect| {
            tx.prepare_cached(
                "UPDATE effect SET stage = 'told', reason = NULL
                 WHERE reference = ?1 AND stage = 'final'",
            )?
            .execute([Sql(*effect)])
        })
    }

    pub(super) fn each<T>(
        &self,
        items: &[T],
        write: impl Fn(&Transaction<'_>, &T) -> rusqlite::Result<usize>,
    ) -> Result<(), BookError> {
        if items.is_empty() {
            return Ok(());
        }
        self.database.write(|tx| items.iter().try_for_each(|item| write(tx, item).map(|_| ())))?;
        Ok(())
    }
}

fn note_orders(tx: &Transaction<'_>, planned: &Planned) -> rusqlite::Result<bool> {
    let main = (planned.main.order.reference.0, true);
    let change = planned.change.as_ref().map(|order| (order.order.reference.0, false));
    let orders: Vec<(Hash, bool)> = std::iter::once(main).chain(change).collect();
    for (reference, _) in &orders {
        if owner_of(tx, reference)?.is_some_and(|owner| owner != planned.effect) {
            return Ok(false);
        }
    }
    for (reference, is_main) in orders {
        tx.prepare_cached("INSERT OR IGNORE INTO rail_order VALUES (?1, ?2, ?3)")?
            .execute(params![Sql(reference), Sql(planned.effect), is_main])?;
    }
    tx.prepare_cached("UPDATE effect SET main_order = ?2 WHERE reference = ?1")?
        .execute(params![Sql(planned.effect), Sql(main.0)])?;
    Ok(true)
}

fn owner_of(connection: &Connection, order: &Hash) -> rusqlite::Result<Option<Hash>> {
    connection
        .prepare_cached("SELECT effect FROM rail_order WHERE reference = ?1")?
        .query_row([Sql(*order)], |row| row.get::<_, Sql<Hash>>(0))
        .optional()
        .map(|found| found.map(|effect| effect.0))
}

fn open_of(row: &Row<'_>) -> rusqlite::Result<OpenEffect> {
    let reason: Option<String> = row.get(2)?;
    let till: Option<String> = row.get(3)?;
    Ok(OpenEffect {
        reference: row.get::<_, Sql<Hash>>(0)?.0,
        effect: row.get::<_, Json<Effect>>(1)?.0,
        reason: match reason {
            None => OpenReason::New,
            Some(words) if words == CLERK => OpenReason::Clerk,
            Some(words) => OpenReason::Stuck(words),
        },
        till: till.and_then(|token| token.parse().ok()),
    })
}

fn final_of(row: &Row<'_>) -> rusqlite::Result<FinalEffect> {
    let bytes: Vec<u8> = row.get(1)?;
    let (word, rail_reference) = codec::decode(&bytes).map_err(|error| {
        let words = error.to_string().into();
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Blob, words)
    })?;
    Ok(FinalEffect {
        reference: row.get::<_, Sql<Hash>>(0)?.0,
        word,
        rail_reference,
        valid_until: row.get::<_, Sql<Timestamp>>(2)?.0,
    })
}
