//! The languages that people are answered in.

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

impl From<Language> for document::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::ZhHans => Self::ZhHans,
            Language::ZhHant => Self::ZhHant,
            Language::En => Self::En,
            Language::De => Self::De,
        }
    }
}

/// The longest `Accept-Language` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 512;

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

    /// The reader's preferred language among ours (RFC 9110, `Accept-Language`). A weight that is
    /// no number counts as zero.
    ///
    /// Read by hand: the crate for it sorts by floating-point weights and so panics on `q=nan`.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        if header.len() > HEADER_BYTES_MAX {
            return Self::default();
        }
        let mut best: (u32, Self) = (0, Self::default());
        for range in header.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = thousandths(weight.trim());
            if let Some(language) = Self::of_tag(tag.trim())
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// `q=0.85` as 850.
fn thousandths(parameter: &str) -> u32 {
    let Some(value) = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")) else {
        return 0;
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.len()) {
        ("1", _) => 1_000,
        ("0", 3) => digits.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_the_language_that_he_prefers_among_ours() {
        for (header, expected) in [
            ("", Language::ZhHans),
            ("fr", Language::ZhHans),
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Language::En),
            ("zh-CN,zh;q=0.9", Language::ZhHans),
            ("zh-TW", Language::ZhHant),
            ("zh-Hant-HK;q=0.3, en;q=0.2", Language::ZhHant),
            ("zh-Hans-HK", Language::ZhHans),
            ("en;q=0, de;q=0.001", Language::De),
            ("en;q=nan, de;q=inf, zh-TW;q=-1", Language::ZhHans),
            ("en;q=0.5;level=1", Language::ZhHans),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
        assert_eq!(Language::accepted(&"de,".repeat(400)), Language::ZhHans);
    }
}
