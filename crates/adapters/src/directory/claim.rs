//! What a person sends with a claim for bills that were paid in full: what is said of them and the
//! photographs; and what the bureau's desk reviewed. Where a claim stands is on the ledger, which
//! has a commitment to the documents and the hash of the record.

use std::fmt;

use primitives::{Hash, PersonId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

const STATEMENT: &str = "claim";
const PHOTOGRAPHS: &str = "claim_photographs";
const REVIEW: &str = "claim_review";
/// How long photographs of a claim that is closed are kept, in milliseconds: two years, as an
/// objection.
const KEPT_MILLIS: u64 = 2 * 365 * 24 * 3_600_000;
/// The most claims of one answer.
const CLAIMS_MAX: u32 = 200;

/// A claim that is kept. What is said shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptClaim {
    /// The id of the transaction that files it.
    pub id: Hash,
    /// Whose bills.
    pub person: PersonId,
    /// What is said of them, encoded; sealed in the file.
    pub statement: Vec<u8>,
    /// When it came.
    pub raised: Timestamp,
}

impl fmt::Debug for KeptClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptClaim").field("id", &self.id).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptClaim> {
    let (Sql(id), Sql(raised)) = (row.get("id")?, row.get("raised")?);
    let (person, statement) = (PersonId(row.get("person")?), row.get("statement")?);
    Ok(KeptClaim { id, person, statement, raised })
}

/// Letters and digits in one writing, so that the same invoice read twice has one tag.
fn plain(text: &str) -> String {
    let one = |letter: char| match letter {
        // Full-width forms, as Chinese keyboards write them, lie in the order of the plain ones.
        '\u{ff01}'..='\u{ff5e}' => {
            let offset = u32::from(letter).saturating_sub(0xfee0);
            char::from_u32(offset).unwrap_or(letter)
        }
        other => other,
    };
    let letters = text.chars().map(one).filter(|one| one.is_alphanumeric());
    letters.flat_map(char::to_uppercase).collect()
}

impl Directory {
    /// The tag of an invoice: a hash of who issued it and its number that nobody can compute
    /// without the directory's key. Spaces, signs, case and width do not count.
    #[must_use]
    pub fn invoice_tag(&self, issuer: &str, number: &str) -> Hash {
        let (issuer, number) = (plain(issuer), plain(number));
        let tag = self.sealer.hash("invoice", issuer.as_bytes(), number.as_bytes());
        primitives::sha256(&tag)
    }

    /// Keeps a claim before it is filed; photographs of old ones are forgotten. The same again
    /// changes nothing.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_claim(&self, claim: &KeptClaim, photographs: &[u8]) -> Result<(), DirectoryError> {
        let KeptClaim { id, person, statement, raised } = claim;
        let statement = self.sealer.seal(STATEMENT, id.as_bytes(), statement)?;
        let photographs = self.sealer.seal(PHOTOGRAPHS, id.as_bytes(), photographs)?;
        let forgotten = raised.millis().saturating_sub(KEPT_MILLIS);
        Ok(self.database.write(|tx| {
            let old = Sql(Timestamp::from_millis(forgotten));
            tx.execute(
                "UPDATE claim SET photographs = NULL WHERE is_open = 0 AND raised < ?1",
                params![old],
            )?;
            let sql = "INSERT OR IGNORE INTO claim (id, person, statement, photographs, raised)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = params![Sql(*id), person.0, statement, photographs, Sql(*raised)];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    /// Forgets a claim that was never filed.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_claim(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            tx.execute("DELETE FROM claim WHERE id = ?1", params![Sql(*id)]).map(|_| ())
        })?)
    }

    /// Takes a claim off the worklist: it was refused, withdrawn, or accepted and paid out.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn close_claim(&self, id: &Hash) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE claim SET is_open = 0 WHERE id = ?1";
            tx.execute(sql, params![Sql(*id)]).map(|_| ())
        })?)
    }

    /// A claim by the transaction that filed it, without its photographs.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn claim(&self, id: &Hash) -> Result<Option<KeptClaim>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT id, person, statement, raised FROM claim WHERE id = ?1")?
                .query_row(params![Sql(*id)], read)
                .optional()
        })?;
        found.map(|claim| self.opened_claim(claim)).transpose()
    }

    fn opened_claim(&self, mut claim: KeptClaim) -> Result<KeptClaim, DirectoryError> {
        claim.statement = self.sealer.open(STATEMENT, claim.id.as_bytes(), &claim.statement)?;
        Ok(claim)
    }

    /// The photographs of a claim; nothing once they were forgotten.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn claim_photographs(&self, id: &Hash) -> Result<Option<Vec<u8>>, DirectoryError> {
        let found: Option<Option<Vec<u8>>> = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT photographs FROM claim WHERE id = ?1")?
                .query_row(params![Sql(*id)], |row| row.get(0))
                .optional()
        })?;
        let sealed = found.flatten();
        sealed.map(|sealed| self.sealer.open(PHOTOGRAPHS, id.as_bytes(), &sealed)).transpose()
    }

    /// The claims that nobody took off the worklist, the oldest first, without photographs.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn open_claims(&self) -> Result<Vec<KeptClaim>, DirectoryError> {
        let found: Vec<KeptClaim> = self.database.read(|connection| {
            let sql = "SELECT id, person, statement, raised FROM claim
                       WHERE is_open = 1 ORDER BY raised, id LIMIT ?1";
            connection.prepare_cached(sql)?.query_map(params![CLAIMS_MAX], read)?.collect()
        })?;
        found.into_iter().map(|claim| self.opened_claim(claim)).collect()
    }

    /// Keeps what a desk reviewed, by the hash of the claim's record, before it is accepted.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_review(&self, record: &Hash, review: &[u8]) -> Result<(), DirectoryError> {
        let sealed = self.sealer.seal(REVIEW, record.as_bytes(), review)?;
        Ok(self.database.write(|tx| {
            let sql = "INSERT OR REPLACE INTO claim_review (record, sealed) VALUES (?1, ?2)";
            tx.execute(sql, params![Sql(*record), sealed]).map(|_| ())
        })?)
    }

    /// What a desk reviewed.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn review(&self, record: &Hash) -> Result<Option<Vec<u8>>, DirectoryError> {
        let found: Option<Vec<u8>> = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT sealed FROM claim_review WHERE record = ?1")?
                .query_row(params![Sql(*record)], |row| row.get(0))
                .optional()
        })?;
        found.map(|sealed| self.sealer.open(REVIEW, record.as_bytes(), &sealed)).transpose()
    }
}
