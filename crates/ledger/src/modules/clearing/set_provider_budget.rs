//! Sets a provider's budget of a year.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, OrganisationId, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::signing::require_bureau;
use super::table::BUDGETS;
use crate::kernel::account::Books;
use crate::kernel::context::Context;
use crate::kernel::month::YEARS;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind};

/// Sets what a region plans to pay a provider, month by month. A statement shows the budget beside
/// what was settled; it stops no settlement and lowers no payment. Months that are stated keep the
/// budget that they were stated with. Signed by the region's bureau with scope `treasury`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetProviderBudget {
    /// The region.
    pub region: RegionId,
    /// The provider.
    pub provider: OrganisationId,
    /// The year, 2000 to 2999.
    pub year: u16,
    /// The twelve months, from January on.
    #[schemars(length(min = 12, max = 12))]
    pub months: Vec<Amount>,
}

impl Kind for SetProviderBudget {
    const NUMBER: u16 = 1202;
    const NAME: &'static str = "set_provider_budget";

    fn check(&self) -> Result<(), Rejection> {
        let holds = self.months.len() == 12 && YEARS.contains(&self.year);
        require(holds, || rejection::BUDGET_MONTHS.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        organisation::view::require_kind(state, self.provider, OrganisationKind::Provider)?;
        let books = Books::of(self.provider, self.region);
        BUDGETS.put(state, &(books, self.year), &self.months);
        let concerns = [bureau, self.provider].map(Party::Organisation);
        Ok(Outcome::event("provider_budget_set", concerns))
    }
}
