//! The kinds of transaction and the forms of their bodies.

use axum::http::Method;
use ledger::kernel::registry::KindEntry;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::openapi::stand_alone_schema;
use crate::problem::{Problem, code, words};

/// The endpoints of kinds.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/kinds",
        operation: "list_kinds",
        summary: "Lists the kinds of transaction",
        access: Access::Public(list),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<KindList>),
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/kinds/{kind}",
        operation: "get_kind",
        summary: "Gives the JSON schema of a kind's body",
        access: Access::Public(get),
        parameters: &[Parameter::path("kind", "the kind's name", schema_of::<String>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<KindDetail>),
        problems: &[code::NOT_FOUND],
    },
];

/// Every kind of transaction.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KindList {
    /// The kinds, by number.
    pub kinds: Vec<KindView>,
}

/// A kind of transaction.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Kind")]
pub struct KindView {
    /// The wire number.
    pub number: u16,
    /// The stable name.
    pub name: String,
    /// The module it belongs to.
    pub module: String,
    /// What it is called in the reader's language.
    pub title: String,
}

/// A kind of transaction with the form of its body.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KindDetail {
    /// The kind.
    #[serde(flatten)]
    pub kind: KindView,
    /// The JSON schema (2020-12) of the body.
    pub schema: Value,
}

fn view(call: &Call, kind: &KindEntry) -> KindView {
    KindView {
        number: kind.number,
        name: kind.name.to_owned(),
        module: kind.module.to_owned(),
        title: words::kind(call.language, kind.name),
    }
}

fn list(call: &Call) -> Result<Reply, Problem> {
    let kinds = call.gateway.port.chain().registry().kinds().iter();
    Reply::json(&KindList { kinds: kinds.map(|kind| view(call, kind)).collect() })
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let name: String = call.path("kind")?;
    let kind = call.gateway.port.chain().registry().by_name(&name).ok_or_else(not_found)?;
    Reply::json(&KindDetail { kind: view(call, kind), schema: stand_alone_schema(kind) })
}
