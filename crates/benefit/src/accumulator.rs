//! Running amounts per person or family and period: deductible met, benefit paid, burden borne.
//!
//! Invariant: a plan only ever adds to an accumulator, so that undoing an adjudication is taking
//! away what it added, whatever came in between (guarded by `tests/identities.rs`).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{CivilDate, Detail, SlotId, detail};
use serde::{Deserialize, Serialize};

/// The most accumulators that are kept of one person or family in one list.
pub const ACCUMULATORS_MAX: usize = 1_024;

/// Whose amount it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[borsh(use_discriminant = true)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AccumulatorScope {
    /// The person's.
    Person = 0,
    /// The family's that is insured together.
    Family = 1,
}

/// The span over which an amount runs, as a compact code: kind in the upper 4 bits, number in the
/// lower 28.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct AccumulatorPeriod(u32);

const KIND_SHIFT: u32 = 28;
const NUMBER_MASK: u32 = (1 << KIND_SHIFT) - 1;

impl AccumulatorPeriod {
    /// All of the person's life.
    pub const LIFETIME: Self = Self(0);
    /// The visit alone. The caller keeps these with the visit and passes them in again when a
    /// stay is adjudicated in several parts.
    pub const VISIT: Self = Self(4 << KIND_SHIFT);

    /// The plan year that began in this calendar year.
    #[must_use]
    pub fn year(year: i32) -> Self {
        Self::of(1, year)
    }

    /// The calendar month.
    #[must_use]
    pub fn month(year: i32, month: u8) -> Self {
        Self::of(2, year.saturating_mul(12).saturating_add(i32::from(month)).saturating_sub(1))
    }

    /// The day.
    #[must_use]
    pub fn day(day: CivilDate) -> Self {
        // Days are counted from the year 1, so that the number is not negative.
        Self::of(3, day.days().saturating_add(719_162))
    }

    fn of(kind: u32, number: i32) -> Self {
        Self((kind << KIND_SHIFT) | (u32::try_from(number).unwrap_or(0) & NUMBER_MASK))
    }

    /// The code.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }

    const fn kind(self) -> u32 {
        self.0 >> KIND_SHIFT
    }

    const fn number(self) -> u32 {
        self.0 & NUMBER_MASK
    }

    /// Whether this is the period of a visit.
    #[must_use]
    pub const fn is_visit(self) -> bool {
        self.kind() == 4
    }

    /// Whether both are of the same kind: both months, both years and so on.
    #[must_use]
    pub const fn is_like(self, other: Self) -> bool {
        self.kind() == other.kind()
    }

    /// The month this many months before, when this is a month.
    #[must_use]
    pub const fn months_before(self, months: u32) -> Option<Self> {
        match self.number().checked_sub(months) {
            Some(number) if self.kind() == 2 => Some(Self((2 << KIND_SHIFT) | number)),
            _ => None,
        }
    }

    /// Whether nothing can be added to it any more on this day, so that a caller may put it away:
    /// its day, month or year is more than two years before.
    #[must_use]
    pub fn is_past(self, today: CivilDate) -> bool {
        let year = u32::try_from(today.year()).unwrap_or(0).saturating_sub(2);
        match self.kind() {
            1 => self.number() < year,
            2 => self.number() < year.saturating_mul(12),
            3 => {
                let first = CivilDate::from_ymd(today.year().saturating_sub(2), 1, 1);
                first.is_some_and(|first| self.0 < Self::day(first).0)
            }
            _ => false,
        }
    }
}

impl fmt::Display for AccumulatorPeriod {
    /// `lifetime`, `2026`, `2026-03`, `2026-03-31` or `visit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        match self.kind() {
            0 => f.write_str("lifetime"),
            1 => write!(f, "{number:04}"),
            2 => {
                let year = number.checked_div(12).unwrap_or(0);
                let month = number.checked_rem(12).unwrap_or(0).saturating_add(1);
                write!(f, "{year:04}-{month:02}")
            }
            3 => {
                let days = i32::try_from(number).unwrap_or(0).saturating_sub(719_162);
                match CivilDate::from_days(days) {
                    Some(day) => fmt::Display::fmt(&day, f),
                    None => f.write_str("?"),
                }
            }
            4 => f.write_str("visit"),
            _ => f.write_str("?"),
        }
    }
}

impl fmt::Debug for AccumulatorPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for AccumulatorPeriod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            String::from(detail!(
                "`{text}` is not a period; write `2026`, `2026-03`, `2026-03-31`, `lifetime` or `visit`",
                text
            ))
        };
        match (text, text.len()) {
            ("lifetime", _) => Ok(Self::LIFETIME),
            ("visit", _) => Ok(Self::VISIT),
            (_, 4) => text.parse().map(Self::year).map_err(|_| wrong()),
            (_, 7) => {
                let first: CivilDate = alloc::format!("{text}-01").parse().map_err(|_| wrong())?;
                Ok(Self::month(first.year(), first.month()))
            }
            _ => text.parse().map(Self::day).map_err(|_| wrong()),
        }
    }
}

/// Which running amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccumulatorKey {
    /// Whose.
    pub scope: AccumulatorScope,
    /// The accumulator's number in the plan; a plan of the next year keeps the number.
    pub number: u16,
    /// Over which span.
    pub period: AccumulatorPeriod,
    /// For which slot; 0 when the accumulator does not tell slots apart.
    #[serde(default)]
    pub slot: SlotId,
}

/// How one adjudication changes one running amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccumulatorChange {
    /// Which amount.
    pub key: AccumulatorKey,
    /// What it was, in minor units (or a count, where the plan counts).
    #[serde(with = "text_number")]
    #[schemars(with = "primitives::Amount")]
    pub before: u64,
    /// What it is then; never less than before.
    #[serde(with = "text_number")]
    #[schemars(with = "primitives::Amount")]
    pub after: u64,
}

/// Running amounts as a list in the order of their keys, each key once; what is absent is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct Accumulators(Vec<(AccumulatorKey, u64)>);

/// Why a change cannot be applied or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccumulatorError {
    /// The amount is no longer what the change was computed from.
    Outdated(AccumulatorKey),
    /// Less is there than the change would take away.
    TooLittle(AccumulatorKey),
    /// The list would get longer than [`ACCUMULATORS_MAX`], or the amount larger than 64 bits.
    TooLarge(AccumulatorKey),
}

impl From<AccumulatorError> for Detail {
    fn from(error: AccumulatorError) -> Self {
        use AccumulatorError as Error;
        let (Error::Outdated(key) | Error::TooLittle(key) | Error::TooLarge(key)) = error;
        let (number, period) = (key.number.to_string(), key.period.to_string());
        match error {
            Error::Outdated(_) => detail!(
                "running amount {number} of {period} has moved since the quote; ask for a new quote",
                number,
                period
            ),
            Error::TooLittle(_) => detail!(
                "running amount {number} of {period} is less than what would be undone",
                number,
                period
            ),
            Error::TooLarge(_) => detail!(
                "running amount {number} of {period} would exceed its bounds",
                number,
                period
            ),
        }
    }
}

impl fmt::Display for AccumulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}

impl core::error::Error for AccumulatorError {}

impl Accumulators {
    /// No amount at all.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of this key, zero when it is absent.
    #[must_use]
    pub fn get(&self, key: &AccumulatorKey) -> u64 {
        match self.0.binary_search_by(|entry| entry.0.cmp(key)) {
            Ok(at) => self.0.get(at).map_or(0, |entry| entry.1),
            Err(_) => 0,
        }
    }

    /// Sets a value; zero takes the key out of the list.
    pub fn set(&mut self, key: AccumulatorKey, value: u64) {
        match self.0.binary_search_by(|entry| entry.0.cmp(&key)) {
            Ok(at) if value == 0 => {
                self.0.remove(at);
            }
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) if value != 0 => self.0.insert(at, (key, value)),
            Err(_) => {}
        }
    }

    /// Every key and its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&AccumulatorKey, u64)> {
        self.0.iter().map(|(key, value)| (key, *value))
    }

    /// How many keys have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that `keep` says yes to, as a list of their own: the ledger keeps the person's, the
    /// family's and the visit's apart.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&AccumulatorKey) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| keep(key)).copied().collect())
    }

    /// Both lists in one; where a key is in both, the other's value counts.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (key, value) in &other.0 {
            all.set(*key, *value);
        }
        all
    }

    /// Makes the changes of an adjudication. Nothing is changed when one of them is outdated.
    ///
    /// # Errors
    /// [`AccumulatorError::Outdated`] when a value is not what the adjudication saw,
    /// [`AccumulatorError::TooLarge`] when the list would get too long.
    pub fn apply(&mut self, changes: &[AccumulatorChange]) -> Result<(), AccumulatorError> {
        let mut next = self.clone();
        for change in changes {
            if next.get(&change.key) != change.before || change.after < change.before {
                return Err(AccumulatorError::Outdated(change.key));
            }
            next.set(change.key, change.after);
            if next.len() > ACCUMULATORS_MAX {
                return Err(AccumulatorError::TooLarge(change.key));
            }
        }
        *self = next;
        Ok(())
    }

    /// Takes away what the changes added, whatever was added since; restores exactly when nothing
    /// was. Nothing is changed when less is there.
    ///
    /// # Errors
    /// [`AccumulatorError::TooLittle`] when a value is less than what was added.
    pub fn undo(&mut self, changes: &[AccumulatorChange]) -> Result<(), AccumulatorError> {
        let mut next = self.clone();
        for change in changes {
            let rest = change
                .after
                .checked_sub(change.before)
                .and_then(|added| next.get(&change.key).checked_sub(added));
            next.set(change.key, rest.ok_or(AccumulatorError::TooLittle(change.key))?);
        }
        *self = next;
        Ok(())
    }

    fn is_canonical(&self) -> bool {
        let ordered =
            self.0.iter().zip(self.0.iter().skip(1)).all(|(first, next)| first.0 < next.0);
        ordered && self.0.len() <= ACCUMULATORS_MAX && self.0.iter().all(|entry| entry.1 != 0)
    }
}

impl FromIterator<(AccumulatorKey, u64)> for Accumulators {
    fn from_iter<T: IntoIterator<Item = (AccumulatorKey, u64)>>(entries: T) -> Self {
        let mut list = Self::new();
        for (key, value) in entries {
            list.set(key, value);
        }
        list
    }
}

impl BorshDeserialize for Accumulators {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let list = Self(Vec::deserialize_reader(reader)?);
        if list.is_canonical() {
            return Ok(list);
        }
        Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "accumulators out of order"))
    }
}

/// One running amount in JSON.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Accumulator")]
struct Entry {
    /// Which amount.
    key: AccumulatorKey,
    /// Its value in minor units (or a count, where the plan counts).
    #[serde(with = "text_number")]
    #[schemars(with = "primitives::Amount")]
    value: u64,
}

impl Serialize for Accumulators {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, value)| Entry { key: *key, value: *value }))
    }
}

impl<'de> Deserialize<'de> for Accumulators {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let list = Self(entries.into_iter().map(|entry| (entry.key, entry.value)).collect());
        if list.is_canonical() {
            return Ok(list);
        }
        Err(serde::de::Error::custom(detail!(
            "accumulators must be in the order of their keys, each key once and none of them zero"
        )))
    }
}

impl schemars::JsonSchema for Accumulators {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Accumulators".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<Entry>::json_schema(generator)
    }
}

/// A 64-bit number as text in JSON, as amounts are.
mod text_number {
    use primitives::Amount;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field by reference")]
    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        Amount::from_minor(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        Amount::deserialize(deserializer).map(Amount::minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};

    fn key(number: u16) -> AccumulatorKey {
        AccumulatorKey {
            scope: AccumulatorScope::Person,
            number,
            period: AccumulatorPeriod::year(2026),
            slot: SlotId(0),
        }
    }

    fn change(number: u16, before: u64, after: u64) -> AccumulatorChange {
        AccumulatorChange { key: key(number), before, after }
    }

    #[test]
    fn periods_are_written_and_read_in_one_form() {
        for text in ["lifetime", "visit", "2026", "2026-03", "2026-12", "2026-03-31"] {
            assert_eq!(text.parse::<AccumulatorPeriod>().unwrap().to_string(), text);
        }
        let march = AccumulatorPeriod::month(2026, 1);
        assert_eq!(march.months_before(1).unwrap().to_string(), "2025-12");
        assert_eq!(AccumulatorPeriod::year(2026).months_before(1), None);
        assert!("2026-13".parse::<AccumulatorPeriod>().is_err());
    }

    #[test]
    fn undo_restores_exactly_and_keeps_what_came_later() {
        let start: Accumulators = [(key(1), 5)].into_iter().collect();
        let first = vec![change(1, 5, 9), change(2, 0, 3)];
        let mut list = start.clone();
        list.apply(&first).unwrap();
        assert_eq!((list.get(&key(1)), list.get(&key(2))), (9, 3));
        let mut later = list.clone();
        later.apply(&[change(1, 9, 10)]).unwrap();
        later.undo(&first).unwrap();
        assert_eq!((later.get(&key(1)), later.get(&key(2))), (6, 0));
        list.undo(&first).unwrap();
        assert_eq!(list, start);
    }

    #[test]
    fn an_outdated_change_changes_nothing() {
        let mut list = Accumulators::new();
        let changes = [change(1, 0, 4), change(2, 7, 8)];
        assert_eq!(list.apply(&changes), Err(AccumulatorError::Outdated(key(2))));
        assert!(list.is_empty());
        assert_eq!(list.undo(&[change(1, 0, 4)]), Err(AccumulatorError::TooLittle(key(1))));
        assert_eq!(
            list.apply(&[change(1, 0, 0), change(1, 5, 3)]),
            Err(AccumulatorError::Outdated(key(1)))
        );
    }

    #[test]
    fn a_list_out_of_order_is_not_decoded() {
        for wrong in
            [vec![(key(2), 1), (key(1), 1)], vec![(key(1), 0)], vec![(key(1), 1), (key(1), 1)]]
        {
            let bytes = borsh::to_vec(&wrong).unwrap();
            assert!(borsh::from_slice::<Accumulators>(&bytes).is_err());
        }
        let list: Accumulators = [(key(2), 1), (key(1), 1)].into_iter().collect();
        let json = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<Accumulators>(&json).unwrap(), list);
    }

    #[test]
    fn periods_two_years_back_are_past() {
        let today = CivilDate::from_ymd(2026, 11, 21).unwrap();
        for (period, past) in [
            ("2023", true),
            ("2024", false),
            ("2023-12", true),
            ("2024-01", false),
            ("2023-12-31", true),
            ("2024-01-01", false),
            ("lifetime", false),
            ("visit", false),
        ] {
            assert_eq!(
                period.parse::<AccumulatorPeriod>().unwrap().is_past(today),
                past,
                "{period}"
            );
        }
    }
}
