//! What is sent and answered about objections.

use ledger::Authorisation;
use ledger::modules::visit::{AnswerObjection, ObjectionAnswer};
use primitives::{Hash, OrganisationId, Timestamp, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::request::ContentHead;
use crate::openapi::transaction_content;

/// The most characters that somebody writes.
pub(super) const WORDS_MAX: usize = 500;
/// The most lines that an objection names.
pub(super) const LINES_MAX: usize = 1_000;

/// What an objection says, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectionWords {
    /// What it is about.
    pub reason: ObjectionReason,
    /// The lines of the bill that it is about, by number; none for all of it.
    #[schemars(length(max = 1_000))]
    pub lines: Vec<u32>,
    /// In the person's own words; may be empty.
    #[schemars(length(max = 500))]
    pub words: String,
}

/// What an objection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionReason {
    /// It was not given or not done.
    NotReceived,
    /// It was given back, or not used.
    Returned,
    /// It is on the bill twice.
    Twice,
    /// Quantity or price is wrong.
    WrongAmount,
    /// Something else.
    Other,
}

/// What an answer says, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerWords {
    /// Why; may be empty only where the person is right.
    #[schemars(length(max = 500))]
    pub words: String,
}

/// An objection to be raised.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewObjection {
    /// An `object_to_settlement`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The person's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// What is said: `ObjectionWords` as JSON text, byte for byte as the commitment has it, which
    /// is `SHA-256("yibao/statement/v1" || salt || statement)`.
    #[schemars(length(max = 16_384))]
    pub statement: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// The words of an answer.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// An `answer_objection`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The signatures over the transaction's id that are there.
    pub authorisations: Vec<Authorisation>,
    /// What is said: `AnswerWords` as JSON text, committed to as an objection's.
    #[schemars(length(max = 16_384))]
    pub statement: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// Objections.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ObjectionList {
    /// The objections.
    pub objections: Vec<ObjectionView>,
}

/// An objection.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Objection")]
pub struct ObjectionView {
    /// The id of the transaction that raised it.
    pub objection: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Who has to answer.
    pub provider: OrganisationId,
    /// When it was raised.
    pub raised: Timestamp,
    /// From when on the bureau may answer in the provider's place.
    pub due: Timestamp,
    /// What is said.
    pub said: ObjectionWords,
    /// Where it stands.
    pub standing: ObjectionStanding,
    /// The answer that was written last, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
}

/// Where an objection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionStanding {
    /// Nobody has answered.
    Waiting,
    /// The provider wrote that it refuses, and the bureau has to agree.
    Refused,
    /// It was answered: the person is right.
    Upheld,
    /// It was answered: the settlement stands.
    Dismissed,
    /// It was closed without words that are kept here.
    Closed,
}

/// A written answer.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "ObjectionAnswerWritten")]
pub struct AnswerView {
    /// What it comes to.
    pub answer: ObjectionAnswer,
    /// What is said.
    pub said: AnswerWords,
    /// What the bureau signs to agree; for provider and bureau while it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
}

/// An answer that waits for the bureau's signature.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "ObjectionAnswerProposal")]
pub struct Proposal {
    /// The id of its transaction; compute it yourself from what you show.
    pub transaction_id: Hash,
    /// The content's parts beside its body.
    pub head: ContentHead,
    /// The answer.
    pub body: AnswerObjection,
    /// The statement that its commitment is to.
    pub statement: String,
    /// The salt of the commitment.
    pub salt: Hash,
    /// The signatures that are there.
    pub authorisations: Vec<Authorisation>,
}
