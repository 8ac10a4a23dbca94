//! The documents of an application to act for a child, until the bureau has decided and a while
//! longer. What was applied for and decided stands on the ledger, which has a commitment to the
//! documents only.

use std::fmt;

use primitives::{Hash, PersonId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

const TABLE: &str = "binding_application";
/// How long documents are kept, in milliseconds: 180 days. A decision may take a region 30 days,
/// and whoever is refused may ask what was seen; then nobody needs a family's papers any more.
const KEPT_MILLIS: u64 = 180 * 24 * 3_600_000;
/// The most applications of one answer.
const APPLICATIONS_MAX: u32 = 200;

/// An application with its documents. They show themselves nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptApplication {
    /// The id of the transaction that applies.
    pub id: Hash,
    /// Who will act.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// The commitment to the documents, by which the ledger's application is told from an earlier
    /// one of the same two.
    pub documents: Hash,
    /// Who the child is and what is shown, encoded; sealed in the file.
    pub statement: Vec<u8>,
    /// When it came.
    pub raised: Timestamp,
}

impl fmt::Debug for KeptApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptApplication").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptApplication> {
    let (Sql(id), Sql(documents), Sql(raised)) =
        (row.get("id")?, row.get("documents")?, row.get("raised")?);
    Ok(KeptApplication {
        id,
        payer: PersonId(row.get("payer")?),
        member: PersonId(row.get("member")?),
        documents,
        statement: row.get("statement")?,
        raised,
    })
}

impl Directory {
    /// Keeps an application before it is made; those of old are forgotten. The same again changes
    /// nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_application(&self, application: &KeptApplication) -> Result<(), DirectoryError> {
        let KeptApplication { id, payer, member, documents, statement, raised } = application;
        let statement = self.sealer.seal(TABLE, id.as_bytes(), statement)?;
        let forgotten = raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM binding_application WHERE raised < ?1", params![old])?;
            let sql = "INSERT OR IGNORE INTO binding_application
                       (id, payer, member, documents, statement, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values =
                params![Sql(*id), payer.0, member.0, Sql(*documents), statement, Sql(*raised),];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    /// Forgets an application that was never made.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_application(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM binding_application WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    /// Takes an application off the worklist: it was decided, or not in time.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn close_application(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE binding_application SET is_open = 0 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    /// The application that this transaction makes.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn application(&self, id: &Hash) -> Result<Option<KeptApplication>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM binding_application WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found
            .map(|mut one| {
                one.statement = self.sealer.open(TABLE, one.id.as_bytes(), &one.statement)?;
                Ok(one)
            })
            .transpose()
    }

    /// The applications that nobody took off the worklist, the oldest first. Their documents are
    /// left out: a list needs none.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_applications(&self) -> Result<Vec<KeptApplication>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT id, payer, member, documents, X'' AS statement, raised
                       FROM binding_application WHERE is_open = 1 ORDER BY raised LIMIT ?1";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![APPLICATIONS_MAX], read)?.collect()
        })?)
    }
}
