//! The citizen identity number of GB 11643: six digits of an area, eight of the birth date, three
//! of a sequence, and a check character (ISO 7064, MOD 11-2) that is a digit or a capital X.

use std::fmt;

use primitives::{CivilDate, Detail, detail};

/// How many characters a number has.
pub const CHARACTERS: usize = 18;

/// A number whose form, birth date and check character are right. Shows itself nowhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitizenNumber {
    text: String,
    birth_date: CivilDate,
}

/// Why a text is no citizen identity number. No message repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too few or too many characters.
    #[error("the identity number has {found} characters; it has 18, as on the identity card")]
    Length {
        /// How many were given.
        found: usize,
    },
    /// A number of the first generation.
    #[error("identity numbers with 15 digits are no longer valid; use the one with 18 characters")]
    FirstGeneration,
    /// Something other than a digit, or than a digit or X at the end.
    #[error(
        "character {position} of the identity number is not a digit; all are digits, only the last \
         may be a capital X"
    )]
    Character {
        /// Which one, from 1.
        position: usize,
    },
    /// A small x at the end.
    #[error("write the last character of the identity number as a capital X")]
    SmallX,
    /// The seventh to fourteenth digit are no day.
    #[error("digits 7 to 14 of the identity number are the birth date and name no real day")]
    BirthDate,
    /// The check character does not fit.
    #[error(
        "the last character of the identity number checks the others and does not fit them: one \
         digit is wrong or two are swapped; compare it with the identity card"
    )]
    CheckCharacter,
}

impl From<&NumberError> for Detail {
    fn from(error: &NumberError) -> Self {
        match *error {
            NumberError::Length { found } => {
                detail!("it has {found} characters and not 18", found)
            }
            NumberError::FirstGeneration => {
                detail!(
                    "numbers with 15 digits are no longer valid; use the one with 18 characters"
                )
            }
            NumberError::Character { position } => {
                detail!(
                    "character {position} is no digit; only the last may be a capital X",
                    position
                )
            }
            NumberError::SmallX => detail!("write the last character as a capital X"),
            NumberError::BirthDate => {
                detail!("digits 7 to 14 are the birth date and name no real day")
            }
            NumberError::CheckCharacter => detail!(
                "the last character checks the others and does not fit them: one digit is wrong or \
                 two are swapped"
            ),
        }
    }
}

impl CitizenNumber {
    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The birth date in the number.
    #[must_use]
    pub const fn birth_date(&self) -> CivilDate {
        self.birth_date
    }
}

impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitizenNumber(hidden)")
    }
}

/// Reads a citizen identity number.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn parse(text: &str) -> Result<CitizenNumber, NumberError> {
    let found = text.chars().count();
    if found == 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::FirstGeneration);
    }
    if found != CHARACTERS {
        return Err(NumberError::Length { found });
    }
    let (last, digits) = split(text)?;
    let number = |from: usize, count: usize| {
        let part = digits.iter().skip(from).take(count);
        part.fold(0_u16, |sum, digit| sum.saturating_mul(10).saturating_add(u16::from(*digit)))
    };
    let small = |number: u16| u8::try_from(number).unwrap_or(0);
    let (year, month, day) = (number(6, 4), small(number(10, 2)), small(number(12, 2)));
    let birth_date =
        CivilDate::from_ymd(i32::from(year), month, day).ok_or(NumberError::BirthDate)?;
    if last != check_character(&digits) {
        return Err(NumberError::CheckCharacter);
    }
    Ok(CitizenNumber { text: String::from(text), birth_date })
}

/// The last character and the digits before it.
fn split(text: &str) -> Result<(char, Vec<u8>), NumberError> {
    let mut digits = Vec::with_capacity(CHARACTERS);
    for (position, character) in (1..).zip(text.chars()) {
        let is_last = position == CHARACTERS;
        match character.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            Some(_) if is_last => return Ok((character, digits)),
            Some(digit) => digits.push(digit),
            None if is_last && character == 'X' => return Ok((character, digits)),
            None if is_last && character == 'x' => return Err(NumberError::SmallX),
            None => return Err(NumberError::Character { position }),
        }
    }
    Err(NumberError::Length { found: digits.len() })
}

/// The check character that belongs behind 17 digits; `None` for any other text.
#[must_use]
pub fn check_digit(digits: &str) -> Option<char> {
    let digit = |character: char| character.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = digits.chars().map(digit).collect::<Option<_>>()?;
    (digits.len() == CHARACTERS.saturating_sub(1)).then(|| check_character(&digits))
}

/// The check character of 17 digits. Each digit is weighted by a power of two, from 2^17 down to
/// 2^1; with the check character's own value (X is 10) the sum leaves 1 when divided by 11.
fn check_character(digits: &[u8]) -> char {
    let remainder = digits.iter().fold(0_u32, |sum, digit| {
        let doubled = sum.saturating_add(u32::from(*digit)).saturating_mul(2);
        doubled.checked_rem(11).unwrap_or(0)
    });
    let value = 12_u32.saturating_sub(remainder).checked_rem(11).unwrap_or(0);
    char::from_digit(value, 10).unwrap_or('X')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of GB 11643-1999 itself; nobody real has them.
    const EXAMPLES: [(&str, (i32, u8, u8)); 2] =
        [("11010519491231002X", (1949, 12, 31)), ("440524188001010014", (1880, 1, 1))];

    #[test]
    fn the_examples_of_the_standard_are_read() {
        for (text, (year, month, day)) in EXAMPLES {
            let number = parse(text).unwrap();
            assert_eq!(number.as_str(), text);
            assert_eq!(number.birth_date(), CivilDate::from_ymd(year, month, day).unwrap());
        }
    }

    #[test]
    fn the_check_character_is_given_for_seventeen_digits_only() {
        for (text, _) in EXAMPLES {
            assert_eq!(check_digit(&text[..17]), text.chars().last());
            assert_eq!(check_digit(&text[..16]), None);
            assert_eq!(check_digit(&format!("{}1", &text[..17])), None);
        }
        assert_eq!(check_digit("1101051949123100x"), None);
    }

    #[test]
    fn a_small_x_is_told_to_be_a_capital_one() {
        assert_eq!(parse("11010519491231002x"), Err(NumberError::SmallX));
        assert!(NumberError::SmallX.to_string().contains("capital X"));
    }

    #[test]
    fn every_wrong_digit_is_noticed() {
        for (text, _) in EXAMPLES {
            for position in 0..17 {
                for digit in '0'..='9' {
                    let mut wrong: Vec<char> = text.chars().collect();
                    if wrong[position] == digit {
                        continue;
                    }
                    wrong[position] = digit;
                    let wrong: String = wrong.into_iter().collect();
                    let error = parse(&wrong).unwrap_err();
                    assert!(
                        matches!(error, NumberError::CheckCharacter | NumberError::BirthDate),
                        "{wrong}: {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_wrong_check_character_and_every_swap_of_neighbours_is_noticed() {
        for (text, _) in EXAMPLES {
            let (body, last) = text.split_at(17);
            for character in "0123456789X".chars().filter(|c| !last.starts_with(*c)) {
                let wrong = format!("{body}{character}");
                assert_eq!(parse(&wrong), Err(NumberError::CheckCharacter), "{wrong}");
            }
            for position in 0..16 {
                let mut swapped: Vec<char> = text.chars().collect();
                swapped.swap(position, position + 1);
                let swapped: String = swapped.into_iter().collect();
                assert!(swapped == text || parse(&swapped).is_err(), "{swapped}");
            }
        }
    }

    #[test]
    fn length_characters_and_dates_are_named() {
        let check = |text: &str, error| assert_eq!(parse(text), Err(error), "{text}");
        check("", NumberError::Length { found: 0 });
        check("1101051949123100", NumberError::Length { found: 16 });
        check("11010519491231002XX", NumberError::Length { found: 19 });
        check("110105491231002", NumberError::FirstGeneration);
        check("11010519491231002Y", NumberError::Character { position: 18 });
        check("1101051949123100XX", NumberError::Character { position: 17 });
        check("x1010519491231002X", NumberError::Character { position: 1 });
        check(" 1010519491231002X", NumberError::Character { position: 1 });
        check("\u{ff11}1010519491231002X", NumberError::Character { position: 1 });
        for date in ["19490229", "19491301", "19490100", "00000101"] {
            check(&format!("110105{date}002X"), NumberError::BirthDate);
        }
    }

    #[test]
    fn a_number_shows_itself_nowhere() {
        assert!(!format!("{:?}", parse("11010519491231002X").unwrap()).contains("1949"));
    }
}
