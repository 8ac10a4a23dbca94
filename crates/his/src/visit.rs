//! One outpatient, from the counter where somebody shows a card to the settled bill, with the
//! mistake that is made on the way.

use std::thread;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Figures, contradictions};
use crate::counter::{Counter, is_for_later};
use crate::line::Cut;
use crate::message::{Answer, today};
use crate::mistake::Mistake;
use crate::money::Fen;
use crate::setup::Patient;

/// How slow the slow clock is.
const SLOW_MILLIS: u64 = 10 * 60_000;
/// By how much a wrong line is too dear: more than any rounding of a price.
const WRONG: Fen = Fen(100);
/// The most different items of a bill, and the most of one of them.
const LINES_MAX: usize = 5;
const COUNT_MAX: i64 = 3;

/// What is to happen.
pub struct Plan<'a> {
    /// Names the visit in the journal.
    pub key: String,
    /// What the visit's choices follow from.
    pub seed: u64,
    /// Who comes.
    pub patient: &'a Patient,
    /// What goes wrong.
    pub mistake: Option<Mistake>,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is settled and booked.
    Settled,
    /// The patient left before anything was charged.
    Left,
    /// The person is not insured here today.
    NotInsured,
    /// A step was refused or answered as it may not be; it is among the differences.
    Broken,
}

/// A line that is charged.
#[derive(Clone)]
struct Charged {
    serial: String,
    code: String,
    price: Fen,
    count: i64,
}

impl Charged {
    const fn amount(&self) -> Fen {
        Fen(self.price.0 * self.count)
    }
}

/// A visit under way.
struct Visit<'c, 'a> {
    counter: &'c mut Counter<'a>,
    plan: &'c Plan<'c>,
    rng: Rng,
    psn_no: String,
    insutype: String,
    mdtrt_id: String,
    batch: &'static str,
    lines: Vec<Charged>,
    differences: Vec<String>,
}

/// Plays a visit; gives its end, and what was not as it must be.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(counter: &mut Counter<'_>, plan: &Plan<'_>) -> Result<(End, Vec<String>), HisError> {
    let mut visit = Visit {
        counter,
        plan,
        rng: Rng::with_seed(plan.seed),
        psn_no: String::new(),
        insutype: String::new(),
        mdtrt_id: String::new(),
        batch: "B1",
        lines: Vec::new(),
        differences: Vec::new(),
    };
    let end = match visit.played() {
        // What is refused and should not be is a difference; the next patient is waiting.
        Err(refused @ (HisError::Refused { .. } | HisError::Answer { .. })) => {
            visit.differences.push(refused.to_string());
            End::Broken
        }
        other => other?,
    };
    Ok((end, visit.differences))
}

impl Visit<'_, '_> {
    fn played(&mut self) -> Result<End, HisError> {
        self.identify()?;
        if self.insutype.is_empty() {
            return Ok(End::NotInsured);
        }
        self.register()?;
        if self.makes(Mistake::RegistrationUndone) {
            self.leave()?;
            return Ok(End::Left);
        }
        self.describe()?;
        self.lines = self.chosen_lines();
        self.charge()?;
        let preview = self.ask("preview", "2206", &self.claim(self.total(), "0"))?.done()?;
        self.check(&preview)?;
        let settled = self.settle()?;
        self.check(&settled)?;
        // What was registered anew stands on what its first try left behind: nothing.
        let (seen, paid) = (Figures::read(&preview)?, Figures::read(&settled)?);
        self.expect(seen == paid, || format!("the preview said {seen:?}, settled is {paid:?}"));
        self.book(&settled, paid)?;
        Ok(End::Settled)
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.plan.mistake == Some(mistake)
    }

    fn step(&self, name: &str) -> String {
        format!("{}/{name}", self.plan.key)
    }

    fn ask(&mut self, name: &str, infno: &str, input: &Value) -> Result<Answer, HisError> {
        self.counter.ask(&self.step(name), infno, input)
    }

    /// Writes a message down; gives its body while its answer is not known.
    fn write(
        &mut self,
        name: &str,
        infno: &str,
        input: &Value,
    ) -> Result<Option<String>, HisError> {
        let step = self.step(name);
        let body = self.counter.write(&step, infno, input)?;
        Ok(self.counter.is_open(&step).then_some(body))
    }

    fn complete(&mut self, name: &str) -> Result<Answer, HisError> {
        self.counter.complete(&self.step(name))
    }

    fn expect(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.differences.push(format!("{}: {}", self.plan.key, words()));
        }
    }

    /// This must have been refused, for a reason that names this.
    fn expect_refused(&mut self, answer: &Answer, names: &str) {
        let holds = !answer.is_done && answer.words.contains(names);
        let (step, words) = (answer.step.clone(), answer.words.clone());
        self.expect(holds, || match answer.is_done {
            true => format!("{step} was taken, and must be refused"),
            false => format!("{step} was refused without naming `{names}`: {words}"),
        });
    }

    fn identify(&mut self) -> Result<(), HisError> {
        let Patient { name, number } = self.plan.patient;
        let input = |name: &str| json!({ "data": { "mdtrt_cert_type": "02", "mdtrt_cert_no": number, "psn_name": name } });
        if self.makes(Mistake::WrongName) {
            let wrong = self.ask("identify-wrong", "1101", &input(&format!("{name}某")))?;
            self.expect_refused(&wrong, "mdtrt_cert_no");
        }
        let body = self.write("identify", "1101", &input(name))?;
        if let Some(body) = body.filter(|_| self.makes(Mistake::WrongSignature)) {
            let line = &self.counter.line;
            let replies =
                [line.send_with_another_secret(&body)?, line.send_late(&body, SLOW_MILLIS)?];
            for reply in replies {
                let answer = Answer::read(&self.step("identify"), reply.text())?;
                self.expect_refused(&answer, "签名");
            }
        }
        let known = self.complete("identify")?.done()?;
        self.psn_no = known.text_at("/baseinfo/psn_no")?;
        let insured = known.rows("insuinfo").iter().find(|row| row["psn_insu_stas"] == "1");
        self.insutype =
            insured.and_then(|row| row["insutype"].as_str()).unwrap_or_default().to_owned();
        Ok(())
    }

    /// What was shown at 1101, as registration and settlement repeat it.
    fn shown(&self) -> Value {
        json!({
            "psn_no": self.psn_no, "mdtrt_cert_type": "02",
            "mdtrt_cert_no": self.plan.patient.number, "insutype": self.insutype
        })
    }

    fn registration(&self) -> Value {
        let mut data = self.shown();
        data["begntime"] = json!(today());
        data["ipt_otp_no"] = json!(self.plan.key);
        json!({ "data": data })
    }

    fn register(&mut self) -> Result<(), HisError> {
        if self.makes(Mistake::EndedSignIn) {
            self.counter.sign_out(&self.step("sign-out"))?;
            let late = self.ask("register-signed-out", "2201", &self.registration())?;
            self.expect_refused(&late, "9001");
            self.counter.sign_in(&self.step("sign-in"))?;
        }
        if self.makes(Mistake::RegistrationReversed) {
            let body = self.write("register-lost", "2201", &self.registration())?;
            self.cut(body, &[Cut::Halfway, Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
            self.reverse("register-lost", "2201")?;
        }
        self.register_as("register")
    }

    fn register_as(&mut self, name: &str) -> Result<(), HisError> {
        let registered = self.ask(name, "2201", &self.registration())?.done()?;
        self.mdtrt_id = registered.text_at("/data/mdtrt_id")?;
        Ok(())
    }

    /// Breaks the line at one of these places, if the message's answer is not known yet.
    fn cut(&mut self, body: Option<String>, places: &[Cut]) -> Result<(), HisError> {
        let place = places[self.rng.usize(..places.len())];
        body.map_or(Ok(()), |body| self.counter.line.cut(&body, place))
    }

    fn reverse(&mut self, name: &str, infno: &str) -> Result<(), HisError> {
        let omsgid = self.counter.msgid(&self.step(name));
        let input = json!({ "data": { "psn_no": self.psn_no, "omsgid": omsgid, "oinfno": infno } });
        self.ask(&format!("{name}-reversed"), "2601", &input)?.done().map(drop)
    }

    fn leave(&mut self) -> Result<(), HisError> {
        let undo = json!({
            "data": {
                "psn_no": self.psn_no, "mdtrt_id": self.mdtrt_id, "ipt_otp_no": self.plan.key
            }
        });
        self.ask("unregister", "2202", &undo)?.done()?;
        self.lines = self.chosen_lines();
        let late = self.ask("charge-late", "2204", &self.uploaded(&self.lines))?;
        self.expect_refused(&late, "mdtrt_id");
        Ok(())
    }

    fn describe(&mut self) -> Result<(), HisError> {
        let (day, id) = (today(), &self.mdtrt_id);
        let input = json!({
            "mdtrtinfo": {
                "mdtrt_id": id, "psn_no": self.psn_no, "med_type": "11", "begntime": day
            },
            "diseinfo": [{
                "diag_type": "1", "diag_srt_no": 1, "diag_code": "Z00.000",
                "diag_name": "一般性医学检查", "diag_dept": "A03", "diag_time": day, "vali_flag": "1"
            }]
        });
        self.ask("describe", "2203", &input)?.done().map(drop)
    }

    fn chosen_lines(&mut self) -> Vec<Charged> {
        let mut items: Vec<_> = self.counter.setup.items.iter().collect();
        self.rng.shuffle(&mut items);
        let count = 1 + self.rng.usize(..LINES_MAX);
        let line = |(number, item): (usize, &crate::setup::Item)| Charged {
            serial: number.to_string(),
            code: item.code.clone(),
            price: Fen::parse(&item.price).unwrap_or_default(),
            count: 1 + self.rng.i64(0..COUNT_MAX),
        };
        (1..).zip(items.into_iter().take(count)).map(line).collect()
    }

    fn total(&self) -> Fen {
        self.lines.iter().map(Charged::amount).sum()
    }

    fn uploaded(&self, lines: &[Charged]) -> Value {
        let line = |line: &Charged| {
            json!({
                "feedetl_sn": line.serial, "mdtrt_id": self.mdtrt_id, "psn_no": self.psn_no,
                "chrg_bchno": self.batch, "fee_ocur_time": today(), "med_list_codg": line.code,
                "cnt": line.count, "pric": line.price.text(),
                "det_item_fee_sumamt": line.amount().text()
            })
        };
        json!({ "feedetail": lines.iter().map(line).collect::<Vec<_>>() })
    }

    fn charge(&mut self) -> Result<(), HisError> {
        if self.makes(Mistake::WrongLine) {
            let mut input = self.uploaded(&self.lines);
            let wrong = self.lines.first().map_or(WRONG, |line| line.amount() + WRONG);
            input["feedetail"][0]["det_item_fee_sumamt"] = json!(wrong.text());
            let refused = self.ask("charge-wrong", "2204", &input)?;
            self.expect_refused(&refused, "feedetail");
        }
        if self.makes(Mistake::NumberUsedAgain) {
            let input = self.uploaded(&self.lines);
            self.send_under_a_used_number(&input)?;
        }
        self.charge_as("charge")?;
        if self.makes(Mistake::LineChanged) {
            let mut changed: Vec<Charged> = self.lines.iter().take(1).cloned().collect();
            changed.iter_mut().for_each(|line| line.count += 1);
            let refused = self.ask("charge-changed", "2204", &self.uploaded(&changed))?;
            self.expect_refused(&refused, "feedetl_sn");
        }
        if self.makes(Mistake::LinesUndone) {
            let undo = json!({
                "data": {
                    "mdtrt_id": self.mdtrt_id, "chrg_bchno": self.batch, "psn_no": self.psn_no
                }
            });
            self.ask("uncharge", "2205", &undo)?.done()?;
            let empty = self.ask("preview-empty", "2206", &self.claim(self.total(), "0"))?;
            self.expect_refused(&empty, "2204");
            (self.batch, self.lines) = ("B2", self.chosen_lines());
            self.charge_as("charge-again")?;
        }
        Ok(())
    }

    fn charge_as(&mut self, name: &str) -> Result<(), HisError> {
        let told = self.ask(name, "2204", &self.uploaded(&self.lines))?.done()?;
        let rows = told.rows("result");
        let part = |row: &Value, field: &str| row.get(field).and_then(Fen::read);
        let parts = ["fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt"];
        let adds_up = self.lines.iter().all(|line| {
            let row = rows.iter().find(|row| row["feedetl_sn"] == line.serial.as_str());
            row.is_some_and(|row| {
                let sum: Option<Fen> = parts.iter().map(|field| part(row, field)).sum();
                sum == Some(line.amount())
                    && part(row, "det_item_fee_sumamt") == Some(line.amount())
            })
        });
        let count = self.lines.len();
        self.expect(adds_up && rows.len() == count, || {
            format!("{name}: the lines do not add up to what was charged")
        });
        Ok(())
    }

    /// A message under the number of the registration, as after a clock that was set back.
    fn send_under_a_used_number(&mut self, input: &Value) -> Result<(), HisError> {
        let step = self.step("charge");
        if self.counter.journal.step(&step).is_some() {
            return Ok(());
        }
        let used = self.counter.journal.step(&self.step("register")).cloned();
        let used = used.map(|known| known.message).ok_or_else(|| HisError::Busy(step.clone()))?;
        let mut body: Value = serde_json::from_str(&used.body).unwrap_or_default();
        body["infno"] = json!("2204");
        body["input"] = input.clone();
        let reply = self.counter.line.send(&body.to_string())?;
        let refused = Answer::read(&step, reply.text())?;
        self.expect_refused(&refused, "msgid");
        Ok(())
    }

    /// What 2206 and 2207 ask.
    fn claim(&self, total: Fen, account: &str) -> Value {
        let mut data = self.shown();
        for (field, value) in [
            ("mdtrt_id", self.mdtrt_id.as_str()),
            ("med_type", "11"),
            ("medfee_sumamt", &total.text()),
            ("psn_setlway", "01"),
            ("chrg_bchno", self.batch),
            ("acct_used_flag", account),
        ] {
            data[field] = json!(value);
        }
        json!({ "data": data })
    }

    fn settle(&mut self) -> Result<Answer, HisError> {
        let claim = self.claim(self.total(), "0");
        match self.plan.mistake {
            Some(Mistake::WrongTotal) => {
                let wrong = self.claim(self.total() + Fen(1), "0");
                let refused = self.ask("settle-wrong", "2207", &wrong)?;
                self.expect_refused(&refused, "medfee_sumamt");
            }
            Some(Mistake::AccountAtTheDesk) => {
                let wrong = self.claim(self.total(), "1");
                let refused = self.ask("settle-account", "2207", &wrong)?;
                self.expect_refused(&refused, "acct_used_flag");
            }
            Some(Mistake::ClickedTwice) => self.click_twice(&claim)?,
            Some(Mistake::SettledTwice) => return self.settle_twice(&claim),
            Some(Mistake::MessageLost) => {
                let body = self.write("settle", "2207", &claim)?;
                self.cut(body, &[Cut::Halfway])?;
            }
            Some(Mistake::AnswerLost) => {
                let body = self.write("settle", "2207", &claim)?;
                self.cut(body, &[Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
            }
            Some(Mistake::AnswerLostReversed) => {
                return self.settle_reversed(&claim, &[Cut::BeforeTheAnswer, Cut::WithinTheAnswer]);
            }
            Some(Mistake::MessageLostReversed) => {
                return self.settle_reversed(&claim, &[Cut::Halfway]);
            }
            Some(Mistake::Restarted) => {
                if let Some(body) = self.write("settle", "2207", &claim)? {
                    self.counter.line.send(&body)?;
                    self.counter.restart()?;
                }
            }
            _ => {}
        }
        self.ask("settle", "2207", &claim)?.done()
    }

    /// Sends the same message twice at once.
    fn click_twice(&mut self, claim: &Value) -> Result<(), HisError> {
        let Some(body) = self.write("settle", "2207", claim)? else { return Ok(()) };
        let line = &self.counter.line;
        let replies = thread::scope(|scope| {
            let clicks = [(); 2].map(|()| scope.spawn(|| line.send(&body)));
            clicks.map(|click| click.join().expect("sending does not panic"))
        });
        let settled = self.complete("settle")?;
        for reply in replies {
            let reply = reply?;
            self.expect(is_for_later(&reply) || reply.text() == settled.text, || {
                "the second click was answered by something else".to_owned()
            });
        }
        Ok(())
    }

    /// Sends the same settlement under two numbers at once; gives the one that settled.
    fn settle_twice(&mut self, claim: &Value) -> Result<Answer, HisError> {
        let names = ["settle", "settle-2"];
        let bodies = [self.write(names[0], "2207", claim)?, self.write(names[1], "2207", claim)?];
        let line = &self.counter.line;
        thread::scope(|scope| {
            for body in bodies.iter().flatten() {
                scope.spawn(|| line.send(body));
            }
        });
        let [one, two] = [self.complete(names[0])?, self.complete(names[1])?];
        let (settled, other) = if one.is_done { (one, two) } else { (two, one) };
        // The interface refuses it where the other was quicker, and the ledger where they met.
        self.expect_refused(&other, "已结算");
        settled.done()
    }

    /// A settlement whose line broke is reversed, asked for, and made anew: on the same visit where
    /// it had not happened, on a new one where it had.
    fn settle_reversed(&mut self, claim: &Value, places: &[Cut]) -> Result<Answer, HisError> {
        let body = self.write("settle", "2207", claim)?;
        self.cut(body, places)?;
        self.reverse("settle", "2207")?;
        let first = self.complete("settle")?;
        let again = self.ask("settle-again", "2207", claim)?;
        let is_lost = places == [Cut::Halfway];
        self.expect(!(is_lost && first.is_done), || "what never came was settled".to_owned());
        if again.is_done {
            self.expect(!first.is_done, || "settled twice, in spite of the reversal".to_owned());
            return Ok(again);
        }
        self.expect(!is_lost, || format!("the visit is closed: {}", again.words));
        self.register_as("register-again")?;
        self.charge_as("charge-anew")?;
        let claim = self.claim(self.total(), "0");
        self.ask("settle-anew", "2207", &claim)?.done()
    }

    fn check(&mut self, answer: &Answer) -> Result<(), HisError> {
        for words in contradictions(answer, self.total())? {
            let step = answer.step.clone();
            self.expect(false, || format!("{step}: {words}"));
        }
        Ok(())
    }

    fn book(&mut self, settled: &Answer, figures: Figures) -> Result<(), HisError> {
        let key = self.plan.key.clone();
        if self.counter.journal.bookings().contains_key(&key) {
            return Ok(());
        }
        let booking = Booking {
            day: today(),
            step: settled.step.clone(),
            insutype: self.insutype.clone(),
            psn_no: self.psn_no.clone(),
            mdtrt_id: self.mdtrt_id.clone(),
            setl_id: settled.text_at("/setlinfo/setl_id")?,
            msgid: self.counter.msgid(&settled.step),
            figures,
            undone: None,
        };
        self.counter.book(&key, booking)
    }
}
