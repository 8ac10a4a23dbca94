//! Clears a difference with the bank.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::day::Cleared;
use super::rejection;
use super::signing::require_bureau;
use super::table::DAYS;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// How a difference was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The bank corrected its statement or sent the money back.
    CorrectedByBank,
    /// The payment was recorded on the ledger afterwards.
    Recorded,
    /// The provider corrected its book.
    CorrectedByProvider,
    /// It has nothing to do with payments to providers.
    NotOurs,
}

/// Notes how a difference of a closed day was cleared. The day stays one with differences. Signed
/// by the region's bureau with scope `treasury`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearSuspense {
    /// The region.
    pub region: RegionId,
    /// The day that was closed.
    pub day: CivilDate,
    /// The item's number, from 0.
    pub item: u16,
    /// How it was cleared.
    pub resolution: Resolution,
}

impl Kind for ClearSuspense {
    const NUMBER: u16 = 1210;
    const NAME: &'static str = "clear_suspense";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.day);
        let unknown = || rejection::UNKNOWN_SUSPENSE.with(self.item);
        let mut day = DAYS.get(state, &key).ok_or_else(unknown)?;
        let item = day.items.get_mut(usize::from(self.item)).ok_or_else(unknown)?;
        require(item.cleared.is_none(), unknown)?;
        item.cleared = Some(Cleared { resolution: self.resolution, at: context.time });
        DAYS.put(state, &key, &day);
        let bureau = network::view::require_region(state, self.region)?.bureau;
        Ok(Outcome::event("suspense_cleared", [Party::Organisation(bureau)]))
    }
}
