//! Sets a region's rules of mutual aid.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::AidRules;
use super::table::AID_RULES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Sets the rules by which personal accounts pay for relatives in a region. Grants in force keep
/// their limits. Signed by the region's bureau with scope `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAidRules {
    /// The region.
    pub region: RegionId,
    /// Its rules, all of them.
    pub rules: AidRules,
}

impl Kind for SetAidRules {
    const NUMBER: u16 = 1002;
    const NAME: &'static str = "set_aid_rules";

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
        AID_RULES.put(state, &self.region, &self.rules);
        Ok(Outcome::event("aid_rules_set", [Party::Organisation(bureau)]))
    }
}
