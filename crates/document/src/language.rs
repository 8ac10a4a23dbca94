//! The languages that people are answered in, and that papers are written in.

use crate::chinese_amount::Script;

/// A language of `locales/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// 简体中文, also what is answered when nothing fits.
    #[default]
    ZhHans,
    /// 繁體中文.
    ZhHant,
    /// English.
    En,
    /// Deutsch.
    De,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::ZhHans, Self::ZhHant, Self::En, Self::De];

    /// Its BCP 47 tag and folder in `locales/`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language of a tag such as `zh-TW` or `de-AT`, if it is one of ours.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase();
        let mut parts = tag.split('-');
        match parts.next()? {
            "en" => Some(Self::En),
            "de" => Some(Self::De),
            "zh" | "cmn" | "yue" => {
                let traditional = |part| matches!(part, "hant" | "tw" | "hk" | "mo");
                let simplified = tag.contains("hans");
                Some(if !simplified && parts.any(traditional) {
                    Self::ZhHant
                } else {
                    Self::ZhHans
                })
            }
            _ => None,
        }
    }

    /// The characters of amounts in words.
    #[must_use]
    pub const fn script(self) -> Script {
        match self {
            Self::ZhHant => Script::Traditional,
            Self::ZhHans | Self::En | Self::De => Script::Simplified,
        }
    }
}
