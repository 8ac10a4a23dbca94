//! Amounts in the Chinese characters that cannot be altered with a pen: 壹仟贰佰叁拾肆元伍角陆分.

use primitives::{Amount, Currency};

/// Which characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// 贰, 陆, 万, 亿, 元.
    Simplified,
    /// 貳, 陸, 萬, 億, 圓.
    Traditional,
}

struct Signs {
    digits: [&'static str; 10],
    /// One, ten thousand, a hundred million, and so on in steps of ten thousand.
    groups: [&'static str; 5],
    yuan: &'static str,
    prefixes: [(Currency, &'static str); 4],
}

const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];

const SIMPLIFIED: Signs = Signs {
    digits: ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"],
    groups: ["", "万", "亿", "万亿", "亿亿"],
    yuan: "元",
    prefixes: [
        (Currency::CNY, "人民币"),
        (Currency::JPY, "日元"),
        (Currency::USD, "美元"),
        (Currency::EUR, "欧元"),
    ],
};

const TRADITIONAL: Signs = Signs {
    digits: ["零", "壹", "貳", "參", "肆", "伍", "陸", "柒", "捌", "玖"],
    groups: ["", "萬", "億", "萬億", "億億"],
    yuan: "圓",
    prefixes: [
        (Currency::CNY, "人民幣"),
        (Currency::JPY, "日圓"),
        (Currency::USD, "美元"),
        (Currency::EUR, "歐元"),
    ],
};

/// An amount with its currency, as it stands on cheques and vouchers.
///
/// > 中文大写金额数字到“元”为止的，在“元”之后，应写“整”(或“正”)字，在“角”之后可以不写“整”字；大写金额数字有
/// > “分”的，“分”后面不写“整”字。 — 支付结算办法 附一, 1997-12-01
#[must_use]
pub fn in_words(amount: Amount, currency: Currency, script: Script) -> String {
    let signs = match script {
        Script::Simplified => &SIMPLIFIED,
        Script::Traditional => &TRADITIONAL,
    };
    let prefix = signs.prefixes.iter().find(|(one, _)| *one == currency);
    let mut text = prefix.map_or_else(|| currency.code().to_owned(), |(_, words)| (*words).into());
    // Every currency that has minor units has a hundred of them.
    let (whole, jiao, fen) = match currency.scale() {
        0 => (amount.minor(), 0, 0),
        _ => (amount.minor() / 100, amount.minor() / 10 % 10, amount.minor() % 10),
    };
    if whole > 0 || (jiao == 0 && fen == 0) {
        text.push_str(&whole_number(whole, signs));
        text.push_str(signs.yuan);
    }
    match (jiao, fen) {
        (0, 0) => text.push('整'),
        (0, fen) => {
            if whole > 0 {
                text.push_str(signs.digits[0]);
            }
            text.push_str(digit(fen, signs));
            text.push('分');
        }
        (jiao, 0) => {
            text.push_str(digit(jiao, signs));
            text.push_str("角整");
        }
        (jiao, fen) => {
            text.push_str(digit(jiao, signs));
            text.push('角');
            text.push_str(digit(fen, signs));
            text.push('分');
        }
    }
    text
}

fn digit(value: u64, signs: &Signs) -> &'static str {
    usize::try_from(value).ok().and_then(|place| signs.digits.get(place)).copied().unwrap_or("")
}

/// A whole number in groups of four digits. However many zeros stand in a row, one is said.
fn whole_number(number: u64, signs: &Signs) -> String {
    if number == 0 {
        return signs.digits[0].to_owned();
    }
    let mut text = String::new();
    let mut gap = false;
    for (place, unit) in signs.groups.iter().enumerate().rev() {
        let group = number / 10_u64.pow(4 * u32::try_from(place).unwrap_or(0)) % 10_000;
        if group == 0 {
            gap = !text.is_empty();
            continue;
        }
        gap |= group < 1_000 && !text.is_empty();
        for (place, name) in PLACES.iter().enumerate().rev() {
            let value = group / 10_u64.pow(u32::try_from(place).unwrap_or(0)) % 10;
            if value == 0 {
                gap = !text.is_empty();
                continue;
            }
            if gap {
                text.push_str(signs.digits[0]);
            }
            gap = false;
            text.push_str(digit(value, signs));
            text.push_str(name);
        }
        // Zeros at the end of a group say nothing unless more follows.
        gap = false;
        text.push_str(unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(minor: u64, currency: Currency) -> String {
        in_words(Amount::from_minor(minor), currency, Script::Simplified)
    }

    #[test]
    fn amounts_are_written_as_banks_write_them() {
        for (minor, expected) in [
            (0, "人民币零元整"),
            (1, "人民币壹分"),
            (50, "人民币伍角整"),
            (55, "人民币伍角伍分"),
            (100, "人民币壹元整"),
            (1_000, "人民币壹拾元整"),
            (100_101, "人民币壹仟零壹元零壹分"),
            (140_950, "人民币壹仟肆佰零玖元伍角整"),
            (600_714, "人民币陆仟零柒元壹角肆分"),
            (106_800_000, "人民币壹佰零陆万捌仟元整"),
            (10_000_000, "人民币壹拾万元整"),
            (10_000_001, "人民币壹拾万元零壹分"),
            (10_001_000_100, "人民币壹亿零壹万零壹元整"),
            (10_000_000_000, "人民币壹亿元整"),
            (10_000_000_100, "人民币壹亿零壹元整"),
            (100_050_000_000, "人民币壹拾亿零伍拾万元整"),
            (
                u64::MAX,
                "人民币壹拾捌亿亿肆仟肆佰陆拾柒万亿肆仟肆佰零柒亿叁仟柒佰零玖万伍仟伍佰壹拾陆元壹角伍分",
            ),
        ] {
            assert_eq!(words(minor, Currency::CNY), expected);
        }
    }

    #[test]
    fn a_currency_without_minor_units_has_none_in_words() {
        assert_eq!(words(1_234, Currency::JPY), "日元壹仟贰佰叁拾肆元整");
        let traditional = in_words(Amount::from_minor(26_604), Currency::JPY, Script::Traditional);
        assert_eq!(traditional, "日圓貳萬陸仟陸佰零肆圓整");
    }
}
