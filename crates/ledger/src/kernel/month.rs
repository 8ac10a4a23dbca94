//! Calendar months, as contributions, statements and budgets name them.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::CivilDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The years that a ledger's books are kept for.
pub const YEARS: core::ops::RangeInclusive<u16> = 2000..=2999;

/// A calendar month of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarMonth {
    /// The year, 2000 to 2999.
    pub year: u16,
    /// The month, 1 to 12.
    #[schemars(range(min = 1, max = 12))]
    pub month: u8,
}

impl CalendarMonth {
    /// Counted from the month 0 of the year 0; nothing for a month that there is not.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        let month = u32::from(self.month).checked_sub(1).filter(|month| *month < 12)?;
        let year = YEARS.contains(&self.year).then_some(u32::from(self.year))?;
        year.checked_mul(12)?.checked_add(month)
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { year: self.year, month: month.saturating_add(1) },
        }
    }

    /// The month before the one of this day: the last that is over.
    #[must_use]
    pub fn before(today: CivilDate) -> Option<Self> {
        let (year, month) = (u16::try_from(today.year()).ok()?, today.month());
        match month {
            1 => Some(Self { year: year.checked_sub(1)?, month: 12 }),
            _ => Some(Self { year, month: month.checked_sub(1)? }),
        }
    }

    /// Whether it is over on this day.
    #[must_use]
    pub fn is_over(self, today: CivilDate) -> bool {
        let next = self.next();
        CivilDate::from_ymd(i32::from(next.year), next.month, 1).is_some_and(|day| day <= today)
    }
}
