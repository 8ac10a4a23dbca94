//! The sorted bill without its items: sums by day, category, class, programme and slot. This is
//! all the ledger sees of a bill.

use alloc::{vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, SlotId};
use serde::{Deserialize, Serialize};

use crate::word::{Category, ItemClass};

/// The most rows that sums may have; 2,000 rows are about 90 kilobytes.
pub const ROWS_MAX: usize = 2_000;

/// What the lines of one row have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SumKey {
    /// The day of the service.
    pub service_date: CivilDate,
    /// The category of the service.
    pub category: Category,
    /// The class of the items.
    pub class: ItemClass,
    /// The second public programme, 0 for none.
    #[serde(default)]
    pub programme: u8,
    /// The person's slot, 0 for none.
    #[serde(default)]
    pub slot: SlotId,
}

/// The sums of one row: four parts that together are what its lines charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SumRow {
    /// What the lines have in common.
    pub key: SumKey,
    /// Class C, not in the catalogue, or outside an item's conditions (`fulamt_ownpay_amt`).
    pub self_paid: Amount,
    /// Above the price cap (`overlmt_selfpay`).
    pub over_cap: Amount,
    /// The first share of class B (`preselfpay_amt`).
    pub class_b_share: Amount,
    /// What benefits apply to (`inscp_scp_amt`).
    pub in_policy: Amount,
}

/// The sums of a bill: rows in the order of their keys, each key once, at most [`ROWS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct CategorySums(#[schemars(length(max = 2000))] Vec<SumRow>);

impl SumRow {
    /// The row of this key with nothing in it.
    #[must_use]
    pub const fn empty(key: SumKey) -> Self {
        let zero = Amount::ZERO;
        Self { key, self_paid: zero, over_cap: zero, class_b_share: zero, in_policy: zero }
    }

    /// What the row's lines charge, or `None` when it does not fit.
    #[must_use]
    pub fn total(&self) -> Option<Amount> {
        Amount::checked_sum([self.self_paid, self.over_cap, self.class_b_share, self.in_policy])
    }

    fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            key: self.key,
            self_paid: self.self_paid.checked_add(other.self_paid)?,
            over_cap: self.over_cap.checked_add(other.over_cap)?,
            class_b_share: self.class_b_share.checked_add(other.class_b_share)?,
            in_policy: self.in_policy.checked_add(other.in_policy)?,
        })
    }
}

impl CategorySums {
    /// The sums of these rows in any order; rows with the same key are added up.
    ///
    /// # Errors
    /// What is wrong, in plain words: too many rows, or a total that does not fit.
    pub fn new(mut rows: Vec<SumRow>) -> Result<Self, &'static str> {
        rows.sort_by_key(|row| row.key);
        let mut merged: Vec<SumRow> = vec![];
        for row in rows {
            match merged.last_mut().filter(|last| last.key == row.key) {
                Some(last) => *last = last.plus(&row).ok_or("the bill's total is too large")?,
                None => merged.push(row),
            }
        }
        let sums = Self(merged);
        sums.check()?;
        Ok(sums)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.0.len() > ROWS_MAX {
            return Err("the sums have more than 2000 rows; split the bill");
        }
        let ordered =
            self.0.iter().zip(self.0.iter().skip(1)).all(|(first, next)| first.key < next.key);
        if !ordered {
            return Err("the rows of sums must be in the order of their keys, each key once");
        }
        self.checked_total().map(|_| ()).ok_or("the bill's total is too large")
    }

    fn checked_total(&self) -> Option<Amount> {
        self.0.iter().try_fold(Amount::ZERO, |sum, row| sum.checked_add(row.total()?))
    }

    /// What the whole bill charges.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.checked_total().unwrap_or(Amount::MAX)
    }

    /// The rows, in the order of their keys.
    #[must_use]
    pub fn rows(&self) -> &[SumRow] {
        &self.0
    }

    /// The first and the last day of service, if there is a row.
    #[must_use]
    pub fn span(&self) -> Option<(CivilDate, CivilDate)> {
        Some((self.0.first()?.key.service_date, self.0.last()?.key.service_date))
    }

    /// The rows that `keep` says yes to, as sums of their own.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&SumKey) -> bool) -> Self {
        Self(self.0.iter().filter(|row| keep(&row.key)).copied().collect())
    }
}

impl BorshDeserialize for CategorySums {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let sums = Self(Vec::deserialize_reader(reader)?);
        match sums.check() {
            Ok(()) => Ok(sums),
            Err(what) => Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, what)),
        }
    }
}

impl<'de> Deserialize<'de> for CategorySums {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sums = Self(<Vec<SumRow> as Deserialize>::deserialize(deserializer)?);
        sums.check().map_err(serde::de::Error::custom)?;
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(day: u8, in_policy: u64) -> SumRow {
        let key = SumKey {
            service_date: CivilDate::from_ymd(2026, 3, day).unwrap(),
            category: Category::Treatment,
            class: ItemClass::A,
            programme: 0,
            slot: SlotId(0),
        };
        SumRow { in_policy: Amount::from_minor(in_policy), ..SumRow::empty(key) }
    }

    #[test]
    fn rows_are_put_in_order_and_equal_keys_are_added_up() {
        let sums = CategorySums::new(vec![row(2, 5), row(1, 7), row(2, 1)]).unwrap();
        assert_eq!(sums.rows(), [row(1, 7), row(2, 6)]);
        assert_eq!(sums.total(), Amount::from_minor(13));
        let bytes = borsh::to_vec(&sums).unwrap();
        assert_eq!(borsh::from_slice::<CategorySums>(&bytes).unwrap(), sums);
    }

    #[test]
    fn disorder_repetition_and_overflow_are_not_decoded() {
        for rows in [
            vec![row(2, 1), row(1, 1)],
            vec![row(1, 1), row(1, 1)],
            vec![row(1, u64::MAX), row(2, 1)],
        ] {
            let bytes = borsh::to_vec(&CategorySums(rows.clone())).unwrap();
            assert!(borsh::from_slice::<CategorySums>(&bytes).is_err());
            let json = serde_json::to_string(&CategorySums(rows)).unwrap();
            assert!(serde_json::from_str::<CategorySums>(&json).is_err());
        }
        assert!(CategorySums::new(vec![row(1, u64::MAX), row(2, 1)]).is_err());
    }
}
