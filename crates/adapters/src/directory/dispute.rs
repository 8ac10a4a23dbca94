//! The words of a dispute and of the answers to it: a person's objection to what a settlement
//! charges, or the contest of a consent that organisations alone gave. That there is one, and what
//! was decided, stands on the ledger, which has commitments to the words only.

use std::fmt;

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError, malformed};
use crate::sqlite::Sql;

const STATEMENT: &str = "dispute";
const ANSWER: &str = "dispute_answer";
/// How long words are kept, in milliseconds: two years, in which what follows from them is over.
const KEPT_MILLIS: u64 = 2 * 365 * 24 * 3_600_000;
/// The most disputes of one answer.
const DISPUTES_MAX: u32 = 200;

/// What a dispute is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeKind {
    /// What a settlement charges.
    Objection,
    /// That organisations alone agreed to it.
    Contest,
}

impl DisputeKind {
    const fn number(self) -> i64 {
        match self {
            Self::Objection => 0,
            Self::Contest => 1,
        }
    }
}

/// A dispute. Its words show themselves nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Dispute {
    /// What it is about.
    pub kind: DisputeKind,
    /// The id of the transaction that raises it.
    pub id: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Whose.
    pub person: PersonId,
    /// Who treated the person.
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

impl fmt::Debug for Dispute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispute").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Dispute> {
    let (Sql(id), Sql(raised)) = (row.get("id")?, row.get("raised")?);
    let provider: String = row.get("provider")?;
    let answer_id: Option<Sql<Hash>> = row.get("answer_id")?;
    let answer: Option<Vec<u8>> = row.get("answer")?;
    Ok(Dispute {
        kind: match row.get::<_, i64>("kind")? {
            0 => DisputeKind::Objection,
            1 => DisputeKind::Contest,
            _ => return Err(malformed("a dispute is of a kind")),
        },
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
    /// Keeps a dispute's words before it is raised; those of old are forgotten. The same again
    /// changes nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_dispute(&self, dispute: &Dispute) -> Result<(), DirectoryError> {
        let statement = self.sealer.seal(STATEMENT, dispute.id.as_bytes(), &dispute.statement)?;
        let forgotten = dispute.raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM dispute WHERE raised < ?1", params![old])?;
            let sql = "INSERT OR IGNORE INTO dispute
                       (id, kind, visit, person, provider, statement, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values = params![
                Sql(dispute.id),
                dispute.kind.number(),
                dispute.visit.0,
                dispute.person.0,
                dispute.provider.as_str(),
                statement,
                Sql(dispute.raised),
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
            let sql = "UPDATE dispute SET answer_id = ?2, answer = ?3 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id), Sql(answer.id), statement]).map(|_| ())
        })?)
    }

    /// Takes a dispute off the worklists: it is answered, or was never raised.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn close_dispute(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE dispute SET is_open = 0 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    fn unsealed(&self, mut dispute: Dispute) -> Result<Dispute, DirectoryError> {
        dispute.statement =
            self.sealer.open(STATEMENT, dispute.id.as_bytes(), &dispute.statement)?;
        if let Some(answer) = &mut dispute.answer {
            answer.statement = self.sealer.open(ANSWER, answer.id.as_bytes(), &answer.statement)?;
        }
        Ok(dispute)
    }

    /// The dispute that this transaction raises.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn dispute(&self, id: &Hash) -> Result<Option<Dispute>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM dispute WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found.map(|dispute| self.unsealed(dispute)).transpose()
    }

    /// The disputes of a kind about a visit's settlement, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn disputes_of(
        &self,
        kind: DisputeKind,
        visit: VisitId,
    ) -> Result<Vec<Dispute>, DirectoryError> {
        let found: Vec<Dispute> = self.database.read(|connection| {
            let sql = "SELECT * FROM dispute WHERE kind = ?1 AND visit = ?2
                       ORDER BY raised DESC LIMIT ?3";
            let mut all = connection.prepare_cached(sql)?;
            all.query_map(params![kind.number(), visit.0, DISPUTES_MAX], read)?.collect()
        })?;
        found.into_iter().map(|dispute| self.unsealed(dispute)).collect()
    }

    /// The disputes of a kind that nobody took off the worklists, the oldest first: a provider's,
    /// or all.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_disputes(
        &self,
        kind: DisputeKind,
        provider: Option<OrganisationId>,
    ) -> Result<Vec<Dispute>, DirectoryError> {
        let provider = provider.as_ref().map(OrganisationId::as_str);
        let found: Vec<Dispute> = self.database.read(|connection| {
            let sql = "SELECT * FROM dispute WHERE is_open = 1 AND kind = ?1
                       AND (?2 IS NULL OR provider = ?2) ORDER BY raised LIMIT ?3";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![kind.number(), provider, DISPUTES_MAX], read)?.collect()
        })?;
        found.into_iter().map(|dispute| self.unsealed(dispute)).collect()
    }
}
