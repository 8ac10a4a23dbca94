//! What a payer asks a relative to agree to: a transaction that waits for the relative's signature.
//! Whether it was agreed to stands on the ledger and not here.

use std::fmt;

use primitives::{Hash, PersonId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

/// The most requests of one person that wait at once: nobody fills another's list.
pub const OPEN_FAMILY_REQUESTS_MAX: u32 = 10;
/// The most requests of one answer.
const REQUESTS_MAX: u32 = 20;

/// A request to a relative.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyRequest {
    /// The id of the transaction that the relative is asked to sign.
    pub id: Hash,
    /// Who asks.
    pub payer: PersonId,
    /// Who is asked.
    pub member: PersonId,
    /// The transaction's content, encoded.
    pub content: Vec<u8>,
    /// The signatures that are there, encoded.
    pub signed: Vec<u8>,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on it can be agreed to no more.
    pub expires: Timestamp,
}

impl fmt::Debug for FamilyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyRequest").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<FamilyRequest> {
    let (Sql(id), Sql(sent), Sql(expires)) =
        (row.get("id")?, row.get("sent")?, row.get("expires")?);
    Ok(FamilyRequest {
        id,
        payer: PersonId(row.get("payer")?),
        member: PersonId(row.get("member")?),
        content: row.get("content")?,
        signed: row.get("signed")?,
        sent,
        expires,
    })
}

impl Directory {
    /// Keeps a request; those that are over are forgotten. The same again changes nothing. `false`
    /// when [`OPEN_FAMILY_REQUESTS_MAX`] others of the payer wait already.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_family_request(&self, request: &FamilyRequest) -> Result<bool, DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM family_request WHERE expires < ?1";
            tx.execute(sql, params![Sql(request.sent)])?;
            let sql = "SELECT COUNT(*) FROM family_request WHERE payer = ?1 AND id <> ?2";
            let own = params![request.payer.0, Sql(request.id)];
            let others: u32 = tx.query_row(sql, own, |row| row.get(0))?;
            if others >= OPEN_FAMILY_REQUESTS_MAX {
                return Ok(false);
            }
            let sql = "INSERT OR IGNORE INTO family_request
                       (id, payer, member, content, signed, sent, expires)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values = params![
                Sql(request.id),
                request.payer.0,
                request.member.0,
                request.content,
                request.signed,
                Sql(request.sent),
                Sql(request.expires),
            ];
            tx.execute(sql, values).map(|_| true)
        })?)
    }

    /// The request of this transaction.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn family_request(&self, id: &Hash) -> Result<Option<FamilyRequest>, DirectoryError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM family_request WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?)
    }

    /// What a person is asked and has asked, as far as it is not over, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn family_requests(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<Vec<FamilyRequest>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT * FROM family_request
                       WHERE (member = ?1 OR payer = ?1) AND expires > ?2
                       ORDER BY sent DESC LIMIT ?3";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![person.0, Sql(now), REQUESTS_MAX], read)?.collect()
        })?)
    }

    /// Forgets a request.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn end_family_request(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM family_request WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }
}
