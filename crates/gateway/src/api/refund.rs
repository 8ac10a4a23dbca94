//! Refunds of a settlement, by the line, and the bill that they are of.
//!
//! Invariant: what remains of a bill is some of its own lines, sorted again here, and is kept for
//! its readers before anything is given back (test `a_refund_leaves_lines_of_the_bill_it_is_of`).

use std::collections::BTreeMap;

use axum::http::Method;
use benefit::{Bill, LineItem};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::Authorisation;
use ledger::modules::organisation::Scope;
use ledger::modules::visit::{RefundVisit, SettlementRecord, VisitRow};
use primitives::{Hash, Party, Timestamp, VisitId, codec, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vault::BillContent;

use super::bill::noted;
use super::code::require_provider;
use super::machine::signed_too;
use super::objection::body_of;
use super::quote::sorted_bill;
use super::receipt::not_found;
use super::request::keep_sealed;
use super::transaction::{SubmittedView, read_content, submit_signed};
use crate::access::{SeenVisit, VISIT_RULE};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::transaction_content;
use crate::port::BillAccess;
use crate::problem::{Problem, code, foreign};
use crate::session::Session;
use crate::wallet::Wallet;

/// The most bytes of a refund: a record and what remains of a bill of some 5,000 lines.
const REFUND_BYTES_MAX: usize = 4 << 20;
/// The most characters of a reason.
const REASON_MAX: usize = 500;

const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);

/// The endpoints of refunds.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/bill",
        operation: "get_visit_bill",
        summary: "Gives the itemised bill behind a visit's settlement as it stands, where it was confirmed \
                  on a phone within the last year, or a stay's bill so far, where its hospital's own \
                  system sends one",
        access: Access::Party { rule: VISIT_RULE, handle: bill },
        parameters: &[VISIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<VisitBill>),
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/refunds",
        operation: "create_refund",
        summary: "Gives lines of a settled visit back, some or all: sorts what remains again, seals it, and \
                  countersigns. The same again gives the same receipt with status 200",
        access: Access::Party {
            rule: "the visit's provider, by a key with the scope `settle`",
            handle: refund,
        },
        parameters: &[VISIT],
        body: BodyKind::Signed(schema_of::<NewRefund>, REFUND_BYTES_MAX),
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
    },
];

/// A bill as the directory keeps it once it is settled, or so far.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptBill {
    salt: Hash,
    text: String,
    /// Why lines were given back or another bill came in place of the first.
    reason: String,
}

/// The bill behind a settlement, or a stay's so far.
#[derive(Clone, Serialize, JsonSchema)]
pub struct VisitBill {
    /// The commitment that the ledger holds.
    pub commitment: Hash,
    /// The itemised bill as JSON text.
    pub bill: String,
    /// The salt of the commitment to bill and sums.
    pub salt: Hash,
    /// Why lines were given back or the bill was corrected, where the provider said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A refund.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// A `refund_visit` that asks nobody for more: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The provider's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// What remains of the bill, as JSON text, byte for byte as the commitment has it; an empty
    /// text when nothing remains.
    #[schemars(length(max = 2_097_152))]
    pub bill: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
    /// Why, for the person.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Keeps a bill before it is settled, or noted as a stay's so far.
///
/// # Errors
/// When the directory fails.
pub(crate) fn keep_bill(
    wallet: &Wallet,
    commitment: &Hash,
    (salt, text, reason): (Hash, &str, &str),
    now: Timestamp,
) -> Result<(), Problem> {
    let kept = KeptBill { salt, text: text.to_owned(), reason: reason.to_owned() };
    Ok(wallet.directory.put_bill(commitment, &codec::encode(&kept), now)?)
}

fn kept_bill(call: &Call, commitment: &Hash) -> Result<Option<KeptBill>, Problem> {
    let bytes = call.wallet()?.directory.bill(commitment)?;
    let kept = bytes.map(|bytes| codec::decode(&bytes)).transpose();
    kept.map_err(|_| Problem::new(&code::INTERNAL))
}

/// A settled visit of the provider that is signed in.
///
/// # Errors
/// `not_found`, also for another provider's.
pub(super) fn own_settled(
    call: &Call,
    session: &Session,
) -> Result<(SeenVisit, SettlementRecord), Problem> {
    let seen = call.visit(session, call.path("visit")?)?;
    let is_own = session.party == Party::Organisation(seen.subject.provider);
    let record = seen.record.clone().filter(|_| is_own).ok_or_else(not_found)?;
    Ok((seen, record))
}

fn bill(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    let seen = call.visit(session, visit)?;
    let commitment = match (&seen.row, &seen.record) {
        (_, Some(record)) => record.bill,
        (VisitRow::Open(open), None) => open.running.ok_or_else(not_found)?.bill,
        _ => return Err(not_found()),
    };
    let KeptBill { salt, text, reason } = kept_bill(call, &commitment)?.ok_or_else(not_found)?;
    // As with the sealed bill: that somebody other than the provider was handed it is noted.
    if let Some(organisation) = noted(session, &seen) {
        let day = call.today(seen.subject.region).ok_or_else(not_found)?;
        let access = BillAccess { day, organisation, audit: None };
        call.gateway.port.note_bill_access(visit, commitment, access)?;
    }
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    Reply::json(&VisitBill { commitment, bill: text, salt, reason })
}

/// What a person reads about a change of a settlement.
pub(super) fn require_reason<'a>(text: &'a str, field: &'static str) -> Result<&'a str, Problem> {
    let reason = text.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        let words = detail!("write 1 to {max} characters", max = REASON_MAX);
        return Err(Problem::new(&code::FIELD_INVALID).at(field).with(words));
    }
    Ok(reason)
}

fn refund(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Settle)?;
    let (seen, record) = own_settled(call, session)?;
    let request: NewRefund = call.json()?;
    let reason = require_reason(&request.reason, "reason")?;
    let content = read_content(call, request.content.clone())?;
    let body: RefundVisit = body_of(call, &content)?;
    let visit = record.visit;
    let is_plain = body.cash.is_none() && body.consent.is_none();
    if body.original.visit != visit || content.author != session.party || !is_plain {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let wallet = call.wallet()?;
    if let Some(remaining) = remaining(call, &seen, &record, &body, &request)? {
        keep_sealed(call, &wallet, &seen, visit, &remaining)?;
        let told = (request.salt, request.bill.as_str(), reason);
        keep_bill(&wallet, &body.bill, told, call.now)?;
    }
    let signed = signed_too(content, request.authorisations, &[&*wallet.bureau])?;
    submit_signed(call, session.party, signed)
}

/// What remains, once the bureau has sorted it again and come to the same sums; nothing for a
/// refund of all of it.
fn remaining(
    call: &Call,
    seen: &SeenVisit,
    record: &SettlementRecord,
    body: &RefundVisit,
    request: &NewRefund,
) -> Result<Option<BillContent>, Problem> {
    if request.bill.is_empty() {
        let is_nothing = body.remaining.total().is_zero() && body.bill == Hash::default();
        let differs = || Problem::new(&code::BILL_DIFFERS).at("content.body.bill");
        return if is_nothing { Ok(None) } else { Err(differs()) };
    }
    let content = BillContent {
        salt: request.salt.0,
        bill: request.bill.clone().into_bytes(),
        sums: codec::encode(&body.remaining),
    };
    if content.commitment() != body.bill {
        return Err(Problem::new(&code::BILL_DIFFERS).at("content.body.bill"));
    }
    let read = |text: &str| serde_json::from_str::<Bill>(text);
    let invalid = |error| Problem::new(&code::BILL_INVALID).at("bill").with(foreign::json(&error));
    let bill = read(&request.bill).map_err(invalid)?;
    if let Some(kept) = kept_bill(call, &record.bill)? {
        let before = read(&kept.text).map_err(|_| Problem::new(&code::INTERNAL))?;
        require_lines_of(&bill, &before)?;
    }
    if sorted_bill(call, &seen.subject, bill)?.0 != body.remaining {
        return Err(Problem::new(&code::BILL_DIFFERS).at("content.body.remaining"));
    }
    Ok(Some(content))
}

/// Every line that remains is a line of the bill, unchanged, and none is there twice.
fn require_lines_of(bill: &Bill, before: &Bill) -> Result<(), Problem> {
    let mut known: BTreeMap<_, &LineItem> =
        before.lines.iter().map(|line| (line.line_no, line)).collect();
    for line in &bill.lines {
        if known.remove(&line.line_no) != Some(line) {
            let words = detail!("line {line} is not a line of the bill", line = line.line_no);
            return Err(Problem::new(&code::BILL_INVALID).at("bill").with(words));
        }
    }
    Ok(())
}
