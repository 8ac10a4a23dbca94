//! Regions: calendar and limits. All of it is public.

use axum::http::Method;
use benefit::HospitalLevel;
use ledger::modules::network::{self, RegionSettings};
use ledger::modules::organisation::{self, OrganisationKind, Standing};
use ledger::modules::person::{self, RecoveryRules};
use primitives::{Currency, OrganisationId, RegionId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};

const REGION: Parameter =
    Parameter::path("region", "the region's six-digit administrative code", schema_of::<u32>);

/// The endpoints of regions.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}",
        operation: "get_region",
        summary: "Gives a region's bureau, currency, calendar and limits",
        access: Access::Public(get),
        parameters: &[REGION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<RegionView>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/providers",
        operation: "list_providers",
        summary: "Lists the hospitals, clinics and pharmacies of a region whose names this node knows",
        access: Access::Public(providers),
        parameters: &[REGION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ProviderList>),
        problems: &[code::NOT_FOUND],
    },
];

/// Providers of a region.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProviderList {
    /// The providers, by code.
    pub providers: Vec<ProviderView>,
}

/// A provider.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Provider")]
pub struct ProviderView {
    /// Its public code.
    pub organisation: OrganisationId,
    /// The name by which people know it.
    pub name: String,
    /// Its level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<HospitalLevel>,
}

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
    /// How guardians let somebody back into a wallet, where the region has rules for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryRules>,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let id = RegionId(call.path("region")?);
    let row = network::view::region(&call.view.state, id).ok_or_else(not_found)?;
    Reply::json(&RegionView {
        region: id,
        bureau: row.bureau,
        currency: row.currency,
        settings: row.settings.clone(),
        recovery: person::view::recovery_rules(&call.view.state, id),
    })
}

fn providers(call: &Call) -> Result<Reply, Problem> {
    let (region, state) = (RegionId(call.path("region")?), &call.view.state);
    network::view::region(state, region).ok_or_else(not_found)?;
    let named = call.gateway.port.organisation_names();
    let listed = named.into_iter().filter_map(|(id, name)| {
        let row = organisation::view::organisation(state, id)?;
        let is_here = row.region == region
            && row.kind == OrganisationKind::Provider
            && row.standing == Standing::Active;
        is_here.then_some(ProviderView { organisation: id, name, level: row.level })
    });
    Reply::json(&ProviderList { providers: listed.collect() })
}
