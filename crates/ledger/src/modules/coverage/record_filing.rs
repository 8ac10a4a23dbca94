//! Records a filing for care elsewhere.

use benefit::Filing;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Period, PersonId, RegionId, SchemeId, SlotId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use super::rejection;
use super::table::{FILINGS_MAX, FilingEntry};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Records a registration for care elsewhere (备案). Signed by the region's bureau with scope
/// `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFiling {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// Its number within the coverage: 1 or more, and not used in it in the last two years.
    pub number: SlotId,
    /// `long_term`, `referral` or `emergency`.
    pub filing: Filing,
    /// Where care is registered for; a province or city stands for all places in it.
    pub place: RegionId,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what was filed.
    pub commitment: Hash,
}

impl Kind for RecordFiling {
    const NUMBER: u16 = 407;
    const NAME: &'static str = "record_filing";

    fn check(&self) -> Result<(), Rejection> {
        let filed = [Filing::LongTerm, Filing::Referral, Filing::Emergency];
        require(filed.contains(&self.filing), || rejection::INVALID_FILING.reject())?;
        require(self.number.0 > 0, || rejection::NUMBER_TAKEN.with(self.number))?;
        require(self.period.is_ordered(), || {
            rejection::INVALID_PERIOD.with(detail!("`period` ends before it begins"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "filing_recorded", |row| {
            let entry = row.entry(self.region, self.scheme, &self.period)?;
            let free = entry.filings.iter().all(|one| one.number != self.number);
            require(free, || rejection::NUMBER_TAKEN.with(self.number))?;
            require(entry.filings.len() < FILINGS_MAX, || {
                rejection::TOO_MANY_FILINGS.with(FILINGS_MAX)
            })?;
            entry.filings.push(FilingEntry {
                number: self.number,
                filing: self.filing,
                place: self.place,
                period: self.period,
                commitment: self.commitment,
            });
            Ok(())
        })
    }
}
