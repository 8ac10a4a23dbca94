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
use serde_json::Value;

use crate::api::wallet::random;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::{Language, Problem};
use crate::session::limit::Place;

mod accumulated;
mod admit;
mod ask;
mod benefits;
mod catalogue;
mod catalogue_file;
mod catalogue_page;
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
mod file_chronic;
mod file_maternity;
mod file_referral;
mod filing;
mod identify;
mod lines;
mod mobile_order;
mod mobile_query;
mod mobile_refund;
mod mobile_revoke;
mod mobile_upload;
mod order;
mod particulars;
mod preview;
mod preview_stay;
pub mod profile;
mod reconcile_details;
mod reconcile_totals;
mod reference;
pub mod refusal;
mod register;
mod reverse;
mod sale;
mod sale_return;
pub mod sealing;
mod settle;
mod settle_stay;
mod sign_in;
mod sign_out;
pub mod signature;
pub mod signer;
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
use envelope::{Answering, Envelope, NhsaAnswer, NhsaMessage};
use field::{Node, Record};
use file::FILE_MESSAGE_BYTES_MAX;
use profile::Profile;
pub use reference::{messages, reference};
use refusal::Refusal;
use sealing::Sealing;
use signature::{Keys, Nonces, Shown, Unsealed};
use signer::Signer;

/// The operation whose problems are answered by an envelope as well.
pub const OPERATION: &str = "call_nhsa";
/// Minutes east of UTC of the clock by which the interface speaks.
pub const CLOCK_MINUTES: i16 = 480;

/// The endpoint of the national interface.
pub static ENDPOINTS: &[Endpoint] = &[INTERFACE, signer::ENDPOINT];

const INTERFACE: Endpoint = Endpoint {
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
};

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
    &catalogue_file::MEDICINES,
    &catalogue_file::HERBS,
    &catalogue_file::PREPARATIONS,
    &catalogue_file::SERVICES,
    &catalogue_file::MATERIALS,
    &catalogue_file::DIAGNOSES,
    &catalogue_file::OPERATIONS,
    &catalogue_file::CHRONIC_DISEASES,
    &catalogue_file::DISEASES_PAID_BY_CASE,
    &catalogue_file::DAY_SURGERY,
    &catalogue_page::TRANSACTION,
    &catalogue_file::TUMOURS,
    &catalogue_file::CHINESE_DISEASES,
    &catalogue_file::CHINESE_SYNDROMES,
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
    &file_referral::TRANSACTION,
    &file_chronic::TRANSACTION,
    &file_maternity::TRANSACTION,
    &reverse::TRANSACTION,
    &reconcile_totals::TRANSACTION,
    &reconcile_details::TRANSACTION,
    &mobile_upload::TRANSACTION,
    &mobile_order::TRANSACTION,
    &mobile_refund::TRANSACTION,
    &mobile_query::TRANSACTION,
    &mobile_revoke::TRANSACTION,
    &upload::TRANSACTION,
    &download::TRANSACTION,
    &sign_in::TRANSACTION,
    &sign_out::TRANSACTION,
];

/// With what the numbers of mobile payment begin.
const SEALED_NUMBERS: char = '6';

/// The most records of one message.
const RECORDS_MAX: usize = 100;

/// Those that have a second number with an `A` behind it, which means the same.
const WITH_VARIANT: [&str; 3] = ["2203", "2206", "2207"];

impl Transaction {
    /// The records of its first part in a message's input: there is one at least.
    ///
    /// # Errors
    /// The first field that is not as its table says, with the remedy.
    pub fn read(&self, input: &Value) -> Result<Vec<Record>, Refusal> {
        let [first, ..] = self.input else { return Err(damaged(())) };
        first.read(input, RECORDS_MAX)
    }

    fn is_numbered(&self, number: &str) -> bool {
        let has_variant = WITH_VARIANT.contains(&self.number);
        self.number == number || (has_variant && number.strip_suffix('A') == Some(self.number))
    }
}

/// A hospital that speaks the interface here.
pub struct Institution {
    /// What its region and system do differently.
    pub profile: Profile,
    /// Who signs for its desk on the ledger.
    pub signer: Signer,
    /// What its system signs messages with.
    pub keys: Keys,
    /// How bodies of mobile payment are sealed, where they are.
    pub sealing: Option<Sealing>,
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
    pub fn new(profile: Profile, signer: Signer, keys: Keys, book: Book) -> Self {
        let (claimed, sales, nonces) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { profile, signer, keys, sealing: None, book, claimed, sales, nonces }
    }

    /// The same, which also takes bodies that are sealed like this.
    #[must_use]
    pub fn with_sealing(self, sealing: Option<Sealing>) -> Self {
        Self { sealing, ..self }
    }

    /// Who it is on the ledger.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        self.signer.organisation()
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

/// The answer when a message did not get as far as its hospital: too long, too many, not in time.
#[must_use]
pub fn refused(problem: &Problem, now: Timestamp) -> Vec<u8> {
    let refusal = Refusal::from(problem.clone());
    let answering =
        Answering { profile: None, envelope: None, times: [local(now), local(now)], serial: 0 };
    answering.bytes(Err(&refusal))
}

/// An instant by the interface's clock.
#[must_use]
pub fn local(now: Timestamp) -> Timestamp {
    now.plus_millis(u64::from(CLOCK_MINUTES.unsigned_abs()) * 60_000)
}

/// An instant as the interface writes it, `2026-01-31 08:30:00` by its clock.
#[must_use]
pub fn clock_time(instant: Timestamp) -> String {
    let text: String = local(instant).to_string().chars().take(19).collect();
    text.replace('T', " ")
}

/// What goes back: the bytes of an envelope or of a file.
struct Told {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Told {
    const fn envelope(bytes: Vec<u8>) -> Self {
        Self { media_type: "application/json", bytes }
    }

    const fn file(bytes: Vec<u8>) -> Self {
        Self { media_type: "application/octet-stream", bytes }
    }

    fn reply(self) -> Reply {
        Reply::bytes(self.media_type, self.bytes)
    }
}

fn call(call: &Call) -> Result<Reply, Problem> {
    let (institution, unsealed) = match authenticated(call) {
        Ok(found) => found,
        Err(refusal) => {
            // Whoever is not known counts by the address. Over its bound, the next one is refused
            // before it is read.
            let _ = call.gateway.rates.count_address(call.client, call.now);
            return Ok(answer(call, None, None, Err(&refusal))?.reply());
        }
    };
    let (Some(Unsealed { message, key }), Some(sealing)) = (unsealed, &institution.sealing) else {
        return Ok(told(call, &institution, true)?.reply());
    };
    let inner = Call { body: message.into(), ..call.clone() };
    let told = told(&inner, &institution, false)?;
    Ok(Told { bytes: sealing.seal(&told.bytes, &key, call.now), ..told }.reply())
}

/// What a hospital is told that has shown itself: in a body that is sealed, about mobile payment
/// only.
fn told(call: &Call, institution: &Institution, is_any: bool) -> Result<Told, Problem> {
    let profile = Some(&institution.profile);
    if call.gateway.rates.count_organisation(institution.organisation(), call.now).is_err() {
        let often = Refusal::for_now("请求过于频繁；请稍后以原报文重发");
        return answer(call, profile, None, Err(&often));
    }
    match Envelope::read(&call.body, &institution.profile) {
        Ok(envelope) if is_any || envelope.fields.text("infno").starts_with(SEALED_NUMBERS) => {
            carried_out(call, institution, &envelope)
        }
        Ok(envelope) => {
            let words = "加密报文只受理移动支付（6xxx）；其他交易请按机构的签名方式发送";
            answer(call, profile, Some(&envelope), Err(&Refusal::at("infno", words)))
        }
        Err(refusal) => answer(call, profile, None, Err(&refusal)),
    }
}

/// Whose message it is, and what was sealed in its body.
fn authenticated(call: &Call) -> Result<(Arc<Institution>, Option<Unsealed>), Refusal> {
    authenticated_by(call, |institution, shown| {
        if shown.is_sealed() {
            let not_shown = || signature::not_shown(shown.field);
            let sealing = institution.sealing.as_ref().ok_or_else(not_shown)?;
            let unsealed = signature::check(sealing, shown, &sealing.keys)?;
            return Ok((institution, unsealed));
        }
        let Institution { profile, keys, nonces, .. } = &*institution;
        signature::check_message(profile.signature, shown, keys, nonces)?;
        Ok((institution, None))
    })
}

/// Who it is by this check. Who tries wrong signatures has to wait.
fn authenticated_by<T>(
    call: &Call,
    check: impl FnOnce(Arc<Institution>, &Shown<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let limiter = &call.gateway.address_failures;
    let place = Place::address(call.client, None);
    if limiter.wait(place, call.now).is_some() {
        return Err(Refusal::for_now("签名不符的次数过多；请稍后再试"));
    }
    let shown = Shown::read(call)?;
    let not_shown = || signature::not_shown(shown.field);
    let found = call.gateway.port.institution(&shown.code);
    let checked = found.ok_or_else(not_shown).and_then(|institution| check(institution, &shown));
    checked.inspect_err(|_| limiter.count(place, call.now))
}

fn carried_out(
    call: &Call,
    institution: &Institution,
    envelope: &Envelope,
) -> Result<Told, Problem> {
    let profile = Some(&institution.profile);
    let msgid = envelope.msgid();
    let Some(_claim) = institution.claim(MESSAGE, msgid) else {
        let busy = Refusal::for_now("同一 msgid 的报文正在处理；请稍后以原报文重发");
        return answer(call, profile, Some(envelope), Err(&busy));
    };
    let mark = institution.book.mark();
    match institution.book.begin(msgid, &envelope.digest, call.now)? {
        Begun::Answered(bytes) => return Ok(Told::envelope(bytes)),
        Begun::Differs => {
            let differs = Refusal::at("msgid", "已用于另一份报文；请更换编号后重发");
            return answer(call, profile, Some(envelope), Err(&differs));
        }
        Begun::New | Begun::Open => {}
    }
    // What is said is said in Chinese, whatever the client's headers ask for.
    let call = &Call { language: Language::ZhHans, ..call.clone() };
    let message = Message { call, institution, envelope, mark };
    let result = match run(&message) {
        Ok(Done::File(bytes)) => return Ok(Told::file(bytes)),
        Ok(Done::Answer(output)) => Ok(output),
        Err(refusal) => Err(refusal),
    };
    let is_final = result.as_ref().err().is_none_or(|refusal| refusal.is_final);
    let bytes = answered(call, profile, Some(envelope), result.as_ref().cloned())?;
    if is_final {
        institution.book.finish(msgid, mark, &bytes)?;
    }
    Ok(Told::envelope(bytes))
}

/// What became of a message.
enum Done {
    Answer(Value),
    File(Vec<u8>),
}

fn run(message: &Message<'_>) -> Result<Done, Refusal> {
    let found = offered_as(message.envelope.fields.text("infno"))?;
    message.require_open_session()?;
    let records = found.read(&message.envelope.input)?;
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

/// The transaction of this number.
///
/// # Errors
/// When it is not offered, with those that are.
pub fn offered_as(number: &str) -> Result<&'static Transaction, Refusal> {
    let found = TRANSACTIONS.iter().find(|one| one.is_numbered(number)).copied();
    found.ok_or_else(|| {
        Refusal::at("infno", format!("本平台未提供该交易；现有：{}", offered().join("、")))
    })
}

/// The numbers that are offered; those that follow each other as one, such as `2201-2208`, so that
/// all of them fit into an answer.
fn offered() -> Vec<String> {
    let mut numbers: Vec<u16> =
        TRANSACTIONS.iter().filter_map(|one| one.number.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
        .chunk_by(|one, next| one.checked_add(1) == Some(*next))
        .filter_map(|run| match (run.first()?, run.last()?) {
            (first, last) if first == last => Some(first.to_string()),
            (first, last) => Some(format!("{first}-{last}")),
        })
        .collect()
}

fn answer(
    call: &Call,
    profile: Option<&Profile>,
    envelope: Option<&Envelope>,
    result: Result<Value, &Refusal>,
) -> Result<Told, Problem> {
    Ok(Told::envelope(answered(call, profile, envelope, result)?))
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
