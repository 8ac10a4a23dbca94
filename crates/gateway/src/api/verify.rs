//! The public page that checks vouchers, for anybody with any browser: no script, no session, no
//! cookie, nothing kept of what is handed in.
//!
//! The code on a printed voucher leads here with the receipt's place and leaf hash. Then the page
//! says whether that very receipt stands there; what it says is learned only from the voucher
//! itself, handed in as a file (also the PDF) or as text.
//!
//! Invariant: the work is bounded by the size of the body, at most one signature of each log that
//! is trusted, and one receipt read (test `the_check_page_says_what_is_wrong_with_a_file`).

mod form;
mod page;

use axum::http::{HeaderValue, Method, header};
use document::{PDF_BYTES_MAX, attached_voucher, is_pdf};
use primitives::Hash;
use proof::log::leaf_hash;
use proof::voucher::{VOUCHER_BYTES_MAX, VerifiedVoucher, Voucher, VoucherError};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Language, Problem};
use page::Page;

pub use page::STYLE;

/// The most bytes that are handed in: the largest PDF, a pasted voucher, and what a form adds.
const FORM_BYTES_MAX: usize = PDF_BYTES_MAX + 2 * VOUCHER_BYTES_MAX + 4_096;

/// The endpoints of the page.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/verify",
        operation: "get_check_page",
        summary: "Gives the page that checks vouchers, as a page for people; with place and leaf hash \
                  of a receipt, as the code on a printed voucher has them, says whether it stands \
                  in the log",
        access: Access::Public(get),
        parameters: &[
            Parameter::query("receipt", "the receipt's place in the log", schema_of::<String>),
            Parameter::query("leaf", "the hash of its leaf", schema_of::<String>),
            LANGUAGE,
        ],
        body: BodyKind::None,
        answer: AnswerKind::Other("text/html"),
        problems: &[],
    },
    Endpoint {
        method: Method::POST,
        path: "/verify",
        operation: "check_voucher",
        summary: "Checks a voucher that a form hands in (`file`: the voucher or its PDF; or `text`), \
                  and says on a page for people what it proves and what not",
        access: Access::Public(post),
        parameters: &[LANGUAGE],
        body: BodyKind::Form(FORM_BYTES_MAX),
        answer: AnswerKind::Other("text/html"),
        problems: &[],
    },
];

const LANGUAGE: Parameter = Parameter::query(
    "lang",
    "the language of the page: zh-Hans, zh-Hant, en or de",
    schema_of::<String>,
);

/// What became of a check.
enum Finding {
    /// Nothing was asked.
    None,
    /// The link is not one of ours.
    BadLink,
    /// The receipt at this place has this leaf, or another.
    Entry { index: u64, is_there: bool },
    /// The voucher holds.
    Genuine(Box<Genuine>),
    /// It was changed, or never was a voucher of ours: what was wrong first, as a key of the texts.
    Wrong(&'static str),
}

/// A voucher that holds.
struct Genuine {
    voucher: Voucher,
    verified: VerifiedVoucher,
}

fn language(call: &Call) -> Result<Language, Problem> {
    let chosen = call.query::<String>("lang")?;
    Ok(chosen.as_deref().and_then(Language::of_tag).unwrap_or(call.language))
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let (receipt, leaf) = (call.query::<String>("receipt")?, call.query::<String>("leaf")?);
    let finding = match (receipt, leaf) {
        (None, None) => Finding::None,
        (Some(receipt), Some(leaf)) => match (receipt.parse(), leaf.parse()) {
            (Ok(index), Ok(leaf)) => entry(call, index, leaf)?,
            _ => Finding::BadLink,
        },
        _ => Finding::BadLink,
    };
    answer(call, &finding)
}

fn entry(call: &Call, index: u64, leaf: Hash) -> Result<Finding, Problem> {
    let found = call.gateway.port.chain().receipt(index)?;
    let is_there = found.is_some_and(|one| leaf_hash(&one.receipt.record.leaf()) == leaf);
    Ok(Finding::Entry { index, is_there })
}

fn post(call: &Call) -> Result<Reply, Problem> {
    let given = form::handed_in(&call.headers, &call.body);
    let finding = given.map_or_else(Finding::Wrong, |bytes| check(call, &bytes));
    answer(call, &finding)
}

/// Checks what was handed in: a voucher, or a PDF that has one inside.
fn check(call: &Call, bytes: &[u8]) -> Finding {
    let inside = if is_pdf(bytes) {
        match attached_voucher(bytes) {
            Ok(inside) => inside,
            Err(_) => return Finding::Wrong("wrong.pdf"),
        }
    } else {
        bytes
    };
    let voucher = match Voucher::decode(inside) {
        Ok(voucher) => voucher,
        Err(error) => return Finding::Wrong(why(&error)),
    };
    match call.gateway.port.chain().verify_voucher(&voucher) {
        Some(verified) => Finding::Genuine(Box::new(Genuine { voucher, verified })),
        None => Finding::Wrong("wrong.log"),
    }
}

/// What is wrong with a file, for people.
const fn why(error: &VoucherError) -> &'static str {
    match error {
        VoucherError::TooLong => "wrong.long",
        VoucherError::Proof(_) | VoucherError::NotAVoucher | VoucherError::NotOpen(_) => {
            "wrong.form"
        }
        VoucherError::Version(_) => "wrong.version",
        VoucherError::Record
        | VoucherError::OpeningsOrder
        | VoucherError::Opening(_)
        | VoucherError::Inclusion(_) => "wrong.changed",
    }
}

fn answer(call: &Call, finding: &Finding) -> Result<Reply, Problem> {
    let language = language(call)?;
    let html = Page { language, finding, gateway: &call.gateway }.html();
    let tag = HeaderValue::from_static(language.tag());
    Ok(Reply::bytes("text/html; charset=utf-8", html)
        .header(header::CONTENT_LANGUAGE, tag)
        .header(header::CONTENT_SECURITY_POLICY, page::policy()))
}
