//! The terms of a coverage, as `enrol_coverage` and the imports state them.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Period, SchemeId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::AttestedFacts;
use crate::kernel::rejection::{Rejection, require};

/// What covers a person, from when to when, and what is attested about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageTerms {
    /// The scheme.
    pub scheme: SchemeId,
    /// From when to when. A period that begins on the day after the coverage ends prolongs it, and
    /// ends its suspension.
    pub period: Period,
    /// The first day after the waiting period, if there is one.
    #[serde(default)]
    pub benefits_from: Option<CivilDate>,
    /// What is attested about the person, from the first day of the period or before.
    pub facts: AttestedFacts,
}

impl CoverageTerms {
    /// What can be said of the terms alone.
    ///
    /// # Errors
    /// `invalid_coverage_period`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        require(self.period.is_ordered(), || {
            rejection::INVALID_PERIOD.with(detail!("`period` ends before it begins"))
        })?;
        let waits = self.benefits_from.is_none_or(|day| self.period.contains(day));
        require(waits, || {
            rejection::INVALID_PERIOD.with(detail!("`benefits_from` lies outside `period`"))
        })?;
        self.facts.check()?;
        require(self.facts.period.from <= self.period.from, || {
            rejection::INVALID_PERIOD.with(detail!("`facts` begin after `period`"))
        })
    }

    /// The days of waiting, if there are any.
    pub(super) fn waiting(&self) -> Option<Period> {
        let first = self.benefits_from.filter(|day| self.period.from < *day)?;
        Some(Period { from: self.period.from, to: first.plus_days(-1) })
    }
}

impl AttestedFacts {
    /// What can be said of the facts alone.
    ///
    /// # Errors
    /// `invalid_coverage_period`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let fine = self.period.is_ordered() && self.period.to.is_some();
        require(fine, || {
            rejection::INVALID_PERIOD
                .with(detail!("`facts.period` needs an end, not before its beginning"))
        })
    }
}
