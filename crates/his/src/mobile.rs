//! One outpatient who pays by phone: charges uploaded as an order, the person asked, the order
//! asked for until it is paid, with the mistake that is made on the way.
//!
//! What waits on the phone is the person's to answer ([`crate::phone`]); the hospital asks where
//! the order stands and knows nothing else of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Figures, Order};
use crate::care::Care;
use crate::counter::Counter;
use crate::encounter::{Encounter, End, Plan};
use crate::message::Answer;
use crate::mistake::Mistake;
use crate::money::Fen;
use crate::phone::Says;
use crate::wire::Cut;

/// The most different items of an order, and the most of one of them.
const LINES_MAX: usize = 4;
const COUNT_MAX: i64 = 2;
/// How often an order is asked for before a clerk looks into it, and for how long nobody asks.
const QUERIES_MAX: u32 = 12;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// How often a silent phone is asked for.
const SILENT_QUERIES: u32 = 3;
/// Anywhere on its way.
const ANYWHERE: [Cut; 3] = [Cut::Halfway, Cut::BeforeTheAnswer, Cut::WithinTheAnswer];

/// Where an order stands.
mod state {
    pub const SAVED: &str = "0";
    pub const WAITS: &str = "2";
    pub const COLLECTING: &str = "4";
    pub const DONE: &str = "6";
    pub const GIVEN_BACK: &str = "7";
    pub const REVOKED: &str = "12";
    /// Insurance paid, and the card gave nothing: it is settled, and the cash is owed.
    pub const CASH_OWED: &str = "14";
    pub const FAILED: &str = "15";
}

/// Plays somebody who pays by phone; gives the end, and what was not as it must be.
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
    visit.lines = visit.chosen(items, (LINES_MAX, COUNT_MAX), &visit.now().today());
    let uses_account = visit.rng.bool();
    let first = upload(visit, ("upload", 1), uses_account)?;
    let seen = place(visit, &first)?;
    let mut paid = first;
    match visit.plan.mistake {
        Some(Mistake::NeverConfirmed) => {
            for number in 1..=SILENT_QUERIES {
                stands(visit, &paid, &format!("silent-{number}"), &[state::WAITS])?;
            }
            revoke(visit, &paid)?;
            return at_the_counter(visit, true);
        }
        Some(Mistake::PaidAtTheCounter) => {
            let end = at_the_counter(visit, false)?;
            stands(visit, &paid, "query-at-counter", &[state::FAILED])?;
            nothing_waits(visit, "refund-at-counter", seen)?;
            visit.refused(
                "refund-at-counter",
                ("6203", &refund(visit, &paid, seen)),
                "payOrdId",
            )?;
            return Ok(end);
        }
        Some(Mistake::RevokedBeforePaying) => {
            revoke(visit, &paid)?;
            nothing_waits(visit, "order-revoked", seen)?;
            visit.refused("order-revoked", ("6202", &about(visit, &paid)), "6201")?;
            paid = anew(visit, uses_account)?;
        }
        Some(Mistake::RefusedOnThePhone) => {
            tap(visit, "query-refused", (seen, Says::No))?;
            stands(visit, &paid, "query-refused", &[state::FAILED])?;
            revoke(visit, &paid)?;
            paid = anew(visit, uses_account)?;
        }
        _ => {}
    }
    tap(visit, "query-1", (seen, Says::Yes))?;
    let settled = awaited(visit, &paid)?;
    book(visit, (&settled, &paid), seen)?;
    afterwards(visit, &paid, seen)?;
    Ok(End::Settled)
}

/// What goes wrong once it is paid.
fn afterwards(visit: &mut Encounter<'_, '_>, paid: &Order, seen: Figures) -> Result<(), HisError> {
    match visit.plan.mistake {
        Some(Mistake::OrderedTwice) => {
            nothing_waits(visit, "query-after", seen)?;
            stands(visit, paid, "query-after", &[state::DONE, state::CASH_OWED]).map(drop)
        }
        Some(Mistake::RevokedAfterPaying) => {
            visit.refused("revoke-paid", ("6401", &about(visit, paid)), "6203")
        }
        Some(Mistake::RefundOfOtherSums) => {
            for (name, field, fen) in [
                ("refund-total", "totlRefdAmt", seen.medfee + 1),
                ("refund-cash", "cashRefdAmt", seen.cash + 1),
                ("refund-fund", "fundRefdAmt", seen.fund + 1),
            ] {
                let mut wrong = refund(visit, paid, seen);
                wrong["data"][field] = json!(fen.to_string());
                visit.refused(name, ("6203", &wrong), field)?;
            }
            stands(visit, paid, "query-after", &[state::DONE, state::CASH_OWED]).map(drop)
        }
        Some(Mistake::RefundedTwice | Mistake::RefundLost) => {
            let key = visit.plan.key.clone();
            let kept = visit.counter.journal.bookings().get(&key).cloned();
            let Some(booking) = kept else { return Ok(()) };
            let step = visit.step("refund");
            if visit.makes(Mistake::RefundLost) {
                let body = visit.write("refund", "6203", &refund(visit, paid, seen))?;
                visit.cut(body, &ANYWHERE)?;
            }
            let differences = give_back(visit.counter, (&key, &step), booking)?;
            visit.differences.extend(differences);
            stands(visit, paid, "query-after", &[state::GIVEN_BACK]).map(drop)
        }
        _ => Ok(()),
    }
}

/// The charges as an order of this number.
fn uploading(visit: &Encounter<'_, '_>, number: u32, uses_account: bool) -> Value {
    let lines: Vec<Value> = visit
        .lines
        .iter()
        .map(|line| {
            json!({
                "feedetlSn": line.serial, "feeOcurTime": line.day, "medListCodg": line.code,
                "cnt": line.count.to_string(), "pric": line.price.text(),
                "detItemFeeSumamt": line.amount().text()
            })
        })
        .collect();
    json!({
        "data": {
            "orgCodg": visit.counter.setup.fixmedins_code,
            "medOrgOrd": format!("{}-{number}", visit.plan.key), "psnNo": visit.psn_no,
            "idNo": visit.plan.patient.number, "insutype": visit.insutype,
            "insuCode": visit.counter.setup.area, "iptOtpNo": visit.plan.key,
            "medType": visit.plan.care.code(), "psnSetlway": "01", "chrgBchno": visit.batch,
            "medfeeSumamt": visit.total().text(), "acctUsedFlag": u8::from(uses_account).to_string()
        },
        "feedetailList": lines
    })
}

/// Uploads the charges, with what goes wrong with that; the order.
fn upload(
    visit: &mut Encounter<'_, '_>,
    (name, number): (&str, u32),
    uses_account: bool,
) -> Result<Order, HisError> {
    let input = uploading(visit, number, uses_account);
    let is_first = number == 1;
    if is_first && visit.makes(Mistake::UploadWrongTotal) {
        let mut wrong = input.clone();
        wrong["data"]["medfeeSumamt"] = json!((visit.total() + Fen(1)).text());
        visit.refused("upload-wrong", ("6201", &wrong), "medfeeSumamt")?;
    }
    let body = visit.write(name, "6201", &input)?;
    if let Some(body) = &body
        && is_first
        && visit.makes(Mistake::WrongSeal)
    {
        send_under_wrong_seals(visit, body)?;
    }
    if is_first && visit.makes(Mistake::UploadLost) {
        visit.cut(body, &ANYWHERE)?;
    }
    let uploaded = visit.complete(name)?.done()?;
    visit.expect_lines(name, &visit.lines.clone(), uploaded.rows("feedetailList"));
    if is_first && visit.makes(Mistake::UploadedTwice) {
        let again = visit.ask("upload-twice", "6201", &input)?.done()?;
        visit.expect(again.output == uploaded.output, || "the second upload differs".to_owned());
    }
    if is_first && visit.makes(Mistake::UploadChanged) {
        let mut other = input;
        other["data"]["iptOtpNo"] = json!(format!("{}-X", visit.plan.key));
        visit.refused("upload-changed", ("6201", &other), "medOrgOrd")?;
    }
    visit.mdtrt_id = uploaded.text_at("/data/mdtrtId")?;
    Ok(Order {
        number: uploaded.text_at("/data/payOrdId")?,
        token: uploaded.text_at("/data/payToken")?,
    })
}

/// A message sealed by another secret, and a sealed one of a transaction that is not taken so.
fn send_under_wrong_seals(visit: &mut Encounter<'_, '_>, body: &str) -> Result<(), HisError> {
    let step = visit.step("upload");
    let unknown = visit.counter.line.send_with_another_secret(body)?;
    visit.expect_refused(&Answer::read(&step, unknown.text())?, "signData");
    let mut other: Value = serde_json::from_str(body).unwrap_or_default();
    other["infno"] = json!("9001");
    let other = visit.counter.line.send_as_mobile(&other.to_string())?;
    visit.expect_refused(&Answer::read(&step, other.text())?, "infno");
    Ok(())
}

/// What names an order.
fn about(visit: &Encounter<'_, '_>, order: &Order) -> Value {
    named(visit.counter, order)
}

fn named(counter: &Counter<'_>, order: &Order) -> Value {
    json!({ "data": {
        "orgCodg": counter.setup.fixmedins_code, "payOrdId": order.number,
        "payToken": order.token
    } })
}

/// Has the person asked, with what goes wrong with that; what it comes to.
fn place(visit: &mut Encounter<'_, '_>, order: &Order) -> Result<Figures, HisError> {
    let input = about(visit, order);
    if visit.makes(Mistake::RefundedBeforePaying) {
        let early = refund(visit, order, Figures::default());
        visit.refused("refund-early", ("6203", &early), "6401")?;
    }
    if visit.makes(Mistake::OrderLost) {
        let body = visit.write("order", "6202", &input)?;
        visit.cut(body, &ANYWHERE)?;
        stands(visit, order, "query-lost", &[state::SAVED, state::WAITS])?;
    }
    let placed = visit.ask("order", "6202", &input)?.done()?;
    let seen = checked(visit, &placed)?;
    let waits = placed.text_at("/data/ordStas")?;
    visit
        .expect(waits == state::WAITS, || format!("the order stands at {waits}, not at the phone"));
    if visit.makes(Mistake::OrderedTwice) {
        let again = visit.ask("order-twice", "6202", &input)?.done()?;
        visit.expect(again.output == placed.output, || "the second order differs".to_owned());
    }
    if visit.makes(Mistake::RefundedBeforePaying) {
        let early = refund(visit, order, seen);
        visit.refused("refund-unpaid", ("6203", &early), "6401")?;
    }
    Ok(seen)
}

/// The sums of an order, which must add up to what was charged.
fn checked(visit: &mut Encounter<'_, '_>, told: &Answer) -> Result<Figures, HisError> {
    let figures = Figures::read(told)?;
    let (step, total) = (told.step.clone(), visit.total());
    visit.expect(figures.adds_up() && figures.medfee == total.0, || {
        format!("{step}: {figures:?} do not add up to {}", total.text())
    });
    Ok(figures)
}

/// The person answers, unless what is asked next shows that it was so before a restart.
fn tap(
    visit: &mut Encounter<'_, '_>,
    next: &str,
    (seen, says): (Figures, Says),
) -> Result<bool, HisError> {
    if visit.counter.journal.step(&visit.step(next)).is_some() {
        return Ok(false);
    }
    let Some(phones) = visit.counter.phones else { return Ok(false) };
    let answered = phones.answer(&visit.plan.patient.number, Fen(seen.medfee), says);
    answered.map_err(HisError::Phone)
}

/// Nothing is left on the phone that could be confirmed.
fn nothing_waits(visit: &mut Encounter<'_, '_>, next: &str, seen: Figures) -> Result<(), HisError> {
    let waited = tap(visit, next, (seen, Says::Yes))?;
    visit.expect(!waited, || "the phone still confirms what must not be paid".to_owned());
    Ok(())
}

/// Where an order stands, which must be one of these.
fn stands(
    visit: &mut Encounter<'_, '_>,
    order: &Order,
    name: &str,
    states: &[&str],
) -> Result<Answer, HisError> {
    let told = visit.ask(name, "6301", &about(visit, order))?.done()?;
    let state = told.text_at("/data/ordStas")?;
    visit.expect(states.contains(&state.as_str()), || {
        format!("{name}: the order stands at {state}, not at {}", states.join(" or "))
    });
    Ok(told)
}

/// Asks for an order until it is paid, at most as often as a clerk would let it.
fn awaited(visit: &mut Encounter<'_, '_>, order: &Order) -> Result<Answer, HisError> {
    let mut pause = PAUSE_MIN;
    for number in 1..=QUERIES_MAX {
        let name = format!("query-{number}");
        let body = visit.write(&name, "6301", &about(visit, order))?;
        if let Some(body) = body
            && number == 1
            && visit.makes(Mistake::Restarted)
        {
            visit.counter.line.send(&body)?;
            visit.counter.restart()?;
        }
        let told = visit.complete(&name)?.done()?;
        let state = told.text_at("/data/ordStas")?;
        match state.as_str() {
            state::WAITS | state::COLLECTING => {
                // Before a restart it was waited for already.
                let next = visit.step(&format!("query-{}", number + 1));
                if visit.counter.journal.step(&next).is_none() {
                    visit.counter.line.wait(pause);
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
            state::DONE | state::CASH_OWED => return Ok(told),
            _ => {
                let words = format!("the order stands at {state}");
                return Err(HisError::Refused { step: visit.step(&name), words });
            }
        }
    }
    let words = format!("the order is not paid after {QUERIES_MAX} questions");
    Err(HisError::Refused { step: visit.step("query"), words })
}

/// Takes an order back, twice.
fn revoke(visit: &mut Encounter<'_, '_>, order: &Order) -> Result<(), HisError> {
    for name in ["revoke", "revoke-again"] {
        let told = visit.ask(name, "6401", &about(visit, order))?.done()?;
        let state = told.text_at("/data/ordStas")?;
        visit.expect(state == state::REVOKED, || format!("{name}: the order stands at {state}"));
    }
    Ok(())
}

/// Uploads and orders the same charges under another number, after the first was taken back.
fn anew(visit: &mut Encounter<'_, '_>, uses_account: bool) -> Result<Order, HisError> {
    let same = uploading(visit, 1, uses_account);
    visit.refused("upload-revoked", ("6201", &same), "medOrgOrd")?;
    let order = upload(visit, ("upload-anew", 2), uses_account)?;
    let placed = visit.ask("order-anew", "6202", &about(visit, &order))?.done()?;
    checked(visit, &placed)?;
    Ok(order)
}

/// Settles at the counter what nobody paid by phone: the visit of the order, or a new one where
/// that was taken back.
fn at_the_counter(visit: &mut Encounter<'_, '_>, is_revoked: bool) -> Result<End, HisError> {
    if is_revoked {
        visit.open("open", &visit.now().today())?;
        visit.charge("charge", &visit.lines.clone())?;
    }
    let seen = visit.preview()?;
    let settled = visit.settle_as("settle", &visit.claim())?;
    visit.book(&settled, seen)?;
    Ok(End::Settled)
}

/// Books an order that is paid, once; it must be what was ordered.
fn book(
    visit: &mut Encounter<'_, '_>,
    (settled, order): (&Answer, &Order),
    seen: Figures,
) -> Result<(), HisError> {
    let figures = checked(visit, settled)?;
    visit.expect(seen == figures, || format!("ordered were {seen:?}, paid are {figures:?}"));
    let key = visit.plan.key.clone();
    if visit.counter.journal.bookings().contains_key(&key) {
        return Ok(());
    }
    let booking = Booking {
        day: settled.day_at("/data/traceTime")?,
        care: Care::Phone,
        step: settled.step.clone(),
        insutype: visit.insutype.clone(),
        psn_no: visit.psn_no.clone(),
        mdtrt_id: settled.text_at("/data/mdtrtId")?,
        setl_id: settled.text_at("/data/setlId")?,
        msgid: visit.counter.msgid(&settled.step),
        figures,
        undone: None,
        order: Some(order.clone()),
        sold: Vec::new(),
    };
    visit.counter.book(&key, booking)
}

fn refund(visit: &Encounter<'_, '_>, order: &Order, paid: Figures) -> Value {
    refund_of(visit.counter, &visit.plan.key, (order, paid))
}

/// What asks for all of an order back.
fn refund_of(counter: &Counter<'_>, key: &str, (order, paid): (&Order, Figures)) -> Value {
    let mut asked = named(counter, order);
    let fen = |fen: i64| json!(fen.to_string());
    for (field, value) in [
        ("appRefdSn", json!(format!("{key}-R"))),
        ("refdType", json!("ALL")),
        ("totlRefdAmt", fen(paid.medfee)),
        ("cashRefdAmt", fen(paid.cash)),
        ("psnAcctRefdAmt", fen(paid.account)),
        ("fundRefdAmt", fen(paid.fund)),
    ] {
        asked["data"][field] = value;
    }
    asked
}

/// Gives an order back as a whole, and a second time, which must be refused; what is not as it
/// must be.
///
/// # Errors
/// When it is refused or nobody answers.
pub fn give_back(
    counter: &mut Counter<'_>,
    (key, step): (&str, &str),
    booking: Booking,
) -> Result<Vec<String>, HisError> {
    let Some(order) = &booking.order else { return Ok(Vec::new()) };
    let mut differences = Vec::new();
    let asked = refund_of(counter, key, (order, booking.figures));
    let back = counter.ask(step, "6203", &asked)?.done()?;
    let Figures { medfee, fund, account, cash, .. } = booking.figures;
    for (field, fen) in [
        ("totlRefdAmt", medfee),
        ("fundRefdAmt", fund),
        ("psnAcctRefdAmt", account),
        ("cashRefdAmt", cash),
    ] {
        if back.fen_at(&format!("/data/{field}"))? != Fen(fen) {
            differences.push(format!("{key}: other sums were given back than were paid"));
        }
    }
    let again = counter.ask(&format!("{step}-again"), "6203", &asked)?;
    if again.is_done || !again.words.contains("已经退款") {
        differences.push(format!("{key}: given back twice: {}", again.words));
    }
    if booking.undone.is_none() {
        let undone = Some(back.day_at("/data/refdTime")?);
        counter.book(key, Booking { undone, ..booking })?;
    }
    Ok(differences)
}
