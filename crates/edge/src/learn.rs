//! What an answer of the platform teaches: who is known, what is open, charged and settled.

use adapters::edge::Change;
use gateway::nhsa::CLOCK_MINUTES;
use gateway::nhsa::refusal::Refusal;
use primitives::{Timestamp, UtcOffset};
use serde_json::{Value, json};

use crate::answer::{Asked, failed};
use crate::house::{
    COMPARED, Compared, House, PERSON, REVERSED, SESSION, SETTLED, SHOWN, VISIT, json_bytes,
};
use crate::known::{Line, Person, Visit, VisitStanding};
use crate::play::mend;
use crate::{prove, sign};

/// A text of an answer by its place.
pub(crate) fn text_at<'a>(output: &'a Value, place: &str) -> &'a str {
    output.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// Where an answer has the number of what was opened.
pub(crate) fn opened_at(infno: &str) -> &'static str {
    if infno == "2401" { "/result/mdtrt_id" } else { "/data/mdtrt_id" }
}

/// The day of an instant by the interface's clock.
pub(crate) fn day_of(now: Timestamp) -> String {
    now.day(UtcOffset(CLOCK_MINUTES)).to_string()
}

/// Keeps what follows from a message that the platform carried out.
///
/// # Errors
/// When the book fails, or a line cannot be read.
pub fn learn(asked: &Asked<'_>, output: &Value, change: &mut Change) -> Result<(), Refusal> {
    let (record, msgid) = (asked.record(), asked.envelope.msgid());
    match asked.infno() {
        "1101" => {
            identified(asked, output, change);
            let person = text_at(output, "/baseinfo/psn_no");
            mend(asked.house, ("1101", "", person), change).map_err(failed)?;
        }
        "9001" => {
            change.put(SESSION, text_at(output, "/signinoutb/sign_no"), b"open".to_vec());
        }
        "9002" => change.put(SESSION, record.text("sign_no"), b"ended".to_vec()),
        "2201" | "2401" => {
            let number = text_at(output, opened_at(asked.infno()));
            put_visit(change, &opened(asked, number));
            sign::opened(asked.house, (msgid, number), change).map_err(failed)?;
        }
        "2207" | "2304" => settled(asked, output, change)?,
        "2601" => {
            change.put(REVERSED, record.text("omsgid"), asked.infno().into());
            prove::forget(asked.house, record.text("omsgid"), change).map_err(failed)?;
        }
        "3201" | "3202" => compared(asked, output, change),
        _ => {
            let number = record.text("mdtrt_id");
            if matches!(asked.infno(), "2208" | "2305") {
                prove::note(asked.house, (msgid, output), true, change).map_err(failed)?;
            }
            if let Some(mut visit) = asked.house.visit(number).map_err(failed)? {
                follow(asked, &mut visit)?;
                put_visit(change, &visit);
                let over = (asked.infno(), visit.number.as_str(), "");
                mend(asked.house, over, change).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Keeps a visit.
pub(crate) fn put_visit(change: &mut Change, visit: &Visit) {
    change.put(VISIT, &visit.number, json_bytes(visit));
}

/// The visit that a message opens.
pub(crate) fn opened(asked: &Asked<'_>, number: &str) -> Visit {
    let record = asked.record();
    Visit {
        number: number.to_owned(),
        psn_no: record.text("psn_no").to_owned(),
        insutype: record.text("insutype").to_owned(),
        med_type: record.text("med_type").to_owned(),
        is_stay: asked.infno() == "2401",
        is_discharged: false,
        lines: Vec::new(),
        standing: VisitStanding::Open,
    }
}

/// What a message that was carried out, or taken, changes in its visit.
///
/// # Errors
/// When a line cannot be read.
pub(crate) fn follow(asked: &Asked<'_>, visit: &mut Visit) -> Result<(), Refusal> {
    match asked.infno() {
        "2202" | "2404" => visit.standing = VisitStanding::Undone,
        "2203" => asked.record().text("med_type").clone_into(&mut visit.med_type),
        "2204" | "2301" => {
            for record in &asked.records {
                let line = Line::read(record)?;
                if !visit.lines.iter().any(|known| known.serial == line.serial) {
                    visit.lines.push(line);
                }
            }
        }
        "2205" | "2302" => asked.records.iter().for_each(|record| visit.take_back(record)),
        "2208" | "2305" => visit.standing = VisitStanding::Returned,
        "2402" => visit.is_discharged = true,
        "2405" => visit.is_discharged = false,
        _ => {}
    }
    Ok(())
}

fn identified(asked: &Asked<'_>, output: &Value, change: &mut Change) {
    let record = asked.record();
    // The code of a wallet counts once: whoever shows it is known by it that day only.
    if record.text("mdtrt_cert_type") != "02" {
        return;
    }
    let number = record.text("mdtrt_cert_no");
    let person = Person {
        psn_no: text_at(output, "/baseinfo/psn_no").to_owned(),
        name: record.text("psn_name").to_owned(),
        number: number.to_owned(),
        output: output.clone(),
        day: day_of(asked.now),
    };
    put_person(asked.house, change, &person);
}

/// Keeps a person, by both numbers.
pub(crate) fn put_person(house: &House, change: &mut Change, person: &Person) {
    change.put(SHOWN, &house.shown(&person.number), json_bytes(&person.psn_no));
    change.put(PERSON, &person.psn_no, json_bytes(person));
}

fn settled(asked: &Asked<'_>, output: &Value, change: &mut Change) -> Result<(), Refusal> {
    let number = text_at(output, "/setlinfo/setl_id");
    change.put(SETTLED, number, json_bytes(output));
    let by = (asked.envelope.msgid(), output);
    prove::note(asked.house, by, false, change).map_err(failed)?;
    if let Some(mut visit) = asked.house.visit(asked.record().text("mdtrt_id")).map_err(failed)? {
        visit.standing = VisitStanding::Settled(number.to_owned());
        put_visit(change, &visit);
        mend(asked.house, (asked.infno(), &visit.number, ""), change).map_err(failed)?;
    }
    Ok(())
}

fn compared(asked: &Asked<'_>, output: &Value, change: &mut Change) {
    let part = if asked.infno() == "3201" { "stmtinfo" } else { "fileinfo" };
    let result = text_at(output, &format!("/{part}/stmt_rslt"));
    let kept = Compared {
        at: asked.now,
        infno: asked.infno().to_owned(),
        words: text_at(output, &format!("/{part}/stmt_rslt_dscr")).to_owned(),
        is_same: result == "0",
    };
    change.put(COMPARED, "last", json_bytes(&kept));
}

/// What is said of somebody, with as of when it is.
pub(crate) fn as_of(person: &Person) -> Value {
    let mut output = person.output.clone();
    let words = format!("线路中断：参保信息截至 {}，线路恢复后自动核验", person.day);
    if let Some(info) = output.get_mut("baseinfo").and_then(Value::as_object_mut) {
        info.insert("exp_content".to_owned(), json!(words));
    }
    output
}
