//! Decimal numbers as bills and plans write them: always text, never a number, so that no float
//! gets in.

use alloc::{format, string::String};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{Amount, Currency, Detail, Rounding, detail};
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

/// A decimal number as text: digits, and digits behind one point. A JSON or TOML number is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DecimalText(pub String);

impl DecimalText {
    /// The amount of money that the text says in this currency.
    ///
    /// # Errors
    /// The sentence to show.
    pub fn amount(&self, currency: Currency) -> Result<Amount, Detail> {
        Amount::from_decimal(&self.0, currency)
            .map_err(|why| detail!("`{text}`: {why}", text = self.0.as_str(), why))
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = DecimalText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted =
            detail!("a decimal number written as text, such as \"12.30\" (with the quotes)");
        fmt::Display::fmt(&wanted, f)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DecimalText, E> {
        Ok(DecimalText(String::from(text)))
    }
}

impl schemars::JsonSchema for DecimalText {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "DecimalText".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,6})?$" })
    }
}

/// Reads digits with at most `scale` digits behind a point as an integer of the smallest place.
fn parse_fixed(text: &str, scale: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = !whole.is_empty()
        && !text.ends_with('.')
        && part.len() <= scale
        && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !plain {
        return None;
    }
    format!("{whole}{part:0<scale$}").parse().ok()
}

/// Writes an integer of the smallest place with the point and without trailing zeros.
fn write_fixed(f: &mut fmt::Formatter<'_>, value: u64, unit: u64, scale: usize) -> fmt::Result {
    let whole = value.checked_div(unit).unwrap_or(0);
    let part = value.checked_rem(unit).unwrap_or(0);
    if part == 0 {
        return write!(f, "{whole}");
    }
    let digits = format!("{part:0scale$}");
    write!(f, "{whole}.{}", digits.trim_end_matches('0'))
}

/// A fixed-point number with its own number of decimals, text in JSON.
macro_rules! fixed_point {
    ($(#[$doc:meta])* $name:ident, $scale:literal, $unit:literal, $wrong:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize,
            BorshDeserialize,
        )]
        pub struct $name(u64);

        impl $name {
            /// How many of the smallest place make one.
            pub const UNIT: u64 = $unit;
            /// One.
            pub const ONE: Self = Self($unit);

            /// The number of this many smallest places.
            #[must_use]
            pub const fn from_units(units: u64) -> Self {
                Self(units)
            }

            /// How many of the smallest place this is.
            #[must_use]
            pub const fn units(self) -> u64 {
                self.0
            }

            /// Reads digits with an optional point.
            ///
            /// # Errors
            /// The sentence to show.
            pub fn parse(text: &str) -> Result<Self, Detail> {
                let wrong = || detail!($wrong, text, most = $scale);
                parse_fixed(text, $scale).map(Self).ok_or_else(wrong)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_fixed(f, self.0, $unit, $scale)
            }
        }
    };
}

fixed_point!(
    /// How many of an item a line charges, in ten-thousandths (`cnt`, 16,4).
    Quantity, 4, 10_000,
    "`{text}` is not a quantity; write digits and at most {most} decimals"
);
fixed_point!(
    /// The price of one of an item, in millionths of the currency's major unit (`pric`, 16,6).
    UnitPrice, 6, 1_000_000,
    "`{text}` is not a unit price; write digits and at most {most} decimals"
);

impl UnitPrice {
    /// The price of `quantity` of the item in minor units, rounded as named; `None` when it does
    /// not fit.
    #[must_use]
    pub fn times(
        self,
        quantity: Quantity,
        currency: Currency,
        rounding: Rounding,
    ) -> Option<Amount> {
        let product = u128::from(self.0).checked_mul(u128::from(quantity.units()))?;
        let minor = 10_u128.checked_pow(u32::from(currency.scale()))?;
        let places = u128::from(Self::UNIT).checked_mul(u128::from(Quantity::UNIT))?;
        let value = rounding.divide(product.checked_mul(minor)?, places);
        u64::try_from(value).ok().map(Amount::from_minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn quantities_and_prices_are_read_and_written_exactly() {
        for (text, units) in [("1", 10_000), ("0.5", 5_000), ("2.25", 22_500), ("0.0001", 1)] {
            assert_eq!(Quantity::parse(text).unwrap().units(), units);
            assert_eq!(Quantity::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(UnitPrice::parse("12.345678").unwrap().to_string(), "12.345678");
        for wrong in ["", ".", "1.", "-1", "1e3", "0.00001"] {
            assert!(Quantity::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_price_times_a_quantity_is_rounded_once() {
        let price = UnitPrice::parse("0.333333").unwrap();
        let three = Quantity::parse("3").unwrap();
        let fen = |rounding| price.times(three, Currency::CNY, rounding).unwrap().minor();
        assert_eq!((fen(Rounding::Floor), fen(Rounding::HalfUp)), (99, 100));
        let yen = UnitPrice::parse("150.5").unwrap().times(three, Currency::JPY, Rounding::HalfUp);
        assert_eq!(yen.unwrap().minor(), 452);
    }

    #[test]
    fn a_json_number_is_refused_with_the_remedy() {
        let error = serde_json::from_str::<DecimalText>("12.30").unwrap_err().to_string();
        assert!(error.contains("written as text, such as \"12.30\" (with the quotes)"), "{error}");
        assert_eq!(serde_json::from_str::<DecimalText>("\"12.30\"").unwrap().0, "12.30");
    }
}
