//! Sentences with places for numbers, one set per language, checked once when they are read.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;
use primitives::{Amount, Currency, ExchangePrice, Rate};

use super::exact;
use crate::{
    compare::WORDS,
    decimal::UnitPrice,
    word::{Filing, HospitalLevel, Network, Payer, PersonClass, Place, Sex, VisitType},
};

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
    ("headline", "no_charge", &["total"]),
    ("headline", "nothing", &["total", "payers"]),
    ("headline", "accounts_all", &["total", "accounts"]),
    ("headline", "accounts_only", &["total", "accounts", "payers"]),
    ("headline", "cash_all", &["total", "cash"]),
    ("headline", "cash", &["total", "cash", "payers"]),
    ("headline", "cash_and_accounts_all", &["total", "cash", "accounts"]),
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
    ("step", "from", &["title", "from"]),
    ("step", "rate_changed", &["before", "after", "how", "why"]),
    ("step", "tier", &["rate", "part", "benefit"]),
    ("step", "part_between", &["amount", "above", "below"]),
    ("step", "part_above", &["amount", "above"]),
    ("step", "rounded_benefit", &["exact", "rounded"]),
    ("step", "rounded", &["exact", "benefit"]),
    ("step", "amount_changed", &["name", "before", "after", "how", "why"]),
    ("step", "capped", &["limit", "used", "cut", "period"]),
    ("step", "fixed_amount", &["full", "used", "gives", "period"]),
    ("step", "copay", &["full", "used", "kept", "period"]),
    ("step", "limited", &["limit", "borne", "excess", "period"]),
    ("step", "paid", &["payer", "amount", "left"]),
    ("step", "paid_nothing", &["payer"]),
    ("step", "account", &["available", "paid"]),
    ("step", "family_account", &["number", "available", "paid"]),
    ("step", "counted", &["name", "added"]),
    ("allowance", "deductible", &[]),
    ("allowance", "cap", &[]),
    ("allowance", "limit", &[]),
    ("allowance", "copay", &[]),
    ("allowance", "fixed_amount", &[]),
    ("how", "why", &["condition"]),
    ("how", "rate_add", &["points"]),
    ("how", "rate_less", &["points"]),
    ("how", "factor", &["factor"]),
    ("how", "self_share_factor", &["factor"]),
    ("how", "add", &["amount"]),
    ("how", "less", &["amount"]),
    ("how", "exactly", &["amount"]),
    ("how", "down", &["amount", "floor"]),
    ("how", "days", &["days"]),
    ("how", "visit", &["number", "how"]),
    ("how", "years", &["years", "free"]),
    ("how", "share", &["share", "charged"]),
    ("unpaid", "nothing_in_policy", &[]),
    ("unpaid", "no_rule_for_visit_type", &["visit_type", "in_policy"]),
    ("unpaid", "no_rule_applies", &["visit_type", "in_policy"]),
    ("unpaid", "rule_needs", &["conditions"]),
    ("unpaid", "rule_has_nothing", &[]),
    ("condition", "and", &[]),
    ("condition", "or", &[]),
    ("condition", "or_else", &[]),
    ("condition", "wanted", &["field", "wanted"]),
    ("condition", "failed", &["field", "wanted", "here"]),
    ("condition", "unstated", &[]),
    ("condition", "yes", &[]),
    ("condition", "no", &[]),
    ("condition", "from", &["from"]),
    ("condition", "below", &["below"]),
    ("condition", "from_below", &["from", "below"]),
    ("condition", "within_months", &["within", "at_least"]),
    ("condition", "visit_types", &[]),
    ("condition", "hospital_levels", &[]),
    ("condition", "places", &[]),
    ("condition", "filings", &[]),
    ("condition", "networks", &[]),
    ("condition", "sexes", &[]),
    ("condition", "person_classes", &[]),
    ("condition", "person_classes_not", &[]),
    ("condition", "income_classes", &[]),
    ("condition", "diagnosis_groups", &[]),
    ("condition", "slot_groups", &[]),
    ("condition", "age", &[]),
    ("condition", "unbroken_years", &[]),
    ("condition", "month_of_75", &[]),
    ("condition", "in_family", &[]),
    ("condition", "visit_number", &[]),
    ("condition", "months_reached", &[]),
    ("condition", "accumulated", &[]),
    ("exchange", "title", &[]),
    ("exchange", "converted", &["foreign", "price", "per", "rate_day", "converted"]),
    ("exchange", "of_day", &["service_day", "publisher"]),
    ("exchange", "of_day_before", &["service_day", "rate_day", "publisher"]),
    ("exchange", "words", &["publisher"]),
    ("catalogue", "named", &["id"]),
    ("catalogue", "named_with_source", &["id", "source"]),
    ("line", "class_a", &["amount"]),
    ("line", "class_b", &["amount", "share", "rate", "in_policy"]),
    ("line", "class_c", &["amount"]),
    ("line", "not_in_catalogue", &["amount"]),
    ("line", "not_in_catalogue_on_day", &["amount"]),
    ("line", "outside_conditions", &["amount", "conditions"]),
    ("line", "class_a_over_cap", &["amount", "over_cap", "price", "in_policy"]),
    ("line", "class_b_over_cap", &["amount", "over_cap", "price", "share", "rate", "in_policy"]),
    ("line", "unlisted", &["amount"]),
];

/// The words of the closed lists: every table of them and its keys.
fn words() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    let lists: [(&str, Vec<&str>); 8] = [
        ("payer", Payer::ALL.iter().map(|word| word.name()).collect()),
        ("visit_type", VisitType::ALL.iter().map(|word| word.name()).collect()),
        ("hospital_level", HospitalLevel::ALL.iter().map(|word| word.name()).collect()),
        ("place", Place::ALL.iter().map(|word| word.name()).collect()),
        ("filing", Filing::ALL.iter().map(|word| word.name()).collect()),
        ("network", Network::ALL.iter().map(|word| word.name()).collect()),
        ("sex", Sex::ALL.iter().map(|word| word.name()).collect()),
        ("person_class", PersonClass::ALL.iter().map(|word| word.name()).collect()),
    ];
    lists
        .into_iter()
        .flat_map(|(table, keys)| keys.into_iter().map(move |key| (table, key, &[][..])))
}

impl Messages {
    /// Checks a file of messages.
    ///
    /// # Errors
    /// The first message that is missing, unknown, or has a place that nobody fills.
    pub fn new(tables: MessageTables) -> Result<Self, MessageError> {
        let all: Vec<(&str, &str, &[&str])> =
            MESSAGES.iter().chain(WORDS).copied().chain(words()).collect();
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

    /// A message; every one that is asked for is there. Words of the closed lists are in the tables
    /// `visit_type`, `hospital_level`, `place`, `filing`, `network`, `sex`, `person_class`,
    /// `payer`.
    #[must_use]
    pub fn text(&self, table: &str, key: &str) -> &str {
        self.tables.get(table).and_then(|table| table.get(key)).map_or("", String::as_str)
    }

    /// An amount of money as the language writes it, with its currency.
    #[must_use]
    pub fn money(&self, amount: Amount, currency: Currency) -> String {
        let number = self.number(&amount.to_decimal(currency));
        self.text("currency", currency.code()).replace("{amount}", &number)
    }

    /// A price with its currency.
    pub(super) fn unit_price(&self, price: UnitPrice, currency: Currency) -> String {
        let text = format!("{price}");
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let scale = usize::from(currency.scale());
        let text = if scale == 0 && part.is_empty() {
            String::from(whole)
        } else {
            format!("{whole}.{part:0<scale$}")
        };
        self.text("currency", currency.code()).replace("{amount}", &self.number(&text))
    }

    /// A price of a rate of exchange as it was published, with its currency.
    pub(super) fn price(&self, price: ExchangePrice, currency: Currency) -> String {
        let number = self.number(&format!("{price}"));
        self.text("currency", currency.code()).replace("{amount}", &number)
    }

    /// What tiers give before anything is rounded, with the currency.
    pub(super) fn exact(&self, tiers: &[(Amount, Rate)], currency: Currency) -> String {
        let number = self.number(&exact(currency, tiers));
        self.text("currency", currency.code()).replace("{amount}", &number)
    }

    /// A rate as the language writes it.
    pub(crate) fn rate(&self, rate: Rate) -> String {
        self.decimal(&format!("{rate}"))
    }

    /// Points of a rate: `5` for five percentage points.
    pub(crate) fn points(&self, rate: Rate) -> String {
        self.decimal(format!("{rate}").trim_end_matches('%'))
    }

    /// A short decimal number as the language writes it.
    pub(crate) fn decimal(&self, number: &str) -> String {
        number.replace('.', self.text("number", "decimal"))
    }

    /// A count as the language writes it.
    #[must_use]
    pub fn count(&self, number: i64) -> String {
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{}", self.number(&format!("{}", number.unsigned_abs())))
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
pub(crate) struct Values<'a> {
    messages: &'a Messages,
    currency: Currency,
    values: Vec<(&'static str, String)>,
}

impl<'a> Values<'a> {
    pub(crate) const fn new(messages: &'a Messages, currency: Currency) -> Self {
        Self { messages, currency, values: Vec::new() }
    }

    pub(crate) fn money(&mut self, place: &'static str, amount: Amount) {
        let text = self.messages.money(amount, self.currency);
        self.values.push((place, text));
    }

    pub(crate) fn text(&mut self, place: &'static str, text: impl Into<String>) {
        self.values.push((place, text.into()));
    }

    pub(crate) const fn messages(&self) -> &'a Messages {
        self.messages
    }

    /// The message with its places filled; what fills them is not searched for places again.
    pub(crate) fn fill(&self, table: &str, key: &str) -> String {
        let mut text = String::new();
        let mut rest = self.messages.text(table, key);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (place, behind) = after.split_once('}').unwrap_or((after, ""));
            // The latest value counts, so that a value may be filled in step by step.
            let value = self.values.iter().rev().find(|(name, _)| *name == place);
            text.push_str(value.map_or("", |(_, value)| value));
            rest = behind;
        }
        text.push_str(rest);
        text
    }
}
