//! Applications to act for a child: a child is found by name and number, documents are kept for the
//! bureau, a clerk reviews them.
//!
//! That somebody applied and what was decided stands on the ledger, which has a commitment to the
//! documents; the documents lie sealed in the bureau's directory.
//!
//! Invariants: no application is made whose documents are not kept, and none are shown that the
//! ledger's commitment is not to (test `the_documents_belong_to_the_application`); only a clerk of
//! the bureau sees them (test `only_the_bureaus_clerk_sees_documents`).

use adapters::directory::{KeptApplication, Particulars};
use adapters::identity::gb11643;
use axum::http::{Method, StatusCode};
use base64ct::{Base64, Encoding as _};
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::modules::family::{self, ApplyForBinding};
use ledger::{Authorisation, Transaction};
use primitives::{CivilDate, Hash, OrganisationId, Party, PersonId, Timestamp, codec, detail};
use primitives::{sha256, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{Relative, relative};
use super::identity::{self, IdentityDocument};
use super::machine::execute_kept;
use super::objection::{body_of, is_accepted};
use super::receipt::not_found;
use super::transaction::read_content;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::openapi::transaction_content;
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::wallet::Wallet;

/// The most documents of one application.
const DOCUMENTS_MAX: usize = 4;
/// The most bytes of one document: a page of writing, photographed, is readable in fewer.
const DOCUMENT_BYTES_MAX: usize = 400 * 1_024;
/// The most bytes of an application: its documents as text, and what else it says.
const APPLICATION_BYTES_MAX: usize = 3 << 20;
/// How every JPEG picture begins.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

/// Who reviews documents.
const CLERK_RULE: &str = "the region's bureau, by a key with the scope `clerk`";
const PERSON: Parameter = Parameter::path("person", "the person's id", schema_of::<PersonId>);

/// The endpoints of applications to act for a child.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/child-lookups",
        operation: "look_up_child",
        summary: "Finds a child by name and identity number, for somebody who wants to act for it; whoever \
                  tries wrong ones has to wait",
        access: Access::Party { rule: "the person", handle: look_up },
        parameters: &[PERSON],
        body: BodyKind::Json(schema_of::<IdentityDocument>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<Relative>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::CHILD_NOT_FOUND,
            code::TOO_MANY_REQUESTS,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/binding-applications",
        operation: "apply_for_binding",
        summary: "Applies to act for a child: keeps the documents, sealed, and puts the application on the \
                  ledger; the bureau has to decide",
        access: Access::Party { rule: "the person", handle: apply },
        parameters: &[PERSON],
        body: BodyKind::Signed(schema_of::<NewBindingApplication>, APPLICATION_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<BindingApplied>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::CHANGE_INVALID,
            code::STATEMENT_DIFFERS,
            code::CHILD_NOT_FOUND,
            code::TOO_MANY_REQUESTS,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/binding-applications",
        operation: "list_binding_applications",
        summary: "Lists the applications to act for a child that wait for the bureau, the oldest first; at \
                  most 200",
        access: Access::Party { rule: CLERK_RULE, handle: list },
        parameters: &[Parameter::path(
            "organisation",
            "the organisation's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<BindingApplicationList>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::SCOPE_MISSING],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/binding-applications/{application}",
        operation: "get_binding_application",
        summary: "Gives an application that waits, with who the child is and the documents",
        access: Access::Party { rule: CLERK_RULE, handle: get },
        parameters: &[Parameter::path(
            "application",
            "the id of the transaction that applied",
            schema_of::<Hash>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<BindingApplicationView>),
        problems: &[code::NO_WALLET, code::NOT_FOUND, code::SCOPE_MISSING],
    },
];

/// An application to be made.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBindingApplication {
    /// An `apply_for_binding`: its bytes in hex, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: serde_json::Value,
    /// The payer's signature over the transaction's id.
    pub authorisations: Vec<Authorisation>,
    /// Who the child is; it must be the transaction's member.
    pub child: IdentityDocument,
    /// JPEG pictures in base64, each of at most 400 KiB. The transaction's commitment is
    /// `SHA-256("yibao/binding-documents/v1" || salt || SHA-256(first) || SHA-256(second) ...)`.
    #[schemars(length(min = 1, max = 4))]
    pub documents: Vec<String>,
    /// The salt of the commitment: 32 bytes in hex.
    pub salt: Hash,
}

/// An application that was made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BindingApplied {
    /// The id of its transaction.
    pub application: Hash,
}

/// Applications that wait.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BindingApplicationList {
    /// The applications.
    pub applications: Vec<BindingApplicationRow>,
}

/// An application that waits for the bureau.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BindingApplicationRow {
    /// The id of the transaction that applied.
    pub application: Hash,
    /// Who will act.
    pub payer: Relative,
    /// For whom.
    pub member: Relative,
    /// What the payer is to the child, by the region's number.
    pub relation: u8,
    /// When it came.
    pub raised: Timestamp,
    /// The last day on which the bureau may decide.
    pub until: CivilDate,
}

/// An application with its documents.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "BindingApplication")]
pub struct BindingApplicationView {
    /// What the worklist says of it.
    #[serde(flatten)]
    pub row: BindingApplicationRow,
    /// The last four characters of the payer's identity document; empty where it is not known.
    pub payer_number_end: String,
    /// The child's name, as the identity authority confirmed it.
    pub child_name: String,
    /// The last four characters of the child's identity document.
    pub child_number_end: String,
    /// The child's birthday, where the document's number has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_born: Option<CivilDate>,
    /// From which age on a member agrees in person.
    pub own_consent_age: u8,
    /// JPEG pictures in base64.
    pub documents: Vec<String>,
}

/// What the directory keeps.
#[derive(BorshSerialize, BorshDeserialize)]
struct Kept {
    salt: Hash,
    name: String,
    number_end: String,
    born: Option<CivilDate>,
    documents: Vec<Vec<u8>>,
}

impl Kept {
    /// The salted commitment to the documents.
    fn commitment(&self) -> Hash {
        let hashes: Vec<Hash> = self.documents.iter().map(|one| sha256(one)).collect();
        let head: [&[u8]; 2] = [b"yibao/binding-documents/v1", &self.salt.0];
        let parts: Vec<&[u8]> =
            head.into_iter().chain(hashes.iter().map(|hash| hash.0.as_slice())).collect();
        sha256_parts(&parts)
    }
}

/// Whom this name and number belong to. Whoever tries them has to wait, whatever it was that did
/// not fit.
fn find_child(
    call: &Call,
    session: &Session,
    wallet: &Wallet,
    child: &IdentityDocument,
) -> Result<PersonId, Problem> {
    let is_meant = |found: PersonId| {
        session.party != Party::Person(found) && wallet.serves(&call.view.state, found)
    };
    let unknown = Problem::new(&code::CHILD_NOT_FOUND).at("number");
    identity::find(call, session, (wallet, &child.into()), is_meant, unknown)
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.own_person(session)?;
    let wallet = call.wallet()?;
    let child: IdentityDocument = call.json()?;
    let person = find_child(call, session, &wallet, &child)?;
    Reply::json(&Relative { person, name: child.name.trim().to_owned() })
}

/// The pictures that somebody sends, so many at the most.
pub(super) fn read_documents(texts: &[String], most: usize) -> Result<Vec<Vec<u8>>, Problem> {
    let invalid = |field: String, words| Problem::new(&code::FIELD_INVALID).at(field).with(words);
    if !(1..=most).contains(&texts.len()) {
        let words = detail!("send 1 to {max} pictures", max = most);
        return Err(invalid("documents".to_owned(), words));
    }
    let read = texts.iter().enumerate();
    read.map(|(at, text)| read_picture(&format!("documents[{at}]"), text)).collect()
}

/// The picture in a field.
pub(super) fn read_picture(field: &str, text: &str) -> Result<Vec<u8>, Problem> {
    let picture = Base64::decode_vec(text).unwrap_or_default();
    if picture.starts_with(&JPEG) && picture.len() <= DOCUMENT_BYTES_MAX {
        return Ok(picture);
    }
    let kib = DOCUMENT_BYTES_MAX / 1_024;
    let words = detail!("it must be a `JPEG` picture in `base64` of at most {kib} `KiB`", kib);
    Err(Problem::new(&code::FIELD_INVALID).at(field).with(words))
}

fn apply(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let payer = call.own_person(session)?;
    let wallet = call.wallet()?;
    let NewBindingApplication { content, authorisations, child, documents, salt } = call.json()?;
    let content = read_content(call, content)?;
    let body: ApplyForBinding = body_of(call, &content)?;
    if body.payer != payer || content.author != session.party {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let Particulars { name, number_end } = Particulars::new(child.name.trim(), child.number.trim());
    let born = gb11643::parse(child.number.trim()).ok().map(|number| number.birth_date());
    let documents = read_documents(&documents, DOCUMENTS_MAX)?;
    let kept = Kept { salt, name, number_end, born, documents };
    if kept.commitment() != body.documents {
        return Err(Problem::new(&code::STATEMENT_DIFFERS).at("documents"));
    }
    if find_child(call, session, &wallet, &child)? != body.member {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content.body.member"));
    }
    let id = content.id();
    wallet.directory.put_application(&KeptApplication {
        id,
        payer,
        member: body.member,
        documents: body.documents,
        statement: codec::encode(&kept),
        raised: call.instant(),
    })?;
    execute_kept(call, Transaction::signed_by(content, authorisations), || {
        let _ = wallet.directory.forget_application(&id);
    })?;
    Ok(Reply::json(&BindingApplied { application: id })?.status(StatusCode::CREATED))
}

/// An application that waits; nothing for one that is over, or that the ledger never took.
fn row(call: &Call, kept: &KeptApplication) -> Result<Option<BindingApplicationRow>, Problem> {
    let waits = family::view::application(&call.view.state, kept.payer, kept.member);
    // The pair may have applied anew: what is shown is what is decided on.
    let waits = waits.filter(|one| one.documents == kept.documents);
    let (Some(waits), true) = (waits, is_accepted(call, &kept.id)?) else { return Ok(None) };
    let today = call.today(call.wallet()?.region).ok_or_else(not_found)?;
    if waits.until < today {
        return Ok(None);
    }
    Ok(Some(BindingApplicationRow {
        application: kept.id,
        payer: relative(call, kept.payer)?,
        member: relative(call, kept.member)?,
        relation: waits.relation,
        raised: kept.raised,
        until: waits.until,
    }))
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let organisation: OrganisationId = call.path("organisation")?;
    let not_yours = || Problem::new(&code::NOT_YOURS);
    call.require_clerk(session, not_yours)?;
    if session.party != Party::Organisation(organisation) {
        return Err(not_yours());
    }
    let wallet = call.wallet()?;
    let mut applications = Vec::new();
    for one in wallet.directory.open_applications()? {
        match row(call, &one)? {
            Some(row) => applications.push(row),
            None if is_accepted(call, &one.id)? => wallet.directory.close_application(&one.id)?,
            // It is on its way.
            None => {}
        }
    }
    Reply::json(&BindingApplicationList { applications })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    call.require_clerk(session, not_found)?;
    let wallet = call.wallet()?;
    let id: Hash = call.path("application")?;
    let found = wallet.directory.application(&id)?.ok_or_else(not_found)?;
    let row = row(call, &found)?.ok_or_else(not_found)?;
    let kept: Kept = codec::decode(&found.statement).map_err(|_| Problem::new(&code::INTERNAL))?;
    if kept.commitment() != found.documents {
        return Err(Problem::new(&code::INTERNAL));
    }
    let rules = family::view::proxy_rules(&call.view.state, wallet.region);
    let own_consent_age = rules.ok_or_else(not_found)?.own_consent_age;
    let payer = wallet.directory.person(found.payer)?;
    Reply::json(&BindingApplicationView {
        row,
        payer_number_end: payer.map_or_else(String::new, |known| known.number_end),
        child_name: kept.name,
        child_number_end: kept.number_end,
        child_born: kept.born,
        own_consent_age,
        documents: kept.documents.iter().map(|one| Base64::encode_string(one)).collect(),
    })
}
