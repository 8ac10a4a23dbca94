//! Rows between regions: rules, who clears with whom, items, statements.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, RegionId, VisitId};

use super::item::{ItemRow, RegionItem, chain};
use super::rules::DatedRules;
use super::statement::RegionStatement;
use crate::kernel::account::RegionPair;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const RULES: Table<RegionId, Vec<DatedRules>> = Table::new(0x0E00);
/// The regions with which a region has items in one direction or both, sorted.
pub(super) const COUNTERPARTS: Table<RegionId, Vec<RegionId>> = Table::new(0x0E02);
pub(super) const PAIRS: Table<RegionPair, PairRow> = Table::new(0x0E03);
/// Items by their number, from 1.
pub(super) const ITEMS: Table<(RegionPair, u64), ItemRow> = Table::new(0x0E04);
pub(super) const STATEMENTS: Table<(RegionPair, CalendarMonth), RegionStatement> =
    Table::new(0x0E05);
/// Between which regions a visit is cleared, from its settlement on: its refunds and corrections go
/// the same way, whatever became of the rules.
pub(super) const VISITS_BETWEEN: Table<VisitId, RegionPair> = Table::new(0x0E07);

/// With how many regions a region clears at the most. Our own limit: it bounds the row.
pub(super) const COUNTERPARTS_MAX: usize = 4_096;

/// Where a pair of regions stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PairRow {
    /// The number of the last item.
    pub items: u64,
    /// The hash over all of them.
    pub chain: Hash,
    /// What settlements and corrections added since the last statement.
    pub gross: Amount,
    /// How many items that are.
    pub settlements: u32,
    /// What refunds and corrections took back since the last statement.
    pub returned: Amount,
    /// How many items that are.
    pub returns: u32,
    /// The first month that was stated, and the last one.
    pub stated: Option<(CalendarMonth, CalendarMonth)>,
    /// The number of the last item that was stated.
    pub stated_items: u64,
    /// The hash over all items that were stated.
    pub stated_chain: Hash,
    /// Whether the last statement waits for its answer.
    pub waits: bool,
    /// What the insured region's bank has paid and the region of care has not confirmed yet.
    pub under_way: Amount,
}

impl PairRow {
    /// Counts one more item.
    pub fn add(&mut self, pair: RegionPair, item: &RegionItem) {
        self.items = item.number;
        self.chain = chain(&self.chain, pair, item);
        let (sum, count) = if item.is_return {
            (&mut self.returned, &mut self.returns)
        } else {
            (&mut self.gross, &mut self.settlements)
        };
        *sum = sum.saturating_add(item.amount);
        *count = count.saturating_add(1);
    }
}

/// Who may read them: everybody the rules, the two bureaus what is between their regions, those of
/// a visit how it is cleared.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    if RULES.is_key(key) {
        return Some(Readers::Everybody);
    }
    if let Some(visit) = VISITS_BETWEEN.key_of(key) {
        return Some(Readers::Visit(visit));
    }
    let pair = PAIRS
        .key_of(key)
        .or_else(|| ITEMS.key_of(key).map(|(pair, _)| pair))
        .or_else(|| STATEMENTS.key_of(key).map(|(pair, _)| pair));
    if let Some(pair) = pair {
        return Some(Readers::Bureaus(pair));
    }
    COUNTERPARTS.key_of(key).map(Readers::Bureau)
}
