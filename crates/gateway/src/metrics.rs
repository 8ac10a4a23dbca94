//! Figures for operators, in the text format of Prometheus. Aggregates only: no party, no id.

use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::port::{Durations, Figure, FigureValue};

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    code: &'static str,
}

/// What the gateway counts.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    refused: Family<Refused, Counter>,
    duration: Family<Operation, Histogram>,
    refused_sign_ins: Counter,
    requests: Gauge,
}

/// Upper bounds of the duration histogram, in seconds.
const DURATION_BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

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
        let refused = Family::default();
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
        registry.register(
            "gateway_problems",
            "Requests answered with a problem, by its code",
            refused.clone(),
        );
        registry.register("gateway_refused_sign_ins", "Refused sign-ins", refused_sign_ins.clone());
        registry.register("gateway_requests_open", "Requests being answered", requests.clone());
        Self { registry, answered, refused, duration, refused_sign_ins, requests }
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

    /// A request was answered with the problem of this code.
    pub fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&Refused { code }).inc();
    }

    /// A sign-in was refused.
    pub fn sign_in_refused(&self) {
        self.refused_sign_ins.inc();
    }

    /// Everything as text, together with figures that are read when somebody asks.
    #[must_use]
    pub fn text(&self, figures: &[Figure]) -> String {
        let mut asked = Registry::with_prefix("yibao");
        for Figure { name, meaning, value } in figures {
            asked.register(*name, *meaning, Shown(value.clone()));
        }
        let mut text = String::new();
        // Writing into a string fails only when a metric cannot be encoded, which numbers can.
        let written = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &asked))
            .and_then(|()| encode_eof(&mut text));
        if written.is_err() { String::from("# EOF\n") } else { text }
    }
}

/// A figure as a metric.
#[derive(Debug)]
struct Shown(FigureValue);

impl EncodeMetric for Shown {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        match &self.0 {
            FigureValue::Gauge(value) => encoder.encode_gauge(value),
            FigureValue::Total(value) => encoder.encode_counter::<NoLabelSet, _, u64>(value, None),
            FigureValue::TotalBy(label, values) => values.iter().try_for_each(|(of, value)| {
                let labels = [(*label, of.as_str())];
                encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(value, None)
            }),
            FigureValue::GaugeBy(label, values) => values.iter().try_for_each(|(of, value)| {
                let labels = [(*label, of.as_str())];
                encoder.encode_family(&labels)?.encode_gauge(value)
            }),
            FigureValue::Durations(Durations { counts, sum }) => {
                let count = counts.iter().map(|(_, count)| count).sum();
                encoder.encode_histogram::<NoLabelSet>(*sum, count, counts, None)
            }
        }
    }

    fn metric_type(&self) -> MetricType {
        match self.0 {
            FigureValue::Gauge(_) | FigureValue::GaugeBy(..) => MetricType::Gauge,
            FigureValue::Total(_) | FigureValue::TotalBy(..) => MetricType::Counter,
            FigureValue::Durations(_) => MetricType::Histogram,
        }
    }

    fn is_empty(&self) -> bool {
        match &self.0 {
            FigureValue::TotalBy(_, values) => values.is_empty(),
            FigureValue::GaugeBy(_, values) => values.is_empty(),
            _ => false,
        }
    }
}
