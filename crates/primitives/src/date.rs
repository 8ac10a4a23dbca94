//! Days and instants. Time is an argument everywhere: nothing here reads a clock.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month};

use crate::{Detail, detail};

/// A day of the civil calendar, between the years 1 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct CivilDate(i32);

/// Why a text is not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDateError;

impl From<ParseDateError> for Detail {
    fn from(_: ParseDateError) -> Self {
        detail!("write the day as `2026-03-31`")
    }
}

impl fmt::Display for ParseDateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}
impl core::error::Error for ParseDateError {}

/// Julian day of 1970-01-01, which is day zero here.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

impl CivilDate {
    /// The day of this year, month and day of the month, if there is one.
    #[must_use]
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
        Some(Self(date.to_julian_day().saturating_sub(EPOCH_JULIAN_DAY)))
    }

    /// The day that is this many days after 1970-01-01, if it lies between the years 1 and 9999.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        (FIRST_DAY..=LAST_DAY).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    fn date(self) -> Date {
        Date::from_julian_day(self.0.saturating_add(EPOCH_JULIAN_DAY)).unwrap_or(Date::MIN)
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        u8::from(self.date().month())
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.date().day()
    }

    /// This many days later (earlier when negative), if that is still a day.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Option<Self> {
        Self::from_days(self.0.checked_add(days)?)
    }

    /// Full years from `self` to `later`: the age on that day. Zero when `later` is earlier.
    /// Somebody born on 29 February turns a year older on 1 March of a common year.
    #[must_use]
    pub fn years_until(self, later: Self) -> u16 {
        let years = later.year().saturating_sub(self.year());
        let before = (later.month(), later.day()) < (self.month(), self.day());
        u16::try_from(years.saturating_sub(i32::from(before))).unwrap_or(0)
    }
}

impl core::str::FromStr for CivilDate {
    type Err = ParseDateError;
    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let mut parts = text.split('-');
        let mut next = |width: usize| -> Result<u16, ParseDateError> {
            let part = parts.next().ok_or(ParseDateError)?;
            if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ParseDateError);
            }
            part.parse().map_err(|_| ParseDateError)
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        if parts.next().is_some() {
            return Err(ParseDateError);
        }
        let small = |number: u16| u8::try_from(number).map_err(|_| ParseDateError);
        Self::from_ymd(i32::from(year), small(month)?, small(day)?).ok_or(ParseDateError)
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BorshDeserialize for CivilDate {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Self::from_days(i32::deserialize_reader(reader)?).ok_or_else(|| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "day out of range")
        })
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(|why: ParseDateError| {
            serde::de::Error::custom(detail!("`{text}` is not a day: {why}", text, why))
        })
    }
}

/// A span of days, both ends in it; an open end lasts for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day.
    pub from: CivilDate,
    /// The last day, if there is one.
    #[serde(default)]
    pub to: Option<CivilDate>,
}

impl Period {
    /// Whether the day lies in the span.
    #[must_use]
    pub fn contains(&self, day: CivilDate) -> bool {
        self.from <= day && self.to.is_none_or(|last| day <= last)
    }

    /// Whether the two spans share a day.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.to.is_none_or(|last| other.from <= last)
            && other.to.is_none_or(|last| self.from <= last)
    }

    /// Whether the span has at least one day.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.to.is_none_or(|last| self.from <= last)
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z, as a block says it. A string in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize)]
pub struct Timestamp(u64);

/// A fixed distance of local time from UTC in minutes, -720 to 840.
///
/// Regions keep a fixed distance: a time zone database changes with the operating system, and two
/// nodes must never disagree about which day it is (decision record 0004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct UtcOffset(pub i16);

impl Timestamp {
    /// The instant this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This many milliseconds later, stopping at the end of time.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Which day it is at this instant, `offset` away from UTC.
    #[must_use]
    pub fn day(self, offset: UtcOffset) -> CivilDate {
        let minutes = i64::try_from(self.0.checked_div(60_000).unwrap_or(0)).unwrap_or(i64::MAX);
        let local = minutes.saturating_add(i64::from(offset.0));
        let days = i32::try_from(local.div_euclid(1_440)).unwrap_or(LAST_DAY);
        CivilDate(days.clamp(FIRST_DAY, LAST_DAY))
    }

    /// The first instant of this day, `offset` away from UTC; 1970 at the earliest.
    #[must_use]
    pub fn start_of(day: CivilDate, offset: UtcOffset) -> Self {
        let minutes =
            i64::from(day.days()).saturating_mul(1_440).saturating_sub(i64::from(offset.0));
        Self(u64::try_from(minutes.saturating_mul(60_000)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// As `2026-03-31T08:05:00.123Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.day(UtcOffset(0));
        let millis = self.0.checked_rem(86_400_000).unwrap_or(0);
        let part = |unit: u64, size: u64| {
            millis.checked_div(unit).unwrap_or(0).checked_rem(size).unwrap_or(0)
        };
        let (hour, minute) = (part(3_600_000, 24), part(60_000, 60));
        let (second, milli) = (part(1_000, 60), part(1, 1_000));
        write!(f, "{day}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(detail!(
                "`{text}` is not an instant; write it as `2026-03-31T08:05:00.000Z`",
                text
            ))
        })
    }
}

impl Timestamp {
    /// Reads exactly the form that is written: `2026-03-31T08:05:00.123Z`.
    fn parse(text: &str) -> Option<Self> {
        let (day, rest) = text.split_once('T')?;
        let day: CivilDate = day.parse().ok()?;
        let clock = rest.strip_suffix('Z')?;
        let (clock, milli) = clock.split_once('.')?;
        let mut parts = clock.split(':');
        let number = |text: Option<&str>, width: usize, below: u64| -> Option<u64> {
            let text = text?;
            let plain = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|value| plain && *value < below)
        };
        let hour = number(parts.next(), 2, 24)?;
        let minute = number(parts.next(), 2, 60)?;
        let second = number(parts.next(), 2, 60)?;
        let milli = number(Some(milli), 3, 1_000)?;
        if parts.next().is_some() || day.days() < 0 {
            return None;
        }
        let seconds = hour
            .saturating_mul(3_600)
            .saturating_add(minute.saturating_mul(60))
            .saturating_add(second);
        let offset = seconds.saturating_mul(1_000).saturating_add(milli);
        Some(Self::start_of(day, UtcOffset(0)).plus_millis(offset))
    }
}

crate::text::string_schema!(
    CivilDate,
    "CivilDate",
    "a day: `2026-03-31`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
);
crate::text::string_schema!(
    Timestamp,
    "Timestamp",
    "an instant in UTC: `2026-03-31T08:05:00.000Z`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a day")
    }

    #[test]
    fn days_are_read_and_written() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-21", "0001-01-01", "9999-12-31"] {
            assert_eq!(day(text).to_string(), text);
        }
        assert_eq!(day("1970-01-01").days(), 0);
        for text in
            ["2023-02-29", "2026-13-01", "2026-1-1", "26-01-01", "0000-01-01", "2026-01-01-01"]
        {
            assert_eq!(text.parse::<CivilDate>(), Err(ParseDateError), "{text}");
        }
    }

    #[test]
    fn an_age_changes_on_the_birthday() {
        assert_eq!(day("1951-04-10").years_until(day("2026-04-09")), 74);
        assert_eq!(day("1951-04-10").years_until(day("2026-04-10")), 75);
        assert_eq!(day("2004-02-29").years_until(day("2025-02-28")), 20);
        assert_eq!(day("2004-02-29").years_until(day("2025-03-01")), 21);
        assert_eq!(day("2026-01-01").years_until(day("2025-01-01")), 0);
    }

    #[test]
    fn the_day_is_the_one_of_the_region() {
        let almost_midnight = Timestamp::parse("2026-03-31T16:30:00.000Z").unwrap();
        assert_eq!(almost_midnight.day(UtcOffset(0)), day("2026-03-31"));
        assert_eq!(almost_midnight.day(UtcOffset(480)), day("2026-04-01"));
        assert_eq!(
            Timestamp::start_of(day("2026-04-01"), UtcOffset(480)).to_string(),
            "2026-03-31T16:00:00.000Z"
        );
    }

    #[test]
    fn instants_are_read_in_one_form_only() {
        let text = "2026-11-21T23:36:11.007Z";
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        for wrong in [
            "2026-11-21T23:36:11Z",
            "2026-11-21 23:36:11.007Z",
            "2026-11-21T24:00:00.000Z",
            "2026-11-21T23:36:11.007+08:00",
        ] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn periods_hold_both_ends() {
        let march = Period { from: day("2026-03-01"), to: Some(day("2026-03-31")) };
        let open = Period { from: day("2026-03-31"), to: None };
        assert!(march.contains(day("2026-03-31")) && !march.contains(day("2026-04-01")));
        assert!(march.overlaps(&open) && open.overlaps(&march));
    }
}
