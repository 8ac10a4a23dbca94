//! What a new version changes for a settlement: the one computation behind simulation and payment;
//! and how whatever changes a settlement that stands is booked and taken back.

use alloc::vec::Vec;
use primitives::{Hash, RegionId, SchemeId, Timestamp, detail};

use super::difference::{AdjustedRow, Counted, Difference, DifferenceStanding, Direction};
use super::rejection;
use super::table::ADJUSTED;
use crate::kernel::account::Account;
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry, post};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::visit::{self, SettlementRecord};
use crate::modules::{fund, voucher};

/// A version with effect in the past, and the one that it superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version under which settlements were adjudicated, or adjusted before.
    pub old_version: u16,
    /// The version that was published after its first day.
    pub new_version: u16,
}

/// What a settlement becomes under the new version.
pub(super) struct Adjustment {
    pub difference: Difference,
    pub counted: Vec<Counted>,
}

impl PolicyChange {
    /// Adjudicates the settlement that stands under the new version. The running amounts and what
    /// second payers may reimburse are then as if it had been settled so; no money moves. What is
    /// booked already counts no more. Nothing for a settlement that comes out the same.
    pub(super) fn adjust(
        &self,
        state: &mut Overlay<'_>,
        plans: &PlanMemo,
        record: &SettlementRecord,
        now: Timestamp,
    ) -> Result<Option<Adjustment>, Rejection> {
        visit::view::require_record(state, record)?;
        let subject = &record.subject;
        let id = record.transaction_id;
        let booked = ADJUSTED.get(state, &id);
        let earlier = booked.as_ref().and_then(|row| row.new_version);
        let mut versions = record.parts.iter().map(|part| part.plan.version).chain(earlier);
        let ours = subject.region == self.region
            && subject.scheme == self.scheme
            && versions.any(|version| version == self.old_version);
        require(ours, || rejection::SETTLEMENT_MISMATCH.with(id))?;
        if let Some(booked) = &booked {
            require(booked.is_counted(), || rejection::SETTLEMENT_ADJUSTED.with(id))?;
            visit::count_as_settled(state, record, &booked.counted, now)?;
        }
        let quote = visit::quote_again(state, plans, record, now)?;
        let in_force = quote.parts.iter().any(|part| part.plan.version == self.new_version);
        require(in_force, || {
            rejection::NOT_RETROACTIVE.with(detail!("the version is not in force"))
        })?;
        let before = record.own_share();
        let after = quote.split.own_share();
        let (direction, amount) = match before.checked_sub(after) {
            Some(less) => (Direction::ToPerson, less),
            None => (Direction::FromPerson, after.saturating_sub(before)),
        };
        if amount.is_zero() {
            return Ok(None);
        }
        visit::count_again(state, record, &quote, now)?;
        voucher::adjust_settlement(state, id, after)?;
        let parts = quote.parts.into_iter();
        let counted =
            parts.map(|part| Counted { family: part.family, changes: part.adjudication.changes });
        let difference = Difference { settlement: id, person: subject.person, direction, amount };
        Ok(Some(Adjustment { difference, counted: counted.collect() }))
    }
}

/// Books `next` for a settlement in place of what stands booked: only what is left between both
/// moves, so that nobody has to give back first what is due again.
///
/// # Errors
/// `settlement_adjusted` while the person owes a recalled difference, and as posting.
pub(crate) fn rebook(
    state: &mut Overlay<'_>,
    now: Timestamp,
    settlement: Hash,
    next: Option<&AdjustedRow>,
) -> Result<(), Rejection> {
    let earlier = ADJUSTED.get(state, &settlement);
    require(earlier.as_ref().is_none_or(AdjustedRow::is_counted), || {
        rejection::SETTLEMENT_ADJUSTED.with(settlement)
    })?;
    let entries = |row: Option<&AdjustedRow>| row.map(AdjustedRow::entries).unwrap_or_default();
    let left = visit::net_entries(&entries(earlier.as_ref()), &entries(next));
    if let Some(row) = earlier.as_ref().or(next) {
        row.post_all(state, now, &left)?;
    }
    match next {
        Some(row) => ADJUSTED.put(state, &settlement, row),
        None => ADJUSTED.remove(state, &settlement),
    }
    Ok(())
}

/// A settlement is about to be refunded or corrected: the difference that stands booked for it is
/// taken back, and it counts as it was settled.
///
/// What the fund paid comes back from the personal account; where that has not enough, the person
/// owes it ([`DifferenceStanding::Recalled`]). What the person paid goes back there; what the
/// person owed is owed no more.
///
/// # Errors
/// As posting, and `not_adjudicable`.
pub(crate) fn take_back(
    state: &mut Overlay<'_>,
    record: &SettlementRecord,
    now: Timestamp,
) -> Result<(), Rejection> {
    let id = record.transaction_id;
    let Some(mut row) = ADJUSTED.get(state, &id) else { return Ok(()) };
    if !row.is_counted() {
        return Ok(());
    }
    visit::count_as_settled(state, record, &row.counted, now)?;
    voucher::adjust_settlement(state, id, record.own_share())?;
    let there = posting::account(state, &Account::PersonalAccount(row.person));
    let has_enough = there.is_some_and(|account| account.available_at(now) >= row.amount);
    if row.standing != DifferenceStanding::Paid || row.amount.is_zero() || has_enough {
        return rebook(state, now, id, None);
    }
    row.post_all(state, now, &visit::net_entries(&row.between, &[]))?;
    row.standing = DifferenceStanding::Recalled;
    (row.between, row.counted) = (Vec::new(), Vec::new());
    row.expect(state, now)?;
    ADJUSTED.put(state, &id, &row);
    Ok(())
}

impl AdjustedRow {
    /// The account of the fund that pays or is paid.
    pub(super) const fn fund_account(&self) -> Account {
        Account::Fund { region: self.region, fund: self.fund }
    }

    /// What people owe the fund, and what it expects of them: a receivable is no money of the fund,
    /// so both stand beside it.
    const fn receivable(&self) -> (Account, Account) {
        let (region, fund) = (self.region, self.fund);
        (Account::OwedToFund { region, fund }, Account::ExpectedByFund { region, fund })
    }

    /// What has moved because of it and stands.
    fn entries(&self) -> Vec<Entry> {
        let own = Account::PersonalAccount(self.person);
        let moved = match self.standing {
            DifferenceStanding::Paid => Some((self.fund_account(), own)),
            DifferenceStanding::Owed | DifferenceStanding::Recalled => Some(self.receivable()),
            DifferenceStanding::Settled => Some((own, self.fund_account())),
            DifferenceStanding::Waived => None,
        };
        let amount = self.amount;
        let moved = moved.map(|(debit, credit)| Entry { debit, credit, amount });
        let own = moved.filter(|entry| !entry.amount.is_zero());
        own.into_iter().chain(self.between.iter().copied()).collect()
    }

    /// The person owes the amount from now on.
    fn expect(&self, state: &mut Overlay<'_>, now: Timestamp) -> Result<(), Rejection> {
        let (owed, expected) = self.receivable();
        self.post(state, now, owed, expected)
    }

    /// The person owes it no more: it was paid or let go.
    pub(super) fn expect_no_more(
        &self,
        state: &mut Overlay<'_>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let (owed, expected) = self.receivable();
        self.post(state, now, expected, owed)
    }

    /// Moves the amount.
    pub(super) fn post(
        &self,
        state: &mut Overlay<'_>,
        now: Timestamp,
        debit: Account,
        credit: Account,
    ) -> Result<(), Rejection> {
        self.post_all(state, now, &[Entry { debit, credit, amount: self.amount }])
    }

    fn post_all(
        &self,
        state: &mut Overlay<'_>,
        now: Timestamp,
        entries: &[Entry],
    ) -> Result<(), Rejection> {
        let fund = fund::view::fund(state, self.region, self.fund)
            .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(self.fund))?;
        post(state, now, fund.currency, entries)
    }
}
