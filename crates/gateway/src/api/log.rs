//! The receipt log as C2SP tlog-tiles has it, and the headers of blocks. All of it is public.
//!
//! Served are checkpoints and hash tiles: what a witness needs to see that the log only grows.
//! Bundles of entries are not served: a receipt is shown to those whom it concerns and travels in
//! vouchers.

use axum::http::{HeaderValue, Method, header};
use primitives::Hash;
use proof::cosign::voucher_policy;
use proof::header::{Certificate, Header};
use proof::tile::Tile;
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};

/// The endpoints of the log.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/log/checkpoint",
        operation: "get_checkpoint",
        summary: "Gives the newest signed checkpoint of the receipt log (C2SP tlog-checkpoint)",
        access: Access::Public(checkpoint),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Other("text/plain"),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/log/policy",
        operation: "get_policy",
        summary: "Gives the policy that vouchers issued here pass offline: the log's key and, where \
                  several organisations order the ledger, whose cosignatures are needed (C2SP \
                  tlog-policy). Compare it with what another of them gives",
        access: Access::Public(policy),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Other("text/plain"),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/log/tile/{*place}",
        operation: "get_tile",
        summary: "Gives a tile of hashes of the receipt log (C2SP tlog-tiles)",
        access: Access::Public(tile),
        parameters: &[Parameter::path(
            "place",
            "level and place of the tile, such as `0/x001/067` or `1/000.p/5`",
            schema_of::<String>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/octet-stream"),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/headers/{height}",
        operation: "get_header",
        summary: "Gives the header of a block with the certificate that makes it final",
        access: Access::Public(block_header),
        parameters: &[Parameter::path("height", "the block's height", schema_of::<u64>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<HeaderView>),
        problems: &[code::NOT_FOUND],
    },
];

/// A block's header.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "SignedHeader")]
pub struct HeaderView {
    /// The header.
    pub header: Header,
    /// Its hash, which the validators signed.
    pub value_id: Hash,
    /// Their signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

fn checkpoint(call: &Call) -> Result<Reply, Problem> {
    let note = call.gateway.port.chain().checkpoint()?.ok_or_else(not_found)?;
    Ok(Reply::bytes("text/plain; charset=utf-8", note)
        .header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
}

fn policy(call: &Call) -> Result<Reply, Problem> {
    let chain = call.gateway.port.chain();
    let log = chain.log_key().ok_or_else(not_found)?;
    let policy = voucher_policy(&log, chain.chain_id(), &call.view.tip.validators);
    Ok(Reply::bytes("text/plain; charset=utf-8", policy)
        .header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
}

fn tile(call: &Call) -> Result<Reply, Problem> {
    let place: String = call.path("place")?;
    let tile = Tile::from_path(&format!("tile/{place}")).map_err(|_| not_found())?;
    let bytes = call.gateway.port.chain().tile(tile)?.ok_or_else(not_found)?;
    // A tile of this width never changes, partial ones included.
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok(Reply::bytes("application/octet-stream", bytes).header(header::CACHE_CONTROL, for_ever))
}

fn block_header(call: &Call) -> Result<Reply, Problem> {
    let height = call.path("height")?;
    let signed = call.gateway.port.chain().header(height)?.ok_or_else(not_found)?;
    Reply::json(&HeaderView {
        value_id: signed.header.value_id(),
        header: signed.header,
        certificate: signed.certificate,
    })
}
