//! Rails: how an organisation's own systems and people record, look through and hand out payments
//! outside. Its tills are in [`super::till`].

use std::sync::Arc;

use adapters::effect::RailName;
use adapters::rail::counter::Clerk;
use axum::http::{Method, StatusCode};
use ledger::modules::organisation::Scope;
use primitives::{Hash, OrganisationId, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::payments::{OpenPayment, PaymentNote, Payments, RailInfo, ReconciledDay};
use crate::problem::{Problem, ProblemCode, code, foreign};
use crate::session::Session;

/// Who may see and record an organisation's payments.
const EXECUTE_RULE: &str = "the organisation that owns the rail, by a key with the scope `execute`";
/// Who may act at an organisation's tills.
pub(super) const CLERK_RULE: &str =
    "the organisation that owns the rail, by a key with the scope `clerk` or `execute`";

pub(super) const ORGANISATION: Parameter =
    Parameter::path("organisation", "the organisation's code", schema_of::<OrganisationId>);
pub(super) const RAIL: Parameter =
    Parameter::path("rail", "the rail, by the name that settlements call it", schema_of::<String>);

/// The problems that every operation on a rail may have.
const PROBLEMS: &[ProblemCode] = &[code::NOT_YOURS, code::SCOPE_MISSING, code::NOT_FOUND];

/// How many payments a worklist shows at once.
const WORKLIST_MAX: u32 = 200;

/// The endpoints of rails.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/rails",
        operation: "list_rails",
        summary: "Lists the rails of an organisation that this node drives",
        access: Access::Party { rule: CLERK_RULE, handle: list },
        parameters: &[ORGANISATION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<RailList>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/authorisations",
        operation: "record_authorisation",
        summary: "Keeps what the rail holds, took or is to take, before the settlement that names it is \
                  signed; gives the commitment for the settlement's cash leg",
        access: Access::Party { rule: EXECUTE_RULE, handle: record },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::Json(schema_of::<AuthorisationRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<AuthorisationView>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/rails/{rail}/worklist",
        operation: "list_open_payments",
        summary: "Lists ordered payments that the rail was not told yet, oldest first, and what each one \
                  waits for; at most 200",
        access: Access::Party { rule: CLERK_RULE, handle: worklist },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<Worklist>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/rails/{rail}/hand-outs",
        operation: "hand_out",
        summary: "Says which clerk hands out the money of a payment that waits for one",
        access: Access::Party { rule: CLERK_RULE, handle: hand_out },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::Json(schema_of::<HandOut>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::NOT_FOUND,
            code::NOT_WAITING_FOR_CLERK,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/rails/{rail}/reconciliations",
        operation: "list_reconciliations",
        summary: "Lists the last days of the rail that were compared with its own statement, and what does \
                  not agree",
        access: Access::Party { rule: EXECUTE_RULE, handle: reconciliations },
        parameters: &[ORGANISATION, RAIL],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReconciliationList>),
        problems: PROBLEMS,
    },
];

/// An organisation's rails.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RailList {
    /// The rails.
    pub rails: Vec<RailInfo>,
}

/// What a rail has promised or done, to be kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationRequest {
    /// What it is.
    pub payment: PaymentNote,
    /// 32 secret random bytes behind the commitment. The same request again, with the same bytes,
    /// gives the same commitment.
    pub salt: Hash,
}

/// A payment that was recorded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecordedAuthorisation")]
pub struct AuthorisationView {
    /// The commitment that the settlement's cash leg carries.
    pub authorisation: Hash,
}

/// Open payments of a rail.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Worklist {
    /// The payments.
    pub payments: Vec<OpenPayment>,
}

/// Money that is handed out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOut {
    /// The payment, by its reference on the ledger.
    pub effect: Hash,
    /// The clerk, by staff code.
    pub clerk: String,
}

/// Days of a rail.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReconciliationList {
    /// The days, oldest first.
    pub days: Vec<ReconciledDay>,
}

/// The payments of the organisation in the path, for its own keys with one of these scopes.
///
/// # Errors
/// `not_yours`, `scope_missing`, `not_found` when this node drives none of its rails.
pub(super) fn own_payments(
    call: &Call,
    session: &Session,
    scopes: &[Scope],
) -> Result<Arc<dyn Payments>, Problem> {
    let organisation: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(organisation) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    if !scopes.iter().any(|scope| session.scopes.contains(scope)) {
        return Err(Problem::new(&code::SCOPE_MISSING));
    }
    call.gateway.port.payments(organisation).ok_or_else(not_found)
}

/// The rail in the path, if it is one of these payments.
///
/// # Errors
/// `not_found`.
pub(super) fn rail_in_path(call: &Call, payments: &dyn Payments) -> Result<RailName, Problem> {
    let name: String = call.path("rail")?;
    let mut rails = payments.rails().into_iter();
    rails.find(|one| *one.rail == *name).map(|one| one.rail).ok_or_else(not_found)
}

/// What clerks may do, those may who report for the rail.
pub(super) const CLERK: &[Scope] = &[Scope::Clerk, Scope::Execute];
const EXECUTE: &[Scope] = &[Scope::Execute];

/// A clerk's code out of a body.
///
/// # Errors
/// `invalid_field`.
pub(super) fn clerk_of(text: &str) -> Result<Clerk, Problem> {
    text.parse().map_err(|error: String| {
        Problem::new(&code::FIELD_INVALID).at("clerk").with(foreign::text(&error))
    })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    Reply::json(&RailList { rails: own_payments(call, session, CLERK)?.rails() })
}

fn record(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, EXECUTE)?;
    let rail = rail_in_path(call, &*payments)?;
    let AuthorisationRequest { payment, salt } = call.json()?;
    let authorisation = payments.record_authorisation(&rail, payment, salt)?;
    Ok(Reply::json(&AuthorisationView { authorisation })?.status(StatusCode::CREATED))
}

fn worklist(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let rail = rail_in_path(call, &*payments)?;
    Reply::json(&Worklist { payments: payments.worklist(&rail, WORKLIST_MAX)? })
}

fn hand_out(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, CLERK)?;
    let rail = rail_in_path(call, &*payments)?;
    payments.counter(&rail).ok_or_else(not_found)?;
    let HandOut { effect, clerk } = call.json()?;
    if payments.hand_out(&effect, &clerk_of(&clerk)?)? {
        Ok(Reply::nothing())
    } else {
        Err(Problem::new(&code::NOT_WAITING_FOR_CLERK))
    }
}

fn reconciliations(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payments = own_payments(call, session, EXECUTE)?;
    let rail = rail_in_path(call, &*payments)?;
    Reply::json(&ReconciliationList { days: payments.reconciled(&rail) })
}
