//! Settlements of people without a phone: the person stands at the desk with the identity card, and
//! signs nothing.
//!
//! So the ledger's limits for that form of consent hold: no account and no bound card pays, cash
//! goes over the counter within the region's limit or stays open, and the person may contest it.
//!
//! Invariant: the bureau countersigns only for the person whose card the desk reads in that very
//! request, and only a bill that it has sorted again itself (test
//! `a_desk_settles_for_whoever_shows_the_card_and_for_nobody_else`).

use axum::http::Method;
use ledger::modules::visit::{CashLeg, Consent};
use ledger::{Authorisation, Content, Transaction};
use primitives::{Hash, Party, VisitId, detail};
use proof::receipt::OutcomeCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::identity::IdentityDocument;
use super::reception::shown_card;
use super::refund::keep_bill;
use super::request::{
    SentBill, co_signed, invalid, keep_sealed, opened_bill, own_open_visit, settlement,
};
use super::transaction::{SubmittedView, read_content, submit_signed};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;

/// The most bytes of a settlement: a bill of some 5,000 lines beside its sums.
const SETTLEMENT_BYTES_MAX: usize = 3 << 20;

/// The endpoint of settlements at the desk.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/v1/visits/{visit}/settlements",
    operation: "settle_at_desk",
    summary: "Settles a visit for somebody who stands at the desk with the identity card: reads the card, \
              sorts the bill again, seals it, and countersigns. What waits on a phone for this visit is \
              withdrawn. The same again gives the same receipt with status 200",
    access: Access::Party {
        rule: "the visit's provider, by a key with the scope `settle`",
        handle: settle,
    },
    parameters: &[Parameter::path("visit", "the visit's id", schema_of::<VisitId>)],
    body: BodyKind::Signed(schema_of::<DeskSettlement>, SETTLEMENT_BYTES_MAX),
    answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
    problems: &[
        code::NO_WALLET,
        code::NOT_FOUND,
        code::NOT_YOURS,
        code::SCOPE_MISSING,
        code::REQUEST_INVALID,
        code::IDENTITY_UNCONFIRMED,
        code::OTHER_PERSON,
        code::BILL_DIFFERS,
        code::BILL_INVALID,
        code::BILLS_TOO_MANY,
        code::CATALOGUE_MISSING,
        code::IN_PROGRESS,
        code::TOO_MANY_REQUESTS,
        code::UNAVAILABLE,
    ],
}];

/// A settlement at the desk.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskSettlement {
    /// A `settle_visit` by identity card: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The provider's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// The itemised bill as JSON text, byte for byte as the commitment has it.
    #[schemars(length(max = 2_097_152))]
    pub bill: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
    /// What the card that is shown says.
    pub identity: IdentityDocument,
}

fn settle(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    let request: DeskSettlement = call.json()?;
    let content = read_content(call, request.content.clone())?;
    if content.author == session.party && is_settled(call, &content)? {
        let again = Transaction::signed_by(content, request.authorisations);
        return submit_signed(call, session.party, again);
    }
    let seen = own_open_visit(call, session)?;
    let body = settlement(call, &wallet, &seen.subject, &content)?;
    if body.consent != Consent::IdentityCard {
        return Err(invalid(detail!("its consent must be the identity card")));
    }
    let is_own = |leg: &CashLeg| Party::Organisation(leg.executor) == session.party;
    if !body.cash.as_ref().is_none_or(is_own) {
        return Err(invalid(detail!("the cash must be taken at the provider's own till")));
    }
    if shown_card(call, session, &request.identity)? != seen.subject.person {
        return Err(Problem::new(&code::OTHER_PERSON).at("identity"));
    }
    let sent = SentBill { text: &request.bill, salt: &request.salt };
    let sealed = opened_bill(call, &seen.subject, (&body.bill, &body.sums), &sent)?;
    wallet.directory.withdraw_requests(body.visit)?;
    keep_sealed(call, &wallet, &seen, body.visit, &sealed)?;
    keep_bill(&wallet, &body.bill, (request.salt, &request.bill, ""), call.now)?;
    let signed = co_signed(&wallet, content, &body, request.authorisations)?;
    submit_signed(call, session.party, signed)
}

/// Whether this very settlement stands already: then its receipt is given again.
fn is_settled(call: &Call, content: &Content) -> Result<bool, Problem> {
    let found = call.gateway.port.chain().receipt_of_transaction(content.id())?;
    Ok(found.is_some_and(|one| one.receipt.record.outcome == OutcomeCode::Accepted))
}
