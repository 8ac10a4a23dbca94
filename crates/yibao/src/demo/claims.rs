//! Claims after full cash payment in the made-up region: its rules.

use anyhow::Result;
use ledger::modules::claim::{ClaimRules, SetClaimRules};
use primitives::Text;

use super::chamber::Chamber;
use super::population::REGION;
use super::region::Stage;

/// Where the made-up region's numbers come from.
const SOURCE: &str = "示例参数：就诊后一年内申请，30日内办结；各统筹区以本地规定为准";

impl Stage<'_> {
    /// Sets the rules.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn claim_rules(&self, chamber: &Chamber<'_>) -> Result<()> {
        let rules = ClaimRules {
            proxies_claim: true,
            filing_days_max: 365,
            decision_days_max: 30,
            open_claims_per_person_max: 5,
            source: Text::new(SOURCE).map_err(anyhow::Error::msg)?,
        };
        chamber.act(&[&self.founders.bureau], &SetClaimRules { region: REGION, rules })?;
        Ok(())
    }
}
