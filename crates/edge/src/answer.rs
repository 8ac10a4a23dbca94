//! From a message of the hospital's system to its answer: the platform's while the line is there,
//! and else the edge's own.

use std::collections::BTreeMap;

use adapters::clock::{Clock as _, SystemClock};
use adapters::edge::Change;
use adapters::hospital::Begun;
use axum::http::HeaderMap;
use gateway::nhsa::envelope::{Answering, Envelope};
use gateway::nhsa::field::{Field, Form, Node, Record};
use gateway::nhsa::refusal::Refusal;
use gateway::nhsa::signature::{self, Shown};
use gateway::nhsa::{local, offered_as};
use primitives::Timestamp;
use serde_json::Value;

use crate::house::{House, REFUSED, REVERSED, SESSION};
use crate::learn::learn;
use crate::line::{Cut, Reply};
use crate::numbers::{Rewritten, is_own, rewritten};
use crate::offline;

/// The transaction by which the outcome of what was taken without the line is asked.
pub const OUTCOME: &str = "5203";
const OUTCOME_INPUT: Node = Node::one(
    "data",
    &[
        Field::needed("psn_no", Form::Text(30), "人员编号"),
        Field::needed("setl_id", Form::Text(30), "结算 ID，断网时由前置机给出"),
        Field::optional("mdtrt_id", Form::Text(30), "就诊 ID"),
    ],
);
/// By these words the platform asks for the same message once more.
const LATER: [&str; 2] = ["请稍", "以原报文重发"];

/// A hospital by its code.
pub type Houses = BTreeMap<String, std::sync::Arc<House>>;

/// What goes back.
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub media_type: String,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Told {
    const fn envelope(bytes: Vec<u8>) -> Self {
        Self { status: 200, media_type: String::new(), bytes }
    }
}

impl From<Reply> for Told {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, media_type: reply.media_type, bytes: reply.bytes }
    }
}

/// A message of a hospital that has shown itself.
pub struct Asked<'a> {
    /// Whose it is.
    pub house: &'a House,
    /// Its envelope.
    pub envelope: &'a Envelope,
    /// The records of its first part.
    pub records: Vec<Record>,
    /// Its text.
    pub body: &'a str,
    /// When it came.
    pub now: Timestamp,
    /// Whether it was sent on, and nobody knows whether it arrived.
    pub is_sent: bool,
}

impl Asked<'_> {
    /// The number of its transaction, without the letter of a variant.
    #[must_use]
    pub fn infno(&self) -> &str {
        self.envelope.fields.text("infno").trim_end_matches('A')
    }

    /// The first record.
    #[must_use]
    pub fn record(&self) -> &Record {
        self.records.first().expect("a transaction is read with one record at least")
    }

    /// Its answer as bytes.
    #[must_use]
    pub fn bytes(&self, result: Result<Value, &Refusal>) -> Vec<u8> {
        answered(Some(self.house), Some(self.envelope), self.now, result)
    }
}

fn answered(
    house: Option<&House>,
    envelope: Option<&Envelope>,
    came: Timestamp,
    result: Result<Value, &Refusal>,
) -> Vec<u8> {
    let now = SystemClock.now();
    let profile = house.map(|house| &house.profile);
    let answering =
        Answering { profile, envelope, times: [local(came), local(now)], serial: now.millis() };
    answering.bytes(result)
}

/// The book failed: nothing is known to be wrong with the message.
pub(crate) fn failed(_: impl std::error::Error) -> Refusal {
    Refusal::for_now("前置机保存失败；请检查磁盘后，请稍后以原报文重发")
}

/// Answers what came.
#[must_use]
pub fn answer(houses: &Houses, headers: &HeaderMap, body: &[u8]) -> Told {
    let now = SystemClock.now();
    let house = match authenticated(houses, headers, (body, now)) {
        Ok((house, false)) => house,
        Ok((house, true)) => return sealed(house, body, now),
        Err(refusal) => return Told::envelope(answered(None, None, now, Err(&refusal))),
    };
    let refused = |envelope: Option<&Envelope>, refusal: &Refusal| {
        Told::envelope(answered(Some(house), envelope, now, Err(refusal)))
    };
    let envelope = match Envelope::read(body, &house.profile) {
        Ok(envelope) => envelope,
        Err(refusal) => return refused(None, &refusal),
    };
    let Ok(text) = std::str::from_utf8(body) else {
        return refused(None, &Refusal::new("报文不是 UTF-8；请改正后重发"));
    };
    carried_out(house, &envelope, (text, now)).unwrap_or_else(|refusal| {
        let told = refused(Some(&envelope), &refusal);
        if refusal.is_final {
            let answer = Some((envelope.msgid().to_owned(), told.bytes.clone()));
            // Where it cannot be kept, the same message is looked at anew.
            let _ = house.book.apply(&Change { answer, ..Change::default() });
        }
        told
    })
}

/// What is sealed in its body goes to the platform as it is, which looks at its seal: the edge
/// neither reads it nor answers for it.
fn sealed(house: &House, body: &[u8], now: Timestamp) -> Told {
    match house.pass_sealed(body, now) {
        Ok(reply) => reply.into(),
        Err(Cut) => {
            let words = "与医保平台的线路中断，移动支付须联网办理；请稍后以原报文重发";
            let refusal = Refusal::for_now(words);
            let bytes = answered(Some(house), None, now, Err(&refusal));
            // Nothing in the open is believed where a sealed answer is expected; the status is.
            Told { status: 503, media_type: String::new(), bytes }
        }
    }
}

/// Whose message it is, and whether it is sealed in its body.
fn authenticated<'a>(
    houses: &'a Houses,
    headers: &HeaderMap,
    (body, now): (&[u8], Timestamp),
) -> Result<(&'a House, bool), Refusal> {
    let header = |name: &'static str| {
        let value = headers.get(name).map(|value| value.to_str());
        let wrong = |_| Refusal::at(name, "不是文本；请改正后重发");
        Ok(value.transpose().map_err(wrong)?.unwrap_or_default())
    };
    let shown = Shown::of(header, body, now)?;
    let not_shown = || signature::not_shown(shown.field);
    if shown.is_sealed() {
        let code = Some(shown.code.as_ref());
        let house = houses.values().find(|one| one.setup.mobile_app_id.as_deref() == code);
        return Ok((house.ok_or_else(not_shown)?, true));
    }
    let house = houses.get(shown.code.as_ref()).ok_or_else(not_shown)?;
    let (name, keys) = (house.profile.signature, &house.keys.his);
    signature::check_message(name, &shown, keys, &house.nonces)?;
    Ok((house, false))
}

fn carried_out(
    house: &House,
    envelope: &Envelope,
    (body, now): (&str, Timestamp),
) -> Result<Told, Refusal> {
    let msgid = envelope.msgid();
    let busy = || Refusal::for_now("同一 msgid 的报文正在处理；请稍后以原报文重发");
    let _claim = house.claim(msgid).ok_or_else(busy)?;
    let is_new = match house.book.begin(msgid, &envelope.digest, now).map_err(failed)? {
        Begun::Answered(bytes) => return Ok(Told::envelope(bytes)),
        Begun::Differs => {
            let words = "已用于另一份报文；请更换编号后重发";
            // The first message keeps its place, so this is not kept.
            let differs = Refusal::at("msgid", words);
            let bytes = answered(Some(house), Some(envelope), now, Err(&differs));
            return Ok(Told::envelope(bytes));
        }
        Begun::New => true,
        Begun::Open => false,
    };
    let number = envelope.fields.text("infno");
    let records = if number == OUTCOME {
        OUTCOME_INPUT.read(&envelope.input, 1)?
    } else {
        offered_as(number)?.read(&envelope.input)?
    };
    let mut asked = Asked { house, envelope, records, body, now, is_sent: false };
    let is_late = is_after_its_session(&asked, is_new)?;
    if number == OUTCOME {
        let _desk = house.desk();
        let output = offline::outcome(&asked)?;
        return kept(&asked, Change::default(), output);
    }
    if house.platform.standing().is_up && !is_held(&asked)? {
        match passed_on(&asked)? {
            Some(Ok(told)) => return Ok(told),
            Some(Err(Cut)) => asked.is_sent = true,
            None => {}
        }
    }
    if is_late {
        // Taken now, it would reach the platform behind the sign-out.
        let words = "该签到编号已签退，而该报文的结果尚未查明；请稍后以原报文重发";
        return Err(Refusal::for_now(words));
    }
    let _desk = house.desk();
    if let Some(bytes) = house.book.get(REFUSED, msgid).map_err(failed)? {
        return Ok(Told::envelope(bytes));
    }
    if house.book.get(REVERSED, msgid).map_err(failed)?.is_some() {
        let words = "该报文已冲正（2601），不能再受理；请更换编号后重发";
        return Err(Refusal::at("msgid", words));
    }
    let taken = offline::taken(&asked);
    // Whether the platform has it already is not known, so no refusal of ours is the last word.
    let is_sent = asked.is_sent;
    let (change, output) = taken.map_err(|refusal| match is_sent {
        true => Refusal::for_now(refusal.words()),
        false => refusal,
    })?;
    let told = kept(&asked, change, output)?;
    house.platform.wake();
    Ok(told)
}

/// Makes durable what follows from a message, and answers.
fn kept(asked: &Asked<'_>, mut change: Change, output: Value) -> Result<Told, Refusal> {
    let bytes = asked.bytes(Ok(output));
    change.answer = Some((asked.envelope.msgid().to_owned(), bytes.clone()));
    asked.house.book.apply(&change).map_err(failed)?;
    Ok(Told::envelope(bytes))
}

/// Whether the sign-in of a message has ended since the message came first: the platform may have
/// it, and is asked. What comes first after its sign-in has ended is refused, whether the platform
/// heard of the end already or not.
fn is_after_its_session(asked: &Asked<'_>, is_new: bool) -> Result<bool, Refusal> {
    let Some(number) = asked.envelope.fields.get("sign_no") else { return Ok(false) };
    let known = asked.house.book.get(SESSION, number).map_err(failed)?;
    let is_open = known.as_ref().map_or(!is_own(number), |standing| standing == b"open");
    if is_new && !is_open {
        let words = "签到编号无效或已签退；请重新签到（9001）";
        return Err(Refusal::at("sign_no", words));
    }
    Ok(!is_open)
}

/// Whether something has to go to the platform before this message.
fn is_held(asked: &Asked<'_>) -> Result<bool, Refusal> {
    let waiting = |person: Option<&str>| asked.house.book.has_waiting(person).map_err(failed);
    match asked.infno() {
        "9002" => {
            let is_edge = is_own(asked.record().text("sign_no"));
            Ok(is_edge || waiting(None)?)
        }
        "3201" | "3202" => waiting(None),
        _ => match offline::person_of(asked)? {
            Some(person) => waiting(Some(&person)),
            None => Ok(false),
        },
    }
}

/// Sends a message on. Nothing where the platform has no number yet for something in it.
fn passed_on(asked: &Asked<'_>) -> Result<Option<Result<Told, Cut>>, Refusal> {
    let house = asked.house;
    let Rewritten::Text(text) = rewritten(house, asked.body).map_err(failed)? else {
        return Ok(None);
    };
    let reply = match house.send(&text) {
        Ok(reply) => reply,
        Err(Cut) => return Ok(Some(Err(Cut))),
    };
    let said = Said::read(&reply);
    let _desk = house.desk();
    let mut change = Change::default();
    let msgid = asked.envelope.msgid().to_owned();
    match &said {
        Said::Done(output) => {
            learn(asked, output, &mut change)?;
            change.answer = Some((msgid, reply.bytes.clone()));
        }
        Said::Refused(_) => change.put(REFUSED, &msgid, reply.bytes.clone()),
        Said::Later | Said::Other => return Ok(Some(Ok(reply.into()))),
    }
    house.book.apply(&change).map_err(failed)?;
    Ok(Some(Ok(reply.into())))
}

/// What the platform said.
pub enum Said {
    /// It was carried out, with this output.
    Done(Value),
    /// It was refused for good.
    Refused(String),
    /// It should come once more.
    Later,
    /// Something that is no envelope, such as a file.
    Other,
}

impl Said {
    /// Reads an answer.
    #[must_use]
    pub fn read(reply: &Reply) -> Self {
        // Another status says that it did not get as far as the interface.
        if reply.status != 200 {
            return Self::Later;
        }
        let answer: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
        let is_done = match answer.get("infcode") {
            Some(Value::Number(code)) => code.as_i64() == Some(0),
            Some(Value::String(code)) => code == "0",
            _ => return Self::Other,
        };
        let words = answer.get("err_msg").and_then(Value::as_str).unwrap_or_default();
        if !is_done && LATER.iter().any(|later| words.contains(later)) {
            return Self::Later;
        }
        if !is_done {
            return Self::Refused(words.to_owned());
        }
        Self::Done(match answer.get("output") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            other => other.cloned().unwrap_or_default(),
        })
    }
}
