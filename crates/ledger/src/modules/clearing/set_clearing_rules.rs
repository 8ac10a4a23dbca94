//! Sets a region's rules of clearing.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::ClearingRules;
use super::table::RULES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Sets the rules by which a region pays its providers, for months that are closed from now on.
/// From then on the bureau pays in approved batches only. Signed by the region's bureau with scope
/// `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClearingRules {
    /// The region.
    pub region: RegionId,
    /// Its rules, all of them.
    pub rules: ClearingRules,
}

impl Kind for SetClearingRules {
    const NUMBER: u16 = 1201;
    const NAME: &'static str = "set_clearing_rules";

    fn check(&self) -> Result<(), Rejection> {
        self.rules.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Publish).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        RULES.put(state, &self.region, &self.rules);
        Ok(Outcome::event("clearing_rules_set", [Party::Organisation(bureau)]))
    }
}
