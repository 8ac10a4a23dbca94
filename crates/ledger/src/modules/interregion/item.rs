//! Items: what a settlement elsewhere, its refund or its correction moved between two regions.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, OrganisationId, RegionId, Timestamp, VisitId, codec, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{COUNTERPARTS, COUNTERPARTS_MAX, ITEMS, PAIRS, VISITS_BETWEEN};
use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// What one transaction moved between two regions, for one visit or for one transfer between
/// wallets. Nothing in it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct RegionItem {
    /// Its number between the two regions, from 1.
    pub number: u64,
    /// The visit; for a transfer between wallets the first half of its id.
    pub visit: VisitId,
    /// The provider to which it was advanced, or from which it came back; for a transfer between
    /// wallets the bureau of the region that took it in.
    pub provider: OrganisationId,
    /// The transaction that moved it.
    pub transaction: Hash,
    /// How much.
    pub amount: Amount,
    /// Whether it came back from the provider.
    pub is_return: bool,
    /// When it moved, by block time.
    pub moved: Timestamp,
}

/// Why an insured region disputes an item. Never a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The person was not entitled to it on that day.
    NotEntitled,
    /// Another amount is right.
    WrongAmount,
    /// The same care was settled twice.
    Duplicate,
    /// The care looks as if it was not given, or not like this.
    Doubtful,
    /// Papers are missing.
    Undocumented,
}

/// The dispute of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Dispute {
    /// In the answer to which month's statement.
    pub month: CalendarMonth,
    /// Why.
    pub reason: DisputeReason,
    /// How much of the item.
    pub amount: Amount,
    /// When it was raised, by block time.
    pub raised: Timestamp,
    /// Who ended it. The money is then in the next statement, and so is what a correction of the
    /// visit took back meanwhile.
    pub ended: Option<DisputeEnd>,
}

/// The end of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct DisputeEnd {
    /// Who ended it: the bureau that raised it, or whoever supervises that bureau.
    pub by: OrganisationId,
    /// When, by block time.
    pub at: Timestamp,
}

/// An item, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct ItemRow {
    /// What moved.
    #[serde(flatten)]
    pub item: RegionItem,
    /// The dispute of it, open or ended.
    pub dispute: Option<Dispute>,
}

/// The hash over all items of a pair up to this one, from the hash over those before.
#[must_use]
pub fn chain(before: &Hash, pair: RegionPair, item: &RegionItem) -> Hash {
    let content = codec::encode(&(pair, item));
    sha256_parts(&[b"yibao/region-item/v1", before.as_bytes(), &content])
}

/// The visit that money moves for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CareElsewhere {
    pub(crate) pair: RegionPair,
    pub(crate) visit: VisitId,
    pub(crate) provider: OrganisationId,
}

/// What entries add to the account and take from it.
fn moved(entries: &[Entry], account: Account) -> (Amount, Amount) {
    let sum = |fits: &dyn Fn(&Entry) -> bool| {
        let amounts = entries.iter().filter(|entry| fits(entry)).map(|entry| entry.amount);
        amounts.fold(Amount::ZERO, Amount::saturating_add)
    };
    let added = sum(&|entry| entry.credit == account);
    let taken = sum(&|entry| entry.debit == account);
    (added.saturating_sub(taken), taken.saturating_sub(added))
}

/// The region of care advances what these posted entries made the insured region owe, or takes back
/// what they made it owe less; the item is noted. A visit for which nobody but the person paid has
/// no item and is of the two regions all the same: its correction may move what it did not.
///
/// # Errors
/// `too_many_counterparts`, and as posting.
pub(crate) fn advance(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    care: &CareElsewhere,
    posted: &[Entry],
) -> Result<(), Rejection> {
    let pair = care.pair;
    VISITS_BETWEEN.put(state, &care.visit, &pair);
    let (more, less) = moved(posted, Account::OwedToRegion(pair));
    let is_return = more.is_zero();
    let amount = if is_return { less } else { more };
    if amount.is_zero() {
        return Ok(());
    }
    let due = Account::ProviderDue(Books::of(care.provider, pair.care));
    let advanced = Account::AdvancedForRegion(pair);
    let (debit, credit) = if is_return { (due, advanced) } else { (advanced, due) };
    let currency = network::view::require_region(state, pair.care)?.currency;
    posting::post(state, context.time, currency, &[Entry { debit, credit, amount }])?;
    note(context, state, care, (amount, is_return))
}

/// Money of a wallet goes to a wallet of another region: its own region owes it from now on, and
/// the other one advances it. The item names no person.
///
/// # Errors
/// `too_many_counterparts`, and as posting.
pub(crate) fn advance_transfer(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    (from, to): (RegionId, RegionId),
    (through, account): (Account, Account),
    (id, amount): (Hash, Amount),
) -> Result<(), Rejection> {
    let pair = RegionPair { insured: from, care: to };
    let there = network::view::require_region(state, to)?;
    let (bureau, currency) = (there.bureau, there.currency);
    let entries = [
        Entry { debit: through, credit: Account::OwedToRegion(pair), amount },
        Entry { debit: Account::AdvancedForRegion(pair), credit: account, amount },
    ];
    posting::post(state, context.time, currency, &entries)?;
    let (half, _) = id.0.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let moved = CareElsewhere { pair, visit: VisitId(*half), provider: bureau };
    note(context, state, &moved, (amount, false))
}

/// Notes an item.
fn note(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    moved: &CareElsewhere,
    (amount, is_return): (Amount, bool),
) -> Result<(), Rejection> {
    let pair = moved.pair;
    let mut row = PAIRS.get(state, &pair).unwrap_or_default();
    if row.items == 0 {
        enlist(state, pair.insured, pair.care)?;
        enlist(state, pair.care, pair.insured)?;
    }
    let item = RegionItem {
        number: row.items.saturating_add(1),
        visit: moved.visit,
        provider: moved.provider,
        transaction: context.transaction.id(),
        amount,
        is_return,
        moved: context.time,
    };
    row.add(pair, &item);
    PAIRS.put(state, &pair, &row);
    ITEMS.put(state, &(pair, item.number), &ItemRow { item, dispute: None });
    Ok(())
}

/// Notes that two regions have items.
fn enlist(state: &mut Overlay<'_>, region: RegionId, other: RegionId) -> Result<(), Rejection> {
    let mut all = COUNTERPARTS.get(state, &region).unwrap_or_default();
    if let Err(at) = all.binary_search(&other) {
        require(all.len() < COUNTERPARTS_MAX, || rejection::TOO_MANY_COUNTERPARTS.with(region))?;
        all.insert(at, other);
        COUNTERPARTS.put(state, &region, &all);
    }
    Ok(())
}
