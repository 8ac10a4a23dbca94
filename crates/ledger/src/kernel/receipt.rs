//! What the ledger answers: the receipt and its events.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Detail, Hash, Party};
use proof::receipt::{Field, FieldAmount, FieldValue, ReceiptRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::effect::Effect;
use crate::kernel::posting::PostedEntry;

/// Something that happened, for those whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The stable name, such as `visit_settled`; message key in `locales/`.
    pub name: String,
    /// Whom it concerns: they and nobody else may see the receipt.
    pub concerns: Vec<Party>,
}

/// The declaration of an event: its name is never reused, and no other name may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName {
    /// The stable name.
    pub name: &'static str,
    /// What happened, in plain English.
    pub words: &'static str,
    /// Whom it concerns besides the signers, in plain English.
    pub concerns: &'static str,
}

/// Declares the events of a module as `ALL`: `NAME, WHAT HAPPENED, WHOM IT CONCERNS`.
macro_rules! events {
    ($($name:literal, $words:literal, $concerns:literal;)*) => {
        /// Every event of this module.
        pub const ALL: &[$crate::kernel::receipt::EventName] = &[
            $($crate::kernel::receipt::EventName {
                name: $name,
                words: $words,
                concerns: $concerns,
            }),*
        ];
    };
}
pub(crate) use events;

/// What executing a kind gives besides changed state.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Outcome {
    /// Facts that a voucher may show, committed to in the record.
    pub fields: Vec<Field>,
    /// What happened, for whom.
    pub events: Vec<Event>,
    /// What is to be done outside.
    pub effects: Vec<Effect>,
    /// What a later transaction must bring along, because the state keeps its hash only (decision
    /// record 0003): the settlement record of a visit. Empty for most kinds.
    pub witness: Vec<u8>,
}

impl Outcome {
    /// An outcome that is one event.
    #[must_use]
    pub fn event(name: &str, concerns: impl IntoIterator<Item = Party>) -> Self {
        let event = Event { name: String::from(name), concerns: concerns.into_iter().collect() };
        Self { events: alloc::vec![event], ..Self::default() }
    }

    /// The same with a fact that a voucher may show.
    #[must_use]
    pub fn with(mut self, name: &str, value: FieldValue) -> Self {
        self.fields.push(field(name, value));
        self
    }
}

/// A fact that a voucher may show.
///
/// # Panics
/// When the name is not a field name: names are literals in the source.
#[must_use]
pub fn field(name: &str, value: FieldValue) -> Field {
    Field { name: name.parse().expect("field names are literals of a-z, 0-9 and _"), value }
}

/// An amount as the value of a fact.
#[must_use]
pub const fn amount_value(amount: Amount, currency: Currency) -> FieldValue {
    FieldValue::Amount(FieldAmount { amount, currency })
}

/// The whole answer to one executed transaction; its record is a leaf of the receipt log.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The leaf.
    pub record: ReceiptRecord,
    /// The seed of the salts behind the record's commitments; for those whom it concerns.
    pub seed: Hash,
    /// The facts behind the commitments, in their order.
    pub fields: Vec<Field>,
    /// What was posted.
    pub entries: Vec<PostedEntry>,
    /// What happened.
    pub events: Vec<Event>,
    /// What is to be done outside.
    pub effects: Vec<Effect>,
    /// What a later transaction must bring along ([`Outcome::witness`]).
    pub witness: Vec<u8>,
    /// For a rejection: its particulars.
    pub rejection_detail: Option<Detail>,
    /// Whom it concerns: author, signers and everybody named by an event; sorted, each once.
    pub concerns: Vec<Party>,
}

impl Receipt {
    /// For a rejection: its particulars in English, for logs and tools; empty without any.
    #[must_use]
    pub fn rejection_words(&self) -> String {
        self.rejection_detail.as_ref().map(|detail| detail.clone().into()).unwrap_or_default()
    }
}
