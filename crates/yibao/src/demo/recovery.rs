//! The way back into a wallet without any old device, in the made-up region: its rules.

use anyhow::Result;
use ledger::modules::person::{RecoveryRules, SetRecoveryRules};

use super::chamber::Chamber;
use super::population::REGION;
use super::region::Stage;

/// Parameters of the demonstration: one person who is trusted, and two days.
const RULES: RecoveryRules = RecoveryRules { guardians_min: 1, waiting_hours: 48 };

impl Stage<'_> {
    /// Sets the rules, by those who govern.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn recovery_rules(&self, chamber: &Chamber<'_>) -> Result<()> {
        let body = SetRecoveryRules { region: REGION, rules: RULES };
        chamber.act(&self.founders.governing(), &body)?;
        Ok(())
    }
}
