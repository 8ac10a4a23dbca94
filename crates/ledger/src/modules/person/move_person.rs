//! Changes the home region.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PersonId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::require_bureau;
use super::table::{PERSONS, RECOVERIES};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::network;
use crate::modules::organisation::Scope;

/// Changes a person's home region: another bureau serves the person at its desks from now on.
/// Signed by both bureaus with scope `attest`. Coverage moves by itself (`move_coverage`).
///
/// The card goes, since the old bureau holds its PIN, and so does a recovery that waits, which is
/// under the rules of the old region. The personal account stays as it is, so both
/// regions must have the same currency.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovePerson {
    /// Who moves.
    pub person: PersonId,
    /// The new home region.
    pub region: RegionId,
}

impl Kind for MovePerson {
    const NUMBER: u16 = 315;
    const NAME: &'static str = "move_person";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Attest)?;
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        require(row.region != self.region, || rejection::SAME_REGION.with(self.region))?;
        let old = network::view::require_region(state, row.region)?;
        let new = network::view::require_region(state, self.region)?;
        require(old.currency == new.currency, || {
            kernel::CURRENCY_MISMATCH
                .with(detail!("the personal account keeps `{currency}`", currency = old.currency))
        })?;
        row.region = self.region;
        row.card = None;
        PERSONS.put(state, &self.person, &row);
        RECOVERIES.remove(state, &self.person);
        let old_bureau = Party::Organisation(old.bureau);
        let concerns = view::concerned(state, self.person, &row, [old_bureau]);
        Ok(Outcome::event("person_moved", concerns))
    }
}
