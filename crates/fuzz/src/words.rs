//! Short texts that are read into types: ids, days, parties, identity numbers, cards.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use adapters::identity::{Document, gb11643};
use adapters::rail::card::CardNumber;
use primitives::{CivilDate, Hash, OrganisationId, Party, PersonId, PublicKey, Text, VisitId};
use proof::header::ChainId;
use proof::receipt::FieldName;

/// What is read is shown as it was written: one text for one value.
fn one_text<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "a value has one text");
    }
}

/// Any of them.
pub fn words(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    one_text::<Hash>(text);
    one_text::<Party>(text);
    one_text::<PersonId>(text);
    one_text::<VisitId>(text);
    one_text::<OrganisationId>(text);
    one_text::<CivilDate>(text);
    one_text::<PublicKey>(text);
    one_text::<ChainId>(text);
    one_text::<FieldName>(text);
    if let Ok(short) = Text::<64>::new(text) {
        assert_eq!(&*short, text);
    }
}

/// Identity numbers and cards, which are never shown.
pub fn identity(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if gb11643::parse(text).is_ok() {
        assert!(text.is_ascii() && text.len() == 18, "a citizen's number has 18 characters");
    }
    if let Ok(document) = text.parse::<Document>() {
        assert!(!format!("{document:?}").contains(text), "a number is not shown");
    }
    if let Ok(card) = text.parse::<CardNumber>() {
        assert!(!format!("{card:?}").contains(text), "a number is not shown");
    }
}
