//! Meters of a calendar month and year. A meter of a period that is over counts as zero; no sweep
//! resets it.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A calendar month of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Month {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month in which a day lies.
    #[must_use]
    pub fn of(day: CivilDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// The first day of the next month: from then on there are new slots.
    #[must_use]
    pub fn next(self) -> Option<CivilDate> {
        match self.month {
            12 => CivilDate::from_ymd(self.year.checked_add(1)?, 1, 1),
            month => CivilDate::from_ymd(self.year, month.checked_add(1)?, 1),
        }
    }
}

/// How often something happened in the last month in which it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MonthCount {
    /// The month.
    pub month: Month,
    /// How often.
    pub count: u8,
}

impl MonthCount {
    /// How often it happened in this month.
    #[must_use]
    pub fn in_month(count: Option<Self>, month: Month) -> u8 {
        count.filter(|one| one.month == month).map_or(0, |one| one.count)
    }

    /// Once more in this month.
    pub(super) fn plus_one(count: Option<Self>, month: Month) -> Self {
        Self { month, count: Self::in_month(count, month).saturating_add(1) }
    }
}

/// What a grant has paid in the last month and year in which it paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AidMeter {
    /// The month.
    pub month: Month,
    /// What it paid in it, less what came back.
    pub month_paid: Amount,
    /// What it paid in the month's year, less what came back.
    pub year_paid: Amount,
}

impl AidMeter {
    /// What was paid in the month of this day, and in its year.
    #[must_use]
    pub fn on(meter: Option<Self>, day: CivilDate) -> (Amount, Amount) {
        let month = Month::of(day);
        let Some(meter) = meter.filter(|one| one.month.year == month.year) else {
            return (Amount::ZERO, Amount::ZERO);
        };
        let month_paid = if meter.month == month { meter.month_paid } else { Amount::ZERO };
        (month_paid, meter.year_paid)
    }

    /// The meter after a payment on this day.
    pub(super) fn paid(meter: Option<Self>, day: CivilDate, amount: Amount) -> Self {
        let (month_paid, year_paid) = Self::on(meter, day);
        Self {
            month: Month::of(day),
            month_paid: month_paid.saturating_add(amount),
            year_paid: year_paid.saturating_add(amount),
        }
    }

    /// The meter after money came back that had been paid on this day. It falls in the month and
    /// the year in which it had risen, and in no other.
    pub(super) fn came_back(self, paid_on: CivilDate, amount: Amount) -> Self {
        let month = Month::of(paid_on);
        let mut meter = self;
        if meter.month == month {
            meter.month_paid = meter.month_paid.saturating_sub(amount);
        }
        if meter.month.year == month.year {
            meter.year_paid = meter.year_paid.saturating_sub(amount);
        }
        meter
    }
}
