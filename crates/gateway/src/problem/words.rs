//! The texts of `locales/`, read once. Every language has the same keys (tests in `tests/words.rs`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use benefit::Messages;
use serde::Deserialize;

use super::Language;

/// The words for one problem.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemWords {
    /// What is true: lower case where the language has it, no full stop.
    pub title: String,
    /// What to do.
    pub remedy: String,
}

/// Texts by key, of one language.
pub type Texts<T> = BTreeMap<String, T>;

struct Locale {
    problems: Texts<ProblemWords>,
    kinds: Texts<String>,
    index: Texts<String>,
    benefit: Messages,
}

macro_rules! file {
    ($tag:literal, $name:literal) => {
        include_str!(concat!("../../../../locales/", $tag, "/", $name))
    };
}

macro_rules! locale {
    ($tag:literal) => {
        Locale {
            problems: read($tag, file!($tag, "problems.toml")),
            kinds: read($tag, file!($tag, "kinds.toml")),
            index: read($tag, file!($tag, "index.toml")),
            benefit: messages($tag, file!($tag, "benefit.toml")),
        }
    };
}

static LOCALES: LazyLock<[Locale; 4]> =
    LazyLock::new(|| [locale!("zh-Hans"), locale!("zh-Hant"), locale!("en"), locale!("de")]);

fn read<T: for<'de> Deserialize<'de>>(tag: &str, text: &str) -> Texts<T> {
    toml::from_str(text).unwrap_or_else(|error| panic!("locales/{tag} cannot be read: {error}"))
}

fn messages(tag: &str, text: &str) -> Messages {
    let tables = toml::from_str(text).map_err(|error| error.to_string());
    tables
        .and_then(|tables| Messages::new(tables).map_err(|error| error.to_string()))
        .unwrap_or_else(|error| panic!("locales/{tag}/benefit.toml cannot be read: {error}"))
}

fn locale(language: Language) -> &'static Locale {
    match language {
        Language::ZhHans => &LOCALES[0],
        Language::ZhHant => &LOCALES[1],
        Language::En => &LOCALES[2],
        Language::De => &LOCALES[3],
    }
}

/// All problems' words in a language.
#[must_use]
pub fn problems(language: Language) -> &'static Texts<ProblemWords> {
    &locale(language).problems
}

/// The titles of kinds of transaction in a language.
#[must_use]
pub fn kinds(language: Language) -> &'static Texts<String> {
    &locale(language).kinds
}

/// The words of the index page in a language.
#[must_use]
pub fn index(language: Language) -> &'static Texts<String> {
    &locale(language).index
}

/// The sentences that explain adjudications in a language.
#[must_use]
pub fn benefit(language: Language) -> &'static Messages {
    &locale(language).benefit
}

/// The words for a problem; for one without words its bare name, which a test keeps from happening.
#[must_use]
pub fn of(language: Language, code: &str) -> ProblemWords {
    problems(language)
        .get(code)
        .cloned()
        .unwrap_or_else(|| ProblemWords { title: code.replace('_', " "), remedy: String::new() })
}

/// The title of a kind of transaction.
#[must_use]
pub fn kind(language: Language, name: &str) -> String {
    kinds(language).get(name).cloned().unwrap_or_else(|| name.replace('_', " "))
}
