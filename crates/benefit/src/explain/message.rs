//! Sentences with places for numbers, one set per language, checked once when they are read.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;
use primitives::{Amount, Currency};

use crate::word::Payer;

/// A file of messages as it is read: tables of texts.
pub type MessageTables = BTreeMap<String, BTreeMap<String, String>>;

/// The messages of a language: complete, and with no place that nobody fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    tables: MessageTables,
}

/// Why a file of messages is refused: the table, the key, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageError(String);

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for MessageError {}

/// Every message: its table, its key, and the places that it may have.
const MESSAGES: &[(&str, &str, &[&str])] = &[
    ("language", "tag", &[]),
    ("number", "decimal", &[]),
    ("number", "group", &[]),
    ("currency", "CNY", &["amount"]),
    ("currency", "JPY", &["amount"]),
    ("currency", "USD", &["amount"]),
    ("currency", "EUR", &["amount"]),
    ("headline", "nothing", &["total", "payers"]),
    ("headline", "accounts_only", &["total", "accounts", "payers"]),
    ("headline", "cash", &["total", "cash", "payers"]),
    ("headline", "cash_and_accounts", &["total", "cash", "accounts", "payers"]),
    ("figure", "total", &[]),
    ("figure", "self_paid", &[]),
    ("figure", "over_cap", &[]),
    ("figure", "class_b_share", &[]),
    ("figure", "in_policy", &[]),
    ("figure", "deductible", &[]),
    ("figure", "personal_account", &[]),
    ("figure", "family_accounts", &[]),
    ("figure", "cash", &[]),
    ("period", "adjudication", &[]),
    ("period", "visit", &[]),
    ("period", "day", &[]),
    ("period", "month", &[]),
    ("period", "year", &[]),
    ("period", "lifetime", &[]),
    ("step", "base", &["amount"]),
    ("step", "base_capped", &["limit", "used", "cut", "period"]),
    ("step", "deductible", &["full", "met", "taken", "period"]),
    ("step", "deductible_met", &["full", "met", "period"]),
    ("step", "tier", &["rate", "part", "benefit"]),
    ("step", "capped", &["limit", "used", "cut", "period"]),
    ("step", "fixed_amount", &["full", "used", "gives", "period"]),
    ("step", "copay", &["full", "used", "kept", "period"]),
    ("step", "limited", &["limit", "borne", "excess", "period"]),
    ("step", "paid", &["payer", "amount", "left"]),
    ("step", "paid_nothing", &["payer"]),
    ("step", "account", &["available", "paid"]),
    ("step", "family_account", &["number", "available", "paid"]),
    ("step", "counted", &["name", "added"]),
    ("line", "class_a", &["amount"]),
    ("line", "class_b", &["amount", "share", "in_policy"]),
    ("line", "class_c", &["amount"]),
    ("line", "not_in_catalogue", &["amount"]),
    ("line", "not_in_catalogue_on_day", &["amount"]),
    ("line", "outside_conditions", &["amount"]),
    ("line", "class_a_over_cap", &["amount", "over_cap", "in_policy"]),
    ("line", "class_b_over_cap", &["amount", "over_cap", "share", "in_policy"]),
    ("line", "unlisted", &["amount"]),
];

impl Messages {
    /// Checks a file of messages.
    ///
    /// # Errors
    /// The first message that is missing, unknown, or has a place that nobody fills.
    pub fn new(tables: MessageTables) -> Result<Self, MessageError> {
        let payers = Payer::ALL.iter().map(|payer| ("payer", payer.name(), &[][..]));
        let all: Vec<(&str, &str, &[&str])> = MESSAGES.iter().copied().chain(payers).collect();
        for (table, key, places) in &all {
            let text = tables.get(*table).and_then(|table| table.get(*key));
            let text = text.ok_or_else(|| MessageError(format!("`{table}.{key}` is missing")))?;
            for place in places_of(text) {
                if !places.contains(&place) {
                    let message = format!("`{table}.{key}`: nothing fills `{{{place}}}`");
                    return Err(MessageError(message));
                }
            }
        }
        for (table, entries) in &tables {
            for key in entries.keys() {
                if !all.iter().any(|(known, name, _)| known == table && name == key) {
                    return Err(MessageError(format!("`{table}.{key}` is not used")));
                }
            }
        }
        Ok(Self { tables })
    }

    /// The language tag, as `zh-Hans`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.text("language", "tag")
    }

    /// A message; every one that is asked for is there.
    pub(crate) fn text(&self, table: &str, key: &str) -> &str {
        self.tables.get(table).and_then(|table| table.get(key)).map_or("", String::as_str)
    }

    /// An amount of money as the language writes it, with its currency.
    #[must_use]
    pub fn money(&self, amount: Amount, currency: Currency) -> String {
        let number = self.number(&amount.to_decimal(currency));
        self.text("currency", currency.code()).replace("{amount}", &number)
    }

    /// A decimal number as the language writes it: separators by its data.
    fn number(&self, decimal: &str) -> String {
        let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
        let mut text = String::new();
        for (at, digit) in whole.chars().enumerate() {
            let rest = whole.len().saturating_sub(at);
            if at > 0 && rest.checked_rem(3) == Some(0) {
                text.push_str(self.text("number", "group"));
            }
            text.push(digit);
        }
        if !part.is_empty() {
            text.push_str(self.text("number", "decimal"));
            text.push_str(part);
        }
        text
    }
}

/// The names between braces.
fn places_of(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(place, _)| place)
}

/// What fills the places of a message.
pub(super) struct Values<'a> {
    messages: &'a Messages,
    currency: Currency,
    values: Vec<(&'static str, String)>,
}

impl<'a> Values<'a> {
    pub(super) const fn new(messages: &'a Messages, currency: Currency) -> Self {
        Self { messages, currency, values: Vec::new() }
    }

    pub(super) fn money(&mut self, place: &'static str, amount: Amount) {
        let text = self.messages.money(amount, self.currency);
        self.values.push((place, text));
    }

    pub(super) fn text(&mut self, place: &'static str, text: impl Into<String>) {
        self.values.push((place, text.into()));
    }

    /// The message with its places filled.
    pub(super) fn fill(&self, table: &str, key: &str) -> String {
        let mut text = String::from(self.messages.text(table, key));
        for (place, value) in &self.values {
            text = text.replace(&format!("{{{place}}}"), value);
        }
        text
    }
}
