//! What hospitals file at the bureau over the national interface.

use gateway::Chain as _;
use gateway::port::Order;
use ledger::modules::coverage::view::coverage;
use primitives::PersonId;
use serde_json::{Value, json};

use crate::nhsa::identified;
use crate::support::{World, person};

/// The input of 2501 for somebody who was identified.
pub fn referral((_, number): &(Value, Value)) -> Value {
    json!({ "refmedin": {
        "psn_no": number, "insutype": "310", "tel": "", "mdtrtarea_admdvs": "110000",
        "diag_code": "C34.9", "diag_name": "肺恶性肿瘤", "hosp_agre_refl_flag": "1",
        "refl_rea": "限于技术条件", "begndate": "2026-01-10", "enddate": "2026-06-30"
    } })
}

/// The input of 2503.
pub fn chronic((_, number): &(Value, Value)) -> Value {
    json!({ "data": {
        "psn_no": number, "insutype": "310", "opsp_dise_code": "M03900",
        "opsp_dise_name": "高血压", "diag_dr_codg": "D0001", "diag_dr_name": "医师",
        "begndate": "2026-01-10"
    } })
}

/// The input of 2699.
pub fn birth((_, number): &(Value, Value)) -> Value {
    json!({ "data": {
        "psn_no": number, "insutype": "310", "geso_val": 12, "fetts": 1,
        "plan_matn_date": "2026-07-20", "begndate": "2026-01-10", "enddate": "2026-12-31"
    } })
}

/// What the receipts of person 1 are about, the newest first.
fn newest_event(world: &World) -> String {
    let newest = world.port.receipts_of(person(1), Order::NewestFirst, None, 1).unwrap();
    newest[0].receipt.events[0].name.to_string()
}

#[test]
fn a_referral_stands_on_the_ledger_by_its_place_and_the_wallet_sees_it_at_once() {
    let world = World::insured();
    let known = identified(&world, 1);
    let filed = world.carried_out(2, "2501", &referral(&known));
    let number = filed["result"]["trt_dcla_detl_sn"].as_str().unwrap().to_owned();
    assert_eq!(newest_event(&world), "filing_recorded");
    let row = coverage(&world.port.view().state, PersonId([1; 16])).unwrap();
    let filing = row.coverages[0].filings[0];
    assert_eq!((filing.number.0, filing.place.0), (1, 110_000));
    assert_eq!(filing.period.to, Some("2026-06-30".parse().unwrap()));
    // A second click under another number files nothing more, and says what is there.
    let again = world.refused(3, "2501", &referral(&known));
    assert!(again.contains(&number) && again.contains('；'), "{again}");
    let mut elsewhere = referral(&known);
    elsewhere["refmedin"]["mdtrtarea_admdvs"] = json!("310000");
    world.carried_out(4, "2501", &elsewhere);
    let row = coverage(&world.port.view().state, PersonId([1; 16])).unwrap();
    assert_eq!(row.coverages[0].filings[1].number.0, 2);
}

#[test]
fn chronic_care_and_a_birth_are_filed_as_groups_and_their_diseases_stay_in_the_book() {
    let world = World::insured();
    let known = identified(&world, 1);
    world.carried_out(2, "2503", &chronic(&known));
    assert_eq!(newest_event(&world), "slot_assigned");
    world.carried_out(3, "2699", &birth(&known));
    let told = world.carried_out(4, "5301", &json!({ "data": { "psn_no": known.1 } }));
    let codes: Vec<&Value> =
        told["feedetail"].as_array().unwrap().iter().map(|one| &one["opsp_dise_code"]).collect();
    assert_eq!(codes, [&json!("1"), &json!("3")], "{told}");
    let state = &world.port.view().state;
    let row = coverage(state, PersonId([1; 16])).unwrap();
    let slots: Vec<u16> = row.coverages[0].slots.iter().map(|one| u16::from(one.slot.0)).collect();
    assert_eq!(slots, [1, 2]);
    assert!(world.refused(5, "2503", &chronic(&known)).contains("已有"));
    assert!(world.refused(6, "2699", &birth(&known)).contains("已有"));
    // Another disease of the same group has a slot of its own.
    let mut other = chronic(&known);
    other["data"]["opsp_dise_code"] = json!("M03901");
    world.carried_out(7, "2503", &other);
}

#[test]
fn what_cannot_be_filed_is_named_and_nothing_is_filed() {
    let world = World::insured();
    let known = identified(&world, 1);
    let before = newest_event(&world);
    let mut serial = 10;
    let mut told = |number: &str, input: &Value, node: &str, field: &str, value: Value| {
        let mut wrong = input.clone();
        wrong[node][field] = value;
        serial += 1;
        let words = world.refused(serial, number, &wrong);
        assert!(words.contains('；') || words.contains("，如"), "{words}");
        words
    };
    let place = "mdtrtarea_admdvs";
    for (number, input, node) in [
        ("2501", referral(&known), "refmedin"),
        ("2503", chronic(&known), "data"),
        ("2699", birth(&known), "data"),
    ] {
        for (field, value) in [
            ("psn_no", json!("00")),
            ("insutype", json!("x")),
            ("begndate", json!("2026-01-09")),
            ("begndate", json!("soon")),
            ("enddate", json!("2026-01-09")),
        ] {
            let words = told(number, &input, node, field, value);
            assert!(words.starts_with(&format!("{node}.{field}")), "{number} {words}");
        }
        assert!(!told(number, &input, node, "insutype", json!("390")).is_empty(), "not covered");
    }
    let input = referral(&known);
    for (field, value) in [
        (place, json!("620100")),
        (place, json!("abc")),
        ("hosp_agre_refl_flag", json!("0")),
        ("refl_rea", json!("")),
    ] {
        let words = told("2501", &input, "refmedin", field, value);
        assert!(words.starts_with(&format!("refmedin.{field}")), "{words}");
    }
    let words = told("2503", &chronic(&known), "data", "opsp_dise_code", json!("M00500"));
    assert!(words.starts_with("data.opsp_dise_code") && words.contains("M039"), "{words}");
    assert_eq!(newest_event(&world), before);
}
