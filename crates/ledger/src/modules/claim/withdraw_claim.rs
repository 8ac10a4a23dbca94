//! Takes a claim back.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claimant::require_claimant;
use super::rejection;
use super::table::{
    CLAIMS, ClaimRow, ClaimStanding, free_invoices, require_claim, require_waiting,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::person::Actor;

/// Takes a claim back that the bureau has not decided; its invoices may be claimed again. Signed by
/// whoever speaks for the person: own key, guardian, or a desk of the bureau; a proxy takes back
/// what the same proxy filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawClaim {
    /// The transaction that filed it.
    pub claim: Hash,
    /// Who speaks for the person.
    pub by: Actor,
}

impl Kind for WithdrawClaim {
    const NUMBER: u16 = 1103;
    const NAME: &'static str = "withdraw_claim";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = require_claim(state, &self.claim)?;
        let by = require_claimant(context, state, (row.person, row.region), self.by)?;
        let is_allowed = !matches!(self.by, Actor::Proxy(_)) || row.filed_by == by;
        require(is_allowed, || rejection::FILED_BY_ANOTHER.reject())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let row = require_waiting(state, &self.claim)?;
        free_invoices(state, &row);
        let bureau = network::view::require_region(state, row.region)?.bureau;
        let concerns = [Party::Person(row.person), Party::Organisation(bureau)];
        let row = ClaimRow { standing: ClaimStanding::Withdrawn, ..row };
        CLAIMS.put(state, &self.claim, &row);
        Ok(Outcome::event("claim_withdrawn", concerns))
    }
}
