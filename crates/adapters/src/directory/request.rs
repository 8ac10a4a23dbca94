//! A bill that waits for its person: what a desk sent, and what came back. What was paid stands on
//! the ledger and not here.

use std::fmt;

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::{Directory, DirectoryError, malformed};
use crate::sqlite::{Json, Sql};

const TABLE: &str = "request";
/// How long a request is kept after its end, in milliseconds: a week, for asking what became of it.
const KEPT_MILLIS: u64 = 7 * 24 * 3_600_000;
/// The most requests of one answer.
const REQUESTS_MAX: u32 = 20;

/// A request. The bill shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the transaction that the person is asked to sign.
    pub id: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Whose visit.
    pub person: PersonId,
    /// Who is asked: the person, or a relative who may act for the person.
    pub asked: PersonId,
    /// Who asks.
    pub provider: OrganisationId,
    /// The transaction's content, encoded.
    pub content: Vec<u8>,
    /// The signatures that are there, encoded.
    pub signed: Vec<u8>,
    /// The itemised bill with its salt, encoded; sealed in the file.
    pub bill: Vec<u8>,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on it can be confirmed no more.
    pub expires: Timestamp,
    /// What was answered other than by signing.
    pub answer: Option<RequestAnswer>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What became of a request that was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum RequestAnswer {
    /// The person refused.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// The desk took it back, or sent another one for the same visit.
    Withdrawn,
}

/// Why a person refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// An amount or an item is wrong.
    WrongBill,
    /// The person was not there.
    NotMine,
    /// The person wants to pay in another way, such as at the till.
    OtherWay,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Request> {
    let (Sql(id), Sql(sent), Sql(expires)) =
        (row.get("id")?, row.get("sent")?, row.get("expires")?);
    let provider: String = row.get("provider")?;
    let answer: Option<Json<RequestAnswer>> = row.get("answer")?;
    Ok(Request {
        id,
        visit: VisitId(row.get("visit")?),
        person: PersonId(row.get("person")?),
        asked: PersonId(row.get("asked")?),
        provider: provider.parse().map_err(|_| malformed("a provider has a code"))?,
        content: row.get("content")?,
        signed: row.get("signed")?,
        bill: row.get("bill")?,
        sent,
        expires,
        answer: answer.map(|Json(answer)| answer),
    })
}

impl Directory {
    /// Keeps a request; earlier ones of the same visit are withdrawn. The same again changes
    /// nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_request(&self, request: &Request) -> Result<(), DirectoryError> {
        let bill = self.sealer.seal(TABLE, request.id.as_bytes(), &request.bill)?;
        let forgotten = request.sent.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM request WHERE expires < ?1", params![old])?;
            let withdrawn = Json(RequestAnswer::Withdrawn);
            let sql = "UPDATE request SET answer = ?3
                       WHERE visit = ?1 AND id <> ?2 AND answer IS NULL";
            tx.execute(sql, params![request.visit.0, Sql(request.id), withdrawn])?;
            let sql = "INSERT OR IGNORE INTO request
                       (id, visit, person, provider, content, signed, bill, sent, expires, asked)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let values = params![
                Sql(request.id),
                request.visit.0,
                request.person.0,
                request.provider.as_str(),
                request.content,
                request.signed,
                bill,
                Sql(request.sent),
                Sql(request.expires),
                request.asked.0,
            ];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    fn opened(&self, mut request: Request) -> Result<Request, DirectoryError> {
        request.bill = self.sealer.open(TABLE, request.id.as_bytes(), &request.bill)?;
        Ok(request)
    }

    /// The request of this transaction.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn request(&self, id: &Hash) -> Result<Option<Request>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM request WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found.map(|request| self.opened(request)).transpose()
    }

    /// The requests to somebody that nobody answered and that have not ended, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_requests(
        &self,
        asked: PersonId,
        now: Timestamp,
    ) -> Result<Vec<Request>, DirectoryError> {
        let found: Vec<Request> = self.database.read(|connection| {
            let sql = "SELECT * FROM request WHERE asked = ?1 AND expires > ?2 AND answer IS NULL
                       ORDER BY sent DESC LIMIT ?3";
            let mut open = connection.prepare_cached(sql)?;
            open.query_map(params![asked.0, Sql(now), REQUESTS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|request| self.opened(request)).collect()
    }

    /// Withdraws what waits for an answer about an open visit. Whether something did.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn withdraw_requests(&self, visit: VisitId) -> Result<bool, DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE request SET answer = ?2 WHERE visit = ?1 AND answer IS NULL";
            Ok(tx.execute(sql, params![visit.0, Json(RequestAnswer::Withdrawn)])? > 0)
        })?)
    }

    /// Notes an answer, unless there is one already. Whether it was noted.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn answer_request(&self, id: &Hash, answer: RequestAnswer) -> Result<bool, DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE request SET answer = ?2 WHERE id = ?1 AND answer IS NULL";
            Ok(tx.execute(sql, params![Sql(*id), Json(answer)])? == 1)
        })?)
    }
}
