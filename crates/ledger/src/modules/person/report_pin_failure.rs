//! Counts a wrong PIN.

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

/// Counts a wrong PIN; at the region's `pin_failures_max` the card pays no more until the counter
/// is reset. Signed by the home region's bureau, which checks PINs, with scope `clerk`. A right PIN
/// that pays sets the counter back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportPinFailure {
    /// Whose card.
    pub person: PersonId,
}

impl Kind for ReportPinFailure {
    const NUMBER: u16 = 309;
    const NAME: &'static str = "report_pin_failure";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, Actor::Desk).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let failures_max = view::settings(state, row.region)?.pin_failures_max;
        let card = row.card.as_mut().ok_or_else(|| rejection::NO_CARD.reject())?;
        require(!card.blocked, || rejection::CARD_BLOCKED.reject())?;
        require(card.pin_failures < failures_max, || rejection::PIN_BLOCKED.reject())?;
        card.pin_failures = card.pin_failures.saturating_add(1);
        let name = if card.pin_failures < failures_max { "pin_failed" } else { "pin_blocked" };
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event(name, concerns))
    }
}
