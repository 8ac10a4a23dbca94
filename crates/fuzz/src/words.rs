//! Short texts that are read into types: ids, days, parties, identity numbers, cards.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use adapters::identity::{Document, gb11643};
use adapters::rail::card::CardNumber;
use adapters::rail::counter::Clerk;
use adapters::rail::{Reference, Token};
use benefit::AccumulatorPeriod;
use primitives::{
    CivilDate, Hash, OrganisationId, Party, PersonId, PublicKey, Text, Timestamp, VisitId,
};
use proof::header::ChainId;
use proof::note::NoteKey;
use proof::receipt::FieldName;
use vault::ReaderKey;

/// What is read is shown as it was written: one text for one value.
fn one_text<T: FromStr + Display + PartialEq + Debug>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string(), text, "a value has one text");
    true
}

/// Any of them.
pub fn words(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let of_the_ledger = [
        one_text::<Hash>(text),
        one_text::<Party>(text),
        one_text::<PersonId>(text),
        one_text::<VisitId>(text),
        one_text::<OrganisationId>(text),
        one_text::<CivilDate>(text),
        one_text::<PublicKey>(text),
        one_text::<AccumulatorPeriod>(text),
    ];
    let of_proofs = [
        one_text::<ChainId>(text),
        one_text::<FieldName>(text),
        one_text::<NoteKey>(text),
        one_text::<ReaderKey>(text),
    ];
    let of_rails = [one_text::<Clerk>(text), one_text::<Reference>(text)];
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.as_str(), text);
    }
    if let Ok(time) = serde_json::from_value::<Timestamp>(text.into()) {
        assert_eq!(serde_json::to_value(time).expect("a form in JSON"), text);
    }
    if let Ok(short) = Text::<64>::new(text) {
        assert_eq!(&*short, text);
    }
    [&of_the_ledger[..], &of_proofs, &of_rails].concat().contains(&true)
}

/// Identity numbers and cards, which are never shown.
pub fn identity(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let citizen = gb11643::parse(text);
    if citizen.is_ok() {
        assert!(text.is_ascii() && text.len() == 18, "a citizen's number has 18 characters");
    }
    let (document, card) = (text.parse::<Document>(), text.parse::<CardNumber>());
    if let Ok(document) = &document {
        assert!(!format!("{document:?}").contains(text), "a number is not shown");
    }
    if let Ok(card) = &card {
        assert!(!format!("{card:?}").contains(text), "a number is not shown");
    }
    citizen.is_ok() || document.is_ok() || card.is_ok()
}
