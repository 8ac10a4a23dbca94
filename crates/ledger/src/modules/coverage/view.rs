//! What others may read of coverage, what rules may ask of a person on a day, and the running
//! amounts.

use alloc::{sync::Arc, vec::Vec};
use benefit::{AgeBand, Filing, IncomeClass, PersonClasses, Place, Sex, SlotFact};
use primitives::{CivilDate, FamilyId, Period, PersonId, RegionId, SchemeId};

use super::change::require_row;
use super::place;
pub(crate) use super::place::around;
pub use super::scheme_family::BASIC as BASIC_SCHEMES;
use super::table::{COVERAGES, Coverage, CoverageRow};
use super::terms::CoverageTerms;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::Rejection;
use crate::modules::{network, person};

pub(crate) use super::counters::set_running_amounts;
pub use super::counters::{RunningAmounts, accumulators_on, running_amounts};

/// What a coverage says of a person for care on one day: a part of [`benefit::Facts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageFacts {
    /// Where the care is given, seen from the insured place.
    pub place: Place,
    /// The filing under which it is given.
    pub filing: Filing,
    /// The age as a band.
    pub age: AgeBand,
    /// Sex.
    pub sex: Sex,
    /// Every class the person belongs to.
    pub person_classes: PersonClasses,
    /// The income class, 0 for none.
    pub income_class: IncomeClass,
    /// Years insured without a break.
    pub unbroken_years: u8,
    /// Years in a row before this one in which nothing was claimed.
    pub claim_free_years: u8,
    /// Whether the day lies in the month of the 75th birthday.
    pub month_of_75: bool,
    /// The family with which the person shares running amounts.
    pub family: Option<FamilyId>,
    /// Every slot that is valid on the day, by number.
    pub slots: Vec<SlotFact>,
}

/// What covers a person, if anything ever did.
pub fn coverage(state: &(impl Read + ?Sized), person: PersonId) -> Option<CoverageRow> {
    COVERAGES.get(state, &person)
}

/// The bytes under which a person's coverage row is kept; for state proofs to the person.
#[must_use]
pub fn coverage_key(person: PersonId) -> Vec<u8> {
    COVERAGES.key_bytes(&person)
}

/// The coverage that holds on this day for a person whose care on it counts. Whether the person is
/// locked does not matter.
///
/// # Errors `unknown_person`, `person_closed`, `not_covered` (naming another region that covers the
/// person), and `coverage_not_yet`, `coverage_waiting`, `coverage_suspended`, `coverage_ended` with
/// the day from which it holds.
pub fn require_active_coverage(
    state: &(impl Read + ?Sized),
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
    day: CivilDate,
) -> Result<Coverage, Rejection> {
    person::view::require_person_on(state, person, day)?;
    let row = require_row(state, person)?;
    let holds = row.of(region, scheme).find(|one| one.require_active_on(day).is_ok());
    holds.cloned().ok_or_else(|| row.why_not_covered(region, scheme, day))
}

/// Whether care in `care` counts as care at home for those who are insured in `home`.
#[must_use]
pub fn is_at_home(home: RegionId, care: RegionId) -> bool {
    matches!(place::seen_from(home, care), Place::Home)
}

/// The age band that is attested for a person on this day; of several coverages' the one that
/// reaches highest, so that nobody counts as younger than any of them says.
pub fn attested_age(
    state: &(impl Read + ?Sized),
    person: PersonId,
    day: CivilDate,
) -> Option<AgeBand> {
    let row = coverage(state, person)?;
    let facts = row.coverages.iter().filter_map(|one| one.facts_on(day).ok());
    facts.map(|facts| facts.age).max_by_key(|age| age.below())
}

/// What rules may ask about a person of this scheme at this insured place, for care in the region
/// `care` on this day (of admission, for a stay).
///
/// # Errors
/// As [`require_active_coverage`], and `facts_missing`.
pub fn facts_for(
    state: &(impl Read + ?Sized),
    person: PersonId,
    region: RegionId,
    scheme: SchemeId,
    care: RegionId,
    day: CivilDate,
) -> Result<CoverageFacts, Rejection> {
    let coverage = require_active_coverage(state, person, region, scheme, day)?;
    let facts = coverage.facts_on(day)?;
    Ok(CoverageFacts {
        place: place::seen_from(region, care),
        filing: coverage.filing_on(care, day),
        age: facts.age,
        sex: facts.sex,
        person_classes: facts.person_classes,
        income_class: facts.income_class,
        unbroken_years: facts.unbroken_years,
        claim_free_years: facts.claim_free_years,
        month_of_75: facts.month_of_75,
        family: facts.family,
        slots: coverage.slots_on(day),
    })
}

/// The person's row once enrolled by these terms on this day; nothing is written.
///
/// # Errors
/// As [`enrol`].
pub(crate) fn enrolled(
    state: &(impl Read + ?Sized),
    (person, region): (PersonId, RegionId),
    terms: &CoverageTerms,
    today: CivilDate,
) -> Result<CoverageRow, Rejection> {
    terms.check()?;
    person::view::require_person(state, person)?;
    let kept_from = network::view::require_region(state, region)?.retention_day(today);
    let mut row = COVERAGES.get(state, &person).unwrap_or_default();
    row.enrol(region, terms, kept_from)?;
    Ok(row)
}

/// Enrols a person by these terms.
///
/// # Errors
/// `unknown_person`, `person_closed`, `invalid_coverage_period`, `covered_elsewhere`,
/// `already_covered` and the bounds of the row.
pub(crate) fn enrol(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    at: (PersonId, RegionId),
    terms: &CoverageTerms,
) -> Result<(), Rejection> {
    let region = network::view::require_region(state, at.1)?;
    let today = context.day(region.settings.utc_offset_minutes);
    let row = enrolled(state, at, terms, today)?;
    COVERAGES.put(state, &at.0, &row);
    Ok(())
}

/// Takes the days of a period that has not begun out of a coverage.
///
/// # Errors
/// `not_covered` and the like.
pub(crate) fn withdraw(
    state: &mut Overlay<'_>,
    person: PersonId,
    (region, scheme): (RegionId, SchemeId),
    period: &Period,
) -> Result<(), Rejection> {
    let mut row = Arc::unwrap_or_clone(require_row(state, person)?);
    row.withdraw(region, scheme, period)?;
    COVERAGES.put(state, &person, &row);
    Ok(())
}

impl CoverageFacts {
    /// Puts what is known here into the facts of a visit. All valid slots go in; a caller that
    /// knows the bill keeps those that its lines name.
    pub fn fill(&self, facts: &mut benefit::Facts) {
        facts.place = self.place;
        facts.filing = self.filing;
        facts.age = self.age;
        facts.sex = self.sex;
        facts.person_classes = self.person_classes;
        facts.income_class = self.income_class;
        facts.unbroken_years = self.unbroken_years;
        facts.claim_free_years = self.claim_free_years;
        facts.month_of_75 = self.month_of_75;
        facts.in_family = self.family.is_some();
        facts.slots.clone_from(&self.slots);
    }
}

impl Coverage {
    /// The filing that counts for care in this region on this day: none is needed at home; of
    /// several that fit, the one with the lowest number of the list (long-term, referral,
    /// emergency).
    #[must_use]
    pub fn filing_on(&self, care: RegionId, day: CivilDate) -> Filing {
        if place::seen_from(self.region, care) == Place::Home {
            return Filing::NotNeeded;
        }
        let valid = self
            .filings
            .iter()
            .filter(|entry| entry.period.contains(day) && place::contains(entry.place, care));
        valid.map(|entry| entry.filing).min().unwrap_or(Filing::Unfiled)
    }

    /// Every slot that is valid on this day, by number.
    #[must_use]
    pub fn slots_on(&self, day: CivilDate) -> Vec<SlotFact> {
        let valid = self.slots.iter().filter(|entry| entry.period.contains(day));
        let mut slots: Vec<SlotFact> = valid
            .map(|entry| SlotFact { slot: entry.slot, group: entry.group, amount: entry.amount })
            .collect();
        slots.sort_by_key(|fact| fact.slot);
        slots
    }
}
