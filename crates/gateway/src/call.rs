//! One request as its handler sees it: read once, into types that cannot be wrong.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, header};
use primitives::{Timestamp, detail};
use serde::de::DeserializeOwned;

use crate::endpoint::{BodyKind, Endpoint};
use crate::gateway::Gateway;
use crate::port::View;
use crate::problem::{Language, Problem, code, foreign};

/// The names and values of a path or a query.
pub type Pairs = Vec<(String, String)>;

/// A request.
#[derive(Clone)]
pub struct Call {
    /// The gateway that received it.
    pub gateway: Arc<Gateway>,
    /// The operation.
    pub endpoint: &'static Endpoint,
    /// The parameters of the path.
    pub path: Pairs,
    /// The parameters of the query.
    pub query: Pairs,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The reader's language.
    pub language: Language,
    /// Where it came from at first, before any trusted proxy.
    pub client: IpAddr,
    /// When it came.
    pub now: Timestamp,
    /// The ledger at that moment. All of an answer comes from one view.
    pub view: Arc<View>,
}

impl Call {
    /// A parameter of the path.
    ///
    /// # Errors
    /// `invalid_field`, naming it.
    pub fn path<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem>
    where
        T::Err: ToString,
    {
        let text = self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
        text.parse().map_err(|error: T::Err| {
            Problem::new(&code::FIELD_INVALID).at(name).with(foreign::text(&error.to_string()))
        })
    }

    /// A parameter of the query.
    ///
    /// # Errors
    /// `invalid_field`, naming it.
    pub fn query<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: ToString,
    {
        let Some((_, text)) = self.query.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        let wrong = |error: T::Err| {
            Problem::new(&code::FIELD_INVALID).at(name).with(foreign::text(&error.to_string()))
        };
        text.parse().map(Some).map_err(wrong)
    }

    /// A header as text.
    ///
    /// # Errors
    /// `invalid_header` when it is not plain text.
    pub fn header(&self, name: &HeaderName) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get(name) else { return Ok(None) };
        let wrong = |_| Problem::new(&code::HEADER_INVALID).at(name.as_str());
        value.to_str().map(Some).map_err(wrong)
    }

    /// The JSON body.
    ///
    /// # Errors
    /// `malformed_json`, `json_too_deep`, or `invalid_field` naming the field by its path.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(&self.body)
    }
}

/// The value of these bytes.
///
/// # Errors
/// `malformed_json`, `json_too_deep`, or `invalid_field` naming the field by its path.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        json_problem(error.inner(), &path)
    })?;
    reader.end().map_err(|error| json_problem(&error, "."))?;
    Ok(value)
}

fn json_problem(error: &serde_json::Error, path: &str) -> Problem {
    let words = foreign::json(error);
    if error.to_string().starts_with("recursion limit exceeded") {
        return Problem::new(&code::JSON_TOO_DEEP).with(words);
    }
    if error.classify() != serde_json::error::Category::Data {
        return Problem::new(&code::JSON_MALFORMED).with(words);
    }
    let problem = Problem::new(&code::FIELD_INVALID).with(words);
    if path == "." { problem } else { problem.at(path) }
}

/// Checks what can be said of the query before the handler runs: every name is known and comes
/// once.
///
/// # Errors
/// `invalid_field`, naming it.
pub fn check_query(endpoint: &Endpoint, query: &Pairs) -> Result<(), Problem> {
    for (at, (name, _)) in query.iter().enumerate() {
        let known = endpoint.parameters.iter().any(|parameter| {
            parameter.place == crate::endpoint::Place::Query && parameter.name == name
        });
        let again = query.iter().take(at).any(|(other, _)| other == name);
        if !known || again {
            let words = if known {
                detail!("it is there twice")
            } else {
                detail!("there is no such parameter")
            };
            let shown: String = name.chars().take(40).collect();
            return Err(Problem::new(&code::FIELD_INVALID).at(shown).with(words));
        }
    }
    Ok(())
}

/// Checks that a body comes with the media type that the operation reads.
///
/// # Errors
/// `unsupported_media_type`.
pub fn check_media_type(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Problem> {
    let wanted = match endpoint.body {
        BodyKind::None => return Ok(()),
        BodyKind::Json(..) | BodyKind::Signed(..) => "application/json",
        BodyKind::Bytes(_) => "application/octet-stream",
        BodyKind::Form(_) => "multipart/form-data",
    };
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next()).unwrap_or("").trim();
    if essence.eq_ignore_ascii_case(wanted) {
        Ok(())
    } else {
        Err(Problem::new(&code::MEDIA_TYPE).with(detail!("use `{wanted}`", wanted)))
    }
}
