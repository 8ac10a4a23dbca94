//! A calendar month of a region, as statements and budgets name it.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::CivilDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use crate::kernel::rejection::{Rejection, require};

/// The years in which months are stated.
pub(super) const YEARS: core::ops::RangeInclusive<u16> = 2000..=2999;

/// A calendar month of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementMonth {
    /// The year, 2000 to 2999.
    pub year: u16,
    /// The month, 1 to 12.
    #[schemars(range(min = 1, max = 12))]
    pub month: u8,
}

impl StatementMonth {
    /// What can be said of the month alone.
    ///
    /// # Errors
    /// `invalid_statement_month`.
    pub(super) fn check(self) -> Result<(), Rejection> {
        let holds = YEARS.contains(&self.year) && (1..=12).contains(&self.month);
        require(holds, || rejection::INVALID_MONTH.reject())
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { year: self.year, month: month.saturating_add(1) },
        }
    }

    /// Whether it is over on this day.
    #[must_use]
    pub fn is_over(self, today: CivilDate) -> bool {
        let next = self.next();
        CivilDate::from_ymd(i32::from(next.year), next.month, 1).is_some_and(|day| day <= today)
    }
}
