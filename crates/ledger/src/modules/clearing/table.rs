//! Rows of clearing: rules, statements, what is held back, batches, the bank's days.

use alloc::{vec, vec::Vec};
use primitives::{Amount, CivilDate, Hash, OrganisationId, RegionId};

use super::batch::PayoutBatch;
use super::day::{BankDay, DayTotals};
use super::rules::ClearingRules;
use super::statement::{ClearingRow, HeldYear, StatementRow};
use crate::kernel::account::Books;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const RULES: Table<RegionId, ClearingRules> = Table::new(0x0C00);
/// The providers of a region with statements, sorted.
pub(super) const PROVIDERS: Table<RegionId, Vec<OrganisationId>> = Table::new(0x0C01);
pub(super) const CLEARED: Table<Books, ClearingRow> = Table::new(0x0C02);
pub(super) const STATEMENTS: Table<(Books, CalendarMonth), StatementRow> = Table::new(0x0C03);
pub(super) const HELD: Table<(Books, u16), HeldYear> = Table::new(0x0C04);
/// Twelve months of a year.
pub(super) const BUDGETS: Table<(Books, u16), Vec<Amount>> = Table::new(0x0C05);
pub(super) const BATCHES: Table<(RegionId, u32), PayoutBatch> = Table::new(0x0C06);
/// The number of a region's last batch.
pub(super) const LAST_BATCH: Table<RegionId, u32> = Table::new(0x0C07);
/// The bank's own references, each recorded once for ever, whether money went out or came in.
pub(super) const REFERENCES: Table<(RegionId, Hash), ()> = Table::new(0x0C08);
/// What the ledger recorded of payments on a day.
pub(super) const TOTALS: Table<(RegionId, CivilDate), DayTotals> = Table::new(0x0C09);
pub(super) const DAYS: Table<(RegionId, CivilDate), BankDay> = Table::new(0x0C0A);

/// How many providers of a region have statements at the most. Our own limit: it bounds the row.
pub(super) const PROVIDERS_MAX: usize = 4_096;

/// Who may read them: everybody the rules, a provider and its bureau the provider's statements, the
/// bureau all else.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    if RULES.is_key(key) {
        return Some(Readers::Everybody);
    }
    let books = CLEARED
        .key_of(key)
        .or_else(|| STATEMENTS.key_of(key).map(|(books, _)| books))
        .or_else(|| HELD.key_of(key).map(|(books, _)| books))
        .or_else(|| BUDGETS.key_of(key).map(|(books, _)| books));
    if let Some(books) = books {
        return Some(Readers::Books(books));
    }
    let regions = vec![
        PROVIDERS.key_of(key),
        LAST_BATCH.key_of(key),
        BATCHES.key_of(key).map(|(region, _)| region),
        REFERENCES.key_of(key).map(|(region, _)| region),
        TOTALS.key_of(key).map(|(region, _)| region),
        DAYS.key_of(key).map(|(region, _)| region),
    ];
    regions.into_iter().flatten().next().map(Readers::Bureau)
}
