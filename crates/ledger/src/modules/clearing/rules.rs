//! A region's rules of paying providers.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Rate, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use crate::kernel::rejection::{Rejection, require};

/// The longest time for paying or for clearing a difference, in days. Our own limit.
const DAYS_MAX: u16 = 366;

/// How much of a month is held back, and until when the rest is paid.
///
/// The figures are data of the region with their source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingRules {
    /// The share of each statement that is held back until the year is over, below 1.
    pub hold_back: Rate,
    /// Within how many days after a month was closed the statement is paid, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    pub pay_within_days: u16,
    /// Within how many days a difference with the bank is cleared by its owner, 1 to 366.
    #[schemars(range(min = 1, max = 366))]
    pub clear_within_days: u16,
    /// Where the rules come from: the decree's number and date.
    pub source: Text<200>,
}

impl ClearingRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_clearing_rules`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let days = [self.pay_within_days, self.clear_within_days];
        let holds =
            self.hold_back < Rate::ONE && days.iter().all(|days| (1..=DAYS_MAX).contains(days));
        require(holds, || rejection::INVALID_RULES.reject())
    }
}
