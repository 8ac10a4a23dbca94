//! Locks a person.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor};
use super::table::{Lock, PERSONS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Locks a person: money, cards, sharing and new devices stop; eligibility and care that costs the
/// person nothing do not. Signed by the person's own key, by a guardian, or at a desk by the home
/// region's bureau with scope `clerk`. Who locked is recorded and told to the person.
///
/// Locking again while an unlock waits takes the unlock back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockPerson {
    /// Whom.
    pub person: PersonId,
    /// Who locks.
    pub by: Actor,
}

impl Kind for LockPerson {
    const NUMBER: u16 = 311;
    const NAME: &'static str = "lock_person";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let by = require_actor(context, state, self.person, self.by)?;
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let waits = row.lock.as_ref().is_none_or(|lock| lock.unlock_asked.is_some());
        require(waits, || rejection::ALREADY_LOCKED.reject())?;
        row.lock = Some(Lock { by, since: context.time, unlock_asked: None });
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, [by]);
        Ok(Outcome::event("person_locked", concerns).with("locked_by", FieldValue::Party(by)))
    }
}
