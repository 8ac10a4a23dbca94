//! Registers a card with a PIN.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor};
use super::table::{Card, PERSONS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Registers a card for payments with a PIN at a desk, in place of a blocked one. Signed by the
/// home region's bureau with scope `clerk`; the person is not locked. The PIN stays with the
/// bureau.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterCard {
    /// Whose card.
    pub person: PersonId,
    /// A salted commitment to the card's number.
    pub commitment: Hash,
}

impl Kind for RegisterCard {
    const NUMBER: u16 = 307;
    const NAME: &'static str = "register_card";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, Actor::Desk).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_unlocked(state, self.person)?);
        let in_use = row.card.as_ref().is_some_and(|card| !card.blocked);
        require(!in_use, || rejection::CARD_EXISTS.reject())?;
        // What the old card spent today still counts: a new card is no way around the day's limit.
        let spent = row.card.as_ref().and_then(|card| card.spent);
        row.card =
            Some(Card { commitment: self.commitment, blocked: false, pin_failures: 0, spent });
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event("card_registered", concerns))
    }
}
