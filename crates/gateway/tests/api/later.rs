//! What a refund changes for later settlements: shown to the person and the bureau, and taken by
//! them.

use primitives::{Party, VisitId};
use serde_json::{Value, json};

use crate::support::insured::{VISIT, settle, settle_at};
use crate::support::{Ask, World, id_of, organisation, person};

/// A later visit of the same person at another provider.
const LATER: VisitId = VisitId([0x1a; 16]);

fn path() -> String {
    format!("/v1/persons/{}/visits/{VISIT}/later", id_of(person(1)))
}

fn ask(world: &World, party: Party) -> crate::support::Answered {
    world.ask(&Ask::get(path()).token(&world.token(party)))
}

/// Gives the first visit back as a whole.
fn refund(world: &World, settled: &Value) {
    let confirm = |receipt: &Value| {
        let effect = &receipt["effects"][0];
        let body = json!({
            "effect": effect["reference"], "result": { "outcome": "done", "amount": effect["amount"] },
            "rail_reference": "00".repeat(32)
        });
        world.accepted(&[organisation("hospital")], "confirm_effect", body);
    };
    confirm(settled);
    let token = world.token(organisation("hospital"));
    let visit = world.ask(&Ask::get(format!("/v1/visits/{VISIT}")).token(&token)).expect(200);
    let nothing = json!({
        "total": "0", "self_paid": "0", "over_cap": "0", "class_b_share": "0", "in_policy": "0",
        "deductible": "0", "payers": [], "personal_account": "0", "cash": "0"
    });
    let body = json!({
        "original": visit.json()["record"], "bill": "00".repeat(32), "remaining": [],
        "split": nothing
    });
    world.accepted(&[organisation("hospital"), organisation("bureau")], "refund_visit", body);
}

/// The person's visit at `hospital`, then one at `other`; the first is given back.
fn given() -> World {
    let world = World::insured();
    let first = settle(&world, VISIT);
    world.check_in_at(LATER, "other");
    settle_at(&world, LATER, "other");
    refund(&world, &first);
    world
}

#[test]
fn the_person_sees_what_changes_and_takes_it_with_the_bureau() {
    let world = given();
    let offer = ask(&world, person(1)).expect(200).json();
    // The deductible of 100.00 falls on the later visit, of which the pool paid half.
    assert_eq!((&offer["from_person"], &offer["to_person"]), (&json!("5000"), &json!("0")));
    let settlement = &offer["settlements"][0];
    assert_eq!((&settlement["visit"], &settlement["provider"]), (&json!(LATER), &json!("other")));
    assert_eq!(settlement["own_share"], "20500");
    assert_eq!(settlement["own_share_then"], "25500");
    assert_eq!(settlement["direction"], "from_person");
    // The person finds the visit that changed among the own receipts.
    let token = world.token(person(1));
    let receipts = world.ask(&Ask::get("/v1/receipts?limit=200").token(&token)).expect(200).json();
    let receipts = receipts["receipts"].as_array().unwrap().clone();
    let refunded = receipts.iter().find(|one| one["events"] == json!(["visit_refunded"])).unwrap();
    assert_eq!(refunded["visit"], json!(VISIT));
    let body = offer["transaction"].clone();
    assert_eq!(body["consent"], json!({ "form": "own_key" }));
    let token = world.token(person(1));
    let content = world.content(person(1), "adjust_later_settlements", body);
    let submit = world.submit(&content, &[person(1), organisation("bureau")]).token(&token);
    let receipt = world.ask(&submit).expect(201).json()["receipt"].clone();
    assert_eq!(receipt["events"], json!(["later_settlements_adjusted"]));
    let after = ask(&world, person(1)).expect(200).json();
    assert_eq!(after["settlements"], json!([]));
    assert_eq!(after.get("transaction"), None);
    // Neither provider is told.
    for provider in ["hospital", "other"] {
        let token = world.token(organisation(provider));
        let receipts = world.ask(&Ask::get("/v1/receipts?limit=200").token(&token)).expect(200);
        assert!(!receipts.text().contains("adjust_later"), "{provider}: {}", receipts.text());
        let one = format!("/v1/receipts/{}", receipt["id"]);
        world.ask(&Ask::get(one).token(&token)).problem(404, "not_found");
    }
}

#[test]
fn it_is_shown_to_the_person_a_guardian_and_the_bureau_and_never_to_a_provider() {
    let world = given();
    let desk = ask(&world, organisation("bureau")).expect(200).json();
    assert_eq!(desk["transaction"]["consent"], json!({ "form": "desk_card" }));
    for provider in ["hospital", "other", "auditor"] {
        ask(&world, organisation(provider)).problem(404, "not_found");
    }
    ask(&world, person(2)).problem(403, "not_yours");
    world.accepted(
        &[person(1), person(2)],
        "set_guardian",
        json!({
            "person": id_of(person(1)), "guardian": id_of(person(2)), "ground": "own_wish",
            "period": { "from": "2026-01-01", "to": "2026-01-20" }
        }),
    );
    let guardian = ask(&world, person(2)).expect(200).json();
    let consent = json!({ "form": "guardian", "guardian": id_of(person(2)) });
    assert_eq!(guardian["transaction"]["consent"], consent);
    // Under another person's name nothing is found.
    let other = format!("/v1/persons/{}/visits/{VISIT}/later", id_of(person(2)));
    world.ask(&Ask::get(other).token(&world.token(person(2)))).problem(404, "not_found");
}

#[test]
fn a_visit_that_was_not_changed_changes_nothing() {
    let world = World::insured();
    settle(&world, VISIT);
    let offer = ask(&world, person(1)).expect(200).json();
    assert_eq!(offer["settlements"], json!([]));
    let open = format!("/v1/persons/{}/visits/{LATER}/later", id_of(person(1)));
    world.check_in_at(LATER, "other");
    world.ask(&Ask::get(open).token(&world.token(person(1)))).problem(404, "not_found");
}
