//! Versions of a plan at the desks of those who make them: a file is read and drafted, compared
//! with the version before it in words, reviewed, approved, published and withdrawn. The steps
//! themselves are transactions of the module `plan`, sent like every other; what the ledger does
//! not keep is here: the file with its words.
//!
//! Invariants: what is not published is shown to the region's bureau and the governing set alone
//! (test `a_draft_is_shown_to_those_who_decide_about_it`); a file is kept only for the version
//! whose hash it has (test `a_file_is_kept_for_the_version_that_it_belongs_to`).

use std::sync::Arc;

use axum::http::Method;
use benefit::source::{PlanSource, in_language};
use benefit::{Plan, PlanComparison, compare, compile};
use ledger::modules::network;
use ledger::modules::plan::{
    self, DraftPlan, PlanBytes, PlanStanding, SignedBy, VersionRow, rejection,
};
use ledger::readers;
use primitives::{
    CivilDate, Hash, OrganisationId, Party, Period, PublicKey, RegionId, SchemeId, codec, detail,
    sha256,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{REGION, SCHEME, scheme_of};
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code, foreign, words};
use crate::session::Session;

/// A plan file is some tens of kilobytes, and twice that as a text in JSON.
const FILE_BYTES_MAX: usize = 1 << 20;
/// The most versions that are listed, the newest first.
const LISTED_MAX: u16 = 200;

pub(super) const RULE: &str = "the region's bureau, and the organisations of the governing set";
pub(super) const VERSION: Parameter =
    Parameter::path("version", "the version's number", schema_of::<u16>);
pub(super) const AGAINST: Parameter = Parameter::query(
    "against",
    "the number of the version to compare with; the one before it when left out",
    schema_of::<u16>,
);

/// The endpoints of versions.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plan-versions",
        operation: "list_plan_versions",
        summary: "Lists the versions of a scheme's plan at every step, the newest first, with who took each \
                  step, and who may approve; at most 200",
        access: Access::Party { rule: RULE, handle: list },
        parameters: &[REGION, SCHEME],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PlanVersionList>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/regions/{region}/plan-files",
        operation: "read_plan_file",
        summary: "Reads a plan file: compiles it, runs its worked examples, and gives the body of `draft_plan` \
                  and what would change; nothing is kept. The catalogue stays the one of the version \
                  that it takes over from",
        access: Access::Party { rule: RULE, handle: read },
        parameters: &[REGION],
        body: BodyKind::Json(schema_of::<PlanFile>, FILE_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ReadPlanFile>),
        problems: &[
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::PLAN_FILE_INVALID,
            code::CATALOGUE_MISSING,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/file",
        operation: "keep_plan_file",
        summary: "Keeps the file of a version at this node, so that its words can be shown; it must be the \
                  one whose hash the version names",
        access: Access::Party { rule: RULE, handle: keep },
        parameters: &[REGION, SCHEME, VERSION],
        body: BodyKind::Json(schema_of::<PlanFile>, FILE_BYTES_MAX),
        answer: AnswerKind::Nothing,
        problems: &[
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::PLAN_FILE_INVALID,
            code::PLAN_FILE_DIFFERS,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/comparison",
        operation: "compare_plan_versions",
        summary: "Says rule by rule what a version changes, in words with their source; all that it says where \
                  there is no earlier one",
        access: Access::Party { rule: RULE, handle: comparison },
        parameters: &[REGION, SCHEME, VERSION, AGAINST],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PlanVersionComparison>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND, code::PLAN_FILE_MISSING],
    },
];

/// How far a version has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanVersionStanding {
    /// Its examples come out; somebody else has to check it against its source.
    Drafted,
    /// Somebody else has checked it.
    Reviewed,
    /// Whoever supervises has approved it.
    Approved,
    /// It counts for its days, unless a successor does.
    Published,
    /// It was taken back before it began.
    Withdrawn,
}

/// Who took a step.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct PlanStep {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The key: every clerk has another one.
    pub key: PublicKey,
}

/// A version of a scheme's plan, at whatever step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanVersionRow {
    /// The version's number.
    pub version: u16,
    /// The plan's name in the reader's language, where its file is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hash of the compiled plan.
    pub hash: Hash,
    /// The hash of the file that it was compiled from.
    pub source: Hash,
    /// The root over the catalogue that goes with it.
    pub catalogue_root: Hash,
    /// The service days that it is for.
    pub valid: Period,
    /// The days on which it is in force, for a published one that no successor covers whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<Period>,
    /// Whether it is in force today.
    pub is_today: bool,
    /// The versions that it takes over from.
    pub supersedes: Vec<u16>,
    /// The version before it, with which it is compared unless another one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u16>,
    /// How far it has come.
    pub standing: PlanVersionStanding,
    /// The day on which it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<CivilDate>,
    /// Who drafted it.
    pub drafter: PlanStep,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<PlanStep>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<PlanStep>,
}

/// The versions of a scheme's plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanVersionList {
    /// The versions, the newest first.
    pub versions: Vec<PlanVersionRow>,
    /// Who may approve a reviewed one.
    pub approvers: Vec<OrganisationId>,
    /// The region's bureau, which takes all other steps.
    pub bureau: OrganisationId,
}

/// A plan file.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The whole text of the file, byte for byte: its hash is the version's source.
    pub text: String,
}

/// What a plan file comes to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReadPlanFile {
    /// The plan's name in the reader's language.
    pub name: String,
    /// The hash of the compiled plan.
    pub hash: Hash,
    /// The hash of the file.
    pub source: Hash,
    /// The service days that it is for.
    pub valid: Period,
    /// How many worked examples came out.
    pub examples: u32,
    /// The body of `draft_plan`, to be signed.
    pub draft: DraftPlan,
    /// What would change.
    pub change: PlanVersionComparison,
}

/// What a version changes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanVersionComparison {
    /// The number of the version that it is compared with; left out where there is none before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<u16>,
    /// What differs; left out where the file of the earlier version is not kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<PlanComparison>,
}

/// Whoever may see what is not published: the region's bureau, and who sees everything by law.
pub(super) fn require_reader(
    call: &Call,
    session: &Session,
) -> Result<(RegionId, SchemeId), Problem> {
    let place = scheme_of(call)?;
    require_reader_in(call, session, place.0)?;
    Ok(place)
}

fn require_reader_in(call: &Call, session: &Session, region: RegionId) -> Result<(), Problem> {
    let state = &call.view.state;
    let may = matches!(session.party, Party::Organisation(id)
        if network::view::is_bureau(state, region, id) || readers::sees_all(state, id));
    if may { Ok(()) } else { Err(Problem::new(&code::NOT_YOURS)) }
}

/// The version that the path names.
pub(super) fn version_in_path(
    call: &Call,
    place: (RegionId, SchemeId),
) -> Result<(u16, Arc<VersionRow>), Problem> {
    let number = call.path("version")?;
    version(call, place, number).map(|row| (number, row))
}

pub(super) fn version(
    call: &Call,
    (region, scheme): (RegionId, SchemeId),
    number: u16,
) -> Result<Arc<VersionRow>, Problem> {
    plan::view::version(&call.view.state, region, scheme, number).ok_or_else(not_found)
}

/// The version that another one is compared with: the one that the reader names, or the one before.
pub(super) fn against(
    call: &Call,
    place: (RegionId, SchemeId),
    (number, row): (u16, &VersionRow),
) -> Result<Option<u16>, Problem> {
    Ok(call.query("against")?.or_else(|| before(call, place, number, row)))
}

/// The last version that it takes over from; for days that nobody has ruled, the one that was
/// published last before it.
fn before(
    call: &Call,
    (region, scheme): (RegionId, SchemeId),
    number: u16,
    row: &VersionRow,
) -> Option<u16> {
    let published = plan::view::published(&call.view.state, region, scheme);
    let mut earlier = published.iter().map(|one| one.version).filter(|one| *one < number);
    row.supersedes.last().copied().or_else(|| earlier.next_back())
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let place = require_reader(call, session)?;
    let (region, scheme) = place;
    let state = &call.view.state;
    let bureau = network::view::region(state, region).ok_or_else(not_found)?.bureau;
    let last = plan::view::last_version(state, region, scheme);
    let first = last.saturating_sub(LISTED_MAX).saturating_add(1);
    let mut versions = Vec::new();
    for number in (first.max(1)..=last).rev() {
        versions.push(row(call, place, number)?);
    }
    let approvers = plan::view::approvers(state, region);
    Reply::json(&PlanVersionList { versions, approvers, bureau })
}

fn row(call: &Call, place: (RegionId, SchemeId), number: u16) -> Result<PlanVersionRow, Problem> {
    let row = version(call, place, number)?;
    let (region, scheme) = place;
    let state = &call.view.state;
    let in_force = |day| {
        let found = plan::view::plan_in_force(state, region, scheme, day).ok();
        found.filter(|one| one.version == number).map(|one| one.period)
    };
    let today = call.today(region).ok_or_else(not_found)?;
    let (standing, published) = match row.standing {
        PlanStanding::Drafted => (PlanVersionStanding::Drafted, None),
        PlanStanding::Reviewed => (PlanVersionStanding::Reviewed, None),
        PlanStanding::Approved => (PlanVersionStanding::Approved, None),
        PlanStanding::Published(day) => (PlanVersionStanding::Published, Some(day)),
        PlanStanding::Withdrawn => (PlanVersionStanding::Withdrawn, None),
    };
    let source = call.gateway.port.plan_source(row.source)?;
    let step = |by: SignedBy| PlanStep { organisation: by.organisation, key: by.key };
    Ok(PlanVersionRow {
        version: number,
        name: source.map(|source| name(call, &source)),
        hash: row.hash,
        source: row.source,
        catalogue_root: row.catalogue_root,
        valid: row.valid,
        in_force: in_force(row.valid.from),
        is_today: in_force(today).is_some(),
        supersedes: row.supersedes.clone(),
        before: before(call, place, number, &row),
        standing,
        published,
        drafter: step(row.drafter),
        reviewer: row.reviewer.map(step),
        approver: row.approver.map(step),
    })
}

fn name(call: &Call, source: &PlanSource) -> String {
    in_language(&source.plan.name, call.language.tag()).to_owned()
}

/// The plan of a file, with what it says; the words of what is wrong, and where.
fn plan_of(text: &str) -> Result<(PlanSource, Plan, Hash), Problem> {
    let invalid = || Problem::new(&code::PLAN_FILE_INVALID).at("text");
    let source: PlanSource = toml::from_str(text).map_err(|error| {
        let what = foreign::text(error.message());
        let before = error.span().and_then(|span| text.get(..span.start));
        invalid().with(match before {
            Some(before) => {
                detail!("{what} (line {line})", what, line = before.matches('\n').count() + 1)
            }
            None => what,
        })
    })?;
    let hash = sha256(text.as_bytes());
    let plan = compile(&source, hash).map_err(|error| invalid().with(error))?;
    Ok((source, plan, hash))
}

fn read(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    require_reader_in(call, session, region)?;
    let PlanFile { text } = call.json()?;
    let (source, plan, hash) = plan_of(&text)?;
    let (scheme, place) = (plan.scheme(), (region, plan.scheme()));
    if plan.region() != region {
        let other = rejection::PLAN_OF_ANOTHER_SCHEME.with(detail!(
            "scheme {scheme} in region {region}",
            scheme = plan.scheme(),
            region = plan.region()
        ));
        return Err(Problem::rejected(&other));
    }
    let state = &call.view.state;
    let supersedes = plan::view::in_force_during(state, region, scheme, plan.valid());
    let published = plan::view::published(state, region, scheme);
    // A plan for days that nobody has ruled goes on from what was published last.
    let before = supersedes.last().copied().or_else(|| published.last().map(|one| one.version));
    let earlier = before.map(|number| version(call, place, number)).transpose()?;
    let catalogue_root = earlier.as_ref().map(|row| row.catalogue_root);
    let catalogue_root = catalogue_root.ok_or_else(|| Problem::new(&code::CATALOGUE_MISSING))?;
    let next = plan::view::last_version(state, region, scheme).checked_add(1);
    let draft = DraftPlan {
        region,
        scheme,
        version: next.ok_or_else(not_found)?,
        plan: PlanBytes(codec::encode(&plan)),
        catalogue_root,
        supersedes,
    };
    let old = match &earlier {
        Some(row) => call.gateway.port.plan_source(row.source)?,
        None => None,
    };
    let messages = words::benefit(call.language);
    Reply::json(&ReadPlanFile {
        name: name(call, &source),
        hash: plan.hash(),
        source: hash,
        valid: plan.valid(),
        examples: u32::try_from(source.example.len()).unwrap_or(u32::MAX),
        draft,
        change: PlanVersionComparison {
            against: before,
            comparison: old.map(|old| compare(&old, &source, messages)),
        },
    })
}

fn keep(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let place = require_reader(call, session)?;
    let (_, row) = version_in_path(call, place)?;
    let PlanFile { text } = call.json()?;
    if sha256(text.as_bytes()) != row.source {
        return Err(Problem::new(&code::PLAN_FILE_DIFFERS).at("text").with(row.source));
    }
    let (_, plan, _) = plan_of(&text)?;
    if plan.hash() != row.hash {
        return Err(Problem::new(&code::PLAN_FILE_DIFFERS).at("text").with(row.hash));
    }
    call.gateway.port.keep_plan_source(&text)?;
    Ok(Reply::nothing())
}

fn comparison(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let place = require_reader(call, session)?;
    let (number, row) = version_in_path(call, place)?;
    let kept = |number: u16, source: Hash| {
        let found = call.gateway.port.plan_source(source)?;
        let missing = || Problem::new(&code::PLAN_FILE_MISSING);
        found.ok_or_else(|| missing().with(detail!("version {version}", version = number)))
    };
    let new = kept(number, row.source)?;
    let against = against(call, place, (number, &row))?;
    let old = match against {
        Some(earlier) => kept(earlier, version(call, place, earlier)?.source)?,
        // All of a first version is new.
        None => Arc::new(PlanSource {
            plan: new.plan.clone(),
            accumulator: Vec::new(),
            group: Vec::new(),
            step: Vec::new(),
            example: Vec::new(),
        }),
    };
    let comparison = compare(&old, &new, words::benefit(call.language));
    Reply::json(&PlanVersionComparison { against, comparison: Some(comparison) })
}
