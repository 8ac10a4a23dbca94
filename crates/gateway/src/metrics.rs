//! Figures for operators, in the text format of Prometheus. Aggregates only: no party, no id.

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The media type of the text format.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

/// What the gateway counts.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    duration: Family<Operation, Histogram>,
    refused_sign_ins: Counter,
    requests: Gauge,
    figures: Vec<(&'static str, Gauge<u64, AtomicU64>)>,
}

/// Upper bounds of the duration histogram, in seconds.
const DURATION_BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Figures that are read when somebody asks: name and meaning.
const FIGURES: [(&str, &str); 13] = [
    ("ledger_height", "Height of the last block"),
    ("ledger_block_time_seconds", "Block time of the last block, seconds since 1970"),
    ("ledger_receipts", "Receipts in the log"),
    ("ledger_rows", "Rows of the state"),
    ("node_ready", "1 when the node takes transactions"),
    ("node_waiting_transactions", "Transactions that wait for a block"),
    ("node_waiting_bytes", "Bytes of transactions that wait for a block"),
    ("node_open_effects", "Payments outside without a final word"),
    ("node_disk_bytes", "Bytes on disk"),
    ("node_snapshot_height", "Height of the last snapshot"),
    ("gateway_sessions", "Sessions"),
    ("gateway_streams", "Streams of live events"),
    ("gateway_transactions_in_flight", "Transactions submitted here without an answer yet"),
];

/// The values of the figures, in the order of their declaration.
pub type Figures = [u64; FIGURES.len()];

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("yibao");
        let answered = Family::default();
        let duration = Family::<Operation, Histogram>::new_with_constructor(|| {
            Histogram::new(DURATION_BOUNDS)
        });
        let refused_sign_ins = Counter::default();
        let requests = Gauge::default();
        registry.register("gateway_requests", "Requests answered", answered.clone());
        registry.register(
            "gateway_request_duration_seconds",
            "Time from the last header to the first byte of the answer",
            duration.clone(),
        );
        registry.register("gateway_refused_sign_ins", "Refused sign-ins", refused_sign_ins.clone());
        registry.register("gateway_requests_open", "Requests being answered", requests.clone());
        let figures = FIGURES
            .map(|(name, help)| {
                let gauge = Gauge::<u64, AtomicU64>::default();
                registry.register(name, help, gauge.clone());
                (name, gauge)
            })
            .to_vec();
        Self { registry, answered, duration, refused_sign_ins, requests, figures }
    }

    /// A request came.
    pub fn started(&self) {
        self.requests.inc();
    }

    /// A request was answered.
    pub fn answered(&self, operation: &'static str, status: u16, took: Duration) {
        self.requests.dec();
        self.answered.get_or_create(&Answered { operation, status }).inc();
        self.duration.get_or_create(&Operation { operation }).observe(took.as_secs_f64());
    }

    /// A sign-in was refused.
    pub fn sign_in_refused(&self) {
        self.refused_sign_ins.inc();
    }

    /// Everything as text, with these figures.
    #[must_use]
    pub fn text(&self, figures: &Figures) -> String {
        for ((_, gauge), value) in self.figures.iter().zip(figures) {
            gauge.set(*value);
        }
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
            let _ = writeln!(text, "# EOF");
        }
        text
    }
}
