//! Blocks a card.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor};
use super::table::PERSONS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Blocks the card for good, also while the person is locked. Signed by the person's own key, by a
/// guardian, or at a desk by the home region's bureau with scope `clerk`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockCard {
    /// Whose card.
    pub person: PersonId,
    /// Who blocks it.
    pub by: Actor,
}

impl Kind for BlockCard {
    const NUMBER: u16 = 308;
    const NAME: &'static str = "block_card";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let card = row.card.as_mut().ok_or_else(|| rejection::NO_CARD.reject())?;
        require(!card.blocked, || rejection::CARD_BLOCKED.reject())?;
        card.blocked = true;
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event("card_blocked", concerns))
    }
}
