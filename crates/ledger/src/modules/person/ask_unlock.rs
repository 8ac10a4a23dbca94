//! Asks to be unlocked.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::PERSONS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Asks, with the person's own key, for the lock to be taken off after the region's
/// `unlock_delay_hours`. Guardians and locker are told, so that they can lock again if the key is
/// in the wrong hands.
///
/// The delay runs from the asking and not from the locking: else whoever holds a stolen key would
/// wait out an old lock unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskUnlock {
    /// Who asks.
    pub person: PersonId,
}

impl Kind for AskUnlock {
    const NUMBER: u16 = 312;
    const NAME: &'static str = "ask_unlock";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_key_despite_lock(context, state, self.person).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let lock = row.lock.as_mut().ok_or_else(|| rejection::NOT_LOCKED.reject())?;
        require(lock.unlock_asked.is_none(), || rejection::UNLOCK_ASKED.reject())?;
        lock.unlock_asked = Some(context.time);
        let locker = lock.by;
        PERSONS.put(state, &self.person, &row);
        let guardians = row.guardians.iter().map(|one| Party::Person(one.guardian));
        let told = guardians.chain([locker]);
        let concerns = view::concerned(state, self.person, &row, told);
        Ok(Outcome::event("unlock_asked", concerns))
    }
}
