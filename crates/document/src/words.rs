//! The texts of `locales/*/document.toml`, and those of `benefit` for figures and money.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use benefit::explain::Messages;
use primitives::detail::fill_from;
use primitives::{Amount, Currency};
use serde::Deserialize;

use crate::language::Language;

impl Language {
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::ZhHans => &ZH_HANS,
            Self::ZhHant => &ZH_HANT,
            Self::En => &EN,
            Self::De => &DE,
        }
    }
}

/// What facts of receipts are called in a language, by their own names.
#[must_use]
pub fn fact_names(language: Language) -> Vec<(String, String)> {
    let words = language.words();
    words.figures.iter().chain(&words.file.fact).map(|(a, b)| (a.clone(), b.clone())).collect()
}

/// What forms of consent are called in a language, by their own names.
#[must_use]
pub fn consent_names(language: Language) -> &'static BTreeMap<String, String> {
    &language.words().file.consent
}

macro_rules! words {
    ($tag:literal) => {
        Words::new(
            include_str!(concat!("../../../locales/", $tag, "/document.toml")),
            include_str!(concat!("../../../locales/", $tag, "/benefit.toml")),
        )
    };
}

static ZH_HANS: LazyLock<Words> = LazyLock::new(|| words!("zh-Hans"));
static ZH_HANT: LazyLock<Words> = LazyLock::new(|| words!("zh-Hant"));
static EN: LazyLock<Words> = LazyLock::new(|| words!("en"));
static DE: LazyLock<Words> = LazyLock::new(|| words!("de"));

/// The texts of one language.
pub(crate) struct Words {
    file: File,
    figures: BTreeMap<String, String>,
    messages: Messages,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    text: BTreeMap<String, String>,
    fact: BTreeMap<String, String>,
    consent: BTreeMap<String, String>,
    why: BTreeMap<String, String>,
}

impl Words {
    fn new(own: &str, benefit: &str) -> Self {
        let file = toml::from_str(own).expect("`locales/*/document.toml` has its four tables");
        let tables: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(benefit).expect("`locales/*/benefit.toml` is TOML");
        let table = |name| tables.get(name).cloned().unwrap_or_default();
        let figures = table("figure").into_iter().chain(table("payer")).collect();
        let messages = Messages::new(tables).expect("`locales/*/benefit.toml` has every message");
        Self { file, figures, messages }
    }

    /// A text of the sheet. Every key is in every file (test `all_languages_have_the_same_texts`).
    pub fn text(&self, key: &str) -> &str {
        self.file.text.get(key).map_or("", String::as_str)
    }

    /// A text with its places filled.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill_from(self.text(key), values)
    }

    /// What a fact of a receipt is called; its own name where it has no other.
    pub fn fact<'a>(&'a self, name: &'a str) -> &'a str {
        self.figures.get(name).or_else(|| self.file.fact.get(name)).map_or(name, String::as_str)
    }

    /// What a form of consent is called.
    pub fn consent<'a>(&'a self, name: &'a str) -> &'a str {
        self.file.consent.get(name).map_or(name, String::as_str)
    }

    /// What a figure of a settlement means, in a few words.
    pub fn why(&self, figure: &str) -> &str {
        self.file.why.get(figure).map_or("", String::as_str)
    }

    pub fn money(&self, amount: Amount, currency: Currency) -> String {
        self.messages.money(amount, currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_languages_have_the_same_texts() {
        let keys = |language: Language| {
            let file = &language.words().file;
            [&file.text, &file.fact, &file.consent, &file.why]
                .map(|table| table.keys().cloned().collect::<Vec<_>>())
        };
        for language in Language::ALL {
            assert_eq!(keys(language), keys(Language::En), "{}", language.tag());
            let file = &language.words().file;
            for (key, text) in file.text.iter().chain(&file.fact).chain(&file.consent) {
                assert!(!text.trim().is_empty(), "{}: `{key}`", language.tag());
                let places = |text: &str| text.matches('{').count();
                let english = &Language::En.words().file.text;
                if let Some(other) = english.get(key).filter(|_| file.text.contains_key(key)) {
                    assert_eq!(places(text), places(other), "{}: `{key}`", language.tag());
                }
            }
        }
    }
}
