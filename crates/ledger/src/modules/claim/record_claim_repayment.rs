//! Notes that a person gave back what was paid too much for a claim.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Party, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{AcceptedRow, CLAIMS, ClaimRow, ClaimStanding, REPAYMENTS, require_claim};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Notes that money came back from a person for a claim that was corrected: on the bureau's bank
/// account, or over its counter. Signed by the region's bureau with scope `clerk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordClaimRepayment {
    /// The transaction that filed the claim.
    pub claim: Hash,
    /// How much came back: all that is owed, or a part of it.
    pub amount: Amount,
    /// The salted hash of the bank's or the counter's reference; each is noted once, for ever.
    pub reference: Hash,
}

impl Kind for RecordClaimRepayment {
    const NUMBER: u16 = 1108;
    const NAME: &'static str = "record_claim_repayment";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = require_claim(state, &self.claim)?.region;
        require_bureau(context, state, region, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = require_claim(state, &self.claim)?;
        let region = network::view::require_region(state, row.region)?;
        let ClaimStanding::Accepted(accepted) = row.standing else {
            return Err(rejection::NOT_ACCEPTED.reject());
        };
        let left = accepted.owed_back.checked_sub(self.amount).ok_or_else(|| {
            rejection::REPAYMENT_EXCEEDS
                .with(detail!("{owed} are owed", owed = (accepted.owed_back, region.currency)))
        })?;
        let used = (row.region, self.reference);
        require(!REPAYMENTS.has(state, &used), || rejection::REPAYMENT_NOTED.reject())?;
        REPAYMENTS.put(state, &used, &self.claim);
        let entry = Entry {
            debit: Account::Outside(row.region),
            credit: Account::Receivable(Books::of(region.bureau, row.region)),
            amount: self.amount,
        };
        posting::post(state, context.time, region.currency, &[entry])?;
        let concerns = [Party::Person(row.person), Party::Organisation(region.bureau)];
        let outcome = Outcome::event("claim_repaid", concerns)
            .with("claim", FieldValue::Hash(self.claim))
            .with("amount", amount_value(self.amount, region.currency))
            .with("owed_back", amount_value(left, region.currency));
        let standing = ClaimStanding::Accepted(AcceptedRow { owed_back: left, ..accepted });
        CLAIMS.put(state, &self.claim, &ClaimRow { standing, ..row });
        Ok(outcome)
    }
}
