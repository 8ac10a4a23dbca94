//! One workplace: from a question to its final answer, whatever happens on the way.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Figures};
use crate::journal::Journal;
use crate::line::Line;
use crate::message::{Answer, Message, compose};
use crate::phone::Phones;
use crate::seal::Seal;
use crate::setup::{House, Setup};
use crate::signer::Signer;
use crate::wire::Reply;

/// How often a message is sent before the day is given up.
const ATTEMPTS_MAX: u32 = 60;
/// How often before the next patient's turn.
const ATTEMPTS_IN_TURN: u32 = 12;
/// How often nobody answers before the day is given up.
const SILENCES_MAX: u32 = 3;
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// The longest text that is taken out of an archive.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// By these words an answer says that the same message may come again.
const LATER: &str = "请稍后";

/// A workplace with its line, its journal and its clerk.
pub struct Counter<'a> {
    /// The hospital.
    pub setup: &'a Setup,
    /// The line.
    pub line: Line,
    /// The journal.
    pub journal: Journal,
    /// The phones of those who pay by phone.
    pub phones: Option<&'a dyn Phones>,
    number: u8,
    sign_no: Option<String>,
    /// Whether somebody else can be served while a message has to come again.
    pub goes_on: bool,
    /// Whether somebody waits whose messages stand in the journal under this sign-in.
    pub somebody_waits: bool,
    /// Whether the clerk has signed out and not in again yet.
    pub is_signed_out: bool,
    /// How long each answer took, and how many messages had to wait for their turn.
    pub took: Vec<Duration>,
    /// How many messages were told to come again.
    pub waited: u64,
    /// What was taken while the line to the platform was cut, as it is booked until it is settled.
    pub to_be_settled: Vec<(String, Booking)>,
}

impl<'a> Counter<'a> {
    /// Opens a workplace in the folder of the hospital's book.
    ///
    /// # Errors
    /// When its journal or its address is wrong.
    pub fn open(house: &House<'a>, (folder, number): (&Path, u8)) -> Result<Self, HisError> {
        let setup = house.setup;
        let seal = match (&setup.mobile, house.mobile) {
            (Some(own), Some(mobile)) => Some(Seal::new(&own.app_id, mobile.secret)?),
            _ => None,
        };
        let signer = Signer::new(setup.signature, house.secret)?;
        let line = Line::over(Arc::clone(&house.wire), &setup.fixmedins_code, signer);
        let line = line.with_seal(seal);
        let phones = house.mobile.map(|mobile| mobile.phones);
        let journal = Journal::open(&Self::journal_in(folder, number))?;
        let (took, waited, to_be_settled) = (Vec::new(), 0, Vec::new());
        let (sign_no, goes_on, somebody_waits, is_signed_out) = (None, false, false, false);
        Ok(Self {
            setup,
            line,
            journal,
            phones,
            number,
            sign_no,
            goes_on,
            somebody_waits,
            is_signed_out,
            took,
            waited,
            to_be_settled,
        })
    }

    /// Where the journal of the workplace of this number is, in the folder of the hospital's book.
    #[must_use]
    pub fn journal_in(folder: &Path, number: u8) -> PathBuf {
        folder.join(format!("counter-{number}.jsonl"))
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// Whether a step still has no answer.
    #[must_use]
    pub fn is_open(&self, step: &str) -> bool {
        self.journal.step(step).is_none_or(|known| known.answer.is_none())
    }

    /// Writes a step's message down, once; gives what is sent for it.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn write(&mut self, step: &str, infno: &str, input: &Value) -> Result<String, HisError> {
        if let Some(known) = self.journal.step(step) {
            return Ok(known.message.body.clone());
        }
        let place = (self.line.now(), self.number, self.journal.written());
        let message = compose(self.setup, place, (infno, self.sign_no.as_deref()), input);
        self.journal.keep_message(step, &message)?;
        Ok(message.body)
    }

    /// The number of a step's message.
    #[must_use]
    pub fn msgid(&self, step: &str) -> String {
        self.journal.step(step).map(|known| known.message.msgid.clone()).unwrap_or_default()
    }

    /// A step from its message to its final answer.
    ///
    /// # Errors
    /// When nobody answers, or the platform stays busy.
    pub fn ask(&mut self, step: &str, infno: &str, input: &Value) -> Result<Answer, HisError> {
        self.write(step, infno, input)?;
        self.complete(step)
    }

    /// Sends a step's message, always by the same bytes, until its final answer is there. Only what
    /// is refused because its sign-in is over is written anew.
    ///
    /// # Errors
    /// As [`Counter::ask`].
    pub fn complete(&mut self, step: &str) -> Result<Answer, HisError> {
        let known = self.journal.step(step).cloned();
        let known = known.ok_or_else(|| HisError::Busy(step.to_owned()))?;
        if let Some(answer) = known.answer {
            return Answer::read(step, answer);
        }
        let mut answer = self.answered(step, &known.message.body)?;
        if let Some(anew) = self.under_this_sign_in(&known.message, &answer) {
            self.journal.keep_message(step, &anew)?;
            answer = self.answered(step, &anew.body)?;
        }
        self.journal.keep_answer(step, &answer.text)?;
        Ok(answer)
    }

    /// The same under the sign-in of now, where it was refused because that under which it was
    /// written has ended since: nothing of it has happened.
    fn under_this_sign_in(&self, message: &Message, answer: &Answer) -> Option<Message> {
        if answer.is_done || !answer.words.starts_with("sign_no") {
            return None;
        }
        let body: Value = serde_json::from_str(&message.body).ok()?;
        let sign_no = self.sign_no.as_deref()?;
        if body["sign_no"] == sign_no {
            return None;
        }
        let place = (self.line.now(), self.number, self.journal.written());
        let infno = body["infno"].as_str()?;
        Some(compose(self.setup, place, (infno, Some(sign_no)), &body["input"]))
    }

    /// Sends a step's message once more, although its answer is known.
    ///
    /// # Errors
    /// As [`Counter::ask`].
    pub fn ask_again(&mut self, step: &str) -> Result<Answer, HisError> {
        let body = self.journal.step(step).map(|known| known.message.body.clone());
        self.answered(step, &body.unwrap_or_default())
    }

    /// Asks for a file; gives the text in it.
    ///
    /// # Errors
    /// As [`Counter::ask`], or when what comes is no file with a text in it.
    pub fn download(&mut self, step: &str, input: &Value) -> Result<String, HisError> {
        let body = self.write(step, "9102", input)?;
        let reply = self.replied(step, &body)?;
        text_in(&reply.bytes).ok_or_else(|| HisError::Answer {
            step: step.to_owned(),
            field: "an archive with a text".to_owned(),
        })
    }

    fn answered(&mut self, step: &str, body: &str) -> Result<Answer, HisError> {
        let reply = self.replied(step, body)?;
        Answer::read(step, reply.text())
    }

    fn replied(&mut self, step: &str, body: &str) -> Result<Reply, HisError> {
        let (mut silences, mut pause) = (0, PAUSE_MIN);
        let attempts = if self.goes_on { ATTEMPTS_IN_TURN } else { ATTEMPTS_MAX };
        for _ in 0..attempts {
            let begin = Instant::now();
            match self.line.send(body) {
                Ok(reply) => {
                    self.took.push(begin.elapsed());
                    if !is_for_later(&reply) {
                        return Ok(reply);
                    }
                    self.waited += 1;
                }
                Err(error) => {
                    silences += 1;
                    if silences > SILENCES_MAX {
                        return Err(error);
                    }
                }
            }
            self.line.wait(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(HisError::Busy(step.to_owned()))
    }

    /// The clerk signs in.
    ///
    /// # Errors
    /// When it is refused or nobody answers.
    pub fn sign_in(&mut self, step: &str) -> Result<(), HisError> {
        let input = json!({ "signIn": { "opter_no": self.setup.operator, "mac": "", "ip": "" } });
        self.sign_no = None;
        let answer = self.ask(step, "9001", &input)?.done()?;
        self.sign_no = Some(answer.text_at("/signinoutb/sign_no")?);
        self.is_signed_out = false;
        Ok(())
    }

    /// The clerk signs out. The workplace keeps the old number, as some systems do.
    ///
    /// # Errors
    /// When it is refused or nobody answers.
    pub fn sign_out(&mut self, step: &str) -> Result<(), HisError> {
        let number = self.sign_no.clone().unwrap_or_default();
        let input = json!({ "signOut": { "sign_no": number, "opter_no": self.setup.operator } });
        self.is_signed_out = true;
        self.ask(step, "9002", &input)?.done().map(drop)
    }

    /// Asks what a settlement came to that was taken while the line was cut (5203), by the step
    /// that was answered so.
    ///
    /// # Errors
    /// As [`Counter::ask`].
    pub fn ask_outcome(&mut self, step: &str, taken: &Booking) -> Result<Answer, HisError> {
        let Booking { psn_no, setl_id, mdtrt_id, .. } = taken;
        let data = json!({ "psn_no": psn_no, "setl_id": setl_id, "mdtrt_id": mdtrt_id });
        self.ask(&format!("{step}-outcome"), "5203", &json!({ "data": data }))
    }

    /// Books what was taken while the line was cut, now that it is settled; what is not as it must
    /// be.
    ///
    /// # Errors
    /// As [`Counter::ask`].
    pub fn book_outcomes(&mut self) -> Result<Vec<String>, HisError> {
        let mut differences = Vec::new();
        for (key, taken) in std::mem::take(&mut self.to_be_settled) {
            let answer = self.ask_outcome(&taken.step, &taken)?;
            if !answer.is_done {
                differences.push(format!("{key}: taken and not settled: {}", answer.words));
                continue;
            }
            let figures = Figures::read(&answer)?;
            if figures.medfee != taken.figures.medfee {
                differences.push(format!("{key}: another total was settled than was taken"));
            }
            let booking = Booking {
                day: answer.day()?,
                step: answer.step.clone(),
                setl_id: answer.text_at("/setlinfo/setl_id")?,
                mdtrt_id: answer.text_at("/setlinfo/mdtrt_id")?,
                figures,
                ..taken
            };
            self.book(&key, booking)?;
        }
        Ok(differences)
    }

    /// The computer is switched off and on: nothing is known but what the journal says.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn restart(&mut self) -> Result<(), HisError> {
        self.journal.open_again()
    }

    /// Books something.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn book(&mut self, step: &str, booking: Booking) -> Result<(), HisError> {
        self.journal.book(step, booking)
    }
}

/// Whether the platform asks for the same message once more.
#[must_use]
pub fn is_for_later(reply: &Reply) -> bool {
    matches!(reply.status, 408 | 429 | 500..)
        || Answer::read("", reply.text())
            .is_ok_and(|answer| !answer.is_done && answer.words.contains(LATER))
}

/// The text in an archive of one file.
fn text_in(bytes: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut text = String::new();
    archive.by_index(0).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}
