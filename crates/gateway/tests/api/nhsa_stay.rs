//! Stays over the national interface: admission, daily lines, discharge, settlement, and the
//! undoing of each.

use gateway::Chain as _;
use gateway::Port as _;
use gateway::port::Order;
use ledger::modules::visit::SettlementRecord;
use primitives::{Hash, codec};
use serde_json::{Value, json};

use crate::nhsa::{charged, claim, identified, registration};
use crate::support::hospital::message;
use crate::support::{Ask, World, id_of, organisation, person};

type Known = (Value, Value);

pub fn diagnoses(code: &str) -> Value {
    json!([{
        "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": 1, "diag_code": code,
        "diag_name": "诊断", "diag_dept": "A03", "diag_time": "2026-01-06 09:00:00"
    }])
}

pub fn admission((certificate, number): &Known, code: &str) -> Value {
    let mut data = certificate.clone();
    for (name, value) in [
        ("psn_no", number.clone()),
        ("insutype", json!("310")),
        ("begntime", json!("2026-01-06 08:30:00")),
        ("med_type", json!("21")),
        ("ipt_no", json!("ZY0001")),
    ] {
        data[name] = value;
    }
    json!({ "mdtrtinfo": data, "diseinfo": diagnoses(code) })
}

pub fn line(
    known: &Known,
    id: &Value,
    (serial, item): (&str, &str),
    day: &str,
    amount: &str,
) -> Value {
    json!({
        "feedetl_sn": serial, "mdtrt_id": id, "psn_no": known.1, "fee_ocur_time": day,
        "med_list_codg": item, "det_item_fee_sumamt": amount, "cnt": "1", "pric": amount
    })
}

pub fn settlement(known: &Known, id: &Value, total: &str) -> Value {
    let mut input = claim(known, id, total);
    for name in ["med_type", "chrg_bchno"] {
        input["data"].as_object_mut().unwrap().remove(name);
    }
    input
}

pub fn discharge(known: &Known, id: &Value, day: &str, code: &str) -> Value {
    json!({
        "dscginfo": {
            "mdtrt_id": id, "psn_no": known.1, "insutype": "310", "endtime": day, "dscg_way": "1"
        },
        "diseinfo": diagnoses(code)
    })
}

pub fn of(known: &Known, id: &Value) -> Value {
    json!({ "data": { "mdtrt_id": id, "psn_no": known.1 } })
}

/// Person 1 is admitted on 6 January.
fn admitted(world: &World) -> (Known, Value) {
    let known = identified(world, 1);
    let told = world.carried_out(2, "2401", &admission(&known, "E11.900"));
    let id = told["result"]["mdtrt_id"].clone();
    (known, id)
}

/// The event of the newest receipt of person 1, and its witness.
fn newest(world: &World) -> (String, Vec<u8>) {
    let found = world.port.receipts_of(person(1), Order::NewestFirst, None, 1).unwrap();
    let receipt = &found[0].receipt;
    (receipt.events[0].name.clone(), receipt.witness.clone())
}

#[test]
fn a_stay_is_charged_by_the_day_and_settled_after_its_discharge() {
    let world = World::insured();
    let (known, id) = admitted(&world);
    assert_eq!(newest(&world).0, "visit_opened");
    let day = |serial: u16, lines: Vec<Value>| {
        world.carried_out(serial, "2301", &json!({ "feedetail": lines }))
    };
    let first = day(3, vec![line(&known, &id, ("1", "X1"), "2026-01-06", "300.00")]);
    assert_eq!(first["result"][0]["inscp_scp_amt"], "300.00");
    assert_eq!(newest(&world).0, "running_bill_updated", "the person has a daily list");
    let second = day(
        4,
        vec![
            line(&known, &id, ("2", "B1"), "2026-01-07", "100"),
            line(&known, &id, ("3", "L1"), "2026-01-07", "50"),
        ],
    );
    assert_eq!(second["result"][0]["preselfpay_amt"], "10.00");
    assert_eq!(second["result"][1]["inscp_scp_amt"], "50.00", "the diagnosis allows it");
    let preview = world.carried_out(5, "2303", &settlement(&known, &id, "450"));
    assert!(world.refused(6, "2304", &settlement(&known, &id, "450")).contains("2402"));
    let early = world.refused(7, "2402", &discharge(&known, &id, "2026-01-06", "E11.900"));
    assert!(early.contains("2302"), "{early}");
    world.carried_out(8, "2402", &discharge(&known, &id, "2026-01-09", "E11.900"));
    let late = json!({ "feedetail": [line(&known, &id, ("4", "X1"), "2026-01-09", "1")] });
    assert!(world.refused(9, "2301", &late).contains("2405"));
    let settled = world.carried_out(10, "2304", &settlement(&known, &id, "450"));
    let info = &settled["setlinfo"];
    for (field, value) in [
        ("medfee_sumamt", "450.00"),
        ("preselfpay_amt", "10.00"),
        ("inscp_scp_amt", "440.00"),
        ("act_pay_dedc", "100.00"),
        ("hifp_pay", "170.00"),
        ("psn_cash_pay", "280.00"),
        ("clr_type", "21"),
    ] {
        assert_eq!(info[field], value, "{field}: {info}");
        assert_eq!(preview["setlinfo"][field], value, "{field}");
    }
    assert_eq!(settled["feedetail"].as_array().unwrap().len(), 3);
    let (event, witness) = newest(&world);
    assert_eq!(event, "visit_settled");
    let record: SettlementRecord = codec::decode(&witness).unwrap();
    assert_eq!(record.sums.rows().len(), 3, "two days, three categories");
    // The bill says by which diagnoses it was sorted: a correction of it is sorted the same.
    let token = world.token(organisation("hospital"));
    let kept = Ask::get(format!("/v1/visits/{}/bill", record.visit)).token(&token);
    let kept = world.ask(&kept).expect(200).json();
    let bill: Value = serde_json::from_str(kept["bill"].as_str().unwrap()).unwrap();
    assert_eq!(bill["diagnosis_groups"], json!(["diabetes"]));
    let body = json!({ "corrected": record.visit, "bill": bill });
    let quote = world.ask(&Ask::post("/v1/quotes", &body).token(&token)).expect(200).json();
    assert_eq!(quote["sums"], serde_json::to_value(&record.sums).unwrap());
    assert!(world.refused(11, "2405", &of(&known, &id)).contains("2305"));
    let undo =
        |setl: &Value| json!({ "data": { "mdtrt_id": id, "psn_no": known.1, "setl_id": setl } });
    assert!(world.refused(12, "2208", &undo(&info["setl_id"])).contains("23xx"));
    let undone = world.carried_out(13, "2305", &undo(&info["setl_id"]));
    assert_eq!(undone["setlinfo"]["hifp_pay"], "-170.00");
    assert_eq!(newest(&world).0, "visit_refunded");
    // An unknown outcome of a settlement is reversed; here it was undone already.
    let reverse = json!({ "data": {
        "psn_no": known.1, "omsgid": message(10, "2304", &json!({}))["msgid"], "oinfno": "2304"
    } });
    world.carried_out(14, "2601", &reverse);
}

/// The stays of person 1, as the own phone lists them.
fn stays(world: &World) -> Vec<Value> {
    let path = format!("/v1/persons/{}/stays", id_of(person(1)));
    let list = world.ask(&Ask::get(path).token(&world.token(person(1)))).expect(200).json();
    list["stays"].as_array().unwrap().clone()
}

#[test]
fn the_person_reads_the_daily_list_while_the_stay_lasts_and_nobody_else_does() {
    let world = World::insured();
    assert_eq!(stays(&world), [] as [Value; 0]);
    let (known, id) = admitted(&world);
    let listed = stays(&world);
    assert_eq!((listed.len(), listed[0].get("running")), (1, None));
    assert_eq!(listed[0]["subject"]["admitted"], "2026-01-06");
    let visit = listed[0]["visit"].as_str().unwrap().to_owned();
    let bill = |party| {
        let path = format!("/v1/visits/{visit}/bill");
        world.ask(&Ask::get(path).token(&world.token(party)))
    };
    bill(person(1)).expect(404);
    let charge = |serial: u16, line: Value| {
        let message = json!({ "feedetail": [line] });
        world.carried_out(serial, "2301", &message);
        message
    };
    charge(3, line(&known, &id, ("1", "X1"), "2026-01-06", "300"));
    let first = bill(person(1)).expect(200).json();
    let last = charge(4, line(&known, &id, ("2", "B1"), "2026-01-07", "100"));
    let second = bill(person(1)).expect(200).json();
    let text: Value = serde_json::from_str(second["bill"].as_str().unwrap()).unwrap();
    let days: Vec<_> = text["lines"].as_array().unwrap().iter().collect();
    assert_eq!(
        days.iter().map(|one| &one["service_date"]).collect::<Vec<_>>(),
        ["2026-01-06", "2026-01-07"]
    );
    let running = &stays(&world)[0]["running"];
    assert_eq!((&running["total"], &running["until"]), (&json!("40000"), &json!("2026-01-07")));
    assert_eq!(running["bill"], second["commitment"]);
    // One list is kept, not one of each day; a message that comes again leaves it there.
    let forgotten: Hash = first["commitment"].as_str().unwrap().parse().unwrap();
    let directory = &world.port.wallet().unwrap().directory;
    assert_eq!(directory.bill(&forgotten).unwrap(), None);
    let again = world.told(&message(4, "2301", &last));
    assert_eq!(again["infcode"], 0, "{again}");
    assert_eq!(bill(person(1)).expect(200).json(), second);
    // What it would come to today, for the person alone.
    let quote = json!({ "visit": visit, "bill": text, "use_personal_account": true });
    let token = world.token(person(1));
    let told = world.ask(&Ask::post("/v1/quotes", &quote).token(&token)).expect(200).json();
    assert_eq!(told["split"]["total"], "40000");
    bill(person(2)).expect(404);
    bill(organisation("other")).expect(404);
    let others = Ask::get(format!("/v1/persons/{}/stays", id_of(person(1))));
    for party in [person(2), organisation("hospital")] {
        world.ask(&others.clone().token(&world.token(party))).expect(403);
    }
    world.carried_out(8, "2402", &discharge(&known, &id, "2026-01-09", "E11.900"));
    world.carried_out(9, "2304", &settlement(&known, &id, "400"));
    assert_eq!(stays(&world), [] as [Value; 0]);
}

#[test]
fn without_the_diagnosis_a_limited_item_is_the_persons_own_and_a_change_of_it_counts() {
    let world = World::insured();
    let known = identified(&world, 1);
    let told = world.carried_out(2, "2401", &admission(&known, "J18.900"));
    let id = told["result"]["mdtrt_id"].clone();
    let lines = json!({ "feedetail": [line(&known, &id, ("1", "L1"), "2026-01-07", "50")] });
    let told = world.carried_out(3, "2301", &lines);
    assert_eq!(told["result"][0]["fulamt_ownpay_amt"], "50.00");
    let preview = |serial: u16| {
        let told = world.carried_out(serial, "2303", &settlement(&known, &id, "50"));
        told["setlinfo"]["inscp_scp_amt"].clone()
    };
    assert_eq!(preview(4), "0.00");
    let change = |field: &str, value: &str| {
        let mut adminfo = json!({
            "mdtrt_id": id, "psn_no": known.1, "begntime": "2026-01-06", "med_type": "21"
        });
        adminfo[field] = json!(value);
        json!({ "adminfo": adminfo, "diseinfo": diagnoses("E11.900") })
    };
    assert!(world.refused(5, "2403", &change("begntime", "2026-01-05")).contains("2404"));
    assert!(world.refused(6, "2403", &change("med_type", "11")).contains("adminfo.med_type"));
    assert_eq!(preview(7), "0.00", "what was refused changed nothing");
    world.carried_out(8, "2403", &change("adm_bed", "12"));
    assert_eq!(preview(9), "50.00");
    world.carried_out(10, "2402", &discharge(&known, &id, "2026-01-08", "J18.900"));
    assert_eq!(preview(11), "0.00", "the diagnoses of the discharge are the last");
}

#[test]
fn lines_admission_and_discharge_are_undone_and_the_daily_list_follows() {
    let world = World::insured();
    let (known, id) = admitted(&world);
    let lines = json!({ "feedetail": [
        line(&known, &id, ("1", "X1"), "2026-01-06", "300"),
        line(&known, &id, ("2", "X1"), "2026-01-07", "20")
    ] });
    world.carried_out(3, "2301", &lines);
    let undo = |serial: &str| json!({ "data": [{ "feedetl_sn": serial, "mdtrt_id": id, "psn_no": known.1 }] });
    assert!(world.refused(4, "2404", &of(&known, &id)).contains("2302"));
    assert!(world.refused(5, "2302", &undo("9")).contains("data[0].feedetl_sn"));
    let running = || {
        let (event, _) = newest(&world);
        assert_eq!(event, "running_bill_updated");
        let found = world.port.receipts_of(person(1), Order::NewestFirst, None, 1).unwrap();
        let total = found[0].receipt.fields.iter().find(|one| &*one.name == "total").unwrap();
        total.value.to_string()
    };
    assert_eq!(running(), "320.00 CNY");
    world.carried_out(6, "2302", &undo("1"));
    assert_eq!(running(), "20.00 CNY");
    let body = message(6, "2302", &undo("1"));
    let again = world.told(&body);
    assert_eq!(again["infcode"], 0, "{again}");
    assert_eq!(running(), "20.00 CNY");
    world.carried_out(7, "2402", &discharge(&known, &id, "2026-01-09", "E11.900"));
    assert!(
        world.refused(8, "2402", &discharge(&known, &id, "2026-01-09", "E11")).contains("2405")
    );
    world.carried_out(9, "2405", &of(&known, &id));
    assert!(world.refused(10, "2405", &of(&known, &id)).contains("尚未"));
    world.carried_out(11, "2302", &undo("0000"));
    assert_eq!(running(), "0.00 CNY");
    assert!(world.refused(12, "2303", &settlement(&known, &id, "0")).contains("2301"));
    world.carried_out(13, "2404", &of(&known, &id));
    assert_eq!(newest(&world).0, "visit_cancelled");
    assert!(world.refused(14, "2404", &of(&known, &id)).contains("办理入院"));
}

#[test]
fn what_is_wrong_with_a_stay_is_named_and_the_two_kinds_of_care_do_not_mix() {
    let world = World::insured();
    let (known, id) = admitted(&world);
    let with = |field: &str, value: &str| {
        let mut input = discharge(&known, &id, "2026-01-09", "E11");
        input["dscginfo"][field] = json!(value);
        input
    };
    for (serial, (field, value, remedy)) in (10..).zip([
        ("insutype", "390", "险种"),
        ("endtime", "2026-01-05", "入院日"),
        ("endtime", "2026-01-11", "今日"),
        ("dscg_way", "7", "1 医嘱离院"),
        ("mdtrt_id", "0", "2401"),
    ]) {
        let words = world.refused(serial, "2402", &with(field, value));
        assert!(words.starts_with(&format!("dscginfo.{field}：")), "{words}");
        assert!(words.contains(remedy), "{words}");
    }
    let mut bare = discharge(&known, &id, "2026-01-09", "E11");
    bare["diseinfo"][0]["maindiag_flag"] = json!("2");
    assert!(world.refused(20, "2402", &bare).contains("diseinfo[0].maindiag_flag"));
    // A future day is refused by the ledger, and the line is not kept.
    let future = json!({ "feedetail": [line(&known, &id, ("1", "X1"), "2026-01-12", "1")] });
    let words = world.refused(21, "2301", &future);
    assert!(words.contains('；'), "{words}");
    let before = newest(&world);
    assert!(world.refused(22, "2303", &settlement(&known, &id, "1")).contains("2301"));
    assert_eq!(newest(&world), before);
    // Outpatient transactions do not take a stay, nor the other way round.
    let outpatient = json!({ "feedetail": [crate::nhsa::line(&known, &id, "1", "X1", "1")] });
    assert!(world.refused(23, "2204", &outpatient).contains("23xx"));
    let mut registration = registration(&known);
    registration["data"]["med_type"] = json!("21");
    assert!(world.refused(24, "2201", &registration).contains("可用：11"));
    let mut other = admission(&known, "E11");
    other["mdtrtinfo"]["med_type"] = json!("11");
    assert!(world.refused(25, "2401", &other).contains("可用：21"));
    let world = World::insured();
    let (known, id) = charged(&world);
    let lines = json!({ "feedetail": [line(&known, &id, ("9", "X1"), "2026-01-10", "1")] });
    assert!(world.refused(30, "2301", &lines).contains("22xx"));
    assert!(world.refused(31, "2404", &of(&known, &id)).contains("2302"));
}
