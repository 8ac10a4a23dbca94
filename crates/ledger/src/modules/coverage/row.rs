//! The rules of a person's coverage row, apart from who may apply them.

use alloc::vec::Vec;
use primitives::{CivilDate, Period, RegionId, SchemeId, detail};

use super::rejection;
use super::scheme_family::family;
use super::table::{
    AttestedFacts, COVERAGES_MAX, Coverage, CoverageRow, FACTS_MAX, KEPT_DAYS_AFTER_END,
    SUSPENSIONS_MAX, Standing,
};
use super::terms::CoverageTerms;
use crate::kernel::rejection::{Rejection, require};

impl Coverage {
    /// A coverage by these terms, with nothing filed.
    fn new(region: RegionId, terms: &CoverageTerms) -> Self {
        Self {
            region,
            scheme: terms.scheme,
            period: terms.period,
            suspensions: terms.waiting().into_iter().collect(),
            facts: alloc::vec![terms.facts],
            filings: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// How it stands on this day.
    #[must_use]
    pub fn standing_on(&self, day: CivilDate) -> Standing {
        if day < self.period.from {
            return Standing::NotYet { from: self.period.from };
        }
        if let Some(last_day) = self.period.to.filter(|last| *last < day) {
            return Standing::Ended { last_day };
        }
        match self.suspensions.iter().find(|rest| rest.contains(day)) {
            None => Standing::Active,
            Some(rest) => match rest.to.filter(|_| rest.from == self.period.from) {
                Some(until) => Standing::Waiting { until },
                None => Standing::Suspended { rest: *rest },
            },
        }
    }

    /// It holds on this day.
    ///
    /// # Errors `coverage_not_yet`, `coverage_waiting`, `coverage_suspended` or `coverage_ended`,
    /// naming from when it holds or since when it does not.
    pub fn require_active_on(&self, day: CivilDate) -> Result<(), Rejection> {
        Err(match self.standing_on(day) {
            Standing::Active => return Ok(()),
            Standing::NotYet { from } => {
                rejection::COVERAGE_NOT_YET.with(detail!("it holds from {from}", from))
            }
            Standing::Waiting { until } => rejection::COVERAGE_WAITING
                .with(detail!("it holds from {from}", from = until.plus_days(1).unwrap_or(until))),
            Standing::Suspended { rest: Period { from, to: None } } => {
                rejection::COVERAGE_SUSPENDED
                    .with(detail!("since {from}, until it is resumed", from))
            }
            Standing::Suspended { rest: Period { from, to: Some(to) } } => {
                let again = to.plus_days(1).unwrap_or(to);
                rejection::COVERAGE_SUSPENDED.with(detail!(
                    "since {from}; it holds again from {again}",
                    from,
                    again
                ))
            }
            Standing::Ended { last_day } => {
                rejection::COVERAGE_ENDED.with(detail!("its last day was {last_day}", last_day))
            }
        })
    }

    /// What is attested for this day.
    ///
    /// # Errors
    /// `facts_missing`, naming until when something is attested.
    pub fn facts_on(&self, day: CivilDate) -> Result<&AttestedFacts, Rejection> {
        self.facts.iter().find(|facts| facts.period.contains(day)).ok_or_else(|| {
            let before = self.facts.iter().filter_map(|facts| facts.period.to);
            match before.filter(|to| *to < day).max() {
                Some(last) => rejection::FACTS_MISSING
                    .with(detail!("the last attestation ends on {last}", last)),
                None => rejection::FACTS_MISSING.reject(),
            }
        })
    }

    /// Takes facts in: on their days they take the place of what was attested before.
    pub(super) fn attest(&mut self, new: AttestedFacts) -> Result<(), Rejection> {
        let mut facts: Vec<AttestedFacts> = Vec::new();
        for old in &self.facts {
            for period in without(old.period, new.period) {
                facts.push(AttestedFacts { period, ..*old });
            }
        }
        facts.push(new);
        facts.sort_by_key(|facts| facts.period.from);
        require(facts.len() <= FACTS_MAX, || rejection::TOO_MANY_FACTS.with(FACTS_MAX))?;
        self.facts = facts;
        Ok(())
    }

    /// Lets it rest from this day on.
    pub(super) fn suspend(&mut self, from: CivilDate) -> Result<(), Rejection> {
        let later = self.suspensions.iter().find(|rest| rest.to.is_none_or(|to| from <= to));
        if let Some(rest) = later {
            return Err(
                rejection::COVERAGE_SUSPENDED.with(detail!("since {from}", from = rest.from))
            );
        }
        require(self.suspensions.len() < SUSPENSIONS_MAX, || {
            rejection::TOO_MANY_SUSPENSIONS.with(SUSPENSIONS_MAX)
        })?;
        self.suspensions.push(Period { from, to: None });
        Ok(())
    }

    /// Lets it hold again from this day on.
    pub(super) fn resume(&mut self, from: CivilDate) -> Result<(), Rejection> {
        let place = self.suspensions.iter().position(|rest| rest.contains(from));
        let place = place.ok_or_else(|| rejection::NOT_SUSPENDED.reject())?;
        let rest = self.suspensions.remove(place);
        if rest.from < from {
            let to = from.plus_days(-1);
            self.suspensions.insert(place, Period { from: rest.from, to });
        }
        Ok(())
    }

    /// Puts away what ended long ago.
    fn prune(&mut self, today: CivilDate) {
        self.suspensions.retain(|rest| !is_long_over(rest, today));
        self.facts.retain(|facts| !is_long_over(&facts.period, today));
        self.filings.retain(|filing| !is_long_over(&filing.period, today));
        self.slots.retain(|slot| !is_long_over(&slot.period, today));
    }
}

impl CoverageRow {
    /// The coverages of this scheme in this region.
    pub fn of(&self, region: RegionId, scheme: SchemeId) -> impl Iterator<Item = &Coverage> {
        self.coverages.iter().filter(move |one| one.region == region && one.scheme == scheme)
    }

    /// The latest coverage of this scheme in this region that shares a day with the period.
    ///
    /// # Errors
    /// `not_covered`; `coverage_not_yet` or `coverage_ended` when it has no such day.
    pub(super) fn entry(
        &mut self,
        region: RegionId,
        scheme: SchemeId,
        period: &Period,
    ) -> Result<&mut Coverage, Rejection> {
        let fits = |one: &Coverage| {
            one.region == region && one.scheme == scheme && one.period.overlaps(period)
        };
        match self.coverages.iter().rposition(fits) {
            Some(place) => {
                self.coverages.get_mut(place).ok_or_else(|| rejection::NOT_COVERED.reject())
            }
            None => Err(self.why_not_covered(region, scheme, period.from)),
        }
    }

    /// Why no coverage of this scheme in this region holds on this day.
    pub(super) fn why_not_covered(
        &self,
        region: RegionId,
        scheme: SchemeId,
        day: CivilDate,
    ) -> Rejection {
        let begun = self.of(region, scheme).filter(|one| one.period.from <= day);
        let nearest = begun
            .max_by_key(|one| one.period.from)
            .or_else(|| self.of(region, scheme).min_by_key(|one| one.period.from));
        if let Some(one) = nearest {
            let why = one.require_active_on(day);
            return why.err().unwrap_or_else(|| rejection::NOT_COVERED.reject());
        }
        let other = self
            .coverages
            .iter()
            .find(|one| family(one.scheme) == family(scheme) && one.period.contains(day));
        match other {
            Some(one) => rejection::NOT_COVERED.with(detail!(
                "region {region} covers the person in scheme {scheme}",
                region = one.region,
                scheme = one.scheme
            )),
            None => rejection::NOT_COVERED.reject(),
        }
    }

    /// Enrols the person by these terms.
    ///
    /// # Errors
    /// `covered_elsewhere` naming the region that holds the place, `already_covered`,
    /// `too_many_coverages`, and as [`Coverage::attest`].
    pub(super) fn enrol(
        &mut self,
        region: RegionId,
        terms: &CoverageTerms,
        today: CivilDate,
    ) -> Result<(), Rejection> {
        self.prune(today);
        self.require_free(region, terms)?;
        let eve = terms.period.from.plus_days(-1);
        let ends = |one: &&mut Coverage| {
            one.region == region && one.scheme == terms.scheme && one.period.to == eve
        };
        if let Some(one) = self.coverages.iter_mut().find(ends) {
            one.period.to = terms.period.to;
            // Whoever is enrolled for a new period is covered in it: an open suspension ends with
            // the old one.
            for rest in one.suspensions.iter_mut().filter(|rest| rest.to.is_none()) {
                rest.to = eve;
            }
            one.suspensions.extend(terms.waiting());
            require(one.suspensions.len() <= SUSPENSIONS_MAX, || {
                rejection::TOO_MANY_SUSPENSIONS.with(SUSPENSIONS_MAX)
            })?;
            return one.attest(terms.facts);
        }
        require(self.coverages.len() < COVERAGES_MAX, || {
            rejection::TOO_MANY_COVERAGES.with(COVERAGES_MAX)
        })?;
        self.coverages.push(Coverage::new(region, terms));
        self.coverages.sort_by_key(|one| one.period.from);
        Ok(())
    }

    /// Takes the days of a period that has not begun out of a coverage: what began before goes on
    /// until its eve.
    ///
    /// # Errors
    /// As [`CoverageRow::entry`].
    pub(super) fn withdraw(
        &mut self,
        region: RegionId,
        scheme: SchemeId,
        period: &Period,
    ) -> Result<(), Rejection> {
        let one = self.entry(region, scheme, period)?;
        if one.period.from < period.from {
            one.period.to = period.from.plus_days(-1);
            one.suspensions.retain(|rest| rest.from < period.from);
            return Ok(());
        }
        let gone = (one.region, one.scheme, one.period);
        self.coverages.retain(|one| (one.region, one.scheme, one.period) != gone);
        Ok(())
    }

    /// No coverage of the same family of schemes has a day in these terms.
    fn require_free(&self, region: RegionId, terms: &CoverageTerms) -> Result<(), Rejection> {
        let taken = self.coverages.iter().find(|one| {
            family(one.scheme) == family(terms.scheme) && one.period.overlaps(&terms.period)
        });
        let Some(one) = taken else { return Ok(()) };
        if one.region == region && one.scheme == terms.scheme {
            return Err(rejection::ALREADY_COVERED.reject());
        }
        Err(match one.period.to {
            Some(to) => rejection::COVERED_ELSEWHERE.with(detail!(
                "region {region} in scheme {scheme} until {to}",
                region = one.region,
                scheme = one.scheme,
                to
            )),
            None => rejection::COVERED_ELSEWHERE.with(detail!(
                "region {region} in scheme {scheme} without end",
                region = one.region,
                scheme = one.scheme
            )),
        })
    }

    /// Puts away what ended more than two years ago. Lifetime amounts stay.
    pub(super) fn prune(&mut self, today: CivilDate) {
        self.coverages.retain(|one| !is_long_over(&one.period, today));
        for one in &mut self.coverages {
            one.prune(today);
        }
        for counters in &mut self.counters {
            counters.accumulators = counters.accumulators.filter(|key| !key.period.is_past(today));
        }
        self.counters.retain(|counters| {
            let alive = self
                .coverages
                .iter()
                .any(|one| one.scheme == counters.scheme && counters.regions.contains(&one.region));
            alive || !counters.accumulators.is_empty()
        });
    }
}

/// The days of `whole` that are not in `part`: none, one or two periods.
fn without(whole: Period, part: Period) -> Vec<Period> {
    if !whole.overlaps(&part) {
        return alloc::vec![whole];
    }
    let before = Period { from: whole.from, to: part.from.plus_days(-1) };
    let after = part.to.and_then(|to| to.plus_days(1)).map(|from| Period { from, to: whole.to });
    let first = (whole.from < part.from).then_some(before);
    first.into_iter().chain(after.filter(Period::is_ordered)).collect()
}

fn is_long_over(period: &Period, today: CivilDate) -> bool {
    let kept_until = period.to.and_then(|to| to.plus_days(KEPT_DAYS_AFTER_END));
    kept_until.is_some_and(|last| last < today)
}
