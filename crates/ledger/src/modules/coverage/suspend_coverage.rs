//! Suspends a coverage.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Period, PersonId, RegionId, SchemeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Lets a coverage rest from a day on until it is resumed: premiums are missing, or service abroad.
/// Care before that day still counts. Signed by the region's bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendCoverage {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The first day on which it does not hold.
    pub from: CivilDate,
}

impl Kind for SuspendCoverage {
    const NUMBER: u16 = 402;
    const NAME: &'static str = "suspend_coverage";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "coverage_suspended", |row| {
            let day = Period { from: self.from, to: Some(self.from) };
            row.entry(self.region, self.scheme, &day)?.suspend(self.from)
        })
    }
}
