//! Running amounts: the person's own in the coverage row, a family's in a row that its members
//! share.
//!
//! Invariant: what an adjudication added to a family's amounts is taken from that same family's,
//! whatever was attested since (test `a_refund_restores_the_family_that_the_settlement_counted`).

use alloc::{collections::BTreeMap, sync::Arc};
use benefit::accumulator::{ACCUMULATORS_MAX, AccumulatorError};
use benefit::{AccumulatorChange, AccumulatorScope, Accumulators};
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

/// The running amounts of a person in a scheme at an insured place, and of the families that the
/// person's care counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningAmounts {
    scheme: SchemeId,
    own: Accumulators,
    /// Those that were asked for; the others did not change.
    families: BTreeMap<FamilyId, Accumulators>,
}

impl RunningAmounts {
    /// Amounts of somebody for whom nothing was ever counted.
    #[must_use]
    pub const fn none(scheme: SchemeId) -> Self {
        Self { scheme, own: Accumulators::new(), families: BTreeMap::new() }
    }

    /// The person's own. Somebody without a family keeps the family's amounts alone.
    #[must_use]
    pub const fn own(&self) -> &Accumulators {
        &self.own
    }

    /// What counts for care that falls to this family, or to none.
    pub fn seen(&mut self, state: &(impl Read + ?Sized), family: Option<FamilyId>) -> Accumulators {
        let Some(family) = family else { return self.own.clone() };
        let scheme = self.scheme;
        let load = || FAMILIES.get(state, &(family, scheme)).unwrap_or_default();
        let shared = self.families.entry(family).or_insert_with(load);
        self.own.filter(|key| key.scope == AccumulatorScope::Person).merged(shared)
    }

    /// Keeps what [`Self::seen`] gave, after an adjudication changed it.
    pub fn keep(&mut self, family: Option<FamilyId>, seen: &Accumulators) {
        let Some(family) = family else {
            self.own = seen.clone();
            return;
        };
        self.families.insert(family, seen.filter(|key| key.scope == AccumulatorScope::Family));
        let alone = self.own.filter(|key| key.scope == AccumulatorScope::Family);
        self.own = seen.filter(|key| key.scope == AccumulatorScope::Person).merged(&alone);
    }

    /// Takes away what an adjudication for this family, or none, had added. A period that has been
    /// put away stands as that adjudication found it: nothing else can be counted in it any more.
    ///
    /// # Errors
    /// When less is there than was added.
    pub fn undo(
        &mut self,
        state: &(impl Read + ?Sized),
        family: Option<FamilyId>,
        changes: &[AccumulatorChange],
        today: CivilDate,
    ) -> Result<(), AccumulatorError> {
        let mut seen = self.seen(state, family);
        for change in changes.iter().filter(|change| !change.key.period.is_visit()) {
            if change.key.period.is_past(today) {
                seen.set(change.key, change.before);
            } else {
                seen.undo(core::slice::from_ref(change))?;
            }
        }
        self.keep(family, &seen);
        Ok(())
    }
}

/// The running amounts of a person in a scheme at an insured place.
pub fn running_amounts(
    state: &(impl Read + ?Sized),
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
) -> RunningAmounts {
    let row = COVERAGES.get(state, &person);
    let own = row.and_then(|row| row.counters(region, scheme).map(|one| one.accumulators.clone()));
    RunningAmounts { own: own.unwrap_or_default(), ..RunningAmounts::none(scheme) }
}

/// The running amounts as rules see them for care on this day: the person's own, and those of the
/// family that is attested for it.
pub fn accumulators_on(
    state: &(impl Read + ?Sized),
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
    day: CivilDate,
) -> Accumulators {
    let row = COVERAGES.get(state, &person).unwrap_or_default();
    let mut facts = row.of(region, scheme).flat_map(|one| &one.facts);
    let family = facts.find(|facts| facts.period.contains(day)).and_then(|facts| facts.family);
    running_amounts(state, person, region, scheme).seen(state, family)
}

/// Sets the running amounts of a person at an insured place, as [`running_amounts`] gave them and
/// adjudications changed them. Amounts of the visit alone are left out; amounts whose period is
/// more than two years past are put away, lifetime ones never.
///
/// # Errors
/// `not_covered` when the person has no coverage at all, `too_many_running_amounts`.
pub(crate) fn set_running_amounts(
    state: &mut Overlay<'_>,
    person: PersonId,
    region: RegionId,
    amounts: &RunningAmounts,
    today: CivilDate,
) -> Result<(), Rejection> {
    let lasting = |list: &Accumulators| {
        list.filter(|key| !key.period.is_visit() && !key.period.is_past(today))
    };
    for (family, shared) in &amounts.families {
        let shared = lasting(shared);
        let within = shared.len() <= ACCUMULATORS_MAX;
        require(within, || rejection::TOO_MANY_COUNTERS.reject())?;
        FAMILIES.put(state, &(*family, amounts.scheme), &shared);
    }
    let mut row = Arc::unwrap_or_clone(require_row(state, person)?);
    row.set_counters(region, amounts.scheme, lasting(&amounts.own))?;
    COVERAGES.put(state, &person, &row);
    Ok(())
}
