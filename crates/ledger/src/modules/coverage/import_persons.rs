//! Enrols many persons, with their coverage.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, PublicKey, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::retention_day;
use super::row_results::{RowResults, check_rows};
use super::table::{COVERAGES, CoverageRow};
use super::terms::CoverageTerms;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;
use crate::modules::person::{NewPerson, require_bureau, require_identity_check};

/// One person of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedPerson {
    /// The person.
    pub person: NewPerson,
    /// What covers the person, if anything yet.
    #[serde(default)]
    pub coverage: Option<CoverageTerms>,
}

impl ImportedPerson {
    /// Checks everything before it writes anything: a refused row leaves nothing behind.
    fn import(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        region: RegionId,
        today: CivilDate,
    ) -> Result<(), Rejection> {
        self.person.check()?;
        self.person.require_new(state)?;
        let mut row = CoverageRow::default();
        if let Some(terms) = &self.coverage {
            terms.check()?;
            row.enrol(region, terms, today)?;
        }
        self.person.enrol(context, state, region)?;
        if self.coverage.is_some() {
            COVERAGES.put(state, &self.person.id, &row);
        }
        Ok(())
    }
}

/// Enrols up to 500 persons at home in a region, each with a coverage if wanted. Signed by the
/// region's bureau with scope `attest` and by an identity authority with scope `attest`, as
/// `enrol_person` is.
///
/// A row that is refused stops no other and leaves nothing behind; the receipt's fields
/// `refused.00` and following list such rows as `ROW:CODE`. A key that is not a valid public key
/// stops the whole batch before it stands in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportPersons {
    /// The home region and insured place of all rows.
    pub region: RegionId,
    /// The rows, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub rows: Vec<ImportedPerson>,
}

impl Kind for ImportPersons {
    const NUMBER: u16 = 411;
    const NAME: &'static str = "import_persons";

    const REGISTERS: Option<fn(&Self) -> Vec<PublicKey>> = Some(|body| {
        body.rows.iter().flat_map(|row| row.person.keys.iter().map(|new| new.key)).collect()
    });

    fn check(&self) -> Result<(), Rejection> {
        check_rows(self.rows.len())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let today = retention_day(context, state, self.region)?;
        let mut results = RowResults::default();
        for row in &self.rows {
            results.note(&row.import(context, state, self.region, today));
        }
        let bureau = network::view::require_region(state, self.region)?.bureau;
        let authority = require_identity_check(context, state)?;
        let concerns = [Party::Organisation(bureau), Party::Organisation(authority)];
        Ok(results.outcome("persons_imported", concerns))
    }
}
