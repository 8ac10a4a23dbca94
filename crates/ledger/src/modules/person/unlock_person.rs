//! Takes a lock off.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PersonId, detail};
use proof::receipt::FieldValue;
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

const HOUR_MILLIS: u64 = 3_600_000;

/// Takes a lock off. Signed by a guardian; or at a desk by the home region's bureau with scope
/// `clerk` and an identity authority with scope `attest`; or by the person's own key, when
/// `ask_unlock` was accepted at least the region's `unlock_delay_hours` before and nobody locked
/// again since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockPerson {
    /// Whom.
    pub person: PersonId,
    /// Who unlocks.
    pub by: Actor,
}

impl Kind for UnlockPerson {
    const NUMBER: u16 = 313;
    const NAME: &'static str = "unlock_person";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by)?;
        if self.by == Actor::Desk {
            require_identity_check(context, state)?;
        }
        Ok(())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let by = require_actor(context, state, self.person, self.by)?;
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let lock = row.lock.take().ok_or_else(|| rejection::NOT_LOCKED.reject())?;
        if self.by == Actor::OwnKey {
            let asked = lock.unlock_asked.ok_or_else(|| rejection::UNLOCK_NOT_ASKED.reject())?;
            let hours = view::settings(state, row.region)?.unlock_delay_hours;
            let earliest = asked.plus_millis(u64::from(hours).saturating_mul(HOUR_MILLIS));
            require(earliest <= context.time, || {
                rejection::UNLOCK_TOO_EARLY.with(detail!("until {until}", until = earliest))
            })?;
        }
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, [by, lock.by]);
        Ok(Outcome::event("person_unlocked", concerns).with("unlocked_by", FieldValue::Party(by)))
    }
}
