//! Withdraws a batch that was not approved.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batch::{BatchStanding, require_batch};
use super::signing::{require_approver, require_bureau};
use super::table::BATCHES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;

/// Withdraws a batch that was proposed and not approved; its number stays used. Signed with scope
/// `treasury` by the region's bureau, or by one who could have approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawPayout {
    /// The region.
    pub region: RegionId,
    /// The batch.
    pub batch: u32,
    /// Who withdraws it.
    pub by: OrganisationId,
}

impl Kind for WithdrawPayout {
    const NUMBER: u16 = 1206;
    const NAME: &'static str = "withdraw_payout";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        if network::view::is_bureau(state, self.region, self.by) {
            return require_bureau(context, state, self.region).map(|_| ());
        }
        require_approver(context, state, self.region, self.by)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let key = (self.region, self.batch);
        let mut row = require_batch(state, &key, BatchStanding::Proposed)?;
        row.standing = BatchStanding::Withdrawn;
        BATCHES.put(state, &key, &row);
        let bureau = network::view::require_region(state, self.region)?.bureau;
        Ok(Outcome::event("payout_withdrawn", [bureau, self.by].map(Party::Organisation)))
    }
}
