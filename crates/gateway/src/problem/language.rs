//! The language that a request prefers.

pub use document::Language;

/// The longest `Accept-Language` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 512;

/// The reader's preferred language among ours (RFC 9110, `Accept-Language`). A weight that is
/// no number counts as zero.
///
/// Read by hand: the crate for it sorts by floating-point weights and so panics on `q=nan`.
#[must_use]
pub fn accepted(header: &str) -> Language {
    if header.len() > HEADER_BYTES_MAX {
        return Language::default();
    }
    let mut best: (u32, Language) = (0, Language::default());
    for range in header.split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight = thousandths(weight.trim());
        if let Some(language) = Language::of_tag(tag.trim())
            && weight > best.0
        {
            best = (weight, language);
        }
    }
    best.1
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
            assert_eq!(accepted(header), expected, "{header}");
        }
        assert_eq!(accepted(&"de,".repeat(400)), Language::ZhHans);
    }
}
