//! Closes a fund.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{FUNDS, account, parties, require_fund, require_open, require_treasury};
use crate::kernel::account::Floor;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Closes an empty fund for ever. What is refunded into it afterwards can be transferred out. Its
/// floor ends with it. Signed by the fund's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseFund {
    /// The fund's region.
    pub region: RegionId,
    /// The fund.
    pub fund: FundId,
}

impl Kind for CloseFund {
    const NUMBER: u16 = 608;
    const NAME: &'static str = "close_fund";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_treasury(context, state, require_fund(state, self.region, self.fund)?.owner)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = require_open(state, self.region, self.fund)?;
        let account = account(self.region, self.fund);
        let money = posting::account(state, &account).expect("a fund's account is opened with it");
        let empty = money.balance() == 0 && money.held_at(context.time).is_zero();
        require(empty, || rejection::FUND_NOT_EMPTY.with(self.fund))?;
        posting::set_floor(state, account, Floor::AtLeast(Amount::ZERO))?;
        row.closed = true;
        FUNDS.put(state, &(self.region, self.fund), &row);
        Ok(Outcome::event("fund_closed", parties([row.owner])))
    }
}
