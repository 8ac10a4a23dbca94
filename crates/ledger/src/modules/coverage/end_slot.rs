//! Ends a slot.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Period, PersonId, RegionId, SchemeId, SlotId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use super::rejection;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Ends a slot after a day within its period. Signed by the region's bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSlot {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The slot's number.
    pub slot: SlotId,
    /// Its last day.
    pub last_day: CivilDate,
}

impl Kind for EndSlot {
    const NUMBER: u16 = 410;
    const NAME: &'static str = "end_slot";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "slot_ended", |row| {
            let day = Period { from: self.last_day, to: Some(self.last_day) };
            let entry = row.entry(self.region, self.scheme, &day)?;
            let slot = entry.slots.iter_mut().find(|one| one.slot == self.slot);
            let slot = slot.ok_or_else(|| rejection::UNKNOWN_SLOT.with(self.slot))?;
            require(slot.period.contains(self.last_day), || {
                rejection::INVALID_PERIOD.with(detail!("`last_day` lies outside the slot"))
            })?;
            slot.period.to = Some(self.last_day);
            Ok(())
        })
    }
}
