//! The edge's own numbers of what it opened or took without the line, and the platform's that take
//! their place in what goes there.
//!
//! A number of the edge is `ED` and 28 digits of upper-case hex; the platform's are lower-case, and
//! nobody without the book's key makes one. So a message's text is searched for them as it is,
//! whatever form its input has.

use adapters::directory::DirectoryError;

use crate::house::House;

/// How a number of the edge begins.
pub const BEGIN: &str = "ED";
const LENGTH: usize = 30;
/// What entries say in place of the platform's number.
pub const PENDING: &[u8] = b"?";
/// Stands for nothing at the platform: a sign-in at the edge.
pub const NOTHING: &[u8] = b"-";
/// The kind of the entries.
pub const NUMBER: &str = "number";

/// The edge's number for what this message opens.
#[must_use]
pub fn number(house: &House, kind: &str, msgid: &str) -> String {
    let name = house.book.name(kind, msgid.as_bytes()).to_uppercase();
    let digits: String = name.chars().take(LENGTH - BEGIN.len()).collect();
    format!("{BEGIN}{digits}")
}

/// What stands in a text in place of the edge's numbers, or the first that has none yet.
pub enum Rewritten {
    /// What the platform can read.
    Text(String),
    /// The platform has no number for this one.
    Missing(String),
}

/// Whether a text has the form of a number of the edge.
#[must_use]
pub fn is_own(text: &str) -> bool {
    let digits = text.strip_prefix(BEGIN).filter(|_| text.len() == LENGTH);
    digits.is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    })
}

/// A message as it goes to the platform.
///
/// # Errors
/// When the book fails.
pub fn rewritten(house: &House, text: &str) -> Result<Rewritten, DirectoryError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let own = from.get(..LENGTH).filter(|own| is_own(own));
        let found = own.map(|own| house.book.get(NUMBER, own)).transpose()?.flatten();
        match (own, found.as_deref()) {
            (Some(own), Some(PENDING)) => return Ok(Rewritten::Missing(own.to_owned())),
            (Some(_), Some(bytes)) => {
                if bytes != NOTHING {
                    out.push_str(&String::from_utf8_lossy(bytes));
                }
                rest = from.get(LENGTH..).unwrap_or_default();
            }
            _ => {
                out.push_str(BEGIN);
                rest = from.get(BEGIN.len()..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Ok(Rewritten::Text(out))
}
