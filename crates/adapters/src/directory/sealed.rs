//! Tables with one sealed value for each person.

use primitives::PersonId;
use rusqlite::{OptionalExtension as _, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{Directory, DirectoryError};

/// A table of this form: `person`, `sealed`.
pub(super) struct SealedTable {
    /// Its name, which is part of the place that its values are sealed for.
    pub(super) name: &'static str,
    /// Puts a value in; an earlier one of the same person gives way.
    pub(super) put: &'static str,
    /// Reads the value of a person.
    pub(super) get: &'static str,
}

impl Directory {
    /// Puts values in, all or none.
    pub(super) fn put_sealed<T: Serialize>(
        &self,
        table: &SealedTable,
        values: &[(PersonId, T)],
    ) -> Result<(), DirectoryError> {
        let mut rows = Vec::with_capacity(values.len());
        for (person, value) in values {
            let text = serde_json::to_vec(value).map_err(|_| DirectoryError::Sealed)?;
            rows.push((person.0, self.sealer.seal(table.name, &person.0, &text)?));
        }
        Ok(self.database.write(|tx| {
            let mut put = tx.prepare_cached(table.put)?;
            for (person, sealed) in &rows {
                put.execute(params![person, sealed])?;
            }
            Ok(())
        })?)
    }

    /// The value of a person, if there is one.
    pub(super) fn sealed<T: DeserializeOwned>(
        &self,
        table: &SealedTable,
        person: PersonId,
    ) -> Result<Option<T>, DirectoryError> {
        let sealed: Option<Vec<u8>> = self.database.read(|connection| {
            connection.prepare_cached(table.get)?.query_row([person.0], |row| row.get(0)).optional()
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = self.sealer.open(table.name, &person.0, &sealed)?;
        serde_json::from_slice(&text).map(Some).map_err(|_| DirectoryError::Sealed)
    }
}
