//! The texts of `locales/`, read once. Every language has the same keys (tests in
//! `tests/words.rs`).

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
            problems: read(file!($tag, "problems.toml")),
            kinds: read(file!($tag, "kinds.toml")),
            index: read(file!($tag, "index.toml")),
            benefit: messages(file!($tag, "benefit.toml")),
        }
    };
}

static ZH_HANS: LazyLock<Locale> = LazyLock::new(|| locale!("zh-Hans"));
static ZH_HANT: LazyLock<Locale> = LazyLock::new(|| locale!("zh-Hant"));
static EN: LazyLock<Locale> = LazyLock::new(|| locale!("en"));
static DE: LazyLock<Locale> = LazyLock::new(|| locale!("de"));

/// Reads a file that is compiled in. A mistake in it fails every test that reads words.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Texts<T> {
    toml::from_str(text).expect("a file of `locales/` is TOML with texts by key")
}

fn messages(text: &str) -> Messages {
    let tables = toml::from_str(text).expect("`locales/*/benefit.toml` is TOML");
    Messages::new(tables).expect("`locales/*/benefit.toml` has every message")
}

fn locale(language: Language) -> &'static Locale {
    match language {
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
        Language::En => &EN,
        Language::De => &DE,
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
