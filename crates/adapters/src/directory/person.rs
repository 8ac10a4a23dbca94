//! Who somebody is, as desks and the wallet show it.

use std::fmt;

use primitives::PersonId;
use serde::{Deserialize, Serialize};

use super::sealed::SealedTable;
use super::{Directory, DirectoryError};

const TABLE: SealedTable = SealedTable {
    name: "person",
    put: "INSERT INTO person (person, sealed) VALUES (?1, ?2)
          ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed",
    get: "SELECT sealed FROM person WHERE person = ?1",
};

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
        self.put_sealed(&TABLE, people)
    }

    /// Who somebody is, if the directory knows.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn person(&self, person: PersonId) -> Result<Option<Particulars>, DirectoryError> {
        self.sealed(&TABLE, person)
    }
}
