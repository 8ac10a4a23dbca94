//! Money as this system keeps it: whole fen, below zero for what was given back.

use serde_json::Value;

/// An amount in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fen(pub i64);

impl Fen {
    /// An amount as the interface writes it, a decimal with at most two places, as text or number.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// The same from a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 2 || !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let fen: i64 = format!("{whole}{part:0<2}").parse().ok()?;
        Some(Self(sign * fen))
    }

    /// As the interface writes it.
    #[must_use]
    pub fn text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl std::ops::Add for Fen {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Neg for Fen {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::iter::Sum for Fen {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Fen;

    #[test]
    fn amounts_come_and_go_as_the_interface_writes_them() {
        for (value, fen) in
            [(json!("12.30"), 1_230), (json!(4.8), 480), (json!(10), 1_000), (json!("-0.05"), -5)]
        {
            assert_eq!(Fen::read(&value), Some(Fen(fen)), "{value}");
        }
        for value in
            [json!("1.234"), json!(""), json!("."), json!("1,0"), json!(null), json!("--1")]
        {
            assert_eq!(Fen::read(&value), None, "{value}");
        }
        assert_eq!([Fen(-5).text(), Fen(1_230).text()], ["-0.05", "12.30"]);
    }
}
