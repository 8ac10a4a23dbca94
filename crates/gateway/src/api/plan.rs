//! Plans: which version of a scheme's rules holds on which day, and its compiled bytes. Public, so
//! that everybody can adjudicate alone.

use axum::http::{HeaderValue, Method, header};
use ledger::modules::plan::{self, PlanStanding, VersionRow};
use primitives::{CivilDate, Hash, OrganisationId, Period, RegionId, SchemeId};
use schemars::JsonSchema;
use serde::Serialize;

pub mod simulation;
pub mod version;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};

const REGION: Parameter =
    Parameter::path("region", "the region's six-digit code", schema_of::<u32>);
const SCHEME: Parameter = Parameter::path("scheme", "the scheme's code", schema_of::<u16>);

/// The endpoints of plans.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plan",
        operation: "get_plan_in_force",
        summary: "Gives the version of a scheme's plan that is in force for services on a day",
        access: Access::Public(in_force),
        parameters: &[
            REGION,
            SCHEME,
            Parameter::query(
                "day",
                "the day of service; today when left out",
                schema_of::<CivilDate>,
            ),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PlanView>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plans",
        operation: "list_plans",
        summary: "Lists the published versions of a scheme's plan, in the order of publication",
        access: Access::Public(list),
        parameters: &[REGION, SCHEME],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PlanList>),
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plans/{version}/compiled",
        operation: "get_compiled_plan",
        summary: "Gives the compiled bytes of a published version, whose hash settlements name",
        access: Access::Public(compiled),
        parameters: &[
            REGION,
            SCHEME,
            Parameter::path("version", "the version's number", schema_of::<u16>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/octet-stream"),
        problems: &[code::NOT_FOUND],
    },
];

/// A version of a scheme's plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanVersion")]
pub struct PlanView {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version's number.
    pub version: u16,
    /// The hash of the compiled plan.
    pub hash: Hash,
    /// The hash of the file that it was compiled from.
    pub source: Hash,
    /// The root over the catalogue that goes with it.
    pub catalogue_root: Hash,
    /// The service days that it is for.
    pub valid: Period,
    /// The days around the one asked for on which it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<Period>,
    /// The versions that it takes over from.
    pub supersedes: Vec<u16>,
    /// The day on which it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<CivilDate>,
    /// Who drafted it.
    pub drafter: OrganisationId,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<OrganisationId>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<OrganisationId>,
}

/// The published versions of a scheme's plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanList {
    /// The versions, in the order of publication; of several for one day the last is in force.
    pub plans: Vec<PlanView>,
}

fn scheme_of(call: &Call) -> Result<(RegionId, SchemeId), Problem> {
    Ok((RegionId(call.path("region")?), SchemeId(call.path("scheme")?)))
}

fn view(
    (region, scheme): (RegionId, SchemeId),
    version: u16,
    row: &VersionRow,
    in_force: Option<Period>,
) -> PlanView {
    PlanView {
        region,
        scheme,
        version,
        hash: row.hash,
        source: row.source,
        catalogue_root: row.catalogue_root,
        valid: row.valid,
        in_force,
        supersedes: row.supersedes.clone(),
        published: match row.standing {
            PlanStanding::Published(day) => Some(day),
            PlanStanding::Drafted
            | PlanStanding::Reviewed
            | PlanStanding::Approved
            | PlanStanding::Withdrawn => None,
        },
        drafter: row.drafter.organisation,
        reviewer: row.reviewer.map(|by| by.organisation),
        approver: row.approver.map(|by| by.organisation),
    }
}

fn in_force(call: &Call) -> Result<Reply, Problem> {
    let (region, scheme) = scheme_of(call)?;
    let state = &call.view.state;
    let day = match call.query::<CivilDate>("day")? {
        Some(day) => day,
        None => call.today(region).ok_or_else(not_found)?,
    };
    let found = plan::view::plan_in_force(state, region, scheme, day).map_err(|_| not_found())?;
    let row = plan::view::version(state, region, scheme, found.version).ok_or_else(not_found)?;
    Reply::json(&view((region, scheme), found.version, &row, Some(found.period)))
}

fn list(call: &Call) -> Result<Reply, Problem> {
    let (region, scheme) = scheme_of(call)?;
    let state = &call.view.state;
    let published = plan::view::published(state, region, scheme);
    let plans = published.into_iter().filter_map(|one| {
        let row = plan::view::version(state, region, scheme, one.version)?;
        Some(view((region, scheme), one.version, &row, None))
    });
    Reply::json(&PlanList { plans: plans.collect() })
}

fn compiled(call: &Call) -> Result<Reply, Problem> {
    let (region, scheme) = scheme_of(call)?;
    let version = call.path("version")?;
    let state = &call.view.state;
    let is_public = plan::view::published(state, region, scheme)
        .iter()
        .any(|published| published.version == version);
    let bytes = plan::view::version_bytes(state, region, scheme, version).filter(|_| is_public);
    // A published version never changes.
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok(Reply::bytes("application/octet-stream", bytes.ok_or_else(not_found)?)
        .header(header::CACHE_CONTROL, for_ever))
}
