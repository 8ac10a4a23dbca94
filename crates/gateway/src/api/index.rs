//! The first page: what this is, and where its contract lies.

use axum::http::{HeaderValue, Method, header};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply};
use crate::problem::{Problem, words};

/// The index page and the contract.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/",
        operation: "get_index",
        summary: "Says what this is, as a page for people",
        access: Access::Public(index),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Other("text/html"),
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/openapi.json",
        operation: "get_contract",
        summary: "Gives this contract",
        access: Access::Public(contract),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/json"),
        problems: &[],
    },
];

fn contract(call: &Call) -> Result<Reply, Problem> {
    let reply = Reply::bytes("application/json", call.gateway.contract.clone());
    Ok(reply.header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
}

fn index(call: &Call) -> Result<Reply, Problem> {
    let texts = words::index(call.language);
    let text = |key: &str| escape(texts.get(key).map_or("", String::as_str));
    let chain_id = call.gateway.port.chain().chain_id();
    let links = [
        ("/v1/openapi.json", "contract"),
        ("/v1/network", "network"),
        ("/v1/kinds", "kinds"),
        ("/log/checkpoint", "checkpoint"),
        ("/health/ready", "ready"),
        ("/metrics", "figures"),
    ];
    let list: String = links
        .iter()
        .map(|(path, key)| {
            format!("<li><a href=\"{path}\"><code>{path}</code></a> {}</li>\n", text(key))
        })
        .collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n<p>{what}</p>\n\
         <p>{ledger} <code>{chain_id}</code>, {height} {tip}</p>\n\
         <ul>\n{list}</ul>\n<p>{privacy}</p>\n<p>{web}</p>\n</main>\n</body>\n</html>\n",
        lang = call.language.tag(),
        title = text("title"),
        what = text("what"),
        ledger = text("ledger"),
        height = text("height"),
        tip = call.view.tip.height,
        privacy = text("privacy"),
        // With a web app this page is not served.
        web = text("web"),
    );
    Ok(Reply::bytes("text/html; charset=utf-8", page)
        .header(header::CONTENT_LANGUAGE, HeaderValue::from_static(call.language.tag())))
}

/// A text as HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
