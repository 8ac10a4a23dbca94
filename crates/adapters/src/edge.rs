//! The book of a hospital's edge (`yibao edge`): messages with their answers, what was learnt of
//! persons and visits, and what was taken while the line to the platform was cut. Everything but
//! the names of its rows is sealed.
//!
//! Invariant: what one message changes is one [`Change`], durable as a whole or not at all, so that
//! after a crash at any point a message was either answered, with all that follows from it, or
//! never came (tests in this file).

use primitives::{Hash, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use crate::directory::seal::Sealer;
use crate::directory::{DirectoryError, DirectoryKey};
use crate::messages::{self, Begun, ENTRIES};
use crate::sqlite::{Database, Place, Schema, Sql};

const SCHEMA: Schema = Schema {
    name: "edge's book",
    application_id: 0x7962_6567,
    version: 1,
    tables: &[
        "CREATE TABLE message (
            msgid    TEXT PRIMARY KEY,
            digest   BLOB NOT NULL,
            received INTEGER NOT NULL,
            answer   BLOB
        ) STRICT",
        ENTRIES,
        "CREATE TABLE taken (
            seq       INTEGER PRIMARY KEY,
            msgid     TEXT NOT NULL UNIQUE,
            person    TEXT NOT NULL,
            standing  INTEGER NOT NULL,
            is_bill   INTEGER NOT NULL,
            sealed    BLOB NOT NULL,
            link      BLOB NOT NULL,
            signature BLOB NOT NULL
        ) STRICT",
        "CREATE INDEX taken_by_standing ON taken (standing, seq)",
    ],
};

const ANSWER: &str = "edge-answer";
const TAKEN: &str = "edge-taken";

/// Where something that was taken stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the line.
    Waiting,
    /// The platform carried it out.
    Done,
    /// The platform refused it, and somebody has to look.
    Conflict,
    /// It was refused, and the hospital dealt with it since.
    Mended,
}

impl Standing {
    const fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Done => 1,
            Self::Conflict => 2,
            Self::Mended => 3,
        }
    }

    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Waiting,
            1 => Self::Done,
            2 => Self::Conflict,
            _ => Self::Mended,
        }
    }
}

/// Something that was taken without the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its place in the order in which it was taken, from 1.
    pub seq: i64,
    /// The number of the message.
    pub msgid: String,
    /// Whose it is, by the number under which the hospital knows the person; empty for nobody's.
    pub person: String,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it is a bill that is to be settled.
    pub is_bill: bool,
    /// What it says.
    pub content: Vec<u8>,
    /// The hash of the chain with this at its end.
    pub link: Hash,
    /// The hospital's signature over it.
    pub signature: [u8; 64],
}

/// What one message changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Entries by kind and name.
    pub entries: Vec<(&'static str, String, Vec<u8>)>,
    /// A message and its answer.
    pub answer: Option<(String, Vec<u8>)>,
    /// What is taken.
    pub taken: Option<Taken>,
    /// What was taken, and stands elsewhere now.
    pub moved: Vec<(i64, Standing)>,
    /// Entries that are over, by kind and name; what is entered by the same change stays.
    pub removed: Vec<(&'static str, String)>,
}

impl Change {
    /// Enters something under its kind and name.
    pub fn put(&mut self, kind: &'static str, id: &str, bytes: Vec<u8>) {
        self.entries.push((kind, id.to_owned(), bytes));
    }
}

/// The book of one hospital's edge.
pub struct EdgeBook {
    database: Database,
    sealer: Sealer,
}

impl EdgeBook {
    /// Opens the book, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place, key: &DirectoryKey) -> Result<Self, DirectoryError> {
        Ok(Self { database: Database::open(place, &SCHEMA)?, sealer: Sealer::new(key)? })
    }

    /// Notes a message that comes in, or says what became of it.
    ///
    /// # Errors
    /// When the book fails.
    pub fn begin(
        &self,
        msgid: &str,
        digest: &Hash,
        now: Timestamp,
    ) -> Result<Begun, DirectoryError> {
        let known = self.database.write_together(|tx| messages::note(tx, msgid, (digest, now)))?;
        messages::begun(&self.sealer, ANSWER, (msgid, digest), known)
    }

    /// Makes a change durable, all of it or nothing. An answer that is there stays.
    ///
    /// # Errors
    /// When the book fails.
    pub fn apply(&self, change: &Change) -> Result<(), DirectoryError> {
        let sealed =
            |kind: &str, id: &str, bytes: &[u8]| self.sealer.seal(kind, id.as_bytes(), bytes);
        let mut entries = Vec::with_capacity(change.entries.len());
        for (kind, id, bytes) in &change.entries {
            entries.push((*kind, id.as_str(), sealed(kind, id, bytes)?));
        }
        let answer = match &change.answer {
            Some((id, bytes)) => Some((id, sealed(ANSWER, id, bytes)?)),
            None => None,
        };
        let taken = match &change.taken {
            Some(one) => Some((one, sealed(TAKEN, &one.msgid, &one.content)?)),
            None => None,
        };
        self.database.write_together(|tx| {
            for (kind, id) in &change.removed {
                messages::remove(tx, (kind, id))?;
            }
            for (kind, id, bytes) in &entries {
                messages::put(tx, (kind, id), bytes)?;
            }
            if let Some((one, bytes)) = &taken {
                let sql = "INSERT INTO taken
                           (seq, msgid, person, standing, is_bill, sealed, link, signature)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
                tx.prepare_cached(sql)?.execute(params![
                    one.seq,
                    one.msgid,
                    one.person,
                    one.standing.number(),
                    one.is_bill,
                    bytes,
                    Sql(one.link),
                    one.signature.as_slice()
                ])?;
            }
            for (seq, standing) in &change.moved {
                let sql = "UPDATE taken SET standing = ?2 WHERE seq = ?1";
                tx.prepare_cached(sql)?.execute([*seq, standing.number()])?;
            }
            if let Some((msgid, bytes)) = &answer {
                messages::keep_answer(tx, msgid, bytes)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// What was entered under a kind and name.
    ///
    /// # Errors
    /// When the book fails.
    pub fn get(&self, kind: &str, id: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        messages::get(&self.database, &self.sealer, (kind, id))
    }

    /// The first so many entries of a kind behind this name, by their names.
    ///
    /// # Errors
    /// When the book fails.
    pub fn entries(
        &self,
        kind: &str,
        (after, most): (&str, u32),
    ) -> Result<Vec<(String, Vec<u8>)>, DirectoryError> {
        messages::entries(&self.database, &self.sealer, (kind, after, most))
    }

    /// How many entries of a kind there are.
    ///
    /// # Errors
    /// When the book fails.
    pub fn count_entries(&self, kind: &str) -> Result<u64, DirectoryError> {
        let sql = "SELECT count(*) FROM entry WHERE kind = ?1";
        let count = self.database.read(|one| {
            one.prepare_cached(sql)?.query_row([kind], |row| Ok(row.get::<_, Sql<u64>>(0)?.0))
        })?;
        Ok(count)
    }

    /// The first so many after this place that stand so, in the order in which they were taken.
    ///
    /// # Errors
    /// When the book fails.
    pub fn standing(
        &self,
        standing: Standing,
        (after, most): (i64, u32),
    ) -> Result<Vec<Taken>, DirectoryError> {
        let condition = "WHERE standing = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        self.rows(condition, (standing.number(), after, most.into()))
    }

    /// The first so many after this place, in the order in which they were taken.
    ///
    /// # Errors
    /// When the book fails.
    pub fn taken(&self, (after, most): (i64, u32)) -> Result<Vec<Taken>, DirectoryError> {
        self.rows("WHERE seq >= ?1 AND seq > ?2 ORDER BY seq LIMIT ?3", (0, after, most.into()))
    }

    fn rows(&self, condition: &str, values: (i64, i64, i64)) -> Result<Vec<Taken>, DirectoryError> {
        let sql = format!(
            "SELECT seq, msgid, person, standing, is_bill, sealed, link, signature FROM taken {condition}"
        );
        let mut rows = self.database.read(|one| {
            let mut query = one.prepare_cached(&sql)?;
            let rows = query.query_map(params![values.0, values.1, values.2], |row| {
                Ok(Taken {
                    seq: row.get(0)?,
                    msgid: row.get(1)?,
                    person: row.get(2)?,
                    standing: Standing::of(row.get(3)?),
                    is_bill: row.get(4)?,
                    content: row.get(5)?,
                    link: row.get::<_, Sql<Hash>>(6)?.0,
                    signature: row.get(7)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        for row in &mut rows {
            row.content = self.sealer.open(TAKEN, row.msgid.as_bytes(), &row.content)?;
        }
        Ok(rows)
    }

    /// How many stand so, and how many of them are bills.
    ///
    /// # Errors
    /// When the book fails.
    pub fn count(&self, standing: Standing) -> Result<(u64, u64), DirectoryError> {
        let sql = "SELECT count(*), coalesce(sum(is_bill), 0) FROM taken WHERE standing = ?1";
        let counts = self.database.read(|one| {
            one.prepare_cached(sql)?.query_row([standing.number()], |row| {
                Ok((row.get::<_, Sql<u64>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
            })
        })?;
        Ok(counts)
    }

    /// Whether something of this person waits; with nobody named, of anybody.
    ///
    /// # Errors
    /// When the book fails.
    pub fn has_waiting(&self, person: Option<&str>) -> Result<bool, DirectoryError> {
        let sql = "SELECT 1 FROM taken WHERE standing = 0 AND (?1 IS NULL OR person = ?1)";
        Ok(self.database.read(|one| one.prepare_cached(sql)?.exists([person]))?)
    }

    /// The place and the hash of the chain's end; zeros before the first.
    ///
    /// # Errors
    /// When the book fails.
    pub fn end(&self) -> Result<(i64, Hash), DirectoryError> {
        let sql = "SELECT seq, link FROM taken ORDER BY seq DESC LIMIT 1";
        let end = self.database.read(|one| {
            one.prepare_cached(sql)?
                .query_row([], |row| Ok((row.get(0)?, row.get::<_, Sql<Hash>>(1)?.0)))
                .optional()
        })?;
        Ok(end.unwrap_or_default())
    }

    /// A name that only this hospital gives to something: nobody without its key computes it.
    #[must_use]
    pub fn name(&self, kind: &str, of: &[u8]) -> String {
        let hash = self.sealer.hash(kind, &[], of);
        hash.iter().take(15).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(place: &Place) -> EdgeBook {
        EdgeBook::open(place, &DirectoryKey([7; 32])).unwrap()
    }

    fn taken(seq: i64, msgid: &str) -> Taken {
        Taken {
            seq,
            msgid: msgid.to_owned(),
            person: "p1".to_owned(),
            standing: Standing::Waiting,
            is_bill: true,
            content: b"somebody's bill".to_vec(),
            link: Hash([3; 32]),
            signature: [4; 64],
        }
    }

    #[test]
    fn a_change_is_there_as_a_whole_or_not_at_all_and_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sqlite");
        let place = Place::File(path.clone());
        let (one, now) = (Hash([1; 32]), Timestamp::from_millis(1));
        let book = open(&place);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::New);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::Open, "not answered yet");
        let mut change = Change { taken: Some(taken(1, "m1")), ..Change::default() };
        change.answer = Some(("m1".to_owned(), b"first".to_vec()));
        change.put("visit", "v1", b"somebody's visit".to_vec());
        book.apply(&change).unwrap();
        // The same place in the order again: nothing of it is kept.
        let mut twice = Change { taken: Some(taken(1, "m2")), ..Change::default() };
        twice.put("visit", "v1", b"another".to_vec());
        assert!(book.apply(&twice).is_err());
        drop(book);
        let book = open(&place);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::Answered(b"first".to_vec()));
        assert_eq!(book.begin("m1", &Hash([2; 32]), now).unwrap(), Begun::Differs);
        assert_eq!(book.get("visit", "v1").unwrap().unwrap(), b"somebody's visit");
        assert_eq!(book.standing(Standing::Waiting, (0, 9)).unwrap(), [taken(1, "m1")]);
        assert_eq!(book.standing(Standing::Waiting, (1, 9)).unwrap(), []);
        assert_eq!(book.taken((0, 9)).unwrap().len(), 1);
        assert_eq!(book.end().unwrap(), (1, Hash([3; 32])));
        assert!(book.has_waiting(Some("p1")).unwrap() && !book.has_waiting(Some("p2")).unwrap());
        let moved = Change { moved: vec![(1, Standing::Done)], ..Change::default() };
        book.apply(&moved).unwrap();
        assert!(!book.has_waiting(None).unwrap());
        assert_eq!(book.count(Standing::Done).unwrap(), (1, 1));
        drop(book);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(8).any(|part| part == b"somebody"));
        }
    }
}
