//! Sets what must always be left in a fund.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{account, parties, require_fund, require_open, require_treasury};
use crate::kernel::account::Floor;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::set_floor;
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;

/// Sets what must always be left in a fund. A floor above the present balance stops every payment
/// until enough has come in. Signed by the fund's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFundFloor {
    /// The fund's region.
    pub region: RegionId,
    /// The fund.
    pub fund: FundId,
    /// What must always be left, in minor units.
    pub floor: Amount,
}

impl Kind for SetFundFloor {
    const NUMBER: u16 = 605;
    const NAME: &'static str = "set_fund_floor";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_treasury(context, state, require_fund(state, self.region, self.fund)?.owner)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let row = require_open(state, self.region, self.fund)?;
        set_floor(state, account(self.region, self.fund), Floor::AtLeast(self.floor))?;
        Ok(Outcome::event("fund_floor_set", parties([row.owner]))
            .with("floor", amount_value(self.floor, row.currency)))
    }
}
