//! Contests: somebody says that organisations alone agreed to a settlement where they may not, and
//! the bureau decides. An upheld one gives all of it back in the same transaction.
//!
//! That there is one and what was decided stands on the ledger; the words, to which it has
//! commitments, lie in the bureau's directory.
//!
//! Invariants: no contest is raised and none decided whose words are not kept (test
//! `the_words_of_a_contest_belong_to_it`); only the visit's bureau decides (test
//! `the_bureau_alone_decides`).

use adapters::directory::{Dispute, DisputeKind, WrittenAnswer};
use axum::http::Method;
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::modules::organisation::Scope;
use ledger::modules::person::Actor;
use ledger::modules::visit::{
    Contest, ContestConsent, ContestDecision, DecideContest, VisitRow, rejection, view,
};
use ledger::{Authorisation, Transaction};
use primitives::{
    Amount, Hash, OrganisationId, Party, PersonId, Timestamp, VisitId, codec, detail,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objection::{
    body_of, commitment, is_accepted, read_kept, read_statement, require_length, said,
};
use super::receipt::not_found;
use super::transaction::{SubmittedView, read_content, submit_signed};
use crate::access::VISIT_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;

/// The most bytes of a contest: it brings the settlement's record along.
const CONTEST_BYTES_MAX: usize = 2 << 20;

const VISIT: Parameter = Parameter::path("visit", "the visit's id", schema_of::<VisitId>);

/// The endpoints of contests.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/visits/{visit}/contests",
        operation: "create_contest",
        summary: "Contests that organisations alone agreed to a settlement: keeps the words and puts the \
                  contest on the ledger; the bureau has to decide. The same again gives the same \
                  receipt with status 200",
        access: Access::Party {
            rule: "the visit's person, or the bureau of the visit's region for somebody who comes to \
                   its desk, by a key with the scope `clerk`",
            handle: create,
        },
        parameters: &[VISIT],
        body: BodyKind::Signed(schema_of::<NewContest>, CONTEST_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::IN_PROGRESS,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}/contests",
        operation: "list_visit_contests",
        summary: "Lists the contests of a visit with what was decided, the newest first",
        access: Access::Party { rule: VISIT_RULE, handle: of_visit },
        parameters: &[VISIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ContestList>),
        problems: &[code::NO_WALLET, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/contests",
        operation: "list_contests",
        summary: "Lists the contests that wait for the bureau, the oldest first; at most 200",
        access: Access::Party { rule: "the region's bureau", handle: list },
        parameters: &[Parameter::path(
            "organisation",
            "the bureau's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ContestList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/contests/{contest}/decisions",
        operation: "decide_contest",
        summary: "Decides a contest: keeps the reasons and puts the decision on the ledger; upheld, all of \
                  the settlement goes back. The same again gives the same receipt with status 200",
        access: Access::Party {
            rule: "the bureau of the visit's region, by a key with the scope `countersign`",
            handle: decide,
        },
        parameters: &[Parameter::path(
            "contest",
            "the id of the transaction that raised it",
            schema_of::<Hash>,
        )],
        body: BodyKind::Signed(schema_of::<NewContestDecision>, CONTEST_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::IN_PROGRESS,
        ],
    },
];

/// What a contest says, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestWords {
    /// What it is about.
    pub reason: ContestReason,
    /// In the person's own words; may be empty.
    #[schemars(length(max = 500))]
    pub words: String,
}

/// Why somebody contests a consent that others gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContestReason {
    /// The person was not there: somebody else was treated in that name.
    NotMe,
    /// The person could have been asked, and was not.
    NotAsked,
    /// The person was asked and did not agree.
    NotAgreed,
    /// Something else.
    Other,
}

/// What a decision says, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionWords {
    /// Why; never empty.
    #[schemars(length(min = 1, max = 500))]
    pub words: String,
}

/// A contest to be raised.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContest {
    /// A `contest_consent`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The signature of the person, or of the desk.
    pub authorisations: Vec<Authorisation>,
    /// What is said: `ContestWords` as JSON text, byte for byte as the commitment has it, which is
    /// `SHA-256("yibao/statement/v1" || salt || statement)`.
    #[schemars(length(max = 16_384))]
    pub statement: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// A decision to be made.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContestDecision {
    /// A `decide_contest`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The bureau's signature.
    pub authorisations: Vec<Authorisation>,
    /// What is said: `DecisionWords` as JSON text, byte for byte as the commitment has it.
    #[schemars(length(max = 16_384))]
    pub statement: String,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// Contests.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContestList {
    /// The contests.
    pub contests: Vec<ContestView>,
}

/// A contest.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Contest")]
pub struct ContestView {
    /// The id of the transaction that raised it.
    pub contest: Hash,
    /// The visit.
    pub visit: VisitId,
    /// Whose.
    pub person: PersonId,
    /// The person's name, for the bureau, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who treated the person.
    pub provider: OrganisationId,
    /// How the settlement was agreed to.
    pub consent: String,
    /// What the settlement came to when it was contested, in minor units.
    pub total: Amount,
    /// When it was raised.
    pub raised: Timestamp,
    /// What is said.
    pub said: ContestWords,
    /// Where it stands.
    pub standing: ContestStanding,
    /// What the bureau said to its decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionWords>,
}

/// Where a contest stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContestStanding {
    /// The bureau has to decide.
    Waiting,
    /// All of the settlement went back.
    Upheld,
    /// The consent stands.
    Rejected,
    /// It is over in another way.
    Closed,
}

/// A contest's words as the directory keeps them.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptStatement {
    salt: Hash,
    text: String,
    consent: String,
    total: Amount,
}

/// A decision as the directory keeps it.
#[derive(BorshSerialize, BorshDeserialize)]
struct KeptDecision {
    salt: Hash,
    decision: ContestDecision,
    text: String,
}

/// The session is the bureau of a visit's region, by a key with this scope.
fn require_bureau(
    call: &Call,
    session: &Session,
    visit: VisitId,
    scope: Scope,
) -> Result<(), Problem> {
    let subject = call.visit(session, visit)?.subject;
    let is_bureau = matches!(session.party, Party::Organisation(id)
        if ledger::modules::network::view::is_bureau(&call.view.state, subject.region, id));
    if !is_bureau {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    if session.scopes.contains(&scope) { Ok(()) } else { Err(Problem::new(&code::SCOPE_MISSING)) }
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    let seen = call.visit(session, visit)?;
    let person = seen.subject.person;
    let NewContest { content, authorisations, statement, salt } = call.json()?;
    let by = if session.party == Party::Person(person) {
        Actor::OwnKey
    } else {
        require_bureau(call, session, visit, Scope::Clerk)?;
        Actor::Desk
    };
    let content = read_content(call, content)?;
    let body: ContestConsent = body_of(call, &content)?;
    let is_fitting = body.original.visit == visit && body.by == by;
    if !is_fitting || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let said: ContestWords = read_statement((&salt, &statement), &body.statement)?;
    require_length(&said.words)?;
    let kept = KeptStatement {
        salt,
        text: statement,
        consent: body.original.consent.name().to_owned(),
        total: body.original.total(),
    };
    call.wallet()?.directory.put_dispute(&Dispute {
        kind: DisputeKind::Contest,
        id: content.id(),
        visit,
        person,
        provider: seen.subject.provider,
        statement: codec::encode(&kept),
        raised: call.instant(),
        answer: None,
    })?;
    submit_signed(call, session.party, Transaction::signed_by(content, authorisations))
}

/// What the ledger says comes first: a decision may be made without words that are kept here.
fn standing(
    call: &Call,
    contest: &Dispute,
    kept: &KeptStatement,
    decided: Option<(&Hash, ContestDecision)>,
) -> Result<ContestStanding, Problem> {
    if let Some((id, decision)) = decided
        && is_accepted(call, id)?
    {
        return Ok(match decision {
            ContestDecision::Upheld => ContestStanding::Upheld,
            ContestDecision::Rejected => ContestStanding::Rejected,
        });
    }
    let words = commitment(&kept.salt, &kept.text);
    let Some(VisitRow::Settled(settled)) = view::visit(&call.view.state, contest.visit) else {
        return Ok(ContestStanding::Closed);
    };
    let is_open =
        matches!(settled.contest, Some(Contest::Open { statement, .. }) if statement == words);
    Ok(if is_open { ContestStanding::Waiting } else { ContestStanding::Closed })
}

/// A contest as it stands; nothing for one that the ledger never took.
fn view_of(
    call: &Call,
    session: &Session,
    contest: &Dispute,
) -> Result<Option<ContestView>, Problem> {
    if !is_accepted(call, &contest.id)? {
        return Ok(None);
    }
    let kept: KeptStatement = read_kept(&contest.statement)?;
    let written: Option<(&Hash, KeptDecision)> = match &contest.answer {
        Some(WrittenAnswer { id, statement }) => Some((id, read_kept(statement)?)),
        None => None,
    };
    let decided = written.as_ref().map(|(id, words)| (*id, words.decision));
    let standing = standing(call, contest, &kept, decided)?;
    let is_decided = matches!(standing, ContestStanding::Upheld | ContestStanding::Rejected);
    let words = written.filter(|_| is_decided).map(|(_, words)| said(&words.text)).transpose()?;
    let is_organisation = matches!(session.party, Party::Organisation(_));
    Ok(Some(ContestView {
        contest: contest.id,
        visit: contest.visit,
        person: contest.person,
        name: if is_organisation { call.name_of(contest.person)? } else { None },
        provider: contest.provider,
        consent: kept.consent,
        total: kept.total,
        raised: contest.raised,
        said: said(&kept.text)?,
        standing,
        decision: words,
    }))
}

fn of_visit(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let visit: VisitId = call.path("visit")?;
    call.visit(session, visit)?;
    let found = call.wallet()?.directory.disputes_of(DisputeKind::Contest, visit)?;
    let views =
        found.iter().map(|one| view_of(call, session, one)).collect::<Result<Vec<_>, _>>()?;
    Reply::json(&ContestList { contests: views.into_iter().flatten().collect() })
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    let organisation: OrganisationId = call.path("organisation")?;
    let is_bureau = session.party == Party::Organisation(organisation)
        && organisation == wallet.bureau.organisation();
    if !is_bureau {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let mut contests = Vec::new();
    for one in wallet.directory.open_disputes(DisputeKind::Contest, None)? {
        match view_of(call, session, &one)? {
            Some(view) if view.standing == ContestStanding::Waiting => contests.push(view),
            Some(_) => wallet.directory.close_dispute(&one.id)?,
            // It is on its way, or was never raised.
            None => {}
        }
    }
    Reply::json(&ContestList { contests })
}

fn decide(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let wallet = call.wallet()?;
    let id: Hash = call.path("contest")?;
    let contest = wallet.directory.dispute(&id)?.ok_or_else(not_found)?;
    require_bureau(call, session, contest.visit, Scope::Countersign)?;
    let NewContestDecision { content, authorisations, statement, salt } = call.json()?;
    let content = read_content(call, content)?;
    let body: DecideContest = body_of(call, &content)?;
    if body.original.visit != contest.visit || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let words: DecisionWords = read_statement((&salt, &statement), &body.statement)?;
    require_length(&words.words)?;
    if words.words.trim().is_empty() {
        let words = detail!("say why");
        return Err(Problem::new(&code::FIELD_INVALID).at("statement.words").with(words));
    }
    // The words of a decision that was made stay.
    let before = contest.answer.as_ref().map(|one| one.id);
    let made = before.map(|made| is_accepted(call, &made)).transpose()? == Some(true);
    let is_again = before == Some(content.id());
    if made && !is_again {
        return Err(Problem::rejected(&rejection::NO_OPEN_CONTEST.reject()));
    }
    let kept = KeptDecision { salt, decision: body.decision, text: statement };
    let answer = WrittenAnswer { id: content.id(), statement: codec::encode(&kept) };
    wallet.directory.write_answer(&id, &answer)?;
    submit_signed(call, session.party, Transaction::signed_by(content, authorisations))
}
