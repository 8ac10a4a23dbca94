//! Why a bill is refused, in words for the person at the desk.

use core::fmt;
use primitives::{CivilDate, Detail, SlotId, detail};

use crate::{
    facts::{AgeBand, SLOTS_MAX},
    word::VisitType,
};

/// Why a bill is not adjudicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjudicationError {
    /// The sums have no row.
    EmptyBill,
    /// The plan has no rules for this type of visit.
    VisitTypeNotCovered(VisitType),
    /// A day of service lies outside the plan's days.
    DayOutsidePlan(CivilDate),
    /// The rows lie in several periods of the plan: cut the stay first.
    SpansPeriods {
        /// The first day of service.
        first: CivilDate,
        /// The last day of service.
        last: CivilDate,
    },
    /// No plan of those given holds on this day.
    NoPlan(CivilDate),
    /// A row names a programme that the plan does not have.
    UnknownProgramme(u8),
    /// A row names a slot that the facts do not have.
    UnknownSlot(SlotId),
    /// A slot is named twice or is 0, a grant is named twice, or there are too many of them.
    WrongFacts,
    /// An age band lies on both sides of an age condition.
    AgeUndecided {
        /// The least age of the condition.
        from: u8,
        /// The age that is too old for the condition.
        below: u8,
        /// The band.
        band: AgeBand,
    },
    /// The rows fall into more groups and slots than can be kept apart.
    TooManyLanes,
    /// A running amount would not fit.
    TooLarge,
}

impl From<AdjudicationError> for Detail {
    fn from(error: AdjudicationError) -> Self {
        use AdjudicationError as Error;
        match error {
            Error::EmptyBill => detail!("the bill has no rows; add at least one"),
            Error::VisitTypeNotCovered(visit_type) => {
                detail!("the plan has no rules for visit type {visit_type}", visit_type)
            }
            Error::DayOutsidePlan(day) => detail!(
                "the plan does not hold on {day}; use the plan in force on the day of service",
                day
            ),
            Error::SpansPeriods { first, last } => detail!(
                "the days from {first} to {last} lie in several periods of the plan; adjudicate it as a stay",
                first,
                last
            ),
            Error::NoPlan(day) => detail!("no plan is in force on {day}", day),
            Error::UnknownProgramme(number) => {
                detail!("a line names programme {number}, which the plan does not have", number)
            }
            Error::UnknownSlot(slot) => {
                detail!("a line names slot {slot}, which is not among the person's slots", slot)
            }
            Error::WrongFacts => detail!(
                "`slots` and `family_accounts` must have distinct numbers, slots from 1, and at most {most} entries each",
                most = SLOTS_MAX
            ),
            Error::AgeUndecided { from, below, band } => detail!(
                "a rule for ages from {from} and below {below} is not decided by the age band from {band_from} and below {band_below}; attest a narrower band",
                from,
                below,
                band_from = band.from(),
                band_below = band.below()
            ),
            Error::TooManyLanes => {
                detail!("the bill names too many slots at once; split the bill")
            }
            Error::TooLarge => detail!("a running amount would get too large"),
        }
    }
}

impl fmt::Display for AdjudicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}

impl core::error::Error for AdjudicationError {}
