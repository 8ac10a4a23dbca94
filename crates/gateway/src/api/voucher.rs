//! Vouchers: the proof of a receipt that its holder takes away and shows to strangers.

use axum::http::{HeaderValue, Method, header};
use document::{Sealed, VoucherSheet, voucher_pdf};
use ledger::modules::network;
use ledger::modules::visit::SettlementRecord;
use primitives::{Party, UtcOffset};
use proof::receipt::FieldName;
use proof::voucher::Voucher;

use super::quote::reasons;
use super::receipt::{concerned_receipt, receipt_in_path};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::{IndexedReceipt, PortError};
use crate::problem::{Problem, ProblemCode, code, foreign, words};
use crate::receipt_view::ReceiptView;
use crate::session::Session;

/// The media type of a voucher: a C2SP tlog-proof is text.
pub const MEDIA_TYPE: &str = "text/plain; charset=utf-8";
/// The media type of its sheet.
pub const SHEET_MEDIA_TYPE: &str = "application/pdf";
/// The page of this gateway that checks vouchers.
const CHECK_PAGE: &str = "/verify";

const PARAMETERS: &[Parameter] = &[
    Parameter::path("receipt", "the receipt's id", schema_of::<u64>),
    Parameter::query(
        "show",
        "names of the fields to show, with commas between; all when left out, none when empty",
        schema_of::<String>,
    ),
];
const PROBLEMS: &[ProblemCode] =
    &[code::NOT_FOUND, code::VOUCHER_NOT_READY, code::VOUCHER_FIELD_UNKNOWN];

/// The endpoints of vouchers.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/receipts/{receipt}/voucher",
        operation: "get_voucher",
        summary: "Gives the voucher of a receipt: a C2SP tlog-proof that shows the chosen fields and \
                  verifies offline",
        access: Access::Party { rule: RULE, handle: get },
        parameters: PARAMETERS,
        body: BodyKind::None,
        answer: AnswerKind::Other("text/plain"),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/receipts/{receipt}/voucher.pdf",
        operation: "get_voucher_sheet",
        summary: "Gives the voucher of a receipt as a sheet to print in the reader's language: \
                  PDF/A-3 with the reasons, a code that leads to the public check, and the voucher \
                  attached; signed (PAdES) where the node has a seal; the person's own sheet has \
                  its name",
        access: Access::Party { rule: RULE, handle: get_sheet },
        parameters: PARAMETERS,
        body: BodyKind::None,
        answer: AnswerKind::Other(SHEET_MEDIA_TYPE),
        problems: PROBLEMS,
    },
];
const RULE: &str = "parties that the receipt concerns";

/// A voucher with what it is about.
struct Issued {
    found: IndexedReceipt,
    view: ReceiptView,
    voucher: Voucher,
}

fn issue(call: &Call, session: &Session) -> Result<Issued, Problem> {
    let found = receipt_in_path(call, session)?;
    // A voucher opens no field that the party does not see in the receipt.
    let view = concerned_receipt(call, session, &found)?;
    let seen: Vec<FieldName> = view.fields.iter().map(|field| field.name.clone()).collect();
    let shown = match call.query::<String>("show")? {
        Some(text) => field_names(&text)?,
        None => seen.clone(),
    };
    if let Some(name) = shown.iter().find(|name| !seen.contains(name)) {
        return Err(Problem::new(&code::VOUCHER_FIELD_UNKNOWN).at("show").with(&**name));
    }
    let voucher =
        call.gateway.port.chain().issue_voucher(view.transaction_id, Some(&shown))?.ok_or_else(
            || Problem::new(&code::VOUCHER_NOT_READY).retry(std::time::Duration::from_secs(1)),
        )?;
    Ok(Issued { found, view, voucher })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let Issued { found, voucher, .. } = issue(call, session)?;
    let name = format!("attachment; filename=\"yibao-{}.voucher\"", found.index);
    Ok(named(Reply::bytes(MEDIA_TYPE, voucher.encode()), &name))
}

fn named(reply: Reply, disposition: &str) -> Reply {
    match HeaderValue::from_str(disposition) {
        Ok(value) => reply.header(header::CONTENT_DISPOSITION, value),
        Err(_) => reply,
    }
}

fn get_sheet(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let Issued { found, view, voucher } = issue(call, session)?;
    let state = &call.view.state;
    let record = view.visit.and_then(|_| SettlementRecord::in_receipt(&found.receipt));
    let explanation = match &record {
        Some(record) => reasons(call, &record.parts)?,
        None => None,
    };
    let subject = record.as_ref().map(|record| &record.subject);
    let wallet = call.gateway.port.wallet();
    // Where it is about no visit, the calendar of those whom this gateway serves.
    let place = subject.map(|subject| subject.region).or(wallet.as_ref().map(|one| one.region));
    let region = place.and_then(|place| network::view::region(state, place));
    let provider = subject.and_then(|one| call.gateway.port.organisation_name(one.provider));
    let own = subject.filter(|subject| Party::Person(subject.person) == session.party);
    let person = match own.zip(wallet) {
        Some((subject, wallet)) => wallet.directory.person(subject.person)?.map(|one| one.name),
        None => None,
    };
    let origins = &network::view::network(state).origins;
    let check_page = origins.first().map(|origin| format!("{}{CHECK_PAGE}", &**origin));
    let kind = words::kind(call.language, &view.kind);
    let at = call.gateway.clock.now();
    let sheet = VoucherSheet {
        voucher: &voucher,
        index: found.index,
        language: call.language,
        offset: region.map_or(UtcOffset(0), |region| region.settings.utc_offset_minutes),
        kind: &kind,
        provider: provider.as_deref(),
        person: person.as_deref(),
        explanation: explanation.as_ref(),
        check_page: check_page.as_deref(),
        // A seal whose certificate is over signs nothing: nobody would believe it.
        seal: call.gateway.port.seal().filter(|seal| seal.holds_at(at)).map(|by| Sealed { by, at }),
    };
    let bytes = voucher_pdf(&sheet).map_err(|error| PortError::Failed(error.to_string()))?;
    let name = format!("inline; filename=\"yibao-{}.pdf\"", found.index);
    let reply = named(Reply::bytes(SHEET_MEDIA_TYPE, bytes), &name);
    // Where anybody checks it: what the code on the sheet says, for whoever shows it otherwise.
    let link = HeaderValue::from_str(&format!("<{}>; rel=\"describedby\"", sheet.code()));
    Ok(match link {
        Ok(link) if check_page.is_some() => reply.header(header::LINK, link),
        _ => reply,
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
