//! Guardians: finding the one to be named by the code on that one's phone, and the people in care.

use axum::http::Method;
use ledger::modules::person;
use primitives::PersonId;
use schemars::JsonSchema;
use serde::Serialize;

use super::code::{CodeLookup, read_code};
use super::person::LockView;
use super::recovery::{RecoveryView, recovery_view};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);

/// The endpoints of guardians.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/guardian-lookups",
        operation: "look_up_guardian",
        summary: "Says whose wallet shows this code, to somebody who wants to name that person as \
                  guardian; a code counts once",
        access: Access::Party { rule: "the person", handle: look_up },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<CodeLookup>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<GuardianCandidate>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::CODE_WRONG, code::TOO_MANY_REQUESTS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/wards",
        operation: "list_wards",
        summary: "Lists those whose guardian a person is today and whom the person met by a code",
        access: Access::Party { rule: "the person", handle: wards },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<WardList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
];

/// Somebody who may be named as guardian.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GuardianCandidate {
    /// The id.
    pub person: PersonId,
    /// The name.
    pub name: String,
}

/// People in somebody's care.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WardList {
    /// The people.
    pub wards: Vec<WardView>,
}

/// Somebody in care.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ward")]
pub struct WardView {
    /// The id.
    pub person: PersonId,
    /// The name.
    pub name: String,
    /// The lock, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockView>,
    /// The recovery that waits, or was stopped and keeps others from being asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryView>,
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = call.own_person(session)?;
    let found = read_code(call, session)?;
    if found == id {
        return Err(Problem::new(&code::CODE_WRONG).at("code"));
    }
    call.wallet()?.directory.note_ward(found, id)?;
    Reply::json(&GuardianCandidate {
        person: found,
        name: call.name_of(found)?.unwrap_or_default(),
    })
}

fn wards(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = call.own_person(session)?;
    let mut wards = Vec::new();
    for ward in call.wallet()?.directory.wards_of(id)? {
        let Some(row) = person::view::person(&call.view.state, ward) else { continue };
        let is_guarded = call.today(row.region).is_some_and(|today| row.is_guarded_by(id, today));
        if is_guarded {
            let lock = row.lock.as_ref().map(LockView::of);
            wards.push(WardView {
                person: ward,
                name: call.name_of(ward)?.unwrap_or_default(),
                lock,
                recovery: recovery_view(call, ward)?,
            });
        }
    }
    Reply::json(&WardList { wards })
}
