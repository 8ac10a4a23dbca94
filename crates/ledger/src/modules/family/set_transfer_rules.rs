//! Sets a region's rules of transfers between wallets.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::TRANSFER_RULES;
use super::transfer_rules::TransferRules;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Sets the rules by which people of a region send money to relatives' wallets. What waits keeps
/// its time. Signed by the region's bureau with scope `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTransferRules {
    /// The region.
    pub region: RegionId,
    /// Its rules, all of them.
    pub rules: TransferRules,
}

impl Kind for SetTransferRules {
    const NUMBER: u16 = 1009;
    const NAME: &'static str = "set_transfer_rules";

    fn check(&self) -> Result<(), Rejection> {
        self.rules.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Publish).map(|_| ())
    }

    fn execute(
        &self,
        _context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        TRANSFER_RULES.put(state, &self.region, &self.rules);
        Ok(Outcome::event("transfer_rules_set", [Party::Organisation(bureau)]))
    }
}
