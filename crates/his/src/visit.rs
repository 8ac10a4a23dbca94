//! One outpatient, from the counter where somebody shows a card to the settled bill, with the
//! mistake that is made on the way.

use serde_json::{Value, json};

use crate::HisError;
use crate::counter::Counter;
use crate::encounter::{Encounter, End, Plan};
use crate::message::Answer;
use crate::mistake::Mistake;
use crate::settlement::Ended;

/// The most different items of a bill, and the most of one of them.
const LINES_MAX: usize = 5;
const COUNT_MAX: i64 = 3;

/// Plays a visit; gives its end, and what was not as it must be.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(counter: &mut Counter<'_>, plan: &Plan<'_>) -> Result<(End, Vec<String>), HisError> {
    let mut visit = Encounter::new(counter, plan);
    let end = played(&mut visit);
    visit.ended(end)
}

fn played(visit: &mut Encounter<'_, '_>) -> Result<End, HisError> {
    visit.identify("identify")?;
    if visit.insutype.is_empty() {
        return Ok(End::NotInsured);
    }
    let items = &visit.counter.setup.items;
    visit.open("open", &visit.now().today())?;
    if visit.makes(Mistake::OpeningUndone) {
        return visit.leave(items);
    }
    describe(visit)?;
    visit.lines = visit.chosen(items, (LINES_MAX, COUNT_MAX), &visit.now().today());
    charge(visit)?;
    let seen = visit.preview()?;
    let settled = match visit.settle(&visit.claim())? {
        Ended::Settled(answer) => answer,
        Ended::Closed => anew(visit)?,
    };
    // What was registered anew stands on what its first try left behind: nothing.
    visit.book(&settled, seen)?;
    Ok(End::Settled)
}

fn anew(visit: &mut Encounter<'_, '_>) -> Result<Answer, HisError> {
    visit.open("open-again", &visit.now().today())?;
    visit.charge("charge-anew", &visit.lines.clone())?;
    visit.settle_as("settle-anew", &visit.claim())
}

fn describe(visit: &mut Encounter<'_, '_>) -> Result<(), HisError> {
    let (day, id) = (visit.now().today(), &visit.mdtrt_id);
    let input = json!({
        "mdtrtinfo": {
            "mdtrt_id": id, "psn_no": visit.psn_no, "med_type": "11", "begntime": day
        },
        "diseinfo": [{
            "diag_type": "1", "diag_srt_no": 1, "diag_code": "Z00.000",
            "diag_name": "一般性医学检查", "diag_dept": "A03", "diag_time": day, "vali_flag": "1"
        }]
    });
    visit.ask("describe", "2203", &input)?.done().map(drop)
}

fn charge(visit: &mut Encounter<'_, '_>) -> Result<(), HisError> {
    if visit.makes(Mistake::NumberUsedAgain) {
        send_under_a_used_number(visit, &visit.uploaded(&visit.lines))?;
    }
    visit.charge_with_mistakes("charge", &visit.lines.clone())?;
    if visit.makes(Mistake::LinesUndone) {
        let mut undo = visit.named();
        undo["data"]["chrg_bchno"] = json!(visit.batch);
        visit.ask("uncharge", "2205", &undo)?.done()?;
        visit.refused("preview-empty", ("2206", &visit.claim()), "2204")?;
        (visit.batch, visit.lines) = ("B2", Vec::new());
        let items = &visit.counter.setup.items;
        visit.lines = visit.chosen(items, (LINES_MAX, COUNT_MAX), &visit.now().today());
        visit.charge("charge-again", &visit.lines.clone())?;
    }
    Ok(())
}

/// A message under the number of the registration, as after a clock that was set back.
fn send_under_a_used_number(visit: &mut Encounter<'_, '_>, input: &Value) -> Result<(), HisError> {
    let step = visit.step("charge");
    if visit.counter.journal.step(&step).is_some() {
        return Ok(());
    }
    let used = visit.counter.journal.step(&visit.step("open")).cloned();
    let used = used.map(|known| known.message).ok_or_else(|| HisError::Busy(step.clone()))?;
    let mut body: Value = serde_json::from_str(&used.body).unwrap_or_default();
    body["infno"] = json!("2204");
    body["input"] = input.clone();
    let reply = visit.counter.line.send(&body.to_string())?;
    let refused = Answer::read(&step, reply.text())?;
    visit.expect_refused(&refused, "msgid");
    Ok(())
}
