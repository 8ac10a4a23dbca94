//! The bureau's desk: which claims wait, what a review comes to, accepting, paying out.
//!
//! Invariant: the bureau's machine countersigns exactly what it has sorted and adjudicated itself
//! in the same request (test `what_is_accepted_is_what_the_machine_computed`).

use axum::http::{Method, StatusCode};
use benefit::Bill;
use ledger::kernel::effect::EffectStatus;
use ledger::kernel::registry::Kind;
use ledger::modules::claim::{
    self, AcceptClaim, AcceptedRow, ClaimRecord, ClaimRow, ClaimStanding, PayClaim,
};
use ledger::modules::visit::CashLeg;
use ledger::{Content, Transaction};
use primitives::{Amount, Hash, OrganisationId, Party, PersonId, codec};

use super::converted::{ConvertedView, convert_as_before, convert_now};
use super::form::{
    ClaimAcceptance, ClaimList, ClaimPayoutLeg, ClaimPayoutLegRequest, ClaimQuote, ClaimReview,
};
use super::{CLAIM, payee, require_invoices, seen, summary, tags_of};
use crate::api::machine::signed_too;
use crate::api::objection::{body_of, is_accepted};
use crate::api::quote::{QuoteView, quote_claim, requote_claim};
use crate::api::receipt::not_found;
use crate::api::transaction::{SubmittedView, TransactionRequest, read_content, submit_signed};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::{CardExecutor, Machine, Wallet};

/// The most bytes of a review: a stay's lines.
pub(super) const REVIEW_BYTES_MAX: usize = 6 << 20;
/// The leg of the payout that is ordered when a claim is accepted: the first, and only one.
const ACCEPTED: &[u8] = b"";
/// Who reviews claims.
pub(super) const CLERK_RULE: &str = "the region's bureau, by a key with the scope `clerk`";

/// The endpoints of the desk.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/claims",
        operation: "list_open_claims",
        summary: "Lists the claims that wait for the bureau's decision or whose money waits to be paid out, \
                  the oldest first; at most 200",
        access: Access::Party { rule: CLERK_RULE, handle: list },
        parameters: &[Parameter::path(
            "organisation",
            "the organisation's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ClaimList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::SCOPE_MISSING],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/claims/{claim}/quotes",
        operation: "quote_claim",
        summary: "Adjudicates what a desk read on the invoices without accepting it, and gives what is signed \
                  to accept; nothing is kept",
        access: Access::Party { rule: CLERK_RULE, handle: quote },
        parameters: &[CLAIM],
        body: BodyKind::Json(schema_of::<ClaimReview>, REVIEW_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ClaimQuote>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::BILL_INVALID,
            code::CATALOGUE_MISSING,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/claims/{claim}/acceptances",
        operation: "accept_claim",
        summary: "Accepts a claim as a clerk signed it: it is computed again, the bureau countersigns and the \
                  payer of the money signs; the answer comes once it is durable",
        access: Access::Party { rule: CLERK_RULE, handle: accept },
        parameters: &[CLAIM],
        body: BodyKind::Signed(schema_of::<ClaimAcceptance>, REVIEW_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::BILL_INVALID,
            code::CATALOGUE_MISSING,
            code::IN_PROGRESS,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/claims/{claim}/payout-legs",
        operation: "create_claim_payout_leg",
        summary: "Notes that what is owed for a claim goes to the person's bound card, and gives the leg for \
                  `pay_claim`; the same key again gives the same leg",
        access: Access::Party { rule: CLERK_RULE, handle: payout_leg },
        parameters: &[CLAIM],
        body: BodyKind::Json(schema_of::<ClaimPayoutLegRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ClaimPayoutLeg>),
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::SCOPE_MISSING, code::NO_BOUND_CARD],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/claims/{claim}/payouts",
        operation: "pay_claim",
        summary: "Pays out what is owed for a claim as a clerk signed it; the payer of the money adds its \
                  signature, and the answer comes once it is durable",
        access: Access::Party { rule: CLERK_RULE, handle: pay },
        parameters: &[CLAIM],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::NO_BOUND_CARD,
            code::IN_PROGRESS,
        ],
    },
];

/// A claim on the desk.
pub(super) fn on_desk(call: &Call, session: &Session) -> Result<(Hash, ClaimRow), Problem> {
    call.require_clerk(session, not_found)?;
    let (row, kept) = seen(call, session)?;
    Ok((kept.id, row))
}

/// Whether money of an accepted claim waits for a way out, or for its executor's word.
fn is_unpaid(call: &Call, accepted: &AcceptedRow) -> bool {
    let state = &call.view.state;
    let last = accepted.payout.and_then(|one| claim::view::payout(state, &one));
    !accepted.paid.is_zero() && last.is_none_or(|one| one.status != EffectStatus::Done)
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let organisation: OrganisationId = call.path("organisation")?;
    let not_yours = || Problem::new(&code::NOT_YOURS);
    call.require_clerk(session, not_yours)?;
    if session.party != Party::Organisation(organisation) {
        return Err(not_yours());
    }
    let wallet = call.wallet()?;
    let mut claims = Vec::new();
    for kept in wallet.directory.open_claims()? {
        let Some(row) = claim::view::claim(&call.view.state, &kept.id) else {
            // It is on its way, or the ledger did not take it.
            continue;
        };
        let waits = match &row.standing {
            ClaimStanding::Waiting => true,
            ClaimStanding::Accepted(accepted) => is_unpaid(call, accepted),
            ClaimStanding::Withdrawn | ClaimStanding::Refused { .. } => false,
        };
        if waits {
            claims.push(summary(call, &row, &kept)?);
        } else if is_accepted(call, &kept.id)? {
            wallet.directory.close_claim(&kept.id)?;
        }
    }
    Reply::json(&ClaimList { claims })
}

/// Where money for a claim goes: to the bound card of the person, or of the guardian who was named.
fn leg<'a>(
    wallet: &'a Wallet,
    (claim, person): (&Hash, PersonId),
    key: &[u8],
) -> Result<(&'a dyn CardExecutor, CashLeg), Problem> {
    wallet.card_leg(person, &[b"claim".as_slice(), &claim.0, key].concat())
}

/// A review that was computed.
struct Computed {
    quote: QuoteView,
    converted: Option<ConvertedView>,
    body: AcceptClaim,
    record: ClaimRecord,
    paid: Amount,
}

fn compute(
    call: &Call,
    wallet: &Wallet,
    (id, row): (&Hash, &ClaimRow),
    review: &ClaimReview,
) -> Result<Computed, Problem> {
    require_invoices("invoices", &review.invoices)?;
    let care = review.care;
    let converted = convert_now(call, row, &review.bill)?;
    let (foreign, view) = converted.as_ref().map(|one| (one.foreign, one.view.clone())).unzip();
    let quote = quote_claim(call, row, &care, (review.bill.clone(), converted))?;
    let text = serde_json::to_vec(&review.bill).map_err(|_| Problem::new(&code::INTERNAL))?;
    let sums = codec::encode(&quote.sums);
    let commitment = vault::bill::commit_bill(&review.salt.0, &text, &sums);
    let record = ClaimRecord {
        claim: *id,
        care,
        bill: commitment,
        sums: quote.sums.clone(),
        foreign,
        parts: quote.parts.clone(),
    };
    let paid = claim::paid_by_funds(&quote.split);
    let receiver = payee(call, row)?;
    let has_card = wallet.directory.card(receiver)?.is_some();
    let payout = if has_card && !paid.is_zero() {
        Some(leg(wallet, (id, receiver), ACCEPTED)?.1)
    } else {
        None
    };
    let body = AcceptClaim {
        claim: *id,
        invoices: tags_of(wallet, &review.invoices),
        care,
        bill: commitment,
        sums: quote.sums.clone(),
        foreign,
        split: quote.split.clone(),
        record: record.hash(),
        payout,
    };
    Ok(Computed { quote, converted: view, body, record, paid })
}

fn quote(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let wallet = call.wallet()?;
    require_waiting(&row)?;
    let Computed { quote, converted, body, paid, .. } =
        compute(call, &wallet, (&id, &row), &call.json()?)?;
    let card = wallet.directory.card(payee(call, &row)?)?.map(|card| card.last_four);
    Reply::json(&ClaimQuote { quote, converted, body, paid, card })
}

fn require_waiting(row: &ClaimRow) -> Result<(), Problem> {
    if row.is_waiting() {
        return Ok(());
    }
    Err(Problem::rejected(&claim::rejection::CLAIM_CLOSED.reject()))
}

/// A clerk's transaction about this claim.
pub(super) fn clerks<K: Kind>(
    call: &Call,
    session: &Session,
    content: serde_json::Value,
) -> Result<(Content, K), Problem> {
    let content = read_content(call, content)?;
    let body: K = body_of(call, &content)?;
    if content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    Ok((content, body))
}

fn accept(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let wallet = call.wallet()?;
    let ClaimAcceptance { content, authorisations, review } = call.json()?;
    let (content, body) = clerks::<AcceptClaim>(call, session, content)?;
    // What is on the ledger already gives its receipt again.
    let is_new = call.gateway.port.chain().receipt_of_transaction(content.id())?.is_none();
    if !is_new {
        return submit_signed(call, session.party, Transaction::signed_by(content, authorisations));
    }
    require_waiting(&row)?;
    let computed = compute(call, &wallet, (&id, &row), &review)?;
    if computed.body != body {
        return Err(Problem::new(&code::STATEMENT_DIFFERS).at("content"));
    }
    let kept = KeptReview { review, record: computed.record };
    let bytes = serde_json::to_vec(&kept).map_err(|_| Problem::new(&code::INTERNAL))?;
    wallet.directory.put_review(&body.record, &bytes)?;
    let paying = match body.payout {
        Some(_) => Some(leg(&wallet, (&id, payee(call, &row)?), ACCEPTED)?.0),
        None => None,
    };
    let mut machines: Vec<&dyn Machine> = vec![&*wallet.bureau];
    machines.extend(paying.map(|one| one as &dyn Machine));
    submit_signed(call, session.party, signed_too(content, authorisations, &machines)?)
}

/// What the directory keeps of an accepted claim.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct KeptReview {
    pub review: ClaimReview,
    pub record: ClaimRecord,
}

/// What is kept under the hash of a record; nothing where this directory does not keep it.
pub(super) fn kept_review(call: &Call, record: &Hash) -> Result<Option<KeptReview>, Problem> {
    let Some(bytes) = call.wallet()?.directory.review(record)? else { return Ok(None) };
    let internal = || Problem::new(&code::INTERNAL);
    let kept: KeptReview = serde_json::from_slice(&bytes).map_err(|_| internal())?;
    if kept.record.hash() == *record { Ok(Some(kept)) } else { Err(internal()) }
}

/// An accepted claim as it was reviewed.
pub(super) struct Reviewed {
    /// Its lines, in their currency.
    pub bill: Bill,
    /// Split and reasons.
    pub quote: QuoteView,
    /// How a bill in another currency was converted.
    pub converted: Option<ConvertedView>,
}

/// Lines, split and reasons of an accepted claim, as they were when it was accepted; nothing where
/// this directory does not keep its record.
pub(super) fn reviewed(
    call: &Call,
    row: &ClaimRow,
    record: &Hash,
) -> Result<Option<Reviewed>, Problem> {
    let Some(KeptReview { review, record }) = kept_review(call, record)? else { return Ok(None) };
    let bill = review.bill;
    let converted = convert_as_before(call, row, &bill, record.foreign.as_ref())?;
    let view = converted.as_ref().map(|one| one.view.clone());
    let quote = requote_claim(call, row, &record, (bill.clone(), converted))?;
    Ok(Some(Reviewed { bill, quote, converted: view }))
}

fn payout_leg(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let wallet = call.wallet()?;
    let ClaimPayoutLegRequest { idempotency_key: key } = call.json()?;
    let payee = payee(call, &row)?;
    let (_, payout) = leg(&wallet, (&id, payee), &key.0)?;
    let card = wallet.directory.card(payee)?.map(|card| card.last_four);
    let view = ClaimPayoutLeg { payout, card: card.unwrap_or_default() };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

fn pay(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let wallet = call.wallet()?;
    let TransactionRequest { content, authorisations } = call.json()?;
    let (content, body) = clerks::<PayClaim>(call, session, content)?;
    let (paying, leg) = leg(&wallet, (&id, payee(call, &row)?), &content.idempotency_key.0)?;
    if body.claim != id || body.payout != leg {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let machine: &dyn Machine = paying;
    submit_signed(call, session.party, signed_too(content, authorisations, &[machine])?)
}
