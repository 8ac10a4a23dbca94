//! Itemised bills, sealed: kept by the provider, opened by those whom they were sealed for.

use axum::http::{Method, StatusCode};
use ledger::modules::organisation::{self, OrganisationKind};
use ledger::modules::visit::VisitRow;
use primitives::{Hash, Party, VisitId};
use schemars::JsonSchema;
use serde::Serialize;
use vault::envelope::ENVELOPE_BYTES_MAX;
use vault::{Envelope, ReaderKey};

use super::receipt::not_found;
use crate::access::VISIT_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::VaultError;
use crate::problem::{Problem, code};
use crate::session::Session;

const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);
const COMMITMENT: Parameter = Parameter::path(
    "commitment",
    "the salted commitment over bill and sums that the ledger holds",
    schema_of::<Hash>,
);

/// The endpoints of bills.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::PUT,
        path: "/v1/visits/{visit}/bills/{commitment}",
        operation: "put_bill",
        summary: "Keeps a sealed bill of an open visit; the same bytes again are no error",
        access: Access::Party { rule: "the visit's provider", handle: put },
        parameters: &[VISIT, COMMITMENT],
        body: BodyKind::Bytes(ENVELOPE_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[
            code::NOT_FOUND,
            code::NOT_YOURS,
            code::ENVELOPE_INVALID,
            code::BILL_EXISTS,
            code::BILLS_TOO_MANY,
            code::VISIT_CLOSED,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/bills",
        operation: "list_bills",
        summary: "Lists the sealed bills of a visit by their commitments",
        access: Access::Party { rule: VISIT_RULE, handle: list },
        parameters: &[VISIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<BillList>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/bills/{commitment}",
        operation: "get_bill",
        summary: "Gives a sealed bill; only its readers can open it",
        access: Access::Party {
            rule: "the visit's person, provider and bureau, and auditors who were granted it",
            handle: get,
        },
        parameters: &[
            VISIT,
            COMMITMENT,
            Parameter::query(
                "reader",
                "for auditors: the reader's key that the grant names",
                schema_of::<ReaderKey>,
            ),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/octet-stream"),
        problems: &[code::NOT_FOUND],
    },
];

/// The sealed bills of a visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BillList {
    /// Their commitments.
    pub commitments: Vec<Hash>,
}

fn put(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    let seen = call.visit(session, visit)?;
    if session.party != Party::Organisation(seen.subject.provider) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    if !matches!(seen.row, VisitRow::Open(_)) {
        return Err(Problem::new(&code::VISIT_CLOSED));
    }
    Envelope::decode(&call.body)
        .map_err(|error| Problem::new(&code::ENVELOPE_INVALID).with(error))?;
    match call.gateway.port.put_bill(visit, commitment, &call.body) {
        Ok(()) => Ok(Reply::nothing().status(StatusCode::NO_CONTENT)),
        Err(VaultError::Taken) => Err(Problem::new(&code::BILL_EXISTS)),
        Err(VaultError::TooMany) => Err(Problem::new(&code::BILLS_TOO_MANY)),
        Err(VaultError::Failed(error)) => Err(error.into()),
    }
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    call.visit(session, visit)?;
    Reply::json(&BillList { commitments: call.gateway.port.bills(visit)? })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    let reader = call.query::<ReaderKey>("reader")?;
    let kept = || call.gateway.port.bill(visit, commitment)?.ok_or_else(not_found);
    let envelope = match reader.filter(|_| is_auditor(call, session)) {
        // A grant is honoured until its end, whatever copy of the key somebody still holds.
        Some(reader) => {
            let envelope = kept()?;
            let read = Envelope::decode(&envelope).map_err(|_| not_found())?;
            let ends = read.grant_end(&reader).filter(|ends| call.instant() <= *ends);
            ends.map(|_| envelope).ok_or_else(not_found)?
        }
        None => {
            call.visit(session, visit)?;
            kept()?
        }
    };
    Ok(Reply::bytes("application/octet-stream", envelope))
}

fn is_auditor(call: &Call, session: &Session) -> bool {
    let Party::Organisation(id) = session.party else { return false };
    organisation::view::organisation(&call.view.state, id)
        .is_some_and(|row| row.kind == OrganisationKind::Auditor)
}
