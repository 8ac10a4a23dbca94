//! Organisations: what is public of them.

use axum::http::Method;
use benefit::HospitalLevel;
use ledger::modules::organisation::{self, OrganisationKind, Standing};
use primitives::{OrganisationId, PublicKey, RegionId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};

/// The endpoint of organisations.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/organisations/{organisation}",
    operation: "get_organisation",
    summary: "Gives what is public of an organisation",
    access: Access::Public(get),
    parameters: &[Parameter::path(
        "organisation",
        "the organisation's code",
        schema_of::<OrganisationId>,
    )],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<OrganisationView>),
    problems: &[code::NOT_FOUND],
}];

/// An organisation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Organisation")]
pub struct OrganisationView {
    /// Its public code.
    pub organisation: OrganisationId,
    /// The name by which people know it, where this node knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    pub kind: OrganisationKind,
    /// The region it belongs to.
    pub region: RegionId,
    /// The level of a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<HospitalLevel>,
    /// The key that stays offline and authorises the others.
    pub root_key: PublicKey,
    /// Whether it may act.
    pub standing: Standing,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let id: OrganisationId = call.path("organisation")?;
    let row = organisation::view::organisation(&call.view.state, id).ok_or_else(not_found)?;
    Reply::json(&OrganisationView {
        organisation: id,
        name: call.gateway.port.organisation_name(id),
        kind: row.kind,
        region: row.region,
        level: row.level,
        root_key: row.root_key,
        standing: row.standing,
    })
}
