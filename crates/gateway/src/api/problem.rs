//! What each problem means: where the `type` of a problem document points.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code, words};

/// The endpoint of problems.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/problems/{code}",
    operation: "get_problem",
    summary: "Explains a kind of problem in the reader's language",
    access: Access::Public(get),
    parameters: &[Parameter::path("code", "the problem's code", schema_of::<String>)],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<ProblemKind>),
    problems: &[code::NOT_FOUND],
}];

/// A kind of problem.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProblemKind {
    /// The stable name.
    pub code: String,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// What is true.
    pub title: String,
    /// What to do.
    pub remedy: String,
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let name: String = call.path("code")?;
    let own = code::ALL.iter().find(|code| code.name == name).map(|code| code.status);
    let rejections = call.gateway.port.chain().registry().rejections();
    let status = own.or_else(|| rejections.iter().find(|code| code.name == name).map(|_| 422));
    let status = status.ok_or_else(not_found)?;
    let words = words::of(call.language, &name);
    Reply::json(&ProblemKind { code: name, status, title: words.title, remedy: words.remedy })
}
