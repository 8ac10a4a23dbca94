//! Transactions: prepared for signing, rehearsed, submitted.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use ledger::kernel::effect::Effect;
use ledger::kernel::posting::PostedEntry;
use ledger::kernel::rejection::kernel::{EXPIRED, KEY_REUSED};
use ledger::kernel::transaction::{TRANSACTION_BYTES_MAX, TRANSACTION_VERSION, TransactionError};
use ledger::modules::network;
use ledger::modules::organisation::Scope;
use ledger::{Authorisation, Content, IdempotencyKey, Registry, Rejection, Transaction};
use primitives::{Hash, Party, Timestamp, VisitId, codec, detail};
use proof::receipt::{Field, OutcomeCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::receipt::{concerned_receipt, not_found};
use super::reception::note_check_in;
use crate::call::{Call, read_json};
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Place, Reply, schema_of,
};
use crate::gateway::Gateway;
use crate::in_flight::Occupied;
use crate::openapi::transaction_content;
use crate::port::{SubmitError, Submitted};
use crate::problem::{Problem, code, foreign, words};
use crate::receipt_view::{EffectView, ReceiptView, receipt_for};
use crate::session::Session;

/// The most bytes of a submitted transaction: its largest content in hex, and its signatures.
const SUBMISSION_BYTES_MAX: usize = TRANSACTION_BYTES_MAX * 2 + JSON_BYTES_MAX;
/// For how long a prepared transaction is valid when nothing else is said, in milliseconds: a day.
const VALIDITY_MILLIS: u64 = 24 * 3_600_000;
/// The header that carries the transaction's own idempotency key.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const SUBMIT_RULE: &str = "the transaction's author, one of its signers, or a member of the governing set \
                           with a key that may govern, which brings newcomers' transactions in";

/// The endpoints of transactions.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/transactions/prepare",
        operation: "prepare_transaction",
        summary: "Encodes a transaction for signing: its bytes, its id (which is what is signed) and what \
                  it says; nothing is kept",
        access: Access::Session(prepare),
        parameters: &[],
        body: BodyKind::Json(schema_of::<PrepareRequest>, SUBMISSION_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<PreparedView>),
        problems: &[code::KIND_UNKNOWN, code::TRANSACTION_BODY_INVALID],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/transactions/rehearse",
        operation: "rehearse_transaction",
        summary: "Executes a signed transaction on the present state and forgets it again",
        access: Access::Party { rule: SUBMIT_RULE, handle: rehearse },
        parameters: &[],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, SUBMISSION_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<RehearsalView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/transactions",
        operation: "submit_transaction",
        summary: "Puts a signed transaction on the ledger and answers with its receipt once it is durable; \
                  the same transaction again gives the same receipt with status 200",
        access: Access::Party { rule: SUBMIT_RULE, handle: submit },
        parameters: &[Parameter {
            name: "Idempotency-Key",
            place: Place::Header,
            required: true,
            meaning: "the transaction's own idempotency key: 32 hex digits",
            schema: schema_of::<IdempotencyKey>,
        }],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, SUBMISSION_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<SubmittedView>),
        problems: &[
            code::IDEMPOTENCY_KEY_MISSING,
            code::IDEMPOTENCY_KEY_DIFFERS,
            code::IN_PROGRESS,
            code::NOT_YOURS,
        ],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/transactions/{transaction_id}",
        operation: "get_transaction",
        summary: "Gives the receipt of a transaction",
        access: Access::Party { rule: "parties that the receipt concerns", handle: get },
        parameters: &[Parameter::path("transaction_id", "the transaction's id", schema_of::<Hash>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReceiptView>),
        problems: &[code::NOT_FOUND],
    },
];

/// What is to be encoded for signing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareRequest {
    /// Who brings the transaction; it must sign.
    pub author: Party,
    /// The author's key against doing it twice: 16 random bytes in hex. Chosen here when left out;
    /// keep it for every further try.
    #[serde(default)]
    pub idempotency_key: Option<IdempotencyKey>,
    /// The last instant at which it may be executed, at most 7 days ahead; a day ahead when left
    /// out.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// The kind of transaction, such as `settle_visit`.
    pub kind: String,
    /// The kind's body; its schema is at `/v1/kinds/KIND`.
    pub body: Value,
}

/// The content of a transaction in JSON, complete.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentForm {
    author: Party,
    idempotency_key: IdempotencyKey,
    valid_until: Timestamp,
    kind: String,
    body: Value,
}

/// A transaction that is ready to be signed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "PreparedTransaction")]
pub struct PreparedView {
    /// The bytes of the content, in hex. The id is
    /// `SHA-256("yibao/transaction/v1" || content)`.
    pub content: String,
    /// The id: what each party signs.
    pub transaction_id: Hash,
    /// Who brings it.
    pub author: Party,
    /// The author's key against doing it twice.
    pub idempotency_key: IdempotencyKey,
    /// The last instant at which it may be executed.
    pub valid_until: Timestamp,
    /// What it says, for a person, in the reader's language.
    pub summary: SummaryView,
}

/// What a transaction says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionSummary")]
pub struct SummaryView {
    /// What kind of transaction it is.
    pub title: String,
    /// Every value in the body with its path, in the order of the paths.
    pub lines: Vec<SummaryLine>,
}

/// One value of a transaction's body.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SummaryLine {
    /// Where it stands, such as `sums[0].in_policy`.
    pub field: String,
    /// What it says.
    pub value: String,
}

/// A signed transaction.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionRequest {
    /// The content: its bytes in hex as `prepare` gave them, or the content itself.
    #[schemars(schema_with = "transaction_content")]
    pub content: Value,
    /// The signatures over the transaction's id, in any order, each party once.
    pub authorisations: Vec<Authorisation>,
}

/// The answer to a submitted transaction.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "SubmittedTransaction")]
pub struct SubmittedView {
    /// The receipt.
    pub receipt: ReceiptView,
    /// Whether this very transaction had been executed before.
    pub is_duplicate: bool,
}

/// What a transaction would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rehearsal")]
pub struct RehearsalView {
    /// The transaction.
    pub transaction_id: Hash,
    /// Facts that a voucher could show.
    pub fields: Vec<Field>,
    /// What would be posted.
    pub entries: Vec<PostedEntry>,
    /// What would happen, by stable names.
    pub events: Vec<String>,
    /// What would have to be done outside.
    pub effects: Vec<EffectView>,
}

fn prepare(call: &Call, _: &Session) -> Result<Reply, Problem> {
    let request: PrepareRequest = call.json()?;
    let idempotency_key = match request.idempotency_key {
        Some(key) => key,
        None => new_key()?,
    };
    let form = ContentForm {
        author: request.author,
        idempotency_key,
        valid_until: request
            .valid_until
            .unwrap_or_else(|| call.now.max(call.view.tip.time).plus_millis(VALIDITY_MILLIS)),
        kind: request.kind,
        body: request.body,
    };
    let content = encode_content(call, form, "")?;
    Reply::json(&PreparedView {
        content: hex::encode(codec::encode(&content)),
        transaction_id: content.id(),
        author: content.author,
        idempotency_key: content.idempotency_key,
        valid_until: content.valid_until,
        summary: summary(call, &content),
    })
}

fn new_key() -> Result<IdempotencyKey, Problem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new(&code::INTERNAL))?;
    Ok(IdempotencyKey(bytes))
}

/// The content that a form says; `prefix` stands before the names of its fields in problems.
fn encode_content(call: &Call, form: ContentForm, prefix: &str) -> Result<Content, Problem> {
    let port = &call.gateway.port;
    let kind = port
        .chain()
        .registry()
        .by_name(&form.kind)
        .ok_or_else(|| Problem::new(&code::KIND_UNKNOWN).at(format!("{prefix}kind")))?;
    let body = (kind.body_from_json)(form.body).map_err(|error| {
        let field = match error.field.as_str() {
            "." => format!("{prefix}body"),
            field => format!("{prefix}body.{field}"),
        };
        Problem::new(&code::TRANSACTION_BODY_INVALID).at(field).with(foreign::text(&error.words))
    })?;
    Ok(Content {
        version: TRANSACTION_VERSION,
        chain_id: port.chain().chain_id(),
        author: form.author,
        idempotency_key: form.idempotency_key,
        valid_until: form.valid_until,
        kind: kind.number,
        body,
    })
}

fn summary(call: &Call, content: &Content) -> SummaryView {
    let mut lines = Vec::new();
    let kind = call.gateway.port.chain().registry().by_number(content.kind);
    let body = kind.and_then(|kind| (kind.body_to_json)(&content.body));
    flatten(String::new(), &body.unwrap_or_default(), &mut lines);
    let name = kind.map_or("", |kind| kind.name);
    SummaryView { title: words::kind(call.language, name), lines }
}

fn flatten(path: String, value: &Value, lines: &mut Vec<SummaryLine>) {
    let below = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| flatten(below(name), value, lines));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| flatten(format!("{path}[{at}]"), item, lines)),
        Value::Null => {}
        Value::String(text) => lines.push(SummaryLine { field: path, value: text.clone() }),
        Value::Bool(_) | Value::Number(_) => {
            lines.push(SummaryLine { field: path, value: value.to_string() });
        }
    }
}

/// The transaction of a request, if this session may bring it.
fn read_transaction(call: &Call, session: &Session) -> Result<Transaction, Problem> {
    let request: TransactionRequest = call.json()?;
    let content = read_content(call, request.content)?;
    let transaction = Transaction::signed_by(content, request.authorisations);
    if may_bring(call, session, &transaction) {
        Ok(transaction)
    } else {
        Err(Problem::new(&code::NOT_YOURS))
    }
}

/// A content as its bytes in hex, or as an object.
///
/// # Errors
/// `malformed_transaction`, `no_such_kind`, `invalid_transaction_body`, `invalid_field`.
pub(super) fn read_content(call: &Call, content: Value) -> Result<Content, Problem> {
    match content {
        Value::String(digits) => {
            let malformed = || Problem::new(&code::TRANSACTION_MALFORMED).at("content");
            let bytes = hex::decode(&digits).map_err(|_| malformed())?;
            codec::decode::<Content>(&bytes).map_err(|_| malformed())
        }
        form @ Value::Object(_) => {
            let bytes = serde_json::to_vec(&form).unwrap_or_default();
            let form: ContentForm = read_json(&bytes).map_err(|problem| {
                let field = problem.field.as_deref().map(|field| format!("content.{field}"));
                problem.at(field.unwrap_or_else(|| "content".to_owned()))
            })?;
            encode_content(call, form, "content.")
        }
        _ => {
            let words = detail!("write the bytes in hex, or the content as an object");
            Err(Problem::new(&code::FIELD_INVALID).at("content").with(words))
        }
    }
}

fn may_bring(call: &Call, session: &Session, transaction: &Transaction) -> bool {
    transaction.content.author == session.party
        || transaction.authorisations.iter().any(|one| one.party == session.party)
        || governs(call, session)
}

/// Whether the session's key may sign for a member of the governing set.
fn governs(call: &Call, session: &Session) -> bool {
    let Party::Organisation(id) = session.party else { return false };
    let network = network::view::network(&call.view.state);
    session.scopes.contains(&Scope::Govern) && network.governing.contains(&id)
}

fn rehearse(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let transaction = read_transaction(call, session)?;
    let transaction_id = transaction.content.id();
    let rehearsal =
        call.gateway.port.chain().rehearse(transaction).map_err(|error| refused(&error))?;
    let outcome = rehearsal.outcome;
    Reply::json(&RehearsalView {
        transaction_id,
        fields: outcome.fields,
        entries: rehearsal.entries,
        events: outcome.events.into_iter().map(|event| event.name).collect(),
        effects: outcome
            .effects
            .into_iter()
            .map(|effect| EffectView {
                reference: Effect::reference(transaction_id, effect.number),
                effect,
            })
            .collect(),
    })
}

/// The key in the header, which the standard draft writes in quotes.
fn idempotency_key(call: &Call) -> Result<IdempotencyKey, Problem> {
    let text = call
        .header(&IDEMPOTENCY_KEY)?
        .ok_or_else(|| Problem::new(&code::IDEMPOTENCY_KEY_MISSING))?;
    // Visit ids have the same form: 16 bytes as 32 lower-case hex digits.
    let parsed: Result<VisitId, _> = text.trim_matches('"').parse();
    parsed.map(|id| IdempotencyKey(id.0)).map_err(|_| {
        Problem::new(&code::HEADER_INVALID)
            .at(IDEMPOTENCY_KEY.as_str())
            .with(detail!("write 32 lower-case hex digits"))
    })
}

fn submit(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let key = idempotency_key(call)?;
    let transaction = read_transaction(call, session)?;
    let content = &transaction.content;
    if content.idempotency_key != key {
        return Err(Problem::new(&code::IDEMPOTENCY_KEY_DIFFERS));
    }
    note_check_in(call, session, content)?;
    submit_signed(call, session.party, transaction)
}

/// Puts a signed transaction on its way; the answer shows its receipt to this party.
///
/// # Errors
/// `in_progress`, `idempotency_key_reused`.
pub(super) fn submit_signed(
    call: &Call,
    party: Party,
    transaction: Transaction,
) -> Result<Reply, Problem> {
    let content = &transaction.content;
    let key = content.idempotency_key;
    let (author, id) = (content.author, content.id());
    let gateway = Arc::clone(&call.gateway);
    let taken = gateway.in_flight.take(author, key, id).map_err(|occupied| match occupied {
        Occupied::Same => in_progress(),
        Occupied::Other => key_reused(),
    })?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    gateway.port.chain().submit(
        transaction,
        Box::new(move |result| {
            // The key is free before the answer is out, so that whoever has the answer may go on.
            drop(taken);
            // Nobody listens any more when the client went away; the ledger keeps the receipt.
            let _ = sender.send(result);
        }),
    );
    let language = call.language;
    Ok(Reply::Later(Box::pin(async move {
        let result = receiver.await.unwrap_or(Err(SubmitError::Unknown));
        let submitted = match result {
            Ok(submitted) => submitted,
            Err(error) => earlier_answer(&gateway, id, error).await?,
        };
        // A governing organisation that brings a newcomer's transaction in gets the author's view.
        let now = gateway.port.chain().view();
        let view = [party, author].into_iter().find_map(|party| {
            let registry = gateway.port.chain().registry();
            receipt_for(party, &submitted.receipt, now.rows(), registry, language)
        });
        now.check()?;
        let view = view.ok_or_else(|| Problem::new(&code::INTERNAL))?;
        answer_submitted(view, &submitted, gateway.port.chain().registry())
    })))
}

/// The ledger knows a key for as long as its transaction is valid. Whoever asks later again is
/// answered from the history.
async fn earlier_answer(
    gateway: &Arc<Gateway>,
    id: Hash,
    error: SubmitError,
) -> Result<Submitted, Problem> {
    let is_late = matches!(&error, SubmitError::Rejected(rejection) if rejection.code == EXPIRED);
    if !is_late {
        return Err(refused(&error));
    }
    let reader = Arc::clone(gateway);
    let found =
        tokio::task::spawn_blocking(move || reader.port.chain().receipt_of_transaction(id)).await;
    let found = found.map_err(|_| Problem::new(&code::INTERNAL))??;
    found
        .filter(|found| found.receipt.record.outcome == OutcomeCode::Accepted)
        .map(|receipt| Submitted { receipt, is_duplicate: true })
        .ok_or_else(|| refused(&error))
}

fn answer_submitted(
    receipt: ReceiptView,
    submitted: &Submitted,
    registry: &Registry,
) -> Result<Reply, Problem> {
    let record = &submitted.receipt.receipt.record;
    if let OutcomeCode::Rejected(number) = record.outcome {
        let code = registry.rejection(number).ok_or_else(|| Problem::new(&code::INTERNAL))?;
        let detail = submitted.receipt.receipt.rejection_detail.clone();
        let mut problem = Problem::rejected(&Rejection { code: *code, detail });
        problem.receipt = serde_json::to_value(&receipt).ok();
        return Err(problem);
    }
    let status = if submitted.is_duplicate { StatusCode::OK } else { StatusCode::CREATED };
    let location = HeaderValue::from_str(&format!("/v1/receipts/{}", receipt.id));
    let view = SubmittedView { receipt, is_duplicate: submitted.is_duplicate };
    let reply = Reply::json(&view)?.status(status);
    Ok(match location {
        Ok(location) => reply.header(header::LOCATION, location),
        Err(_) => reply,
    })
}

fn in_progress() -> Problem {
    Problem::new(&code::IN_PROGRESS).retry(std::time::Duration::from_secs(1))
}

fn key_reused() -> Problem {
    Problem::rejected(&KEY_REUSED.reject())
}

/// Why a transaction was not executed, as a problem.
pub(super) fn refused(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Invalid(
            error @ (TransactionError::Signature(..) | TransactionError::Key(_)),
        ) => Problem::new(&code::SIGNATURE_INVALID).at("authorisations").with(error),
        SubmitError::Invalid(error) => Problem::new(&code::TRANSACTION_MALFORMED).with(error),
        SubmitError::Rejected(rejection) => Problem::rejected(rejection),
        SubmitError::InProgress => in_progress(),
        SubmitError::Overloaded { retry_after } => {
            Problem::new(&code::OVERLOADED).retry(*retry_after)
        }
        SubmitError::Unknown => Problem::new(&code::STILL_WORKING),
        SubmitError::Stopped => Problem::new(&code::UNAVAILABLE),
    }
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: Hash = call.path("transaction_id")?;
    let found = call.gateway.port.chain().receipt_of_transaction(id)?.ok_or_else(not_found)?;
    Reply::json(&concerned_receipt(call, session, &found)?)
}
