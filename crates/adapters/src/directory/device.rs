//! The short code by which a person takes another device in: shown on one that is theirs, typed on
//! the other, which then asks for its key. A code counts once and for minutes; whose it is, nobody
//! learns from it but by asking, and the person agrees on the first device.

use primitives::{PersonId, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::seal::random;
use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

/// Codes have eight digits and do not begin with a zero.
const NUMBERS: std::ops::Range<u32> = 10_000_000..100_000_000;

/// A code that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The eight digits.
    pub number: u32,
    /// Until when it counts.
    pub expires: Timestamp,
    /// What the other device asked for, once it did.
    pub asked: Option<Vec<u8>>,
}

impl Directory {
    /// Gives a person a code in place of an earlier one, and forgets those that are over.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn new_device_code(
        &self,
        person: PersonId,
        (now, expires): (Timestamp, Timestamp),
    ) -> Result<DeviceCode, DirectoryError> {
        loop {
            let span = NUMBERS.end.saturating_sub(NUMBERS.start);
            let random = u32::from_le_bytes(random()?).checked_rem(span).unwrap_or(0);
            let number = NUMBERS.start.saturating_add(random);
            let entered = self.database.write(|tx| {
                let sql = "DELETE FROM device_code WHERE person = ?1 OR expires <= ?2";
                tx.execute(sql, params![person.0, Sql(now)])?;
                let sql = "INSERT OR IGNORE INTO device_code (person, number, expires)
                           VALUES (?1, ?2, ?3)";
                tx.execute(sql, params![person.0, number, Sql(expires)])
            })?;
            if entered == 1 {
                return Ok(DeviceCode { number, expires, asked: None });
            }
        }
    }

    /// Whose code this is, if it counts and no device asked by it yet.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn person_of_device_code(
        &self,
        number: u32,
        now: Timestamp,
    ) -> Result<Option<PersonId>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT person FROM device_code
                       WHERE number = ?1 AND expires > ?2 AND asked IS NULL";
            connection
                .prepare_cached(sql)?
                .query_row(params![number, Sql(now)], |row| row.get(0).map(PersonId))
                .optional()
        })?)
    }

    /// Keeps what a device asks for by this code of the person; whether it counts. The same again
    /// changes nothing, and nothing else is asked by the same code.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn ask_by_device_code(
        &self,
        (person, number): (PersonId, u32),
        asked: &[u8],
        now: Timestamp,
    ) -> Result<bool, DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "UPDATE device_code SET asked = ?3 WHERE person = ?1 AND number = ?2
                       AND expires > ?4 AND (asked IS NULL OR asked = ?3)";
            tx.execute(sql, params![person.0, number, asked, Sql(now)]).map(|changed| changed == 1)
        })?)
    }

    /// The code that a person has now.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn device_code(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<Option<DeviceCode>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT number, expires, asked FROM device_code
                       WHERE person = ?1 AND expires > ?2";
            connection
                .prepare_cached(sql)?
                .query_row(params![person.0, Sql(now)], |row| {
                    let Sql(expires) = row.get(1)?;
                    Ok(DeviceCode { number: row.get(0)?, expires, asked: row.get(2)? })
                })
                .optional()
        })?)
    }

    /// Ends a person's code, with what was asked by it.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn end_device_code(&self, person: PersonId) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM device_code WHERE person = ?1";
            tx.execute(sql, params![person.0]).map(|_| ())
        })?)
    }
}
