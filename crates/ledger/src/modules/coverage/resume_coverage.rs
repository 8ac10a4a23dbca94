//! Resumes a coverage.

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

/// Lets a suspended coverage hold again from a day on, which may lie ahead (a waiting period after
/// missed premiums) or behind (they were paid after all). It also ends a waiting period early.
/// Signed by the region's bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeCoverage {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The first day on which it holds again.
    pub from: CivilDate,
}

impl Kind for ResumeCoverage {
    const NUMBER: u16 = 403;
    const NAME: &'static str = "resume_coverage";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "coverage_resumed", |row| {
            let day = Period { from: self.from, to: Some(self.from) };
            row.entry(self.region, self.scheme, &day)?.resume(self.from)
        })
    }
}
