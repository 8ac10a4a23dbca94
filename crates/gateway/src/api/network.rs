//! The network's own parameters: what a client must know before it can sign.

use axum::http::Method;
use ledger::modules::network;
use primitives::{Hash, OrganisationId, Timestamp};
use proof::header::ChainId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::Problem;

/// The endpoint of the network.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/network",
    operation: "get_network",
    summary: "Gives the ledger's name, where it stands, who governs it, and where passkeys may sign",
    access: Access::Public(get),
    parameters: &[],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<NetworkView>),
    problems: &[],
}];

/// The network.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "NetworkParameters")]
pub struct NetworkView {
    /// The ledger's name.
    pub chain_id: ChainId,
    /// The height of the last block.
    pub height: u64,
    /// Block time of the last block.
    pub time: Timestamp,
    /// The root of the state.
    pub state_root: Hash,
    /// How many receipts the log has.
    pub receipts: u64,
    /// Who governs.
    pub governing: Vec<OrganisationId>,
    /// The rpId of passkeys.
    pub rp_id: String,
    /// The web origins in which passkeys may sign.
    pub origins: Vec<String>,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let row = network::view::network(&call.view.state);
    let tip = &call.view.tip;
    Reply::json(&NetworkView {
        chain_id: call.gateway.port.chain_id(),
        height: tip.height,
        time: tip.time,
        state_root: call.view.state.root(),
        receipts: tip.log.size(),
        governing: row.governing.clone(),
        rp_id: row.rp_id.to_string(),
        origins: row.origins.iter().map(|origin| origin.to_string()).collect(),
    })
}
