//! Bills as providers write them: lines with a day, a quantity, a price and an amount.

use alloc::{collections::BTreeSet, format, string::String, string::ToString, vec::Vec};
use core::fmt;
use primitives::{Amount, CivilDate, Currency, Detail, ExchangeRate, Rounding, SlotId, detail};
use serde::{Deserialize, Serialize};

use crate::{
    decimal::{DecimalText, Quantity, UnitPrice},
    word::Category,
};

/// The most lines a bill may have.
pub const LINES_MAX: usize = 20_000;
/// The most diagnosis groups a bill may name. Our own limit.
const GROUPS_MAX: usize = 16;
/// The longest name of a diagnosis group, in bytes. Our own limit.
const GROUP_BYTES_MAX: usize = 100;

/// An itemised bill. Money in its JSON is a decimal string of the bill's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BillText", into = "BillText")]
pub struct Bill {
    /// The currency of every amount in the bill.
    pub currency: Currency,
    /// The lines, at least one and at most [`LINES_MAX`], with distinct numbers.
    pub lines: Vec<LineItem>,
    /// The groups of the patient's diagnoses by the names that the catalogue uses, at most 16.
    /// They stand in the bill so that whoever corrects, refunds or audits it sorts by the same.
    pub diagnosis_groups: Vec<String>,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// The line's number, unique in the bill (`feedetl_sn`).
    pub line_no: u32,
    /// The item's code in the catalogue, 1 to 50 bytes.
    pub item_code: String,
    /// The item's name as printed, at most 200 bytes; only for showing.
    pub name: String,
    /// The day of the service.
    pub service_date: CivilDate,
    /// How many were charged.
    pub quantity: Quantity,
    /// The price of one, if the provider charges by the piece.
    pub unit_price: Option<UnitPrice>,
    /// What the line charges.
    pub amount: Amount,
    /// The category, used when the catalogue does not know the item.
    pub category: Option<Category>,
    /// The number of the second public programme under which the service falls; 0 for none.
    pub programme: u8,
    /// The person's slot (chronic disease) under which the service falls; 0 for none.
    pub slot: SlotId,
}

/// A bill as its JSON says it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bill")]
pub struct BillText {
    /// The currency of every amount in the bill.
    pub currency: Currency,
    /// The lines.
    pub lines: Vec<LineText>,
    /// The groups of the patient's diagnoses by the names that the catalogue uses: some items are
    /// covered for some diagnoses alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub diagnosis_groups: Vec<String>,
}

/// A line of a bill as its JSON says it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LineItem")]
pub struct LineText {
    /// The line's number, unique in the bill.
    pub line_no: u32,
    /// The item's code in the catalogue.
    pub item_code: String,
    /// The item's name as printed; only for showing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The day of the service.
    pub service_date: CivilDate,
    /// How many were charged, at most four decimals; one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<DecimalText>,
    /// The price of one, at most six decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<DecimalText>,
    /// What the line charges.
    pub amount: DecimalText,
    /// The category, used when the catalogue does not know the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The number of the second public programme; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub programme: u8,
    /// The person's slot; 0 for none.
    #[serde(default, skip_serializing_if = "is_no_slot")]
    pub slot: SlotId,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field by reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field by reference")]
fn is_no_slot(slot: &SlotId) -> bool {
    slot.0 == 0
}

/// Why a bill cannot be sorted. Each variant names the line and, by its text, the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillError {
    /// There is no line.
    Empty,
    /// There are more lines than allowed.
    TooManyLines {
        /// How many there are.
        lines: usize,
    },
    /// Two lines have the same number.
    RepeatedLine {
        /// The number.
        line_no: u32,
    },
    /// A field of a line cannot be read or is out of bounds.
    Field {
        /// The line.
        line_no: u32,
        /// The field's name.
        field: &'static str,
        /// What is wrong and what to write instead.
        message: Detail,
    },
    /// The amount is not the quantity times the unit price.
    AmountDiffers {
        /// The line.
        line_no: u32,
        /// What the line charges.
        amount: Amount,
        /// What quantity and unit price give.
        computed: Amount,
        /// The bill's currency.
        currency: Currency,
    },
    /// There are too many diagnosis groups, or one is empty or too long.
    Groups,
    /// The sum of the lines does not fit.
    TooLarge,
    /// The bill is in another currency than the catalogue.
    OtherCurrency {
        /// The bill's.
        bill: Currency,
        /// The catalogue's.
        catalogue: Currency,
    },
    /// An item is limited by age and the age is only known as a band that lies on both sides.
    AgeUndecided {
        /// The line.
        line_no: u32,
    },
    /// The lines fall into more rows (day, category, class, programme, slot) than a sum may have.
    TooManyRows {
        /// How many rows are allowed.
        allowed: usize,
    },
}

impl From<&BillError> for Detail {
    fn from(error: &BillError) -> Self {
        use BillError as Error;
        match *error {
            Error::Empty => detail!("the bill has no lines; add at least one"),
            Error::TooManyLines { lines } => detail!(
                "the bill has {lines} lines; at most {most} are allowed, split the bill",
                lines,
                most = LINES_MAX
            ),
            Error::RepeatedLine { line_no } => detail!(
                "line {line} is there twice; give every line its own `line_no`",
                line = line_no.to_string()
            ),
            Error::Field { line_no, field, ref message } => detail!(
                "line {line}, `{field}`: {what}",
                line = line_no.to_string(),
                field,
                what = message.clone()
            ),
            Error::AmountDiffers { line_no, amount, computed, currency } => detail!(
                "line {line}: `amount` is {amount}, but `quantity` times `unit_price` is {computed}; correct one of the three",
                line = line_no.to_string(),
                amount = (amount, currency),
                computed = (computed, currency)
            ),
            Error::Groups => detail!(
                "`diagnosis_groups`: name at most {most} groups of 1 to {bytes} bytes",
                most = GROUPS_MAX,
                bytes = GROUP_BYTES_MAX
            ),
            Error::TooLarge => detail!("the bill's total is too large"),
            Error::OtherCurrency { bill, catalogue } => detail!(
                "the bill is in `{bill}` and the catalogue in `{catalogue}`; use the catalogue of the place of care",
                bill,
                catalogue
            ),
            Error::AgeUndecided { line_no } => detail!(
                "line {line}: the item is limited by age and the age band does not decide it; state the exact age",
                line = line_no.to_string()
            ),
            Error::TooManyRows { allowed } => detail!(
                "the lines fall into more than {allowed} groups of day, category, class, programme and slot; split the bill",
                allowed
            ),
        }
    }
}

impl From<BillError> for Detail {
    fn from(error: BillError) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for BillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(self).fmt(f)
    }
}

impl core::error::Error for BillError {}

impl Bill {
    /// Checks the bounds that the types do not state: number of lines, distinct line numbers,
    /// lengths of texts, amounts that agree with quantity and price to one minor unit.
    ///
    /// # Errors
    /// The first line that does not keep them.
    pub fn check(&self) -> Result<(), BillError> {
        if self.lines.is_empty() {
            return Err(BillError::Empty);
        }
        if self.lines.len() > LINES_MAX {
            return Err(BillError::TooManyLines { lines: self.lines.len() });
        }
        let fits = |group: &String| (1..=GROUP_BYTES_MAX).contains(&group.len());
        if self.diagnosis_groups.len() > GROUPS_MAX || !self.diagnosis_groups.iter().all(fits) {
            return Err(BillError::Groups);
        }
        let mut seen = BTreeSet::new();
        for line in &self.lines {
            if !seen.insert(line.line_no) {
                return Err(BillError::RepeatedLine { line_no: line.line_no });
            }
            line.check(self.currency)?;
        }
        self.total().map(|_| ())
    }

    /// The sum of the lines.
    ///
    /// # Errors
    /// [`BillError::TooLarge`] when it does not fit.
    pub fn total(&self) -> Result<Amount, BillError> {
        Amount::checked_sum(self.lines.iter().map(|line| line.amount)).ok_or(BillError::TooLarge)
    }
}

impl Bill {
    /// The same bill in another currency at one rate. A line counts what the lines up to it come to
    /// less what those before it come to, each sum rounded half up, so that the lines add up to
    /// exactly what the total comes to. Unit prices stay behind: they are the other currency's.
    ///
    /// # Errors
    /// [`BillError::TooLarge`] when an amount does not fit.
    pub fn converted(&self, rate: &ExchangeRate, to: Currency) -> Result<Self, BillError> {
        let (mut foreign, mut counted) = (Amount::ZERO, Amount::ZERO);
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            foreign = foreign.checked_add(line.amount).ok_or(BillError::TooLarge)?;
            let sum = rate.convert(foreign, self.currency, to, Rounding::HalfUp);
            let sum = sum.ok_or(BillError::TooLarge)?;
            let amount = sum.saturating_sub(counted);
            counted = sum;
            lines.push(LineItem { amount, unit_price: None, ..line.clone() });
        }
        Ok(Self { currency: to, lines, diagnosis_groups: self.diagnosis_groups.clone() })
    }
}

impl LineItem {
    fn check(&self, currency: Currency) -> Result<(), BillError> {
        let field =
            |field, message| Err(BillError::Field { line_no: self.line_no, field, message });
        if self.item_code.is_empty() || self.item_code.len() > 50 {
            return field("item_code", detail!("write 1 to 50 characters"));
        }
        if self.name.len() > 200 {
            return field("name", detail!("write at most 200 bytes"));
        }
        if self.quantity.units() == 0 {
            return field(
                "quantity",
                detail!("write a quantity above zero; a return is a refund, not a line"),
            );
        }
        let Some(price) = self.unit_price else { return Ok(()) };
        let Some(computed) = price.times(self.quantity, currency, Rounding::HalfUp) else {
            return Err(BillError::TooLarge);
        };
        // Hospitals round, cut or round up; more than one minor unit is not rounding.
        if computed.minor().abs_diff(self.amount.minor()) > 1 {
            return Err(BillError::AmountDiffers {
                line_no: self.line_no,
                amount: self.amount,
                computed,
                currency,
            });
        }
        Ok(())
    }
}

impl TryFrom<BillText> for Bill {
    type Error = BillError;

    fn try_from(text: BillText) -> Result<Self, BillError> {
        let currency = text.currency;
        let lines: Result<Vec<LineItem>, BillError> =
            text.lines.into_iter().map(|line| read_line(line, currency)).collect();
        let bill = Self { currency, lines: lines?, diagnosis_groups: text.diagnosis_groups };
        bill.check()?;
        Ok(bill)
    }
}

fn read_line(line: LineText, currency: Currency) -> Result<LineItem, BillError> {
    let line_no = line.line_no;
    let wrong = |field| move |message| BillError::Field { line_no, field, message };
    let quantity = line.quantity.map_or(Ok(Quantity::ONE), |text| Quantity::parse(&text.0));
    let unit_price = line.unit_price.map(|text| UnitPrice::parse(&text.0)).transpose();
    Ok(LineItem {
        line_no,
        item_code: line.item_code,
        name: line.name,
        service_date: line.service_date,
        quantity: quantity.map_err(wrong("quantity"))?,
        unit_price: unit_price.map_err(wrong("unit_price"))?,
        amount: line.amount.amount(currency).map_err(wrong("amount"))?,
        category: line.category,
        programme: line.programme,
        slot: line.slot,
    })
}

impl From<Bill> for BillText {
    fn from(bill: Bill) -> Self {
        let currency = bill.currency;
        let lines = bill.lines.into_iter().map(|line| LineText {
            line_no: line.line_no,
            item_code: line.item_code,
            name: line.name,
            service_date: line.service_date,
            quantity: Some(DecimalText(format!("{}", line.quantity))),
            unit_price: line.unit_price.map(|price| DecimalText(format!("{price}"))),
            amount: DecimalText(line.amount.to_decimal(currency)),
            category: line.category,
            programme: line.programme,
            slot: line.slot,
        });
        Self { currency, lines: lines.collect(), diagnosis_groups: bill.diagnosis_groups }
    }
}

impl schemars::JsonSchema for Bill {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Bill".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BillText::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use primitives::ExchangePrice;

    fn bill(lines: &str) -> Result<Bill, String> {
        serde_json::from_str(&format!("{{\"currency\":\"CNY\",\"lines\":[{lines}]}}"))
            .map_err(|error| error.to_string())
    }

    const LINE: &str = r#"{"line_no":1,"item_code":"X1","service_date":"2026-03-01","quantity":"2","unit_price":"2.26","amount":"4.52"}"#;

    #[test]
    fn a_bill_comes_back_as_it_was_written() {
        let read = bill(LINE).unwrap();
        assert_eq!(read.lines[0].amount, Amount::from_minor(452));
        assert_eq!(read.lines[0].quantity.units(), 20_000);
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Bill>(&json).unwrap(), read);
    }

    #[test]
    fn a_number_instead_of_a_decimal_string_is_refused() {
        let error = bill(&LINE.replace("\"4.52\"", "4.52")).unwrap_err();
        assert!(error.contains("written as text"), "{error}");
    }

    #[test]
    fn errors_name_the_line_the_field_and_the_remedy() {
        for (from, to, expected) in [
            (
                "\"4.52\"",
                "\"4.521\"",
                "line 1, `amount`: `4.521`: at most 2 digits may follow the point",
            ),
            ("\"2\"", "\"-2\"", "line 1, `quantity`: `-2` is not a quantity"),
            ("\"2\"", "\"0\"", "line 1, `quantity`: write a quantity above zero"),
            (
                "\"4.52\"",
                "\"4.54\"",
                "`amount` is 4.54 CNY, but `quantity` times `unit_price` is 4.52 CNY",
            ),
            ("X1", "", "line 1, `item_code`: write 1 to 50 characters"),
        ] {
            let error = bill(&LINE.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(bill("").unwrap_err().contains("no lines"));
        assert!(bill(&format!("{LINE},{LINE}")).unwrap_err().contains("line 1 is there twice"));
        assert!(bill(&LINE.replace("line_no", "lineno")).unwrap_err().contains("unknown field"));
    }

    #[test]
    fn converted_lines_add_up_to_the_converted_total() {
        let line = LINE.replace("4.52", "1").replace("2.26", "0.5");
        let lines: Vec<String> =
            (1..=3).map(|at| line.replace("\"line_no\":1", &format!("\"line_no\":{at}"))).collect();
        let yen = bill(&lines.join(",")).unwrap();
        let yen = Bill { currency: Currency::JPY, ..yen };
        // 100 yen each at 4.8349 for 100: 4.83, 9.67 and 14.50 are the sums.
        let rate = ExchangeRate { per: 100, price: ExchangePrice::from_millionths(4_834_900) };
        let yuan = yen.converted(&rate, Currency::CNY).unwrap();
        let amounts: Vec<u64> = yuan.lines.iter().map(|one| one.amount.minor()).collect();
        assert_eq!(amounts, [483, 484, 483]);
        let total =
            rate.convert(yen.total().unwrap(), Currency::JPY, Currency::CNY, Rounding::HalfUp);
        assert_eq!((yuan.total().ok(), yuan.currency), (total, Currency::CNY));
        assert_eq!(
            (yuan.lines[0].unit_price, yuan.lines[0].quantity),
            (None, yen.lines[0].quantity)
        );
        let large = ExchangeRate { per: 1, price: ExchangePrice::from_millionths(u64::MAX) };
        let most =
            Bill { lines: vec![LineItem { amount: Amount::MAX, ..yen.lines[0].clone() }], ..yen };
        assert_eq!(most.converted(&large, Currency::CNY), Err(BillError::TooLarge));
    }

    #[test]
    fn a_difference_of_one_minor_unit_is_rounding() {
        assert!(bill(&LINE.replace("\"4.52\"", "\"4.53\"")).is_ok());
        assert!(bill(&LINE.replace("\"4.52\"", "\"4.51\"")).is_ok());
    }
}
