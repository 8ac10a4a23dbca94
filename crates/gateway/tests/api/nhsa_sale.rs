//! Purchases and sales over the national interface: a pharmacy's settlement, what is sold and comes
//! back, and trace codes.

use serde_json::{Value, json};

use crate::nhsa::{claim, identified, line, registration};
use crate::support::World;
use crate::support::hospital::message;

const CODE: &str = "81234567890123456789";

/// The input of 2201 for a purchase.
fn purchase(known: &(Value, Value)) -> Value {
    let mut input = registration(known);
    input["data"]["med_type"] = json!("41");
    input
}

/// A purchase of 100.00 by person 1 that is registered and charged.
fn charged(world: &World) -> ((Value, Value), Value) {
    let known = identified(world, 1);
    let id = world.carried_out(2, "2201", &purchase(&known))["data"]["mdtrt_id"].clone();
    let lines = json!({ "feedetail": [line(&known, &id, "1", "X1", "100")] });
    world.carried_out(3, "2204", &lines);
    (known, id)
}

fn bought(known: &(Value, Value), id: &Value, code: &str) -> Value {
    let mut input = claim(known, id, "100");
    input["data"]["med_type"] = json!("41");
    input["drug_trac_info"] = json!([{
        "feedetl_sn": "1", "drug_trac_codg": code, "trdn_flag": "0", "min_prcunt_type": "1"
    }]);
    input
}

#[test]
fn a_purchase_is_settled_as_one_with_its_trace_codes() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let mut as_visit = bought(&known, &id, CODE);
    as_visit["data"]["med_type"] = json!("11");
    assert!(world.refused(4, "2207", &as_visit).starts_with("data.med_type："));
    let barcode = world.refused(5, "2207", &bought(&known, &id, "6901234567892"));
    assert!(barcode.starts_with("drug_trac_info[0].drug_trac_codg："), "{barcode}");
    let mut other = bought(&known, &id, CODE);
    other["drug_trac_info"][0]["feedetl_sn"] = json!("7");
    assert!(world.refused(6, "2207", &other).contains("drug_trac_info[0].feedetl_sn"));
    let settled = world.carried_out(7, "2207", &bought(&known, &id, CODE));
    assert_eq!(settled["setlinfo"]["clr_type"], "41");
    // The code was sold once, whether or not the sale is told of as well, and can come back once.
    let packs = |number: &str| sale(number, &settled["setlinfo"], &json!([CODE]));
    world.carried_out(8, "3505", &packs("S1"));
    world.carried_out(9, "3506", &packs("R1"));
    assert!(world.refused(10, "3506", &packs("R2")).contains("已退货"));
}

#[test]
fn a_code_of_a_reversed_settlement_was_not_sold() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let input = bought(&known, &id, CODE);
    let info = world.carried_out(4, "2207", &input)["setlinfo"].clone();
    let reverse = json!({ "data": {
        "psn_no": known.1, "omsgid": message(4, "2207", &input)["msgid"], "oinfno": "2207"
    } });
    world.carried_out(5, "2601", &reverse);
    let back = world.refused(6, "3506", &sale("R1", &info, &json!([CODE])));
    assert!(back.contains("没有销售"), "{back}");
}

/// The input of 3505 and 3506.
pub fn sale(number: &str, info: &Value, codes: &Value) -> Value {
    let codes = codes.as_array().unwrap().iter().map(|code| json!({ "drug_trac_codg": code }));
    json!({ "selinfo": {
        "med_list_codg": "X1", "fixmedins_hilist_id": "H1", "fixmedins_hilist_name": "药",
        "fixmedins_bchno": number, "hi_feesetl_type": "1", "setl_id": info["setl_id"],
        "mdtrt_sn": info["mdtrt_id"], "manu_lotnum": "L1", "manu_date": "2025-01-01",
        "expy_end": "2027-01-01", "rx_flag": "0", "trdn_flag": "0", "rtal_docno": "D1",
        "sel_retn_cnt": "1", "sel_retn_time": "2026-01-10 08:30:00",
        "drugtracinfo": codes.collect::<Vec<_>>()
    } })
}

#[test]
fn what_is_sold_comes_back_once_and_everything_wrong_is_named() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let mut input = bought(&known, &id, CODE);
    input.as_object_mut().unwrap().remove("drug_trac_info");
    let info = world.carried_out(4, "2207", &input)["setlinfo"].clone();
    let codes = json!([CODE, "(01)06901234567892(21)AB12"]);
    let good = sale("S1", &info, &codes);
    let refused = |serial: u16, number: &str, change: &dyn Fn(&mut Value), words: &str| {
        let mut input = sale("S9", &info, &codes);
        change(&mut input["selinfo"]);
        let told = world.refused(serial, number, &input);
        assert!(told.contains(words), "{told}");
    };
    refused(10, "3505", &|one| one["setl_id"] = json!("0"), "selinfo.setl_id");
    refused(11, "3505", &|one| one["drugtracinfo"] = json!([]), "追溯码");
    refused(12, "3505", &|one| one["expy_end"] = json!("2026-01-09"), "selinfo.expy_end");
    refused(13, "3505", &|one| one["sel_retn_cnt"] = json!("0.0"), "selinfo.sel_retn_cnt");
    refused(14, "3505", &|one| one["sel_retn_time"] = json!("2026-01-11 00:00:00"), "今日");
    refused(15, "3505", &|one| one["drug_trac_codg"] = json!("123"), "selinfo.drug_trac_codg");
    refused(16, "3505", &|one| one["hi_feesetl_type"] = json!("3"), "2 自费");
    let twice = json!([{ "drug_trac_codg": CODE }, { "drug_trac_codg": CODE }]);
    refused(17, "3505", &|one| one["drugtracinfo"] = twice.clone(), "drugtracinfo[1]");
    refused(18, "3506", &|_| {}, "没有销售");
    world.carried_out(20, "3505", &good);
    world.carried_out(20, "3505", &good);
    assert!(world.refused(21, "3505", &good).contains("selinfo.fixmedins_bchno"));
    world.carried_out(22, "3506", &sale("R1", &info, &codes));
    let again = world.refused(23, "3506", &sale("R2", &info, &codes));
    assert!(again.contains("已退货") && !again.contains(CODE), "{again}");
    // Sold once more after it came back; and what has no code, or is paid in cash, needs none.
    world.carried_out(24, "3505", &sale("S2", &info, &codes));
    let mut old_stock = sale("S3", &info, &json!([]));
    old_stock["selinfo"]["med_list_codg"] = json!("B1");
    world.carried_out(25, "3505", &old_stock);
    let mut cash = sale("S4", &info, &json!([]));
    for (name, value) in [("hi_feesetl_type", json!("2")), ("setl_id", Value::Null)] {
        cash["selinfo"][name] = value;
    }
    world.carried_out(26, "3505", &cash);
}
