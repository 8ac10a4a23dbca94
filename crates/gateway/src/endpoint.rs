//! What an endpoint is: one declaration that routing, authorisation, documentation and tests share.

use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use schemars::{Schema, SchemaGenerator};

use crate::call::Call;
use crate::problem::{Problem, ProblemCode};
use crate::session::Session;

/// One operation of the API.
pub struct Endpoint {
    /// The HTTP method.
    pub method: Method,
    /// The path, parameters in braces; `{*name}` takes the rest with its slashes.
    pub path: &'static str,
    /// The stable name, used by generated clients, metrics and logs.
    pub operation: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Who may call it, and what then happens.
    pub access: Access,
    /// What stands in path, query and headers.
    pub parameters: &'static [Parameter],
    /// What the body is.
    pub body: BodyKind,
    /// What is answered when all is well.
    pub answer: AnswerKind,
    /// The problems of this operation besides those that every operation may have.
    pub problems: &'static [ProblemCode],
}

/// A handler of an operation that anybody may call.
pub type Open = fn(&Call) -> Result<Reply, Problem>;
/// A handler of an operation that needs a session.
pub type SignedIn = fn(&Call, &Session) -> Result<Reply, Problem>;

/// Who may call an operation. The handler's type follows from it, so no handler without a session
/// can stand behind an operation that needs one.
pub enum Access {
    /// Anybody; there is nothing in the answer that is not public.
    Public(Open),
    /// Every party that signed in; it gets what is its own, and nothing can be asked for that is
    /// not.
    Session(SignedIn),
    /// Only parties that the rule names. The handler loads what is asked for through a function
    /// that takes the session and applies the rule.
    Party {
        /// The rule, for the documentation.
        rule: &'static str,
        /// What then happens.
        handle: SignedIn,
    },
}

impl Access {
    /// Whether a session is needed.
    #[must_use]
    pub const fn needs_session(&self) -> bool {
        !matches!(self, Self::Public(_))
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// A parameter of an operation.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
    /// Its form.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Parameter {
    /// A parameter in the path.
    #[must_use]
    pub const fn path(
        name: &'static str,
        meaning: &'static str,
        schema: fn(&mut SchemaGenerator) -> Schema,
    ) -> Self {
        Self { name, place: Place::Path, required: true, meaning, schema }
    }

    /// An optional parameter in the query.
    #[must_use]
    pub const fn query(
        name: &'static str,
        meaning: &'static str,
        schema: fn(&mut SchemaGenerator) -> Schema,
    ) -> Self {
        Self { name, place: Place::Query, required: false, meaning, schema }
    }
}

/// What the body of a request is.
pub enum BodyKind {
    /// There is none.
    None,
    /// JSON of this form, of at most so many bytes.
    Json(fn(&mut SchemaGenerator) -> Schema, usize),
    /// The same with a signed transaction in it, which goes to the ledger.
    Signed(fn(&mut SchemaGenerator) -> Schema, usize),
    /// Bytes, of at most so many.
    Bytes(usize),
    /// A form with a file, as browsers send it without a script, of at most so many bytes.
    Form(usize),
}

impl BodyKind {
    /// The form of a JSON body.
    #[must_use]
    pub fn json(&self) -> Option<fn(&mut SchemaGenerator) -> Schema> {
        match self {
            Self::Json(form, _) | Self::Signed(form, _) => Some(*form),
            Self::None | Self::Bytes(_) | Self::Form(_) => None,
        }
    }

    /// The most bytes that are read.
    #[must_use]
    pub const fn bytes_max(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(_, max) | Self::Signed(_, max) | Self::Bytes(max) | Self::Form(max) => *max,
        }
    }
}

/// The most bytes of an ordinary JSON body.
pub const JSON_BYTES_MAX: usize = 64 * 1024;

/// What is answered when all is well.
pub enum AnswerKind {
    /// JSON of this form, with this status.
    Json(u16, fn(&mut SchemaGenerator) -> Schema),
    /// Something else of this media type, with status 200.
    Other(&'static str),
    /// Nothing, with status 204.
    Nothing,
}

/// A future answer.
pub type Later = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// What a handler gives.
pub enum Reply {
    /// The answer.
    Now(Box<Response>),
    /// It will come; meanwhile no thread waits for it.
    Later(Later),
}

impl Reply {
    /// JSON with status 200.
    ///
    /// # Errors
    /// `internal_error` when the value cannot be written, which no value here does.
    pub fn json<T: serde::Serialize>(value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value)
            .map_err(|error| crate::port::PortError::Failed(error.to_string()))?;
        Ok(Self::bytes("application/json", body))
    }

    /// Bytes of a media type with status 200.
    #[must_use]
    pub fn bytes(media_type: &'static str, body: impl Into<Body>) -> Self {
        let mut response = Response::new(body.into());
        response
            .headers_mut()
            .insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self::Now(Box::new(response))
    }

    /// Nothing, with status 204.
    #[must_use]
    pub fn nothing() -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = axum::http::StatusCode::NO_CONTENT;
        Self::Now(Box::new(response))
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: axum::http::StatusCode) -> Self {
        if let Self::Now(response) = &mut self {
            *response.status_mut() = status;
        }
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Self::Now(response) = &mut self {
            response.headers_mut().insert(name, value);
        }
        self
    }
}

/// The form of a type in the contract.
pub fn schema_of<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
