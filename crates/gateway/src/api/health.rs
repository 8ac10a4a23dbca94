//! Whether the gateway lives, whether the node takes transactions, and figures for operators.

use axum::http::Method;

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply};
use crate::metrics;
use crate::port::Figure;
use crate::problem::{Problem, code};

/// The endpoints for operators.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/health/live",
        operation: "get_live",
        summary: "Answers as long as the process does",
        access: Access::Public(|_| Ok(Reply::nothing())),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/health/ready",
        operation: "get_ready",
        summary: "Answers when the node takes transactions and its books work",
        access: Access::Public(ready),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Nothing,
        problems: &[code::UNAVAILABLE],
    },
    Endpoint {
        method: Method::GET,
        path: "/metrics",
        operation: "get_metrics",
        summary: "Gives figures for Prometheus: aggregates only",
        access: Access::Public(figures),
        parameters: &[],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/openmetrics-text"),
        problems: &[],
    },
];

fn ready(call: &Call) -> Result<Reply, Problem> {
    if call.gateway.port.is_ready() {
        Ok(Reply::nothing())
    } else {
        Err(Problem::new(&code::UNAVAILABLE))
    }
}

fn figures(call: &Call) -> Result<Reply, Problem> {
    let gateway = &call.gateway;
    let tip = &call.view.tip;
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let own = [
        ("ledger_height", "Height of the last block", tip.height),
        ("ledger_block_time_seconds", "Block time of the last block", tip.time.millis() / 1_000),
        ("ledger_receipts", "Receipts in the log", tip.receipts),
        ("ledger_rows", "Rows of the state", call.view.state.entry_count()),
        ("node_ready", "1 when the node takes transactions", u64::from(gateway.port.is_ready())),
        ("gateway_sessions", "Sessions", count(gateway.sessions.count())),
        ("gateway_streams", "Streams of live events", count(gateway.hub.count())),
        (
            "gateway_transactions_in_flight",
            "Transactions submitted here without an answer yet",
            count(gateway.in_flight.count()),
        ),
    ];
    let own = own.map(|(name, meaning, value)| Figure::count(name, meaning, value));
    let all: Vec<Figure> = own.into_iter().chain(gateway.port.figures()).collect();
    Ok(Reply::bytes(metrics::MEDIA_TYPE, gateway.metrics.text(&all)))
}
