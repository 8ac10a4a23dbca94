//! Closes a person.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{require_bureau, require_identity_check};
use super::table::{PERSONS, PersonRow, PersonStatus, RECOVERIES};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Closes a person after death or leaving for good. Signed by the home region's bureau with scope
/// `attest` and by an identity authority with scope `attest`: nobody closes a person alone.
///
/// Keys, guardians, lock, card and a recovery that waits go; care until the last day can still be
/// settled; what is on the personal account stays there for those to whom it belongs. The blind
/// index stays taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePerson {
    /// Whom.
    pub person: PersonId,
    /// The last day on which care counts, not ahead.
    pub last_day: CivilDate,
}

impl Kind for ClosePerson {
    const NUMBER: u16 = 314;
    const NAME: &'static str = "close_person";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Attest)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = view::require_person(state, self.person)?;
        let today = view::today(context, state, &row)?;
        require(self.last_day <= today, || rejection::INVALID_LAST_DAY.with(today))?;
        let concerns = view::concerned(state, self.person, &row, []);
        let closed = PersonRow {
            region: row.region,
            commitment: row.commitment,
            status: PersonStatus::Closed { last_day: self.last_day },
            keys: Vec::new(),
            guardians: Vec::new(),
            lock: None,
            card: None,
            spent: None,
        };
        PERSONS.put(state, &self.person, &closed);
        RECOVERIES.remove(state, &self.person);
        Ok(Outcome::event("person_closed", concerns))
    }
}
