//! Who asked whom to be a guardian. Whether somebody is one, the ledger says; it knows no way from
//! a guardian to the people in care, and this is that way.

use primitives::PersonId;
use rusqlite::params;

use super::{Directory, DirectoryError};

/// The most people of one answer. A guardian may be asked by many; few stay.
const WARDS_MAX: u32 = 100;

impl Directory {
    /// Notes that a person asked somebody to be the guardian.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn note_ward(&self, guardian: PersonId, person: PersonId) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "INSERT OR IGNORE INTO ward (guardian, person) VALUES (?1, ?2)";
            tx.execute(sql, params![guardian.0, person.0]).map(|_| ())
        })?)
    }

    /// Who ever asked this person to be a guardian.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn wards_of(&self, guardian: PersonId) -> Result<Vec<PersonId>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT person FROM ward WHERE guardian = ?1 ORDER BY person LIMIT ?2";
            let mut wards = connection.prepare_cached(sql)?;
            wards
                .query_map(params![guardian.0, WARDS_MAX], |row| row.get(0).map(PersonId))?
                .collect()
        })?)
    }
}
