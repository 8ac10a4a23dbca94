//! What was taken without the line goes to the platform: in order, once, by bytes that are always
//! the same. Whoever's step is refused, or must wait, holds nobody else back.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::clock::{Clock as _, SystemClock};
use adapters::directory::DirectoryError;
use adapters::edge::{Change, Standing, Taken};
use gateway::nhsa::{clock_time, local};
use primitives::Timestamp;
use serde_json::{Value, json};

use crate::answer::Said;
use crate::house::{Content, House, NUMBERED_AT, PERSON, SETTLED, WORDS, json_bytes};
use crate::known::{Person, VisitStanding};
use crate::learn::{day_of, opened_at, put_person, put_visit, text_at};
use crate::line::Cut;
use crate::numbers::{NUMBER, Rewritten, rewritten};
use crate::offline::name_visit;
use crate::{prove, sign};

/// How many are read at once.
const PAGE: u32 = 200;
/// Between two rounds, where the platform asks for a message once more.
const PAUSE: Duration = Duration::from_millis(300);

/// Why a round is over before its end.
enum Broken {
    Line,
    Book(DirectoryError),
}

impl From<Cut> for Broken {
    fn from(_: Cut) -> Self {
        Self::Line
    }
}

impl From<DirectoryError> for Broken {
    fn from(error: DirectoryError) -> Self {
        Self::Book(error)
    }
}

/// Sends what waits, for as long as the program runs.
pub fn run(house: &House) {
    loop {
        let is_up = house.platform.standing().is_up;
        // Where the book fails, the next round tries again; nothing was lost.
        let is_waiting = is_up && round(house).unwrap_or(true);
        house.platform.wait(if is_waiting { PAUSE } else { Duration::from_secs(1) });
    }
}

/// One round over all that waits; whether something still does.
///
/// # Errors
/// When the book fails.
pub fn round(house: &House) -> Result<bool, DirectoryError> {
    let mut held = BTreeSet::new();
    let mut last = 0;
    loop {
        let next = house.book.standing(Standing::Waiting, (last, PAGE))?;
        let Some(end) = next.last().map(|one| one.seq) else { return Ok(!held.is_empty()) };
        for one in next {
            // The end of a sign-in is nobody's: it comes after all that was taken before it.
            let is_held =
                if one.person.is_empty() { !held.is_empty() } else { held.contains(&one.person) };
            if is_held {
                continue;
            }
            match played(house, &one) {
                Ok(true) => {}
                Ok(false) => {
                    held.insert(one.person.clone());
                }
                Err(Broken::Line) => return Ok(true),
                Err(Broken::Book(error)) => return Err(error),
            }
        }
        last = end;
    }
}

/// Sends one message; whether it is over with it.
fn played(house: &House, taken: &Taken) -> Result<bool, Broken> {
    let Ok(content) = serde_json::from_slice::<Content>(&taken.content) else {
        return Ok(conflict(house, taken, None, "前置机的记录不可读；请联系运维")?);
    };
    let text = match rewritten(house, &content.body)? {
        Rewritten::Text(text) => text,
        Rewritten::Missing(_) => {
            let words = "其前一步（挂号、入院或结算）未被平台受理；请先改正前一步";
            return Ok(conflict(house, taken, Some(&content), words)?);
        }
    };
    if is_of_person(&content.infno) && !identified_today(house, &taken.person, &content)? {
        return Ok(false);
    }
    let reply = house.send(&text)?;
    match Said::read(&reply) {
        Said::Done(output) => Ok(done(house, taken, &content, &output)?),
        Said::Refused(words) => Ok(conflict(house, taken, Some(&content), &words)?),
        Said::Later | Said::Other => Ok(false),
    }
}

/// Which transactions the platform takes only on a day on which it identified the person.
fn is_of_person(infno: &str) -> bool {
    matches!(infno, "2201" | "2401" | "2206" | "2207" | "2303" | "2304")
}

/// The platform knows today who the person is; else it is told once more by the card that was
/// shown.
fn identified_today(house: &House, psn_no: &str, content: &Content) -> Result<bool, Broken> {
    let now = SystemClock.now();
    let person: Option<Person> = house.read(PERSON, psn_no)?;
    let Some(person) = person.filter(|person| person.day != day_of(now)) else { return Ok(true) };
    let mut body: Value = serde_json::from_str(&content.body).unwrap_or_default();
    body["infno"] = json!("1101");
    body["msgid"] = json!(own_msgid(house, now));
    body["inf_time"] = json!(clock_time(now));
    body["sign_no"] = json!("");
    body["input"] = json!({ "data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": person.number, "psn_name": person.name
    } });
    let reply = house.send(&body.to_string())?;
    match Said::read(&reply) {
        Said::Done(output) => {
            let _desk = house.desk();
            let mut change = Change::default();
            let person = Person { output, day: day_of(now), ..person };
            put_person(house, &mut change, &person);
            house.book.apply(&change)?;
            Ok(true)
        }
        // The step itself says what is wrong with the person.
        Said::Refused(_) => Ok(true),
        Said::Later | Said::Other => Ok(false),
    }
}

/// A number for a message of the edge's own: of this second, from the end of its thousand numbers.
fn own_msgid(house: &House, now: Timestamp) -> String {
    let time = local(now).to_string();
    let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    let serial = 9_999 - now.millis() % 1_000;
    format!("{}{digits}{serial:04}", house.setup.fixmedins_code)
}

/// What follows from a message that the platform carried out.
fn done(
    house: &House,
    taken: &Taken,
    content: &Content,
    output: &Value,
) -> Result<bool, DirectoryError> {
    let _desk = house.desk();
    let mut change = Change { moved: vec![(taken.seq, Standing::Done)], ..Change::default() };
    match content.infno.as_str() {
        "1101" => {
            if let Some(person) = house.read::<Person>(PERSON, &taken.person)? {
                let day = day_of(SystemClock.now());
                let person = Person { output: output.clone(), day, ..person };
                put_person(house, &mut change, &person);
            }
        }
        "2201" | "2401" => {
            let number = text_at(output, opened_at(&content.infno));
            name_visit(&mut change, &content.number, number);
            sign::opened(house, (&taken.msgid, number), &mut change)?;
        }
        "2207" | "2304" => {
            let number = text_at(output, "/setlinfo/setl_id");
            change.put(NUMBER, &content.number, number.as_bytes().to_vec());
            change.put(SETTLED, &content.number, json_bytes(output));
            change.put(SETTLED, number, json_bytes(output));
            prove::note(house, (&taken.msgid, output), false, &mut change)?;
            if let Some(mut visit) = house.visit(&content.visit)? {
                visit.standing = VisitStanding::Settled(number.to_owned());
                put_visit(&mut change, &visit);
            }
        }
        _ => {}
    }
    mend(house, (&content.infno, &content.visit, &taken.person), &mut change)?;
    change.put(NUMBERED_AT, "last", json_bytes(&SystemClock.now()));
    house.book.apply(&change)?;
    Ok(true)
}

/// Conflicts of a visit are over once it is settled or undone after all, and that of a person once
/// the platform knows the person.
pub(crate) fn mend(
    house: &House,
    (infno, visit, person): (&str, &str, &str),
    change: &mut Change,
) -> Result<(), DirectoryError> {
    if !matches!(infno, "1101" | "2202" | "2207" | "2304" | "2404") {
        return Ok(());
    }
    for one in house.book.standing(Standing::Conflict, (0, PAGE))? {
        let other = serde_json::from_slice::<Content>(&one.content);
        let is_over = other.is_ok_and(|other| match infno {
            "1101" => other.infno == "1101" && one.person == person,
            _ => !other.visit.is_empty() && other.visit == visit,
        });
        if is_over {
            change.moved.push((one.seq, Standing::Mended));
        }
    }
    Ok(())
}

/// The platform does not carry it out: it is kept with the platform's words, and what it was about
/// is as it was before, so that the hospital can do it anew.
fn conflict(
    house: &House,
    taken: &Taken,
    content: Option<&Content>,
    words: &str,
) -> Result<bool, DirectoryError> {
    let _desk = house.desk();
    // Whoever signed out is gone, whatever the platform says to it.
    let is_over = content.is_some_and(|content| content.infno == "9002");
    let standing = if is_over { Standing::Mended } else { Standing::Conflict };
    let mut change = Change { moved: vec![(taken.seq, standing)], ..Change::default() };
    change.put(WORDS, &taken.seq.to_string(), json_bytes(&words));
    let Some(content) = content else {
        house.book.apply(&change)?;
        return Ok(true);
    };
    if let Some(mut visit) = house.visit(&content.visit)? {
        match content.infno.as_str() {
            "2207" | "2304" => visit.standing = VisitStanding::Open,
            "2201" | "2401" => visit.standing = VisitStanding::Undone,
            _ => {}
        }
        put_visit(&mut change, &visit);
    }
    house.book.apply(&change)?;
    Ok(true)
}
