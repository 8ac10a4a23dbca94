//! A guardian agrees to a recovery.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PersonId, PublicKey};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recovery::{self, require_open};
use super::table::RECOVERIES;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Agrees to the recovery that waits, and to this key alone. Signed by a guardian of today, who was
/// one when it was asked for and who is not locked. With the last agreement that is needed the
/// waiting time begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeRecovery {
    /// Whose recovery.
    pub person: PersonId,
    /// Who agrees.
    pub guardian: PersonId,
    /// The new key.
    pub key: PublicKey,
}

impl Kind for AgreeRecovery {
    const NUMBER: u16 = 318;
    const NAME: &'static str = "agree_recovery";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_guardian_despite_lock(context, state, self.person, self.guardian).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = view::require_person(state, self.person)?;
        let mut open = require_open(state, self.person, context.time)?;
        require(open.new.key == self.key, || rejection::OTHER_RECOVERY_KEY.reject())?;
        let (guardian, was) = (self.guardian, open.guardians.contains(&self.guardian));
        require(was, || rejection::NOT_A_GUARDIAN.with(guardian))?;
        let is_new = open.agreed.iter().all(|one| one.guardian != guardian);
        require(is_new, || rejection::RECOVERY_AGREED.reject())?;
        open.agree(guardian, context.time);
        RECOVERIES.put(state, &self.person, &open);
        let concerns = recovery::concerned(state, self.person, &row);
        let by = FieldValue::Party(Party::Person(guardian));
        Ok(Outcome::event("recovery_agreed", concerns).with("agreed_by", by))
    }
}
