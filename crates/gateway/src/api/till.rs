//! Tills: clerks' shifts, and money taken over the counter.

use std::sync::Arc;

use adapters::rail::Reference;
use adapters::rail::counter::{
    Clerk, Counter, CounterError, Difference, HandBack, Shift, TakenBefore, Taking,
};
use axum::http::{Method, StatusCode};
use ledger::kernel::effect::EffectStatus;
use ledger::modules::visit::{self, DepositSource, VisitRow};
use primitives::{Amount, Detail, Hash, Party, Timestamp, VisitId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rail::{CLERK, CLERK_RULE, ORGANISATION, RAIL, clerk_of, own_payments, rail_in_path};
use super::receipt::not_found;
use super::request::{REQUEST_MILLIS_MAX, RequestStanding, standing_of};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::payments::{PaymentNote, Payments};
use crate::problem::{Problem, ProblemCode, code};
use crate::session::Session;

const CLERK_IN_PATH: Parameter =
    Parameter::path("clerk", "the clerk, by staff code", schema_of::<String>);

const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);
/// How many tries of a visit are looked for. Our own limit.
const ATTEMPTS_MAX: u32 = 64;

const PROBLEMS: &[ProblemCode] =
    &[code::NOT_YOURS, code::SCOPE_MISSING, code::NOT_FOUND, code::TILL_REFUSED];

/// The endpoints of tills.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/shifts",
        operation: "open_shift",
        summary: "Opens a clerk's shift: the float goes from the safe into the till",
        access: Access::Party { rule: CLERK_RULE, handle: open },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::Json(schema_of::<OpenShift>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ShiftView>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/rails/{rail}/shifts/{clerk}",
        operation: "get_shift",
        summary: "Gives a clerk's open shift",
        access: Access::Party { rule: CLERK_RULE, handle: get },
        parameters: &[ORGANISATION, RAIL, CLERK_IN_PATH],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ShiftView>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/shifts/{clerk}/close",
        operation: "close_shift",
        summary: "Closes a clerk's shift with what was counted; a difference needs an explanation",
        access: Access::Party { rule: CLERK_RULE, handle: close },
        parameters: &[ORGANISATION, RAIL, CLERK_IN_PATH],
        body: BodyKind::Json(schema_of::<CloseShift>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ShiftView>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/takings",
        operation: "take_money",
        summary: "Books money that a clerk took for a visit, says what change to give, and records the \
                  payment for the settlement's cash leg; the same again gives the same",
        access: Access::Party { rule: CLERK_RULE, handle: take },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::Json(schema_of::<TakingRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<TakenView>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/rails/{rail}/takings/{visit}",
        operation: "list_takings",
        summary: "Lists what was taken at the tills for a visit, by number of the try",
        access: Access::Party { rule: CLERK_RULE, handle: takings },
        parameters: &[ORGANISATION, RAIL, VISIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<TakingList>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/takings/{visit}/returns",
        operation: "hand_back_money",
        summary: "Hands back what was taken for a visit that nothing came of, with a reason; the same again \
                  gives the same. Not while a patient is asked, nor once the money settled something: \
                  then it is refunded",
        access: Access::Party { rule: CLERK_RULE, handle: hand_back },
        parameters: &[ORGANISATION, RAIL, VISIT],
        body: BodyKind::Json(schema_of::<ReturnRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ReturnedView>),
        problems: PROBLEMS,
    },
];

/// A shift to be opened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenShift {
    /// The clerk, by staff code; never a name.
    pub clerk: String,
    /// What is in the till at the beginning.
    pub float: Amount,
}

/// The end of a shift.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseShift {
    /// What was counted.
    pub counted: Amount,
    /// Why that is not what should be there; needed when it is not.
    #[serde(default)]
    pub explanation: Option<String>,
}

/// Money that a clerk takes from a payer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakingRequest {
    /// The visit it is for.
    pub visit: VisitId,
    /// Which try for this visit it is: 0 for the first. A refused try is final.
    #[serde(default)]
    pub attempt: u32,
    /// The clerk, by staff code.
    pub clerk: String,
    /// What is to be paid.
    pub due: Amount,
    /// What the payer hands over.
    pub tendered: Amount,
    /// 32 secret random bytes behind the commitment.
    pub salt: Hash,
}

/// Money that was taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TakenMoney")]
pub struct TakenView {
    /// The till's own number of the payment, for the payer's receipt.
    pub rail_reference: String,
    /// What the payer gets back.
    pub change: Amount,
    /// The commitment that the settlement's cash leg carries.
    pub authorisation: Hash,
}

/// What was taken for a visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TakingList {
    /// The payments, by number of the try.
    pub takings: Vec<TakingView>,
}

/// Money that was taken before.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TakingBefore")]
pub struct TakingView {
    /// Which try for the visit it was.
    pub attempt: u32,
    /// The clerk who took it.
    pub clerk: String,
    /// How much was taken.
    pub amount: Amount,
    /// What the payer got back at once.
    pub change: Amount,
    /// How much was given back since; all of it when it was handed back.
    pub given_back: Amount,
    /// When it was taken.
    pub at: Timestamp,
    /// The till's own number of the payment.
    pub rail_reference: String,
}

/// Money that is handed back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnRequest {
    /// Which try for the visit.
    #[serde(default)]
    pub attempt: u32,
    /// Out of whose till, by staff code.
    pub clerk: String,
    /// Why, in 1 to 200 bytes.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

/// Money that was handed back.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReturnedMoney")]
pub struct ReturnedView {
    /// The till's own number of it.
    pub rail_reference: String,
    /// How much.
    pub amount: Amount,
}

/// A payment that was handed back in a shift.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "HandedBack")]
pub struct HandedBackView {
    /// The till's own number of the payment.
    pub payment: String,
    /// How much.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A shift.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shift")]
pub struct ShiftView {
    /// Whose it is.
    pub clerk: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// What was in the till at the beginning.
    pub float: Amount,
    /// What was brought from the safe since.
    pub added: Amount,
    /// What was taken, change already given.
    pub taken: Amount,
    /// What was given back.
    pub given_back: Amount,
    /// Payments of it that were handed back because nothing came of them, the newest first; at
    /// most 200.
    pub handed_back: Vec<HandedBackView>,
    /// What should be in the till.
    pub expected: Amount,
    /// How it ended; left out while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedView>,
}

/// How a shift ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClosedShift")]
pub struct ClosedView {
    /// When.
    pub at: Timestamp,
    /// What was counted; all of it went to the safe.
    pub counted: Amount,
    /// How much too much was counted.
    pub over: Amount,
    /// How much was missing.
    pub short: Amount,
}

impl From<&Shift> for ShiftView {
    fn from(shift: &Shift) -> Self {
        let closed = shift.close.as_ref().map(|close| {
            let (over, short) = match close.difference {
                Difference::Even => (Amount::ZERO, Amount::ZERO),
                Difference::Over(amount) => (amount, Amount::ZERO),
                Difference::Short(amount) => (Amount::ZERO, amount),
            };
            ClosedView { at: close.at, counted: close.counted, over, short }
        });
        let handed_back = shift.handed_back.iter().map(|one| HandedBackView {
            payment: one.payment.clone(),
            amount: one.amount,
            at: one.at,
            reason: one.reason.clone(),
        });
        Self {
            handed_back: handed_back.collect(),
            clerk: shift.clerk.to_string(),
            opened: shift.opened_at,
            float: shift.float,
            added: shift.added,
            taken: shift.taken,
            given_back: shift.given_back,
            expected: shift.expected,
            closed,
        }
    }
}

fn refused(error: CounterError) -> Problem {
    match error {
        CounterError::NoShift => not_found(),
        CounterError::Store(error) => crate::port::PortError::Failed(error.to_string()).into(),
        other => Problem::new(&code::TILL_REFUSED).with(&other),
    }
}

fn clerk_in_path(call: &Call) -> Result<Clerk, Problem> {
    clerk_of(&call.path::<String>("clerk")?)
}

fn counter(call: &Call, payments: &dyn Payments) -> Result<Arc<Counter>, Problem> {
    let rail = rail_in_path(call, payments)?;
    payments.counter(&rail).ok_or_else(not_found)
}

fn open(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let OpenShift { clerk, float } = call.json()?;
    let shift = counter(call, &*payments)?.open_shift(&clerk_of(&clerk)?, float);
    let shift = shift.map_err(refused)?;
    Ok(Reply::json(&ShiftView::from(&shift))?.status(StatusCode::CREATED))
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let shift = counter(call, &*payments)?.open_shift_of(&clerk_in_path(call)?);
    Reply::json(&ShiftView::from(&shift.map_err(refused)?))
}

fn close(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let clerk = clerk_in_path(call)?;
    let CloseShift { counted, explanation } = call.json()?;
    let counter = counter(call, &*payments)?;
    let shift = counter.close_shift(&clerk, counted, explanation.as_deref()).map_err(refused)?;
    Reply::json(&ShiftView::from(&shift))
}

fn take(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let rail = rail_in_path(call, &*payments)?;
    let request: TakingRequest = call.json()?;
    let reference = Reference::of_authorisation(&request.visit, request.attempt);
    let (clerk, due) = (clerk_of(&request.clerk)?, request.due);
    let counter = counter(call, &*payments)?;
    if request.attempt >= ATTEMPTS_MAX {
        return Err(Problem::new(&code::FIELD_INVALID).at("attempt"));
    }
    require_no_other(call, &counter, &request)?;
    let from = clerk.till();
    let taking = Taking { reference, clerk, due, tendered: request.tendered };
    let taken = counter.take_money(&taking).map_err(refused)?;
    let note = PaymentNote::Paid { reference, from, amount: due };
    let authorisation = payments.record_authorisation(&rail, note, request.salt)?;
    let view = TakenView {
        rail_reference: taken.done.rail_reference,
        change: taken.change,
        authorisation,
    };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

/// A payment of a visit with the number of its try.
type Tried = (u32, TakenBefore);

/// What was taken for a visit, by number of the try.
fn taken_for(counter: &Counter, visit: VisitId) -> Result<Vec<Tried>, Problem> {
    let failed = |error| refused(CounterError::Store(error));
    let tries = (0..ATTEMPTS_MAX).map(|attempt| {
        let reference = Reference::of_authorisation(&visit, attempt);
        counter.taken(&reference).map_err(failed).map(|taken| taken.map(|taken| (attempt, taken)))
    });
    // A refused try is kept by no till, so that a later one may stand behind a gap.
    tries.filter_map(Result::transpose).collect()
}

/// Another try for an open visit takes money only once nothing of an earlier one is left in a till.
fn require_no_other(
    call: &Call,
    counter: &Counter,
    request: &TakingRequest,
) -> Result<(), Problem> {
    let open = visit::view::visit(&call.view.state, request.visit);
    let is_plain = matches!(open, Some(VisitRow::Open(open)) if open.deposits.is_empty());
    if !is_plain {
        return Ok(());
    }
    let left = taken_for(counter, request.visit)?.into_iter().find(|(attempt, taken)| {
        *attempt != request.attempt && taken.given_back < taken.done.amount
    });
    match left {
        None => Ok(()),
        Some((_, taken)) => Err(Problem::new(&code::TILL_REFUSED).with(detail!(
            "payment {payment} for this visit is in the till; hand it back first",
            payment = taken.done.rail_reference
        ))),
    }
}

fn takings(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let visit: VisitId = call.path("visit")?;
    let taken = taken_for(&*counter(call, &*payments)?, visit)?;
    if taken.is_empty() {
        // Of a visit of others nothing is said, not even that nothing was taken.
        call.visit(session, visit)?;
    }
    let takings = taken.into_iter().map(|(attempt, taken)| TakingView {
        attempt,
        clerk: taken.clerk.to_string(),
        amount: taken.done.amount,
        change: taken.change,
        given_back: taken.given_back,
        at: taken.done.at,
        rail_reference: taken.done.rail_reference,
    });
    Reply::json(&TakingList { takings: takings.collect() })
}

fn hand_back(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let visit: VisitId = call.path("visit")?;
    let ReturnRequest { attempt, clerk, reason } = call.json()?;
    let refuse = |why: Detail| Err(Problem::new(&code::TILL_REFUSED).with(why));
    let counter = counter(call, &*payments)?;
    let original = Reference::of_authorisation(&visit, attempt);
    let failed = |error| refused(CounterError::Store(error));
    let taken = counter.taken(&original).map_err(failed)?.ok_or_else(not_found)?;
    if is_waiting(call, session, visit, &taken)? {
        return refuse(detail!("the patient is asked to confirm; take the request back first"));
    }
    if is_on_its_way(call, session, visit)? {
        return refuse(detail!("the money settled something; give it back by a refund"));
    }
    let asked = HandBack { original, clerk: clerk_of(&clerk)?, reason };
    let done = counter.hand_back(&asked).map_err(refused)?;
    let view = ReturnedView { rail_reference: done.rail_reference, amount: done.amount };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

/// Whether the ledger ordered money for the visit from this rail of the organisation, and the rail
/// has not said yet what came of it. Afterwards the till itself knows what was ordered.
fn is_on_its_way(call: &Call, session: &Session, visit: VisitId) -> Result<bool, Problem> {
    let collected = match visit::view::visit(&call.view.state, visit) {
        Some(VisitRow::Open(open)) => {
            let rails = open.deposits.iter().filter_map(|deposit| match deposit.source {
                DepositSource::PersonalAccount => None,
                DepositSource::Rail(reference) => Some(reference),
            });
            rails.collect()
        }
        Some(VisitRow::Settled(_)) => {
            let record = call.gateway.port.chain().settlement(visit)?;
            record.map(|record| record.collected).ok_or_else(not_found)?
        }
        Some(VisitRow::Cancelled) | None => Vec::new(),
    };
    let rail: String = call.path("rail")?;
    let is_pending = |reference: &Hash| {
        visit::view::effect(&call.view.state, reference).is_some_and(|row| {
            row.status == EffectStatus::Pending
                && Party::Organisation(row.executor) == session.party
                && row.rail == rail
        })
    };
    Ok(collected.iter().any(is_pending))
}

/// Whether somebody may still confirm what this organisation asks for the visit. Where requests are
/// kept elsewhere nobody here knows: then for as long as one may wait that was sent with the money.
fn is_waiting(
    call: &Call,
    session: &Session,
    visit: VisitId,
    taken: &TakenBefore,
) -> Result<bool, Problem> {
    let Some(wallet) = call.gateway.port.wallet() else {
        let row = visit::view::visit(&call.view.state, visit);
        let is_open = matches!(row, Some(VisitRow::Open(_)));
        return Ok(is_open && call.now < taken.done.at.plus_millis(REQUEST_MILLIS_MAX));
    };
    let latest = wallet.directory.latest_request(visit)?;
    let own = latest.filter(|one| session.party == Party::Organisation(one.provider));
    let Some(request) = own else { return Ok(false) };
    Ok(standing_of(call, &request)? == RequestStanding::Waiting)
}
