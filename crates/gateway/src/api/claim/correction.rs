//! Corrections of accepted claims at the bureau's desk: lines are taken out, and what was paid for
//! them is owed back.

use axum::http::Method;
use ledger::modules::claim::{
    self, AcceptedRow, ClaimRecord, ClaimRow, ClaimStanding, CorrectClaim,
};
use primitives::{Hash, codec};

use super::CLAIM;
use super::converted::{ConvertedView, convert_as_before};
use super::desk::{CLERK_RULE, KeptReview, REVIEW_BYTES_MAX, clerks, kept_review, on_desk};
use super::form::{ClaimCorrectionQuote, ClaimCorrectionReview, ClaimReview, CorrectedClaim};
use crate::api::machine::signed_too;
use crate::api::quote::{QuoteView, quote_remaining_claim};
use crate::api::transaction::{SubmittedView, submit_signed};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::Machine;
use ledger::Transaction;

/// The endpoints of corrections.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/claims/{claim}/correction-quotes",
        operation: "quote_claim_correction",
        summary: "Adjudicates what remains of an accepted claim, a bill in another currency at its original \
                  rate, and gives what is signed to correct it; nothing is kept",
        access: Access::Party { rule: CLERK_RULE, handle: quote },
        parameters: &[CLAIM],
        body: BodyKind::Json(schema_of::<ClaimCorrectionReview>, REVIEW_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ClaimCorrectionQuote>),
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
        path: "/v1/claims/{claim}/corrections",
        operation: "correct_claim",
        summary: "Corrects an accepted claim as a clerk signed it: it is computed again and the bureau \
                  countersigns; the answer comes once it is durable",
        access: Access::Party { rule: CLERK_RULE, handle: correct },
        parameters: &[CLAIM],
        body: BodyKind::Signed(schema_of::<CorrectedClaim>, REVIEW_BYTES_MAX),
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
];

/// A correction that was computed.
struct Computed {
    quote: Option<QuoteView>,
    converted: Option<ConvertedView>,
    body: CorrectClaim,
    /// What is kept of it; nothing where no line remains.
    kept: Option<KeptReview>,
}

fn require_accepted(row: &ClaimRow) -> Result<AcceptedRow, Problem> {
    match row.standing {
        ClaimStanding::Accepted(accepted) => Ok(accepted),
        _ => Err(Problem::rejected(&claim::rejection::NOT_ACCEPTED.reject())),
    }
}

fn compute(
    call: &Call,
    (id, row): (&Hash, &ClaimRow),
    review: &ClaimCorrectionReview,
) -> Result<Computed, Problem> {
    let accepted = require_accepted(row)?;
    let KeptReview { review: original, record } = kept_review(call, &accepted.record)?
        .ok_or_else(|| Problem::rejected(&claim::rejection::RECORD_OUTDATED.reject()))?;
    let Some(bill) = &review.bill else {
        return none_remains(call, (id, row), (record, review));
    };
    if bill.currency != original.bill.currency {
        return Err(Problem::new(&code::BILL_INVALID).at("bill.currency"));
    }
    let converted = convert_as_before(call, row, bill, record.foreign.as_ref())?;
    let (foreign, view) = converted.as_ref().map(|one| (one.foreign, one.view.clone())).unzip();
    let quote = quote_remaining_claim(call, row, &record, (bill.clone(), converted))?;
    let text = serde_json::to_vec(bill).map_err(|_| Problem::new(&code::INTERNAL))?;
    let commitment = vault::bill::commit_bill(&review.salt.0, &text, &codec::encode(&quote.sums));
    let after = ClaimRecord {
        bill: commitment,
        sums: quote.sums.clone(),
        foreign,
        parts: quote.parts.clone(),
        ..record.clone()
    };
    let body = CorrectClaim {
        record,
        reason: review.reason,
        bill: commitment,
        sums: quote.sums.clone(),
        foreign_total: foreign.map(|bill| bill.total),
        split: quote.split.clone(),
        corrected: after.hash(),
    };
    let review = ClaimReview { bill: bill.clone(), salt: review.salt, ..original };
    let kept = Some(KeptReview { review, record: after });
    Ok(Computed { quote: Some(quote), converted: view, body, kept })
}

/// All lines are taken out.
fn none_remains(
    call: &Call,
    (id, row): (&Hash, &ClaimRow),
    (record, review): (ClaimRecord, &ClaimCorrectionReview),
) -> Result<Computed, Problem> {
    let none = benefit::CategorySums::default();
    let rejected = |rejection| Problem::rejected(&rejection);
    let state = &call.view.state;
    let quoted = call
        .gateway
        .with_plans(|plans| {
            claim::quote_remaining_claim(state, plans, row, &record, &none, call.instant())
        })
        .map_err(rejected)?;
    let commitment = vault::bill::commit_bill(&review.salt.0, &id.0, &codec::encode(&none));
    let nothing = primitives::Amount::ZERO;
    let foreign = record.foreign.map(|bill| claim::ForeignBill { total: nothing, ..bill });
    let after = ClaimRecord {
        bill: commitment,
        sums: none.clone(),
        foreign,
        parts: quoted.parts,
        ..record.clone()
    };
    let body = CorrectClaim {
        foreign_total: foreign.map(|bill| bill.total),
        record,
        reason: review.reason,
        bill: commitment,
        sums: none,
        split: quoted.split,
        corrected: after.hash(),
    };
    Ok(Computed { quote: None, converted: None, body, kept: None })
}

fn quote(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let before = require_accepted(&row)?.paid;
    let Computed { quote, converted, body, .. } = compute(call, (&id, &row), &call.json()?)?;
    let paid = claim::paid_by_funds(&body.split);
    let less = before.checked_sub(paid);
    let less =
        less.ok_or_else(|| Problem::rejected(&claim::rejection::CORRECTION_RAISES.reject()))?;
    Reply::json(&ClaimCorrectionQuote { quote, converted, body, paid, less })
}

fn correct(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (id, row) = on_desk(call, session)?;
    let wallet = call.wallet()?;
    let CorrectedClaim { content, authorisations, review } = call.json()?;
    let (content, body) = clerks::<CorrectClaim>(call, session, content)?;
    // What is on the ledger already gives its receipt again.
    let is_new = call.gateway.port.chain().receipt_of_transaction(content.id())?.is_none();
    if !is_new {
        return submit_signed(call, session.party, Transaction::signed_by(content, authorisations));
    }
    let computed = compute(call, (&id, &row), &review)?;
    if computed.body != body {
        return Err(Problem::new(&code::STATEMENT_DIFFERS).at("content"));
    }
    if let Some(kept) = &computed.kept {
        let bytes = serde_json::to_vec(kept).map_err(|_| Problem::new(&code::INTERNAL))?;
        wallet.directory.put_review(&body.corrected, &bytes)?;
    }
    let machines: [&dyn Machine; 1] = [&*wallet.bureau];
    submit_signed(call, session.party, signed_too(content, authorisations, &machines)?)
}
