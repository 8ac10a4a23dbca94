//! What others may read between regions, and the one place that says whether a visit is cleared
//! between two.

use alloc::vec::Vec;
use primitives::{Amount, CivilDate, OrganisationId, RegionId, VisitId};

use super::item::ItemRow;
pub(crate) use super::item::{CareElsewhere, advance, advance_transfer};
use super::rejection;
use super::rules::{self, DatedRules, InterregionRules};
use super::statement::RegionStatement;
pub use super::table::PairRow;
use super::table::{COUNTERPARTS, ITEMS, PAIRS, STATEMENTS, VISITS_BETWEEN};
use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::{self, OrganisationKind};
use crate::modules::{coverage, network};

/// The two regions between which a visit that is settled now is cleared: the insured one, and the
/// pooling area in which the provider lies. Nothing where care is given at home, where one of them
/// has no rules for the day of admission, or where they keep different currencies; the insured
/// region then owes the provider itself.
pub fn pair_of(
    state: &(impl Read + ?Sized),
    insured: RegionId,
    provider: OrganisationId,
    admitted: CivilDate,
) -> Option<RegionPair> {
    let place = organisation::view::organisation(state, provider)?.region;
    if coverage::view::is_at_home(insured, place) {
        return None;
    }
    let care = pooling_area(state, place)?;
    let is_cleared = is_cleared_between(state, insured, care, admitted);
    is_cleared.then_some(RegionPair { insured, care })
}

/// Whether money between two regions is cleared on this day: both have rules, and one currency.
pub fn is_cleared_between(
    state: &(impl Read + ?Sized),
    one: RegionId,
    other: RegionId,
    day: CivilDate,
) -> bool {
    let has_rules = |region| rules::rules_on(state, region, day).is_some();
    let currency = |region| network::view::region(state, region).map(|row| row.currency);
    one != other && has_rules(one) && has_rules(other) && currency(one) == currency(other)
}

/// Between which regions a settled visit is cleared, for those of the visit.
pub fn cleared(state: &(impl Read + ?Sized), visit: VisitId) -> Option<RegionPair> {
    VISITS_BETWEEN.get(state, &visit)
}

/// The region of the ledger in which a place lies: itself, its city, its province.
fn pooling_area(state: &(impl Read + ?Sized), place: RegionId) -> Option<RegionId> {
    coverage::view::around(place)
        .into_iter()
        .find(|region| network::view::region(state, *region).is_some())
}

/// All rules that a region ever set, by first day. They are public.
pub fn rules(state: &(impl Read + ?Sized), region: RegionId) -> Vec<DatedRules> {
    rules::all(state, region)
}

/// The rules of a region for admissions on this day. They are public.
pub fn rules_on(
    state: &(impl Read + ?Sized),
    region: RegionId,
    day: CivilDate,
) -> Option<InterregionRules> {
    rules::rules_on(state, region, day)
}

/// The regions with which a region has items, sorted, for its bureau.
pub fn counterparts(state: &(impl Read + ?Sized), region: RegionId) -> Vec<RegionId> {
    COUNTERPARTS.get(state, &region).unwrap_or_default()
}

/// Where a pair stands, for both bureaus; nothing before its first item.
pub fn pair(state: &(impl Read + ?Sized), pair: RegionPair) -> Option<PairRow> {
    PAIRS.get(state, &pair)
}

/// An item, for both bureaus.
pub fn item(state: &(impl Read + ?Sized), pair: RegionPair, number: u64) -> Option<ItemRow> {
    ITEMS.get(state, &(pair, number))
}

/// A statement, for both bureaus.
pub fn statement(
    state: &(impl Read + ?Sized),
    pair: RegionPair,
    month: CalendarMonth,
) -> Option<RegionStatement> {
    STATEMENTS.get(state, &(pair, month))
}

/// Where the money between an insured region and a region of care is, in minor units; `owed` is
/// below zero when more was given back than advanced.
///
/// Invariant: `advanced = owed + disputed + payable + in_payment + under_way`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// What the region of care advanced and has not got back.
    pub advanced: i128,
    /// What the insured region owes and has not agreed to.
    pub owed: i128,
    /// What of it is disputed.
    pub disputed: i128,
    /// What is agreed to and payable to the other bureau.
    pub payable: i128,
    /// What an approved batch told the bank to pay.
    pub in_payment: i128,
    /// What the bank paid and the other bureau has not confirmed.
    pub under_way: i128,
}

/// Where the money of a pair is, for both bureaus.
pub fn between(state: &(impl Read + ?Sized), pair: RegionPair) -> Between {
    let balance = |account: Account| posting::balance(state, &account);
    let bureau = network::view::region(state, pair.care).map(|region| region.bureau);
    let paid = |account: fn(Books) -> Account| {
        bureau.map_or(0, |bureau| balance(account(Books::of(bureau, pair.insured))))
    };
    let under_way = PAIRS.get(state, &pair).unwrap_or_default().under_way;
    Between {
        advanced: balance(Account::AdvancedForRegion(pair)).saturating_neg(),
        owed: balance(Account::OwedToRegion(pair)),
        disputed: balance(Account::DisputedWithRegion(pair)),
        payable: paid(Account::ProviderPayable),
        in_payment: paid(Account::ProviderInPayment),
        under_way: i128::from(under_way.minor()),
    }
}

/// The bank of a region paid a bureau, or the money came back: noted where it is another region's
/// money.
///
/// # Errors
/// `region_payment_confirmed_already`.
pub(crate) fn note_paid(
    state: &mut Overlay<'_>,
    (insured, payee): (RegionId, OrganisationId),
    amount: Amount,
    is_return: bool,
) -> Result<(), Rejection> {
    let Some(payee) = organisation::view::organisation(state, payee) else { return Ok(()) };
    let pair = RegionPair { insured, care: payee.region };
    if payee.kind != OrganisationKind::Bureau {
        return Ok(());
    }
    let Some(mut row) = PAIRS.get(state, &pair) else { return Ok(()) };
    row.under_way = if is_return {
        let left = row.under_way.checked_sub(amount);
        left.ok_or_else(|| rejection::CONFIRMED_ALREADY.with(pair.care))?
    } else {
        row.under_way.saturating_add(amount)
    };
    PAIRS.put(state, &pair, &row);
    Ok(())
}
