//! Who somebody is, as desks and the wallet show it.

use std::fmt;

use primitives::PersonId;
use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};

use super::{Directory, DirectoryError};

const TABLE: &str = "person";

/// A person's particulars. They show themselves nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// The name as the identity authority has it.
    pub name: String,
    /// The last four characters of the identity document, by which a desk tells namesakes apart.
    pub number_end: String,
}

impl Particulars {
    /// The particulars of a name and the whole number of a document.
    #[must_use]
    pub fn new(name: &str, number: &str) -> Self {
        let count = number.chars().count();
        let number_end = number.chars().skip(count.saturating_sub(4)).collect();
        Self { name: name.to_owned(), number_end }
    }
}

impl fmt::Debug for Particulars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Particulars(hidden)")
    }
}

impl Directory {
    /// Enters people, all or none; who is there already is entered anew.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_people(&self, people: &[(PersonId, Particulars)]) -> Result<(), DirectoryError> {
        let mut rows = Vec::with_capacity(people.len());
        for (person, particulars) in people {
            let text = serde_json::to_vec(particulars).map_err(|_| DirectoryError::Sealed)?;
            rows.push((person.0, self.sealer.seal(TABLE, &person.0, &text)?));
        }
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO person (person, sealed) VALUES (?1, ?2)
                       ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed";
            let mut put = tx.prepare_cached(sql)?;
            for (person, sealed) in &rows {
                put.execute(rusqlite::params![person, sealed])?;
            }
            Ok(())
        })?)
    }

    /// Who somebody is, if the directory knows.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn person(&self, person: PersonId) -> Result<Option<Particulars>, DirectoryError> {
        let sealed: Option<Vec<u8>> = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT sealed FROM person WHERE person = ?1")?
                .query_row([person.0], |row| row.get(0))
                .optional()
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = self.sealer.open(TABLE, &person.0, &sealed)?;
        serde_json::from_slice(&text).map(Some).map_err(|_| DirectoryError::Sealed)
    }
}
