//! Enrols many persons in schemes.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, PersonId, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::retention_day;
use super::row_results::{RowResults, check_rows};
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

/// One coverage of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedCoverage {
    /// Who is covered.
    pub person: PersonId,
    /// In what, from when to when, and what is attested about the person.
    pub coverage: CoverageTerms,
}

impl ImportedCoverage {
    fn import(
        &self,
        state: &mut Overlay<'_>,
        region: RegionId,
        today: CivilDate,
    ) -> Result<(), Rejection> {
        self.coverage.check()?;
        person::view::require_person(state, self.person)?;
        let mut row = COVERAGES.get(state, &self.person).unwrap_or_default();
        row.enrol(region, &self.coverage, today)?;
        COVERAGES.put(state, &self.person, &row);
        Ok(())
    }
}

/// Enrols up to 500 persons in schemes at one place, or prolongs their coverage: the yearly list of
/// a bureau. Signed by the region's bureau with scope `attest`.
///
/// A row that is refused stops no other and leaves nothing behind; the receipt's fields
/// `refused.00` and following list such rows as `ROW:CODE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCoverages {
    /// The insured place of all rows.
    pub region: RegionId,
    /// The rows, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub rows: Vec<ImportedCoverage>,
}

impl Kind for ImportCoverages {
    const NUMBER: u16 = 412;
    const NAME: &'static str = "import_coverages";

    fn check(&self) -> Result<(), Rejection> {
        check_rows(self.rows.len())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let today = retention_day(context, state, self.region)?;
        let mut results = RowResults::default();
        for row in &self.rows {
            results.note(&row.import(state, self.region, today));
        }
        let bureau = network::view::require_region(state, self.region)?.bureau;
        Ok(results.outcome("coverages_imported", [Party::Organisation(bureau)]))
    }
}
