//! Money: an unsigned count of a currency's minor unit (fen, yen, cent), and how it is divided.

use alloc::{format, string::String};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Detail, detail, rate::Rate};

/// An amount in minor units of a currency that its surroundings name (a plan, a bill, an account).
///
/// Debt and direction are accounts, never signs: an amount is not negative. In JSON an amount is a
/// string of whole minor units (`"452"` is 4.52 yuan); a JSON number is refused, so that no client
/// can send a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize)]
pub struct Amount(u64);

/// What to do with the part of a minor unit that a division leaves over.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize
)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Drop the part.
    Floor,
    /// Add one unit when the part is a half or more.
    HalfUp,
    /// Add one unit when there is any part.
    Ceiling,
    /// Add one unit when the part is more than a half, or a half beside an odd unit.
    HalfEven,
}

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount there is; stands for "no limit" in caps.
    pub const MAX: Self = Self(u64::MAX);

    /// The amount of this many minor units.
    #[must_use]
    pub const fn from_minor(minor: u64) -> Self {
        Self(minor)
    }

    /// What is above zero of a balance in minor units; none when it is below.
    #[must_use]
    pub fn at_least_zero(balance: i128) -> Self {
        Self(u64::try_from(balance.max(0)).unwrap_or(u64::MAX))
    }

    /// How many minor units this is.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// Whether there is no money in it.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` when `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The sum, stopping at [`Amount::MAX`]; for caps, where MAX means "no limit".
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away, zero at the least.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This share of the amount, rounded as named.
    ///
    /// A rate is at most one, so the share is never more than the amount rounded up.
    #[must_use]
    pub fn share(self, rate: Rate, rounding: Rounding) -> Self {
        let product = u128::from(self.0).saturating_mul(u128::from(rate.ppm()));
        let rounded = rounding.divide(product, u128::from(Rate::ONE.ppm()));
        Self(u64::try_from(rounded).unwrap_or(u64::MAX))
    }

    /// `self * numerator / denominator`, rounded as named; `None` for a zero denominator or a
    /// result that does not fit.
    #[must_use]
    pub fn ratio(self, numerator: u64, denominator: u64, rounding: Rounding) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let product = u128::from(self.0).checked_mul(u128::from(numerator))?;
        u64::try_from(rounding.divide(product, u128::from(denominator))).ok().map(Self)
    }

    /// The sum of many amounts, or `None` when it does not fit.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The amount as people write it, with the currency's number of decimals: `4.52`.
    #[must_use]
    pub fn to_decimal(self, currency: Currency) -> String {
        let scale = usize::from(currency.scale);
        if scale == 0 {
            return format!("{}", self.0);
        }
        let unit = 10_u64.saturating_pow(u32::from(currency.scale));
        let whole = self.0.checked_div(unit).unwrap_or(0);
        let part = self.0.checked_rem(unit).unwrap_or(0);
        format!("{whole}.{part:0scale$}")
    }

    /// Reads an amount as people write it: digits, and at most `scale` digits behind one point.
    ///
    /// # Errors
    /// Names what is wrong: a sign, an exponent, too many decimals, a number too large.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, ParseAmountError> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if text.ends_with('.') || whole.is_empty() {
            return Err(ParseAmountError::NotANumber);
        }
        if !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(ParseAmountError::NotANumber);
        }
        if part.len() > usize::from(currency.scale) {
            return Err(ParseAmountError::TooManyDecimals { allowed: currency.scale });
        }
        let digits = format!("{whole}{part:0<width$}", width = usize::from(currency.scale));
        digits.parse().map(Self).map_err(|_| ParseAmountError::TooLarge)
    }
}

impl Rounding {
    /// `numerator / denominator` as this rounding says; the denominator is not zero.
    #[must_use]
    pub fn divide(self, numerator: u128, denominator: u128) -> u128 {
        // Nearly every division fits 64 bits, where the processor is many times faster.
        let (quotient, rest) = match (u64::try_from(numerator), u64::try_from(denominator)) {
            (Ok(numerator), Ok(denominator)) => (
                u128::from(numerator.checked_div(denominator).unwrap_or(0)),
                u128::from(numerator.checked_rem(denominator).unwrap_or(0)),
            ),
            _ => (
                numerator.checked_div(denominator).unwrap_or(0),
                numerator.checked_rem(denominator).unwrap_or(0),
            ),
        };
        let twice = rest.saturating_mul(2);
        let up = match self {
            Self::Floor => false,
            Self::HalfUp => twice >= denominator,
            Self::Ceiling => rest != 0,
            Self::HalfEven => twice > denominator || (twice == denominator && quotient & 1 == 1),
        };
        quotient.saturating_add(u128::from(up))
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseAmountError {
    /// Something other than digits and one point.
    NotANumber,
    /// More decimals than the currency has.
    TooManyDecimals {
        /// How many the currency has.
        allowed: u8,
    },
    /// More than the ledger can hold.
    TooLarge,
}

impl From<ParseAmountError> for Detail {
    fn from(error: ParseAmountError) -> Self {
        use ParseAmountError as Error;
        match error {
            Error::NotANumber => {
                detail!("write the amount as digits with at most one point, such as `12.30`")
            }
            Error::TooManyDecimals { allowed: 0 } => detail!("this currency has no decimals"),
            Error::TooManyDecimals { allowed } => {
                detail!("at most {most} digits may follow the point", most = allowed)
            }
            Error::TooLarge => detail!("the amount is too large"),
        }
    }
}

impl fmt::Display for ParseAmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}

impl core::error::Error for ParseAmountError {}

/// A currency by its ISO 4217 code, and how many decimals its minor unit has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Currency {
    code: [u8; 3],
    scale: u8,
}

impl Currency {
    /// Chinese yuan; the minor unit is the fen.
    pub const CNY: Self = Self { code: *b"CNY", scale: 2 };
    /// Japanese yen, which has no minor unit.
    pub const JPY: Self = Self { code: *b"JPY", scale: 0 };
    /// US dollar; the minor unit is the cent.
    pub const USD: Self = Self { code: *b"USD", scale: 2 };
    /// Euro; the minor unit is the cent.
    pub const EUR: Self = Self { code: *b"EUR", scale: 2 };
    /// Every currency known here.
    pub const ALL: [Self; 4] = [Self::CNY, Self::JPY, Self::USD, Self::EUR];

    /// The currency of this ISO 4217 code, if it is known here.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    /// The ISO 4217 code.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// How many decimals an amount is written with.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }
}

impl BorshDeserialize for Currency {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let (code, scale) = <([u8; 3], u8)>::deserialize_reader(reader)?;
        // An unknown code or a foreign scale would make another amount of every number.
        Self::ALL
            .into_iter()
            .find(|known| *known == Self { code, scale })
            .ok_or_else(|| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "currency"))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl core::str::FromStr for Currency {
    type Err = Detail;

    fn from_str(text: &str) -> Result<Self, Detail> {
        Self::from_code(text).ok_or_else(|| {
            detail!("currency `{text}` is not known; use CNY, JPY, USD or EUR", text)
        })
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        match text.parse() {
            Ok(minor) if canonical => Ok(Self(minor)),
            _ => Err(serde::de::Error::custom(detail!(
                "an amount is a string of whole minor units, such as `\"452\"` for 4.52 yuan"
            ))),
        }
    }
}

crate::text::string_schema!(
    Amount,
    "Amount",
    "whole minor units (fen, yen, cent) as a string",
    "^(0|[1-9][0-9]{0,19})$"
);
crate::text::string_schema!(Currency, "Currency", "ISO 4217 code", "^[A-Z]{3}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_as_people_write_them() {
        for (text, minor) in [("4.52", 452), ("0.05", 5), ("7", 700), ("7.5", 750), ("0", 0)] {
            assert_eq!(Amount::from_decimal(text, Currency::CNY), Ok(Amount(minor)), "{text}");
        }
        assert_eq!(Amount(452).to_decimal(Currency::CNY), "4.52");
        assert_eq!(Amount(5).to_decimal(Currency::CNY), "0.05");
        assert_eq!(Amount(945_760).to_decimal(Currency::JPY), "945760");
    }

    #[test]
    fn anything_but_digits_and_one_point_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "1.2.3", " 1", "1 "] {
            assert_eq!(
                Amount::from_decimal(text, Currency::CNY),
                Err(ParseAmountError::NotANumber),
                "{text}"
            );
        }
        assert_eq!(
            Amount::from_decimal("1.234", Currency::CNY),
            Err(ParseAmountError::TooManyDecimals { allowed: 2 })
        );
        assert_eq!(
            Amount::from_decimal("99999999999999999999", Currency::JPY),
            Err(ParseAmountError::TooLarge)
        );
    }

    #[test]
    fn the_observed_class_b_share_rounds_half_up() {
        // 4.52 at 5 % is 0.226: observed as 0.23 (case CN-OBS-02).
        let rate = Rate::from_ppm(50_000).expect("five percent is a rate");
        assert_eq!(Amount(452).share(rate, Rounding::HalfUp), Amount(23));
        assert_eq!(Amount(452).share(rate, Rounding::Floor), Amount(22));
        assert_eq!(Amount(452).share(rate, Rounding::Ceiling), Amount(23));
    }

    #[test]
    fn bytes_of_a_currency_are_of_one_that_is_known() {
        for currency in Currency::ALL {
            let bytes = borsh::to_vec(&currency).unwrap();
            assert_eq!(borsh::from_slice::<Currency>(&bytes).unwrap(), currency);
            let scaled = [&bytes[..3], &[currency.scale ^ 1]].concat();
            assert!(borsh::from_slice::<Currency>(&scaled).is_err());
        }
        assert!(borsh::from_slice::<Currency>(b"XXX\x02").is_err());
    }

    #[test]
    fn halves_round_by_their_name() {
        assert_eq!(Rounding::HalfEven.divide(5, 10), 0);
        assert_eq!(Rounding::HalfEven.divide(15, 10), 2);
        assert_eq!(Rounding::HalfUp.divide(5, 10), 1);
    }

    #[test]
    fn json_amounts_are_strings_of_minor_units() {
        assert_eq!(serde_json::to_string(&Amount(452)).unwrap(), "\"452\"");
        assert_eq!(serde_json::from_str::<Amount>("\"452\"").unwrap(), Amount(452));
        for wrong in ["452", "4.52", "\"4.52\"", "\"007\"", "\"-1\"", "\"\"", "\"+1\""] {
            assert!(serde_json::from_str::<Amount>(wrong).is_err(), "{wrong}");
        }
    }
}
