//! Tills: clerks' shifts, and money taken over the counter.

use std::sync::Arc;

use adapters::rail::Reference;
use adapters::rail::counter::{Clerk, Counter, CounterError, Difference, Shift, Taking};
use axum::http::{Method, StatusCode};
use primitives::{Amount, Hash, Timestamp, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rail::{CLERK, CLERK_RULE, ORGANISATION, RAIL, clerk_of, own_payments, rail_in_path};
use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::payments::{PaymentNote, Payments};
use crate::problem::{Problem, ProblemCode, code};
use crate::session::Session;

const CLERK_IN_PATH: Parameter =
    Parameter::path("clerk", "the clerk, by staff code", schema_of::<String>);

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
        Self {
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
    let from = clerk.till();
    let taking = Taking { reference, clerk, due, tendered: request.tendered };
    let taken = counter(call, &*payments)?.take_money(&taking).map_err(refused)?;
    let note = PaymentNote::Paid { reference, from, amount: due };
    let authorisation = payments.record_authorisation(&rail, note, request.salt)?;
    let view = TakenView {
        rail_reference: taken.done.rail_reference,
        change: taken.change,
        authorisation,
    };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}
