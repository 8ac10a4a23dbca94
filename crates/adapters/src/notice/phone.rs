//! A phone number, as text messages are sent to it.

use std::{fmt, str::FromStr};

use borsh::{BorshDeserialize, BorshSerialize};

/// The digits of a number of the mainland, without its country's code.
const MAINLAND_DIGITS: usize = 11;
/// The fewest and the most digits of a number with its country's code.
///
/// > The maximum number of digits is 15 — ITU-T E.164, section 6.1; the minimum is our own limit.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// A phone number with its country's code. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Phone(String);

/// Not a phone number. What was typed is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a phone number: 11 digits, or `+` and the country's code in front")]
pub struct PhoneError;

impl Phone {
    /// `+` and the digits.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.0
    }

    /// The last four digits, by which the owner knows it.
    #[must_use]
    pub fn end(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let is_between = |c: char| matches!(c, ' ' | '-' | '(' | ')');
        let plain: String = text.trim().chars().filter(|c| !is_between(*c)).collect();
        let (digits, is_abroad) =
            plain.strip_prefix('+').map_or((plain.as_str(), false), |digits| (digits, true));
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError);
        }
        let is_mainland = digits.len() == MAINLAND_DIGITS && digits.starts_with('1');
        match (is_abroad, is_mainland) {
            (true, _) if DIGITS.contains(&digits.len()) => Ok(Self(format!("+{digits}"))),
            (false, true) => Ok(Self(format!("+86{digits}"))),
            _ => Err(PhoneError),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_of_the_mainland_or_carries_its_country() {
        let read = |text: &str| text.parse::<Phone>().map(|phone| phone.0);
        assert_eq!(read("139 0000-0000"), Ok("+8613900000000".to_owned()));
        assert_eq!(read("+49 (30) 1234567"), Ok("+49301234567".to_owned()));
        for wrong in
            ["", "1390000000", "23900000000", "+1234567", "+1234567890123456", "13900a00000"]
        {
            assert_eq!(read(wrong), Err(PhoneError), "{wrong}");
        }
        let phone: Phone = "13900001234".parse().unwrap();
        assert_eq!(phone.end(), "1234");
        assert!(!format!("{phone:?}").contains("1234"));
    }
}
