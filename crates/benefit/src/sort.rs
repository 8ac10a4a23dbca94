//! Sorting: every line of a bill into fully self-paid, over the price cap, first share of class B
//! and in policy, with the reasons.
//!
//! Invariant: the four parts of a line add up to what it charges (guarded by
//! `tests/identities.rs`).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, SlotId};
use serde::{Deserialize, Serialize};

use crate::{
    bill::{Bill, BillError, LineItem},
    catalogue::{Catalogue, Item, VisitFacts},
    sums::{CategorySums, ROWS_MAX, SumKey, SumRow},
    word::{Category, ItemClass},
};

/// A sorted bill: its sums for the ledger, its lines for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sorted {
    /// The sums that are adjudicated.
    pub sums: CategorySums,
    /// The lines, in the order of the bill.
    pub lines: Vec<SortedLine>,
}

/// A line and where its money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortedLine {
    /// The line's number in the bill.
    pub line_no: u32,
    /// The day of the service.
    pub service_date: CivilDate,
    /// The category under which it counts.
    pub category: Category,
    /// The class under which it counts.
    pub class: ItemClass,
    /// The second public programme, 0 for none.
    pub programme: u8,
    /// The person's slot, 0 for none.
    pub slot: SlotId,
    /// Fully self-paid.
    pub self_paid: Amount,
    /// Above the price cap.
    pub over_cap: Amount,
    /// The first share of class B.
    pub class_b_share: Amount,
    /// In policy.
    pub in_policy: Amount,
    /// Why nothing, or not all, is in policy.
    pub reason: LineReason,
}

/// Why a line was sorted as it was. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[borsh(use_discriminant = true)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum LineReason {
    /// Class A: all of it is in policy.
    ClassA = 1,
    /// Class B: a first share is the person's.
    ClassB = 2,
    /// Class C: the catalogue does not cover the item.
    ClassC = 3,
    /// The catalogue does not have the item.
    NotInCatalogue = 4,
    /// The catalogue has the item, but not on this day.
    NotInCatalogueOnDay = 5,
    /// The item is covered only for other visits, diagnoses, ages or the other sex.
    OutsideConditions = 6,
    /// Class A, above the price cap.
    ClassAOverCap = 7,
    /// Class B, above the price cap.
    ClassBOverCap = 8,
    /// There is no list: all of it is in policy.
    Unlisted = 9,
}

impl LineReason {
    /// The reason as a stable word, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClassA => "class_a",
            Self::ClassB => "class_b",
            Self::ClassC => "class_c",
            Self::NotInCatalogue => "not_in_catalogue",
            Self::NotInCatalogueOnDay => "not_in_catalogue_on_day",
            Self::OutsideConditions => "outside_conditions",
            Self::ClassAOverCap => "class_a_over_cap",
            Self::ClassBOverCap => "class_b_over_cap",
            Self::Unlisted => "unlisted",
        }
    }
}

/// Sorts the lines of a bill by the catalogue of the place of care. Diagnosis groups count that the
/// facts or the bill name.
///
/// # Errors
/// The first line that cannot be sorted, and why.
pub fn sort_lines(
    catalogue: &Catalogue,
    bill: &Bill,
    facts: &VisitFacts,
) -> Result<Sorted, BillError> {
    bill.check()?;
    if bill.currency != catalogue.currency {
        let (bill, catalogue) = (bill.currency, catalogue.currency);
        return Err(BillError::OtherCurrency { bill, catalogue });
    }
    let mut facts = Cow::Borrowed(facts);
    if !bill.diagnosis_groups.is_empty() {
        facts.to_mut().diagnosis_groups.extend(bill.diagnosis_groups.iter().cloned());
    }
    let mut lines = Vec::with_capacity(bill.lines.len());
    for line in &bill.lines {
        lines.push(sort_line(catalogue, line, &facts)?);
    }
    let sums = CategorySums::new(lines.iter().map(SortedLine::row).collect())
        .map_err(|_| BillError::TooManyRows { allowed: ROWS_MAX })?;
    Ok(Sorted { sums, lines })
}

/// The four parts of a line: self-paid, over cap, class B share, in policy.
type Parts = (Amount, Amount, Amount, Amount);

fn sort_line(
    catalogue: &Catalogue,
    line: &LineItem,
    facts: &VisitFacts,
) -> Result<SortedLine, BillError> {
    let zero = Amount::ZERO;
    let all_self_paid = (line.amount, zero, zero, zero);
    let unlisted = line.category.unwrap_or(Category::Other);
    let (category, class, reason, parts) = match catalogue.find(&line.item_code, line.service_date)
    {
        Err(_) if catalogue.unlisted == ItemClass::A => {
            (unlisted, ItemClass::A, LineReason::Unlisted, (zero, zero, zero, line.amount))
        }
        Err(true) => (unlisted, ItemClass::C, LineReason::NotInCatalogueOnDay, all_self_paid),
        Err(false) => (unlisted, ItemClass::C, LineReason::NotInCatalogue, all_self_paid),
        Ok(item) if item.class == ItemClass::C => {
            (item.category, ItemClass::C, LineReason::ClassC, all_self_paid)
        }
        Ok(item) if !is_covered(item, line, facts)? => {
            (item.category, item.class, LineReason::OutsideConditions, all_self_paid)
        }
        Ok(item) => {
            let parts = covered(catalogue, item, line, facts, catalogue.currency)?;
            let reason = match (item.class == ItemClass::B, parts.1.is_zero()) {
                (false, true) => LineReason::ClassA,
                (false, false) => LineReason::ClassAOverCap,
                (true, true) => LineReason::ClassB,
                (true, false) => LineReason::ClassBOverCap,
            };
            (item.category, item.class, reason, parts)
        }
    };
    let (self_paid, over_cap, class_b_share, in_policy) = parts;
    Ok(SortedLine {
        line_no: line.line_no,
        service_date: line.service_date,
        category,
        class,
        programme: line.programme,
        slot: line.slot,
        self_paid,
        over_cap,
        class_b_share,
        in_policy,
        reason,
    })
}

/// Whether one of the item's ways of use holds. An open question matters only when none does.
fn is_covered(item: &Item, line: &LineItem, facts: &VisitFacts) -> Result<bool, BillError> {
    let mut open = false;
    for way in &item.limited_use {
        match way.holds(facts) {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => open = true,
        }
    }
    if open {
        return Err(BillError::AgeUndecided { line_no: line.line_no });
    }
    Ok(item.limited_use.is_empty())
}

/// The parts of a line that is covered: the cap first, then the share on what is below it.
fn covered(
    catalogue: &Catalogue,
    item: &Item,
    line: &LineItem,
    facts: &VisitFacts,
    currency: Currency,
) -> Result<Parts, BillError> {
    let most = match item.price_cap(facts.hospital_level) {
        Some(price) => price.times(line.quantity, currency, catalogue.rounding),
        None => Some(line.amount),
    };
    let below = line.amount.min(most.ok_or(BillError::TooLarge)?);
    let over_cap = line.amount.saturating_sub(below);
    let share = below.share(item.share, catalogue.rounding).min(below);
    Ok((Amount::ZERO, over_cap, share, below.saturating_sub(share)))
}

impl SortedLine {
    fn row(&self) -> SumRow {
        SumRow {
            key: SumKey {
                service_date: self.service_date,
                category: self.category,
                class: self.class,
                programme: self.programme,
                slot: self.slot,
            },
            self_paid: self.self_paid,
            over_cap: self.over_cap,
            class_b_share: self.class_b_share,
            in_policy: self.in_policy,
        }
    }
}
