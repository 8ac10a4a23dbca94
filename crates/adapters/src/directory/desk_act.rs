//! Why a bureau's desk did something for a person: the ledger says what was done and by whom, and
//! has no words.

use std::fmt;

use primitives::{Hash, PersonId, Timestamp};
use rusqlite::{Row, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

const TABLE: &str = "desk_act";
/// How long reasons are kept, in milliseconds: five years, in which a claim that follows from what
/// was done is over.
const KEPT_MILLIS: u64 = 5 * 365 * 24 * 3_600_000;
/// The most acts of one answer.
const ACTS_MAX: u32 = 200;

/// What a desk did for a person, with its reason. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptDeskAct {
    /// The id of the transaction that did it.
    pub id: Hash,
    /// For whom.
    pub person: PersonId,
    /// What and why, encoded; sealed in the file.
    pub statement: Vec<u8>,
    /// When it came.
    pub done: Timestamp,
}

impl fmt::Debug for KeptDeskAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptDeskAct").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptDeskAct> {
    let (Sql(id), Sql(done)) = (row.get("id")?, row.get("done")?);
    let (person, statement) = (PersonId(row.get("person")?), row.get("statement")?);
    Ok(KeptDeskAct { id, person, statement, done })
}

impl Directory {
    /// Keeps an act's reason before it is done; those of old are forgotten. The same again changes
    /// nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_desk_act(&self, act: &KeptDeskAct) -> Result<(), DirectoryError> {
        let KeptDeskAct { id, person, statement, done } = act;
        let statement = self.sealer.seal(TABLE, id.as_bytes(), statement)?;
        let forgotten = done.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute("DELETE FROM desk_act WHERE done < ?1", params![old])?;
            let sql = "INSERT OR IGNORE INTO desk_act (id, person, statement, done)
                       VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![Sql(*id), person.0, statement, Sql(*done)]).map(|_| ())
        })?)
    }

    /// Forgets the reason of an act that was refused.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_desk_act(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM desk_act WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    /// What desks did for a person, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn desk_acts(&self, person: PersonId) -> Result<Vec<KeptDeskAct>, DirectoryError> {
        let found: Vec<KeptDeskAct> = self.database.read(|connection| {
            let sql = "SELECT * FROM desk_act WHERE person = ?1 ORDER BY done DESC LIMIT ?2";
            let mut acts = connection.prepare_cached(sql)?;
            acts.query_map(params![person.0, ACTS_MAX], read)?.collect()
        })?;
        let open = |mut act: KeptDeskAct| {
            act.statement = self.sealer.open(TABLE, act.id.as_bytes(), &act.statement)?;
            Ok(act)
        };
        found.into_iter().map(open).collect()
    }

    /// Erases what served a person's wallet, once the account is closed: bound card, codes, PINs,
    /// requests to relatives, and who is in the person's care. Who the person was stays, and what
    /// was said about settlements: heirs may come to a desk, and the law keeps settlements.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn erase_wallet(&self, person: PersonId) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            for sql in [
                "DELETE FROM card WHERE person = ?1",
                "DELETE FROM code WHERE person = ?1",
                "DELETE FROM pin WHERE person = ?1",
                "DELETE FROM ward WHERE guardian = ?1 OR person = ?1",
                "DELETE FROM family_request WHERE payer = ?1 OR member = ?1",
            ] {
                tx.execute(sql, params![person.0])?;
            }
            Ok(())
        })?)
    }
}
