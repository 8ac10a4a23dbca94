//! What others may read of clearing.

use alloc::vec::Vec;
use primitives::{Amount, CivilDate, Hash, OrganisationId, RegionId};

use super::batch::PayoutBatch;
use super::day::{BankDay, DayTotals};
use super::rejection;
use super::rules::ClearingRules;
use super::statement::{HeldYear, StatementRow};
use super::table::{
    BATCHES, BUDGETS, CLEARED, DAYS, HELD, LAST_BATCH, PROVIDERS, REFERENCES, RULES, STATEMENTS,
    TOTALS,
};
use crate::kernel::account::Books;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};

/// A region's rules. They are public.
pub fn rules(state: &(impl Read + ?Sized), region: RegionId) -> Option<ClearingRules> {
    RULES.get(state, &region)
}

/// A region's rules, which must be there.
///
/// # Errors
/// `clearing_rules_missing`.
pub(super) fn require_rules(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<ClearingRules, Rejection> {
    rules(state, region).ok_or_else(|| rejection::RULES_MISSING.with(region))
}

/// The providers of a region with statements, sorted, for the bureau.
pub fn providers(state: &(impl Read + ?Sized), region: RegionId) -> Vec<OrganisationId> {
    PROVIDERS.get(state, &region).unwrap_or_default()
}

/// The first and the last month that were stated of a provider, for it and the bureau.
pub fn stated(
    state: &(impl Read + ?Sized),
    books: Books,
) -> Option<(CalendarMonth, CalendarMonth)> {
    CLEARED.get(state, &books).map(|row| (row.first, row.last))
}

/// A statement, for its provider and the bureau.
pub fn statement(
    state: &(impl Read + ?Sized),
    books: Books,
    month: CalendarMonth,
) -> Option<StatementRow> {
    STATEMENTS.get(state, &(books, month))
}

/// What was held back of a provider's year, for it and the bureau.
pub fn held(state: &(impl Read + ?Sized), books: Books, year: u16) -> HeldYear {
    HELD.get(state, &(books, year)).unwrap_or_default()
}

/// A provider's budget of a year by month, for it and the bureau.
pub fn budget(state: &(impl Read + ?Sized), books: Books, year: u16) -> Option<Vec<Amount>> {
    BUDGETS.get(state, &(books, year))
}

/// The number of a region's last batch; 0 before the first one.
pub fn last_batch(state: &(impl Read + ?Sized), region: RegionId) -> u32 {
    LAST_BATCH.get(state, &region).unwrap_or_default()
}

/// A batch, for the bureau and those who approve.
pub fn batch(state: &(impl Read + ?Sized), region: RegionId, number: u32) -> Option<PayoutBatch> {
    BATCHES.get(state, &(region, number))
}

/// Notes a movement of a region's bank by the salted hash of the bank's own reference: what went
/// out and what another region's payment brought in, each once for ever.
///
/// # Errors
/// `bank_reference_used`.
pub(crate) fn use_reference(
    state: &mut Overlay<'_>,
    region: RegionId,
    reference: Hash,
) -> Result<(), Rejection> {
    let key = (region, reference);
    require(!REFERENCES.has(state, &key), || rejection::BANK_REFERENCE_USED.with(reference))?;
    REFERENCES.put(state, &key, &());
    Ok(())
}

/// What the ledger recorded of payments on a day.
pub fn totals(state: &(impl Read + ?Sized), region: RegionId, day: CivilDate) -> DayTotals {
    TOTALS.get(state, &(region, day)).unwrap_or_default()
}

/// A day that was compared with the bank and closed.
pub fn bank_day(state: &(impl Read + ?Sized), region: RegionId, day: CivilDate) -> Option<BankDay> {
    DAYS.get(state, &(region, day))
}
