//! Sets a region's rules of clearing care elsewhere.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::rules::{DatedRules, InterregionRules, RULES_MAX, all};
use super::table::RULES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Sets the rules by which a region clears care elsewhere, for admissions from a day on, or ends
/// it. They bind the region as the one of care, which advances, and as the insured one, which pays
/// back, wherever the other region has rules as well. How a visit is cleared is decided when it is
/// settled and stays. Signed by the region's bureau with scope `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInterregionRules {
    /// The region.
    pub region: RegionId,
    /// The first day of admission; it takes the place of what was set for later days.
    pub from: CivilDate,
    /// Its rules, all of them; left out to end it.
    #[serde(default)]
    pub rules: Option<InterregionRules>,
}

impl Kind for SetInterregionRules {
    const NUMBER: u16 = 1401;
    const NAME: &'static str = "set_interregion_rules";

    fn check(&self) -> Result<(), Rejection> {
        self.rules.as_ref().map_or(Ok(()), InterregionRules::check)
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Publish).map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let region = network::view::require_region(state, self.region)?;
        let mut all = all(state, self.region);
        all.retain(|earlier| earlier.from < self.from);
        require(all.len() < RULES_MAX, || rejection::TOO_MANY_RULES.reject())?;
        all.push(DatedRules { from: self.from, rules: self.rules.clone() });
        RULES.put(state, &self.region, &all);
        Ok(Outcome::event("interregion_rules_set", [Party::Organisation(region.bureau)]))
    }
}
