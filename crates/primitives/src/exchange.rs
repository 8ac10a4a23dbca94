//! Rates of exchange: what so many units of one currency count in another, and how an amount is
//! converted.

use alloc::{format, string::String};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Amount, Currency, Rounding, detail};

/// How many of the smallest place make one.
const UNIT: u64 = 1_000_000;
/// How many decimals a price has at the most.
const PLACES: usize = 6;

/// A price in major units of a currency with up to six decimals, as rates are published: `4.8123`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct ExchangePrice(u64);

/// A rate as its source publishes it: so many yuan for 100 yen, for one dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// For how many major units of the foreign currency the price is: 1, 10, 100, 1,000 or 10,000.
    pub per: u32,
    /// What they count in the other currency.
    pub price: ExchangePrice,
}

impl ExchangePrice {
    /// The price of this many millionths.
    #[must_use]
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// Reads digits with at most six decimals.
    ///
    /// # Errors
    /// The sentence to show.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            String::from(detail!(
                "`{text}` is not a price; write digits and at most {most} decimals",
                text,
                most = PLACES
            ))
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = !whole.is_empty()
            && !text.ends_with('.')
            && part.len() <= PLACES
            && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_plain {
            return Err(wrong());
        }
        format!("{whole}{part:0<PLACES$}").parse().map(Self).map_err(|_| wrong())
    }
}

impl ExchangeRate {
    /// Whether it can be a rate: a price above nothing for a power of ten.
    #[must_use]
    pub const fn is_rate(&self) -> bool {
        self.price.0 > 0 && matches!(self.per, 1 | 10 | 100 | 1_000 | 10_000)
    }

    /// What an amount of `from` counts in `to`, rounded as named; `None` when it does not fit.
    ///
    /// ```
    /// # use primitives::{Amount, Currency, ExchangePrice, ExchangeRate, Rounding};
    /// let rate = ExchangeRate { per: 100, price: ExchangePrice::parse("4.8123").unwrap() };
    /// let yen = Amount::from_minor(12_000);
    /// let fen = rate.convert(yen, Currency::JPY, Currency::CNY, Rounding::HalfUp);
    /// assert_eq!(fen, Some(Amount::from_minor(57_748)));
    /// ```
    #[must_use]
    pub fn convert(
        &self,
        amount: Amount,
        from: Currency,
        to: Currency,
        rounding: Rounding,
    ) -> Option<Amount> {
        if !self.is_rate() {
            return None;
        }
        let units = |currency: Currency| 10_u128.checked_pow(u32::from(currency.scale()));
        let priced = u128::from(amount.minor()).checked_mul(u128::from(self.price.0))?;
        let numerator = priced.checked_mul(units(to)?)?;
        let denominator =
            u128::from(self.per).checked_mul(u128::from(UNIT))?.checked_mul(units(from)?)?;
        u64::try_from(rounding.divide(numerator, denominator)).ok().map(Amount::from_minor)
    }
}

impl fmt::Display for ExchangePrice {
    /// Without trailing zeros: `4.8123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(UNIT).unwrap_or(0);
        let part = self.0.checked_rem(UNIT).unwrap_or(0);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{part:0PLACES$}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Serialize for ExchangePrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExchangePrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&<String as Deserialize>::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

crate::text::string_schema!(
    ExchangePrice,
    "ExchangePrice",
    "a price in major units, with up to six decimals: `4.8123`",
    "^[0-9]+(\\.[0-9]{1,6})?$"
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn rate(per: u32, price: &str) -> ExchangeRate {
        ExchangeRate { per, price: ExchangePrice::parse(price).unwrap() }
    }

    #[test]
    fn an_amount_is_converted_exactly_between_scales_and_rounded_once() {
        let convert = |rate: ExchangeRate, minor, from, to| {
            rate.convert(Amount::from_minor(minor), from, to, Rounding::HalfUp).unwrap().minor()
        };
        let (yuan, yen, euro) = (Currency::CNY, Currency::JPY, Currency::EUR);
        assert_eq!(convert(rate(100, "4.8123"), 12_000, yen, yuan), 57_748);
        assert_eq!(convert(rate(1, "7.8265"), 10_050, euro, yuan), 78_656);
        assert_eq!(convert(rate(1, "20.78"), 10_000, yuan, yen), 2_078);
        // A half goes up, less than a half does not.
        assert_eq!(convert(rate(100, "5"), 1, yen, yuan), 5);
        assert_eq!(convert(rate(1, "0.125"), 100, euro, yuan), 13);
        assert_eq!(convert(rate(1, "0.124999"), 100, euro, yuan), 12);
    }

    #[test]
    fn what_is_no_rate_or_does_not_fit_converts_nothing() {
        let most = Amount::MAX;
        for wrong in [rate(0, "1"), rate(3, "1"), rate(100_000, "1"), rate(1, "0")] {
            assert!(!wrong.is_rate());
            let one = Amount::from_minor(1);
            assert_eq!(wrong.convert(one, Currency::JPY, Currency::CNY, Rounding::Floor), None);
        }
        let large = rate(1, "9999999");
        assert_eq!(large.convert(most, Currency::JPY, Currency::CNY, Rounding::Floor), None);
    }

    #[test]
    fn prices_are_read_and_written_as_published() {
        for text in ["4.8123", "7", "0.000001", "712.34"] {
            assert_eq!(ExchangePrice::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", ".", "1.", "-1", "1e3", "1,5", "0.0000001", "99999999999999999999"] {
            assert!(ExchangePrice::parse(wrong).is_err(), "{wrong}");
        }
    }
}
