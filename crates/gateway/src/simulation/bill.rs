//! A bill that was settled once, as far as a plan asks.

use benefit::{CategorySums, Facts, SumRow};
use ledger::Receipt;
use ledger::kernel::registry::Kind as _;
use ledger::modules::visit::{SettleVisit, SettlementRecord};
use primitives::{CivilDate, FamilyId, PersonId, RegionId, SchemeId, VisitId};
use serde::{Deserialize, Serialize};

/// A bill with what rules ask of person and visit. In a file of bills each line is one, or a
/// settlement record as `GET /v1/visits/{visit}` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastBill {
    /// Whose: any id of 32 hexadecimal digits, the same for all bills of a person.
    pub person: PersonId,
    /// The family with which the person shares running amounts.
    #[serde(default)]
    pub family: Option<FamilyId>,
    /// What the rules asked.
    pub facts: Facts,
    /// The sorted bill.
    pub sums: CategorySums,
}

impl PastBill {
    /// The bill of the settlement that a receipt brought about, as the visit stands now; `None` for
    /// other receipts, and for settlements of another region or scheme.
    ///
    /// # Errors
    /// When it cannot be said how the visit stands.
    pub fn of_receipt<E>(
        receipt: &Receipt,
        place: (RegionId, SchemeId),
        standing: impl FnOnce(VisitId) -> Result<Option<SettlementRecord>, E>,
    ) -> Result<Option<Self>, E> {
        if receipt.record.kind != SettleVisit::NUMBER {
            return Ok(None);
        }
        let Some(first) = SettlementRecord::in_receipt(receipt) else { return Ok(None) };
        if (first.subject.region, first.subject.scheme) != place {
            return Ok(None);
        }
        let standing = standing(first.visit)?;
        Ok(Self::of_record(standing.unwrap_or(first)))
    }

    /// The bill behind a settlement record; `None` when all of it was given back.
    #[must_use]
    pub fn of_record(record: SettlementRecord) -> Option<Self> {
        let first = record.parts.into_iter().next()?;
        let (person, family) = (record.subject.person, first.family);
        Some(Self { person, family, facts: first.facts, sums: record.sums })
    }
}

/// The same sums so many years later. The 29th of February becomes the 28th.
///
/// # Errors
/// In words, when a day does not exist or the rows do not fit together any more.
pub fn years_later(sums: &CategorySums, years: i32) -> Result<CategorySums, &'static str> {
    let moved = |row: &SumRow| {
        let mut row = *row;
        let day = row.key.service_date;
        let year = day.year().checked_add(years)?;
        let same = CivilDate::from_ymd(year, day.month(), day.day());
        row.key.service_date = same.or_else(|| CivilDate::from_ymd(year, day.month(), 28))?;
        Some(row)
    };
    let rows = sums.rows().iter().map(moved).collect::<Option<Vec<SumRow>>>();
    CategorySums::new(rows.ok_or("a day lies outside the calendar")?)
}
