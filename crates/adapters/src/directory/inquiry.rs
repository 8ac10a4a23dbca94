//! What a person asks or reports before, or without, anything of it standing on the ledger: a bill
//! that waits and is wrong, data that are wrong. Addressed to one organisation, which answers once.

use std::fmt;

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::request::Request;
use super::{Directory, DirectoryError, malformed};
use crate::sqlite::Sql;

const STATEMENT: &str = "inquiry";
const ANSWER: &str = "inquiry_answer";
/// How long an inquiry is kept, in milliseconds: two years, as an objection.
const KEPT_MILLIS: u64 = 2 * 365 * 24 * 3_600_000;
/// The most inquiries of one answer.
const INQUIRIES_MAX: u32 = 200;
/// The most inquiries of one person that wait for an answer.
pub const OPEN_INQUIRIES_MAX: u32 = 20;

/// An inquiry to be kept. Its words show themselves nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInquiry {
    /// What the person's device chose, so that the same again is kept once.
    pub key: [u8; 16],
    /// Whose.
    pub person: PersonId,
    /// Who has to answer.
    pub organisation: OrganisationId,
    /// The visit that it is about.
    pub visit: Option<VisitId>,
    /// The request that it is about.
    pub request: Option<Hash>,
    /// What is said, encoded; sealed in the file.
    pub statement: Vec<u8>,
    /// When.
    pub raised: Timestamp,
}

/// An inquiry that is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// Its number, by which people speak of it.
    pub number: u64,
    /// What was asked.
    pub asked: NewInquiry,
    /// When it was answered, and with which words, encoded; sealed in the file.
    pub answer: Option<(Timestamp, Vec<u8>)>,
}

impl fmt::Debug for NewInquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewInquiry").field("raised", &self.raised).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").field("number", &self.number).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Inquiry> {
    let (Sql(number), Sql(raised)) = (row.get("number")?, row.get("raised")?);
    let organisation: String = row.get("organisation")?;
    let request: Option<Sql<Hash>> = row.get("request")?;
    let answered: Option<Sql<Timestamp>> = row.get("answered")?;
    let answer: Option<Vec<u8>> = row.get("answer")?;
    Ok(Inquiry {
        number,
        asked: NewInquiry {
            key: row.get("key")?,
            person: PersonId(row.get("person")?),
            organisation: organisation
                .parse()
                .map_err(|_| malformed("an organisation has a code"))?,
            visit: row.get::<_, Option<_>>("visit")?.map(VisitId),
            request: request.map(|Sql(id)| id),
            statement: row.get("statement")?,
            raised,
        },
        answer: answered.map(|Sql(when)| when).zip(answer),
    })
}

/// What is sealed opens only for its person and key.
fn place(person: PersonId, key: &[u8; 16]) -> Vec<u8> {
    [person.0.as_slice(), key].concat()
}

impl Directory {
    /// Keeps an inquiry and gives its number; the same again gives the same number. `None` when
    /// [`OPEN_INQUIRIES_MAX`] of the person's wait already.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_inquiry(&self, inquiry: &NewInquiry) -> Result<Option<u64>, DirectoryError> {
        let place = place(inquiry.person, &inquiry.key);
        let statement = self.sealer.seal(STATEMENT, &place, &inquiry.statement)?;
        let forgotten = inquiry.raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM inquiry WHERE raised < ?1", params![old])?;
            let sql = "SELECT number FROM inquiry WHERE person = ?1 AND key = ?2";
            let own = params![inquiry.person.0, inquiry.key];
            let known: Option<Sql<u64>> = tx.query_row(sql, own, |row| row.get(0)).optional()?;
            if let Some(Sql(number)) = known {
                return Ok(Some(number));
            }
            let sql = "SELECT COUNT(*) FROM inquiry WHERE person = ?1 AND answered IS NULL";
            let open: u32 = tx.query_row(sql, params![inquiry.person.0], |row| row.get(0))?;
            if open >= OPEN_INQUIRIES_MAX {
                return Ok(None);
            }
            let sql = "INSERT INTO inquiry
                       (key, person, organisation, visit, request, statement, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING number";
            let values = params![
                inquiry.key,
                inquiry.person.0,
                inquiry.organisation.as_str(),
                inquiry.visit.map(|visit| visit.0),
                inquiry.request.map(Sql),
                statement,
                Sql(inquiry.raised),
            ];
            let Sql(number) = tx.query_row(sql, values, |row| row.get(0))?;
            Ok(Some(number))
        })?)
    }

    fn opened_inquiry(&self, mut inquiry: Inquiry) -> Result<Inquiry, DirectoryError> {
        let place = place(inquiry.asked.person, &inquiry.asked.key);
        inquiry.asked.statement = self.sealer.open(STATEMENT, &place, &inquiry.asked.statement)?;
        if let Some((_, answer)) = &mut inquiry.answer {
            *answer = self.sealer.open(ANSWER, &place, answer)?;
        }
        Ok(inquiry)
    }

    fn inquiries(
        &self,
        sql: &str,
        whose: &dyn rusqlite::ToSql,
    ) -> Result<Vec<Inquiry>, DirectoryError> {
        let found: Vec<Inquiry> = self.database.read(|connection| {
            let mut all = connection.prepare_cached(sql)?;
            all.query_map(params![whose, INQUIRIES_MAX], read)?.collect()
        })?;
        found.into_iter().map(|inquiry| self.opened_inquiry(inquiry)).collect()
    }

    /// A person's inquiries, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn inquiries_of(&self, person: PersonId) -> Result<Vec<Inquiry>, DirectoryError> {
        let sql = "SELECT * FROM inquiry WHERE person = ?1 ORDER BY number DESC LIMIT ?2";
        self.inquiries(sql, &person.0)
    }

    /// The inquiries that wait for an organisation, the oldest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_inquiries(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<Inquiry>, DirectoryError> {
        let sql = "SELECT * FROM inquiry WHERE organisation = ?1 AND answered IS NULL
                   ORDER BY number LIMIT ?2";
        self.inquiries(sql, &organisation.as_str())
    }

    /// The inquiry with this number.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn inquiry(&self, number: u64) -> Result<Option<Inquiry>, DirectoryError> {
        let sql = "SELECT * FROM inquiry WHERE number = ?1 LIMIT ?2";
        Ok(self.inquiries(sql, &Sql(number))?.pop())
    }

    /// Notes the answer to an inquiry, unless there is one already. Whether it was noted.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn answer_inquiry(
        &self,
        inquiry: &Inquiry,
        words: &[u8],
        now: Timestamp,
    ) -> Result<bool, DirectoryError> {
        let place = place(inquiry.asked.person, &inquiry.asked.key);
        let sealed = self.sealer.seal(ANSWER, &place, words)?;
        Ok(self.database.write(|tx| {
            let sql = "UPDATE inquiry SET answered = ?2, answer = ?3
                       WHERE number = ?1 AND answered IS NULL";
            Ok(tx.execute(sql, params![Sql(inquiry.number), Sql(now), sealed])? == 1)
        })?)
    }

    /// The request that a desk sent last for a visit.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn latest_request(&self, visit: VisitId) -> Result<Option<Request>, DirectoryError> {
        let id: Option<Sql<Hash>> = self.database.read(|connection| {
            let sql = "SELECT id FROM request WHERE visit = ?1 ORDER BY sent DESC LIMIT 1";
            let mut latest = connection.prepare_cached(sql)?;
            latest.query_row(params![visit.0], |row| row.get(0)).optional()
        })?;
        Ok(id.map(|Sql(id)| self.request(&id)).transpose()?.flatten())
    }
}
