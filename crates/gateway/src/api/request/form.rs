//! What is sent and answered about requests.

use adapters::directory::RefusalReason;
use ledger::Authorisation;
use ledger::modules::visit::SettleVisit;
use primitives::{Hash, OrganisationId, Party, PersonId, Timestamp, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::family::Relative;
use crate::openapi::transaction_content;

/// A leg for a bound card: the patient's, or that of a relative who acts for the patient.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CashLegRequest {
    /// Which try for this visit it is: 0 for the first.
    #[serde(default)]
    pub attempt: u32,
    /// The relative whose bound card pays, where one acts for the patient; the patient's own where
    /// it is left out.
    #[serde(default)]
    pub payer: Option<PersonId>,
}

/// A request to be sent.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// A `settle_visit` by the person's own key, or by a relative's who may act for the person: its
    /// bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The provider's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// The itemised bill as JSON text, byte for byte as the commitment has it.
    #[schemars(length(max = 2_097_152))]
    pub bill: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// A request.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Request")]
pub struct RequestView {
    /// The id of the transaction that is asked for; compute it yourself from what you show.
    pub request: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Whose visit it is.
    pub patient: Relative,
    /// Who asks.
    pub provider: OrganisationId,
    /// When it was sent.
    pub sent: Timestamp,
    /// From when on it can be confirmed no more.
    pub expires: Timestamp,
    /// The content's parts beside its body.
    pub head: ContentHead,
    /// The settlement that is asked for.
    pub body: SettleVisit,
    /// The itemised bill as JSON text.
    pub bill: String,
    /// The salt of the commitment to bill and sums.
    pub salt: Hash,
    /// Where it stands.
    pub standing: RequestStanding,
}

/// What a content says beside its body.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ContentHead {
    /// Who brings it.
    pub author: Party,
    /// The author's key against doing it twice.
    pub idempotency_key: ledger::IdempotencyKey,
    /// The last instant at which it may be executed.
    pub valid_until: Timestamp,
}

impl ContentHead {
    /// That of a content.
    #[must_use]
    pub const fn of(content: &ledger::Content) -> Self {
        Self {
            author: content.author,
            idempotency_key: content.idempotency_key,
            valid_until: content.valid_until,
        }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum RequestStanding {
    /// Nobody has answered yet.
    Waiting,
    /// It was confirmed, and the ledger has settled it.
    Settled {
        /// The receipt.
        receipt: u64,
    },
    /// The person refused.
    Refused {
        /// Why.
        reason: WhyRefused,
    },
    /// The desk took it back.
    Withdrawn,
    /// Its time is over.
    Over,
}

/// Why a person refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyRefused {
    /// An amount or an item is wrong.
    WrongBill,
    /// The person was not there.
    NotMine,
    /// The person wants to pay in another way, such as at the till.
    OtherWay,
}

/// A confirmation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The person's signature over the transaction's id.
    pub authorisation: Authorisation,
}

/// A refusal.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Why.
    pub reason: WhyRefused,
}

/// Requests that wait.
#[derive(Clone, Serialize, JsonSchema)]
pub struct RequestList {
    /// The requests.
    pub requests: Vec<RequestView>,
}

impl From<RefusalReason> for WhyRefused {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::WrongBill => Self::WrongBill,
            RefusalReason::NotMine => Self::NotMine,
            RefusalReason::OtherWay => Self::OtherWay,
        }
    }
}

impl From<WhyRefused> for RefusalReason {
    fn from(reason: WhyRefused) -> Self {
        match reason {
            WhyRefused::WrongBill => Self::WrongBill,
            WhyRefused::NotMine => Self::NotMine,
            WhyRefused::OtherWay => Self::OtherWay,
        }
    }
}
