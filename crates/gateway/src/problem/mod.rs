//! Whatever goes wrong, in one form: RFC 9457 problem documents with a stable code and plain words
//! in the reader's language.
//!
//! Reading order: [`code`] (the gateway's own problems), [`language`], [`words`] (their texts),
//! [`foreign`] (what libraries say), [`particulars`] (for programs), this file.
//!
//! A rejection of the ledger is a problem with status 422 whose code is the rejection's name.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use ledger::Rejection;
use primitives::Detail;
use schemars::JsonSchema;
use serde::Serialize;

pub mod code;
pub mod foreign;
pub mod language;
pub mod particulars;
pub mod words;

pub use code::ProblemCode;
pub use language::{Language, accepted};

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not answered as asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The stable name.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The field of the request that is wrong, such as `body.region` or `after`.
    pub field: Option<String>,
    /// Particulars of this case. Never health data, names or keys.
    pub detail: Option<Box<Detail>>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The receipt, when the ledger executed the transaction and rejected it.
    pub receipt: Option<serde_json::Value>,
}

/// A problem as it is sent (RFC 9457).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemDocument {
    /// Where this kind of problem is explained.
    pub r#type: String,
    /// What is true, in the reader's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is true in this case, and the remedy, in the reader's language.
    pub detail: String,
    /// This request, for asking about it.
    pub instance: String,
    /// The stable name of the problem: one of the gateway's or a rejection of the ledger.
    pub code: String,
    /// The field of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do.
    pub remedy: String,
    /// What stands in `detail`, for programs: by the names of the values, or `value` for one alone.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub particulars: serde_json::Map<String, serde_json::Value>,
    /// The receipt, when the ledger executed the transaction and rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<serde_json::Value>,
}

impl Problem {
    /// A problem without particulars.
    #[must_use]
    pub const fn new(code: &ProblemCode) -> Self {
        Self {
            code: code.name,
            status: code.status,
            field: None,
            detail: None,
            retry_after: None,
            receipt: None,
        }
    }

    /// The same, naming the field of the request.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, with particulars.
    #[must_use]
    pub fn with(mut self, detail: impl Into<Detail>) -> Self {
        self.detail = Some(Box::new(detail.into()));
        self
    }

    /// The same, saying when to try again.
    #[must_use]
    pub const fn retry(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// A rejection by the ledger.
    #[must_use]
    pub fn rejected(rejection: &Rejection) -> Self {
        let mut problem = Self::new(&ProblemCode { name: rejection.code.name, status: 422 });
        problem.detail = rejection.detail.clone().map(Box::new);
        problem
    }

    /// The document in this language.
    #[must_use]
    pub fn document(&self, language: Language, request: &str) -> ProblemDocument {
        let words = words::of(language, self.code);
        let mut detail = words.title.clone();
        if let Some(field) = &self.field {
            detail = words::pair(language, &format!("`{field}`"), &detail);
        }
        if let Some(particulars) = self.detail.as_deref() {
            detail = words::pair(language, &detail, &words::particulars(language, particulars));
        }
        ProblemDocument {
            r#type: format!("/problems/{}", self.code),
            title: words.title.clone(),
            status: self.status,
            detail,
            instance: format!("urn:yibao:request:{request}"),
            code: self.code.to_owned(),
            field: self.field.clone(),
            remedy: words.remedy.clone(),
            particulars: self.detail.as_deref().map(particulars::members).unwrap_or_default(),
            receipt: self.receipt.clone(),
        }
    }

    /// The answer to the request.
    #[must_use]
    pub fn response(&self, language: Language, request: &str) -> Response {
        let document = self.document(language, request);
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            // Rounded up: whoever comes at the second that was named is let in.
            let seconds = u64::try_from(after.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
            let seconds = seconds.max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<crate::port::PortError> for Problem {
    fn from(error: crate::port::PortError) -> Self {
        match error {
            crate::port::PortError::Failed(_) => {
                tracing::error!(%error, "the node failed");
                Self::new(&code::INTERNAL)
            }
            crate::port::PortError::Unreachable(_) => {
                tracing::warn!(%error, "the node could not answer");
                Self::new(&code::UNAVAILABLE)
            }
        }
    }
}
