//! A message of the interface and its answer.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset};

use crate::HisError;
use crate::money::Fen;
use crate::setup::Setup;

/// What numbers a workplace can have, and so how many there can be.
pub const COUNTERS_MAX: u8 = 10;
/// How many messages a workplace can number within a second.
const SERIALS: u64 = 1_000;

/// A moment in milliseconds since 1970, and what the clock of Beijing shows then: the interface
/// speaks by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub u64);

impl Moment {
    /// This moment by the clock of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn local(self) -> OffsetDateTime {
        let seconds = i64::try_from(self.0 / 1_000).unwrap_or_default();
        let utc =
            OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        utc.to_offset(UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC))
    }

    /// The day, `yyyy-MM-dd`.
    #[must_use]
    pub fn today(self) -> String {
        self.days_ago(0)
    }

    /// The day that was so many days before.
    #[must_use]
    pub fn days_ago(self, days: u32) -> String {
        let day = self.local() - time::Duration::days(days.into());
        format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
    }

    /// The time of day, `HH:mm:ss`.
    #[must_use]
    pub fn time_of_day(self) -> String {
        let now = self.local();
        format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second())
    }

    /// Day and time of day, `yyyy-MM-dd HH:mm:ss`.
    #[must_use]
    pub fn text(self) -> String {
        format!("{} {}", self.today(), self.time_of_day())
    }
}

/// A message that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub msgid: String,
    /// What is sent.
    pub body: String,
}

/// Writes a message with a number of its own.
#[must_use]
pub fn compose(
    setup: &Setup,
    (now, counter, serial): (Moment, u8, u64),
    (infno, sign_no): (&str, Option<&str>),
    input: &Value,
) -> Message {
    let (day, time) = (now.today(), now.time_of_day());
    let digits: String = format!("{day}{time}").chars().filter(char::is_ascii_digit).collect();
    // The first digit of the serial number is the workplace, so that none uses another's.
    let msgid = format!(
        "{}{digits}{}{:03}",
        setup.fixmedins_code,
        counter % COUNTERS_MAX,
        serial % SERIALS
    );
    let mut body = json!({
        "infno": infno,
        "msgid": msgid,
        "mdtrtarea_admvs": setup.area,
        "insuplc_admdvs": setup.area,
        "recer_sys_code": "YBXT",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": setup.operator,
        "opter_name": setup.operator_name,
        "inf_time": format!("{day} {time}"),
        "fixmedins_code": setup.fixmedins_code,
        "fixmedins_name": setup.fixmedins_name,
        "input": input
    });
    if let Some(number) = sign_no {
        body["sign_no"] = json!(number);
    }
    Message { msgid, body: body.to_string() }
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// To which step.
    pub step: String,
    /// Whether it was carried out.
    pub is_done: bool,
    /// What is wrong, where it was not.
    pub words: String,
    /// What was answered.
    pub output: Value,
    /// The bytes.
    pub text: String,
}

impl Answer {
    /// Reads an answer: `infcode` as number or text, `output` as object or text.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(step: &str, text: String) -> Result<Self, HisError> {
        let missing =
            |field: &str| HisError::Answer { step: step.to_owned(), field: field.to_owned() };
        let answer: Value = serde_json::from_str(&text).map_err(|_| missing("JSON"))?;
        let is_done = match &answer["infcode"] {
            Value::Number(code) => code.as_i64() == Some(0),
            Value::String(code) => code == "0",
            _ => return Err(missing("infcode")),
        };
        let output = match &answer["output"] {
            Value::String(text) => serde_json::from_str(text).map_err(|_| missing("output"))?,
            other => other.clone(),
        };
        let words = answer["err_msg"].as_str().unwrap_or_default().to_owned();
        Ok(Self { step: step.to_owned(), is_done, words, output, text })
    }

    /// It was carried out.
    ///
    /// # Errors
    /// When it was not.
    pub fn done(self) -> Result<Self, HisError> {
        if self.is_done {
            return Ok(self);
        }
        Err(HisError::Refused { step: self.step, words: self.words })
    }

    /// A text of the answer by its place, such as `/data/mdtrt_id`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text_at(&self, place: &str) -> Result<String, HisError> {
        let found = self.output.pointer(place).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| self.missing(place))
    }

    /// An amount of the answer by its place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn amount_at(&self, place: &str) -> Result<Fen, HisError> {
        self.output.pointer(place).and_then(Fen::read).ok_or_else(|| self.missing(place))
    }

    /// An amount that is told in fen, by its place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn fen_at(&self, place: &str) -> Result<Fen, HisError> {
        let text = self.text_at(place)?;
        text.parse().map(Fen).map_err(|_| self.missing(place))
    }

    /// The day in a time of the answer, by its place.
    ///
    /// # Errors
    /// When it is not there.
    pub fn day_at(&self, place: &str) -> Result<String, HisError> {
        let time = self.text_at(place)?;
        time.get(..10).map(str::to_owned).ok_or_else(|| self.missing(place))
    }

    /// Whether the line to the platform was cut, so that a settlement was taken and is to be
    /// settled: its figures are no promise.
    #[must_use]
    pub fn is_to_be_settled(&self) -> bool {
        self.output.pointer("/setlinfo/setl_stas").and_then(Value::as_str) == Some("待结算")
    }

    /// The day of a settlement or its undoing, by the platform's clock.
    ///
    /// # Errors
    /// When it is not there.
    pub fn day(&self) -> Result<String, HisError> {
        self.day_at("/setlinfo/setl_time")
    }

    /// The rows of a list in the answer.
    #[must_use]
    pub fn rows(&self, name: &str) -> &[Value] {
        self.output.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn missing(&self, place: &str) -> HisError {
        HisError::Answer { step: self.step.clone(), field: place.to_owned() }
    }
}
