//! Signing in with a registered key, and out.

use axum::http::{HeaderValue, Method, StatusCode, header};
use ledger::modules::organisation::Scope;
use ledger::modules::person::{self, KeyGrade};
use primitives::{Hash, Party, PublicKey, Signature, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::challenge::{sign_in_message, sign_in_text};
use crate::session::limit::Place;
use crate::session::{Session, SessionId, registered};

/// The endpoints of sessions.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/sessions/challenges",
        operation: "create_challenge",
        summary: "Gives a party something to sign in order to sign in; it can be answered once",
        access: Access::Public(create_challenge),
        parameters: &[],
        body: BodyKind::Json(schema_of::<ChallengeRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ChallengeView>),
        problems: &[],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/sessions",
        operation: "create_session",
        summary: "Signs a party in with one of its registered keys and gives a bearer token",
        access: Access::Public(create_session),
        parameters: &[],
        body: BodyKind::Json(schema_of::<SignInRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<NewSessionView>),
        problems: &[code::CHALLENGE_ENDED, code::SIGN_IN_REFUSED, code::TOO_MANY_REQUESTS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/session",
        operation: "get_session",
        summary: "Says who is signed in, with which key, what the key may do and until when",
        access: Access::Session(get_session),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<SessionView>),
        problems: &[],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/session",
        operation: "delete_session",
        summary: "Signs out",
        access: Access::Session(delete_session),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/session/rotate",
        operation: "rotate_session",
        summary: "Gives the session another token; the one it had is worth nothing from then on",
        access: Access::Session(rotate_session),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Json(201, schema_of::<NewSessionView>),
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/sessions",
        operation: "list_sessions",
        summary: "Lists the open sessions of a person, or those of an organisation that were opened with \
                  the same key",
        access: Access::Session(list_sessions),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<SessionsView>),
        problems: &[],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/sessions",
        operation: "delete_sessions",
        summary: "Signs out everywhere: ends all sessions that `list_sessions` lists, this one too",
        access: Access::Session(delete_sessions),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/sessions/{session_id}",
        operation: "delete_listed_session",
        summary: "Ends one of the sessions that `list_sessions` lists",
        access: Access::Session(delete_listed_session),
        parameters: &[Parameter::path(
            "session_id",
            "the session's id: 16 hex digits",
            schema_of::<SessionId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NOT_FOUND],
    },
];

/// Who wants to sign in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The party.
    pub party: Party,
}

/// What is to be signed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Challenge")]
pub struct ChallengeView {
    /// What goes into the signed text; hand it back with the signature.
    pub challenge: String,
    /// The text: the lines `yibao/session/v1`, the ledger's name, the party and the challenge, each
    /// ended by a line feed. Build it yourself from the challenge, so that you never sign what you
    /// did not read.
    pub text: String,
    /// The SHA-256 of the text: the message to sign, or the challenge of a passkey.
    pub message: Hash,
    /// From when on it cannot be answered.
    pub expires: Timestamp,
}

/// A signed challenge.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The party.
    pub party: Party,
    /// The challenge that was signed.
    pub challenge: String,
    /// One of the party's registered keys: for an organisation an online key, never the root key. A
    /// person on a new device does not know it; left out, it is the passkey that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// The key's signature of the message.
    pub signature: Signature,
}

/// A session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionView {
    /// Who is signed in.
    pub party: Party,
    /// With which key.
    pub key: PublicKey,
    /// What the key may do on the ledger; empty for a person, whose key may do all that is the
    /// person's.
    pub scopes: Vec<Scope>,
    /// From when on the session counts no more.
    pub expires: Timestamp,
}

/// The open sessions of a party.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
pub struct SessionsView {
    /// The sessions, the oldest first.
    pub sessions: Vec<ListedSessionView>,
}

/// A session in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedSession")]
pub struct ListedSessionView {
    /// Its name, for ending it; it says nothing of the token.
    pub id: SessionId,
    /// The key that it was opened with.
    pub key: PublicKey,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it asked for something last.
    pub used: Timestamp,
    /// From when on it counts no more, whatever is done with it.
    pub expires: Timestamp,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A new session with its token.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewSession")]
pub struct NewSessionView {
    /// To be sent as `Authorization: Bearer TOKEN`. It is shown this once.
    pub token: String,
    /// The session.
    #[serde(flatten)]
    pub session: SessionView,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            party: session.party,
            key: session.key,
            scopes: session.scopes.clone(),
            expires: session.expires,
        }
    }
}

fn no_randomness(_: getrandom::Error) -> Problem {
    Problem::new(&code::INTERNAL)
}

fn create_challenge(call: &Call) -> Result<Reply, Problem> {
    let ChallengeRequest { party } = call.json()?;
    let gateway = &call.gateway;
    let issued = gateway.challenges.issue(party, call.now).map_err(no_randomness)?;
    let chain_id = gateway.port.chain().chain_id();
    let view = ChallengeView {
        text: sign_in_text(chain_id, party, &issued.challenge),
        message: sign_in_message(chain_id, party, &issued.challenge),
        challenge: issued.challenge,
        expires: issued.expires,
    };
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

fn create_session(call: &Call) -> Result<Reply, Problem> {
    let request: SignInRequest = call.json()?;
    let gateway = &call.gateway;
    let place = Place::address(call.client, Some(request.party));
    let anywhere = Place::address(call.client, None);
    let wait = gateway.sign_in_failures.wait(place, call.now);
    if let Some(wait) = wait.or_else(|| gateway.address_failures.wait(anywhere, call.now)) {
        return Err(Problem::new(&code::TOO_MANY_REQUESTS).retry(wait));
    }
    let (key, registered) = check_sign_in(call, &request).inspect_err(|_| {
        gateway.sign_in_failures.count(place, call.now);
        gateway.address_failures.count(anywhere, call.now);
        gateway.metrics.sign_in_refused();
    })?;
    let (token, session) =
        gateway.sessions.open(request.party, key, registered, call.now).map_err(no_randomness)?;
    new_session(token, &session)
}

fn new_session(token: String, session: &Session) -> Result<Reply, Problem> {
    let view = NewSessionView { token, session: SessionView::from(session) };
    Ok(Reply::json(&view)?
        .status(StatusCode::CREATED)
        .header(header::LOCATION, HeaderValue::from_static("/v1/session")))
}

/// Whether the party, the key and the signature belong together. One answer for all that may be
/// wrong, so that nobody learns which parties or keys there are.
fn check_sign_in(
    call: &Call,
    request: &SignInRequest,
) -> Result<(PublicKey, registered::Registered), Problem> {
    let gateway = &call.gateway;
    let expires = gateway
        .challenges
        .check(request.party, &request.challenge, call.now)
        .ok_or_else(|| Problem::new(&code::CHALLENGE_ENDED))?;
    let message =
        sign_in_message(gateway.port.chain().chain_id(), request.party, &request.challenge);
    let candidates = match request.key {
        Some(key) => vec![key],
        None => passkeys_of(call, request),
    };
    let found = candidates.into_iter().find_map(|key| {
        let context =
            gateway.port.chain().verify_signature(&key, &message, &request.signature).ok()?;
        let state = call.view.rows();
        let registered = registered::registered(state, request.party, key, call.now)?;
        registered::signed_in_place(state, &registered, context.as_ref())
            .then_some((key, registered))
    });
    let found = found.ok_or_else(|| Problem::new(&code::SIGN_IN_REFUSED))?;
    if gateway.challenges.use_up(&request.challenge, expires, call.now) {
        Ok(found)
    } else {
        Err(Problem::new(&code::CHALLENGE_ENDED))
    }
}

/// The passkeys of a person of whom a passkey signed: a handful, which the ledger bounds.
fn passkeys_of(call: &Call, request: &SignInRequest) -> Vec<PublicKey> {
    let (Party::Person(id), Signature::WebAuthn(_)) = (request.party, &request.signature) else {
        return Vec::new();
    };
    let row = person::view::person(&call.view.state, id);
    let keys = row.map(|row| row.keys.clone()).unwrap_or_default().into_iter();
    keys.filter(|one| one.grade == KeyGrade::Passkey).map(|one| one.key).collect()
}

fn get_session(_: &Call, session: &Session) -> Result<Reply, Problem> {
    Reply::json(&SessionView::from(session))
}

fn delete_session(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.gateway.sessions.close(session);
    Ok(Reply::nothing())
}

fn rotate_session(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let rotated = call.gateway.sessions.rotate(session, call.now).map_err(no_randomness)?;
    let (token, session) = rotated.ok_or_else(|| Problem::new(&code::SESSION_ENDED))?;
    new_session(token, &session)
}

fn list_sessions(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let open = call.gateway.sessions.of(session, call.now).into_iter();
    let sessions = open.map(|(one, used)| ListedSessionView {
        id: one.id(),
        key: one.key,
        opened: one.opened,
        used,
        expires: one.expires,
        is_this: one.id() == session.id(),
    });
    Reply::json(&SessionsView { sessions: sessions.collect() })
}

fn delete_sessions(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let sessions = &call.gateway.sessions;
    for (one, _) in sessions.of(session, call.now) {
        sessions.close(&one);
    }
    Ok(Reply::nothing())
}

fn delete_listed_session(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: SessionId = call.path("session_id")?;
    let sessions = &call.gateway.sessions;
    let mut open = sessions.of(session, call.now).into_iter();
    let (one, _) =
        open.find(|(one, _)| one.id() == id).ok_or_else(|| Problem::new(&code::NOT_FOUND))?;
    sessions.close(&one);
    Ok(Reply::nothing())
}
