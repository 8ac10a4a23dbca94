//! Objections: what a person says against a settlement, and what is answered.
//!
//! That there is one, by when it has to be answered and what was decided stands on the ledger; the
//! words, to which it has commitments, lie in the bureau's directory.
//!
//! Invariant: no objection is raised whose words are not kept, and no words are shown that the
//! ledger's commitment is not to (test `the_words_of_an_objection_belong_to_it`).

use adapters::directory::{Dispute, DisputeKind, WrittenAnswer};
use axum::http::{Method, StatusCode};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::registry::Kind;
use ledger::modules::network;
use ledger::modules::organisation::Scope;
use ledger::modules::visit::{
    AnswerObjection, ObjectToSettlement, ObjectionAnswer, VisitRow, VisitSubject, view,
};
use ledger::{Authorisation, Content, Transaction};
use primitives::{Hash, OrganisationId, Party, Timestamp, VisitId, codec, detail, sha256_parts};
use proof::receipt::OutcomeCode;
use serde::de::DeserializeOwned;

use super::receipt::not_found;
use super::request::ContentHead;
use super::transaction::{SubmittedView, read_content, submit_signed};
use crate::access::VISIT_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

mod form;

pub use form::{
    AnswerView, AnswerWords, NewAnswer, NewObjection, ObjectionList, ObjectionReason,
    ObjectionStanding, ObjectionView, ObjectionWords, Proposal,
};
use form::{LINES_MAX, WORDS_MAX};

/// The most bytes of an objection: it brings the settlement's record along.
const OBJECTION_BYTES_MAX: usize = 2 << 20;
/// A day in milliseconds.
const DAY_MILLIS: u64 = 24 * 3_600_000;

const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);

/// The endpoints of objections.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/objections",
        operation: "create_objection",
        summary: "Objects to a settlement: keeps the words and puts the objection on the ledger; the \
                  provider has to answer. The same again gives the same receipt with status 200",
        access: Access::Party { rule: "the visit's person", handle: create },
        parameters: &[VISIT],
        body: BodyKind::Signed(schema_of::<NewObjection>, OBJECTION_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::NOT_YOURS,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::IN_PROGRESS,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/objections",
        operation: "list_visit_objections",
        summary: "Lists the objections to a visit's settlement with their answers, the newest first",
        access: Access::Party { rule: VISIT_RULE, handle: of_visit },
        parameters: &[VISIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ObjectionList>),
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/objections",
        operation: "list_objections",
        summary: "Lists the objections that wait for an organisation, the oldest first: a provider's own, \
                  or all for the bureau; at most 200",
        access: Access::Party { rule: "the organisation itself", handle: list },
        parameters: &[Parameter::path(
            "organisation",
            "the organisation's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ObjectionList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/objections/{objection}/answers",
        operation: "write_answer",
        summary: "Keeps the words of an answer before it is given; an answer that needs the bureau's \
                  signature too is shown to the bureau",
        access: Access::Party {
            rule: "the visit's provider, by a key with the scope `settle`, and the bureau, by one \
                   with the scope `countersign`",
            handle: write_answer,
        },
        parameters: &[Parameter::path(
            "objection",
            "the id of the transaction that raised it",
            schema_of::<Hash>,
        )],
        body: BodyKind::Json(schema_of::<NewAnswer>, OBJECTION_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::OBJECTION_CLOSED,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::KIND_UNKNOWN,
            code::TRANSACTION_MALFORMED,
            code::TRANSACTION_BODY_INVALID,
        ],
    },
];

/// An objection's words as the directory keeps them.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptStatement {
    salt: Hash,
    text: String,
}

/// An answer as the directory keeps it.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptAnswer {
    salt: Hash,
    text: String,
    content: Content,
    authorisations: Vec<Authorisation>,
}

/// The salted commitment to a statement.
pub(super) fn commitment(salt: &Hash, text: &str) -> Hash {
    sha256_parts(&[b"yibao/statement/v1", &salt.0, text.as_bytes()])
}

/// What a statement says, once its commitment is the transaction's.
pub(super) fn read_statement<T: DeserializeOwned>(
    (salt, text): (&Hash, &str),
    committed: &Hash,
) -> Result<T, Problem> {
    if commitment(salt, text) != *committed {
        return Err(Problem::new(&code::STATEMENT_DIFFERS).at("statement"));
    }
    let invalid = |error| {
        let words = crate::problem::foreign::json(&error);
        Problem::new(&code::FIELD_INVALID).at("statement").with(words)
    };
    serde_json::from_str(text).map_err(invalid)
}

pub(super) fn require_length(words: &str) -> Result<(), Problem> {
    if words.chars().count() <= WORDS_MAX {
        return Ok(());
    }
    let words = detail!("write at most {max} characters", max = WORDS_MAX);
    Err(Problem::new(&code::FIELD_INVALID).at("statement.words").with(words))
}

/// The body of a content of this kind, written for this ledger.
pub(super) fn body_of<K: Kind>(call: &Call, content: &Content) -> Result<K, Problem> {
    let is_fitting =
        content.kind == K::NUMBER && content.chain_id == call.gateway.port.chain().chain_id();
    if !is_fitting {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    codec::decode(&content.body).map_err(|_| Problem::new(&code::TRANSACTION_MALFORMED))
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    let seen = call.visit(session, visit)?;
    let person = seen.subject.person;
    if session.party != Party::Person(person) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let NewObjection { content, authorisations, statement, salt } = call.json()?;
    let content = read_content(call, content)?;
    let body: ObjectToSettlement = body_of(call, &content)?;
    if body.original.visit != visit || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let said: ObjectionWords = read_statement((&salt, &statement), &body.statement)?;
    require_length(&said.words)?;
    if said.lines.len() > LINES_MAX {
        return Err(Problem::new(&code::FIELD_INVALID).at("statement.lines"));
    }
    call.wallet()?.directory.put_dispute(&Dispute {
        kind: DisputeKind::Objection,
        id: content.id(),
        visit,
        person,
        provider: seen.subject.provider,
        statement: codec::encode(&KeptStatement { salt, text: statement }),
        raised: call.instant(),
        answer: None,
    })?;
    submit_signed(call, session.party, Transaction::signed_by(content, authorisations))
}

/// Whether the ledger has accepted a transaction.
pub(super) fn is_accepted(call: &Call, id: &Hash) -> Result<bool, Problem> {
    let found = call.gateway.port.chain().receipt_of_transaction(*id)?;
    Ok(found.is_some_and(|one| one.receipt.record.outcome == OutcomeCode::Accepted))
}

/// From when on the bureau may answer alone.
fn due(call: &Call, subject: &VisitSubject, raised: Timestamp) -> Timestamp {
    let region = network::view::region(&call.view.state, subject.region);
    let days = region.map_or(0, |region| u64::from(region.settings.objection_answer_days));
    raised.plus_millis(days.saturating_mul(DAY_MILLIS))
}

/// Reads what the directory keeps.
pub(super) fn read_kept<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, Problem> {
    codec::decode(bytes).map_err(|_| Problem::new(&code::INTERNAL))
}

/// An answer as it was written, with what it says on the ledger.
struct Written {
    kept: KeptAnswer,
    body: AnswerObjection,
}

fn read_answer(answer: &WrittenAnswer) -> Result<Written, Problem> {
    let kept: KeptAnswer = read_kept(&answer.statement)?;
    let body = read_kept(&kept.content.body)?;
    Ok(Written { kept, body })
}

/// An objection as it stands; nothing for one that the ledger never took.
fn view_of(
    call: &Call,
    session: &Session,
    objection: &Dispute,
) -> Result<Option<ObjectionView>, Problem> {
    if !is_accepted(call, &objection.id)? {
        return Ok(None);
    }
    let kept: KeptStatement = read_kept(&objection.statement)?;
    let subject = call.any_visit(objection.visit)?.subject;
    let answer = objection.answer.as_ref().map(read_answer).transpose()?;
    let standing = standing(call, objection, &kept, answer.as_ref().map(|one| one.body.answer))?;
    let is_signer = matches!(session.party, Party::Organisation(_));
    let may_sign = is_signer && standing == ObjectionStanding::Refused;
    Ok(Some(ObjectionView {
        objection: objection.id,
        visit: objection.visit,
        provider: objection.provider,
        raised: objection.raised,
        due: due(call, &subject, objection.raised),
        said: said(&kept.text)?,
        standing,
        answer: answer.map(|one| answer_view(one, may_sign)).transpose()?,
    }))
}

/// What a kept statement says; it was read before it was kept.
pub(super) fn said<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|_| Problem::new(&code::INTERNAL))
}

fn answer_view(written: Written, may_sign: bool) -> Result<AnswerView, Problem> {
    let Written { kept: KeptAnswer { salt, text, content, authorisations }, body } = written;
    Ok(AnswerView {
        answer: body.answer,
        said: said(&text)?,
        proposal: may_sign.then(|| Proposal {
            transaction_id: content.id(),
            head: ContentHead::of(&content),
            body,
            statement: text,
            salt,
            authorisations,
        }),
    })
}

/// What the ledger says comes first: answers may be given without words that are kept here.
fn standing(
    call: &Call,
    objection: &Dispute,
    kept: &KeptStatement,
    verdict: Option<ObjectionAnswer>,
) -> Result<ObjectionStanding, Problem> {
    let given = objection.answer.as_ref().map(|one| is_accepted(call, &one.id)).transpose()?;
    if given == Some(true) {
        return Ok(match verdict {
            Some(ObjectionAnswer::Upheld) => ObjectionStanding::Upheld,
            Some(ObjectionAnswer::Dismissed) => ObjectionStanding::Dismissed,
            None => ObjectionStanding::Closed,
        });
    }
    let Some(VisitRow::Settled(settled)) = view::visit(&call.view.state, objection.visit) else {
        return Ok(ObjectionStanding::Closed);
    };
    let statement = commitment(&kept.salt, &kept.text);
    let is_open = settled.objection.is_some_and(|one| one.statement == statement && !one.upheld);
    Ok(match (is_open, verdict) {
        (false, _) => ObjectionStanding::Closed,
        (true, Some(ObjectionAnswer::Dismissed)) => ObjectionStanding::Refused,
        (true, _) => ObjectionStanding::Waiting,
    })
}

fn of_visit(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    call.visit(session, visit)?;
    let found = call.wallet()?.directory.disputes_of(DisputeKind::Objection, visit)?;
    let views =
        found.iter().map(|one| view_of(call, session, one)).collect::<Result<Vec<_>, _>>()?;
    Reply::json(&ObjectionList { objections: views.into_iter().flatten().collect() })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let organisation: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(organisation) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let wallet = call.wallet()?;
    let is_bureau = network::view::is_bureau(&call.view.state, wallet.region, organisation);
    let provider = (!is_bureau).then_some(organisation);
    let mut objections = Vec::new();
    for one in wallet.directory.open_disputes(DisputeKind::Objection, provider)? {
        match view_of(call, session, &one)? {
            Some(view) if is_unanswered(view.standing) => objections.push(view),
            Some(_) => wallet.directory.close_dispute(&one.id)?,
            // It is on its way, or was rejected.
            None => {}
        }
    }
    Reply::json(&ObjectionList { objections })
}

const fn is_unanswered(standing: ObjectionStanding) -> bool {
    matches!(standing, ObjectionStanding::Waiting | ObjectionStanding::Refused)
}

fn write_answer(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: Hash = call.path("objection")?;
    let wallet = call.wallet()?;
    let objection = wallet.directory.dispute(&id)?.ok_or_else(not_found)?;
    let scope = match session.party {
        Party::Organisation(party) if party == objection.provider => Scope::Settle,
        Party::Organisation(party)
            if network::view::is_bureau(&call.view.state, wallet.region, party) =>
        {
            Scope::Countersign
        }
        Party::Organisation(_) | Party::Person(_) => return Err(not_found()),
    };
    if !session.scopes.contains(&scope) {
        return Err(Problem::new(&code::SCOPE_MISSING));
    }
    let standing = view_of(call, session, &objection)?.ok_or_else(not_found)?.standing;
    if !is_unanswered(standing) {
        return Err(Problem::new(&code::OBJECTION_CLOSED));
    }
    let NewAnswer { content, authorisations, statement, salt } = call.json()?;
    let content = read_content(call, content)?;
    let body: AnswerObjection = body_of(call, &content)?;
    if body.original.visit != objection.visit || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let said: AnswerWords = read_statement((&salt, &statement), &body.statement)?;
    require_length(&said.words)?;
    if said.words.trim().is_empty() && body.answer == ObjectionAnswer::Dismissed {
        let words = detail!("say why");
        return Err(Problem::new(&code::FIELD_INVALID).at("statement.words").with(words));
    }
    let kept = KeptAnswer { salt, text: statement, content: content.clone(), authorisations };
    let answer = WrittenAnswer { id: content.id(), statement: codec::encode(&kept) };
    wallet.directory.write_answer(&id, &answer)?;
    Ok(Reply::nothing().status(StatusCode::NO_CONTENT))
}
