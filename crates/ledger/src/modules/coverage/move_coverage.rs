//! Moves a coverage to another place.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, Period, PersonId, RegionId, SchemeId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{change, retention_day};
use super::rejection;
use super::table::{AttestedFacts, CoverageRow};
use super::terms::CoverageTerms;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{network, person};

/// Moves a coverage to another insured place from a day on; the scheme stays. Signed by both
/// bureaus with scope `attest`. Filings and slots stay behind: they are the old place's, and the
/// new bureau makes its own.
///
/// With `keep_counters` the running amounts go along, so that a deductible that was met stays met;
/// the bureaus say so when both plans number them alike. Refunds of earlier care find them in
/// either place. Without it the new place starts from zero.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveCoverage {
    /// Whose coverage.
    pub person: PersonId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The old insured place.
    pub from_region: RegionId,
    /// The new insured place.
    pub to_region: RegionId,
    /// The first day in the new place; the coverage holds on it and has begun before.
    pub first_day: CivilDate,
    /// Whether the running amounts go along.
    pub keep_counters: bool,
    /// What the new bureau attests about the person, from the first day or before.
    pub facts: AttestedFacts,
}

impl Kind for MoveCoverage {
    const NUMBER: u16 = 405;
    const NAME: &'static str = "move_coverage";

    fn check(&self) -> Result<(), Rejection> {
        require(self.from_region != self.to_region, || rejection::SAME_PLACE.reject())?;
        self.facts.check()?;
        require(self.facts.period.from <= self.first_day, || {
            rejection::INVALID_PERIOD.with(detail!("`facts` begin after `first_day`"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.from_region, Scope::Attest)?;
        require_bureau(context, state, self.to_region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        person::view::require_person(state, self.person)?;
        let old = network::view::require_region(state, self.from_region)?;
        let new = network::view::require_region(state, self.to_region)?;
        require(!self.keep_counters || old.currency == new.currency, || {
            kernel::CURRENCY_MISMATCH.with(detail!("running amounts cannot go along"))
        })?;
        let today = retention_day(context, state, self.to_region)?;
        let at = (self.person, self.from_region);
        let mut outcome =
            change(context, state, at, "coverage_moved", |row| self.move_within(row, today))?;
        if old.bureau != new.bureau {
            for event in &mut outcome.events {
                event.concerns.push(Party::Organisation(new.bureau));
            }
        }
        Ok(outcome
            .with("region", FieldValue::Number(u64::from(self.to_region.0)))
            .with("scheme", FieldValue::Number(u64::from(self.scheme.0)))
            .with("covered_from", FieldValue::Date(self.first_day)))
    }
}

impl MoveCoverage {
    fn move_within(&self, row: &mut CoverageRow, today: CivilDate) -> Result<(), Rejection> {
        let first = Period { from: self.first_day, to: Some(self.first_day) };
        let entry = row.entry(self.from_region, self.scheme, &first)?;
        entry.require_active_on(self.first_day)?;
        require(entry.period.from < self.first_day, || {
            rejection::INVALID_PERIOD
                .with(detail!("`first_day` is the first day of the old coverage; end that"))
        })?;
        let period = Period { from: self.first_day, to: entry.period.to };
        entry.period.to = self.first_day.plus_days(-1);
        let terms =
            CoverageTerms { scheme: self.scheme, period, benefits_from: None, facts: self.facts };
        row.enrol(self.to_region, &terms, today)?;
        if self.keep_counters {
            row.keep_counters(self.scheme, self.from_region, self.to_region)?;
        }
        Ok(())
    }
}
