//! Card numbers: seen once, when a card is bound, and a token ever after.

use std::{fmt, str::FromStr};

use primitives::{Detail, detail};

use crate::rail::{Reference, Refusal, Token};

/// The fewest digits of a card number.
pub const CARD_DIGITS_MIN: usize = 12;
/// The most digits of a card number (ISO/IEC 7812).
pub const CARD_DIGITS_MAX: usize = 19;

/// Binding of cards: the only call that ever sees a card number.
pub trait CardBinding: Send + Sync {
    /// Checks the card and its holder by a test authorisation and gives the token that stands for
    /// it from now on. The same request gives the same token.
    ///
    /// # Errors
    /// The bank's refusal, or that no answer came: then send the same request again.
    fn bind_card(&self, request: &BindCard) -> Result<BoundCard, BindCardError>;
}

/// A card to be bound.
#[derive(Clone, PartialEq, Eq)]
pub struct BindCard {
    /// Our own reference of this request.
    pub reference: Reference,
    /// The card's number.
    pub number: CardNumber,
    /// The holder's name as on the card; the bank compares it.
    pub holder_name: String,
}

impl fmt::Debug for BindCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindCard").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// A bound card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundCard {
    /// What stands for the card from now on.
    pub token: Token,
    /// The last four digits, by which its holder recognises it.
    pub last_four: String,
}

/// Why a card was not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindCardError {
    /// The bank refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No answer came; the same request may be sent again.
    #[error("the bank did not answer; try again, the card will not be bound twice")]
    Unknown,
}

/// A card number whose check digit is right. Shows itself nowhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CardNumber(String);

impl CardNumber {
    /// The number of these digits and the check digit that belongs to them.
    ///
    /// # Errors
    /// As [`CardNumber::from_str`], except for the check digit.
    pub fn from_payload(digits: &str) -> Result<Self, CardNumberError> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CardNumberError::NotDigits);
        }
        format!("{digits}{}", check_digit(digits)).parse()
    }

    /// All digits; for the bank that issued the card only.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last four digits.
    #[must_use]
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or("")
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(hidden)")
    }
}

/// Why a text is not a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardNumberError {
    /// Something other than digits, spaces and hyphens.
    NotDigits,
    /// Too few or too many digits.
    Length {
        /// How many were given.
        found: usize,
    },
    /// The check digit is wrong.
    CheckDigit,
}

impl From<CardNumberError> for Detail {
    fn from(error: CardNumberError) -> Self {
        match error {
            CardNumberError::NotDigits => {
                detail!("the card number has only digits; copy them from the front of the card")
            }
            CardNumberError::Length { found } => {
                detail!("the card number has {found} digits; cards have 12 to 19", found)
            }
            CardNumberError::CheckDigit => detail!(
                "the card number's last digit checks the others and does not fit them; compare it with the card"
            ),
        }
    }
}

impl fmt::Display for CardNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}

impl std::error::Error for CardNumberError {}

impl FromStr for CardNumber {
    type Err = CardNumberError;
    fn from_str(text: &str) -> Result<Self, CardNumberError> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CardNumberError::NotDigits);
        }
        if !(CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(&digits.len()) {
            return Err(CardNumberError::Length { found: digits.len() });
        }
        let (payload, last) = digits.split_at(digits.len().saturating_sub(1));
        if last.parse() != Ok(check_digit(payload)) {
            return Err(CardNumberError::CheckDigit);
        }
        Ok(Self(digits))
    }
}

/// The check digit that belongs behind these digits (ISO/IEC 7812-1 annex B, "Luhn"): from the
/// right, every other digit is doubled, and the digits of all results add up to a multiple of ten.
fn check_digit(payload: &str) -> u32 {
    let digits = payload.chars().rev().filter_map(|c| c.to_digit(10));
    let sum = digits.enumerate().fold(0_u32, |sum, (position, digit)| {
        let doubled = digit.saturating_mul(2);
        let counted = match position % 2 {
            0 if doubled > 9 => doubled.saturating_sub(9),
            0 => doubled,
            _ => digit,
        };
        sum.saturating_add(counted)
    });
    10_u32.saturating_sub(sum.checked_rem(10).unwrap_or(0)).checked_rem(10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_follow_the_published_example() {
        // 7992739871 has check digit 3: the example in most descriptions of the method.
        assert_eq!(check_digit("7992739871"), 3);
        assert_eq!(check_digit(""), 0);
        let card = CardNumber::from_payload("999000000000000").unwrap();
        assert_eq!(card.digits().len(), 16);
        assert_eq!(card.digits().parse(), Ok(card.clone()));
    }

    #[test]
    fn spaces_and_hyphens_are_left_out() {
        let card = CardNumber::from_payload("999000123456789").unwrap();
        let (a, rest) = card.digits().split_at(4);
        let (b, c) = rest.split_at(4);
        assert_eq!(format!("{a} {b}-{c}").parse(), Ok(card.clone()));
        assert_eq!(card.last_four(), &card.digits()[12..]);
    }

    #[test]
    fn every_wrong_digit_is_noticed() {
        let card = CardNumber::from_payload("999000123456789").unwrap();
        for position in 0..16 {
            for digit in '0'..='9' {
                let mut wrong: Vec<char> = card.digits().chars().collect();
                if wrong[position] != digit {
                    wrong[position] = digit;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(wrong.parse::<CardNumber>(), Err(CardNumberError::CheckDigit));
                }
            }
        }
    }

    #[test]
    fn lengths_and_characters_are_named() {
        let check =
            |text: &str, error| assert_eq!(text.parse::<CardNumber>(), Err(error), "{text}");
        check("", CardNumberError::Length { found: 0 });
        check("99900012345", CardNumberError::Length { found: 11 });
        check(&"9".repeat(20), CardNumberError::Length { found: 20 });
        check("9990 0012 34x6 7890", CardNumberError::NotDigits);
        check("\u{ff19}990001234567890", CardNumberError::NotDigits);
        assert_eq!(CardNumber::from_payload("99900a"), Err(CardNumberError::NotDigits));
        for digits in [11, 18] {
            assert!(CardNumber::from_payload(&"9".repeat(digits)).is_ok());
        }
        for digits in [10, 19] {
            assert!(CardNumber::from_payload(&"9".repeat(digits)).is_err());
        }
    }
}
