//! Pays out what is owed for a claim.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claimant::payee_today;
use super::payout::{PayoutOrder, concerns, order};
use super::rejection;
use super::table::{AcceptedRow, CLAIMS, ClaimRow, ClaimStanding, PAYOUTS, require_claim};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::visit::CashLeg;

/// Pays out what funds owe for an accepted claim: where no way was known when it was accepted, or
/// where the last payout failed. Signed by the region's bureau with scope `clerk`, and by the
/// executor where that is not the bureau (`execute`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayClaim {
    /// The transaction that filed it.
    pub claim: Hash,
    /// How it is paid out.
    pub payout: CashLeg,
}

impl Kind for PayClaim {
    const NUMBER: u16 = 1106;
    const NAME: &'static str = "pay_claim";

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
        let ClaimStanding::Accepted(accepted) = row.standing else {
            return Err(rejection::NOTHING_OWED.reject());
        };
        let last = accepted.payout.and_then(|reference| PAYOUTS.get(state, &reference));
        let is_open = last.is_none_or(|payout| payout.status == EffectStatus::Failed);
        let owed = is_open && !accepted.paid.is_zero();
        require(owed, || rejection::NOTHING_OWED.reject())?;
        let concerns = concerns(state, &row, self.payout.executor)?;
        let mut outcome = Outcome::event("claim_payout_ordered", concerns);
        let new = PayoutOrder {
            claim: self.claim,
            region: row.region,
            amount: accepted.paid,
            payee: payee_today(context, state, &row)?,
            leg: &self.payout,
        };
        let reference = order(context, state, &mut outcome, &new)?;
        let accepted = AcceptedRow { payout: Some(reference), ..accepted };
        CLAIMS.put(
            state,
            &self.claim,
            &ClaimRow { standing: ClaimStanding::Accepted(accepted), ..row },
        );
        Ok(outcome)
    }
}
