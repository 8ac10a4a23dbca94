//! What a refund or correction changes for later settlements of the same person.
//!
//! > Later settlements stay; an effect on them is shown and offered. — HOUSE.md section 5.7
//!
//! A later settlement was adjudicated on running amounts that the earlier visit had moved: a
//! deductible that it had used up, a cap that it had filled. Here the later ones are taken out of
//! the running amounts, newest first, and adjudicated again in their order, as if the earlier visit
//! had always been what it is now. Each keeps its bill, its facts and its plan version.
//!
//! Only the person's own share moves, and the funds' shares that it moves against; a provider has
//! what it was due and learns nothing. The payers' funds bear what they would have paid, the one
//! with the largest change toward the person; decision record 0014 says why.

use alloc::{collections::BTreeMap, vec::Vec};
use primitives::{Amount, Hash, Party, Timestamp};

use super::money::{fund_entries, net_entries};
use super::quote::Quote;
use super::resettle::{amounts_without, requote_on};
use super::retroactive::count_again;
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::account::Account;
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::{Base, Overlay, Read};
use crate::kernel::posting::Entry;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::plan::{
    AdjustedRow, Cause, Counted, Difference, DifferenceStanding, Direction,
};
use crate::modules::{fund, plan, voucher};

/// How many later settlements are adjudicated again at once at the most. Our own limit: it bounds
/// the work of a transaction.
pub const LATER_MAX: usize = 128;

/// An earlier visit that was refunded or corrected, and the settlements after it.
pub struct Later<'a> {
    /// The earlier one as it stands.
    pub changed: &'a SettlementRecord,
    /// The later ones as they stand, in the order in which they were settled: all of them, or the
    /// ones left out count as if they had come before.
    pub records: &'a [SettlementRecord],
}

/// What a later settlement becomes.
pub(super) struct Replayed {
    /// The settlement.
    pub settlement: Hash,
    /// What changes for the person against what stands now.
    pub difference: Option<Difference>,
    /// What the person bears then.
    pub own_share: Amount,
    /// What stands booked for it then, against the settlement as it was adjudicated originally.
    pub next: Option<AdjustedRow>,
}

impl Later<'_> {
    /// What would change for the person, settlement by settlement; those that come out the same are
    /// left out. Nothing of it stays.
    ///
    /// # Errors
    /// As [`super::AdjustLaterSettlements`], consent and signatures left out.
    pub fn differences(
        &self,
        state: &dyn Base,
        plans: &PlanMemo,
        now: Timestamp,
    ) -> Result<Vec<Difference>, Rejection> {
        let replayed = self.replay(&mut Overlay::new(state), plans, now)?;
        Ok(replayed.into_iter().filter_map(|one| one.difference).collect())
    }

    /// Adjudicates the later settlements again, in their order. Afterwards the running amounts are
    /// as if they had been settled so; no money has moved.
    pub(super) fn replay(
        &self,
        state: &mut Overlay<'_>,
        plans: &PlanMemo,
        now: Timestamp,
    ) -> Result<Vec<Replayed>, Rejection> {
        self.require_order(state)?;
        for record in self.records.iter().rev() {
            uncount(state, record, now)?;
        }
        let mut replayed = Vec::with_capacity(self.records.len());
        for record in self.records {
            let again = under_its_version(state, record)?;
            let amounts = amounts_without(state, record, core::iter::empty(), now)?;
            let sums = (&record.sums, true);
            let quote = requote_on(state, plans, &again, sums, (amounts, now))?;
            count_again(state, record, &quote, now)?;
            replayed.push(self.compare(state, record, quote)?);
        }
        Ok(replayed)
    }

    /// All stand, are one person's in one scheme at one insured place, and come after the one that
    /// changed, each once and in their order.
    fn require_order(&self, state: &Overlay<'_>) -> Result<(), Rejection> {
        let (changed, count) = (self.changed, self.records.len());
        require((1..=LATER_MAX).contains(&count), || rejection::LATER_COUNT.reject())?;
        let row = view::require_record(state, changed)?;
        require(row.revision > 0, || rejection::NOTHING_CHANGED_BEFORE.reject())?;
        let mut earliest = row.settled;
        let mut seen = alloc::vec![changed.visit];
        for record in self.records {
            let settled = view::require_record(state, record)?.settled;
            let (one, other) = (&record.subject, &changed.subject);
            let fits = one.person == other.person
                && one.region == other.region
                && one.scheme == other.scheme
                && earliest <= settled
                && !seen.contains(&record.visit);
            require(fits, || rejection::NOT_LATER.with(record.visit))?;
            seen.push(record.visit);
            earliest = settled;
        }
        Ok(())
    }

    fn compare(
        &self,
        state: &Overlay<'_>,
        record: &SettlementRecord,
        quote: Quote,
    ) -> Result<Replayed, Rejection> {
        let (settlement, person) = (record.transaction_id, record.subject.person);
        let own_share = quote.split.own_share();
        let stands = voucher::view::settlement(state, &settlement)
            .map_or_else(|| record.own_share(), |row| row.own_share);
        let difference = moved(stands, own_share).map(|(direction, amount)| Difference {
            settlement,
            person,
            direction,
            amount,
        });
        let next = self.row(state, record, quote)?;
        Ok(Replayed { settlement, difference, own_share, next })
    }

    /// What is booked for a settlement that comes out like this, if it is not as it was settled.
    fn row(
        &self,
        state: &Overlay<'_>,
        record: &SettlementRecord,
        quote: Quote,
    ) -> Result<Option<AdjustedRow>, Rejection> {
        let subject = &record.subject;
        let own_share = quote.split.own_share();
        let own = moved(record.own_share(), own_share);
        let funds = fund_changes(
            &fund_entries(state, subject, &record.parts, None)?,
            &fund_entries(state, subject, &quote.parts, None)?,
        );
        let counts_the_same = record.parts.len() == quote.parts.len()
            && record.parts.iter().zip(&quote.parts).all(|(before, after)| {
                added(&before.adjudication.changes) == added(&after.adjudication.changes)
            });
        if own.is_none() && funds.is_empty() && counts_the_same {
            return Ok(None);
        }
        let standing = match own {
            Some((Direction::FromPerson, _)) => DifferenceStanding::Owed,
            Some((Direction::ToPerson, _)) | None => DifferenceStanding::Paid,
        };
        let toward = match standing {
            DifferenceStanding::Owed => Direction::FromPerson,
            _ => Direction::ToPerson,
        };
        let (main, between) = shared(&funds, toward);
        let Some(Account::Fund { region, fund }) = main.or(any_fund(state, record)?) else {
            return Err(rejection::NO_FUND_TO_BEAR.with(record.visit));
        };
        let stands = plan::view::adjusted(state, &record.transaction_id);
        let counted = quote.parts.into_iter();
        let counted =
            counted.map(|part| Counted { family: part.family, changes: part.adjudication.changes });
        Ok(Some(AdjustedRow {
            cause: Cause::EarlierVisit(self.changed.visit),
            new_version: stands.and_then(|row| row.new_version),
            person: subject.person,
            region,
            fund,
            amount: own.map_or(Amount::ZERO, |(_, amount)| amount),
            standing,
            between,
            counted: counted.collect(),
        }))
    }
}

/// What the person bears less, or more; `None` for the same.
fn moved(before: Amount, after: Amount) -> Option<(Direction, Amount)> {
    match (before.saturating_sub(after), after.saturating_sub(before)) {
        (less, _) if !less.is_zero() => Some((Direction::ToPerson, less)),
        (_, more) if !more.is_zero() => Some((Direction::FromPerson, more)),
        _ => None,
    }
}

fn added(
    changes: &[benefit::AccumulatorChange],
) -> Vec<(benefit::accumulator::AccumulatorKey, u64)> {
    let lasting = changes.iter().filter(|change| !change.key.period.is_visit());
    let added = lasting.map(|change| (change.key, change.after.saturating_sub(change.before)));
    added.filter(|(_, amount)| *amount != 0).collect()
}

/// Takes a settlement out of the running amounts, as it counts now.
fn uncount(
    state: &mut Overlay<'_>,
    record: &SettlementRecord,
    now: Timestamp,
) -> Result<(), Rejection> {
    let booked = plan::view::adjusted(state, &record.transaction_id);
    if let Some(row) = &booked {
        let id = record.transaction_id;
        require(row.is_counted(), || plan::rejection::SETTLEMENT_ADJUSTED.with(id))?;
    }
    let amounts = match &booked {
        Some(row) => {
            let counted = row.counted.iter().map(|one| (one.family, one.changes.as_slice()));
            amounts_without(state, record, counted, now)?
        }
        None => {
            let counted = record.parts.iter();
            let counted = counted.map(|part| (part.family, part.adjudication.changes.as_slice()));
            amounts_without(state, record, counted, now)?
        }
    };
    view::set_running_amounts_at(state, record, &amounts, now)
}

/// The settlement under the plan versions that it stands under: its own, or the one with effect in
/// the past under which it was adjudicated again.
fn under_its_version(
    state: &Overlay<'_>,
    record: &SettlementRecord,
) -> Result<SettlementRecord, Rejection> {
    let mut again = record.clone();
    let booked = plan::view::adjusted(state, &record.transaction_id);
    if let Some(version) = booked.and_then(|row| row.new_version) {
        for part in &mut again.parts {
            if let Some(other) = plan::view::in_place_of(state, &part.plan, version)?
                .filter(|other| other.period.contains(part.from))
            {
                part.plan = other;
            }
        }
    }
    Ok(again)
}

/// What each fund pays more or less than before.
type FundChanges = BTreeMap<Account, (Direction, Amount)>;

fn fund_changes(before: &[Entry], after: &[Entry]) -> FundChanges {
    let mut changes = FundChanges::new();
    for entry in net_entries(before, after) {
        if matches!(entry.debit, Account::Fund { .. }) {
            changes.insert(entry.debit, (Direction::ToPerson, entry.amount));
        } else if matches!(entry.credit, Account::Fund { .. }) {
            changes.insert(entry.credit, (Direction::FromPerson, entry.amount));
        }
    }
    changes
}

/// The fund with the largest change in the person's direction, and what the others pay it or it
/// pays them, so that each of them bears its own change.
fn shared(funds: &FundChanges, toward: Direction) -> (Option<Account>, Vec<Entry>) {
    let same = funds.iter().filter(|(_, (direction, _))| *direction == toward);
    let largest = same.max_by_key(|(_, (_, amount))| *amount).or_else(|| funds.iter().next());
    let Some((&main, _)) = largest else { return (None, Vec::new()) };
    let others = funds.iter().filter(|(account, _)| **account != main);
    let entry = |(&account, &(direction, amount)): (&Account, &(Direction, Amount))| match direction
    {
        Direction::ToPerson => Entry { debit: account, credit: main, amount },
        Direction::FromPerson => Entry { debit: main, credit: account, amount },
    };
    (Some(main), others.map(entry).collect())
}

/// A fund that pays for the settlement, for the case that only what its provider bears itself
/// changes: what the provider waived stays waived.
fn any_fund(state: &Overlay<'_>, record: &SettlementRecord) -> Result<Option<Account>, Rejection> {
    let entries = fund_entries(state, &record.subject, &record.parts, None)?;
    let mut funds = entries.into_iter().map(|entry| entry.debit);
    Ok(funds.find(|account| matches!(account, Account::Fund { .. })))
}

/// The owners of the funds that pay or are paid, each once.
pub(super) fn owners(
    state: &(impl Read + ?Sized),
    rows: impl Iterator<Item = Account>,
) -> Vec<Party> {
    let mut owners = Vec::new();
    for account in rows {
        let Account::Fund { region, fund } = account else { continue };
        let owner = fund::view::fund(state, region, fund).map(|row| row.owner);
        let Some(owner) = owner.map(Party::Organisation) else { continue };
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}
