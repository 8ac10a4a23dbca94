//! Says which fund pays a payer's share of a scheme.

use alloc::vec::Vec;
use benefit::Payer;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, FundId, OrganisationId, Party, RegionId, SchemeId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{
    ASSIGNMENTS_MAX, Assignment, PAYING, require_fund, require_open, require_treasury,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// Says which fund pays a payer's share of a scheme's bills from a service day on. Signed by the
/// region's bureau and by the fund's owner: the owner is thereby bound to what published plans make
/// it pay.
///
/// The first assignment may begin on any day. Later ones begin tomorrow at the earliest and replace
/// what was assigned from their first day on: a refund thus finds the fund that paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignPayerFund {
    /// The region whose scheme it is.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// Whose share.
    pub payer: Payer,
    /// The first service day.
    pub from: CivilDate,
    /// The fund; nothing when nobody pays this share any more.
    #[serde(default)]
    pub fund: Option<FundId>,
}

impl AssignPayerFund {
    fn owner(&self, state: &(impl Read + ?Sized)) -> Result<Option<OrganisationId>, Rejection> {
        let row = self.fund.map(|fund| require_fund(state, self.region, fund)).transpose()?;
        Ok(row.map(|row| row.owner))
    }
}

impl Kind for AssignPayerFund {
    const NUMBER: u16 = 606;
    const NAME: &'static str = "assign_payer_fund";

    fn check(&self) -> Result<(), Rejection> {
        require(self.payer != Payer::HospitalBorne, || rejection::PAYER_WITHOUT_FUND.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        require_treasury(context, state, bureau)?;
        match self.owner(state)? {
            Some(owner) => require_treasury(context, state, owner),
            None => Ok(()),
        }
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let region = network::view::require_region(state, self.region)?;
        if let Some(fund) = self.fund {
            let year = require_open(state, self.region, fund)?.year;
            let fits = year.is_none_or(|year| i32::from(year) == self.from.year());
            require(fits, || rejection::WRONG_YEAR.with(fund))?;
        }
        let key = (self.region, self.scheme, self.payer);
        let mut assignments = PAYING.get(state, &key).unwrap_or_default();
        let today = context.day(region.settings.utc_offset_minutes);
        require(assignments.is_empty() || self.from > today, || {
            rejection::ASSIGNMENT_IN_THE_PAST.with(detail!("today is {today}", today))
        })?;
        assignments.retain(|earlier| earlier.from < self.from);
        require(assignments.len() < ASSIGNMENTS_MAX, || rejection::TOO_MANY_ASSIGNMENTS.reject())?;
        assignments.push(Assignment { from: self.from, fund: self.fund });
        PAYING.put(state, &key, &assignments);
        let concerned: Vec<Party> = [Some(region.bureau), self.owner(state)?]
            .into_iter()
            .flatten()
            .map(Party::Organisation)
            .collect();
        Ok(Outcome::event("payer_fund_assigned", concerned))
    }
}
