//! How a region pays its providers, as those see it who pay and who are paid.

use primitives::{Hash, Party, sha256};
use serde_json::{Value, json};

use crate::support::insured::{VISIT, settle};
use crate::support::{Ask, REGION, World, organisation};

/// The path of a region's clearing.
pub fn path(rest: &str) -> String {
    format!("/v1/regions/{REGION}/clearing{rest}")
}

fn lines() -> Value {
    json!([{ "provider": "hospital", "amount": "100", "account": Hash([7; 32]) }])
}

/// The same world with rules, `hospital`'s December stated, and a batch of 1.00 proposed.
pub fn cleared(world: World) -> World {
    let bureau = [organisation("bureau")];
    let rules = json!({
        "hold_back": "5%", "pay_within_days": 30, "clear_within_days": 5, "source": "test"
    });
    world.accepted(&bureau, "set_clearing_rules", json!({ "region": REGION, "rules": rules }));
    let months = ["5000"; 12];
    let budget =
        json!({ "region": REGION, "provider": "hospital", "year": 2025, "months": months });
    world.accepted(&bureau, "set_provider_budget", budget);
    let december = json!({ "year": 2025, "month": 12 });
    let close = json!({ "region": REGION, "provider": "hospital", "month": december });
    world.accepted(&bureau, "close_month", close);
    let batch =
        json!({ "region": REGION, "batch": 1, "execute_on": "2026-01-12", "lines": lines() });
    world.accepted(&bureau, "propose_payout", batch);
    world
}

fn read(world: &World, party: Party, rest: &str) -> Value {
    let ask = Ask::get(path(rest)).token(&world.token(party));
    world.ask(&ask).expect(200).json()
}

#[test]
fn a_payment_is_followed_from_the_statement_to_the_bank_and_the_closed_day() {
    let world = World::insured();
    settle(&world, VISIT);
    let world = cleared(world);
    let (bureau, regulator) = (organisation("bureau"), organisation("regulator"));
    let hospital = organisation("hospital");
    let clearing = read(&world, bureau, "");
    assert_eq!(clearing, read(&world, regulator, ""), "who supervises sees the same");
    assert_eq!(
        (&clearing["last_batch"], &clearing["rules"]["hold_back"]),
        (&json!(1), &json!("5%"))
    );
    let own = read(&world, hospital, "/providers/hospital");
    assert_eq!(clearing["providers"], json!([own["books"]]));
    let statement = &own["statements"][0];
    assert_eq!(statement["month"], json!({ "year": 2025, "month": 12 }));
    let fen = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    let (held, payable) = (fen(&statement["held_back"]), fen(&statement["payable"]));
    assert_eq!(fen(&statement["settled"]), held + payable);
    assert_eq!(held, fen(&statement["settled"]) * 5 / 100);
    assert_eq!(own["books"]["payable"], statement["payable"]);
    assert_eq!(own["books"]["settled"], statement["settled"], "of the month stated last");
    assert_eq!(own["books"]["budget"], json!("5000"));
    assert_eq!(own["years"][0]["held"]["held"], statement["held_back"]);

    let batch = read(&world, regulator, "/batches/1");
    assert_eq!(
        (&batch["standing"], &batch["lines"][0]["standing"]),
        (&json!("proposed"), &json!("waiting"))
    );
    let approve = json!({
        "region": REGION, "batch": 1, "lines": batch["lines_hash"], "approver": "regulator"
    });
    world.accepted(&[regulator], "approve_payout", approve);
    let own = read(&world, hospital, "/providers/hospital");
    assert_eq!(
        (fen(&own["books"]["payable"]), &own["books"]["in_payment"]),
        (payable - 100, &json!("100"))
    );
    let word =
        json!({ "word": "paid", "amount": "100", "day": "2026-01-09", "reference": sha256(b"r") });
    let results = json!([{ "line": 0, "word": word }]);
    let record = json!({ "region": REGION, "batch": 1, "results": results });
    world.accepted(&[bureau], "record_payout_results", record);
    let line = &read(&world, bureau, "/batches/1")["lines"][0];
    assert_eq!((&line["standing"], &line["day"]), (&json!("paid"), &json!("2026-01-09")));

    let open = read(&world, bureau, "/days/2026-01-09");
    assert_eq!((&open["is_even"], &open["closed"]), (&json!(false), &Value::Null));
    let close = json!({
        "region": REGION, "day": "2026-01-09", "statement": sha256(b"file"),
        "bank": open["totals"], "differences": []
    });
    world.accepted(&[bureau], "close_bank_day", close);
    let closed = read(&world, regulator, "/days/2026-01-09");
    assert_eq!((&closed["is_even"], &closed["closed"]["items"]), (&json!(true), &json!([])));
}

#[test]
fn a_provider_without_statements_has_none_and_a_batch_that_is_not_there_is_not_found() {
    let world = World::insured();
    let bureau = organisation("bureau");
    let own = read(&world, organisation("other"), "/providers/other");
    assert_eq!((&own["statements"], &own["years"]), (&json!([]), &json!([])));
    assert_eq!(own["books"]["last"], Value::Null);
    let ask = Ask::get(path("/batches/1")).token(&world.token(bureau));
    world.ask(&ask).problem(404, "not_found");
}
