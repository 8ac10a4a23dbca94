//! Enrols a person in a scheme.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PersonId, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::retention_day;
use super::table::COVERAGES;
use super::terms::CoverageTerms;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{network, person};

/// Enrols a person in a scheme at a place. Signed by the region's bureau with scope `attest`.
///
/// A person has one place at a time in each family of schemes within the network: a second one is
/// refused, and the rejection names the region that holds the first. A period that begins on the
/// day after the same coverage ends prolongs it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolCoverage {
    /// Who is covered.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// In what, from when to when, and what is attested about the person.
    pub coverage: CoverageTerms,
}

impl Kind for EnrolCoverage {
    const NUMBER: u16 = 401;
    const NAME: &'static str = "enrol_coverage";

    fn check(&self) -> Result<(), Rejection> {
        self.coverage.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        person::view::require_person(state, self.person)?;
        let today = retention_day(context, state, self.region)?;
        let mut row = COVERAGES.get(state, &self.person).unwrap_or_default();
        row.enrol(self.region, &self.coverage, today)?;
        COVERAGES.put(state, &self.person, &row);
        let bureau = network::view::require_region(state, self.region)?.bureau;
        let concerns = [Party::Person(self.person), Party::Organisation(bureau)];
        let terms = &self.coverage;
        let outcome = Outcome::event("coverage_enrolled", concerns)
            .with("region", FieldValue::Number(u64::from(self.region.0)))
            .with("scheme", FieldValue::Number(u64::from(terms.scheme.0)))
            .with("covered_from", FieldValue::Date(terms.period.from))
            .with(
                "benefits_from",
                FieldValue::Date(terms.benefits_from.unwrap_or(terms.period.from)),
            );
        Ok(match terms.period.to {
            Some(to) => outcome.with("covered_to", FieldValue::Date(to)),
            None => outcome,
        })
    }
}
