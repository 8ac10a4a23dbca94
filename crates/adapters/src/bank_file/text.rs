//! Values of elements: amounts, days, codes. A file's own words are repeated in errors only where
//! they are short and plain.

use primitives::{Amount, CivilDate, Currency};

use super::FileProblem;

/// How much of a wrong value is shown.
const SHOWN_MAX: usize = 24;

/// A value as an error shows it: letters, digits and few signs, cut off.
pub fn shown(text: &str) -> String {
    let plain =
        |one: &char| one.is_ascii_alphanumeric() || matches!(one, '.' | ',' | '-' | '+' | ':');
    text.chars().filter(plain).take(SHOWN_MAX).collect()
}

/// The longest name, number or reference, in bytes: 35 letters of any script.
const NAME_BYTES_MAX: usize = 140;

/// A name, number or reference.
pub fn name(text: &str) -> Result<String, FileProblem> {
    let fits = text.len() <= NAME_BYTES_MAX;
    fits.then(|| text.to_owned()).ok_or(FileProblem::TooLong(NAME_BYTES_MAX))
}

/// An amount in the account's currency. ISO 20022 allows more decimals than a currency has, as long
/// as they are zero.
pub fn amount(text: &str, said: Option<&str>, currency: Currency) -> Result<Amount, FileProblem> {
    let said = said.unwrap_or_default();
    if said != currency.code() {
        return Err(FileProblem::Currency(shown(said), currency));
    }
    let wrong = || FileProblem::Amount(shown(text), currency, currency.scale());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals = decimals.trim_end_matches('0');
    let scale = usize::from(currency.scale());
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > scale {
        return Err(wrong());
    }
    // An amount of nothing is no payment either.
    let minor = format!("{whole}{decimals:0<scale$}").parse().ok().filter(|minor| *minor > 0);
    minor.map(Amount::from_minor).ok_or_else(wrong)
}

/// A day, or the day of an instant as it is written.
pub fn day(text: &str) -> Result<CivilDate, FileProblem> {
    let wrong = || FileProblem::Day(shown(text));
    let (day, rest) = text.split_at_checked(10).ok_or_else(wrong)?;
    let fits = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-']);
    day.parse().ok().filter(|_| fits).ok_or_else(wrong)
}

/// A bank's reason: 1 to 4 capital letters or digits.
pub fn reason(text: &str) -> Result<String, FileProblem> {
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(is_code);
    let codes = "the external reason codes of ISO 20022, such as AC04";
    fits.then(|| text.to_owned()).ok_or_else(|| FileProblem::Code(shown(text), codes))
}
