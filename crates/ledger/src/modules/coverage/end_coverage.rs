//! Ends a coverage.

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

/// Ends a coverage after a day. Care until then still counts. Signed by the region's bureau with
/// scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndCoverage {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// Its last day.
    pub last_day: CivilDate,
}

impl Kind for EndCoverage {
    const NUMBER: u16 = 404;
    const NAME: &'static str = "end_coverage";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "coverage_ended", |row| {
            let day = Period { from: self.last_day, to: Some(self.last_day) };
            row.entry(self.region, self.scheme, &day)?.period.to = Some(self.last_day);
            Ok(())
        })
    }
}
