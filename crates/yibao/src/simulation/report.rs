//! The counts in words and tables, in the reader's language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use benefit::{Messages, Payer, PersonClass};
use gateway::problem::Language;
use primitives::{Amount, Currency};
use serde::Deserialize;

use super::table::Table;
use super::tally::{BANDS, Both, Tally, Winners};
use crate::command::quote::messages;

/// The words around the figures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub(super) text: BTreeMap<String, String>,
    column: BTreeMap<String, String>,
    band: BTreeMap<String, String>,
    failure: BTreeMap<String, String>,
}

macro_rules! words {
    ($tag:literal) => {
        toml::from_str(include_str!(concat!("../../../../locales/", $tag, "/simulation.toml")))
            .expect("a file of words that is built in")
    };
}

/// The words of a language.
pub fn words(language: Language) -> &'static Words {
    static WORDS: LazyLock<[Words; 4]> =
        LazyLock::new(|| [words!("zh-Hans"), words!("zh-Hant"), words!("en"), words!("de")]);
    match language {
        Language::ZhHans => &WORDS[0],
        Language::ZhHant => &WORDS[1],
        Language::En => &WORDS[2],
        Language::De => &WORDS[3],
    }
}

impl Words {
    /// A sentence with its places filled.
    #[must_use]
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.text.get(key).map_or("", String::as_str);
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// The head of a column.
    pub(super) fn column(&self, key: &str) -> &str {
        self.column.get(key).map_or("", String::as_str)
    }

    /// What stands in front of an error in English, by what went wrong.
    #[must_use]
    pub fn failure(&self, key: &str) -> Option<&str> {
        self.failure.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// How a language writes the figures of a simulation.
pub struct Figures {
    /// The words around them.
    pub words: &'static Words,
    messages: &'static Messages,
    currency: Currency,
}

impl Figures {
    /// The figures of this currency.
    #[must_use]
    pub fn new(language: Language, currency: Currency) -> Self {
        Self { words: words(language), messages: messages(language), currency }
    }

    /// A count.
    #[must_use]
    pub fn count(&self, count: u64) -> String {
        self.grouped(&count.to_string())
    }

    /// An amount without its currency.
    #[must_use]
    pub fn amount(&self, minor: u128) -> String {
        let minor = Amount::from_minor(u64::try_from(minor).unwrap_or(u64::MAX));
        self.grouped(&minor.to_decimal(self.currency))
    }

    /// An amount with its currency.
    #[must_use]
    pub fn money(&self, minor: u128) -> String {
        let minor = Amount::from_minor(u64::try_from(minor).unwrap_or(u64::MAX));
        self.messages.money(minor, self.currency)
    }

    /// A difference with its sign.
    #[must_use]
    pub fn difference(&self, both: &Both) -> String {
        let sign = match both.difference() {
            0 => "",
            1.. => "+",
            _ => "−",
        };
        format!("{sign}{}", self.amount(both.difference().unsigned_abs()))
    }

    /// A difference in percent of the old amount, with a decimal; a dash where there was none.
    #[must_use]
    pub fn percent(&self, both: &Both) -> String {
        let size = both.difference().unsigned_abs();
        let Some(permille) = size.saturating_mul(1_000).checked_div(both.old) else {
            return String::from("–");
        };
        let sign = match both.difference() {
            0 => "",
            1.. => "+",
            _ => "−",
        };
        let decimal = self.messages.text("number", "decimal");
        format!("{sign}{}{decimal}{} %", permille / 10, permille % 10)
    }

    /// The name of a payer.
    #[must_use]
    pub fn payer(&self, payer: Payer) -> &str {
        self.messages.text("payer", payer.name())
    }

    /// The name of a figure of the split.
    #[must_use]
    pub fn figure(&self, key: &str) -> &str {
        self.messages.text("figure", key)
    }

    /// The name of a group of people.
    #[must_use]
    pub fn class(&self, class: Option<PersonClass>) -> &str {
        match class {
            Some(class) => self.messages.text("person_class", class.name()),
            None => self.words.column("no_class"),
        }
    }

    /// The name of a hospital level.
    #[must_use]
    pub fn level(&self, level: benefit::HospitalLevel) -> &str {
        self.messages.text("hospital_level", level.name())
    }

    /// What somebody in this band gains or loses.
    #[must_use]
    pub fn band(&self, band: usize) -> String {
        const EDGES: [&str; 4] = ["0", "10", "100", "1000"];
        let size = band.abs_diff(BANDS / 2);
        let key = match (band < BANDS / 2, size) {
            (_, 0) => "same",
            (true, 1) => "worse_least",
            (true, 4) => "worse_most",
            (true, _) => "worse",
            (false, 1) => "better_least",
            (false, 4) => "better_most",
            (false, _) => "better",
        };
        let edge = |at: usize| self.grouped(EDGES.get(at).copied().unwrap_or_default());
        let text = self.words.band.get(key).map_or("", String::as_str);
        let (from, to) = (edge(size.saturating_sub(1)), edge(size));
        text.replace("{from}", &from).replace("{to}", &to)
    }

    fn grouped(&self, decimal: &str) -> String {
        let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
        let mut text = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                text.push_str(self.messages.text("number", "group"));
            }
            text.push(digit);
        }
        if !part.is_empty() {
            text.push_str(self.messages.text("number", "decimal"));
            text.push_str(part);
        }
        text
    }
}

/// Who pays, under both plans: every payer, all of them, and the people. The last rows are sums.
#[must_use]
pub fn payers(tally: &Tally, figures: &Figures) -> Vec<(String, Both)> {
    let all =
        Payer::ALL.iter().map(|payer| (figures.payer(*payer).to_owned(), tally.payer(*payer)));
    let mut rows: Vec<(String, Both)> = all.filter(|(_, both)| *both != Both::default()).collect();
    rows.push((figures.words.column("all_payers").to_owned(), tally.all.paid));
    rows.push((figures.figure("personal_account").to_owned(), tally.accounts));
    rows.push((figures.figure("cash").to_owned(), tally.cash));
    rows
}

/// The report for a terminal.
#[must_use]
pub fn text(tally: &Tally, figures: &Figures) -> String {
    let words = figures.words;
    let heading = |key: &str| format!("\n{}\n", words.say(key, &[]));
    let mut text = headline(tally, figures);
    text.push_str(&heading("payers"));
    text.push_str(&payers_table(tally, figures));
    text.push_str(&heading("classes"));
    text.push_str(&classes_table(tally, figures));
    text.push_str(&heading("levels"));
    text.push_str(&levels_table(tally, figures));
    text.push_str(&heading("bands"));
    let mut bands = Table::new([words.column("band"), words.column("people")]);
    for (band, count) in tally.bands.iter().enumerate() {
        bands.row([figures.band(band), figures.count(*count)]);
    }
    text.push_str(&bands.text());
    text.push_str(&refusals(tally, figures));
    text
}

/// What comes out, in two sentences.
#[must_use]
pub fn headline(tally: &Tally, figures: &Figures) -> String {
    let people = tally.people;
    let counts = [
        ("people", figures.count(tally.person_count())),
        ("bills", figures.count(tally.all.bills)),
        ("better", figures.count(people.better.0)),
        ("worse", figures.count(people.worse.0)),
        ("same", figures.count(people.same)),
    ];
    let counts: Vec<(&str, &str)> = counts.iter().map(|(name, text)| (*name, &**text)).collect();
    let paid = tally.all.paid;
    let key = match paid.difference() {
        0 => "funds_same",
        1.. => "funds_more",
        _ => "funds_less",
    };
    let (amount, percent) =
        (figures.money(paid.difference().unsigned_abs()), figures.percent(&paid));
    let funds = figures.words.say(key, &[("amount", &amount), ("percent", &percent)]);
    format!("{}\n{funds}\n", figures.words.say("headline", &counts))
}

fn payers_table(tally: &Tally, figures: &Figures) -> String {
    let column = |key| figures.words.column(key);
    let mut table =
        Table::new([column("payer"), column("old"), column("new"), column("difference"), "%"]);
    for (name, both) in payers(tally, figures) {
        let cells = [figures.amount(both.old), figures.amount(both.new)];
        let [old, new] = cells;
        table.row([name, old, new, figures.difference(&both), figures.percent(&both)]);
    }
    table.text()
}

/// The cells of winners: how many bear less and how much less, more, the same.
fn winners(figures: &Figures, winners: &Winners) -> [String; 5] {
    [
        figures.count(winners.better.0),
        figures.amount(winners.better.1),
        figures.count(winners.worse.0),
        figures.amount(winners.worse.1),
        figures.count(winners.same),
    ]
}

const WINNER_COLUMNS: [&str; 5] = ["better", "better_amount", "worse", "worse_amount", "same"];

fn classes_table(tally: &Tally, figures: &Figures) -> String {
    let column = |key: &&str| figures.words.column(key);
    let head = ["class", "people"].iter().chain(&WINNER_COLUMNS).chain(&["own_difference"]);
    let mut table = Table::new(head.map(column));
    for (class, people) in &tally.classes {
        let Winners { better, worse, same } = people.winners;
        let count = figures.count(better.0 + worse.0 + same);
        let mut cells = vec![figures.class(*class).to_owned(), count];
        cells.extend(winners(figures, &people.winners));
        cells.push(figures.difference(&people.bills.own));
        table.row(cells);
    }
    table.text()
}

fn levels_table(tally: &Tally, figures: &Figures) -> String {
    let column = |key: &&str| figures.words.column(key);
    let head = ["level", "bills"].iter().chain(&WINNER_COLUMNS).chain(&["own_difference"]);
    let mut table = Table::new(head.map(column));
    for (level, group) in &tally.levels {
        let mut cells = vec![figures.level(*level).to_owned(), figures.count(group.bills)];
        cells.extend(winners(figures, &group.winners));
        cells.push(figures.difference(&group.own));
        table.row(cells);
    }
    table.text()
}

fn refusals(tally: &Tally, figures: &Figures) -> String {
    let refusals = &tally.refusals;
    if refusals.reasons.is_empty() {
        return String::new();
    }
    let (old, new) = (figures.count(refusals.old), figures.count(refusals.new));
    let words = figures.words.say("refused", &[("old", &old), ("new", &new)]);
    let mut text = format!("\n{words}\n");
    for (reason, count) in &refusals.reasons {
        text.push_str(&format!("  {}  {reason}\n", figures.count(*count)));
    }
    text
}
