//! The itemised bills that people confirmed on their phones, for showing them again and for giving
//! single lines back, and the bills so far of those who are in hospital. The ledger has a
//! commitment to each; the provider's vault has it for good.

use primitives::{Hash, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

const TABLE: &str = "bill";
/// How long a bill is kept, in milliseconds: a year, which is longer than anybody may object.
const KEPT_MILLIS: u64 = 365 * 24 * 3_600_000;

impl Directory {
    /// Keeps a bill under its commitment before it is settled. The same again changes nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_bill(
        &self,
        commitment: &Hash,
        bill: &[u8],
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(TABLE, commitment.as_bytes(), bill)?;
        let forgotten = now.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write_together(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.prepare_cached("DELETE FROM bill WHERE kept < ?1")?.execute(params![old])?;
            let sql = "INSERT OR IGNORE INTO bill (commitment, sealed, kept) VALUES (?1, ?2, ?3)";
            tx.prepare_cached(sql)?.execute(params![Sql(*commitment), sealed, Sql(now)]).map(|_| ())
        })?)
    }

    /// Forgets a bill in whose place another one came before anything was settled.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_bill(&self, commitment: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write_together(|tx| {
            let sql = "DELETE FROM bill WHERE commitment = ?1";
            tx.prepare_cached(sql)?.execute(params![Sql(*commitment)]).map(|_| ())
        })?)
    }

    /// The bill behind a commitment.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn bill(&self, commitment: &Hash) -> Result<Option<Vec<u8>>, DirectoryError> {
        let sealed: Option<Vec<u8>> = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT sealed FROM bill WHERE commitment = ?1")?
                .query_row(params![Sql(*commitment)], |row| row.get(0))
                .optional()
        })?;
        sealed.map(|sealed| self.sealer.open(TABLE, commitment.as_bytes(), &sealed)).transpose()
    }
}
