//! What the national interface says of somebody's insurance: claims, running amounts, filings.

use serde_json::{Value, json};

use crate::nhsa::{charged, claim, identified};
use crate::support::{World, id_of, organisation, person};

const DAY_MILLIS: u64 = 24 * 3_600_000;

#[test]
fn a_claim_is_there_or_the_reason_is_said() {
    let world = World::insured();
    let known = identified(&world, 1);
    let ask = |field: &str, value: &str| {
        let mut data = json!({
            "psn_no": known.1, "insutype": "310", "med_type": "11", "begntime": "2026-01-10"
        });
        data[field] = json!(value);
        json!({ "data": data })
    };
    let told = |serial: u16, input: &Value| {
        let told = world.carried_out(serial, "2001", input);
        told["trtinfo"][0].clone()
    };
    let there = told(2, &ask("med_type", "21"));
    assert_eq!(
        (&there["trt_enjymnt_flag"], &there["fund_pay_type"]),
        (&json!("1"), &json!("310100"))
    );
    assert_eq!(
        (&there["begndate"], &there["enddate"]),
        (&json!("2026-01-01"), &json!("2026-12-31"))
    );
    for (serial, (field, value)) in
        (10..).zip([("insutype", "390"), ("begntime", "2025-12-31"), ("begntime", "2027-01-01")])
    {
        let none = told(serial, &ask(field, value));
        assert_eq!(none["trt_enjymnt_flag"], "0", "{none}");
        assert_eq!(none["begndate"], Value::Null);
        assert!(none["trt_chk_rslt"].as_str().unwrap().contains('；'), "{none}");
    }
    for (serial, (field, value)) in
        (20..).zip([("psn_no", "0"), ("insutype", "x"), ("med_type", "99"), ("begntime", "1")])
    {
        let words = world.refused(serial, "2001", &ask(field, value));
        assert!(words.starts_with(&format!("data.{field}：")), "{words}");
    }
    world.clock.advance_millis(DAY_MILLIS);
    assert!(world.refused(30, "2001", &ask("insutype", "310")).contains("1101"));
}

#[test]
fn what_counted_so_far_is_told_on_the_day_of_the_identification() {
    let world = World::insured();
    let (known, id) = charged(&world);
    let ask = |month: &str| json!({ "data": { "psn_no": known.1, "cum_ym": month } });
    let before = world.carried_out(4, "5206", &ask(""));
    assert_eq!(before, json!({ "cuminfo": [] }));
    world.carried_out(5, "2207", &claim(&known, &id, "400"));
    let met = json!([{
        "insutype": "310", "year": "2026", "cum_ym": null, "cum_type_code": "1",
        "cum_type_name": null, "cum": "100.00"
    }]);
    assert_eq!(world.carried_out(6, "5206", &ask(""))["cuminfo"], met);
    assert_eq!(world.carried_out(7, "5206", &ask("2026"))["cuminfo"], met);
    assert_eq!(world.carried_out(8, "5206", &ask("2025"))["cuminfo"], json!([]));
    assert!(world.refused(9, "5206", &ask("20x6")).contains("data.cum_ym"));
    world.clock.advance_millis(DAY_MILLIS);
    assert!(world.refused(10, "5206", &ask("")).contains("1101"));
}

#[test]
fn chronic_care_is_told_as_groups_and_never_as_diseases() {
    let world = World::insured();
    let known = identified(&world, 1);
    let ask = json!({ "data": { "psn_no": known.1 } });
    assert_eq!(world.carried_out(2, "5301", &ask), json!({ "feedetail": [] }));
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31" });
    world.accepted(
        &[organisation("bureau")],
        "assign_slot",
        json!({
            "person": id_of(person(1)), "region": 620_100, "scheme": 310, "slot": 1, "group": 2,
            "period": year, "commitment": "07".repeat(32)
        }),
    );
    let told = world.carried_out(3, "5301", &ask);
    assert_eq!(told["feedetail"][0]["opsp_dise_code"], "2", "{told}");
    assert_eq!(told["feedetail"][0]["enddate"], "2026-12-31");
}
