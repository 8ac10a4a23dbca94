//! Sets the counter of wrong PINs back.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor, require_identity_check};
use super::table::PERSONS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Sets the counter of wrong PINs back to zero. Signed at a desk by the home region's bureau with
/// scope `clerk`, and by an identity authority with scope `attest`, which checked who asks; the
/// person is not locked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPinCounter {
    /// Whose card.
    pub person: PersonId,
}

impl Kind for ResetPinCounter {
    const NUMBER: u16 = 310;
    const NAME: &'static str = "reset_pin_counter";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, Actor::Desk)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_unlocked(state, self.person)?);
        let card = row.card.as_mut().ok_or_else(|| rejection::NO_CARD.reject())?;
        require(!card.blocked, || rejection::CARD_BLOCKED.reject())?;
        card.pin_failures = 0;
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event("pin_counter_reset", concerns))
    }
}
