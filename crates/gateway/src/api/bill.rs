//! Itemised bills, sealed: kept by the provider, opened by those whom they were sealed for and, for
//! a time, by auditors whom one of those granted it.
//!
//! Invariants: a bill that is kept stays as it is, only grants are added and taken away; nobody is
//! handed a bill by a grant that is over (test
//! `an_auditor_gets_a_granted_bill_until_the_grant_ends`).

use axum::http::{Method, StatusCode};
use ledger::modules::audit;
use ledger::modules::organisation::{self, OrganisationKind};
use primitives::{CivilDate, Hash, OrganisationId, Party, VisitId, detail};
use schemars::JsonSchema;
use serde::Serialize;
use vault::envelope::ENVELOPE_BYTES_MAX;
use vault::grant::GRANTED_KEY_BYTES_MAX;
use vault::{Envelope, EnvelopeError, GrantedKey, ReaderKey};

use super::receipt::not_found;
use crate::access::{SeenVisit, VISIT_RULE};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::{BillAccess, VaultError};
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
        summary: "Keeps a sealed bill of a visit, before what it is for is settled, refunded or corrected; \
                  the same bytes again are no error",
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
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/bills/{commitment}/grants",
        operation: "grant_bill",
        summary: "Lets one more reader open a sealed bill for a time: adds the content key that one of its \
                  first readers wrapped (`yibao vault grant` does); a second grant to the same reader \
                  takes the place of the first",
        access: Access::Party { rule: VISIT_RULE, handle: grant },
        parameters: &[VISIT, COMMITMENT],
        body: BodyKind::Bytes(GRANTED_KEY_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NOT_FOUND, code::GRANT_INVALID],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/visits/{visit}/bills/{commitment}/grants/{reader}",
        operation: "revoke_bill_grant",
        summary: "Takes a granted reader's key away, before or after its time is over",
        access: Access::Party { rule: VISIT_RULE, handle: revoke },
        parameters: &[
            VISIT,
            COMMITMENT,
            Parameter::path("reader", "the granted reader's key", schema_of::<ReaderKey>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/bills/{commitment}/accesses",
        operation: "list_bill_accesses",
        summary: "Lists which organisations other than the provider were handed a sealed bill, by the day",
        access: Access::Party { rule: VISIT_RULE, handle: accesses },
        parameters: &[VISIT, COMMITMENT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<BillAccessList>),
        problems: &[code::NOT_FOUND],
    },
];

/// For how long a grant may be given at the most, in days: a quarter. Our own limit.
const GRANT_DAYS_MAX: u64 = 92;

/// The sealed bills of a visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BillList {
    /// Their commitments.
    pub commitments: Vec<Hash>,
}

/// Who was handed a sealed bill.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BillAccessList {
    /// Each organisation once a day, and for each audit, oldest first.
    pub accesses: Vec<BillAccessView>,
}

/// That an organisation other than the provider was handed a sealed bill.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "BillAccess")]
pub struct BillAccessView {
    /// On which day, in the calendar of the insured place.
    pub day: CivilDate,
    /// Who.
    pub organisation: OrganisationId,
    /// For which audit of the insured place; left out where it was for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<u32>,
    /// What that audit is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

fn put(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    let seen = call.visit(session, visit)?;
    if session.party != Party::Organisation(seen.subject.provider) {
        return Err(Problem::new(&code::NOT_YOURS));
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
    let seen = match reader.filter(|_| is_auditor(call, session)) {
        Some(reader) => {
            let seen = call.any_visit(visit)?;
            require_grant(call, visit, commitment, &reader)?;
            seen
        }
        None => call.visit(session, visit)?,
    };
    let envelope = call.gateway.port.bill(visit, commitment)?.ok_or_else(not_found)?;
    if let Some(organisation) = noted(session, &seen) {
        let day = call.today(seen.subject.region).ok_or_else(not_found)?;
        let access = BillAccess { day, organisation, audit: None };
        call.gateway.port.note_bill_access(visit, commitment, access)?;
    }
    Ok(Reply::bytes("application/octet-stream", envelope))
}

/// The organisation whose access is noted: every one but the provider, in whose vault the bill is.
pub(super) fn noted(session: &Session, seen: &SeenVisit) -> Option<OrganisationId> {
    match session.party {
        Party::Organisation(id) => Some(id).filter(|id| *id != seen.subject.provider),
        Party::Person(_) => None,
    }
}

/// A grant is honoured until its end, whatever copy of the key somebody still holds; then the key
/// that is kept here is dropped.
fn require_grant(
    call: &Call,
    visit: VisitId,
    commitment: Hash,
    reader: &ReaderKey,
) -> Result<(), Problem> {
    let now = call.instant();
    let is_granted = change(call, visit, commitment, |envelope| {
        envelope.drop_ended(now);
        Ok(envelope.grant_end(reader).is_some())
    });
    if is_granted? { Ok(()) } else { Err(not_found()) }
}

fn grant(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    call.visit(session, visit)?;
    let invalid = |error: EnvelopeError| Problem::new(&code::GRANT_INVALID).with(error);
    let granted = GrantedKey::decode(&call.body).map_err(invalid)?;
    let now = call.instant();
    let latest = now.plus_millis(GRANT_DAYS_MAX.saturating_mul(24 * 3_600_000));
    if granted.valid_until() < now || granted.valid_until() > latest {
        let words = detail!("it must end after now and by {latest}", latest);
        return Err(Problem::new(&code::GRANT_INVALID).with(words));
    }
    change(call, visit, commitment, |envelope| {
        envelope.drop_ended(now);
        envelope.add_grant(granted.clone()).map_err(invalid)
    })?;
    Ok(Reply::nothing())
}

fn revoke(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    let reader: ReaderKey = call.path("reader")?;
    call.visit(session, visit)?;
    let revoked = change(call, visit, commitment, |envelope| Ok(envelope.revoke_grant(&reader)))?;
    if revoked { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn accesses(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (visit, commitment): (VisitId, Hash) = (call.path("visit")?, call.path("commitment")?);
    let region = call.visit(session, visit)?.subject.region;
    let accesses = call.gateway.port.bill_accesses(visit, commitment)?.into_iter();
    let told = |BillAccess { day, organisation, audit }| {
        let case = audit.and_then(|number| audit::view::audit(&call.view.state, region, number));
        let purpose = case.map(|case| case.terms.purpose.to_string());
        BillAccessView { day, organisation, audit, purpose }
    };
    Reply::json(&BillAccessList { accesses: accesses.map(told).collect() })
}

/// Changes who can open a kept bill; it is written only when that is another one than before.
fn change<T>(
    call: &Call,
    visit: VisitId,
    commitment: Hash,
    change: impl Fn(&mut Envelope) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let mut result = Err(not_found());
    let mut replace = |kept: &[u8]| {
        let mut envelope = Envelope::decode(kept).ok()?;
        let readers = envelope.clone();
        result = change(&mut envelope);
        let is_changed = result.is_ok() && envelope != readers;
        is_changed.then(|| envelope.encode())
    };
    let found = call.gateway.port.change_bill(visit, commitment, &mut replace)?;
    if found { result } else { Err(not_found()) }
}

/// Whether an auditor is signed in.
pub(super) fn is_auditor(call: &Call, session: &Session) -> bool {
    let Party::Organisation(id) = session.party else { return false };
    organisation::view::organisation(&call.view.state, id)
        .is_some_and(|row| row.kind == OrganisationKind::Auditor)
}
