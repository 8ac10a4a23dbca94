//! The words of a contest, by which somebody says that organisations alone agreed where they may
//! not, and of what the bureau decided. What stands on the ledger are the commitments to them.

use std::fmt;

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError, malformed};
use crate::sqlite::Sql;

const STATEMENT: &str = "contest";
const DECISION: &str = "contest_decision";
/// How long words are kept, in milliseconds: two years, as those of an objection.
const KEPT_MILLIS: u64 = 2 * 365 * 24 * 3_600_000;
/// The most contests of one answer.
const CONTESTS_MAX: u32 = 200;

/// A contest. Its words show themselves nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptContest {
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
    /// What was decided last: the id of the transaction that decides, and what is said, encoded.
    pub decision: Option<(Hash, Vec<u8>)>,
}

impl fmt::Debug for KeptContest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptContest").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptContest> {
    let (Sql(id), Sql(raised)) = (row.get("id")?, row.get("raised")?);
    let provider: String = row.get("provider")?;
    let decision_id: Option<Sql<Hash>> = row.get("decision_id")?;
    let decision: Option<Vec<u8>> = row.get("decision")?;
    Ok(KeptContest {
        id,
        visit: VisitId(row.get("visit")?),
        person: PersonId(row.get("person")?),
        provider: provider.parse().map_err(|_| malformed("a provider has a code"))?,
        statement: row.get("statement")?,
        raised,
        decision: decision_id.map(|Sql(id)| id).zip(decision),
    })
}

impl Directory {
    /// Keeps a contest's words before it is raised; those of old are forgotten. The same again
    /// changes nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_contest(&self, contest: &KeptContest) -> Result<(), DirectoryError> {
        let statement = self.sealer.seal(STATEMENT, contest.id.as_bytes(), &contest.statement)?;
        let forgotten = contest.raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM contest WHERE raised < ?1", params![old])?;
            let sql = "INSERT OR IGNORE INTO contest
                       (id, visit, person, provider, statement, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values = params![
                Sql(contest.id),
                contest.visit.0,
                contest.person.0,
                contest.provider.as_str(),
                statement,
                Sql(contest.raised),
            ];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    /// Keeps the words of a decision before it is made; an earlier one gives way.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn write_decision(
        &self,
        contest: &Hash,
        (id, words): (Hash, &[u8]),
    ) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(DECISION, id.as_bytes(), words)?;
        Ok(self.database.write(|tx| {
            let sql = "UPDATE contest SET decision_id = ?2, decision = ?3 WHERE id = ?1";
            tx.execute(sql, params![Sql(*contest), Sql(id), sealed]).map(|_| ())
        })?)
    }

    /// Takes a contest off the worklist: it is decided, or was never raised.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn close_contest(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE contest SET is_open = 0 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    fn opened_contest(&self, mut contest: KeptContest) -> Result<KeptContest, DirectoryError> {
        contest.statement =
            self.sealer.open(STATEMENT, contest.id.as_bytes(), &contest.statement)?;
        if let Some((id, words)) = &mut contest.decision {
            *words = self.sealer.open(DECISION, id.as_bytes(), words)?;
        }
        Ok(contest)
    }

    /// The contest that this transaction raises.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn contest(&self, id: &Hash) -> Result<Option<KeptContest>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM contest WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found.map(|contest| self.opened_contest(contest)).transpose()
    }

    /// The contests of a visit, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn contests_of(&self, visit: VisitId) -> Result<Vec<KeptContest>, DirectoryError> {
        let found: Vec<KeptContest> = self.database.read(|connection| {
            let sql = "SELECT * FROM contest WHERE visit = ?1 ORDER BY raised DESC LIMIT ?2";
            let mut all = connection.prepare_cached(sql)?;
            all.query_map(params![visit.0, CONTESTS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|contest| self.opened_contest(contest)).collect()
    }

    /// The contests that nobody took off the worklist, the oldest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_contests(&self) -> Result<Vec<KeptContest>, DirectoryError> {
        let found: Vec<KeptContest> = self.database.read(|connection| {
            let sql = "SELECT * FROM contest WHERE is_open = 1 ORDER BY raised LIMIT ?1";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![CONTESTS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|contest| self.opened_contest(contest)).collect()
    }
}
