//! Moves money between two funds, also of different years.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{account, parties, require_fund, require_open, require_treasury};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;

/// A fund by its region and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundAddress {
    /// The region.
    pub region: RegionId,
    /// The number within it.
    pub fund: FundId,
}

/// Moves money from one fund to another, such as last year's surplus into this year's fund. Signed
/// by the owner of each. A closed fund may give, so that what is refunded into it later finds its
/// way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferBetweenFunds {
    /// The fund that gives.
    pub from: FundAddress,
    /// The fund that gets; it must be open.
    pub to: FundAddress,
    /// How much, in minor units.
    pub amount: Amount,
}

impl Kind for TransferBetweenFunds {
    const NUMBER: u16 = 604;
    const NAME: &'static str = "transfer_between_funds";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        for one in [self.from, self.to] {
            require_treasury(context, state, require_fund(state, one.region, one.fund)?.owner)?;
        }
        Ok(())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let from = require_fund(state, self.from.region, self.from.fund)?;
        let to = require_open(state, self.to.region, self.to.fund)?;
        let entry = Entry {
            debit: account(self.from.region, self.from.fund),
            credit: account(self.to.region, self.to.fund),
            amount: self.amount,
        };
        post(state, context.time, from.currency, &[entry])?;
        Ok(Outcome::event("fund_transferred", parties([from.owner, to.owner]))
            .with("amount", amount_value(self.amount, from.currency)))
    }
}
