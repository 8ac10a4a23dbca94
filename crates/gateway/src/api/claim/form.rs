//! What is said and shown of claims.

use ledger::kernel::effect::EffectStatus;
use ledger::modules::claim::{
    AcceptClaim, ClaimCare, ClaimCorrection, ClaimRefusal, ClaimRules, CorrectClaim,
};
use ledger::modules::visit::CashLeg;
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, RegionId, SchemeId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::converted::ConvertedView;
use crate::api::family::Relative;
use crate::api::quote::QuoteView;
use crate::openapi::transaction_content;
use benefit::Bill;
use ledger::{Authorisation, IdempotencyKey};

/// A region's rules of claims.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RegionClaimRules")]
pub struct ClaimRulesView {
    /// The rules; left out where the region has set none.
    pub rules: Option<ClaimRules>,
    /// The currencies in which bills are taken, the region's own first.
    pub currencies: Vec<Currency>,
}

/// An invoice: the paper that says what was paid.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// The bill code printed on it (票据代码); where it has none, who issued it.
    #[schemars(length(min = 1, max = 100))]
    pub issuer: String,
    /// Its number.
    #[schemars(length(min = 1, max = 100))]
    pub number: String,
    /// What was paid, in minor units.
    pub total: Amount,
}

/// Invoices whose tags are asked for.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceTagRequest {
    /// The invoices.
    #[schemars(length(min = 1, max = 16))]
    pub invoices: Vec<Invoice>,
}

/// The tags of invoices.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InvoiceTagList {
    /// Ascending, as `file_claim` takes them.
    pub tags: Vec<Hash>,
}

/// What a person says of a claim.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimStatement {
    /// Who gave the care, in the person's words.
    #[schemars(length(min = 1, max = 100))]
    pub provider: String,
    /// The invoices.
    #[schemars(length(min = 1, max = 16))]
    pub invoices: Vec<Invoice>,
    /// The currency of the invoices; the region's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What else there is to say.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    pub words: String,
}

/// A claim to be filed.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaim {
    /// A `file_claim`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The signature of whoever speaks for the person.
    pub authorisations: Vec<Authorisation>,
    /// What is said: `ClaimStatement` as JSON text, byte for byte as the commitment has it.
    #[schemars(length(max = 32_768))]
    pub statement: String,
    /// JPEG pictures in base64, each of at most 400 KiB. The transaction's commitment is
    /// `SHA-256("yibao/claim-documents/v1" || salt || SHA-256(statement) || SHA-256(first) ...)`.
    #[schemars(length(min = 1, max = 8))]
    pub documents: Vec<String>,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// A claim that was filed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClaimFiled {
    /// The id of its transaction.
    pub claim: Hash,
}

/// Claims.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClaimList {
    /// The claims.
    pub claims: Vec<ClaimSummary>,
}

/// A person's claims, and what a new one needs to know.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PersonClaims {
    /// The claims; to a proxy those that the same proxy filed.
    pub claims: Vec<ClaimSummary>,
    /// Today in the region's calendar.
    pub today: CivilDate,
    /// The scheme that pays today, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<SchemeId>,
    /// The insured place.
    pub region: RegionId,
    /// To whom money may go: the person first, then guardians of today.
    pub payees: Vec<Payee>,
}

/// Somebody to whom money for a claim may go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClaimPayee")]
pub struct Payee {
    /// Who.
    #[serde(flatten)]
    pub relative: Relative,
    /// Whether a bank card is bound to which it would go.
    pub has_card: bool,
}

/// A claim and where it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClaimSummary {
    /// The id of the transaction that filed it.
    pub claim: Hash,
    /// Whose bills.
    pub person: Relative,
    /// The scheme that is to pay.
    pub scheme: SchemeId,
    /// The first day of service.
    pub from: CivilDate,
    /// The last day of service.
    pub to: CivilDate,
    /// Who gave the care, in the person's words.
    pub provider: String,
    /// The invoices, as filed.
    pub invoices: Vec<Invoice>,
    /// The currency of the invoices.
    pub currency: Currency,
    /// What else was said.
    pub words: String,
    /// When it was filed.
    pub filed: Timestamp,
    /// To whom the money goes.
    pub payee: Relative,
    /// Where it stands.
    pub standing: ClaimStanding,
}

/// Where a claim stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schemars(rename = "ClaimState")]
pub enum ClaimStanding {
    /// The bureau has to decide.
    Waiting {
        /// By this day.
        until: CivilDate,
        /// The day is over; the claim waits all the same.
        is_late: bool,
    },
    /// The person took it back.
    Withdrawn,
    /// The bureau refused it.
    Refused {
        /// Why.
        reason: ClaimRefusal,
        /// When.
        decided: Timestamp,
    },
    /// It was adjudicated.
    Accepted {
        /// When.
        decided: Timestamp,
        /// The transaction, of which vouchers are issued.
        transaction_id: Hash,
        /// What the invoices come to.
        total: Amount,
        /// What funds pay.
        paid: Amount,
        /// What the person owes back since lines were taken out.
        owed_back: Amount,
        /// How that is paid out; left out while no way to pay was named, or nothing is paid.
        #[serde(skip_serializing_if = "Option::is_none")]
        payout: Option<PayoutView>,
    },
}

/// A payout.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClaimPayout")]
pub struct PayoutView {
    /// Whose rail pays.
    pub executor: OrganisationId,
    /// Where it stands.
    pub status: EffectStatus,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// When the executor said what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
}

/// A claim with its photographs.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Claim")]
pub struct ClaimView {
    /// What the lists say of it.
    #[serde(flatten)]
    pub summary: ClaimSummary,
    /// JPEG pictures in base64; empty once they were forgotten.
    pub documents: Vec<String>,
    /// Once it is accepted: the lines as the desk read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
    /// Once it is accepted: sorted lines, split and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteView>,
    /// Once it is accepted: how a bill in another currency was converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted: Option<ConvertedView>,
}

/// What a desk reviewed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimReview {
    /// The invoices as they are read, and no others than are paid for.
    #[schemars(length(min = 1, max = 16))]
    pub invoices: Vec<Invoice>,
    /// What care it is about.
    pub care: ClaimCare,
    /// The lines of all invoices, in their currency.
    pub bill: Bill,
    /// The salt of the commitment over lines and sums: 32 secret random bytes in hex.
    pub salt: Hash,
}

/// What a review comes to, and what a clerk signs to accept it.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ClaimQuote {
    /// Lines, split and why.
    pub quote: QuoteView,
    /// How a bill in another currency was converted; left out for the region's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted: Option<ConvertedView>,
    /// What is signed.
    pub body: AcceptClaim,
    /// What funds pay.
    pub paid: Amount,
    /// The last digits of the card to which it goes; left out where the person has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

/// A claim to be accepted.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimAcceptance {
    /// An `accept_claim`, exactly as the review gave it: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The clerk's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// What was reviewed.
    pub review: ClaimReview,
}

/// What remains of an accepted claim.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimCorrectionReview {
    /// The lines that remain, in the currency of the bill; left out where none do.
    #[serde(default)]
    pub bill: Option<Bill>,
    /// Why the others are taken out.
    pub reason: ClaimCorrection,
    /// The salt of the commitment over lines and sums: 32 secret random bytes in hex.
    pub salt: Hash,
}

/// What a correction comes to, and what a clerk signs for it.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ClaimCorrectionQuote {
    /// Lines, split and why; left out where no line remains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteView>,
    /// How a bill in another currency is converted: at its original rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted: Option<ConvertedView>,
    /// What is signed.
    pub body: CorrectClaim,
    /// What funds pay then.
    pub paid: Amount,
    /// How much less that is: what the person owes back where it was paid out.
    pub less: Amount,
}

/// A claim to be corrected.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectedClaim {
    /// A `correct_claim`, exactly as the quote gave it: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The clerk's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// What was reviewed.
    pub review: ClaimCorrectionReview,
}

/// A payout that will be signed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimPayoutLegRequest {
    /// The idempotency key that its transaction will have.
    pub idempotency_key: IdempotencyKey,
}

/// A way to pay a claim out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClaimPayoutLeg {
    /// The leg that `pay_claim` carries.
    pub payout: CashLeg,
    /// The last digits of the card to which it goes.
    pub card: String,
}
