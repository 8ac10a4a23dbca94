//! Texts by language, and where rules are from: one text for everybody, or one for each language.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// Texts by language tag (`zh-Hans`, `zh-Hant`, `en`, `de`).
pub type Texts = BTreeMap<String, String>;

/// The text in the language; else, for a reader of Chinese, in the other script; else in English;
/// else the first there is.
#[must_use]
pub fn in_language<'a>(texts: &'a Texts, language: &str) -> &'a str {
    let other = match language {
        "zh-Hans" => "zh-Hant",
        "zh-Hant" => "zh-Hans",
        _ => "en",
    };
    let known = [language, other, "en"].into_iter().find_map(|tag| texts.get(tag));
    known.or_else(|| texts.values().next()).map_or("", String::as_str)
}

/// Where something is from: a text, or a text for each language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceText(Texts);

/// The tag of a text whose language nobody says (BCP 47).
const UNDETERMINED: &str = "und";

impl SourceText {
    /// One text for everybody.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let texts = (!text.is_empty()).then(|| (UNDETERMINED.to_string(), text.to_string()));
        Self(texts.into_iter().collect())
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }

    /// The text for readers of this language; empty when nothing is said.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        in_language(&self.0, language)
    }

    /// The texts by language tag; `und` for a plain one.
    #[must_use]
    pub const fn texts(&self) -> &Texts {
        &self.0
    }
}

impl From<Texts> for SourceText {
    fn from(texts: Texts) -> Self {
        Self(texts)
    }
}

impl Serialize for SourceText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.get(UNDETERMINED) {
            Some(text) if self.0.len() == 1 => serializer.serialize_str(text),
            None if self.0.is_empty() => serializer.serialize_str(""),
            _ => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SourceText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SourceText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a table of texts by language such as { en = \"...\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SourceText, E> {
        Ok(SourceText::plain(text))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<SourceText, A::Error> {
        let deserializer = serde::de::value::MapAccessDeserializer::new(map);
        <Texts as Deserialize>::deserialize(deserializer).map(SourceText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_text_or_one_for_each_language() {
        let plain: SourceText = serde_json::from_str("\"a notice\"").unwrap();
        assert_eq!(plain.in_language("de"), "a notice");
        assert_eq!(serde_json::to_string(&plain).unwrap(), "\"a notice\"");
        let both: SourceText =
            serde_json::from_str(r#"{"zh-Hans":"通知","en":"a notice"}"#).unwrap();
        assert_eq!((both.in_language("zh-Hant"), both.in_language("de")), ("通知", "a notice"));
        assert!(SourceText::default().is_empty() && !both.is_empty());
        let error = serde_json::from_str::<SourceText>("3").unwrap_err().to_string();
        assert!(error.contains("texts by language"), "{error}");
    }
}
