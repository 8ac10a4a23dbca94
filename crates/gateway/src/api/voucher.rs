//! Vouchers: the proof of a receipt that its holder takes away and shows to strangers.

use axum::http::{HeaderValue, Method, header};
use proof::receipt::FieldName;

use super::receipt::{concerned_receipt, receipt_in_path};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code, foreign};
use crate::session::Session;

/// The media type of a voucher: a C2SP tlog-proof is text.
pub const MEDIA_TYPE: &str = "text/plain; charset=utf-8";

/// The endpoints of vouchers.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/receipts/{receipt}/voucher",
    operation: "get_voucher",
    summary: "Gives the voucher of a receipt: a C2SP tlog-proof that shows the chosen fields and verifies \
              offline",
    access: Access::Party { rule: "parties that the receipt concerns", handle: get },
    parameters: &[
        Parameter::path("receipt", "the receipt's id", schema_of::<u64>),
        Parameter::query(
            "show",
            "names of the fields to show, with commas between; all when left out, none when empty",
            schema_of::<String>,
        ),
    ],
    body: BodyKind::None,
    answer: AnswerKind::Other("text/plain"),
    problems: &[code::NOT_FOUND, code::VOUCHER_NOT_READY, code::VOUCHER_FIELD_UNKNOWN],
}];

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let found = receipt_in_path(call, session)?;
    // A voucher opens no field that the party does not see in the receipt.
    let view = concerned_receipt(call, session, &found)?;
    let seen: Vec<FieldName> = view.fields.into_iter().map(|field| field.name).collect();
    let shown = match call.query::<String>("show")? {
        Some(text) => field_names(&text)?,
        None => seen.clone(),
    };
    if let Some(name) = shown.iter().find(|name| !seen.contains(name)) {
        return Err(Problem::new(&code::VOUCHER_FIELD_UNKNOWN).at("show").with(&**name));
    }
    let voucher =
        call.gateway.port.issue_voucher(view.transaction_id, Some(&shown))?.ok_or_else(|| {
            Problem::new(&code::VOUCHER_NOT_READY).retry(std::time::Duration::from_secs(1))
        })?;
    let name = format!("attachment; filename=\"yibao-{}.voucher\"", found.index);
    let reply = Reply::bytes(MEDIA_TYPE, voucher.encode());
    Ok(match HeaderValue::from_str(&name) {
        Ok(name) => reply.header(header::CONTENT_DISPOSITION, name),
        Err(_) => reply,
    })
}

fn field_names(text: &str) -> Result<Vec<FieldName>, Problem> {
    let wrong =
        |error: String| Problem::new(&code::FIELD_INVALID).at("show").with(foreign::text(&error));
    text.split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.parse().map_err(wrong))
        .collect()
}
