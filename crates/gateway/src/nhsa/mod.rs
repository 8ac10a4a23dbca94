//! The national medical-insurance interface, by which a hospital's own system speaks to yibao.
//!
//! Reading order: [`field`] (messages as tables), [`envelope`], [`signature`], [`profile`] (what
//! differs by region), [`refusal`], this file (from a message to its answer), [`desk`] (what the
//! hospital remembers and puts on the ledger), then one file per transaction, in the order of
//! [`TRANSACTIONS`].
//!
//! Invariants: nothing happens before the hospital is known by its signature; a message is
//! answered by the same bytes whenever it comes again, and refused when it comes with another body;
//! what goes to the ledger are the same transactions as those of the API, signed by the hospital's
//! own key (tests in `tests/api/nhsa.rs`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use adapters::hospital::{Begun, Book};
use axum::http::Method;
use primitives::{OrganisationId, Timestamp};
use serde_json::{Value, json};

use crate::api::wallet::random;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::{Language, Problem};
use crate::session::limit::Place;
use crate::wallet::Machine;

mod accumulated;
mod admit;
mod benefits;
mod change_stay;
mod charge;
mod charge_stay;
mod chronic;
mod describe;
pub mod desk;
mod discharge;
mod download;
pub mod envelope;
pub mod field;
pub mod file;
mod identify;
mod lines;
mod particulars;
mod preview;
mod preview_stay;
pub mod profile;
mod reconcile_details;
mod reconcile_totals;
pub mod refusal;
mod register;
mod reverse;
mod sale;
mod sale_return;
mod settle;
mod settle_stay;
mod sign_in;
mod sign_out;
pub mod signature;
mod split;
mod standing;
mod statement;
mod trace;
mod undo_admission;
mod undo_charge;
mod undo_discharge;
mod undo_registration;
mod undo_settlement;
mod undo_stay_charge;
mod undo_stay_settlement;
mod upload;

use desk::{Message, VISIT, damaged};
use envelope::{Answering, ENVELOPE, Envelope, NhsaAnswer, NhsaMessage};
use field::{Node, Record};
use file::FILE_MESSAGE_BYTES_MAX;
use profile::Profile;
use refusal::Refusal;
use signature::{Keys, Nonces, Shown};

/// The operation whose problems are answered by an envelope as well.
pub const OPERATION: &str = "call_nhsa";
/// Minutes east of UTC of the clock by which the interface speaks.
pub const CLOCK_MINUTES: i16 = 480;

/// The endpoint of the national interface.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/nhsa/v1",
    operation: OPERATION,
    summary: "Carries out a message of the national interface for a hospital that hosts its key here; signed in \
              its headers or in `cainfo` as its profile says, answered by an envelope also when it is refused; \
              9102 is answered by the file itself",
    access: Access::Public(call),
    parameters: &[],
    body: BodyKind::Json(schema_of::<NhsaMessage>, FILE_MESSAGE_BYTES_MAX),
    answer: AnswerKind::Json(200, schema_of::<NhsaAnswer>),
    problems: &[],
}];

/// A transaction of the interface.
pub struct Transaction {
    /// Its number.
    pub number: &'static str,
    /// Its name, in Chinese.
    pub name: &'static str,
    /// What is asked.
    pub input: &'static [Node],
    /// What is answered; nothing where there is no output.
    pub output: &'static [Node],
    /// Carries it out.
    pub run: Run,
}

/// How a transaction is carried out.
#[derive(Clone, Copy)]
pub enum Run {
    /// From the first record that is asked, it is answered by an output.
    Answer(fn(&Message<'_>, &Record) -> Result<Value, Refusal>),
    /// The same about the visit in `mdtrt_id`: nobody else works on it meanwhile, and the ledger is
    /// seen as it is then.
    OfVisit(fn(&Message<'_>, &Record) -> Result<Value, Refusal>),
    /// The same for a list of lines, which are all of one visit; the first of them comes as well.
    OfLines(fn(&Message<'_>, &Record, &[Record]) -> Result<Value, Refusal>),
    /// It is answered by a file: the same again gives the file for as long as it is kept.
    File(fn(&Message<'_>, &Record) -> Result<Vec<u8>, Refusal>),
}

/// What is offered. Everything else is refused, with this list.
pub static TRANSACTIONS: &[&Transaction] = &[
    &identify::TRANSACTION,
    &benefits::TRANSACTION,
    &accumulated::TRANSACTION,
    &chronic::TRANSACTION,
    &register::TRANSACTION,
    &undo_registration::TRANSACTION,
    &describe::TRANSACTION,
    &charge::TRANSACTION,
    &undo_charge::TRANSACTION,
    &preview::TRANSACTION,
    &settle::TRANSACTION,
    &undo_settlement::TRANSACTION,
    &admit::TRANSACTION,
    &discharge::TRANSACTION,
    &change_stay::TRANSACTION,
    &undo_admission::TRANSACTION,
    &undo_discharge::TRANSACTION,
    &charge_stay::TRANSACTION,
    &undo_stay_charge::TRANSACTION,
    &preview_stay::TRANSACTION,
    &settle_stay::TRANSACTION,
    &undo_stay_settlement::TRANSACTION,
    &sale::TRANSACTION,
    &sale_return::TRANSACTION,
    &reverse::TRANSACTION,
    &reconcile_totals::TRANSACTION,
    &reconcile_details::TRANSACTION,
    &upload::TRANSACTION,
    &download::TRANSACTION,
    &sign_in::TRANSACTION,
    &sign_out::TRANSACTION,
];

/// The lines of files that go to and fro.
static FILES: &[Node] = &[reconcile_details::LINE, reconcile_details::RESULT_LINE];

/// The most records of one message.
const RECORDS_MAX: usize = 100;

/// Those that have a second number with an `A` behind it, which means the same.
const WITH_VARIANT: [&str; 3] = ["2203", "2206", "2207"];

impl Transaction {
    fn is_numbered(&self, number: &str) -> bool {
        let has_variant = WITH_VARIANT.contains(&self.number);
        self.number == number || (has_variant && number.strip_suffix('A') == Some(self.number))
    }
}

/// A hospital whose signing key is hosted here, opened at the start like every other key.
pub struct Institution {
    /// What its region and system do differently.
    pub profile: Profile,
    /// Its desk's key on the ledger.
    pub machine: Arc<dyn Machine>,
    /// What its system signs messages with.
    pub keys: Keys,
    /// What it remembers.
    pub book: Book,
    claimed: Mutex<BTreeSet<Claimed>>,
    /// Held while sales are entered: what was sold before is read first.
    sales: Mutex<()>,
    nonces: Mutex<Nonces>,
}

/// What one message works on and no other: its kind and name.
type Claimed = (&'static str, String);

impl Institution {
    /// A hospital with its key, what its system signs with, and its book.
    #[must_use]
    pub fn new(profile: Profile, machine: Arc<dyn Machine>, keys: Keys, book: Book) -> Self {
        let (claimed, sales, nonces) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { profile, machine, keys, book, claimed, sales, nonces }
    }

    /// Who it is on the ledger.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        self.machine.organisation()
    }

    /// Claims something for as long as the answer lives; nothing where it is claimed.
    fn claim(&self, kind: &'static str, name: &str) -> Option<Claim<'_>> {
        let what = (kind, name.to_owned());
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.insert(what.clone()).then(|| Claim { of: self, what })
    }
}

/// That nobody else works on something meanwhile.
struct Claim<'a> {
    of: &'a Institution,
    what: Claimed,
}

const MESSAGE: &str = "message";

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut claimed = self.of.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.remove(&self.what);
    }
}

/// The tables of all messages, for clients and their makers.
#[must_use]
pub fn messages() -> Value {
    let described = |nodes: &[Node]| nodes.iter().map(Node::described).collect::<Vec<_>>();
    let transactions: Vec<Value> = TRANSACTIONS
        .iter()
        .map(|one| {
            json!({
                "infno": one.number, "name": one.name,
                "variant": WITH_VARIANT.contains(&one.number).then(|| format!("{}A", one.number)),
                "input": described(one.input), "output": described(one.output)
            })
        })
        .collect();
    json!({
        "about": "the messages of the national interface at POST /nhsa/v1; see docs/guide/hospital-it.md",
        "envelope": ENVELOPE.described()["fields"],
        "files": described(FILES),
        "transactions": transactions
    })
}

/// The same as a page to read, in Chinese as its readers are.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# 报文字段\n\n由字段表生成（`make contract`），校验所用的也是同一张表。说明见 [hospital-it.md](hospital-it.md)。\n",
    );
    page.push_str("\n## 报文外层\n\n");
    write_fields(&mut page, &ENVELOPE);
    page.push_str("\n## 文件\n\nUTF-8 文本（或只含一个文本的 ZIP），一行一笔，各列按表中次序，以制表符分隔，没有表头。\n");
    for file in FILES {
        page.push_str(&format!("\n{}\n\n", file.name));
        write_fields(&mut page, file);
    }
    for one in TRANSACTIONS {
        page.push_str(&format!("\n## {} {}\n", one.number, one.name));
        for (what, nodes) in [("输入", one.input), ("输出", one.output)] {
            for node in nodes {
                let list = if node.is_list { "（数组）" } else { "" };
                page.push_str(&format!("\n{what} `{}`{list}\n\n", node.name));
                write_fields(&mut page, node);
            }
        }
    }
    page
}

fn write_fields(page: &mut String, node: &Node) {
    page.push_str("| 字段 | 类型 | 必填 | 含义 |\n|---|---|---|---|\n");
    for field in node.fields {
        let needed = if field.is_needed { "是" } else { "" };
        let codes: Vec<String> =
            field.codes.iter().map(|(code, words)| format!("{code} {words}")).collect();
        let alias = match field.alias {
            "" => String::new(),
            alias => format!("（或 `{alias}`）"),
        };
        let meaning = [&[field.meaning.to_owned()], codes.as_slice()].concat().join("；");
        let (name, form) = (field.name, field.form);
        page.push_str(&format!("| `{name}`{alias} | {form} | {needed} | {meaning} |\n"));
    }
}

/// The answer when a message did not get as far as its hospital: too long, too many, not in time.
#[must_use]
pub fn refused(problem: &Problem, now: Timestamp) -> Vec<u8> {
    let refusal = Refusal::from(problem.clone());
    let answering =
        Answering { profile: None, envelope: None, times: [local(now), local(now)], serial: 0 };
    answering.bytes(Err(&refusal))
}

fn local(now: Timestamp) -> Timestamp {
    now.plus_millis(u64::from(CLOCK_MINUTES.unsigned_abs()) * 60_000)
}

/// An instant as the interface writes it, `2026-01-31 08:30:00` by its clock.
fn clock_time(instant: Timestamp) -> String {
    let text: String = local(instant).to_string().chars().take(19).collect();
    text.replace('T', " ")
}

fn call(call: &Call) -> Result<Reply, Problem> {
    let rates = &call.gateway.rates;
    let institution = match authenticated(call) {
        Ok(institution) => institution,
        Err(refusal) => {
            // Whoever is not known counts by the address. Over its bound, the next one is refused
            // before it is read.
            let _ = rates.count_address(call.client, call.now);
            return answer(call, None, None, Err(&refusal));
        }
    };
    let profile = Some(&institution.profile);
    if rates.count_organisation(institution.organisation(), call.now).is_err() {
        let often = Refusal::for_now("请求过于频繁；请稍后以原报文重发");
        return answer(call, profile, None, Err(&often));
    }
    match Envelope::read(&call.body, &institution.profile) {
        Ok(envelope) => carried_out(call, &institution, &envelope),
        Err(refusal) => answer(call, profile, None, Err(&refusal)),
    }
}

/// The hospital that signed the message. Who tries wrong signatures has to wait.
fn authenticated(call: &Call) -> Result<Arc<Institution>, Refusal> {
    let limiter = &call.gateway.address_failures;
    let place = Place::address(call.client, None);
    if limiter.wait(place, call.now).is_some() {
        return Err(Refusal::for_now("签名不符的次数过多；请稍后再试"));
    }
    let shown = Shown::read(call)?;
    let found = call.gateway.port.institution(&shown.code);
    let checked = found.ok_or_else(|| signature::not_shown(shown.field)).and_then(|institution| {
        let scheme = signature::scheme(institution.profile.signature);
        signature::check(scheme, &shown, &institution.keys)?;
        if let Some(nonce) = scheme.nonce(shown.received) {
            let mut nonces = institution.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.take(nonce, &call.body, call.now)?;
        }
        Ok(institution)
    });
    checked.inspect_err(|_| limiter.count(place, call.now))
}

fn carried_out(
    call: &Call,
    institution: &Institution,
    envelope: &Envelope,
) -> Result<Reply, Problem> {
    let profile = Some(&institution.profile);
    let msgid = envelope.msgid();
    let Some(_claim) = institution.claim(MESSAGE, msgid) else {
        let busy = Refusal::for_now("同一 msgid 的报文正在处理；请稍后以原报文重发");
        return answer(call, profile, Some(envelope), Err(&busy));
    };
    match institution.book.begin(msgid, &envelope.digest, call.now)? {
        Begun::Answered(bytes) => return Ok(Reply::bytes("application/json", bytes)),
        Begun::Differs => {
            let differs = Refusal::at("msgid", "已用于另一份报文；请更换编号后重发");
            return answer(call, profile, Some(envelope), Err(&differs));
        }
        Begun::Open => {}
    }
    // What is said is said in Chinese, whatever the client's headers ask for.
    let call = &Call { language: Language::ZhHans, ..call.clone() };
    let message = Message { call, institution, envelope };
    let result = match run(&message) {
        Ok(Done::File(bytes)) => return Ok(Reply::bytes("application/octet-stream", bytes)),
        Ok(Done::Answer(output)) => Ok(output),
        Err(refusal) => Err(refusal),
    };
    let is_final = result.as_ref().err().is_none_or(|refusal| refusal.is_final);
    let bytes = answered(call, profile, Some(envelope), result.as_ref().cloned())?;
    if is_final {
        institution.book.finish(msgid, &bytes)?;
    }
    Ok(Reply::bytes("application/json", bytes))
}

/// What became of a message.
enum Done {
    Answer(Value),
    File(Vec<u8>),
}

fn run(message: &Message<'_>) -> Result<Done, Refusal> {
    let number = message.envelope.fields.text("infno");
    let found = TRANSACTIONS.iter().find(|one| one.is_numbered(number)).ok_or_else(|| {
        let offered: Vec<&str> = TRANSACTIONS.iter().map(|one| one.number).collect();
        Refusal::at("infno", format!("本平台未提供该交易；现有：{}", offered.join("、")))
    })?;
    message.require_open_session()?;
    let [first, ..] = found.input else { return Err(damaged(())) };
    let records = first.read(&message.envelope.input, RECORDS_MAX)?;
    let [record, ..] = records.as_slice() else { return Err(damaged(())) };
    match found.run {
        Run::Answer(run) => run(message, record).map(Done::Answer),
        Run::OfVisit(run) => {
            let visit = record.text("mdtrt_id");
            message.alone(VISIT, visit, |message| run(message, record)).map(Done::Answer)
        }
        Run::OfLines(run) => {
            let visit = message.one_visit(record, &records)?;
            message.alone(VISIT, visit, |message| run(message, record, &records)).map(Done::Answer)
        }
        Run::File(run) => run(message, record).map(Done::File),
    }
}

fn answer(
    call: &Call,
    profile: Option<&Profile>,
    envelope: Option<&Envelope>,
    result: Result<Value, &Refusal>,
) -> Result<Reply, Problem> {
    Ok(Reply::bytes("application/json", answered(call, profile, envelope, result)?))
}

fn answered(
    call: &Call,
    profile: Option<&Profile>,
    envelope: Option<&Envelope>,
    result: Result<Value, &Refusal>,
) -> Result<Vec<u8>, Problem> {
    let times = [call.now, call.gateway.clock.now()].map(local);
    let serial = u64::from_le_bytes(random()?);
    Ok(Answering { profile, envelope, times, serial }.bytes(result))
}
