//! Sets a region's rules of recovery.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recovery::RecoveryRules;
use super::table::RECOVERY_RULES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;

/// Sets how many guardians get a person of the region back into a wallet, and how long it waits.
/// What waits already keeps its rules. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRecoveryRules {
    /// The region.
    pub region: RegionId,
    /// Its rules, all of them.
    pub rules: RecoveryRules,
}

impl Kind for SetRecoveryRules {
    const NUMBER: u16 = 316;
    const NAME: &'static str = "set_recovery_rules";

    fn check(&self) -> Result<(), Rejection> {
        self.rules.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        network::require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        RECOVERY_RULES.put(state, &self.region, &self.rules);
        Ok(Outcome::event("recovery_rules_set", [Party::Organisation(bureau)]))
    }
}
