//! A season: what is due from whom in which days, and from when benefits hold.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, FundId, OrganisationId, Period, RegionId, SchemeId, Text, detail,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::PremiumRecord;
use super::tally::LOCK_MINUTES_MAX;
use crate::kernel::rejection::{Rejection, require};

/// How many classes of persons a season has at the most. Our own limit: it bounds the row.
const CLASSES_MAX: usize = 16;
/// How many locks a payer may have at once at the most, whatever a region sets. Our own limit: it
/// bounds the payer's row.
const LOCKS_PER_PAYER_MAX: u8 = 64;

/// Which season: a scheme's year at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeasonId {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The benefit year.
    pub year: u16,
}

/// What a class of persons owes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumClass {
    /// Its number within the season.
    pub number: u8,
    /// Its name, such as `full`, `subsidised` or `waived`.
    pub name: Text<32>,
    /// What a person owes within the window; zero when others bear all of it.
    pub amount: Amount,
    /// What a person owes after the window: in many places the subsidy as well.
    pub late_amount: Amount,
    /// What a person pays for each missed year to shorten the waiting period.
    pub repair_amount: Amount,
}

/// How long benefits wait after missed years (healthcare security administration and finance, 2024:
/// three months, one more for each further year, one less for each year that is paid afterwards,
/// six at least after four).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingRule {
    /// Months after the first missed year.
    pub months: u8,
    /// Months for each further missed year.
    pub per_further_year: u8,
    /// From how many missed years on the break counts as long.
    pub long_break_years: u8,
    /// The fewest months after a long break, whatever is paid afterwards.
    pub long_break_months: u8,
}

impl WaitingRule {
    /// How many months benefits wait after so many missed years, of which some were paid
    /// afterwards.
    #[must_use]
    pub fn months_after(&self, missed: u8, repaired: u8) -> u8 {
        let Some(further) = missed.checked_sub(1) else { return 0 };
        let all = self.months.saturating_add(self.per_further_year.saturating_mul(further));
        let left = all.saturating_sub(repaired);
        if missed >= self.long_break_years { left.max(self.long_break_months) } else { left }
    }
}

/// The terms of a season. Days are days of the region's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumSeason {
    /// The fund that the premiums are for, kept by the region's bureau.
    pub fund: FundId,
    /// Who collects: a tax authority, or the bureau itself.
    pub collector: OrganisationId,
    /// The days that the premium covers; it has an end.
    pub cover: Period,
    /// The days in which it is paid; it has an end.
    pub window: Period,
    /// The last day on which late payers are accepted, if they are.
    #[serde(default)]
    pub late_until: Option<CivilDate>,
    /// What is due, 1 to 16 classes in the order of their numbers.
    #[schemars(length(min = 1, max = 16))]
    pub classes: Vec<PremiumClass>,
    /// For how long a query locks a record, in minutes, 1 to 1,440.
    #[schemars(range(min = 1, max = 1440))]
    pub lock_minutes: u16,
    /// For how many persons a payer may pay at once, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub locks_per_payer: u8,
    /// How often a record may be locked on one day, 1 to 255.
    #[schemars(range(min = 1))]
    pub locks_per_record: u8,
    /// How long benefits wait after missed years.
    pub waiting: WaitingRule,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

/// What is due from a person on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PremiumDue {
    /// The season's premium with the repair of missed years.
    pub amount: Amount,
    /// From when benefits hold.
    pub benefits_from: CivilDate,
    /// Whether nothing was missed, so that unbroken years go on.
    pub is_unbroken: bool,
}

impl PremiumSeason {
    /// What can be said of the terms alone.
    ///
    /// # Errors
    /// `invalid_premium_season`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let invalid = rejection::INVALID_SEASON;
        let days = |period: &Period| period.is_ordered() && period.to.is_some();
        require(days(&self.cover), || {
            invalid.with(detail!("`cover` needs an end, not before its beginning"))
        })?;
        require(days(&self.window), || {
            invalid.with(detail!("`window` needs an end, not before its beginning"))
        })?;
        let late = self
            .late_until
            .is_none_or(|last| self.window.to < Some(last) && Some(last) <= self.cover.to);
        require(late, || {
            invalid.with(detail!("`late_until` lies between the window's end and the cover's end"))
        })?;
        let ascending =
            self.classes.iter().zip(self.classes.iter().skip(1)).all(|(a, b)| a.number < b.number);
        require((1..=CLASSES_MAX).contains(&self.classes.len()) && ascending, || {
            invalid.with(detail!("`classes` are 1 to 16 in the order of their numbers"))
        })?;
        let locks = (1..=LOCK_MINUTES_MAX).contains(&self.lock_minutes)
            && (1..=LOCKS_PER_PAYER_MAX).contains(&self.locks_per_payer)
            && self.locks_per_record > 0;
        require(locks, || {
            invalid.with(detail!("a lock lasts 1 to 1440 minutes, a payer has 1 to 64 of them, a record at least one a day"))
        })
    }

    /// The class with this number.
    ///
    /// # Errors
    /// `unknown_premium_class`.
    pub(super) fn class(&self, number: u8) -> Result<&PremiumClass, Rejection> {
        self.classes
            .iter()
            .find(|class| class.number == number)
            .ok_or_else(|| rejection::UNKNOWN_CLASS.with(number))
    }

    /// What is due for a record on this day when so many missed years are paid as well.
    ///
    /// # Errors
    /// `premium_window_closed` with the days on which it is open, `premium_waived`,
    /// `nothing_to_repair`, `premium_without_benefit`, `unknown_premium_class`.
    pub fn due(
        &self,
        record: &PremiumRecord,
        day: CivilDate,
        repaired: u8,
    ) -> Result<PremiumDue, Rejection> {
        let class = self.class(record.class)?;
        let is_newborn = record.newborn_until.is_some_and(|last| day <= last);
        let in_window = self.window.contains(day);
        let is_late = !in_window
            && self.late_until.is_some_and(|last| self.window.to < Some(day) && day <= last);
        require(in_window || is_newborn || is_late, || self.closed())?;
        require(repaired <= record.missed_years, || {
            rejection::NOTHING_TO_REPAIR
                .with(detail!("{missed} years were missed", missed = record.missed_years))
        })?;
        let own = if is_late && !is_newborn { class.late_amount } else { class.amount };
        let repair = class.repair_amount.minor().saturating_mul(u64::from(repaired));
        let amount = own.saturating_add(Amount::from_minor(repair));
        require(!amount.is_zero(), || rejection::NOTHING_DUE.reject())?;
        let missed =
            if is_newborn { 0 } else { record.missed_years.saturating_add(u8::from(is_late)) };
        let months = self.waiting.months_after(missed, repaired);
        Ok(PremiumDue {
            amount,
            benefits_from: self.benefits_from(day, months, is_newborn)?,
            is_unbroken: missed == 0,
        })
    }

    /// Newborns are covered from the first day of the season or of their life, which is what the
    /// bureau attests; others from payment on, after the months of waiting.
    fn benefits_from(
        &self,
        day: CivilDate,
        months: u8,
        is_newborn: bool,
    ) -> Result<CivilDate, Rejection> {
        if is_newborn {
            return Ok(self.cover.from);
        }
        let first = self.cover.from.max(day);
        let from = plus_months(first, months).filter(|from| self.cover.contains(*from));
        from.ok_or_else(|| {
            rejection::NO_BENEFIT_LEFT.with(detail!("{months} months from {first}", months, first))
        })
    }

    fn closed(&self) -> Rejection {
        let (from, to) = (self.window.from, self.window.to.unwrap_or(self.window.from));
        rejection::WINDOW_CLOSED.with(match self.late_until {
            Some(late) => detail!("from {from} to {to}, late until {late}", from, to, late),
            None => detail!("from {from} to {to}", from, to),
        })
    }
}

/// The same day of a later month, or that month's last day.
fn plus_months(day: CivilDate, months: u8) -> Option<CivilDate> {
    let index = day.year().checked_mul(12)?.checked_add(i32::from(day.month()))?.checked_sub(1)?;
    let index = index.checked_add(i32::from(months))?;
    let month = u8::try_from(index.rem_euclid(12)).ok()?.checked_add(1)?;
    let year = index.div_euclid(12);
    (0..4).find_map(|less| CivilDate::from_ymd(year, month, day.day().saturating_sub(less)))
}
