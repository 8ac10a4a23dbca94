//! Another device for somebody who has one: this one shows a short code, the other one types it and
//! asks for its key, and the person agrees here, by signing that very key (`add_person_key`).
//!
//! Invariant: a code alone gives no key and tells nothing of a person; what is asked by it becomes
//! a key by the person's own signature alone (test
//! `another_device_asks_by_a_code_and_is_taken_in_by_the_first`).

use adapters::directory::DeviceCode;
use axum::http::{Method, StatusCode};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::modules::person::{self, KeyGrade, NewKey, rejection};
use primitives::{Amount, Hash, PersonId, PublicKey, Timestamp, codec, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use super::recovery::open_ticket;
use super::wallet::{
    IdentityCheckView, NewPinView, count_failure, identity_check, require_patience,
};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;

/// For how long a code counts, in milliseconds: both devices are at hand. Our own limit.
const CODE_MILLIS: u64 = 10 * 60_000;
/// What tickets are sealed for.
const TICKET: &str = "device";
/// What the other device looks with is sealed for.
const WATCH: &str = "device-watch";

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);
const OWN_RULE: &str = "the person";

/// The endpoints of further devices.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/device-codes",
        operation: "create_device_code",
        summary: "Gives a short code by which another device asks to be the person's too, in place of an \
                  earlier one; it counts once, for ten minutes",
        access: Access::Party { rule: OWN_RULE, handle: create },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<NewDeviceCode>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<DeviceCodeView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/device-codes",
        operation: "get_device_code",
        summary: "Gives the code that counts now, and the key that a device asks for by it",
        access: Access::Party { rule: OWN_RULE, handle: get },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<DeviceCodeView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/persons/{person}/device-codes",
        operation: "end_device_code",
        summary: "Ends the code, and what was asked by it",
        access: Access::Party { rule: OWN_RULE, handle: end },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/devices/checks",
        operation: "check_device_code",
        summary: "Gives another device a ticket for the code that it was told, with which it asks for a key; \
                  says nothing of whose it is but an id",
        access: Access::Public(check),
        parameters: &[],
        body: BodyKind::Json(schema_of::<DeviceCheckRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<IdentityCheckView>),
        problems: &[code::NO_WALLET, code::DEVICE_CODE_WRONG],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/devices",
        operation: "ask_device",
        summary: "Asks for this key beside the person's others; nothing changes before the person agrees on \
                  the first device; the same ticket and key again change nothing",
        access: Access::Public(ask),
        parameters: &[],
        body: BodyKind::Json(schema_of::<DeviceRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<DeviceAsked>),
        problems: &[code::NO_WALLET, code::TICKET_ENDED],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/devices/states",
        operation: "get_device_state",
        summary: "Says to the other device whether it was taken in",
        access: Access::Public(state),
        parameters: &[],
        body: BodyKind::Json(schema_of::<DeviceWatch>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<DeviceState>),
        problems: &[code::NO_WALLET, code::TICKET_ENDED],
    },
];

/// A code is wanted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeviceCode {}

/// A code for another device.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeviceCode")]
pub struct DeviceCodeView {
    /// The eight digits.
    pub code: String,
    /// Until when it counts.
    pub expires: Timestamp,
    /// The key that a device asks for by it, once one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<NewKey>,
}

/// A code as it was typed.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceCheckRequest {
    /// The eight digits; spaces do not matter.
    #[schemars(length(max = 40))]
    pub code: String,
}

/// A key beside the others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// The ticket of the check.
    pub ticket: String,
    /// The public key.
    pub key: PublicKey,
    /// What kind it is.
    pub grade: KeyGrade,
    /// For a device without passkeys: what the device made of the PIN, 32 bytes in hex.
    #[serde(default)]
    pub pin_verifier: Option<Hash>,
}

/// A device that asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeviceAsked {
    /// Whose it asks to be.
    pub person: PersonId,
    /// With what it looks whether it was taken in; hex.
    pub watch: String,
    /// For a device without passkeys: its PIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<NewPinView>,
}

/// With what a device looks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceWatch {
    /// What it was given when it asked.
    pub watch: String,
}

/// How a device stands that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStage {
    /// The person is to agree.
    Asked,
    /// The key is the person's.
    Added,
    /// The person did not agree, or not in time.
    Over,
}

/// How a device stands that asked.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct DeviceState {
    /// How it stands.
    pub stage: DeviceStage,
}

/// What a ticket says.
#[derive(BorshSerialize, BorshDeserialize)]
struct Ticket {
    person: PersonId,
    number: u32,
    expires: Timestamp,
}

/// What a device asks for.
#[derive(BorshSerialize, BorshDeserialize)]
struct Asked {
    key: PublicKey,
    grade: KeyGrade,
}

/// What a device looks with.
#[derive(BorshSerialize, BorshDeserialize)]
struct Watch {
    person: PersonId,
    key: PublicKey,
    expires: Timestamp,
}

/// A code as its person sees it. The key has the usual limits of its grade, and never more than the
/// key that will sign for it.
fn view(call: &Call, session: &Session, code: DeviceCode) -> Result<DeviceCodeView, Problem> {
    let person = call.own_person(session)?;
    let asked = code.asked.map(|bytes| codec::decode::<Asked>(&bytes)).transpose();
    let asked = asked.map_err(|_| Problem::new(&code::INTERNAL))?;
    let row = person::view::person(&call.view.state, person);
    let own = row.as_ref().and_then(|row| row.key(&session.key));
    let wallet = call.wallet()?;
    let new = asked.zip(own).map(|(Asked { key, grade }, own)| {
        let usual = wallet.limits(grade);
        let least = |usual: Amount, own: Amount| usual.min(own);
        NewKey {
            key,
            grade,
            payment_max: least(usual.payment_max, own.payment_max),
            day_max: least(usual.day_max, own.day_max),
        }
    });
    Ok(DeviceCodeView { code: code.number.to_string(), expires: code.expires, asked: new })
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let wallet = call.wallet()?;
    let NewDeviceCode {} = call.json()?;
    let row = call.person(session, person)?;
    if row.lock.is_some() {
        return Err(Problem::rejected(&rejection::PERSON_LOCKED.reject()));
    }
    let expires = call.now.plus_millis(CODE_MILLIS);
    let code = wallet.directory.new_device_code(person, (call.now, expires))?;
    Ok(Reply::json(&view(call, session, code)?)?.status(StatusCode::CREATED))
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let found = call.wallet()?.directory.device_code(person, call.now)?;
    Reply::json(&view(call, session, found.ok_or_else(not_found)?)?)
}

fn end(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    call.wallet()?.directory.end_device_code(person)?;
    Ok(Reply::nothing().status(StatusCode::NO_CONTENT))
}

fn check(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let DeviceCheckRequest { code: text } = call.json()?;
    let digits: String = text.chars().filter(|one| !one.is_whitespace()).collect();
    let number = digits.parse::<u32>().ok();
    let found = number.map(|number| {
        let person = wallet.directory.person_of_device_code(number, call.now)?;
        Ok::<_, Problem>(person.map(|person| (person, number)))
    });
    let (person, number) = found.transpose()?.flatten().ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::DEVICE_CODE_WRONG).at("code")
    })?;
    let expires = call.now.plus_millis(CODE_MILLIS);
    let ticket = codec::encode(&Ticket { person, number, expires });
    let sealed = wallet.directory.seal_ticket(TICKET, &ticket)?;
    let view = identity_check(call, &wallet, person, hex::encode(sealed), expires)?;
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

fn ask(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let DeviceRequest { ticket, key, grade, pin_verifier } = call.json()?;
    let ended = || {
        count_failure(call);
        Problem::new(&code::TICKET_ENDED)
    };
    let opened = open_ticket::<Ticket>(&wallet, TICKET, &ticket);
    let opened = opened.filter(|ticket| call.now < ticket.expires);
    let Ticket { person, number, .. } = opened.ok_or_else(ended)?;
    if grade == KeyGrade::Device && pin_verifier.is_none() {
        let words = detail!("a device without passkeys needs a PIN");
        return Err(Problem::new(&code::FIELD_INVALID).at("pin_verifier").with(words));
    }
    let asked = codec::encode(&Asked { key, grade });
    if !wallet.directory.ask_by_device_code((person, number), &asked, call.now)? {
        return Err(ended());
    }
    let verifier = pin_verifier.filter(|_| grade == KeyGrade::Device);
    let pin = verifier.map(|verifier| wallet.directory.new_pin(person, &verifier.0)).transpose()?;
    let pin = pin.map(|new| NewPinView { pin: PersonId(new.id), secret: Hash(new.secret) });
    let watch = Watch { person, key, expires: call.now.plus_millis(CODE_MILLIS) };
    let watch = hex::encode(wallet.directory.seal_ticket(WATCH, &codec::encode(&watch))?);
    Ok(Reply::json(&DeviceAsked { person, watch, pin })?.status(StatusCode::CREATED))
}

fn state(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let DeviceWatch { watch } = call.json()?;
    let opened = open_ticket::<Watch>(&wallet, WATCH, &watch).filter(|one| call.now < one.expires);
    let Watch { person, key, .. } = opened.ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::TICKET_ENDED)
    })?;
    let row = person::view::person(&call.view.state, person);
    if row.is_some_and(|row| row.key(&key).is_some()) {
        return Reply::json(&DeviceState { stage: DeviceStage::Added });
    }
    let asked = wallet.directory.device_code(person, call.now)?.and_then(|code| code.asked);
    let asked = asked.and_then(|bytes| codec::decode::<Asked>(&bytes).ok());
    let is_asked = asked.is_some_and(|asked| asked.key == key);
    let stage = if is_asked { DeviceStage::Asked } else { DeviceStage::Over };
    Reply::json(&DeviceState { stage })
}
