//! Opens a fund.

use benefit::Payer;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, OrganisationId, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{FUNDS, FundRow, account, parties, require_treasury};
use crate::kernel::account::Floor;
use crate::kernel::context::Context;
use crate::kernel::month::YEARS;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::open_account;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind};

/// Opens a fund (基金) with its account. Signed by its owner: the region's bureau, or an insurer for
/// its own fund, with a key for treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenFund {
    /// The region in which it pays.
    pub region: RegionId,
    /// Its number within the region.
    pub fund: FundId,
    /// Whose money it is.
    pub owner: OrganisationId,
    /// Whose share of bills it is for.
    pub purpose: Payer,
    /// The year whose service days it pays for, 2000 to 2999; any when left out.
    #[serde(default)]
    pub year: Option<u16>,
    /// What must always be left in it, in minor units of the region's currency.
    pub floor: Amount,
}

impl Kind for OpenFund {
    const NUMBER: u16 = 601;
    const NAME: &'static str = "open_fund";

    fn check(&self) -> Result<(), Rejection> {
        let known = self.year.is_none_or(|year| YEARS.contains(&year));
        require(known, || rejection::INVALID_YEAR.reject())?;
        require(self.purpose != Payer::HospitalBorne, || rejection::PAYER_WITHOUT_FUND.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = network::view::require_region(state, self.region)?;
        let owner = organisation::view::require_active(state, self.owner)?;
        let may_own = self.owner == region.bureau || owner.kind == OrganisationKind::Insurer;
        require(may_own, || rejection::INVALID_OWNER.with(self.owner))?;
        require_treasury(context, state, self.owner)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let key = (self.region, self.fund);
        require(!FUNDS.has(state, &key), || rejection::FUND_EXISTS.with(self.fund))?;
        let region = network::view::require_region(state, self.region)?;
        let row = FundRow {
            owner: self.owner,
            currency: region.currency,
            purpose: self.purpose,
            year: self.year,
            closed: false,
        };
        let floor = Floor::AtLeast(self.floor);
        open_account(state, account(self.region, self.fund), row.currency, floor)?;
        FUNDS.put(state, &key, &row);
        Ok(Outcome::event("fund_opened", parties([self.owner, region.bureau])))
    }
}
