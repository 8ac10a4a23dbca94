//! The words of a person's objection to a settlement, and of the answers to it. That somebody
//! objected, and what was decided, stands on the ledger, which has commitments to the words only.

use std::fmt;

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError, malformed};
use crate::sqlite::Sql;

const STATEMENT: &str = "objection";
const ANSWER: &str = "objection_answer";
/// How long words are kept, in milliseconds: two years, in which what follows from them is over.
const KEPT_MILLIS: u64 = 2 * 365 * 24 * 3_600_000;
/// The most objections of one answer.
const OBJECTIONS_MAX: u32 = 200;

/// An objection. Its words show themselves nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Objection {
    /// The id of the transaction that raises it.
    pub id: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Whose.
    pub person: PersonId,
    /// Who has to answer.
    pub provider: OrganisationId,
    /// What is said, encoded; sealed in the file.
    pub statement: Vec<u8>,
    /// When it was raised.
    pub raised: Timestamp,
    /// The answer that was written last.
    pub answer: Option<WrittenAnswer>,
}

/// An answer as it was written; whether it counts, the ledger says.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenAnswer {
    /// The id of the transaction that answers.
    pub id: Hash,
    /// What is said, encoded; sealed in the file.
    pub statement: Vec<u8>,
}

impl fmt::Debug for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objection").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Objection> {
    let (Sql(id), Sql(raised)) = (row.get("id")?, row.get("raised")?);
    let provider: String = row.get("provider")?;
    let answer_id: Option<Sql<Hash>> = row.get("answer_id")?;
    let answer: Option<Vec<u8>> = row.get("answer")?;
    Ok(Objection {
        id,
        visit: VisitId(row.get("visit")?),
        person: PersonId(row.get("person")?),
        provider: provider.parse().map_err(|_| malformed("a provider has a code"))?,
        statement: row.get("statement")?,
        raised,
        answer: answer_id.zip(answer).map(|(Sql(id), statement)| WrittenAnswer { id, statement }),
    })
}

impl Directory {
    /// Keeps an objection's words before it is raised. The same again changes nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_objection(&self, objection: &Objection) -> Result<(), DirectoryError> {
        let statement =
            self.sealer.seal(STATEMENT, objection.id.as_bytes(), &objection.statement)?;
        let forgotten = objection.raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM objection WHERE raised < ?1", params![old])?;
            let sql = "INSERT OR IGNORE INTO objection
                       (id, visit, person, provider, statement, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values = params![
                Sql(objection.id),
                objection.visit.0,
                objection.person.0,
                objection.provider.as_str(),
                statement,
                Sql(objection.raised),
            ];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    /// Keeps the words of an answer before it is given; an earlier one gives way.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn write_answer(&self, id: &Hash, answer: &WrittenAnswer) -> Result<(), DirectoryError> {
        let statement = self.sealer.seal(ANSWER, answer.id.as_bytes(), &answer.statement)?;
        Ok(self.database.write(|tx| {
            let sql = "UPDATE objection SET answer_id = ?2, answer = ?3 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id), Sql(answer.id), statement]).map(|_| ())
        })?)
    }

    /// Takes an objection off the worklists: it is answered, or was never raised.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn close_objection(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE objection SET is_open = 0 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    fn unsealed(&self, mut objection: Objection) -> Result<Objection, DirectoryError> {
        objection.statement =
            self.sealer.open(STATEMENT, objection.id.as_bytes(), &objection.statement)?;
        if let Some(answer) = &mut objection.answer {
            answer.statement = self.sealer.open(ANSWER, answer.id.as_bytes(), &answer.statement)?;
        }
        Ok(objection)
    }

    /// The objection that this transaction raises.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn objection(&self, id: &Hash) -> Result<Option<Objection>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM objection WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found.map(|objection| self.unsealed(objection)).transpose()
    }

    /// The objections to a visit's settlement, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn objections_to(&self, visit: VisitId) -> Result<Vec<Objection>, DirectoryError> {
        let found: Vec<Objection> = self.database.read(|connection| {
            let sql = "SELECT * FROM objection WHERE visit = ?1 ORDER BY raised DESC LIMIT ?2";
            let mut all = connection.prepare_cached(sql)?;
            all.query_map(params![visit.0, OBJECTIONS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|objection| self.unsealed(objection)).collect()
    }

    /// The objections that nobody took off the worklists, the oldest first: a provider's, or all.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_objections(
        &self,
        provider: Option<OrganisationId>,
    ) -> Result<Vec<Objection>, DirectoryError> {
        let provider = provider.as_ref().map(OrganisationId::as_str);
        let found: Vec<Objection> = self.database.read(|connection| {
            let sql = "SELECT * FROM objection WHERE is_open = 1 AND (?1 IS NULL OR provider = ?1)
                       ORDER BY raised LIMIT ?2";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![provider, OBJECTIONS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|objection| self.unsealed(objection)).collect()
    }
}
