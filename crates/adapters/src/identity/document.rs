//! Which document somebody names, in the one spelling that is indexed.

use std::{fmt, str::FromStr};

use primitives::{Detail, detail};

use crate::identity::gb11643::{self, NumberError};

/// An identity document. Shows itself nowhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// A citizen identity number (GB 11643).
    Citizen(gb11643::CitizenNumber),
    /// A document of another country or kind, such as `JP:TK1234567`.
    Foreign(String),
}

/// Why a text names no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No citizen identity number.
    #[error(transparent)]
    Citizen(#[from] NumberError),
    /// No foreign document.
    #[error(
        "write a foreign document as two capital letters of its country, a colon, and 5 to 20 of \
         A-Z and 0-9, such as `JP:TK1234567`"
    )]
    Foreign,
}

impl From<&DocumentError> for Detail {
    fn from(error: &DocumentError) -> Self {
        match error {
            DocumentError::Citizen(error) => error.into(),
            DocumentError::Foreign => detail!(
                "write a foreign document as `JP:TK1234567`: the country's two letters, a colon, \
                 5 to 20 of A-Z and 0-9"
            ),
        }
    }
}

impl Document {
    /// The document in the one spelling that is indexed and looked up.
    #[must_use]
    pub fn spelling(&self) -> String {
        match self {
            Self::Citizen(number) => format!("citizen/{}", number.as_str()),
            Self::Foreign(text) => format!("foreign/{text}"),
        }
    }
}

impl FromStr for Document {
    type Err = DocumentError;
    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let Some((country, number)) = text.split_once(':') else {
            return Ok(Self::Citizen(gb11643::parse(text)?));
        };
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let is_number = (5..=20).contains(&number.len()) && number.bytes().all(allowed);
        if is_country && is_number {
            return Ok(Self::Foreign(String::from(text)));
        }
        Err(DocumentError::Foreign)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(hidden)")
    }
}

/// A name in the one spelling that is compared: without spaces at the ends, single spaces, capital
/// letters, and one of the several dots that stand between the parts of a name.
#[must_use]
pub fn comparable_name(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let dot =
        |c: char| if matches!(c, '\u{2022}' | '\u{30fb}' | '\u{2027}') { '\u{b7}' } else { c };
    words.join(" ").to_uppercase().chars().map(dot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_one_spelling_per_kind() {
        let citizen: Document = "11010519491231002X".parse().unwrap();
        assert_eq!(citizen.spelling(), "citizen/11010519491231002X");
        let foreign: Document = "JP:TK1234567".parse().unwrap();
        assert_eq!(foreign.spelling(), "foreign/JP:TK1234567");
        assert_eq!(format!("{foreign:?}"), "Document(hidden)");
    }

    #[test]
    fn what_is_no_document_is_told_why() {
        for wrong in ["jp:TK1234567", "JPN:TK1234567", "JP:TK12", "JP:tk1234567", "JP:", ":"] {
            assert_eq!(wrong.parse::<Document>(), Err(DocumentError::Foreign), "{wrong}");
        }
        let long = format!("JP:{}", "1".repeat(21));
        assert_eq!(long.parse::<Document>(), Err(DocumentError::Foreign));
        assert_eq!(
            "11010519491231002x".parse::<Document>(),
            Err(DocumentError::Citizen(NumberError::SmallX))
        );
    }

    #[test]
    fn names_are_compared_without_regard_to_spacing_dots_and_capitals() {
        assert_eq!(comparable_name("  ada   Test "), "ADA TEST");
        assert_eq!(comparable_name("甲\u{2022}乙"), comparable_name("甲\u{b7}乙"));
        assert_ne!(comparable_name("甲乙"), comparable_name("甲丙"));
    }
}
