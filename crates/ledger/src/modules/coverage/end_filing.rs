//! Ends a filing.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Period, PersonId, RegionId, SchemeId, SlotId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use super::rejection;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Ends a registration for care elsewhere after a day within its period. Signed by the region's
/// bureau with scope `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndFiling {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The filing's number.
    pub number: SlotId,
    /// Its last day.
    pub last_day: CivilDate,
}

impl Kind for EndFiling {
    const NUMBER: u16 = 408;
    const NAME: &'static str = "end_filing";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "filing_ended", |row| {
            let day = Period { from: self.last_day, to: Some(self.last_day) };
            let entry = row.entry(self.region, self.scheme, &day)?;
            let filing = entry.filings.iter_mut().find(|one| one.number == self.number);
            let filing = filing.ok_or_else(|| rejection::UNKNOWN_FILING.with(self.number))?;
            require(filing.period.contains(self.last_day), || {
                rejection::INVALID_PERIOD.with(detail!("`last_day` lies outside the filing"))
            })?;
            filing.period.to = Some(self.last_day);
            Ok(())
        })
    }
}
