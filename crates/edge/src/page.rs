//! How an edge is, for a person with a browser, at a terminal, and for monitoring: nothing of it
//! names a patient.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use adapters::clock::{Clock as _, SystemClock};
use adapters::directory::DirectoryError;
use adapters::edge::Standing;
use gateway::api::index::escape;
use gateway::nhsa::clock_time;
use gateway::problem::Language;
use primitives::Timestamp;
use primitives::detail::fill_from;
use serde::{Deserialize, Serialize};

use crate::answer::Houses;
use crate::house::{COMPARED, Compared, Content, House, NUMBERED_AT, WORDS};
use crate::ledger::Ledger;
use crate::line::Platform;
use crate::prove::{Claimed, DIFFERS, Difference, OVERDUE_MILLIS, PROVED, Proved, UNPROVED};

/// The most conflicts that are shown of a hospital.
const CONFLICTS_MAX: u32 = 100;

/// How an edge is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EdgeStatus {
    /// Where the platform is.
    pub platform: String,
    /// Whether it answers.
    pub is_up: bool,
    /// Since when.
    pub since: Timestamp,
    /// Each hospital.
    pub hospitals: Vec<HouseStatus>,
}

/// How a hospital's edge is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HouseStatus {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How many messages wait.
    pub waiting: u64,
    /// How many of them are bills.
    pub bills: u64,
    /// When the oldest was taken.
    pub oldest: Option<Timestamp>,
    /// When something that had waited was carried out last.
    pub played: Option<Timestamp>,
    /// The last comparison with the platform.
    pub compared: Option<Compared>,
    /// What the platform refused and nobody has mended.
    pub conflicts: Vec<ConflictStatus>,
    /// What the ledger says of the platform's answers, where the hospital has a light node.
    #[serde(default)]
    pub ledger: Option<LedgerStatus>,
}

/// What the ledger says of what the platform answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LedgerStatus {
    /// How far the light node has followed.
    pub height: u64,
    /// The time of that block.
    pub time: Timestamp,
    /// How many settlements and returns were proved.
    pub proved: u64,
    /// How many are not yet.
    pub waiting: u64,
    /// Those which the ledger has not shown for a minute.
    pub overdue: Vec<String>,
    /// Those of which the ledger says something else.
    pub differing: Vec<Difference>,
    /// Since when the platform does not ask for the hospital's signatures, where it does not.
    pub unasked: Option<Timestamp>,
}

/// Something that the platform refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConflictStatus {
    /// The edge's number of it; its place where it has none.
    pub number: String,
    /// The transaction.
    pub infno: String,
    /// The message.
    pub msgid: String,
    /// When it was taken.
    pub at: Timestamp,
    /// What the platform says.
    pub words: String,
}

impl EdgeStatus {
    /// That of these hospitals now.
    ///
    /// # Errors
    /// When a book fails.
    pub fn of(platform: &Platform, houses: &Houses) -> Result<Self, DirectoryError> {
        let standing = platform.standing();
        let hospitals = houses.values().map(|house| of_house(house)).collect::<Result<_, _>>()?;
        let (is_up, since) = (standing.is_up, standing.since);
        Ok(Self { platform: platform.url.clone(), is_up, since, hospitals })
    }

    /// Whether somebody should look.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let is_wrong = |one: &HouseStatus| {
            !one.conflicts.is_empty()
                || one.compared.as_ref().is_some_and(|last| !last.is_same)
                || one.ledger.as_ref().is_some_and(LedgerStatus::is_wrong)
        };
        !self.is_up || self.hospitals.iter().any(is_wrong)
    }

    /// The status as rows: what, and how it is; a hospital's name stands alone.
    #[must_use]
    pub fn rows(&self, language: Language) -> Vec<(String, String)> {
        let line = if self.is_up { "line_up" } else { "line_cut" };
        let places = [("platform", self.platform.clone()), ("time", clock_time(self.since))];
        let mut rows = vec![(text(language, "line"), filled(language, line, &places))];
        for one in &self.hospitals {
            rows.push((format!("{} {}", one.code, one.name), String::new()));
            one.add_rows(language, &mut rows);
        }
        rows
    }

    /// The page.
    #[must_use]
    pub fn page(&self, language: Language) -> String {
        let title = text(language, "title");
        let rows: String = self
            .rows(language)
            .iter()
            .map(|(what, how)| match how.as_str() {
                "" => format!("</dl>\n<h2>{}</h2>\n<dl>\n", escape(what)),
                how => format!("<dt>{}</dt><dd>{}</dd>\n", escape(what), escape(how)),
            })
            .collect();
        let link = |one: Language, words: &str| {
            let tag = one.tag();
            format!(
                "<li><a href=\"/?lang={tag}\" lang=\"{tag}\" hreflang=\"{tag}\">{words}</a></li>\n"
            )
        };
        let others: String = std::iter::once(link(language, &text(language, "again")))
            .chain(Language::ALL.iter().map(|one| link(*one, &text(*one, "language"))))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<dl>\n{rows}</dl>\n\
             </main>\n<nav>\n<ul>\n{others}</ul>\n</nav>\n\
             </body>\n</html>\n",
            lang = language.tag()
        )
    }
}

impl HouseStatus {
    fn add_rows(&self, language: Language, rows: &mut Vec<(String, String)>) {
        let say = |key: &str| text(language, key);
        let none = || say("none");
        let waiting = match self.oldest {
            None => say("waiting_none"),
            Some(oldest) => {
                let places = [
                    ("messages", self.waiting.to_string()),
                    ("bills", self.bills.to_string()),
                    ("time", clock_time(oldest)),
                ];
                filled(language, "waiting_value", &places)
            }
        };
        rows.push((say("waiting"), waiting));
        rows.push((say("played"), self.played.map_or_else(none, clock_time)));
        let compared = self.compared.as_ref().map_or_else(none, |last| {
            let key = if last.is_same { "compared_same" } else { "compared_other" };
            let places = [
                ("number", last.infno.clone()),
                ("time", clock_time(last.at)),
                ("words", last.words.clone()),
            ];
            filled(language, key, &places)
        });
        rows.push((say("compared"), compared));
        if let Some(ledger) = &self.ledger {
            ledger.add_rows(language, rows);
        }
        if self.conflicts.is_empty() {
            rows.push((say("conflicts"), none()));
            return;
        }
        rows.push((say("conflicts"), say("conflict_remedy")));
        for one in &self.conflicts {
            let places = [
                ("number", one.number.clone()),
                ("infno", one.infno.clone()),
                ("time", clock_time(one.at)),
                ("msgid", one.msgid.clone()),
                ("words", one.words.clone()),
            ];
            rows.push((say("conflicts"), filled(language, "conflict", &places)));
        }
    }
}

impl LedgerStatus {
    fn is_wrong(&self) -> bool {
        !self.overdue.is_empty() || !self.differing.is_empty() || self.unasked.is_some()
    }

    fn add_rows(&self, language: Language, rows: &mut Vec<(String, String)>) {
        let say = |key: &str, places: &[(&str, String)]| {
            (text(language, "ledger"), filled(language, key, places))
        };
        let places = [
            ("proved", self.proved.to_string()),
            ("waiting", self.waiting.to_string()),
            ("height", self.height.to_string()),
            ("time", clock_time(self.time)),
        ];
        rows.push(say("ledger_value", &places));
        if let Some(since) = self.unasked {
            rows.push(say("ledger_unasked", &[("time", clock_time(since))]));
        }
        if !self.overdue.is_empty() {
            let places = [("numbers", self.overdue.join(", "))];
            rows.push(say("ledger_overdue", &places));
        }
        for one in &self.differing {
            let places = [
                ("number", one.claimed.setl_id.clone()),
                ("field", one.field.clone()),
                ("said", one.said.clone()),
                ("proved", one.proved.clone()),
            ];
            rows.push(say("ledger_differs", &places));
        }
    }
}

fn of_ledger(house: &House, ledger: &Ledger) -> Result<LedgerStatus, DirectoryError> {
    let tip = &ledger.chain.view().tip;
    let read = |kind| house.book.entries(kind, ("", CONFLICTS_MAX));
    let proved: Proved = house.read(PROVED, "count")?.unwrap_or_default();
    let now = SystemClock.now();
    let claimed = read(UNPROVED)?;
    let claimed = claimed.iter().filter_map(|(_, it)| serde_json::from_slice::<Claimed>(it).ok());
    let is_overdue =
        |one: &Claimed| one.transaction.is_none() || now >= one.at.plus_millis(OVERDUE_MILLIS);
    let differing = read(DIFFERS)?;
    let differing = differing.iter().filter_map(|(_, it)| serde_json::from_slice(it).ok());
    Ok(LedgerStatus {
        height: tip.height,
        time: tip.time,
        proved: proved.count,
        waiting: house.book.count_entries(UNPROVED)?,
        overdue: claimed.filter(is_overdue).map(|one| one.setl_id).collect(),
        differing: differing.collect(),
        unasked: Some(house.asked.standing()).filter(|one| !one.is_up).map(|one| one.since),
    })
}

fn of_house(house: &House) -> Result<HouseStatus, DirectoryError> {
    let content = |bytes: &[u8]| serde_json::from_slice::<Content>(bytes).ok();
    let (waiting, bills) = house.book.count(Standing::Waiting)?;
    let first = house.book.standing(Standing::Waiting, (0, 1))?;
    let mut conflicts = Vec::new();
    for one in house.book.standing(Standing::Conflict, (0, CONFLICTS_MAX))? {
        let Some(content) = content(&one.content) else { continue };
        let number = match content.number.as_str() {
            "" => one.seq.to_string(),
            number => number.to_owned(),
        };
        let words = house.read(WORDS, &one.seq.to_string())?.unwrap_or_default();
        let (infno, msgid, at) = (content.infno, one.msgid, content.at);
        conflicts.push(ConflictStatus { number, infno, msgid, at, words });
    }
    Ok(HouseStatus {
        code: house.setup.fixmedins_code.clone(),
        name: house.setup.fixmedins_name.clone(),
        waiting,
        bills,
        oldest: first.first().and_then(|one| content(&one.content)).map(|one| one.at),
        played: house.read(NUMBERED_AT, "last")?,
        compared: house.read(COMPARED, "last")?,
        ledger: house.keys.ledger.as_ref().map(|it| of_ledger(house, it)).transpose()?,
        conflicts,
    })
}

type Words = BTreeMap<String, String>;

macro_rules! words {
    ($tag:literal) => {
        toml::from_str(include_str!(concat!("../../../locales/", $tag, "/edge.toml")))
            .expect("`locales/*/edge.toml` is TOML with texts by key")
    };
}

static ZH_HANS: LazyLock<Words> = LazyLock::new(|| words!("zh-Hans"));
static ZH_HANT: LazyLock<Words> = LazyLock::new(|| words!("zh-Hant"));
static EN: LazyLock<Words> = LazyLock::new(|| words!("en"));
static DE: LazyLock<Words> = LazyLock::new(|| words!("de"));

fn words(language: Language) -> &'static Words {
    match language {
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
        Language::En => &EN,
        Language::De => &DE,
    }
}

/// A text of this language.
#[must_use]
pub fn text(language: Language, key: &str) -> String {
    words(language).get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// The same with its places filled.
#[must_use]
pub fn filled(language: Language, key: &str, places: &[(&str, String)]) -> String {
    fill_from(&text(language, key), places)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use primitives::detail::places;

    use super::*;

    #[test]
    fn every_language_has_the_same_texts_with_the_same_places() {
        let places = |text| places(text).map(str::to_owned).collect::<BTreeSet<String>>();
        for language in Language::ALL {
            let there = words(language);
            assert!(there.keys().eq(words(Language::En).keys()), "{}", language.tag());
            for (key, text) in there {
                assert_eq!(places(text), places(&words(Language::En)[key]), "{key}");
                assert!(!text.is_empty());
            }
        }
    }
}
