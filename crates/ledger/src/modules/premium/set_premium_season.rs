//! Sets the terms of a season.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Party;
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::SEASONS;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, OrganisationKind, Scope};
use crate::modules::person::require_bureau;
use crate::modules::{fund, network};

/// Sets the terms of a premium season, or changes what is due and when. Signed by the region's
/// bureau with scope `publish` and by the collector with scope `treasury`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPremiumSeason {
    /// Which season.
    pub season: SeasonId,
    /// Its terms.
    pub terms: PremiumSeason,
}

impl Kind for SetPremiumSeason {
    const NUMBER: u16 = 901;
    const NAME: &'static str = "set_premium_season";

    fn check(&self) -> Result<(), Rejection> {
        self.terms.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.season.region, Scope::Publish)?;
        let collector = self.terms.collector;
        let row = organisation::view::require_signed(context, state, collector, Scope::Treasury)?;
        let is_bureau = network::view::is_bureau(state, self.season.region, collector);
        require(is_bureau || row.kind == OrganisationKind::TaxAuthority, || {
            rejection::INVALID_COLLECTOR.with(collector)
        })
    }

    fn execute(
        &self,
        _context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let (id, terms) = (self.season, &self.terms);
        let bureau = network::view::require_region(state, id.region)?.bureau;
        let fund = fund::view::fund(state, id.region, terms.fund)
            .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(terms.fund))?;
        require(fund.owner == bureau && !fund.closed, || {
            fund::rejection::FUND_CLOSED.with(terms.fund)
        })?;
        if let Some(before) = SEASONS.get(state, &id) {
            let same = (before.fund, before.collector, before.cover)
                == (terms.fund, terms.collector, terms.cover);
            require(same, || rejection::SEASON_FIXED.reject())?;
        }
        SEASONS.put(state, &id, terms);
        let concerns = [bureau, terms.collector].map(Party::Organisation);
        Ok(Outcome::event("premium_season_set", concerns)
            .with("year", FieldValue::Number(u64::from(id.year)))
            .with("covered_from", FieldValue::Date(terms.cover.from)))
    }
}
