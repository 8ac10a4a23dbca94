//! Running amounts: the person's own in the coverage row, a family's in a row that its members
//! share.

use benefit::accumulator::ACCUMULATORS_MAX;
use benefit::{AccumulatorScope, Accumulators};
use primitives::{CivilDate, FamilyId, PersonId, RegionId, SchemeId};

use super::change::require_row;
use super::rejection;
use super::table::{COUNTERS_MAX, COVERAGES, Counters, CoverageRow, FAMILIES};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};

impl CoverageRow {
    /// The person's own running amounts in this scheme at this insured place, also after a move
    /// that kept them.
    fn counters(&self, region: RegionId, scheme: SchemeId) -> Option<&Counters> {
        self.counters.iter().find(|one| one.scheme == scheme && one.regions.contains(&region))
    }

    /// The family whose running amounts count: the one attested last.
    fn family(&self, region: RegionId, scheme: SchemeId) -> Option<FamilyId> {
        self.of(region, scheme).last()?.facts.last()?.family
    }

    fn set_counters(
        &mut self,
        region: RegionId,
        scheme: SchemeId,
        accumulators: Accumulators,
    ) -> Result<(), Rejection> {
        require(accumulators.len() <= ACCUMULATORS_MAX, || rejection::TOO_MANY_COUNTERS.reject())?;
        let fits = |one: &&mut Counters| one.scheme == scheme && one.regions.contains(&region);
        if let Some(one) = self.counters.iter_mut().find(fits) {
            one.accumulators = accumulators;
            return Ok(());
        }
        require(self.counters.len() < COUNTERS_MAX, || rejection::TOO_MANY_COUNTERS.reject())?;
        self.counters.push(Counters { scheme, regions: alloc::vec![region], accumulators });
        Ok(())
    }

    /// Lets the amounts of one insured place go along to another. Amounts that are there already
    /// from an earlier time are added: each was spent once.
    pub(super) fn keep_counters(
        &mut self,
        scheme: SchemeId,
        from: RegionId,
        to: RegionId,
    ) -> Result<(), Rejection> {
        if self.counters(from, scheme).is_none() {
            self.set_counters(from, scheme, Accumulators::new())?;
        }
        let there = |one: &Counters| one.scheme == scheme && one.regions.contains(&to);
        let earlier = self.counters.iter().position(there);
        let here = |one: &Counters| one.scheme == scheme && one.regions.contains(&from);
        if earlier.is_some() && earlier == self.counters.iter().position(here) {
            return Ok(());
        }
        let earlier = earlier.map(|place| self.counters.remove(place));
        let Some(counters) = self.counters.iter_mut().find(|one| here(one)) else { return Ok(()) };
        match earlier {
            Some(earlier) => {
                counters.regions.extend(earlier.regions);
                for (key, value) in earlier.accumulators.iter() {
                    let sum = counters.accumulators.get(key).saturating_add(value);
                    counters.accumulators.set(*key, sum);
                }
                let within = counters.accumulators.len() <= ACCUMULATORS_MAX;
                require(within, || rejection::TOO_MANY_COUNTERS.reject())
            }
            None => {
                counters.regions.push(to);
                Ok(())
            }
        }
    }
}

/// The running amounts of a person in a scheme at an insured place: the person's own, and those of
/// the family that was attested last.
pub fn accumulators(
    state: &(impl Read + ?Sized),
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
) -> Accumulators {
    let Some(row) = COVERAGES.get(state, &person) else { return Accumulators::new() };
    let own = row.counters(region, scheme).map(|one| one.accumulators.clone()).unwrap_or_default();
    match row.family(region, scheme).and_then(|family| FAMILIES.get(state, &(family, scheme))) {
        Some(shared) => own.merged(&shared),
        None => own,
    }
}

/// Sets the running amounts of a person in a scheme at an insured place, as [`accumulators`] gave
/// them and an adjudication changed them. Amounts of the visit alone are left out; amounts whose
/// period is more than two years past are put away, lifetime ones never.
///
/// # Errors
/// `not_covered` when the person has no coverage at all, `too_many_running_amounts`.
pub(crate) fn set_accumulators(
    state: &mut Overlay<'_>,
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
    accumulators: &Accumulators,
    today: CivilDate,
) -> Result<(), Rejection> {
    let mut row = require_row(state, person)?;
    let family = row.family(region, scheme);
    let kept = accumulators.filter(|key| !key.period.is_visit() && !key.period.is_past(today));
    let own = match family {
        Some(family) => {
            let shared = kept.filter(|key| key.scope == AccumulatorScope::Family);
            let within = shared.len() <= ACCUMULATORS_MAX;
            require(within, || rejection::TOO_MANY_COUNTERS.reject())?;
            FAMILIES.put(state, &(family, scheme), &shared);
            kept.filter(|key| key.scope == AccumulatorScope::Person)
        }
        None => kept,
    };
    row.set_counters(region, scheme, own)?;
    COVERAGES.put(state, &person, &row);
    Ok(())
}
