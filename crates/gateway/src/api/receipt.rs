//! Receipts of the signed-in party.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use primitives::{Detail, detail};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::{IndexedReceipt, Order};
use crate::problem::{Problem, code};
use crate::receipt_view::{ReceiptView, receipt_for};
use crate::session::Session;

/// How many receipts a page has when nothing is said.
const PAGE: usize = 50;
/// How many receipts a page has at the most.
const PAGE_MAX: usize = 200;

/// The endpoints of receipts.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/receipts",
        operation: "list_receipts",
        summary: "Gives the receipts that concern the signed-in party",
        access: Access::Session(list),
        parameters: &[
            Parameter::query(
                "order",
                "`oldest` or `newest` first; `oldest` when left out",
                schema_of::<ReceiptOrder>,
            ),
            Parameter::query(
                "after",
                "give receipts behind this id; the `next` of the page before",
                schema_of::<u64>,
            ),
            Parameter::query(
                "limit",
                "how many receipts at the most, 1 to 200; 50 when left out",
                schema_of::<u16>,
            ),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReceiptPage>),
        problems: &[],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/receipts/{receipt}",
        operation: "get_receipt",
        summary: "Gives one receipt",
        access: Access::Party { rule: "parties that the receipt concerns", handle: get },
        parameters: &[Parameter::path("receipt", "the receipt's id", schema_of::<u64>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ReceiptView>),
        problems: &[code::NOT_FOUND],
    },
];

/// Which receipts come first.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOrder {
    /// The oldest.
    Oldest,
    /// The newest.
    Newest,
}

impl std::str::FromStr for ReceiptOrder {
    type Err = Detail;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "oldest" => Ok(Self::Oldest),
            "newest" => Ok(Self::Newest),
            _ => Err(detail!("write `oldest` or `newest`")),
        }
    }
}

/// A page of receipts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReceiptPage {
    /// The receipts, in the order asked for.
    pub receipts: Vec<ReceiptView>,
    /// What to give as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// That there is nothing here, for whatever reason: the same words whether a thing does not exist
/// or concerns others.
pub(crate) fn not_found() -> Problem {
    Problem::new(&code::NOT_FOUND)
}

/// A receipt as the session's party sees it. The one way from a receipt to an answer.
///
/// # Errors
/// `not_found` when it does not concern the party.
pub(crate) fn concerned_receipt(
    call: &Call,
    session: &Session,
    receipt: &IndexedReceipt,
) -> Result<ReceiptView, Problem> {
    let registry = call.gateway.port.chain().registry();
    receipt_for(session.party, receipt, call.view.rows(), registry, call.language)
        .ok_or_else(not_found)
}

/// The receipt that the path names, if it concerns the session's party.
///
/// # Errors
/// `not_found`, also when it concerns others.
pub(crate) fn receipt_in_path(call: &Call, session: &Session) -> Result<IndexedReceipt, Problem> {
    let found = call.gateway.port.chain().receipt(call.path("receipt")?)?.ok_or_else(not_found)?;
    match found.receipt.concerns.binary_search(&session.party) {
        Ok(_) => Ok(found),
        Err(_) => Err(not_found()),
    }
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let after = call.query::<u64>("after")?;
    let limit = call.query::<usize>("limit")?.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        let words = detail!("write 1 to {most}", most = PAGE_MAX);
        return Err(Problem::new(&code::FIELD_INVALID).at("limit").with(words));
    }
    let order = match call.query::<ReceiptOrder>("order")? {
        None | Some(ReceiptOrder::Oldest) => Order::OldestFirst,
        Some(ReceiptOrder::Newest) => Order::NewestFirst,
    };
    let found = call.gateway.port.chain().receipts_of(session.party, order, after, limit)?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.index);
    let receipts = found.iter().map(|receipt| concerned_receipt(call, session, receipt));
    Reply::json(&ReceiptPage { receipts: receipts.collect::<Result<_, _>>()?, next })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let found = receipt_in_path(call, session)?;
    Reply::json(&concerned_receipt(call, session, &found)?)
}
