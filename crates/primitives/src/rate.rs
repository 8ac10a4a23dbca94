//! Shares of an amount, in parts per million.

use alloc::{format, string::String};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::detail;

/// A share between nothing and the whole, in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Rate(u32);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// The rate of this many parts per million, at most one million.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Option<Self> {
        if ppm <= Self::ONE.0 { Some(Self(ppm)) } else { None }
    }

    /// Parts per million, 0 to 1,000,000.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// What is missing to the whole.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ONE.0.saturating_sub(self.0))
    }

    /// The sum, at most the whole: "85 %, retired +3 points".
    #[must_use]
    pub fn plus(self, points: Self) -> Self {
        Self(self.0.saturating_add(points.0).min(Self::ONE.0))
    }

    /// The product, rounded down to a part per million: "90 % of the rate at home".
    #[must_use]
    pub fn times(self, factor: Self) -> Self {
        let product = u64::from(self.0).saturating_mul(u64::from(factor.0));
        let ppm = product.checked_div(u64::from(Self::ONE.0)).unwrap_or(0);
        Self(u32::try_from(ppm).unwrap_or(Self::ONE.0))
    }

    /// Reads `0.85` or `85%`; at most six decimals of the whole.
    ///
    /// # Errors
    /// The text to show when it is not a share between 0 and 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            String::from(detail!(
                "`{text}` is not a share; write `0.85` or `85%`, from 0 to 1 (100%)",
                text
            ))
        };
        let (digits, scale) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 4_usize),
            None => (text, 6_usize),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = !whole.is_empty()
            && !digits.ends_with('.')
            && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
        if !plain || part.len() > scale {
            return Err(wrong());
        }
        let ppm: u32 = format!("{whole}{part:0<scale$}").parse().map_err(|_| wrong())?;
        Self::from_ppm(ppm).ok_or_else(wrong)
    }
}

impl fmt::Display for Rate {
    /// As a percentage without trailing zeros: `85%`, `0.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(10_000).unwrap_or(0);
        let part = self.0.checked_rem(10_000).unwrap_or(0);
        if part == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{part:04}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

impl BorshDeserialize for Rate {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Self::from_ppm(u32::deserialize_reader(reader)?).ok_or_else(|| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "rate above one")
        })
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&<String as Deserialize>::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

crate::text::string_schema!(Rate, "Rate", "a share: `0.85` or `85%`", "^[0-9]+(\\.[0-9]{1,6})?%?$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_fraction_or_percent() {
        for (text, ppm) in
            [("0.85", 850_000), ("85%", 850_000), ("0.5%", 5_000), ("1", 1_000_000), ("0", 0)]
        {
            assert_eq!(Rate::parse(text).map(Rate::ppm), Ok(ppm), "{text}");
        }
        for text in ["1.01", "101%", "-1", "", "%", "0.1234567", "85 percent", "1."] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_written_as_percent() {
        for (ppm, text) in [(850_000, "85%"), (5_000, "0.5%"), (0, "0%"), (1, "0.0001%")] {
            assert_eq!(alloc::string::ToString::to_string(&Rate(ppm)), text);
        }
    }

    #[test]
    fn points_stop_at_the_whole_and_factors_shrink() {
        let most = Rate::parse("0.98").unwrap();
        assert_eq!(most.plus(Rate::parse("0.03").unwrap()), Rate::ONE);
        assert_eq!(Rate::parse("0.85").unwrap().times(Rate::parse("0.9").unwrap()).ppm(), 765_000);
        assert_eq!(most.complement().ppm(), 20_000);
    }

    #[test]
    fn a_rate_above_one_is_not_decoded() {
        assert!(borsh::from_slice::<Rate>(&1_000_001_u32.to_le_bytes()).is_err());
    }
}
