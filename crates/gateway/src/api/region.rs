//! Regions: calendar and limits. All of it is public.

use axum::http::Method;
use ledger::modules::network::{self, RegionSettings};
use primitives::{Currency, OrganisationId, RegionId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};

/// The endpoint of regions.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/regions/{region}",
    operation: "get_region",
    summary: "Gives a region's bureau, currency, calendar and limits",
    access: Access::Public(get),
    parameters: &[Parameter::path(
        "region",
        "the region's six-digit administrative code",
        schema_of::<u32>,
    )],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<RegionView>),
    problems: &[code::NOT_FOUND],
}];

/// A region.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Region")]
pub struct RegionView {
    /// Its six-digit administrative code.
    pub region: RegionId,
    /// Which organisation runs its public schemes and funds.
    pub bureau: OrganisationId,
    /// The currency of its funds.
    pub currency: Currency,
    /// Its calendar and limits.
    pub settings: RegionSettings,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let id = RegionId(call.path("region")?);
    let row = network::view::region(&call.view.state, id).ok_or_else(not_found)?;
    Reply::json(&RegionView {
        region: id,
        bureau: row.bureau,
        currency: row.currency,
        settings: row.settings.clone(),
    })
}
