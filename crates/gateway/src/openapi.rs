//! The contract: OpenAPI 3.1, made from the endpoints' declarations and the registry of kinds. The
//! same endpoints and kinds give the same bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ledger::kernel::registry::KindEntry;
use ledger::{IdempotencyKey, Registry};
use primitives::{Party, Timestamp};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::api;
use crate::api::transaction::PrepareRequest;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Place};
use crate::problem::{MEDIA_TYPE, ProblemCode, ProblemDocument, code};

const COMPONENTS: &str = "#/components/schemas/";
/// The component that says which body belongs to which kind.
const KIND_AND_BODY: &str = "KindAndBody";

/// The content of a transaction in JSON; see [`PrepareRequest`] for the one that may leave things
/// out.
struct TransactionContent;

/// A schema of a kind's name and body together with these members.
fn with_kind_and_body(members: Value, required: &[&str], meaning: &str) -> Schema {
    json_schema!({
        "description": meaning,
        "type": "object",
        "properties": members,
        "required": required,
        "allOf": [{ "$ref": format!("{COMPONENTS}{KIND_AND_BODY}") }],
        "unevaluatedProperties": false
    })
}

fn members(generator: &mut SchemaGenerator) -> Value {
    json!({
        "author": generator.subschema_for::<Party>(),
        "idempotency_key": generator.subschema_for::<IdempotencyKey>(),
        "valid_until": generator.subschema_for::<Timestamp>()
    })
}

impl JsonSchema for TransactionContent {
    fn schema_name() -> Cow<'static, str> {
        "TransactionContent".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let meaning = "what is signed: author, the author's idempotency key, the last instant at which it \
                       may be executed, kind and body";
        let required = ["author", "idempotency_key", "valid_until"];
        with_kind_and_body(members(generator), &required, meaning)
    }
}

impl JsonSchema for PrepareRequest {
    fn schema_name() -> Cow<'static, str> {
        "PrepareRequest".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let meaning =
            "what is to be encoded for signing; key and validity are chosen when left out";
        with_kind_and_body(members(generator), &["author"], meaning)
    }
}

/// The schema of a transaction's content: bytes in hex, or the content itself.
pub fn transaction_content(generator: &mut SchemaGenerator) -> Schema {
    let content = generator.subschema_for::<TransactionContent>();
    json_schema!({
        "description": "the content: its bytes in hex as `prepare` gave them, or the content itself",
        "oneOf": [{ "type": "string", "pattern": "^([0-9a-f]{2})+$" }, content]
    })
}

/// The schema of a kind's body that needs nothing beside it.
#[must_use]
pub fn stand_alone_schema(kind: &KindEntry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = (kind.schema)(&mut generator);
    let mut value = schema.to_value();
    let definitions = generator.take_definitions(true);
    if let Value::Object(members) = &mut value {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$defs".to_owned(), Value::Object(definitions));
    }
    value
}

/// Puts a reference that has properties beside it into an `allOf` with them: to many readers of
/// contracts a reference is all there is, and they would lose the member that tells variants apart.
fn join_by_all_of(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(join_by_all_of),
        Value::Object(members) => {
            members.values_mut().for_each(join_by_all_of);
            if members.contains_key("$ref") && members.contains_key("properties") {
                let reference = members.remove("$ref").unwrap_or_default();
                let description = members.remove("description");
                let own = Value::Object(core::mem::take(members));
                members.extend(description.map(|words| ("description".to_owned(), words)));
                members.insert("allOf".to_owned(), json!([{ "$ref": reference }, own]));
            }
        }
        _ => {}
    }
}

/// The contract of the gateway for a ledger with these kinds.
#[must_use]
pub fn openapi(registry: &Registry) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in api::endpoints() {
        let path = endpoint.path.replace("{*", "{");
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = operation(endpoint, &mut generator);
        paths.entry(path).or_default().insert(method, operation);
    }
    let kinds: Vec<Value> =
        registry.kinds().iter().map(|kind| kind_and_body(kind, &mut generator)).collect();
    generator.subschema_for::<ProblemDocument>();
    let mut schemas = generator.take_definitions(true);
    schemas.insert(
        KIND_AND_BODY.to_owned(),
        json!({ "description": "a kind of transaction with its body", "oneOf": kinds }),
    );
    name_problem_codes(&mut schemas, registry);
    schemas.values_mut().for_each(join_by_all_of);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "yibao",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the token that `create_session` gives"
                }
            }
        }
    })
}

const DESCRIPTION: &str = "Settles medical insurance on a tamper-evident ledger. Amounts are whole minor units (fen) of \
     their currency, as text; days are `YYYY-MM-DD`; instants are RFC 3339 in UTC; ids, keys and \
     hashes are lower-case hex. Whatever goes wrong is an RFC 9457 problem with a stable `code`; a \
     rejection of the ledger has status 422 and the rejection's name as code. `Accept-Language` \
     chooses the words: zh-Hans, zh-Hant, en, de.";

fn kind_and_body(kind: &KindEntry, generator: &mut SchemaGenerator) -> Value {
    let body = (kind.schema)(generator);
    json!({
        "type": "object",
        "properties": { "kind": { "const": kind.name, "type": "string" }, "body": body },
        "required": ["kind", "body"]
    })
}

/// Clients choose their own words by code, so the contract lists every code there is.
fn name_problem_codes(schemas: &mut Map<String, Value>, registry: &Registry) {
    let own = code::ALL.iter().map(|code| code.name);
    let rejections = registry.rejections().iter().map(|code| code.name);
    let names: BTreeSet<&str> = own.chain(rejections).collect();
    if let Some(code) =
        schemas.get_mut("Problem").and_then(|schema| schema.pointer_mut("/properties/code"))
    {
        code["enum"] = json!(names);
    }
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(endpoint.operation));
    operation.insert("summary".to_owned(), json!(endpoint.summary));
    operation.insert("tags".to_owned(), json!([tag(endpoint.path)]));
    let who = match &endpoint.access {
        Access::Public(_) => "For anybody.".to_owned(),
        Access::Session(_) => "For every signed-in party, which gets what is its own.".to_owned(),
        Access::Party { rule, .. } => format!("For {rule}."),
    };
    operation.insert("description".to_owned(), json!(who));
    let security =
        if endpoint.access.needs_session() { json!([{ "session": [] }]) } else { json!([]) };
    operation.insert("security".to_owned(), security);
    let parameters: Vec<Value> =
        endpoint.parameters.iter().map(|one| parameter(one, generator)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let body = match &endpoint.body {
        BodyKind::None => None,
        BodyKind::Json(schema, _) | BodyKind::Signed(schema, _) => {
            Some(("application/json", schema(generator)))
        }
        BodyKind::Bytes(_) => Some(("application/octet-stream", json_schema!({}))),
        BodyKind::Form(_) => Some(("multipart/form-data", json_schema!({ "type": "object" }))),
    };
    if let Some((media_type, schema)) = body {
        let body = json!({ "required": true, "content": { media_type: { "schema": schema } } });
        operation.insert("requestBody".to_owned(), body);
    }
    operation.insert("responses".to_owned(), Value::Object(responses(endpoint, generator)));
    Value::Object(operation)
}

/// Operations are grouped by the first word of their path.
fn tag(path: &str) -> &str {
    let mut words = path.split('/').filter(|word| !word.is_empty() && *word != "v1");
    words.next().unwrap_or("index")
}

fn parameter(one: &crate::endpoint::Parameter, generator: &mut SchemaGenerator) -> Value {
    let place = match one.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({
        "name": one.name,
        "in": place,
        "required": one.required,
        "description": one.meaning,
        "schema": (one.schema)(generator)
    })
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    let (status, answer) = match &endpoint.answer {
        AnswerKind::Json(status, schema) => {
            let content = json!({ "application/json": { "schema": schema(generator) } });
            (*status, json!({ "description": "what was asked for", "content": content }))
        }
        AnswerKind::Other(media_type) => {
            let content = json!({ *media_type: {} });
            (200, json!({ "description": "what was asked for", "content": content }))
        }
        AnswerKind::Nothing => (204, json!({ "description": "done" })),
    };
    responses.insert(status.to_string(), answer);
    if endpoint.operation == "submit_transaction"
        && let Some(answer) = responses.get(&status.to_string()).cloned()
    {
        responses.insert("200".to_owned(), answer);
    }
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for code in problems_of(endpoint) {
        by_status.entry(code.status).or_default().insert(code.name);
    }
    for (status, names) in by_status {
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let mut description = list.join(", ");
        if status == 422 && may_be_rejected(endpoint) {
            description.push_str(", or a rejection of the ledger");
        }
        let content =
            json!({ MEDIA_TYPE: { "schema": { "$ref": format!("{COMPONENTS}Problem") } } });
        let problem = json!({ "description": description, "content": content });
        responses.insert(status.to_string(), problem);
    }
    responses
}

/// Whether the ledger executes something for this operation.
fn may_be_rejected(endpoint: &Endpoint) -> bool {
    ["submit_transaction", "rehearse_transaction", "create_quote"].contains(&endpoint.operation)
}

/// The problems of an operation: its own and those that follow from its declaration.
#[must_use]
pub fn problems_of(endpoint: &Endpoint) -> Vec<ProblemCode> {
    let mut problems = endpoint.problems.to_vec();
    problems.extend([
        code::ADDRESS_TOO_LONG,
        code::HEADERS_TOO_LARGE,
        code::TOO_MANY_REQUESTS,
        code::OVERLOADED,
        code::STILL_WORKING,
        code::INTERNAL,
    ]);
    if endpoint.access.needs_session() {
        problems.extend([code::SESSION_MISSING, code::SESSION_ENDED]);
    }
    // An unknown parameter in the query is refused everywhere.
    problems.push(code::FIELD_INVALID);
    if endpoint.parameters.iter().any(|one| one.place == Place::Header) {
        problems.push(code::HEADER_INVALID);
    }
    if !matches!(endpoint.body, BodyKind::None) {
        problems.extend([
            code::BODY_TOO_LARGE,
            code::BODY_TOO_SLOW,
            code::BODY_INCOMPLETE,
            code::MEDIA_TYPE,
        ]);
    }
    if endpoint.body.json().is_some() {
        problems.extend([code::JSON_MALFORMED, code::JSON_TOO_DEEP]);
    }
    if matches!(endpoint.body, BodyKind::Signed(..)) {
        problems.extend([
            code::KIND_UNKNOWN,
            code::TRANSACTION_MALFORMED,
            code::TRANSACTION_BODY_INVALID,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ]);
    }
    problems
}
