//! The way back into a wallet for somebody who lost every device: a guardian gives a code, the new
//! device asks with name, number and that code, the guardians agree on their phones, and after the
//! region's waiting time a desk of the bureau completes it (`create_desk_act`).
//!
//! The code is the second thing besides name and number, which many know: without it nobody learns
//! whether somebody has a wallet, and nobody bothers the guardians.
//!
//! Invariant: bureau and identity authority sign here that somebody asks, and nothing that changes
//! a key (test `a_lost_wallet_comes_back_by_code_agreement_waiting_and_desk`).

use adapters::directory::{ActivationTry, Particulars};
use adapters::identity::Identity;
use axum::http::{Method, StatusCode};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::modules::person::{self, AskRecovery, KeyGrade, NewKey, Recovery, RecoveryStanding};
use primitives::{
    Amount, Hash, Party, PersonId, PublicKey, Timestamp, codec, detail, sha256_parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::desk_act::{ActivationView, new_activation_code};
use super::machine::{execute, signed};
use super::wallet::{
    IdentityCheckView, NewPinView, count_failure, identity_check, require_patience, unattested,
};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::Wallet;

/// For how long a ticket counts, in milliseconds. As for joining.
const TICKET_MILLIS: u64 = 15 * 60_000;
/// For how long a guardian's code counts, in milliseconds: it is read out on the telephone. Our own
/// limit.
const CODE_MILLIS: u64 = 24 * 3_600_000;
/// For how long the new device looks what became of it, in milliseconds: longer than a recovery can
/// take, which is thirty days for guardians, two weeks of waiting and thirty days for the desk.
const WATCH_MILLIS: u64 = 90 * 24 * 3_600_000;
/// What tickets are sealed for.
const TICKET: &str = "recovery";
/// What the new device looks with is sealed for.
const WATCH: &str = "recovery-watch";

/// The endpoints of recoveries.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/recovery-codes",
        operation: "create_recovery_code",
        summary: "Gives a guardian a code for a person who lost every device, in place of an earlier one; \
                  with it, name and number the person asks for the recovery on a new device; it counts \
                  once, for a day",
        access: Access::Party { rule: "a guardian of today", handle: create_code },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::Json(schema_of::<NewRecoveryCode>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ActivationView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/recoveries/checks",
        operation: "check_recovery",
        summary: "Asks the identity authority whether name and number belong together, and whether a \
                  guardian's code is this person's; gives a ticket with which a new device asks for the \
                  recovery",
        access: Access::Public(check),
        parameters: &[],
        body: BodyKind::Json(schema_of::<RecoveryCheckRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<IdentityCheckView>),
        problems: &[code::NO_WALLET, code::IDENTITY_UNCONFIRMED, code::RECOVERY_CODE_WRONG],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/recoveries",
        operation: "ask_recovery",
        summary: "Asks on the ledger for this key in place of all others of the person whom a ticket names; \
                  nothing changes before guardians agreed, the waiting time is over and a desk completes it; \
                  the same ticket and key again change nothing",
        access: Access::Public(ask),
        parameters: &[],
        body: BodyKind::Json(schema_of::<RecoveryRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<RecoveryAsked>),
        problems: &[
            code::NO_WALLET,
            code::TICKET_ENDED,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/recoveries/states",
        operation: "get_recovery_state",
        summary: "Says to the new device how its recovery stands",
        access: Access::Public(state),
        parameters: &[],
        body: BodyKind::Json(schema_of::<RecoveryWatch>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<RecoveryState>),
        problems: &[code::NO_WALLET, code::TICKET_ENDED],
    },
];

/// A code is wanted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecoveryCode {}

/// Who asks on a new device.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCheckRequest {
    /// The name as in the identity document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
    /// The code that a guardian read out.
    #[schemars(length(max = 40))]
    pub code: String,
}

/// A new key in place of all others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
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

/// A recovery that was asked for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecoveryAsked {
    /// Whose it is.
    pub person: PersonId,
    /// With what the device looks how it stands; hex.
    pub watch: String,
    /// For a device without passkeys: its PIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<NewPinView>,
}

/// With what a device looks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryWatch {
    /// What it was given when it asked.
    pub watch: String,
}

/// How a recovery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStage {
    /// Guardians are to agree.
    Asked,
    /// It waits and can be stopped.
    Waiting,
    /// A desk may complete it.
    Ready,
    /// The key is the person's.
    Completed,
    /// It was stopped, replaced, or is too old.
    Over,
}

/// How a recovery stands, for the device that asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecoveryState {
    /// How it stands.
    pub stage: RecoveryStage,
    /// How many guardians agreed.
    pub agreed: usize,
    /// How many must.
    pub needed: u8,
    /// For how many hours it waits after the last of them.
    pub waiting_hours: u16,
    /// From when on it may be completed, once enough agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_from: Option<Timestamp>,
    /// Until when it must be completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
}

/// A recovery, for the person, the guardians and the bureau.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recovery")]
pub struct RecoveryView {
    /// How it stands.
    pub stage: RecoveryStage,
    /// The new key.
    pub key: PublicKey,
    /// What kind it is.
    pub grade: KeyGrade,
    /// The most one payment may take by it, in minor units.
    pub payment_max: Amount,
    /// Up to how much may have been spent on a day when it pays, in minor units.
    pub day_max: Amount,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How many guardians must agree.
    pub needed: u8,
    /// For how many hours it waits after the last of them.
    pub waiting_hours: u16,
    /// Who may agree, and who did.
    pub guardians: Vec<RecoveryGuardian>,
    /// From when on it may be completed, once enough agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_from: Option<Timestamp>,
    /// Until when it may be agreed to and completed.
    pub open_until: Timestamp,
    /// When it was stopped, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// Until when no other is asked for, if it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
}

/// A guardian's part in a recovery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecoveryGuardian {
    /// Who.
    pub guardian: PersonId,
    /// The name, where this bureau knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the guardian agreed, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<Timestamp>,
}

/// What a ticket says.
#[derive(BorshSerialize, BorshDeserialize)]
struct Ticket {
    person: PersonId,
    name: String,
    number_end: String,
    expires: Timestamp,
}

/// What a device looks with.
#[derive(BorshSerialize, BorshDeserialize)]
struct Watch {
    person: PersonId,
    key: PublicKey,
    expires: Timestamp,
}

/// The last recovery of a person, as those see it whom it concerns; nothing once it is of no more
/// consequence.
pub(super) fn recovery_view(
    call: &Call,
    person: PersonId,
) -> Result<Option<RecoveryView>, Problem> {
    let now = call.instant();
    let found = person::view::recovery(&call.view.state, person);
    let counts =
        |one: &Recovery| one.is_open(now) || one.paused_until().is_some_and(|until| now < until);
    let Some(one) = found.filter(counts) else { return Ok(None) };
    let standing = standing(call, person, &one);
    let guardians = one.guardians.iter().map(|&guardian| {
        let agreed = one.agreed.iter().find(|agreement| agreement.guardian == guardian);
        let name = call.name_of(guardian)?;
        Ok(RecoveryGuardian { guardian, name, agreed_at: agreed.map(|agreement| agreement.at) })
    });
    Ok(Some(RecoveryView {
        guardians: guardians.collect::<Result<_, Problem>>()?,
        stage: stage(&one, standing, now),
        key: one.new.key,
        grade: one.new.grade,
        payment_max: one.new.payment_max,
        day_max: one.new.day_max,
        asked_at: one.asked_at,
        needed: one.rules.guardians_min,
        waiting_hours: one.rules.waiting_hours,
        ready_from: standing.ready_from,
        open_until: one.open_until(),
        stopped_at: one.stopped_at,
        paused_until: one.paused_until(),
    }))
}

/// How far it has come today: who is a guardian no more counts no more.
fn standing(call: &Call, id: PersonId, one: &Recovery) -> RecoveryStanding {
    let row = person::view::person(&call.view.state, id);
    row.and_then(|row| Some(one.standing(&row, call.today(row.region)?)))
        .unwrap_or(RecoveryStanding { agreed: 0, ready_from: None })
}

fn stage(one: &Recovery, standing: RecoveryStanding, now: Timestamp) -> RecoveryStage {
    if !one.is_open(now) {
        return RecoveryStage::Over;
    }
    match standing.ready_from {
        None => RecoveryStage::Asked,
        Some(ready) if now < ready => RecoveryStage::Waiting,
        Some(_) => RecoveryStage::Ready,
    }
}

/// Under what a guardian's code for somebody is kept. Codes of the bureau's letters lie beside it,
/// under blind indices.
fn code_name(person: PersonId) -> Hash {
    sha256_parts(&[b"yibao/recovery-code/v1", &person.0])
}

fn create_code(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    let id: PersonId = call.path("person")?;
    let NewRecoveryCode {} = call.json()?;
    let row = call.person(session, id)?;
    let today = call.today(row.region).ok_or_else(|| Problem::new(&code::INTERNAL))?;
    let is_guardian =
        matches!(session.party, Party::Person(other) if row.is_guarded_by(other, today));
    if !is_guardian {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let code = new_activation_code()?;
    let expires = call.now.plus_millis(CODE_MILLIS);
    wallet.directory.put_activation(&code_name(id), &code, expires)?;
    Ok(Reply::json(&ActivationView { code, expires })?.status(StatusCode::CREATED))
}

fn check(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let RecoveryCheckRequest { name, number, code: text } = call.json()?;
    let Particulars { name, number_end } = Particulars::new(name.trim(), number.trim());
    let identity = Identity { name: name.clone(), number: number.trim().to_owned() };
    let attested = wallet.authority.attest(&identity, &Hash::default()).map_err(|error| {
        count_failure(call);
        unattested(&error)
    })?;
    let index = attested.statement.blind_index;
    let known = person::view::by_blind_index(&call.view.state, &index);
    // Whoever is not enrolled has no guardian and no code; the answer is that of a wrong code, and
    // the code of a letter is not tried by it.
    let digits: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let tried = match known {
        Some(id) => wallet.directory.try_activation(&code_name(id), &digits, call.now)?,
        None => ActivationTry::Wrong,
    };
    let person = known.filter(|_| tried == ActivationTry::Right).ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::RECOVERY_CODE_WRONG).at("code")
    })?;
    let expires = call.now.plus_millis(TICKET_MILLIS);
    let ticket = codec::encode(&Ticket { person, name, number_end, expires });
    let sealed = wallet.directory.seal_ticket(TICKET, &ticket)?;
    let view = identity_check(call, &wallet, person, hex::encode(sealed), expires)?;
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

fn ask(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let RecoveryRequest { ticket, key, grade, pin_verifier } = call.json()?;
    let opened = open_ticket::<Ticket>(&wallet, TICKET, &ticket);
    let ticket = opened.filter(|ticket| call.now < ticket.expires).ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::TICKET_ENDED)
    })?;
    if grade == KeyGrade::Device && pin_verifier.is_none() {
        let words = detail!("a device without passkeys needs a PIN");
        return Err(Problem::new(&code::FIELD_INVALID).at("pin_verifier").with(words));
    }
    let person = ticket.person;
    let before = person::view::recovery(&call.view.state, person);
    let is_asked = before.is_some_and(|one| one.new.key == key && one.is_open(call.instant()));
    if !is_asked {
        let limits = wallet.limits(grade);
        let (payment_max, day_max) = (limits.payment_max, limits.day_max);
        let body = AskRecovery { person, new: NewKey { key, grade, payment_max, day_max } };
        execute(call, signed(call, &[&*wallet.bureau, &*wallet.identity], &body)?)?;
    }
    let particulars = Particulars { name: ticket.name, number_end: ticket.number_end };
    wallet.directory.put_people(&[(person, particulars)])?;
    wallet.directory.end_activation(&code_name(person))?;
    let verifier = pin_verifier.filter(|_| grade == KeyGrade::Device);
    let pin = verifier.map(|verifier| wallet.directory.new_pin(person, &verifier.0)).transpose()?;
    let pin = pin.map(|new| NewPinView { pin: PersonId(new.id), secret: Hash(new.secret) });
    let watch = Watch { person, key, expires: call.now.plus_millis(WATCH_MILLIS) };
    let watch = hex::encode(wallet.directory.seal_ticket(WATCH, &codec::encode(&watch))?);
    Ok(Reply::json(&RecoveryAsked { person, watch, pin })?.status(StatusCode::CREATED))
}

/// What was sealed for this purpose, if it was.
pub(super) fn open_ticket<T: BorshDeserialize>(
    wallet: &Wallet,
    what: &str,
    text: &str,
) -> Option<T> {
    let bytes = wallet.directory.open_ticket(what, &hex::decode(text).ok()?)?;
    codec::decode(&bytes).ok()
}

fn state(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let RecoveryWatch { watch } = call.json()?;
    let watch = open_ticket::<Watch>(&wallet, WATCH, &watch).filter(|one| call.now < one.expires);
    let watch = watch.ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::TICKET_ENDED)
    })?;
    Reply::json(&state_of(call, &watch))
}

fn state_of(call: &Call, watch: &Watch) -> RecoveryState {
    let (state, now) = (&call.view.state, call.instant());
    let over = RecoveryState {
        stage: RecoveryStage::Over,
        agreed: 0,
        needed: 0,
        waiting_hours: 0,
        ready_from: None,
        open_until: None,
    };
    let row = person::view::person(state, watch.person);
    if row.is_some_and(|row| row.key(&watch.key).is_some()) {
        return RecoveryState { stage: RecoveryStage::Completed, ..over };
    }
    let found = person::view::recovery(state, watch.person);
    let Some(one) = found.filter(|one| one.new.key == watch.key) else { return over };
    let standing = standing(call, watch.person, &one);
    RecoveryState {
        stage: stage(&one, standing, now),
        agreed: standing.agreed,
        needed: one.rules.guardians_min,
        waiting_hours: one.rules.waiting_hours,
        ready_from: standing.ready_from,
        open_until: Some(one.open_until()),
    }
}
