//! What a bank knows a person's bound card by.

use primitives::{OrganisationId, PersonId};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Directory, DirectoryError};
use crate::effect::RailName;
use crate::rail::Token;

const TABLE: &str = "card";

/// A bound card. Its token shows itself nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCard {
    /// The organisation whose rail takes from it.
    pub executor: OrganisationId,
    /// That rail.
    pub rail: RailName,
    /// What stands for the card there.
    pub token: Token,
    /// The last four digits, by which its holder recognises it.
    pub last_four: String,
}

impl Directory {
    /// Binds cards, all or none; an earlier one of the same person gives way.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn put_cards(&self, cards: &[(PersonId, BoundCard)]) -> Result<(), DirectoryError> {
        let mut rows = Vec::with_capacity(cards.len());
        for (person, card) in cards {
            let text = serde_json::to_vec(card).map_err(|_| DirectoryError::Sealed)?;
            rows.push((person.0, self.sealer.seal(TABLE, &person.0, &text)?));
        }
        Ok(self.database.write(|tx| {
            let sql = "INSERT INTO card (person, sealed) VALUES (?1, ?2)
                       ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed";
            let mut put = tx.prepare_cached(sql)?;
            for (person, sealed) in &rows {
                put.execute(params![person, sealed])?;
            }
            Ok(())
        })?)
    }

    /// A person's bound card.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn card(&self, person: PersonId) -> Result<Option<BoundCard>, DirectoryError> {
        let sealed: Option<Vec<u8>> = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT sealed FROM card WHERE person = ?1")?
                .query_row([person.0], |row| row.get(0))
                .optional()
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = self.sealer.open(TABLE, &person.0, &sealed)?;
        serde_json::from_slice(&text).map(Some).map_err(|_| DirectoryError::Sealed)
    }
}
