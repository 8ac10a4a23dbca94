//! Assigns a slot.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Period, PersonId, RegionId, SchemeId, SlotId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use super::rejection;
use super::table::{SLOTS_MAX, SlotEntry};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Assigns a numbered slot for a chronic special disease or a programme. What the slot means is
/// told by the opened commitment to provider, payer and person, and to nobody else. Signed by the
/// region's bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignSlot {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// Its number within the coverage: 1 or more, and not used in it in the last two years.
    pub slot: SlotId,
    /// The benefit group, as the plan numbers them. A group gathers many diseases; a plan that gave
    /// each disease a group of its own would name it.
    pub group: u8,
    /// An amount of the slot's own, such as the cap on a programme's certificate, in minor units.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what the slot means.
    pub commitment: Hash,
}

impl Kind for AssignSlot {
    const NUMBER: u16 = 409;
    const NAME: &'static str = "assign_slot";

    fn check(&self) -> Result<(), Rejection> {
        require(self.slot.0 > 0, || rejection::NUMBER_TAKEN.with(self.slot))?;
        require(self.period.is_ordered(), || {
            rejection::INVALID_PERIOD.with(detail!("`period` ends before it begins"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "slot_assigned", |row| {
            let entry = row.entry(self.region, self.scheme, &self.period)?;
            let free = entry.slots.iter().all(|one| one.slot != self.slot);
            require(free, || rejection::NUMBER_TAKEN.with(self.slot))?;
            require(entry.slots.len() < SLOTS_MAX, || rejection::TOO_MANY_SLOTS.with(SLOTS_MAX))?;
            entry.slots.push(SlotEntry {
                slot: self.slot,
                group: self.group,
                amount: self.amount,
                period: self.period,
                commitment: self.commitment,
            });
            Ok(())
        })
    }
}
