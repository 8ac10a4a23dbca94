//! Who stands at a provider's desk, and the visits that its desks opened: found again by every
//! clerk of the house, on every page, for as long as they are open.
//!
//! Invariants: somebody is found by name and number together, and whoever tries wrong ones waits
//! (test `a_card_is_found_by_name_and_number_together`); a provider finds its own visits, and no
//! other's (test `every_clerk_of_the_house_finds_its_open_visits`), and nothing of a person of whom
//! its desks saw neither code nor card (test `who_was_not_seen_is_not_shown`).

use adapters::directory::{Reception, Seen};
use axum::http::Method;
use ledger::Content;
use ledger::kernel::registry::Kind as _;
use ledger::modules::organisation::Scope;
use ledger::modules::visit::{self, CheckIn, VisitRow, VisitSubject};
use primitives::{Hash, OrganisationId, Party, PersonId, Timestamp, VisitId, codec};
use schemars::JsonSchema;
use serde::Serialize;

use super::code::{PatientView, evidence, patient, require_provider};
use super::identity::{self, IdentityDocument};
use super::receipt::not_found;
use super::request::{RequestStanding, RequestView, standing_of, view};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;

/// How many open visits are listed.
const LISTED_MAX: usize = 200;
/// For how long after the check-in a settled visit's patient stands at the desk, and a check-in may
/// be on its way.
const DAY_MILLIS: u64 = 24 * 3_600_000;

const PROVIDER_RULE: &str = "a provider, by a key with the scope `clerk`";

/// The endpoints of receptions.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/identity-cards/lookups",
        operation: "look_up_identity_card",
        summary: "Says who stands at a desk with an identity card, by its name and number together, and \
                  what covers the person",
        access: Access::Party { rule: PROVIDER_RULE, handle: look_up },
        parameters: &[],
        body: BodyKind::Json(schema_of::<IdentityDocument>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<PatientView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::IDENTITY_UNCONFIRMED,
            code::NOT_FOUND,
            code::TOO_MANY_REQUESTS,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/receptions",
        operation: "list_receptions",
        summary: "Lists the open visits that a provider's desks opened, the newest first, and where their \
                  requests stand; at most 200",
        access: Access::Party { rule: PROVIDER_RULE, handle: list },
        parameters: &[Parameter::path(
            "organisation",
            "the provider's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReceptionList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::SCOPE_MISSING],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/reception",
        operation: "get_reception",
        summary: "Gives a visit as its provider's desk works on it: the patient, and the request that was \
                  sent last",
        access: Access::Party {
            rule: "the visit's provider, by a key with the scope `clerk`",
            handle: get,
        },
        parameters: &[Parameter::path("visit", "the visit's id", schema_of::<VisitId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReceptionView>),
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::NOT_YOURS, code::SCOPE_MISSING],
    },
];

/// A visit as its provider's desk works on it.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Reception")]
pub struct ReceptionView {
    /// The visit.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// Who stands there, where a desk of the house saw a code or card of that person for this
    /// visit, as long as it is open and on the day that follows the check-in. The evidence is
    /// nothing here: it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientView>,
    /// The request that was sent last, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestView>,
    /// The receipt that settled it first, once it is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<u64>,
}

/// An open visit in a list.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReceivedVisit {
    /// The visit.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// The patient's name, where a desk of the house saw a code or card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the patient was received.
    pub received: Timestamp,
    /// Where the request stands that was sent last, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<RequestStanding>,
}

/// A provider's open visits.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReceptionList {
    /// The visits.
    pub visits: Vec<ReceivedVisit>,
}

/// Notes who stands at the session's desk.
///
/// # Errors
/// When the directory fails.
pub(super) fn note_seen(
    call: &Call,
    session: &Session,
    (person, shown_by): (PersonId, Option<PersonId>),
    evidence: Hash,
) -> Result<(), Problem> {
    let Party::Organisation(provider) = &session.party else { return Ok(()) };
    let seen = Seen { provider, person, shown_by, evidence };
    Ok(call.wallet()?.directory.note_seen(&seen, call.now)?)
}

/// Notes the visit that a check-in opens for the session's desk. Whether it is opened, the ledger
/// says: only what is open there is ever shown.
///
/// # Errors
/// When the directory fails.
pub(super) fn note_check_in(
    call: &Call,
    session: &Session,
    content: &Content,
) -> Result<(), Problem> {
    let Party::Organisation(provider) = &session.party else { return Ok(()) };
    let Some(wallet) = call.gateway.port.wallet() else { return Ok(()) };
    if content.kind != CheckIn::NUMBER || content.author != session.party {
        return Ok(());
    }
    // What does not decode, the ledger refuses.
    let Ok(CheckIn { visit, subject, evidence, .. }) = codec::decode::<CheckIn>(&content.body)
    else {
        return Ok(());
    };
    if subject.provider != *provider {
        return Ok(());
    }
    let seen = Seen { provider, person: subject.person, shown_by: None, evidence };
    Ok(wallet.directory.note_received(visit, &seen, call.now)?)
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Clerk)?;
    let document: IdentityDocument = call.json()?;
    let person = shown_card(call, session, &document)?;
    let evidence = evidence(b"yibao/identity-card/v1", &document.number, call)?;
    let found = patient(call, (person, None), evidence)?.ok_or_else(not_found)?;
    note_seen(call, session, (person, None), evidence)?;
    Reply::json(&found)
}

/// Whose identity card it is. Who tries wrong ones has to wait.
///
/// # Errors
/// `identity_unconfirmed`, `too_many_requests`, `unavailable`.
pub(super) fn shown_card(
    call: &Call,
    session: &Session,
    document: &IdentityDocument,
) -> Result<PersonId, Problem> {
    let unknown = Problem::new(&code::IDENTITY_UNCONFIRMED);
    let shown = (&*call.wallet()?, &document.into());
    identity::find(call, session, shown, |_| true, unknown)
}

/// Whether a desk saw a code or card of the very person whom the ledger says that the visit is for.
/// What a check-in said that the ledger refused, counts for nothing.
fn is_seen_for(received: &Reception, subject: &VisitSubject) -> bool {
    received.is_seen && received.person == subject.person
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Clerk)?;
    let provider: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(provider) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let wallet = call.wallet()?;
    let directory = &wallet.directory;
    let (mut visits, mut closed) = (Vec::new(), Vec::new());
    for received in directory.receptions(&provider)? {
        let subject = match visit::view::visit(&call.view.state, received.visit) {
            Some(VisitRow::Open(open)) if open.subject.provider == provider => open.subject,
            Some(_) => {
                closed.push(received.visit);
                continue;
            }
            // On its way, or refused.
            None if call.now <= received.received.plus_millis(DAY_MILLIS) => continue,
            None => {
                closed.push(received.visit);
                continue;
            }
        };
        if visits.len() == LISTED_MAX {
            break;
        }
        let request = directory.latest_request(received.visit)?;
        visits.push(ReceivedVisit {
            visit: received.visit,
            name: if is_seen_for(&received, &subject) {
                call.name_of(subject.person)?
            } else {
                None
            },
            subject,
            received: received.received,
            standing: request.map(|request| standing_of(call, &request)).transpose()?,
        });
    }
    call.view.check()?;
    directory.forget_receptions(&closed)?;
    Reply::json(&ReceptionList { visits })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Clerk)?;
    let id: VisitId = call.path("visit")?;
    let seen = call.visit(session, id)?;
    if session.party != Party::Organisation(seen.subject.provider) {
        return Err(not_found());
    }
    let wallet = call.wallet()?;
    let is_open = seen.record.is_none();
    // Whoever opens a visit for somebody who is not there learns nothing of that person.
    let here = wallet
        .directory
        .reception(id)?
        .filter(|one| is_seen_for(one, &seen.subject))
        .filter(|one| is_open || call.now <= one.received.plus_millis(DAY_MILLIS));
    let patient = match here {
        Some(one) => patient(call, (seen.subject.person, one.shown_by), Hash::default())?,
        None => None,
    };
    let request = wallet.directory.latest_request(id)?;
    let request = request.map(|request| view(call, request)).transpose()?;
    let settled = match seen.record {
        Some(record) => call.gateway.port.chain().receipt_of_transaction(record.transaction_id)?,
        None => None,
    };
    let settled = settled.map(|receipt| receipt.index);
    Reply::json(&ReceptionView { visit: id, subject: seen.subject, patient, request, settled })
}
