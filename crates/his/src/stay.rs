//! One stay: admission with some nights behind it, a list of lines for each day, discharge, and the
//! settled bill, with the mistake that is made on the way.
//!
//! It is played in two parts: who is in a bed in the morning is discharged once the outpatients are
//! gone. The second part does the first again, and finds it in the journal.

use serde_json::{Value, json};

use crate::HisError;
use crate::book::Figures;
use crate::counter::Counter;
use crate::encounter::{Charged, Encounter, End, Plan, diagnoses};
use crate::message::Answer;
use crate::mistake::Mistake;
use crate::settlement::Ended;
use crate::wire::Cut;

/// The most nights, the most different items of a day, and the most of one of them.
const NIGHTS_MAX: u32 = 4;
const LINES_MAX: usize = 6;
const COUNT_MAX: i64 = 3;

/// The step with which somebody leaves: the card is shown again.
const LEAVING: &str = "identify-again";

/// Until when a stay is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The patient lies in a bed, and the lines of all days but today's are charged.
    InBed,
    /// The stay is settled.
    Settled,
}

/// Plays a stay; gives its end, and what was not as it must be.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(
    counter: &mut Counter<'_>,
    plan: &Plan<'_>,
    until: Until,
) -> Result<(End, Vec<String>), HisError> {
    let mut stay = Encounter::new(counter, plan);
    let end = played(&mut stay, until);
    stay.ended(end)
}

/// Whether somebody who stayed was about to leave when the day was interrupted.
pub fn is_leaving(counter: &Counter<'_>, plan: &Plan<'_>) -> bool {
    counter.journal.step(&format!("{}/{LEAVING}", plan.key)).is_some()
}

fn played(stay: &mut Encounter<'_, '_>, until: Until) -> Result<End, HisError> {
    stay.identify("identify")?;
    if stay.insutype.is_empty() {
        return Ok(End::NotInsured);
    }
    let nights = 1 + stay.rng.u32(..NIGHTS_MAX);
    let admitted = stay.now().days_ago(nights);
    stay.open("open", &admitted)?;
    if stay.makes(Mistake::OpeningUndone) {
        return stay.leave(stay.counter.setup.ward_items());
    }
    for night in (1..=nights).rev() {
        charge_day(stay, &stay.now().days_ago(night), night == nights)?;
    }
    if until == Until::InBed {
        return Ok(End::Open);
    }
    // The card is shown again at the counter where the patient leaves.
    stay.identify(LEAVING)?;
    if stay.rng.bool() {
        change_bed(stay, &admitted)?;
    }
    charge_day(stay, &stay.now().today(), false)?;
    if stay.makes(Mistake::LineTakenBack) {
        take_a_line_back(stay)?;
    }
    let seen = discharge(stay)?;
    let mut settled = match stay.settle(&stay.claim())? {
        Ended::Settled(answer) => answer,
        Ended::Closed => anew(stay, &admitted)?,
    };
    if stay.makes(Mistake::SettlementUndone) {
        undo(stay, &settled)?;
        settled = anew(stay, &admitted)?;
    }
    stay.book(&settled, seen)?;
    Ok(End::Settled)
}

fn change_bed(stay: &mut Encounter<'_, '_>, admitted: &str) -> Result<(), HisError> {
    let input = json!({
        "adminfo": {
            "mdtrt_id": stay.mdtrt_id, "psn_no": stay.psn_no, "begntime": admitted,
            "med_type": stay.plan.care.code(), "adm_bed": "7"
        },
        "diseinfo": diagnoses(admitted)
    });
    stay.ask("change-bed", "2403", &input)?.done().map(drop)
}

/// Charges the list of a day.
fn charge_day(stay: &mut Encounter<'_, '_>, day: &str, is_first: bool) -> Result<(), HisError> {
    let items = stay.counter.setup.ward_items();
    let lines = stay.chosen(items, (LINES_MAX, COUNT_MAX), day);
    stay.lines.extend(lines.iter().cloned());
    let name = format!("charge-{}", lines.first().map_or("", |line| line.serial.as_str()));
    if !is_first {
        return stay.charge(&name, &lines).map(drop);
    }
    if stay.makes(Mistake::ListLost) {
        let body = stay.write(&name, "2301", &stay.uploaded(&lines))?;
        stay.cut(body, &[Cut::Halfway, Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
    }
    stay.charge_with_mistakes(&name, &lines)?;
    if stay.makes(Mistake::ListSentTwice) {
        let once = stay.complete(&name)?;
        let twice = stay.charge(&format!("{name}-twice"), &lines)?;
        stay.expect(once.output == twice.output, || "a list sent twice is told apart".to_owned());
    }
    Ok(())
}

/// Takes the first line back; the total that counts it is refused.
fn take_a_line_back(stay: &mut Encounter<'_, '_>) -> Result<(), HisError> {
    let wrong = stay.claim();
    let Charged { serial, .. } = stay.lines.remove(0);
    let (id, whose) = (&stay.mdtrt_id, &stay.psn_no);
    let back = json!({ "data": [{ "feedetl_sn": serial, "mdtrt_id": id, "psn_no": whose }] });
    stay.ask("uncharge", "2302", &back)?.done()?;
    stay.refused("uncharge-again", ("2302", &back), "feedetl_sn")?;
    stay.refused("preview-wrong", ("2303", &wrong), "medfee_sumamt")
}

/// The stay ends; what its settlement would come to.
fn discharge(stay: &mut Encounter<'_, '_>) -> Result<Figures, HisError> {
    if stay.makes(Mistake::NotDischarged) {
        stay.refused("settle-early", ("2304", &stay.claim()), "2402")?;
    }
    if stay.makes(Mistake::DischargedTooEarly) {
        let early = discharging(stay, &stay.now().days_ago(1));
        stay.refused("discharge-early", ("2402", &early), "2302")?;
    }
    discharge_as(stay, "discharge")?;
    if stay.makes(Mistake::ChargedTooLate) {
        let items = stay.counter.setup.ward_items();
        let late = stay.chosen(items, (1, 1), &stay.now().today());
        stay.refused("charge-late", ("2301", &stay.uploaded(&late)), "2405")?;
        stay.ask("undischarge", "2405", &stay.named())?.done()?;
        stay.refused("undischarge-again", ("2405", &stay.named()), "mdtrt_id")?;
        stay.charge("charge-late-again", &late)?;
        stay.lines.extend(late);
        discharge_as(stay, "discharge-again")?;
    }
    stay.preview()
}

fn discharging(stay: &Encounter<'_, '_>, day: &str) -> Value {
    json!({
        "dscginfo": {
            "mdtrt_id": stay.mdtrt_id, "psn_no": stay.psn_no, "insutype": stay.insutype,
            "endtime": day, "dscg_way": "1"
        },
        "diseinfo": diagnoses(day)
    })
}

fn discharge_as(stay: &mut Encounter<'_, '_>, name: &str) -> Result<(), HisError> {
    stay.ask(name, "2402", &discharging(stay, &stay.now().today()))?.done().map(drop)
}

/// Undoes a settlement that was of the wrong bed, once.
fn undo(stay: &mut Encounter<'_, '_>, settled: &Answer) -> Result<(), HisError> {
    let mut undo = stay.named();
    undo["data"]["setl_id"] = json!(settled.text_at("/setlinfo/setl_id")?);
    let undone = stay.ask("undo", "2305", &undo)?.done()?;
    let day = undone.day()?;
    stay.refused("undo-again", ("2305", &undo), "setl_id")?;
    stay.book_undone(settled, &day)
}

/// Admits, charges, discharges and settles once more.
fn anew(stay: &mut Encounter<'_, '_>, admitted: &str) -> Result<Answer, HisError> {
    stay.open("open-again", admitted)?;
    stay.charge("charge-anew", &stay.lines.clone())?;
    discharge_as(stay, "discharge-anew")?;
    stay.settle_as("settle-anew", &stay.claim())
}
