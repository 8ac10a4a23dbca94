//! Somebody who is treated or served, and what all kinds of care have in common: who it is, the
//! opening, the lines, and what is said of them.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Figures, Sold, contradictions};
use crate::care::Care;
use crate::counter::Counter;
use crate::message::{Answer, Moment};
use crate::mistake::Mistake;
use crate::money::Fen;
use crate::setup::{Item, Patient};
use crate::wire::Cut;

/// How slow the slow clock is.
const SLOW_MILLIS: u64 = 10 * 60_000;
/// The step with which the clerk signs out in the middle of an opening.
pub const SIGN_OUT: &str = "sign-out";
/// By how much a wrong line is too dear: more than any rounding of a price.
const WRONG: Fen = Fen(100);

/// What is to happen.
#[derive(Clone)]
pub struct Plan<'a> {
    /// Names it in the journal.
    pub key: String,
    /// What kind of care.
    pub care: Care,
    /// What its choices follow from.
    pub seed: u64,
    /// Who comes.
    pub patient: &'a Patient,
    /// What goes wrong.
    pub mistake: Option<Mistake>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is settled and booked.
    Settled,
    /// It goes on later today.
    Open,
    /// It was sold for cash, without insurance.
    SoldForCash,
    /// The patient left before anything was charged.
    Left,
    /// The person is not insured here today.
    NotInsured,
    /// A step was refused or answered as it may not be; it is among the differences.
    Broken,
}

/// A line that is charged.
#[derive(Clone)]
pub struct Charged {
    /// Its number.
    pub serial: String,
    /// The item.
    pub code: String,
    /// The price of one.
    pub price: Fen,
    /// How many.
    pub count: i64,
    /// The day.
    pub day: String,
}

impl Charged {
    /// What it charges.
    pub const fn amount(&self) -> Fen {
        Fen(self.price.0 * self.count)
    }
}

/// Somebody who is there.
pub struct Encounter<'c, 'a> {
    /// The workplace.
    pub counter: &'c mut Counter<'a>,
    /// What is to happen.
    pub plan: &'c Plan<'c>,
    /// What is chosen.
    pub rng: Rng,
    /// The patient's number.
    pub psn_no: String,
    /// The scheme; empty where nobody insures.
    pub insutype: String,
    /// The number of what was opened last.
    pub mdtrt_id: String,
    /// The batch in which lines are charged.
    pub batch: &'static str,
    /// What is charged.
    pub lines: Vec<Charged>,
    /// What was sold with it.
    pub sold: Vec<Sold>,
    /// What is not as it must be.
    pub differences: Vec<String>,
    /// Whether the preview was no promise, because the line to the platform was cut.
    pub is_unsure: bool,
}

impl<'c, 'a> Encounter<'c, 'a> {
    /// Somebody comes.
    pub fn new(counter: &'c mut Counter<'a>, plan: &'c Plan<'c>) -> Self {
        Self {
            counter,
            plan,
            rng: Rng::with_seed(plan.seed),
            psn_no: String::new(),
            insutype: String::new(),
            mdtrt_id: String::new(),
            batch: "B1",
            lines: Vec::new(),
            sold: Vec::new(),
            differences: Vec::new(),
            is_unsure: false,
        }
    }

    /// The end, and what was not as it must be.
    ///
    /// # Errors
    /// What keeps the day from going on.
    pub fn ended(mut self, end: Result<End, HisError>) -> Result<(End, Vec<String>), HisError> {
        let end = match end {
            // What is refused and should not be is a difference; the next patient is waiting.
            Err(refused @ (HisError::Refused { .. } | HisError::Answer { .. })) => {
                self.differences.push(refused.to_string());
                End::Broken
            }
            other => other?,
        };
        Ok((end, self.differences))
    }

    /// This moment.
    pub fn now(&self) -> Moment {
        self.counter.line.now()
    }

    /// Whether this is what goes wrong.
    pub fn makes(&self, mistake: Mistake) -> bool {
        self.plan.mistake == Some(mistake)
    }

    /// A step's name in the journal.
    pub fn step(&self, name: &str) -> String {
        format!("{}/{name}", self.plan.key)
    }

    /// A step from its message to its final answer.
    pub fn ask(&mut self, name: &str, infno: &str, input: &Value) -> Result<Answer, HisError> {
        self.counter.ask(&self.step(name), infno, input)
    }

    /// A step that must be refused, for a reason that names this.
    pub fn refused(
        &mut self,
        name: &str,
        (infno, input): (&str, &Value),
        names: &str,
    ) -> Result<(), HisError> {
        let answer = self.ask(name, infno, input)?;
        self.expect_refused(&answer, names);
        Ok(())
    }

    /// Writes a message down; gives its body while its answer is not known.
    pub fn write(
        &mut self,
        name: &str,
        infno: &str,
        input: &Value,
    ) -> Result<Option<String>, HisError> {
        let step = self.step(name);
        let body = self.counter.write(&step, infno, input)?;
        Ok(self.counter.is_open(&step).then_some(body))
    }

    /// A step that was written down, to its final answer.
    pub fn complete(&mut self, name: &str) -> Result<Answer, HisError> {
        self.counter.complete(&self.step(name))
    }

    /// Notes these words unless it holds.
    pub fn expect(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.differences.push(format!("{}: {}", self.plan.key, words()));
        }
    }

    /// This must have been refused, for a reason that names this.
    pub fn expect_refused(&mut self, answer: &Answer, names: &str) {
        let holds = !answer.is_done && answer.words.contains(names);
        let (step, words) = (answer.step.clone(), answer.words.clone());
        self.expect(holds, || match answer.is_done {
            true => format!("{step} was taken, and must be refused"),
            false => format!("{step} was refused without naming `{names}`: {words}"),
        });
    }

    /// The person shows a card, and the platform says who it is.
    pub fn identify(&mut self, step: &str) -> Result<(), HisError> {
        let Patient { name, number } = self.plan.patient;
        let input = |name: &str| json!({ "data": { "mdtrt_cert_type": "02", "mdtrt_cert_no": number, "psn_name": name } });
        if self.makes(Mistake::WrongName) {
            let wrong = input(&format!("{name}某"));
            self.refused(&format!("{step}-wrong"), ("1101", &wrong), "mdtrt_cert_no")?;
        }
        let body = self.write(step, "1101", &input(name))?;
        if let Some(body) = body.filter(|_| self.makes(Mistake::WrongSignature)) {
            let line = &self.counter.line;
            let replies =
                [line.send_with_another_secret(&body)?, line.send_late(&body, SLOW_MILLIS)?];
            for reply in replies {
                let answer = Answer::read(&self.step(step), reply.text())?;
                self.expect_refused(&answer, "签名");
            }
        }
        let known = self.complete(step)?.done()?;
        self.psn_no = known.text_at("/baseinfo/psn_no")?;
        let insured = known.rows("insuinfo").iter().find(|row| row["psn_insu_stas"] == "1");
        self.insutype =
            insured.and_then(|row| row["insutype"].as_str()).unwrap_or_default().to_owned();
        Ok(())
    }

    /// What was shown at 1101, as registration and settlement repeat it.
    pub fn shown(&self) -> Value {
        json!({
            "psn_no": self.psn_no, "mdtrt_cert_type": "02",
            "mdtrt_cert_no": self.plan.patient.number, "insutype": self.insutype
        })
    }

    /// The visit and whose it is.
    pub fn named(&self) -> Value {
        json!({ "data": { "psn_no": self.psn_no, "mdtrt_id": self.mdtrt_id } })
    }

    /// Registers somebody who comes and goes, or admits somebody who stays.
    pub fn open(&mut self, name: &str, admitted: &str) -> Result<(), HisError> {
        let (infno, input) = self.opening(admitted);
        if name == "open" && self.makes(Mistake::EndedSignIn) {
            // What is written down for others goes out under this sign-in: they come first.
            let step = self.step(SIGN_OUT);
            if self.counter.somebody_waits && self.counter.journal.step(&step).is_none() {
                return Err(HisError::Busy(step));
            }
            self.counter.sign_out(&step)?;
            self.refused("open-signed-out", (infno, &input), "9001")?;
            self.counter.sign_in(&self.step("sign-in"))?;
        }
        if name == "open" && self.makes(Mistake::OpeningReversed) {
            let body = self.write("open-lost", infno, &input)?;
            self.cut(body, &[Cut::Halfway, Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
            self.reverse("open-lost", infno)?;
        }
        let opened = self.ask(name, infno, &input)?.done()?;
        let place = if self.plan.care == Care::Stay { "result" } else { "data" };
        self.mdtrt_id = opened.text_at(&format!("/{place}/mdtrt_id"))?;
        Ok(())
    }

    fn opening(&self, admitted: &str) -> (&'static str, Value) {
        let mut data = self.shown();
        data["begntime"] = json!(admitted);
        let care = self.plan.care;
        data["med_type"] = json!(care.code());
        if care == Care::Stay {
            data["ipt_no"] = json!(self.plan.key);
            data["adm_bed"] = json!("12");
            return ("2401", json!({ "mdtrtinfo": data, "diseinfo": diagnoses(admitted) }));
        }
        data["ipt_otp_no"] = json!(self.plan.key);
        ("2201", json!({ "data": data }))
    }

    /// Undoes what was opened, and charges something to it afterwards.
    pub fn leave(&mut self, items: &[Item]) -> Result<End, HisError> {
        let mut undo = self.named();
        let infno = if self.plan.care == Care::Stay { "2404" } else { "2202" };
        undo["data"]["ipt_otp_no"] = json!(self.plan.key);
        self.ask("unopen", infno, &undo)?.done()?;
        self.lines = self.chosen(items, (1, 1), &self.now().today());
        let late = self.uploaded(&self.lines);
        self.refused("charge-late", (self.plan.care.charging(), &late), "mdtrt_id")?;
        Ok(End::Left)
    }

    /// Breaks the line at one of these places, if the message's answer is not known yet.
    pub fn cut(&mut self, body: Option<String>, places: &[Cut]) -> Result<(), HisError> {
        let place = places[self.rng.usize(..places.len())];
        body.map_or(Ok(()), |body| self.counter.line.cut(&body, place))
    }

    /// Has a message of unknown outcome not have happened.
    pub fn reverse(&mut self, name: &str, infno: &str) -> Result<(), HisError> {
        let omsgid = self.counter.msgid(&self.step(name));
        let input = json!({ "data": { "psn_no": self.psn_no, "omsgid": omsgid, "oinfno": infno } });
        self.ask(&format!("{name}-reversed"), "2601", &input)?.done().map(drop)
    }

    /// Some items at random, at most so many of each, with numbers that go on from the lines that
    /// are there.
    pub fn chosen(
        &mut self,
        items: &[Item],
        (lines_max, count_max): (usize, i64),
        day: &str,
    ) -> Vec<Charged> {
        let mut items: Vec<&Item> = items.iter().collect();
        self.rng.shuffle(&mut items);
        let count = 1 + self.rng.usize(..lines_max);
        let last = self.lines.last().and_then(|line| line.serial.parse::<usize>().ok());
        let first = last.unwrap_or(0) + 1;
        let line = |(number, item): (usize, &Item)| Charged {
            serial: number.to_string(),
            code: item.code.clone(),
            price: Fen::parse(&item.price).unwrap_or_default(),
            count: 1 + self.rng.i64(0..count_max),
            day: day.to_owned(),
        };
        (first..).zip(items.into_iter().take(count)).map(line).collect()
    }

    /// What all lines charge.
    pub fn total(&self) -> Fen {
        self.lines.iter().map(Charged::amount).sum()
    }

    /// Lines as they are charged.
    pub fn uploaded(&self, lines: &[Charged]) -> Value {
        let line = |line: &Charged| {
            let mut row = json!({
                "feedetl_sn": line.serial, "mdtrt_id": self.mdtrt_id, "psn_no": self.psn_no,
                "fee_ocur_time": line.day, "med_list_codg": line.code, "cnt": line.count,
                "pric": line.price.text(), "det_item_fee_sumamt": line.amount().text()
            });
            if self.plan.care != Care::Stay {
                row["chrg_bchno"] = json!(self.batch);
            }
            row
        };
        json!({ "feedetail": lines.iter().map(line).collect::<Vec<_>>() })
    }

    /// Charges these lines, with what goes wrong with a line before and after.
    pub fn charge_with_mistakes(&mut self, name: &str, lines: &[Charged]) -> Result<(), HisError> {
        let infno = self.plan.care.charging();
        if self.makes(Mistake::WrongLine) {
            let mut input = self.uploaded(lines);
            let wrong = lines.first().map_or(WRONG, |line| line.amount() + WRONG);
            input["feedetail"][0]["det_item_fee_sumamt"] = json!(wrong.text());
            self.refused(&format!("{name}-wrong"), (infno, &input), "feedetail")?;
        }
        self.charge(name, lines)?;
        if self.makes(Mistake::LineChanged) {
            let mut changed: Vec<Charged> = lines.iter().take(1).cloned().collect();
            changed.iter_mut().for_each(|line| line.count += 1);
            let input = self.uploaded(&changed);
            self.refused(&format!("{name}-changed"), (infno, &input), "feedetl_sn")?;
        }
        Ok(())
    }

    /// Charges these lines; what becomes of each must add up.
    pub fn charge(&mut self, name: &str, lines: &[Charged]) -> Result<Answer, HisError> {
        let told = self.ask(name, self.plan.care.charging(), &self.uploaded(lines))?.done()?;
        self.expect_lines(name, lines, told.rows("result"));
        Ok(told)
    }

    /// What became of these lines must add up to what was charged.
    pub fn expect_lines(&mut self, name: &str, lines: &[Charged], rows: &[Value]) {
        let part = |row: &Value, field: &str| row.get(field).and_then(Fen::read);
        let parts = ["fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt"];
        let adds_up = lines.iter().all(|line| {
            let row = rows.iter().find(|row| row["feedetl_sn"] == line.serial.as_str());
            row.is_some_and(|row| {
                let sum: Option<Fen> = parts.iter().map(|field| part(row, field)).sum();
                sum == Some(line.amount())
                    && part(row, "det_item_fee_sumamt") == Some(line.amount())
            })
        });
        self.expect(adds_up && rows.len() == lines.len(), || {
            format!("{name}: the lines do not add up to what was charged")
        });
    }

    /// What a preview and a settlement ask.
    pub fn claim(&self) -> Value {
        let mut data = self.shown();
        for (field, value) in [
            ("mdtrt_id", self.mdtrt_id.as_str()),
            ("medfee_sumamt", &self.total().text()),
            ("psn_setlway", "01"),
            ("acct_used_flag", "0"),
        ] {
            data[field] = json!(value);
        }
        if self.plan.care != Care::Stay {
            data["med_type"] = json!(self.plan.care.code());
            data["chrg_bchno"] = json!(self.batch);
        }
        json!({ "data": data })
    }

    /// What the settlement would come to.
    pub fn preview(&mut self) -> Result<Figures, HisError> {
        let preview = self.ask("preview", self.plan.care.preview(), &self.claim())?.done()?;
        self.check(&preview)?;
        self.is_unsure = preview.is_to_be_settled();
        Figures::read(&preview)
    }

    /// An answer to a settlement or its preview must add up.
    pub fn check(&mut self, answer: &Answer) -> Result<(), HisError> {
        for words in contradictions(answer, self.total())? {
            let step = answer.step.clone();
            self.expect(false, || format!("{step}: {words}"));
        }
        let (clearing, code) = (answer.text_at("/setlinfo/clr_type")?, self.plan.care.code());
        self.expect(clearing == code, || format!("it is cleared as {clearing}, not as {code}"));
        Ok(())
    }

    /// Books a settlement, once; it must be what the preview said.
    pub fn book(&mut self, settled: &Answer, seen: Figures) -> Result<(), HisError> {
        self.check(settled)?;
        let figures = Figures::read(settled)?;
        let is_unsure = self.is_unsure || settled.is_to_be_settled();
        self.expect(is_unsure || seen == figures, || {
            format!("the preview said {seen:?}, settled is {figures:?}")
        });
        let key = self.plan.key.clone();
        if self.counter.journal.bookings().contains_key(&key) {
            return Ok(());
        }
        let booking = self.booking(settled)?;
        if settled.is_to_be_settled() {
            self.counter.to_be_settled.push((key, booking));
            return Ok(());
        }
        self.counter.book(&key, booking)
    }

    /// Asks until it is settled what was taken while the line was cut.
    pub fn ask_outcome(&mut self, settled: Answer) -> Result<Answer, HisError> {
        if !settled.is_to_be_settled() {
            return Ok(settled);
        }
        let booking = self.booking(&settled)?;
        self.counter.ask_outcome(&settled.step, &booking)?.done()
    }

    /// Books a settlement that was undone on this day, beside what is settled anew.
    pub fn book_undone(&mut self, settled: &Answer, day: &str) -> Result<(), HisError> {
        let settled = &self.ask_outcome(settled.clone())?;
        let booking = Booking { undone: Some(day.to_owned()), ..self.booking(settled)? };
        self.counter.book(&format!("{}-undone", self.plan.key), booking)
    }

    /// As it is booked.
    pub fn booking(&self, settled: &Answer) -> Result<Booking, HisError> {
        Ok(Booking {
            day: settled.day()?,
            care: self.plan.care,
            step: settled.step.clone(),
            insutype: self.insutype.clone(),
            psn_no: self.psn_no.clone(),
            // What was opened while the line was cut has another number by now.
            mdtrt_id: settled.text_at("/setlinfo/mdtrt_id")?,
            setl_id: settled.text_at("/setlinfo/setl_id")?,
            msgid: self.counter.msgid(&settled.step),
            figures: Figures::read(settled)?,
            undone: None,
            order: None,
            sold: self.sold.clone(),
        })
    }
}

/// What somebody who stays is treated for.
pub fn diagnoses(day: &str) -> Value {
    json!([{
        "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": 1, "diag_code": "Z00.000",
        "diag_name": "一般性医学检查", "diag_dept": "A03", "diag_time": day
    }])
}
