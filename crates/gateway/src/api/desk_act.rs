//! What the bureau's desk does for a person who stands before it or calls: it is found by name and
//! number, locked and unlocked, rid of a lost key or card, given a code for a new wallet, let back
//! into the old one by guardians' word, and closed; money that a relative sent is claimed for who
//! has no phone, and taken back. The desk's own key signs, and says why; where
//! the ledger wants to know that somebody saw who the person is, the identity authority's signature
//! is added here.
//!
//! Invariants: the authority signs for nobody whose name and number, as the desk writes them down
//! in that request, it does not find to be this very person (test
//! `the_authority_signs_for_nobody_else`); no act is done whose reason is not kept, and the person
//! may read it (test `a_lock_says_who_locked_and_why`).

use adapters::directory::{KeptDeskAct, Particulars};
use axum::http::{Method, StatusCode};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::registry::Kind;
use ledger::modules::family::{ClaimTransfer, WithdrawTransfer};
use ledger::modules::organisation::Scope;
use ledger::modules::person::{
    self, Actor, BlockCard, ClosePerson, CompleteRecovery, LockPerson, PersonStatus,
    ResetPinCounter, RevokePersonKey, SetPaymentLimits, StopRecovery, UnlockPerson,
};
use ledger::{Authorisation, Content};
use primitives::{Hash, OrganisationId, Party, PersonId, PublicKey, Timestamp, codec, detail};
use proof::receipt::OutcomeCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identity::IdentityDocument;
use super::machine::{execute_kept, signed_too};
use super::objection::body_of;
use super::transaction::read_content;
use super::wallet::{random, unattested};
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::{Machine, Wallet};

/// The most characters that a desk writes about an act.
const WORDS_MAX: usize = 300;
/// How many activation codes there are: ten digits.
const ACTIVATION_CODES: u64 = 10_000_000_000;
/// For how long a code from a desk counts, in milliseconds: whoever stands there joins today or
/// tomorrow. Our own limit.
const ACTIVATION_MILLIS: u64 = 2 * 24 * 3_600_000;

const DESK_RULE: &str = "the region's bureau, by a key with the scope `clerk` or `attest`";
const ACT_RULE: &str = "the region's bureau, by a key with the scope `clerk`, and to close a person \
                        by one with the scope `attest`";
const ORGANISATION: Parameter =
    Parameter::path("organisation", "the bureau's code", schema_of::<OrganisationId>);

/// The endpoints of the bureau's desk for people.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/person-lookups",
        operation: "find_person",
        summary: "Finds a person by name and identity number for the bureau's desk",
        access: Access::Party { rule: DESK_RULE, handle: find },
        parameters: &[ORGANISATION],
        body: BodyKind::Json(schema_of::<IdentityDocument>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<FoundPerson>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::IDENTITY_UNCONFIRMED,
            code::NOT_ENROLLED,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/desk-acts",
        operation: "create_desk_act",
        summary: "Puts what the bureau's desk signed for a person on the ledger and keeps why: \
                  `lock_person`, `unlock_person`, `revoke_person_key`, `block_card`, \
                  `reset_pin_counter`, `close_person`, `stop_recovery`, `complete_recovery`, \
                  `claim_transfer`, `withdraw_transfer`. The identity authority signs what needs it, \
                  for the person whose name and number the desk sends; the same again gives the same \
                  receipt",
        access: Access::Party { rule: ACT_RULE, handle: create },
        parameters: &[ORGANISATION],
        body: BodyKind::Signed(schema_of::<NewDeskAct>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<DeskActDone>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::IDENTITY_UNCONFIRMED,
            code::OTHER_PERSON,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/desk-acts",
        operation: "list_desk_acts",
        summary: "Lists what the bureau's desk did for a person and why, the newest first; at most 200",
        access: Access::Party { rule: PERSON_RULE, handle: list },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<DeskActList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/activations",
        operation: "create_activation",
        summary: "Gives somebody who stands at the bureau's desk and has no key a code to open a wallet \
                  with, in place of an earlier one; it counts once, for two days",
        access: Access::Party {
            rule: "the region's bureau, by a key with the scope `clerk`",
            handle: activate,
        },
        parameters: &[ORGANISATION],
        body: BodyKind::Json(schema_of::<IdentityDocument>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<ActivationView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::IDENTITY_UNCONFIRMED,
            code::HAS_WALLET,
            code::UNAVAILABLE,
        ],
    },
];

/// A person whom a desk found.
#[derive(Clone, Serialize, JsonSchema)]
pub struct FoundPerson {
    /// The id on the ledger.
    pub person: PersonId,
    /// The name, as the register confirmed it.
    pub name: String,
    /// The last four characters of the identity document.
    pub number_end: String,
}

/// Why a desk does something for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeskReason {
    /// The person wants it.
    AskedByPerson,
    /// The family wants it.
    AskedByFamily,
    /// A phone is lost or was stolen.
    PhoneLost,
    /// A card is lost or was stolen.
    CardLost,
    /// Somebody else seems to use what is the person's.
    MisuseSuspected,
    /// A court or another authority ordered it.
    Ordered,
    /// What it was for is over.
    Resolved,
    /// The person died; for closing only.
    Death,
    /// The person left for good; for closing only.
    LeftForGood,
    /// Something else, which the words say.
    Other,
}

/// What a desk does for a person.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeskAct {
    /// The content: its bytes in hex, or the content itself; `by` or `actor` is `desk`.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The desk's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// Why.
    pub reason: DeskReason,
    /// More about it, which the person may read.
    #[serde(default)]
    #[schemars(length(max = 300))]
    pub words: String,
    /// Who stands at the desk, for what needs the identity authority.
    #[serde(default)]
    pub identity: Option<IdentityDocument>,
}

/// An act that was done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeskActDone {
    /// The number of its receipt.
    pub receipt: u64,
}

/// What a desk did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeskActList {
    /// The acts.
    pub acts: Vec<DeskActView>,
}

/// Something that a desk did for a person.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeskAct")]
pub struct DeskActView {
    /// The id of its transaction.
    pub act: Hash,
    /// Its kind.
    pub kind: String,
    /// Why.
    pub reason: DeskReason,
    /// More about it.
    pub words: String,
    /// When.
    pub done: Timestamp,
    /// The key that signed, for the bureau alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
}

/// A code to open a wallet with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Activation")]
pub struct ActivationView {
    /// The code: ten digits, to be handed over on paper.
    pub code: String,
    /// Until when it counts.
    pub expires: Timestamp,
}

/// What the directory keeps.
#[derive(BorshSerialize, BorshDeserialize)]
struct Kept {
    kind: u16,
    reason: DeskReason,
    words: String,
    key: PublicKey,
}

/// What a content asks for, as far as this gateway has to know.
struct Asked {
    person: PersonId,
    scope: Scope,
    needs_identity: bool,
}

/// The session is the bureau's of the path, by a key with one of these scopes.
pub(crate) fn require_bureau(
    call: &Call,
    session: &Session,
    scopes: &[Scope],
) -> Result<std::sync::Arc<Wallet>, Problem> {
    let wallet = call.wallet()?;
    let organisation: OrganisationId = call.path("organisation")?;
    let is_bureau = session.party == Party::Organisation(organisation)
        && organisation == wallet.bureau.organisation();
    if !is_bureau {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let may = scopes.iter().any(|scope| session.scopes.contains(scope));
    if may { Ok(wallet) } else { Err(Problem::new(&code::SCOPE_MISSING)) }
}

/// The blind index of whom the register confirms, and who that is on the ledger.
fn identified(
    call: &Call,
    wallet: &Wallet,
    identity: &IdentityDocument,
) -> Result<(Hash, Option<PersonId>), Problem> {
    let attested = wallet.authority.attest(&identity.into(), &Hash::default());
    let index = attested.map_err(|error| unattested(&error))?.statement.blind_index;
    Ok((index, person::view::by_blind_index(&call.view.state, &index)))
}

fn find(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = require_bureau(call, session, &[Scope::Clerk, Scope::Attest])?;
    let identity: IdentityDocument = call.json()?;
    let (_, found) = identified(call, &wallet, &identity)?;
    // Somebody at home elsewhere is that bureau's to serve.
    let is_here = |id: &PersonId| wallet.serves(&call.view.state, *id);
    let person = found.filter(is_here).ok_or_else(|| Problem::new(&code::NOT_ENROLLED))?;
    let Particulars { name, number_end } =
        Particulars::new(identity.name.trim(), identity.number.trim());
    Reply::json(&FoundPerson { person, name, number_end })
}

/// What a content does for whom; nothing else than what a desk does is brought here.
fn asked(call: &Call, content: &Content) -> Result<Asked, Problem> {
    let acting = |person: PersonId, (field, by): (&str, Actor), needs_identity: bool| {
        let invalid = || Problem::new(&code::CHANGE_INVALID).at(field);
        let asked = Asked { person, scope: Scope::Clerk, needs_identity };
        if by == Actor::Desk { Ok(asked) } else { Err(invalid()) }
    };
    let by_desk = |person, by, needs| acting(person, ("content.body.by", by), needs);
    let for_wallet = |person, actor| acting(person, ("content.body.actor", actor), false);
    match content.kind {
        LockPerson::NUMBER => {
            let LockPerson { person, by } = body_of(call, content)?;
            by_desk(person, by, false)
        }
        UnlockPerson::NUMBER => {
            let UnlockPerson { person, by } = body_of(call, content)?;
            by_desk(person, by, true)
        }
        RevokePersonKey::NUMBER => {
            let RevokePersonKey { person, by, .. } = body_of(call, content)?;
            by_desk(person, by, false)
        }
        BlockCard::NUMBER => {
            let BlockCard { person, by } = body_of(call, content)?;
            by_desk(person, by, false)
        }
        ResetPinCounter::NUMBER => {
            let ResetPinCounter { person } = body_of(call, content)?;
            by_desk(person, Actor::Desk, true)
        }
        SetPaymentLimits::NUMBER => {
            let SetPaymentLimits { person, by, .. } = body_of(call, content)?;
            by_desk(person, by, true)
        }
        StopRecovery::NUMBER => {
            let StopRecovery { person, by } = body_of(call, content)?;
            by_desk(person, by, false)
        }
        CompleteRecovery::NUMBER => {
            let CompleteRecovery { person, .. } = body_of(call, content)?;
            by_desk(person, Actor::Desk, true)
        }
        ClaimTransfer::NUMBER => {
            let ClaimTransfer { receiver, actor, .. } = body_of(call, content)?;
            for_wallet(receiver, actor)
        }
        WithdrawTransfer::NUMBER => {
            let WithdrawTransfer { sender, actor, .. } = body_of(call, content)?;
            for_wallet(sender, actor)
        }
        ClosePerson::NUMBER => {
            let ClosePerson { person, .. } = body_of(call, content)?;
            Ok(Asked { person, scope: Scope::Attest, needs_identity: true })
        }
        _ => Err(Problem::new(&code::CHANGE_INVALID).at("content")),
    }
}

/// A reason belongs to what is done, and another one than those that are named needs words.
fn require_reason(kind: u16, reason: DeskReason, words: &str) -> Result<(), Problem> {
    let fits = match reason {
        DeskReason::Death | DeskReason::LeftForGood => kind == ClosePerson::NUMBER,
        DeskReason::AskedByPerson | DeskReason::Ordered | DeskReason::Other => true,
        _ => kind != ClosePerson::NUMBER,
    };
    if !fits {
        let words = detail!("this reason belongs to another act");
        return Err(Problem::new(&code::FIELD_INVALID).at("reason").with(words));
    }
    let count = words.chars().count();
    if count > WORDS_MAX {
        let words = detail!("write at most {max} characters", max = WORDS_MAX);
        return Err(Problem::new(&code::FIELD_INVALID).at("words").with(words));
    }
    if reason == DeskReason::Other && count == 0 {
        let words = detail!("say what the other reason is");
        return Err(Problem::new(&code::FIELD_INVALID).at("words").with(words));
    }
    Ok(())
}

/// The blind index of the one who stands at the desk, who must be this person.
fn require_identity(
    call: &Call,
    wallet: &Wallet,
    identity: Option<&IdentityDocument>,
    person: PersonId,
) -> Result<Hash, Problem> {
    let missing = || {
        let words = detail!("write name and number as in the document");
        Problem::new(&code::FIELD_INVALID).at("identity").with(words)
    };
    let (index, found) = identified(call, wallet, identity.ok_or_else(missing)?)?;
    if found == Some(person) {
        return Ok(index);
    }
    Err(Problem::new(&code::OTHER_PERSON).at("identity.number"))
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = require_bureau(call, session, &[Scope::Clerk, Scope::Attest])?;
    let NewDeskAct { content, mut authorisations, reason, words, identity } = call.json()?;
    let content = read_content(call, content)?;
    let Asked { person, scope, needs_identity } = asked(call, &content)?;
    require_bureau(call, session, &[scope])?;
    if content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content.author"));
    }
    let words = words.trim().to_owned();
    require_reason(content.kind, reason, &words)?;
    let (id, kind) = (content.id(), content.kind);
    let mut authority: Vec<&dyn Machine> = Vec::new();
    let index = if needs_identity {
        let index = require_identity(call, &wallet, identity.as_ref(), person)?;
        authorisations.retain(|one| one.party == session.party);
        authority.push(&*wallet.identity);
        Some(index)
    } else {
        None
    };
    let statement = codec::encode(&Kept { kind, reason, words, key: session.key });
    let act = KeptDeskAct { id, person, statement, done: call.instant() };
    wallet.directory.put_desk_act(&act)?;
    let placed = execute_kept(call, signed_too(content, authorisations, &authority)?, || {
        let _ = wallet.directory.forget_desk_act(&id);
    })?;
    if let (ClosePerson::NUMBER, Some(index)) = (kind, index) {
        wallet.directory.erase_wallet(person)?;
        wallet.notices.post.book().forget(person)?;
        wallet.directory.end_activation(&index)?;
    }
    Ok(Reply::json(&DeskActDone { receipt: placed.index })?.status(StatusCode::CREATED))
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    call.person(session, id)?;
    let is_bureau = matches!(session.party, Party::Organisation(_));
    let chain = call.gateway.port.chain();
    let mut acts = Vec::new();
    for act in call.wallet()?.directory.desk_acts(id)? {
        let Some(found) = chain.receipt_of_transaction(act.id)? else { continue };
        if found.receipt.record.outcome != OutcomeCode::Accepted {
            continue;
        }
        let kept: Kept =
            codec::decode(&act.statement).map_err(|_| Problem::new(&code::INTERNAL))?;
        let kind = chain.registry().by_number(kept.kind);
        acts.push(DeskActView {
            act: act.id,
            kind: kind.map_or_else(String::new, |kind| kind.name.to_owned()),
            reason: kept.reason,
            words: kept.words,
            done: act.done,
            key: is_bureau.then_some(kept.key),
        });
    }
    Reply::json(&DeskActList { acts })
}

fn activate(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = require_bureau(call, session, &[Scope::Clerk])?;
    let identity: IdentityDocument = call.json()?;
    let (index, found) = identified(call, &wallet, &identity)?;
    let row = found.and_then(|id| person::view::person(&call.view.state, id));
    if row.as_ref().is_some_and(|row| !row.keys.is_empty()) {
        return Err(Problem::new(&code::HAS_WALLET));
    }
    if row.as_ref().is_some_and(|row| row.status != PersonStatus::Active) {
        return Err(Problem::rejected(&person::rejection::PERSON_CLOSED.reject()));
    }
    let code = new_activation_code()?;
    let expires = call.now.plus_millis(ACTIVATION_MILLIS);
    wallet.directory.put_activation(&index, &code, expires)?;
    Ok(Reply::json(&ActivationView { code, expires })?.status(StatusCode::CREATED))
}

/// A fresh code of ten digits.
pub(super) fn new_activation_code() -> Result<String, Problem> {
    // Of so many random numbers, each of the ten digits comes as often as the others.
    let number = u64::from_le_bytes(random()?).checked_rem(ACTIVATION_CODES).unwrap_or_default();
    Ok(format!("{number:010}"))
}
