//! The network's own parameters: what a client must know before it can sign.

use axum::http::Method;
use ledger::modules::network::{self, Upgrade};
use primitives::{Hash, OrganisationId, PublicKey, Timestamp};
use proof::header::{ChainId, ValidatorSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::Problem;

/// The endpoint of the network.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/network",
    operation: "get_network",
    summary: "Gives the ledger's name, where it stands, who governs it, who decides its blocks by which rules, \
              and where passkeys may sign",
    access: Access::Public(get),
    parameters: &[],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<NetworkView>),
    problems: &[],
}];

/// The network.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
    /// Who decides the next block.
    pub validators: ValidatorSet,
    /// Their hash, which the last header names and a change of them as well.
    pub validators_hash: Hash,
    /// The nodes that transactions let in.
    pub nodes: Vec<NodeView>,
    /// By which rules the next block is made.
    pub protocol: u32,
    /// From which block on others hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
}

/// A node of the network.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NetworkNode")]
pub struct NodeView {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The key with which it signs blocks when it decides.
    pub key: PublicKey,
    /// When the key is to be replaced at the latest; it goes on counting after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_by: Option<Timestamp>,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let row = network::view::network(&call.view.state);
    let tip = &call.view.tip;
    let upgrades = network::view::upgrades(&call.view.state);
    let next = tip.height.saturating_add(1);
    let nodes = network::view::nodes(&call.view.state);
    Reply::json(&NetworkView {
        chain_id: call.gateway.port.chain().chain_id(),
        height: tip.height,
        time: tip.time,
        state_root: call.view.state.root(),
        receipts: tip.receipts,
        governing: row.governing.clone(),
        rp_id: row.rp_id.to_string(),
        origins: row.origins.iter().map(|origin| origin.to_string()).collect(),
        validators: tip.validators.clone(),
        validators_hash: tip.validators.hash(),
        nodes: nodes
            .iter()
            .map(|node| NodeView {
                organisation: node.organisation,
                key: node.key,
                renew_by: node.renew_by,
            })
            .collect(),
        protocol: upgrades.protocol_at(next),
        upgrade: upgrades.ahead_of(next),
    })
}
