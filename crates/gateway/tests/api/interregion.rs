//! What regions owe each other, as the bureaus of both see it.

use primitives::{Party, VisitId, sha256};
use serde_json::{Value, json};

use crate::support::insured::settle_at;
use crate::support::{Ask, REGION, World, genesis, governing, organisation};

/// The region of care.
pub const CARE: u32 = 610_100;
/// Person 1's visit there.
const THERE: VisitId = VisitId([0x2e; 16]);

/// The path of what the insured region owes the region of care.
pub fn path(rest: &str) -> String {
    format!("/v1/interregion/{REGION}/{CARE}{rest}")
}

/// The same world with a region next door whose hospital settled a visit of person 1, and has
/// stated it.
pub fn next_door(world: World) -> World {
    world.admit_in("next-door", "bureau", CARE);
    let settings = json!(genesis().regions[0].settings);
    let open = json!({
        "region": CARE, "bureau": "next-door", "currency": "CNY", "settings": settings
    });
    world.accepted(&governing(), "open_region", open);
    world.admit_in("far", "provider", CARE);
    let rules = json!({ "answer_within_days": 10, "pay_within_days": 30, "source": "test" });
    for (region, bureau) in [(REGION, "bureau"), (CARE, "next-door")] {
        let body = json!({ "region": region, "from": "2026-01-01", "rules": rules });
        world.accepted(&[organisation(bureau)], "set_interregion_rules", body);
    }
    world.check_in_at(THERE, "far");
    settle_at(&world, THERE, "far");
    let december = json!({ "year": 2025, "month": 12 });
    let close = json!({ "care": CARE, "insured": REGION, "month": december });
    world.accepted(&[organisation("next-door")], "close_interregion_month", close);
    world
}

fn read(world: &World, party: Party, path: &str) -> Value {
    let ask = Ask::get(path).token(&world.token(party));
    world.ask(&ask).expect(200).json()
}

fn fen(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn both_bureaus_see_the_same_statement_and_its_money_until_it_is_back() {
    let world = next_door(World::insured());
    let (bureau, care) = (organisation("bureau"), organisation("next-door"));
    let regulator = organisation("regulator");
    let own = read(&world, bureau, &format!("/v1/regions/{REGION}/interregion"));
    let there = read(&world, care, &format!("/v1/regions/{CARE}/interregion"));
    assert_eq!(own["rules"], there["rules"]);
    let owed = &own["counterparts"][0];
    assert_eq!((&owed["region"], &owed["bureau"]), (&json!(CARE), &json!("next-door")));
    assert_eq!(owed["owed"], there["counterparts"][0]["advanced"]);
    assert_eq!(owed["advanced"]["items"], json!(0));
    assert_eq!((&owed["owed"]["waits"], &owed["owed"]["unstated"]), (&json!(true), &json!(0)));

    let statement = path("/statements/2025/12");
    let stated = read(&world, bureau, &statement);
    assert_eq!(stated, read(&world, care, &statement));
    assert_eq!(stated, read(&world, regulator, &statement));
    assert_eq!(
        (&stated["adds_up"], &stated["statement"]["settlements"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(stated["items"][0]["visit"], json!(THERE));
    let payable = fen(&stated["statement"]["payable"]);
    assert_eq!(payable, fen(&owed["owed"]["advanced"]));
    let due = format!("/v1/regions/{CARE}/clearing/providers/far");
    let due = read(&world, organisation("far"), &due);
    assert_eq!(fen(&due["books"]["due"]), payable, "its own bureau pays the hospital");
    let behind = read(&world, bureau, &format!("{statement}?after=1"));
    assert_eq!((&behind["items"], &behind["adds_up"]), (&json!([]), &Value::Null));

    let december = json!({ "year": 2025, "month": 12 });
    let dispute = json!([{ "number": 1, "amount": "100", "reason": "wrong_amount" }]);
    let answer = json!({
        "insured": REGION, "care": CARE, "month": december, "disputed": dispute, "by": "bureau",
        "items": stated["statement"]["items"]
    });
    world.accepted(&[bureau], "answer_interregion_statement", answer);
    let item = &read(&world, care, &statement)["items"][0];
    assert_eq!(item["dispute"]["reason"], json!("wrong_amount"));
    let now = read(&world, care, &path(""));
    assert_eq!(now["today"], there["today"], "in the calendar of the region of care");
    assert_eq!(
        (&now["standing"]["disputed"], &now["standing"]["open"]),
        (&json!("100"), &json!("0"))
    );
    assert_eq!(fen(&now["standing"]["payable"]), payable - 100);
    assert_eq!(now["statements"][0]["answer"]["agreed"], now["standing"]["payable"]);

    // What is payable to the other bureau stands among what the region pays.
    let rules = json!({
        "hold_back": "5%", "pay_within_days": 30, "clear_within_days": 5, "source": "test"
    });
    world.accepted(&[bureau], "set_clearing_rules", json!({ "region": REGION, "rules": rules }));
    let clearing = read(&world, bureau, &format!("/v1/regions/{REGION}/clearing"));
    let line = &clearing["providers"][0];
    assert_eq!(line["organisation"], json!("next-door"));
    assert_eq!(fen(&line["payable"]), payable - 100);
    let lines = json!([{
        "provider": "next-door", "amount": line["payable"], "account": sha256(b"account")
    }]);
    let batch = json!({ "region": REGION, "batch": 1, "execute_on": "2026-01-12", "lines": lines });
    world.accepted(&[bureau], "propose_payout", batch);
    let batch = read(&world, bureau, &format!("/v1/regions/{REGION}/clearing/batches/1"));
    let approve = json!({
        "region": REGION, "batch": 1, "lines": batch["lines_hash"], "approver": "regulator"
    });
    world.accepted(&[regulator], "approve_payout", approve);
    let (amount, day) = (line["payable"].clone(), "2026-01-09");
    let word = json!({ "word": "paid", "amount": amount, "day": day, "reference": sha256(b"r") });
    let results = json!([{ "line": 0, "word": word }]);
    let record = json!({ "region": REGION, "batch": 1, "results": results });
    world.accepted(&[bureau], "record_payout_results", record);
    assert_eq!(read(&world, care, &path(""))["standing"]["under_way"], amount);
    let confirm = json!({
        "care": CARE, "insured": REGION, "amount": amount, "day": day, "reference": sha256(b"in")
    });
    world.accepted(&[care], "confirm_region_payment", confirm);
    let left = read(&world, bureau, &path(""))["standing"].clone();
    assert_eq!((&left["advanced"], &left["under_way"]), (&json!("100"), &json!("0")));
}

#[test]
fn what_is_not_between_two_regions_is_not_found_or_not_ones_own() {
    let world = next_door(World::insured());
    let bureau = organisation("bureau");
    let ask = |party: Party, path: String| world.ask(&Ask::get(path).token(&world.token(party)));
    // Both bureaus may know which months were stated.
    let unknown =
        ask(bureau, path("/statements/2026/1")).problem(422, "unknown_interregion_statement");
    let said = unknown["detail"].as_str().unwrap();
    assert!(said.contains("2026-01") && said.contains("2025-12"), "{said}");
    ask(organisation("far"), path("")).problem(403, "not_yours");
    ask(organisation("far"), path("/statements/2025/12")).problem(403, "not_yours");
    ask(organisation("next-door"), format!("/v1/regions/{REGION}/interregion"))
        .problem(403, "not_yours");
    ask(bureau, "/v1/interregion/1/2".to_owned()).problem(403, "not_yours");
    let nobody = read(&world, bureau, &format!("/v1/interregion/{CARE}/{REGION}"));
    assert_eq!((&nobody["statements"], &nobody["standing"]["items"]), (&json!([]), &json!(0)));
}
