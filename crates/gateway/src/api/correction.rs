//! Corrections of a settlement at the provider's desk: another bill takes the place of the one that
//! was wrong, with a reason, and the person reads why.
//!
//! The person stands at the desk with the identity card and signs nothing here, so the ledger's
//! limits for that form of consent hold: no account pays more than before, cash that is due more
//! stays open until it is taken at the till, and the person may contest it. A correction that the
//! person signs with the own key goes to the ledger as any transaction.
//!
//! Invariant: a corrected bill is sorted again here, and is kept for its readers before anything
//! changes (test `a_correction_keeps_the_bill_that_it_is_of`).

use axum::http::Method;
use ledger::Authorisation;
use ledger::modules::organisation::Scope;
use ledger::modules::visit::{Consent, SupersedeSettlement};
use primitives::{Hash, VisitId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::code::require_provider;
use super::machine::signed_too;
use super::objection::body_of;
use super::refund::{keep_bill, own_settled, require_reason};
use super::request::{SentBill, keep_sealed, opened_bill};
use super::transaction::{SubmittedView, read_content, submit_signed};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;

/// The most bytes of a correction: a record and a bill of some 5,000 lines.
const CORRECTION_BYTES_MAX: usize = 4 << 20;

/// The endpoint of corrections.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/v1/visits/{visit}/corrections",
    operation: "create_correction",
    summary: "Puts a corrected bill in the place of a settled one, with a reason, for somebody who stands \
              at the desk with the identity card: sorts it again, seals it, and countersigns. The same \
              again gives the same receipt with status 200",
    access: Access::Party {
        rule: "the visit's provider, by a key with the scope `settle`",
        handle: correct,
    },
    parameters: &[Parameter::path("visit", "the visit's id", schema_of::<VisitId>)],
    body: BodyKind::Signed(schema_of::<NewCorrection>, CORRECTION_BYTES_MAX),
    answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
    problems: &[
        code::NO_WALLET,
        code::NOT_FOUND,
        code::NOT_YOURS,
        code::SCOPE_MISSING,
        code::CHANGE_INVALID,
        code::BILL_DIFFERS,
        code::BILL_INVALID,
        code::BILLS_TOO_MANY,
        code::CATALOGUE_MISSING,
        code::IN_PROGRESS,
    ],
}];

/// A correction.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCorrection {
    /// A `supersede_settlement` by identity card and without a cash leg: its bytes in hex, or the
    /// content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The provider's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// The corrected bill as JSON text, byte for byte as the commitment has it.
    #[schemars(length(max = 2_097_152))]
    pub bill: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
    /// What was wrong, for the person.
    #[schemars(length(min = 1, max = 500))]
    pub words: String,
}

fn correct(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Settle)?;
    let (seen, record) = own_settled(call, session)?;
    let request: NewCorrection = call.json()?;
    let words = require_reason(&request.words, "words")?;
    let content = read_content(call, request.content.clone())?;
    let body: SupersedeSettlement = body_of(call, &content)?;
    let is_fitting = body.original.visit == record.visit
        && content.author == session.party
        && body.consent == Consent::IdentityCard
        && body.cash.is_none();
    if !is_fitting {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let wallet = call.wallet()?;
    let sent = SentBill { text: &request.bill, salt: &request.salt };
    let corrected = opened_bill(call, &seen.subject, (&body.bill, &body.sums), &sent)?;
    keep_sealed(call, &wallet, &seen, record.visit, &corrected)?;
    keep_bill(&wallet, &body.bill, (request.salt, &request.bill, words), call.now)?;
    let signed = signed_too(content, request.authorisations, &[&*wallet.bureau])?;
    submit_signed(call, session.party, signed)
}
