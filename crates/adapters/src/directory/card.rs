//! What a bank knows a person's bound card by.

use primitives::{OrganisationId, PersonId};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::sealed::SealedTable;
use super::{Directory, DirectoryError};
use crate::effect::RailName;
use crate::rail::Token;

const TABLE: SealedTable = SealedTable {
    name: "card",
    put: "INSERT INTO card (person, sealed) VALUES (?1, ?2)
          ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed",
    get: "SELECT sealed FROM card WHERE person = ?1",
};

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
        self.put_sealed(&TABLE, cards)
    }

    /// Forgets a person's bound card; says whether there was one.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_card(&self, person: PersonId) -> Result<bool, DirectoryError> {
        let forgotten = self
            .database
            .write(|tx| tx.execute("DELETE FROM card WHERE person = ?1", params![person.0]))?;
        Ok(forgotten == 1)
    }

    /// A person's bound card.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn card(&self, person: PersonId) -> Result<Option<BoundCard>, DirectoryError> {
        self.sealed(&TABLE, person)
    }
}
