//! The rotating code of a wallet: digits that a desk reads off a phone, and that say who stands
//! there and what covers them.

use adapters::directory::code::CODE_MILLIS;
use adapters::directory::{CodeSeed, UsedCode};
use axum::http::{Method, StatusCode};
use ledger::modules::organisation::{self, OrganisationKind, Scope};
use ledger::modules::{coverage, family, person};
use primitives::{Hash, Party, PersonId, RegionId, SchemeId, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{Relative, relative};
use super::person::{CoverageStanding, standing_on};
use super::reception::note_seen;
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;
use crate::session::limit::Place;

/// The endpoints of codes.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/persons/{person}/codes",
        operation: "create_code",
        summary: "Gives a wallet of this person what it shows a rotating code from, also without a network",
        access: Access::Party {
            rule: "the person, and a relative who may act for the person today",
            handle: create,
        },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::Json(schema_of::<NewCode>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<CodeSeedView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/codes/lookups",
        operation: "look_up_code",
        summary: "Says whose wallet shows this code, and what covers the person; a code counts once",
        access: Access::Party {
            rule: "a provider, by a key with the scope `clerk`",
            handle: look_up,
        },
        parameters: &[],
        body: BodyKind::Json(schema_of::<CodeLookup>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<PatientView>),
        problems: &[code::NO_WALLET, code::NOT_YOURS, code::SCOPE_MISSING, code::CODE_WRONG],
    },
];

/// A wallet that wants a code; nothing has to be said of it.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCode {}

/// What a wallet shows its code from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "CodeSeed")]
pub struct CodeSeedView {
    /// The number that stands for the wallet, eight digits.
    pub number: u32,
    /// What the six changing digits come from (RFC 6238 with SHA-256): 32 bytes in hex.
    pub secret: Hash,
    /// For how many seconds six digits stand.
    pub period_seconds: u64,
}

/// A code as a desk reads it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeLookup {
    /// The eight digits of the wallet and the six of the minute; spaces do not matter.
    #[schemars(length(max = 40))]
    pub code: String,
}

/// A patient as a desk sees one who showed a code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Patient")]
pub struct PatientView {
    /// The person's id on the ledger.
    pub person: PersonId,
    /// The name, to be compared with a document where in doubt.
    pub name: String,
    /// The last four characters of the identity document.
    pub number_end: String,
    /// What a check-in says of the code: a commitment that names neither wallet nor person.
    pub evidence: Hash,
    /// Whether the wallet is locked: care goes on, the person's own money waits.
    pub is_locked: bool,
    /// The relative on whose phone the code was shown and who may act for the patient; left out
    /// where it was the patient's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_by: Option<Relative>,
    /// The last four digits of the bank card that is bound to the wallet that showed the code, if
    /// there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_last_four: Option<String>,
    /// What covers the person.
    pub coverages: Vec<PatientCoverage>,
}

/// A coverage as a desk sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PatientCoverage {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// How it stands today.
    pub standing: CoverageStanding,
}

impl From<CodeSeed> for CodeSeedView {
    fn from(seed: CodeSeed) -> Self {
        let CodeSeed { number, secret } = seed;
        Self { number, secret: Hash(secret), period_seconds: CODE_MILLIS / 1_000 }
    }
}

/// Whether a relative may act for a person today.
pub(crate) fn may_act(call: &Call, payer: PersonId, member: PersonId) -> bool {
    let state = &call.view.state;
    let today = person::view::person(state, member).and_then(|row| call.today(row.region));
    today.is_some_and(|today| family::view::holds(state, (payer, member), today))
}

fn create(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person: PersonId = call.path("person")?;
    let shown_by = match session.party {
        Party::Person(own) if own == person => None,
        Party::Person(other) if may_act(call, other, person) => Some(other),
        Party::Person(_) | Party::Organisation(_) => return Err(Problem::new(&code::NOT_YOURS)),
    };
    let NewCode {} = call.json()?;
    let shown = UsedCode { person, shown_by, key: session.key };
    let seed = call.wallet()?.directory.new_code(shown, call.now)?;
    Ok(Reply::json(&CodeSeedView::from(seed))?.status(StatusCode::CREATED))
}

/// The session is a provider's, by a key with this scope.
///
/// # Errors
/// `not_yours`, `scope_not_held`.
pub(super) fn require_provider(
    call: &Call,
    session: &Session,
    scope: Scope,
) -> Result<(), Problem> {
    let Party::Organisation(id) = session.party else {
        return Err(Problem::new(&code::NOT_YOURS));
    };
    let row = organisation::view::organisation(&call.view.state, id);
    if !row.is_some_and(|row| row.kind == OrganisationKind::Provider) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    if session.scopes.contains(&scope) { Ok(()) } else { Err(Problem::new(&code::SCOPE_MISSING)) }
}

/// Whose own wallet shows the code that is sent. Who tries wrong ones has to wait.
///
/// # Errors
/// `code_wrong`, `too_many_requests`.
pub(super) fn read_code(call: &Call, session: &Session) -> Result<PersonId, Problem> {
    let CodeLookup { code: text } = call.json()?;
    let place = Place::address(call.client, Some(session.party));
    let (whose, _) = use_shown_code(call, place, &text)?;
    let wrong = || Problem::new(&code::CODE_WRONG).at("code");
    if whose.shown_by.is_none() { Ok(whose.person) } else { Err(wrong()) }
}

/// Whom these digits stand for, on whose phone; and the digits without what is between them. Wrong
/// ones count at this place.
///
/// # Errors
/// `code_wrong`, `too_many_requests`.
pub(crate) fn use_shown_code(
    call: &Call,
    place: Place,
    text: &str,
) -> Result<(UsedCode, String), Problem> {
    let wallet = call.wallet()?;
    let limiter = &call.gateway.sign_in_failures;
    if let Some(wait) = limiter.wait(place, call.now) {
        return Err(Problem::new(&code::TOO_MANY_REQUESTS).retry(wait));
    }
    let wrong = || {
        limiter.count(place, call.now);
        Problem::new(&code::CODE_WRONG).at("code")
    };
    let digits: String = text.chars().filter(|one| !one.is_whitespace()).collect();
    let (number, changing) = parts(&digits).ok_or_else(wrong)?;
    let found = wallet.directory.use_code(number, changing, call.now)?.ok_or_else(wrong)?;
    // Whoever was unbound meanwhile shows nobody's code, nor does a phone whose key was revoked.
    let holder = person::view::person(&call.view.state, found.shown_by.unwrap_or(found.person));
    let has_key = holder.is_some_and(|row| row.key(&found.key).is_some());
    if !has_key || found.shown_by.is_some_and(|payer| !may_act(call, payer, found.person)) {
        return Err(wrong());
    }
    Ok((found, digits))
}

fn look_up(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_provider(call, session, Scope::Clerk)?;
    let CodeLookup { code: text } = call.json()?;
    let (UsedCode { person: found, shown_by, .. }, digits) =
        use_shown_code(call, Place::address(call.client, Some(session.party)), &text)?;
    let evidence = evidence(b"yibao/wallet-code/v1", &digits, call)?;
    let patient = patient(call, (found, shown_by), evidence)?;
    let patient = patient.ok_or_else(|| Problem::new(&code::CODE_WRONG).at("code"))?;
    note_seen(call, session, (found, shown_by), evidence)?;
    Reply::json(&patient)
}

/// Somebody as a desk sees who stands there, perhaps by a relative's phone; nothing for somebody
/// who is not on the ledger.
///
/// # Errors
/// When the directory fails.
pub(super) fn patient(
    call: &Call,
    (found, shown_by): (PersonId, Option<PersonId>),
    evidence: Hash,
) -> Result<Option<PatientView>, Problem> {
    let Some(row) = person::view::person(&call.view.state, found) else { return Ok(None) };
    let directory = &call.wallet()?.directory;
    let (name, number_end) = directory
        .person(found)?
        .map_or_else(Default::default, |known| (known.name, known.number_end));
    Ok(Some(PatientView {
        person: found,
        name,
        number_end,
        evidence,
        is_locked: row.lock.is_some(),
        card_last_four: directory.card(shown_by.unwrap_or(found))?.map(|card| card.last_four),
        shown_by: shown_by.map(|payer| relative(call, payer)).transpose()?,
        coverages: coverages(call, found, row.region)?,
    }))
}

/// The two parts of a code of 14 digits.
fn parts(digits: &str) -> Option<(u32, u32)> {
    let is_code = digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (number, changing) = digits.split_at_checked(8).filter(|_| is_code)?;
    Some((number.parse().ok()?, changing.parse().ok()?))
}

/// What a check-in carries: a salted commitment to what was shown.
///
/// # Errors
/// When the system gives no randomness.
pub(super) fn evidence(tag: &[u8], shown: &str, call: &Call) -> Result<Hash, Problem> {
    let mut salt = [0_u8; 32];
    getrandom::fill(&mut salt).map_err(|_| Problem::new(&code::INTERNAL))?;
    let time = call.now.millis().to_le_bytes();
    Ok(sha256_parts(&[tag, &salt, shown.as_bytes(), &time]))
}

fn coverages(
    call: &Call,
    person: PersonId,
    home: RegionId,
) -> Result<Vec<PatientCoverage>, Problem> {
    let today = call.today(home).ok_or_else(|| Problem::new(&code::INTERNAL))?;
    let row = coverage::view::coverage(&call.view.state, person);
    let all = row.map(|row| row.coverages).unwrap_or_default();
    let seen = all.iter().map(|one| PatientCoverage {
        region: one.region,
        scheme: one.scheme,
        standing: standing_on(one, today),
    });
    Ok(seen.collect())
}
