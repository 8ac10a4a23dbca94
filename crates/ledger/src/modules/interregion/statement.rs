//! Statements between regions: what a month of items adds up to, and the answer to it.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::RegionItem;
use super::table::PairRow;
use crate::kernel::account::RegionPair;

/// What a region of care states to an insured region for a month: the items since the statement
/// before, up to the block in which the month was closed.
///
/// Invariant: `gross + carried + owing = returned + carried_back + payable`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct RegionStatement {
    /// The number of the last item of the statement before; 0 for the first statement.
    pub after_item: u64,
    /// The number of its last item.
    pub to_item: u64,
    /// The hash over all items up to the statement before.
    pub before: Hash,
    /// The hash over all items up to its last one.
    pub items: Hash,
    /// What settlements and corrections added.
    pub gross: Amount,
    /// How many items that are.
    pub settlements: u32,
    /// What refunds and corrections took back.
    pub returned: Amount,
    /// How many items that are.
    pub returns: u32,
    /// What was left to be agreed to from before: disputes that were ended.
    pub carried: Amount,
    /// What the region of care owed from before, because more was given back than advanced.
    pub carried_back: Amount,
    /// What the insured region is to agree to.
    pub payable: Amount,
    /// What the region of care owes: it goes on to the next statement.
    pub owing: Amount,
    /// The last day for an answer.
    pub answer_by: CivilDate,
    /// The day by which it is paid.
    pub pay_by: CivilDate,
    /// When it was closed, by block time.
    pub closed: Timestamp,
    /// The answer.
    pub answer: Option<Answer>,
}

impl RegionStatement {
    /// Whether these items are all of the statement's, in their order, and come to its sums, counts
    /// and hash.
    #[must_use]
    pub fn is_sum_of<'a>(
        &self,
        pair: RegionPair,
        items: impl IntoIterator<Item = &'a RegionItem>,
    ) -> bool {
        let mut sums = PairRow { items: self.after_item, chain: self.before, ..PairRow::default() };
        for item in items {
            if item.number != sums.items.saturating_add(1) {
                return false;
            }
            sums.add(pair, item);
        }
        let counts = (sums.gross, sums.settlements, sums.returned, sums.returns);
        (sums.items, sums.chain) == (self.to_item, self.items)
            && counts == (self.gross, self.settlements, self.returned, self.returns)
    }
}

/// The answer to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Which bureau answered.
    pub by: OrganisationId,
    /// When, by block time.
    pub time: Timestamp,
    /// What is agreed to.
    pub agreed: Amount,
    /// What of it was set off against what the region of care has to pay.
    pub set_off: Amount,
    /// What is disputed.
    pub disputed: Amount,
    /// The disputed items by their numbers.
    pub disputed_items: Vec<u64>,
}
