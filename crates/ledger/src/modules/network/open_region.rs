//! Opens a pooling area on the ledger.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Currency, OrganisationId, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::set_region::check_settings;
use super::table::{REGIONS, RegionRow, RegionSettings};
use super::{rejection, require_governing};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, OrganisationKind};

/// Opens a pooling area (统筹区) with its bureau, currency and settings. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenRegion {
    /// The six-digit administrative code (`admdvs`).
    pub region: RegionId,
    /// The organisation that runs its public schemes and funds: a bureau that was admitted for this
    /// region.
    pub bureau: OrganisationId,
    /// The currency of its funds.
    pub currency: Currency,
    /// Calendar and limits.
    pub settings: RegionSettings,
}

impl Kind for OpenRegion {
    const NUMBER: u16 = 101;
    const NAME: &'static str = "open_region";

    fn check(&self) -> Result<(), Rejection> {
        check_settings(&self.settings)
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        require(!REGIONS.has(state, &self.region), || rejection::REGION_EXISTS.with(self.region))?;
        let bureau =
            organisation::view::require_kind(state, self.bureau, OrganisationKind::Bureau)?;
        require(bureau.region == self.region, || {
            rejection::BUREAU_OF_ANOTHER_REGION.with(bureau.region)
        })?;
        let row = RegionRow {
            bureau: self.bureau,
            currency: self.currency,
            settings: self.settings.clone(),
        };
        REGIONS.put(state, &self.region, &row);
        Ok(Outcome::event("region_opened", [Party::Organisation(self.bureau)]))
    }
}
