//! One customer of a pharmacy: a purchase that is settled with the trace codes of its packs, each
//! of which is reported as sold as well, or one for cash; and packs that come back.

use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Sold};
use crate::counter::Counter;
use crate::encounter::{Charged, Encounter, End, Plan};
use crate::message::{Answer, Moment};
use crate::mistake::Mistake;
use crate::settlement::Ended;
use crate::wire::Cut;

/// The most different items of a purchase, and the most of one of them.
const LINES_MAX: usize = 3;
const COUNT_MAX: i64 = 2;
/// Of how many customers one pays without insurance.
const CASH_ONE_IN: u32 = 6;
/// The barcode of a pack, which is no trace code.
const BARCODE: &str = "6901234567892";
/// The trace code of a pack that nobody has.
const UNSOLD: &str = "89999999999999999999";

/// Plays a purchase; gives its end, and what was not as it must be.
///
/// # Errors
/// What keeps the day from going on.
pub fn play(counter: &mut Counter<'_>, plan: &Plan<'_>) -> Result<(End, Vec<String>), HisError> {
    let mut purchase = Encounter::new(counter, plan);
    let end = played(&mut purchase);
    purchase.ended(end)
}

fn played(purchase: &mut Encounter<'_, '_>) -> Result<End, HisError> {
    let items = &purchase.counter.setup.items;
    if purchase.plan.mistake.is_none() && purchase.rng.u32(..CASH_ONE_IN) == 0 {
        purchase.lines = purchase.chosen(items, (LINES_MAX, COUNT_MAX), &purchase.now().today());
        pack(purchase);
        for sold in purchase.sold.clone() {
            let sale = sale(purchase.now(), &purchase.plan.key, &sold, None);
            purchase.ask(&format!("sale-{}", sold.serial), "3505", &sale)?.done()?;
        }
        return Ok(End::SoldForCash);
    }
    purchase.identify("identify")?;
    if purchase.insutype.is_empty() {
        return Ok(End::NotInsured);
    }
    purchase.open("open", &purchase.now().today())?;
    if purchase.makes(Mistake::OpeningUndone) {
        return purchase.leave(items);
    }
    purchase.lines = purchase.chosen(items, (LINES_MAX, COUNT_MAX), &purchase.now().today());
    pack(purchase);
    purchase.charge("charge", &purchase.lines.clone())?;
    let seen = purchase.preview()?;
    let claim = scanned(purchase);
    for (mistake, field, value) in [
        (Mistake::BarcodeScanned, "drug_trac_codg", BARCODE),
        (Mistake::CodeOfNoLine, "feedetl_sn", "99"),
    ] {
        if purchase.makes(mistake) {
            let mut wrong = claim.clone();
            wrong["drug_trac_info"][0][field] = json!(value);
            purchase.refused("settle-wrong-code", ("2207", &wrong), field)?;
        }
    }
    let settled = match purchase.settle(&claim)? {
        Ended::Settled(answer) => answer,
        Ended::Closed => {
            purchase.open("open-again", &purchase.now().today())?;
            purchase.charge("charge-anew", &purchase.lines.clone())?;
            purchase.settle_as("settle-anew", &scanned(purchase))?
        }
    };
    let settled = match purchase.makes(Mistake::ReturnedTwice) {
        true => purchase.ask_outcome(settled)?,
        false => settled,
    };
    purchase.book(&settled, seen)?;
    sell(purchase, &settled)?;
    if purchase.makes(Mistake::ReturnedTwice) {
        come_back(purchase, &settled)?;
    }
    Ok(End::Settled)
}

/// Takes the packs off the shelf: each has a trace code, 20 digits that nobody else's begin with.
fn pack(purchase: &mut Encounter<'_, '_>) {
    let digits: String = purchase.plan.key.chars().filter(char::is_ascii_digit).collect();
    let lines = purchase.lines.clone();
    let mut codes = |line: &Charged| -> Vec<String> {
        let own =
            |count: i64, last: u64| format!("8{digits:0>10}{:0>2}{count}{last:06}", line.serial);
        (0..line.count).map(|count| own(count, purchase.rng.u64(..1_000_000))).collect()
    };
    purchase.sold = lines
        .iter()
        .map(|line| Sold {
            serial: line.serial.clone(),
            item: line.code.clone(),
            count: line.count,
            codes: codes(line),
        })
        .collect();
}

/// What a settlement asks, with the codes of its packs.
fn scanned(purchase: &Encounter<'_, '_>) -> Value {
    let codes = purchase.sold.iter().flat_map(|sold| {
        sold.codes.iter().map(
            |code| json!({ "feedetl_sn": sold.serial, "drug_trac_codg": code, "trdn_flag": "0" }),
        )
    });
    let mut claim = purchase.claim();
    claim["drug_trac_info"] = codes.collect();
    claim
}

/// Reports the packs of a settlement as sold.
fn sell(purchase: &mut Encounter<'_, '_>, settled: &Answer) -> Result<(), HisError> {
    let setl_id = settled.text_at("/setlinfo/setl_id")?;
    let (key, visit) = (purchase.plan.key.clone(), purchase.mdtrt_id.clone());
    for (at, sold) in purchase.sold.clone().iter().enumerate() {
        let sale = sale(purchase.now(), &key, sold, Some((&setl_id, &visit)));
        let name = format!("sale-{}", sold.serial);
        if at > 0 {
            purchase.ask(&name, "3505", &sale)?.done()?;
            continue;
        }
        if purchase.makes(Mistake::SaleWithoutCode) {
            let mut wrong = sale.clone();
            wrong["selinfo"]["drugtracinfo"] = json!([]);
            purchase.refused("sale-no-code", ("3505", &wrong), "drug_trac_codg")?;
        }
        if purchase.makes(Mistake::SaleOutOfDate) {
            let mut wrong = sale.clone();
            wrong["selinfo"]["expy_end"] = json!(purchase.now().days_ago(1));
            purchase.refused("sale-old", ("3505", &wrong), "expy_end")?;
        }
        if purchase.makes(Mistake::SaleLost) {
            let body = purchase.write(&name, "3505", &sale)?;
            purchase.cut(body, &[Cut::Halfway, Cut::BeforeTheAnswer, Cut::WithinTheAnswer])?;
        }
        purchase.ask(&name, "3505", &sale)?.done()?;
        if purchase.makes(Mistake::SaleNumberUsedAgain) {
            purchase.refused("sale-again", ("3505", &sale), "fixmedins_bchno")?;
        }
        if purchase.makes(Mistake::ReturnOfUnsold) {
            let mut wrong = sale.clone();
            wrong["selinfo"]["fixmedins_bchno"] = json!(format!("{key}-X"));
            wrong["selinfo"]["drugtracinfo"] = json!([{ "drug_trac_codg": UNSOLD }]);
            purchase.refused("return-unsold", ("3506", &wrong), "drug_trac_codg")?;
        }
    }
    Ok(())
}

/// What 3505 and 3506 say of a line's packs.
fn sale(now: Moment, key: &str, sold: &Sold, settled: Option<(&str, &str)>) -> Value {
    let codes: Vec<Value> =
        sold.codes.iter().map(|code| json!({ "drug_trac_codg": code })).collect();
    let (setl_id, visit) = settled.unzip();
    json!({ "selinfo": {
        "med_list_codg": sold.item, "fixmedins_hilist_id": sold.item,
        "fixmedins_hilist_name": "药品", "fixmedins_bchno": format!("{key}-{}", sold.serial),
        "hi_feesetl_type": if settled.is_some() { "1" } else { "2" }, "setl_id": setl_id,
        "mdtrt_sn": visit.unwrap_or(key), "manu_lotnum": "L1", "manu_date": now.days_ago(200),
        "expy_end": now.today(), "rx_flag": "0", "trdn_flag": "0", "rtal_docno": key,
        "sel_retn_cnt": sold.count, "sel_retn_time": now.text(), "drugtracinfo": codes
    } })
}

/// What was bought comes back at once, the packs and the money.
fn come_back(purchase: &mut Encounter<'_, '_>, settled: &Answer) -> Result<(), HisError> {
    let key = purchase.plan.key.clone();
    let Some(booking) = purchase.counter.journal.bookings().get(&key).cloned() else {
        return Ok(());
    };
    let differences = packs_back(purchase.counter, &key, &booking)?;
    purchase.differences.extend(differences);
    let mut undo = purchase.named();
    undo["data"]["setl_id"] = json!(settled.text_at("/setlinfo/setl_id")?);
    let day = purchase.ask("undo", "2208", &undo)?.done()?.day()?;
    let booking = Booking { undone: Some(day), ..booking };
    purchase.counter.book(&key, booking)
}

/// The packs of a purchase come back, each once; what is not as it must be.
///
/// # Errors
/// When it is refused or nobody answers.
pub fn packs_back(
    counter: &mut Counter<'_>,
    key: &str,
    booking: &Booking,
) -> Result<Vec<String>, HisError> {
    let mut differences = Vec::new();
    for sold in &booking.sold {
        let of = Some((booking.setl_id.as_str(), booking.mdtrt_id.as_str()));
        let mut back = sale(counter.line.now(), &format!("{key}-R"), sold, of);
        let name = format!("{key}/return-{}", sold.serial);
        counter.ask(&name, "3506", &back)?.done()?;
        back["selinfo"]["fixmedins_bchno"] = json!(format!("{key}-T{}", sold.serial));
        let again = counter.ask(&format!("{name}-again"), "3506", &back)?;
        if again.is_done || !again.words.contains("已退货") {
            differences.push(format!("{name}: the packs came back twice: {}", again.words));
        }
    }
    Ok(differences)
}
