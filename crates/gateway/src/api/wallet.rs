//! Joining: a person shows who they are, and a key is registered as theirs.
//!
//! Invariants: only a ticket that this gateway sealed minutes ago registers a key, and only for the
//! person whom the authority found (test `a_ticket_is_for_its_person_and_a_while`); a wrong
//! activation code is counted before it is answered.

use adapters::directory::{ActivationTry, Particulars, PinTry};
use adapters::identity::{Identity, IdentityError};
use axum::http::{Method, StatusCode};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::modules::network;
use ledger::modules::person::{
    self, Actor, AddPersonKey, EnrolPerson, KeyGrade, NewKey, NewPerson,
};
use primitives::{
    Amount, Currency, Hash, PersonId, PublicKey, Timestamp, codec, detail, sha256_parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::machine::{execute, signed};
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::session::limit::Place;
use crate::wallet::{KeyLimits, Wallet};

/// For how long a ticket counts, in milliseconds: somebody may have to fetch glasses. Our own
/// limit.
const TICKET_MILLIS: u64 = 15 * 60_000;
/// What tickets are sealed for.
const TICKET: &str = "join";

/// The endpoints of wallets.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/wallets/checks",
        operation: "check_identity",
        summary: "Asks the identity authority whether name, number and the bureau's activation code belong \
                  to one person; gives a ticket with which that person registers a first key",
        access: Access::Public(check_identity),
        parameters: &[],
        body: BodyKind::Json(schema_of::<IdentityCheckRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<IdentityCheckView>),
        problems: &[
            code::NO_WALLET,
            code::IDENTITY_UNCONFIRMED,
            code::ACTIVATION_WRONG,
            code::HAS_WALLET,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/wallets",
        operation: "create_wallet",
        summary: "Registers the first key of the person whom a ticket names; the same ticket and key again \
                  change nothing on the ledger",
        access: Access::Public(create_wallet),
        parameters: &[],
        body: BodyKind::Json(schema_of::<WalletRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<WalletView>),
        problems: &[
            code::NO_WALLET,
            code::TICKET_ENDED,
            code::HAS_WALLET,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/pins/{pin}/tries",
        operation: "try_pin",
        summary: "Gives a device without passkeys what opens its sealed key, for the right PIN; a few wrong \
                  ones erase it",
        access: Access::Public(try_pin),
        parameters: &[Parameter::path("pin", "the PIN's name", schema_of::<PersonId>)],
        body: BodyKind::Json(schema_of::<PinTryRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<PinSecretView>),
        problems: &[code::NO_WALLET, code::DEVICE_PIN_WRONG, code::DEVICE_PIN_GONE],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/profile",
        operation: "get_profile",
        summary: "Says who a person is, as the bureau's directory has it, and which card is bound",
        access: Access::Party { rule: PERSON_RULE, handle: profile },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ProfileView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
];

/// Who somebody says to be.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityCheckRequest {
    /// The name as in the identity document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
    /// The code of the bureau's letter, or from a desk.
    #[schemars(length(max = 40))]
    pub activation: String,
}

/// A confirmed identity.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "IdentityCheck")]
pub struct IdentityCheckView {
    /// What registers a key, sealed; hex.
    pub ticket: String,
    /// Until when it counts.
    pub expires: Timestamp,
    /// The person's id on the ledger: the user handle of a passkey.
    pub person: PersonId,
    /// The most that one payment may take by a key of a device without passkeys, in minor units.
    pub device_payment_max: Amount,
    /// The most that such a key may take on a day.
    pub device_day_max: Amount,
    /// The currency of both.
    pub currency: Currency,
}

/// A first key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletRequest {
    /// The ticket of the identity check.
    pub ticket: String,
    /// The public key.
    pub key: PublicKey,
    /// What kind it is.
    pub grade: KeyGrade,
    /// For a device without passkeys: what the device made of the PIN, 32 bytes in hex.
    #[serde(default)]
    pub pin_verifier: Option<Hash>,
}

/// A wallet that was opened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Wallet")]
pub struct WalletView {
    /// Whose it is.
    pub person: PersonId,
    /// For a device without passkeys: its PIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<NewPinView>,
}

/// The PIN of a device.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewPin")]
pub struct NewPinView {
    /// By which name it is tried.
    pub pin: PersonId,
    /// What the device seals its key with; 32 bytes in hex.
    pub secret: Hash,
}

/// A try of a PIN.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinTryRequest {
    /// What the device made of the PIN, 32 bytes in hex.
    pub verifier: Hash,
}

/// What the right PIN gives.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PinSecret")]
pub struct PinSecretView {
    /// What opens the device's sealed key; 32 bytes in hex.
    pub secret: Hash,
}

/// Who somebody is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
pub struct ProfileView {
    /// The name.
    pub name: String,
    /// The last four characters of the identity document.
    pub number_end: String,
    /// The last four digits of the bound bank card, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_last_four: Option<String>,
}

/// What a ticket says.
#[derive(BorshSerialize, BorshDeserialize)]
struct Ticket {
    person: PersonId,
    is_enrolled: bool,
    blind_index: Hash,
    commitment: Hash,
    name: String,
    number_end: String,
    expires: Timestamp,
}

pub(crate) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Problem> {
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new(&code::INTERNAL))?;
    Ok(bytes)
}

/// Those who guess are slowed down by their address, as in signing in.
pub(super) fn require_patience(call: &Call) -> Result<(), Problem> {
    match call.gateway.address_failures.wait(Place::address(call.client, None), call.now) {
        Some(wait) => Err(Problem::new(&code::TOO_MANY_REQUESTS).retry(wait)),
        None => Ok(()),
    }
}

pub(super) fn count_failure(call: &Call) {
    call.gateway.address_failures.count(Place::address(call.client, None), call.now);
}

fn check_identity(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let IdentityCheckRequest { name, number, activation } = call.json()?;
    let particulars = Particulars::new(name.trim(), number.trim());
    let identity = Identity { name, number: number.trim().to_owned() };
    // What the bureau keeps of the identity record stays with it; the ledger has this commitment.
    let commitment = sha256_parts(&[b"yibao/identity-record/v1", &random::<32>()?]);
    let attested = wallet.authority.attest(&identity, &commitment).map_err(|error| {
        count_failure(call);
        unattested(&error)
    })?;
    let blind_index = attested.statement.blind_index;
    let digits: String = activation.chars().filter(char::is_ascii_alphanumeric).collect();
    let tried = wallet.directory.try_activation(&blind_index, &digits, call.now)?;
    if tried == ActivationTry::Wrong {
        count_failure(call);
        return Err(Problem::new(&code::ACTIVATION_WRONG).at("activation"));
    }
    let known = person::view::by_blind_index(&call.view.state, &blind_index);
    if known.is_some_and(|id| has_keys(call, id)) {
        return Err(Problem::new(&code::HAS_WALLET));
    }
    let expires = call.now.plus_millis(TICKET_MILLIS);
    let ticket = Ticket {
        person: known.map_or_else(|| random().map(PersonId), Ok)?,
        is_enrolled: known.is_some(),
        blind_index,
        commitment,
        name: particulars.name,
        number_end: particulars.number_end,
        expires,
    };
    let sealed = wallet.directory.seal_ticket(TICKET, &codec::encode(&ticket))?;
    let view = identity_check(call, &wallet, ticket.person, hex::encode(sealed), expires)?;
    Ok(Reply::json(&view)?.status(StatusCode::CREATED))
}

/// What somebody is told whom the authority has confirmed.
pub(super) fn identity_check(
    call: &Call,
    wallet: &Wallet,
    person: PersonId,
    ticket: String,
    expires: Timestamp,
) -> Result<IdentityCheckView, Problem> {
    let region = network::view::region(&call.view.state, wallet.region)
        .ok_or_else(|| Problem::new(&code::INTERNAL))?;
    let KeyLimits { payment_max, day_max } = wallet.device_limits;
    Ok(IdentityCheckView {
        ticket,
        expires,
        person,
        device_payment_max: payment_max,
        device_day_max: day_max,
        currency: region.currency,
    })
}

fn has_keys(call: &Call, id: PersonId) -> bool {
    person::view::person(&call.view.state, id).is_some_and(|row| !row.keys.is_empty())
}

/// Who has this name and number, if both belong together.
pub(crate) fn identified(
    call: &Call,
    wallet: &Wallet,
    identity: &Identity,
) -> Result<Option<PersonId>, Problem> {
    match wallet.authority.attest(identity, &Hash::default()) {
        Ok(attested) => {
            let index = attested.statement.blind_index;
            Ok(person::view::by_blind_index(&call.view.state, &index))
        }
        Err(IdentityError::NoMatch) => Ok(None),
        Err(error) => Err(unattested(&error)),
    }
}

/// What the authority's error means for somebody who wrote down name and number.
pub(crate) fn unattested(error: &IdentityError) -> Problem {
    match error {
        IdentityError::Document(words) => {
            Problem::new(&code::FIELD_INVALID).at("number").with(words)
        }
        IdentityError::NoMatch => Problem::new(&code::IDENTITY_UNCONFIRMED),
        IdentityError::FaceDiffers => Problem::new(&code::FACE_DIFFERS),
        IdentityError::NoFace => Problem::new(&code::NO_FACE),
        IdentityError::UnknownKeyVersion(_) | IdentityError::Storage(_) => {
            tracing::error!(%error, "the identity authority failed");
            Problem::new(&code::UNAVAILABLE)
        }
    }
}

fn create_wallet(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let request: WalletRequest = call.json()?;
    let ticket = open_ticket(call, &wallet, &request.ticket).ok_or_else(|| {
        count_failure(call);
        Problem::new(&code::TICKET_ENDED)
    })?;
    if request.grade == KeyGrade::Device && request.pin_verifier.is_none() {
        let words = detail!("a device without passkeys needs a PIN");
        return Err(Problem::new(&code::FIELD_INVALID).at("pin_verifier").with(words));
    }
    let person = ticket.person;
    let is_registered = person::view::person(&call.view.state, person)
        .is_some_and(|row| row.key(&request.key).is_some());
    if !is_registered {
        register(call, &wallet, &ticket, &request)?;
    }
    let particulars = Particulars { name: ticket.name, number_end: ticket.number_end };
    wallet.directory.put_people(&[(person, particulars)])?;
    wallet.directory.end_activation(&ticket.blind_index)?;
    let verifier = request.pin_verifier.filter(|_| request.grade == KeyGrade::Device);
    let pin = verifier.map(|verifier| wallet.directory.new_pin(person, &verifier.0)).transpose()?;
    let pin = pin.map(|new| NewPinView { pin: PersonId(new.id), secret: Hash(new.secret) });
    Ok(Reply::json(&WalletView { person, pin })?.status(StatusCode::CREATED))
}

fn open_ticket(call: &Call, wallet: &Wallet, text: &str) -> Option<Ticket> {
    let bytes = wallet.directory.open_ticket(TICKET, &hex::decode(text).ok()?)?;
    codec::decode::<Ticket>(&bytes).ok().filter(|ticket| call.now < ticket.expires)
}

/// Bureau and authority put the key on the ledger.
fn register(
    call: &Call,
    wallet: &Wallet,
    ticket: &Ticket,
    request: &WalletRequest,
) -> Result<(), Problem> {
    let limits = wallet.limits(request.grade);
    let new = NewKey {
        key: request.key,
        grade: request.grade,
        payment_max: limits.payment_max,
        day_max: limits.day_max,
    };
    let machines = [&*wallet.bureau, &*wallet.identity];
    let transaction = if ticket.is_enrolled {
        let body = AddPersonKey { person: ticket.person, by: Actor::Register, new };
        signed(call, &machines, &body)?
    } else {
        let person = NewPerson {
            id: ticket.person,
            commitment: ticket.commitment,
            blind_index: ticket.blind_index,
            keys: vec![new],
        };
        signed(call, &machines, &EnrolPerson { region: wallet.region, person })?
    };
    execute(call, transaction).map(drop).map_err(has_wallet)
}

/// Somebody else was quicker with another key.
fn has_wallet(problem: Problem) -> Problem {
    match problem.code {
        "person_has_keys" | "blind_index_taken" | "person_exists" => {
            Problem::new(&code::HAS_WALLET)
        }
        _ => problem,
    }
}

fn try_pin(call: &Call) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    require_patience(call)?;
    let pin: PersonId = call.path("pin")?;
    let PinTryRequest { verifier } = call.json()?;
    match wallet.directory.try_pin(&pin.0, &verifier.0)? {
        PinTry::Right(secret) => Reply::json(&PinSecretView { secret: Hash(secret) }),
        PinTry::Wrong { left } => {
            count_failure(call);
            Err(Problem::new(&code::DEVICE_PIN_WRONG)
                .at("verifier")
                .with(detail!("tries left: {left}", left)))
        }
        PinTry::Blocked => {
            count_failure(call);
            Err(Problem::new(&code::DEVICE_PIN_GONE))
        }
    }
}

fn profile(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    call.person(session, id)?;
    let wallet = call.wallet()?;
    let known = wallet.directory.person(id)?;
    let (name, number_end) =
        known.map_or_else(Default::default, |known| (known.name, known.number_end));
    let card_last_four = wallet.directory.card(id)?.map(|card| card.last_four);
    Reply::json(&ProfileView { name, number_end, card_last_four })
}
