//! Books money that came into a fund.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, Hash, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{account, parties, require_fund, require_open, require_treasury, use_reference};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;

/// Books contributions, subsidies or premiums that came into a fund. Signed by the fund's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contribute {
    /// The fund's region.
    pub region: RegionId,
    /// The fund.
    pub fund: FundId,
    /// How much came in, in minor units.
    pub amount: Amount,
    /// The salted hash of the bank's or treasury's reference; the owner books each once, for ever.
    pub reference: Hash,
}

impl Kind for Contribute {
    const NUMBER: u16 = 602;
    const NAME: &'static str = "contribute";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_treasury(context, state, require_fund(state, self.region, self.fund)?.owner)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = require_open(state, self.region, self.fund)?;
        use_reference(state, row.owner, self.reference)?;
        let entry = Entry {
            debit: Account::Outside(self.region),
            credit: account(self.region, self.fund),
            amount: self.amount,
        };
        post(state, context.time, row.currency, &[entry])?;
        Ok(Outcome::event("fund_contributed", parties([row.owner]))
            .with("amount", amount_value(self.amount, row.currency)))
    }
}
