//! The reader's language on the command line.

use gateway::problem::Language;

/// The language of a tag such as `de` or `zh-TW`.
///
/// # Errors
/// The sentence to show, for a language that is not there.
pub fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag)
        .ok_or_else(|| "this language is not there; use zh-Hans, zh-Hant, en or de".to_owned())
}

/// The language of the terminal, as the environment says it; English when it says nothing.
#[must_use]
pub fn of_environment() -> Language {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names.iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).map_or(Language::En, |value| of_locale(&value))
}

/// The language of a locale such as `zh_TW.UTF-8`.
fn of_locale(locale: &str) -> Language {
    let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    Language::of_tag(&tag).unwrap_or(Language::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_speaks_one_of_our_languages_or_english() {
        for (locale, expected) in [
            ("zh_CN.UTF-8", Language::ZhHans),
            ("zh_TW.UTF-8", Language::ZhHant),
            ("de_AT@euro", Language::De),
            ("C.UTF-8", Language::En),
            ("fr_FR", Language::En),
        ] {
            assert_eq!(of_locale(locale), expected, "{locale}");
        }
    }
}
