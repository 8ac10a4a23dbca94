//! Stops a recovery.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor};
use super::recovery::{self, require_open};
use super::table::RECOVERIES;
use super::view;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;

/// Stops the recovery that waits, at any time before it is completed and also while the person is
/// locked. Signed by any key of the person, by a guardian, or at a desk by the home region's bureau
/// with scope `clerk`. After a key or a guardian stopped it nobody asks again for as long as it
/// would have waited; after a desk did, which corrects a mistake, at once.
///
/// Whoever holds a stolen phone can stop it too: a guardian or a desk first revokes that key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopRecovery {
    /// Whose recovery.
    pub person: PersonId,
    /// Who stops it.
    pub by: Actor,
}

impl Kind for StopRecovery {
    const NUMBER: u16 = 319;
    const NAME: &'static str = "stop_recovery";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let by = require_actor(context, state, self.person, self.by)?;
        let row = view::require_person(state, self.person)?;
        let mut open = require_open(state, self.person, context.time)?;
        if self.by == Actor::Desk {
            RECOVERIES.remove(state, &self.person);
        } else {
            open.stopped_at = Some(context.time);
            RECOVERIES.put(state, &self.person, &open);
        }
        let concerns = recovery::concerned(state, self.person, &row);
        Ok(Outcome::event("recovery_stopped", concerns).with("stopped_by", FieldValue::Party(by)))
    }
}
