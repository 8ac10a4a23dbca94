//! The bank card of a wallet: bound by its number after a small test authorisation, and let go.
//!
//! A card number is read here once, handed to the bank, and kept nowhere: the directory has the
//! bank's token and the last four digits, sealed, and the ledger nothing. The holder's name is the
//! one in the bureau's directory, so nobody binds a card of somebody else.

use adapters::directory::BoundCard;
use adapters::rail::card::{BindCard, BindCardError, CardNumber};
use adapters::rail::{Reference, Refusal};
use axum::http::{Method, StatusCode};
use primitives::{Hash, PersonId, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use super::wallet::{count_failure, require_patience};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);
const RULE: &str = "the person alone";

/// The endpoints of bound cards.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/card",
        operation: "bind_card",
        summary: "Binds a bank card in the person's own name after a small test authorisation, which is \
                  released at once; an earlier card gives way. The same attempt again asks the bank \
                  for nothing new",
        access: Access::Party { rule: RULE, handle: bind },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<NewCard>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<CardEnd>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::CARD_UNKNOWN,
            code::CARD_OF_SOMEBODY_ELSE,
            code::CARD_BLOCKED,
            code::CARD_EXPIRED,
            code::CARD_EMPTY,
            code::CARD_DECLINED,
            code::BANK_SILENT,
        ],
    },
    Endpoint {
        method: Method::DELETE,
        path: "/v1/persons/{person}/card",
        operation: "unbind_card",
        summary: "Lets the bound bank card go; payments that the ledger ordered before still go through",
        access: Access::Party { rule: RULE, handle: unbind },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::NO_BOUND_CARD],
    },
];

/// A card to be bound.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    /// All digits of the card's front; spaces and hyphens are left out. Kept nowhere.
    #[schemars(length(max = 40))]
    pub number: String,
    /// The attempt: 32 random bytes in hex, the same when an answer did not come.
    pub attempt: Hash,
}

/// A bound card, as its holder recognises it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CardEnd {
    /// The last four digits.
    pub last_four: String,
}

fn bind(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let wallet = call.wallet()?;
    require_patience(call)?;
    let NewCard { number, attempt } = call.json()?;
    let number: CardNumber = number
        .parse()
        .map_err(|error| Problem::new(&code::FIELD_INVALID).at("number").with(error))?;
    let holder = wallet.directory.person(person)?.ok_or_else(not_found)?.name;
    let parts = [b"yibao/card-binding/v1".as_slice(), &person.0, &attempt.0];
    let reference = Reference(sha256_parts(&parts));
    let request = BindCard { reference, number, holder_name: holder };
    // Each bank is asked until one knows the card.
    let mut answer = Err(BindCardError::Refused(Refusal::CardUnknown));
    for executor in wallet.executors.values() {
        answer = executor.bind_card(&request);
        if answer != Err(BindCardError::Refused(Refusal::CardUnknown)) {
            break;
        }
    }
    let card: BoundCard = answer.map_err(|error| refused(call, error))?;
    let last_four = card.last_four.clone();
    wallet.directory.put_cards(&[(person, card)])?;
    Ok(Reply::json(&CardEnd { last_four })?.status(StatusCode::CREATED))
}

/// What the bank said; whoever tries numbers that are nobody's, or somebody else's, has to wait.
fn refused(call: &Call, error: BindCardError) -> Problem {
    let refusal = match error {
        BindCardError::Unknown => return Problem::new(&code::BANK_SILENT),
        BindCardError::Refused(refusal) => refusal,
    };
    if matches!(refusal, Refusal::CardUnknown | Refusal::HolderMismatch) {
        count_failure(call);
    }
    match refusal {
        Refusal::CardUnknown => Problem::new(&code::CARD_UNKNOWN).at("number"),
        Refusal::HolderMismatch => Problem::new(&code::CARD_OF_SOMEBODY_ELSE).at("number"),
        Refusal::CardBlocked => Problem::new(&code::CARD_BLOCKED).at("number"),
        Refusal::CardExpired => Problem::new(&code::CARD_EXPIRED).at("number"),
        Refusal::InsufficientFunds => Problem::new(&code::CARD_EMPTY).at("number"),
        other => Problem::new(&code::CARD_DECLINED).at("number").with(other),
    }
}

fn unbind(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    if call.wallet()?.directory.forget_card(person)? {
        Ok(Reply::nothing())
    } else {
        Err(Problem::new(&code::NO_BOUND_CARD))
    }
}
