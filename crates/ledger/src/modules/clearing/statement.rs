//! Statements of providers: rows and what they add up to.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::month::CalendarMonth;

/// What a provider's books say of a month: everything that was posted to its due since the cut-off
/// of the statement before, up to the block in which the month was closed.
///
/// Invariant: `settled + owing = carried + returned + held_back + payable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct StatementRow {
    /// The block of the cut-off before; 0 for the first statement.
    pub after_height: u64,
    /// The block of the cut-off: the last one that counts.
    pub to_height: u64,
    /// What the provider owed from the statement before.
    pub carried: Amount,
    /// What settlements and corrections added to its due.
    pub settled: Amount,
    /// What refunds and corrections took from it, and what an insurer paid directly.
    pub returned: Amount,
    /// What is held back until the year is over.
    pub held_back: Amount,
    /// What is to be paid.
    pub payable: Amount,
    /// What the provider owes because more was taken back than settled: it goes on to the next
    /// statement.
    pub owing: Amount,
    /// The month's budget, where one was set.
    pub budget: Option<Amount>,
    /// The day by which it is paid.
    pub pay_by: CivilDate,
    /// When it was closed, by block time.
    pub closed: Timestamp,
}

/// Where a provider's statements stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClearingRow {
    /// The first month that was stated.
    pub first: CalendarMonth,
    /// The last one.
    pub last: CalendarMonth,
    /// The block of its cut-off.
    pub height: u64,
    /// All that had come into the due by then.
    pub credits: u64,
    /// All that had left it, the statement's own movements among it.
    pub debits: u64,
}

/// What was held back of a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct HeldYear {
    /// All that was held back.
    pub held: Amount,
    /// What of it was released to the provider.
    pub released: Amount,
    /// What of it went back to a fund.
    pub withheld: Amount,
    /// Whether it was decided.
    pub decided: bool,
}
