//! Completes a recovery: the new key takes the place of all others.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PersonId, PublicKey, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{require_bureau, require_identity_check};
use super::recovery::{self, require_open};
use super::table::{PERSONS, RECOVERIES};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Completes a recovery: the new key becomes the person's, and all keys before it are revoked.
/// Signed at a desk by the home region's bureau with scope `clerk` and by an identity authority
/// with scope `attest`, when enough guardians agreed who are guardians still, the waiting time is
/// over, and nobody stopped it. A lock, the day's spending, guardians and card stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRecovery {
    /// Whose recovery.
    pub person: PersonId,
    /// The new key, to which the guardians agreed.
    pub key: PublicKey,
}

impl Kind for CompleteRecovery {
    const NUMBER: u16 = 320;
    const NAME: &'static str = "complete_recovery";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Clerk)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let open = require_open(state, self.person, context.time)?;
        require(open.new.key == self.key, || rejection::OTHER_RECOVERY_KEY.reject())?;
        let standing = open.standing(&row, view::today(context, state, &row)?);
        let ready = standing.ready_from.ok_or_else(|| {
            rejection::RECOVERY_NOT_AGREED.with(detail!(
                "{count} of {needed}",
                count = standing.agreed,
                needed = open.rules.guardians_min
            ))
        })?;
        require(ready <= context.time, || {
            rejection::RECOVERY_TOO_EARLY.with(detail!("until {until}", until = ready))
        })?;
        row.keys = alloc::vec![open.new.row(context.time)];
        PERSONS.put(state, &self.person, &row);
        RECOVERIES.remove(state, &self.person);
        let concerns = recovery::concerned(state, self.person, &row);
        Ok(Outcome::event("recovery_completed", concerns))
    }
}
