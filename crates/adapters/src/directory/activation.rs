//! The activation code: name and number alone are known to many, so whoever joins also shows a code
//! that the bureau sent to the registered address or gave at a desk.

use primitives::{Hash, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::seal::Sealer;
use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

const TABLE: &str = "activation";
/// After so many wrong tries a code is void. Our own limit.
pub const ACTIVATION_TRIES: u32 = 5;

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivationTry {
    /// It fits.
    Right,
    /// It does not fit, or there is none for this person: one answer, so that nobody learns who has
    /// one.
    Wrong,
}

impl Directory {
    /// Gives somebody a code in place of an earlier one.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_activation(
        &self,
        blind_index: &Hash,
        code: &str,
        expires: Timestamp,
    ) -> Result<(), DirectoryError> {
        let hash = self.sealer.hash(TABLE, blind_index.as_bytes(), code.as_bytes());
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO activation (blind_index, code, expires) VALUES (?1, ?2, ?3)
                       ON CONFLICT (blind_index) DO UPDATE
                       SET code = excluded.code, expires = excluded.expires, failures = 0";
            tx.execute(sql, params![Sql(*blind_index), hash, Sql(expires)]).map(|_| ())
        })?)
    }

    /// Tries a code. A wrong one is counted before anybody hears of it.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn try_activation(
        &self,
        blind_index: &Hash,
        code: &str,
        now: Timestamp,
    ) -> Result<ActivationTry, DirectoryError> {
        let hash = self.sealer.hash(TABLE, blind_index.as_bytes(), code.as_bytes());
        Ok(self.database.write(|tx| {
            let sql = "SELECT code FROM activation
                       WHERE blind_index = ?1 AND expires > ?2 AND failures < ?3";
            let known: Option<Vec<u8>> = tx
                .query_row(sql, params![Sql(*blind_index), Sql(now), ACTIVATION_TRIES], |row| {
                    row.get(0)
                })
                .optional()?;
            if known.is_some_and(|known| Sealer::is_same(&known, &hash)) {
                return Ok(ActivationTry::Right);
            }
            let sql = "UPDATE activation SET failures = failures + 1 WHERE blind_index = ?1";
            tx.execute(sql, params![Sql(*blind_index)])?;
            Ok(ActivationTry::Wrong)
        })?)
    }

    /// Uses a person's code up.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn end_activation(&self, blind_index: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM activation WHERE blind_index = ?1";
            tx.execute(sql, params![Sql(*blind_index)]).map(|_| ())
        })?)
    }
}
