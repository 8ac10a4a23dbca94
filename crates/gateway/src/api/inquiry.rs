//! Inquiries: a person asks or reports something of which nothing stands on the ledger yet, and
//! the organisation that it concerns answers. A bill that waits and is wrong goes to its provider
//! before it is paid; wrong data go to the bureau.
//!
//! Invariant: whom an inquiry goes to follows from what it is about, never from the request (test
//! `an_inquiry_goes_to_whom_it_concerns`).

use adapters::directory::{Inquiry, NewInquiry};
use adapters::notice::About;
use axum::http::{Method, StatusCode};
use ledger::IdempotencyKey;
use ledger::modules::network;
use ledger::modules::organisation::Scope;
use primitives::{Hash, OrganisationId, Party, PersonId, Timestamp, VisitId, detail, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objection::ObjectionReason;
use super::receipt::not_found;
use super::request::{RequestStanding, standing_of};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::notices::note;
use crate::problem::{Problem, code};
use crate::session::Session;

/// The most characters that somebody writes.
const WORDS_MAX: usize = 500;
/// The most lines that an inquiry names.
const LINES_MAX: usize = 1_000;
/// A day in milliseconds.
const DAY_MILLIS: u64 = 24 * 3_600_000;

const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);

/// The endpoints of inquiries.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/inquiries",
        operation: "create_inquiry",
        summary: "Asks or reports something: a bill that waits and is wrong goes to its provider, what \
                  concerns a visit too, everything else to the bureau; the same key again gives the \
                  same number",
        access: Access::Party { rule: "the person", handle: create },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<InquiryRequest>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<InquiryView>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::REQUEST_OVER,
            code::INQUIRIES_TOO_MANY,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/inquiries",
        operation: "list_own_inquiries",
        summary: "Lists a person's inquiries with their answers, the newest first, at most 200",
        access: Access::Party { rule: "the person", handle: own },
        parameters: &[PERSON],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<InquiryList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/inquiries",
        operation: "list_inquiries",
        summary: "Lists the inquiries that wait for an organisation, the oldest first, at most 200",
        access: Access::Party { rule: "the organisation itself", handle: worklist },
        parameters: &[Parameter::path(
            "organisation",
            "the organisation's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<InquiryList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/inquiries/{inquiry}/answers",
        operation: "answer_inquiry",
        summary: "Answers an inquiry, once",
        access: Access::Party {
            rule: "the organisation that has to answer: a provider by a key with the scope \
                   `settle`, the bureau by one with the scope `countersign`",
            handle: answer,
        },
        parameters: &[Parameter::path("inquiry", "the inquiry's number", schema_of::<u64>)],
        body: BodyKind::Json(schema_of::<InquiryAnswer>, JSON_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::SCOPE_MISSING, code::INQUIRY_ANSWERED],
    },
];

/// What an inquiry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InquiryAbout {
    /// A bill that waits to be paid; `request` says which.
    Bill,
    /// A settled or open visit; `visit` says which.
    Visit,
    /// Who the person is: name, number, phone.
    Identity,
    /// Cover, facts, running amounts, account.
    Coverage,
    /// A premium.
    Premium,
    /// The person wants the account closed.
    Closing,
    /// Something else.
    Other,
}

/// What is asked, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryWords {
    /// What it is about.
    pub about: InquiryAbout,
    /// For a bill: what is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ObjectionReason>,
    /// For a bill: the lines that it is about, by number; none for all of it.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub lines: Vec<u32>,
    /// In the person's own words.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub words: String,
}

/// An inquiry to be made.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryRequest {
    /// 16 random bytes in hex, kept for every further try.
    pub key: IdempotencyKey,
    /// For a bill: the request that waits.
    #[serde(default)]
    pub request: Option<Hash>,
    /// For a visit: which.
    #[serde(default)]
    pub visit: Option<VisitId>,
    /// What is asked.
    pub said: InquiryWords,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryAnswer {
    /// What is answered.
    #[schemars(length(min = 1, max = 500))]
    pub words: String,
}

/// Inquiries.
#[derive(Clone, Serialize, JsonSchema)]
pub struct InquiryList {
    /// The inquiries.
    pub inquiries: Vec<InquiryView>,
}

/// An inquiry.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Inquiry")]
pub struct InquiryView {
    /// Its number.
    pub inquiry: u64,
    /// Who has to answer.
    pub organisation: OrganisationId,
    /// The asker's name, for the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Hash>,
    /// The visit that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
    /// When it was made.
    pub raised: Timestamp,
    /// By when it should be answered: a bill while it can be confirmed, else within the region's
    /// days for objections.
    pub due: Timestamp,
    /// What is said.
    pub said: InquiryWords,
    /// Where it stands.
    pub standing: InquiryStanding,
}

/// Where an inquiry stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum InquiryStanding {
    /// Nobody has answered.
    Waiting,
    /// It was answered in words.
    Answered {
        /// When.
        when: Timestamp,
        /// With what.
        words: String,
    },
    /// The desk sent another bill in place of the one that it is about.
    Replaced {
        /// The new request.
        request: Hash,
        /// When it was sent.
        when: Timestamp,
    },
    /// The bill was paid as it was.
    Settled,
}

fn invalid(field: &str, why: primitives::Detail) -> Problem {
    Problem::new(&code::FIELD_INVALID).at(field).with(why)
}

fn require_length(field: &str, words: &str) -> Result<(), Problem> {
    if words.chars().count() <= WORDS_MAX {
        return Ok(());
    }
    Err(invalid(field, detail!("write at most {max} characters", max = WORDS_MAX)))
}

/// Who answers, and the visit that it is about.
struct Addressed {
    organisation: OrganisationId,
    visit: Option<VisitId>,
}

/// Whom an inquiry goes to.
fn addressed(call: &Call, session: &Session, asked: &InquiryRequest) -> Result<Addressed, Problem> {
    let wallet = call.wallet()?;
    match (asked.said.about, asked.request, asked.visit) {
        (InquiryAbout::Bill, Some(id), None) => {
            let found = wallet.directory.request(&id)?.ok_or_else(not_found)?;
            if session.party != Party::Person(found.person) {
                return Err(not_found());
            }
            if standing_of(call, &found)? != RequestStanding::Waiting {
                return Err(Problem::new(&code::REQUEST_OVER));
            }
            Ok(Addressed { organisation: found.provider, visit: Some(found.visit) })
        }
        (InquiryAbout::Visit, None, Some(id)) => {
            let organisation = call.visit(session, id)?.subject.provider;
            Ok(Addressed { organisation, visit: Some(id) })
        }
        (InquiryAbout::Bill | InquiryAbout::Visit, _, _) | (_, Some(_), _) | (_, _, Some(_)) => {
            let why = detail!("`bill` has a `request`, `visit` has a `visit`, the others neither");
            Err(invalid("said.about", why))
        }
        (_, None, None) => {
            Ok(Addressed { organisation: wallet.bureau.organisation(), visit: None })
        }
    }
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let asked: InquiryRequest = call.json()?;
    require_length("said.words", &asked.said.words)?;
    if asked.said.lines.len() > LINES_MAX {
        return Err(invalid("said.lines", detail!("name at most {max} lines", max = LINES_MAX)));
    }
    let is_said = asked.said.reason.is_some()
        || asked.said.about == InquiryAbout::Closing
        || !asked.said.words.trim().is_empty();
    if !is_said {
        return Err(invalid("said.words", detail!("say what is wrong")));
    }
    let Addressed { organisation, visit } = addressed(call, session, &asked)?;
    let statement = serde_json::to_vec(&asked.said).map_err(|_| Problem::new(&code::INTERNAL))?;
    let directory = &call.wallet()?.directory;
    let number = directory
        .put_inquiry(&NewInquiry {
            key: asked.key.0,
            person,
            organisation,
            visit,
            request: asked.request,
            statement,
            raised: call.now,
        })?
        .ok_or_else(|| Problem::new(&code::INQUIRIES_TOO_MANY))?;
    let kept = directory.inquiry(number)?.ok_or_else(not_found)?;
    Ok(Reply::json(&view(call, session, kept)?)?.status(StatusCode::CREATED))
}

/// By when it should be answered.
fn due(call: &Call, inquiry: &Inquiry) -> Result<Timestamp, Problem> {
    let wallet = call.wallet()?;
    let request = inquiry.asked.request.map(|id| wallet.directory.request(&id)).transpose()?;
    if let Some(request) = request.flatten() {
        return Ok(request.expires);
    }
    let region = network::view::region(&call.view.state, wallet.region);
    let days = region.map_or(0, |region| u64::from(region.settings.objection_answer_days));
    Ok(inquiry.asked.raised.plus_millis(days.saturating_mul(DAY_MILLIS)))
}

/// What came of the bill that an inquiry is about, where that answers it.
fn of_bill(call: &Call, inquiry: &Inquiry) -> Result<Option<InquiryStanding>, Problem> {
    let (Some(id), Some(visit)) = (inquiry.asked.request, inquiry.asked.visit) else {
        return Ok(None);
    };
    let directory = &call.wallet()?.directory;
    let latest = directory.latest_request(visit)?;
    if let Some(new) = latest.filter(|new| new.id != id && new.sent > inquiry.asked.raised) {
        return Ok(Some(InquiryStanding::Replaced { request: new.id, when: new.sent }));
    }
    let Some(request) = directory.request(&id)? else { return Ok(None) };
    let is_settled = matches!(standing_of(call, &request)?, RequestStanding::Settled { .. });
    Ok(is_settled.then_some(InquiryStanding::Settled))
}

fn view(call: &Call, session: &Session, inquiry: Inquiry) -> Result<InquiryView, Problem> {
    let broken = |_| Problem::new(&code::INTERNAL);
    let said = serde_json::from_slice(&inquiry.asked.statement).map_err(broken)?;
    let standing = match &inquiry.answer {
        Some((when, words)) => InquiryStanding::Answered {
            when: *when,
            words: String::from_utf8(words.clone()).map_err(|_| Problem::new(&code::INTERNAL))?,
        },
        None => of_bill(call, &inquiry)?.unwrap_or(InquiryStanding::Waiting),
    };
    let name = match session.party {
        Party::Person(_) => None,
        Party::Organisation(_) => call.name_of(inquiry.asked.person)?,
    };
    Ok(InquiryView {
        inquiry: inquiry.number,
        organisation: inquiry.asked.organisation,
        name,
        request: inquiry.asked.request,
        visit: inquiry.asked.visit,
        raised: inquiry.asked.raised,
        due: due(call, &inquiry)?,
        said,
        standing,
    })
}

fn views(call: &Call, session: &Session, found: Vec<Inquiry>) -> Result<InquiryList, Problem> {
    let views = found.into_iter().map(|one| view(call, session, one));
    Ok(InquiryList { inquiries: views.collect::<Result<_, _>>()? })
}

fn own(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let found = call.wallet()?.directory.inquiries_of(person)?;
    Reply::json(&views(call, session, found)?)
}

fn worklist(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let organisation: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(organisation) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let found = call.wallet()?.directory.open_inquiries(organisation)?;
    let mut list = views(call, session, found)?;
    list.inquiries.retain(|one| one.standing == InquiryStanding::Waiting);
    Reply::json(&list)
}

fn answer(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let number: u64 = call.path("inquiry")?;
    let wallet = call.wallet()?;
    let inquiry = wallet.directory.inquiry(number)?.ok_or_else(not_found)?;
    if session.party != Party::Organisation(inquiry.asked.organisation) {
        return Err(not_found());
    }
    let is_bureau = inquiry.asked.organisation == wallet.bureau.organisation();
    let scope = if is_bureau { Scope::Countersign } else { Scope::Settle };
    if !session.scopes.contains(&scope) {
        return Err(Problem::new(&code::SCOPE_MISSING));
    }
    let InquiryAnswer { words } = call.json()?;
    require_length("words", &words)?;
    if words.trim().is_empty() {
        return Err(invalid("words", detail!("say why")));
    }
    if wallet.directory.answer_inquiry(&inquiry, words.trim().as_bytes(), call.now)? {
        let what = sha256_parts(&[b"inquiry", &number.to_le_bytes()]);
        note((&wallet, &call.view), inquiry.asked.person, About::Answer, &what);
        Ok(Reply::nothing().status(StatusCode::NO_CONTENT))
    } else {
        Err(Problem::new(&code::INQUIRY_ANSWERED))
    }
}
