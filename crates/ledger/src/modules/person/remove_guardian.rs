//! Ends a guardianship.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Party, PersonId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_bureau};
use super::table::PERSONS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Ends a guardianship at once. Signed by the person's own key while there is no lock, by the
/// guardian who steps back, or by the home region's bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveGuardian {
    /// Whose guardian.
    pub person: PersonId,
    /// The guardian.
    pub guardian: PersonId,
    /// Who ends it.
    pub by: Actor,
}

impl Kind for RemoveGuardian {
    const NUMBER: u16 = 306;
    const NAME: &'static str = "remove_guardian";

    fn check(&self) -> Result<(), Rejection> {
        let other = matches!(self.by, Actor::Guardian(by) if by != self.guardian);
        require(!other, || {
            rejection::ACTOR_NOT_ALLOWED.with(detail!("a guardian ends the own office only"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        match self.by {
            Actor::OwnKey => {
                view::require_key(context, state, self.person, Amount::ZERO).map(|_| ())
            }
            Actor::Guardian(guardian) => {
                view::require_key(context, state, guardian, Amount::ZERO).map(|_| ())
            }
            Actor::Desk => {
                let row = view::require_person(state, self.person)?;
                require_bureau(context, state, row.region, Scope::Attest).map(|_| ())
            }
            Actor::Register | Actor::Proxy(_) => Err(rejection::ACTOR_NOT_ALLOWED.reject()),
        }
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        let before = row.guardians.len();
        row.guardians.retain(|one| one.guardian != self.guardian);
        let found = row.guardians.len() < before;
        require(found, || rejection::NOT_A_GUARDIAN.with(self.guardian))?;
        PERSONS.put(state, &self.person, &row);
        let guardian = Party::Person(self.guardian);
        let concerns = view::concerned(state, self.person, &row, [guardian]);
        Ok(Outcome::event("guardian_removed", concerns))
    }
}
