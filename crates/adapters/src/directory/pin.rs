//! The PIN of a device without passkeys. The device's key is kept sealed on the device; the secret
//! that opens it is here, and is given for the right PIN only.
//!
//! What comes is not the PIN but what the device made of it (PBKDF2), so the directory cannot try
//! it elsewhere. After [`PIN_TRIES`] wrong ones in a row the secret is gone for good: six digits can
//! be guessed, but not in so many tries.

use primitives::PersonId;
use rusqlite::{OptionalExtension as _, params};

use super::seal::{Sealer, random};
use super::{Directory, DirectoryError};

const TABLE: &str = "pin";
/// So many wrong tries in a row, and the device's key is lost. Our own limit.
pub const PIN_TRIES: u32 = 5;

/// A PIN that was set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NewPin {
    /// Its name.
    pub id: [u8; 16],
    /// What the device seals its key with.
    pub secret: [u8; 32],
}

/// What became of a try.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PinTry {
    /// It is right; this opens the device's key.
    Right([u8; 32]),
    /// It is wrong; so many tries are left.
    Wrong {
        /// How many.
        left: u32,
    },
    /// It was wrong too often, or there is no such PIN.
    Blocked,
}

impl Directory {
    /// Sets the PIN of a device of this person.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn new_pin(&self, person: PersonId, verifier: &[u8; 32]) -> Result<NewPin, DirectoryError> {
        let (id, secret): ([u8; 16], [u8; 32]) = (random()?, random()?);
        let sealed = self.sealer.seal(TABLE, &id, &secret)?;
        let hash = self.sealer.hash(TABLE, &id, verifier);
        self.database.write(|tx| {
            let sql = "INSERT INTO pin (id, person, verifier, sealed) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![id, person.0, hash, sealed])
        })?;
        Ok(NewPin { id, secret })
    }

    /// Tries a PIN. A wrong one is counted before anybody hears of it; the last wrong one erases
    /// the secret.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn try_pin(&self, id: &[u8; 16], verifier: &[u8; 32]) -> Result<PinTry, DirectoryError> {
        let hash = self.sealer.hash(TABLE, id, verifier);
        enum Found {
            Right(Vec<u8>),
            Wrong(u32),
            Blocked,
        }
        let found = self.database.write(|tx| {
            let sql = "SELECT verifier, sealed, failures FROM pin WHERE id = ?1";
            let row: Option<(Vec<u8>, Vec<u8>, u32)> = tx
                .query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((known, sealed, failures)) = row.filter(|(.., failed)| *failed < PIN_TRIES)
            else {
                return Ok(Found::Blocked);
            };
            if Sealer::is_same(&known, &hash) {
                tx.execute("UPDATE pin SET failures = 0 WHERE id = ?1", [id])?;
                return Ok(Found::Right(sealed));
            }
            let failures = failures.saturating_add(1);
            tx.execute("UPDATE pin SET failures = ?2 WHERE id = ?1", params![id, failures])?;
            if failures < PIN_TRIES {
                return Ok(Found::Wrong(PIN_TRIES.saturating_sub(failures)));
            }
            tx.execute("UPDATE pin SET sealed = zeroblob(0) WHERE id = ?1", [id])?;
            Ok(Found::Blocked)
        })?;
        Ok(match found {
            Found::Right(sealed) => {
                let secret = self.sealer.open(TABLE, id, &sealed)?;
                PinTry::Right(secret.try_into().map_err(|_| DirectoryError::Sealed)?)
            }
            Found::Wrong(left) => PinTry::Wrong { left },
            Found::Blocked => PinTry::Blocked,
        })
    }
}
