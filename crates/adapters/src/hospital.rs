//! The book of a hospital that speaks the national interface: messages with their answers, and what
//! lives between a registration and its settlement. Everything but the names of its rows is sealed.
//!
//! Workplaces write at once, and share what makes their writes durable. A message waits for the
//! disk twice at the most: before something goes to the ledger, and before it is answered; what it
//! enters beside that is durable by then. What was lost with a crash in between was not answered,
//! and comes again.
//!
//! Invariant: a message that was answered is answered by the same bytes for ever, and what it
//! entered is there; what goes to the ledger for a message is kept before it goes, so that after a
//! crash the same goes again (tests in this file).

use primitives::{Hash, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use crate::directory::seal::Sealer;
use crate::directory::{DirectoryError, DirectoryKey};
pub use crate::messages::Begun;
use crate::messages::{self, ENTRIES};
use crate::sqlite::{Database, Mark, Place, Schema};

const SCHEMA: Schema = Schema {
    name: "hospital's book",
    application_id: 0x7962_6873,
    version: 1,
    tables: &[
        "CREATE TABLE message (
            msgid    TEXT PRIMARY KEY,
            digest   BLOB NOT NULL,
            received INTEGER NOT NULL,
            outgoing BLOB,
            answer   BLOB
        ) STRICT",
        ENTRIES,
    ],
};

const OUTGOING: &str = "message-outgoing";
const ANSWER: &str = "message-answer";

/// The book of one hospital.
pub struct Book {
    database: Database,
    sealer: Sealer,
}

impl Book {
    /// Opens the book, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place, key: &DirectoryKey) -> Result<Self, DirectoryError> {
        Ok(Self { database: Database::open(place, &SCHEMA)?, sealer: Sealer::new(key)? })
    }

    /// The moment from which on everything must be there that is entered for a message.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.database.mark()
    }

    /// Notes a message that comes in, or says what became of it. Durable with what is kept for it.
    ///
    /// # Errors
    /// When the book fails.
    pub fn begin(
        &self,
        msgid: &str,
        digest: &Hash,
        now: Timestamp,
    ) -> Result<Begun, DirectoryError> {
        let known = self.database.write_soon(|tx| messages::note(tx, msgid, (digest, now)))?;
        messages::begun(&self.sealer, ANSWER, (msgid, digest), known)
    }

    /// Keeps the answer to a message, durably with all that was entered for it.
    ///
    /// # Errors
    /// When the book fails, or something since the mark was lost.
    pub fn finish(&self, msgid: &str, mark: Mark, answer: &[u8]) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(ANSWER, msgid.as_bytes(), answer)?;
        self.database.write_after(mark, |tx| messages::keep_answer(tx, msgid, &sealed))?;
        Ok(())
    }

    /// Keeps what goes to the ledger for a message, durably before it goes, with all that was
    /// entered for it.
    ///
    /// # Errors
    /// When the book fails, or something since the mark was lost.
    pub fn keep_outgoing(
        &self,
        msgid: &str,
        mark: Mark,
        bytes: &[u8],
    ) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(OUTGOING, msgid.as_bytes(), bytes)?;
        let sql = "UPDATE message SET outgoing = ?2 WHERE msgid = ?1 AND outgoing IS NULL";
        self.database
            .write_after(mark, |tx| tx.prepare_cached(sql)?.execute(params![msgid, sealed]))?;
        Ok(())
    }

    /// What went, or was about to go, to the ledger for a message.
    ///
    /// # Errors
    /// When the book fails.
    pub fn outgoing(&self, msgid: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        let sql = "SELECT outgoing FROM message WHERE msgid = ?1";
        let sealed: Option<Option<Vec<u8>>> = self
            .database
            .read(|one| one.prepare_cached(sql)?.query_row([msgid], |row| row.get(0)).optional())?;
        let sealed = sealed.flatten();
        sealed.map(|sealed| self.sealer.open(OUTGOING, msgid.as_bytes(), &sealed)).transpose()
    }

    /// Enters something under its kind and name, in place of what was there. It is seen at once,
    /// and durable with what is kept next.
    ///
    /// # Errors
    /// When the book fails.
    pub fn put(&self, kind: &str, id: &str, bytes: &[u8]) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(kind, id.as_bytes(), bytes)?;
        self.database.write_soon(|tx| messages::put(tx, (kind, id), &sealed))?;
        Ok(())
    }

    /// What was entered under a kind and name.
    ///
    /// # Errors
    /// When the book fails.
    pub fn get(&self, kind: &str, id: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        messages::get(&self.database, &self.sealer, (kind, id))
    }

    /// Whether something was entered under a kind and name.
    ///
    /// # Errors
    /// When the book fails.
    pub fn has(&self, kind: &str, id: &str) -> Result<bool, DirectoryError> {
        let sql = "SELECT 1 FROM entry WHERE kind = ?1 AND id = ?2";
        Ok(self.database.read(|one| one.prepare_cached(sql)?.exists([kind, id]))?)
    }

    /// Forgets what was entered under a kind and name.
    ///
    /// # Errors
    /// When the book fails.
    pub fn remove(&self, kind: &str, id: &str) -> Result<(), DirectoryError> {
        let sql = "DELETE FROM entry WHERE kind = ?1 AND id = ?2";
        self.database.write_soon(|tx| tx.prepare_cached(sql)?.execute([kind, id]))?;
        Ok(())
    }

    /// Makes all that was entered durable.
    ///
    /// # Errors
    /// When the book fails, or something since the mark was lost.
    pub fn keep(&self, mark: Mark) -> Result<(), DirectoryError> {
        Ok(self.database.write_after(mark, |_| Ok(()))?)
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

    fn open(place: &Place, key: u8) -> Book {
        Book::open(place, &DirectoryKey([key; 32])).unwrap()
    }

    #[test]
    fn an_answer_and_what_went_out_outlive_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("nhsa.sqlite"));
        let (one, other, now) = (Hash([1; 32]), Hash([2; 32]), Timestamp::from_millis(1));
        let book = open(&place, 7);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::New);
        let mark = book.mark();
        book.put("visit", "1", b"entered").unwrap();
        book.keep_outgoing("m1", mark, b"first").unwrap();
        book.keep_outgoing("m1", mark, b"second").unwrap();
        book.put("visit", "1", b"not waited for").unwrap();
        drop(book);
        let book = open(&place, 7);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::Open, "not answered yet");
        assert_eq!(book.outgoing("m1").unwrap().unwrap(), b"first");
        assert_eq!(book.get("visit", "1").unwrap().unwrap(), b"entered");
        book.put("visit", "2", b"entered").unwrap();
        book.finish("m1", book.mark(), b"answer").unwrap();
        book.finish("m1", book.mark(), b"another").unwrap();
        drop(book);
        let book = open(&place, 7);
        assert_eq!(book.begin("m1", &one, now).unwrap(), Begun::Answered(b"answer".to_vec()));
        assert_eq!(book.begin("m1", &other, now).unwrap(), Begun::Differs);
        assert_eq!(book.outgoing("m2").unwrap(), None);
        assert!(book.has("visit", "2").unwrap(), "durable with the answer");
    }

    #[test]
    fn entries_are_sealed_and_open_with_the_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nhsa.sqlite");
        let place = Place::File(path.clone());
        let book = open(&place, 7);
        book.put("visit", "1", b"somebody's visit").unwrap();
        book.put("visit", "1", b"somebody's bill").unwrap();
        assert_eq!(book.get("visit", "1").unwrap().unwrap(), b"somebody's bill");
        assert_eq!(book.get("person", "1").unwrap(), None);
        assert!(book.has("visit", "1").unwrap() && !book.has("person", "1").unwrap());
        book.put("file", "1", b"a file").unwrap();
        book.remove("file", "1").unwrap();
        book.keep(book.mark()).unwrap();
        assert_eq!(book.get("file", "1").unwrap(), None);
        let (name, other) =
            (book.name("person", b"x"), open(&Place::Memory, 8).name("person", b"x"));
        assert!(name != other && name.len() == 30, "{name}");
        drop(book);
        assert!(open(&place, 8).get("visit", "1").is_err());
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"somebody"));
    }
}
