//! A premium season over the API: what each side may know, and a payment to its end.

use primitives::{Party, sha256};
use serde_json::{Value, json};

use crate::support::{Ask, REGION, World, id_of, organisation, person};

pub const SEASON: &str = "/v1/regions/620100/schemes/390/premium-seasons/2027";

/// The season's id in bodies.
fn season() -> Value {
    json!({ "region": REGION, "scheme": 390, "year": 2027 })
}

/// A world in which person 1 owes 400 yuan for 2027.
pub fn seasonal(world: World) -> World {
    let bureau = organisation("bureau");
    let fund = json!({
        "region": REGION, "fund": 39, "owner": "bureau", "purpose": "pooled_fund", "floor": "0"
    });
    world.accepted(&[bureau], "open_fund", fund);
    let year = json!({ "from": "2027-01-01", "to": "2027-12-31" });
    let terms = json!({
        "fund": 39, "collector": "bureau", "cover": year,
        "window": { "from": "2026-01-01", "to": "2026-12-31" },
        "classes": [{
            "number": 1, "name": "full", "amount": "40000", "late_amount": "110000",
            "repair_amount": "38000"
        }],
        "lock_minutes": 20, "locks_per_payer": 5, "locks_per_record": 5,
        "waiting": {
            "months": 3, "per_further_year": 1, "long_break_years": 4, "long_break_months": 6
        },
        "source": "made up for tests"
    });
    let body = json!({ "season": season(), "terms": terms });
    world.accepted(&[bureau], "set_premium_season", body);
    let facts = json!({
        "period": year, "age": { "from": 30, "below": 40 }, "sex": "female", "person_classes": []
    });
    let row = json!({ "person": id_of(person(1)), "class": 1, "facts": facts });
    let body = json!({ "season": season(), "rows": [row] });
    world.accepted(&[bureau], "register_premiums", body);
    world
}

fn premium(world: &World, asker: Party) -> Value {
    let path = format!("{SEASON}/persons/{}", id_of(person(1)));
    world.ask(&Ask::get(path).token(&world.token(asker))).expect(200).json()
}

fn lock(world: &World, payer: Party) {
    let body = json!({
        "season": season(), "person": id_of(person(1)), "payer": payer, "channel": "bank"
    });
    world.accepted(&[organisation("bank")], "lock_premium", body);
}

#[test]
fn the_terms_of_a_season_are_public() {
    let world = seasonal(World::new());
    let terms = world.ask(&Ask::get(SEASON)).expect(200).json();
    assert_eq!(terms["classes"][0]["amount"], "40000");
    world.ask(&Ask::get(SEASON.replace("2027", "2031"))).problem(404, "not_found");
}

#[test]
fn a_stranger_learns_payable_or_not_and_the_payer_the_amount() {
    let world = seasonal(World::new());
    let own = premium(&world, person(1));
    assert_eq!(own["details"]["due"]["amount"], "40000");
    assert_eq!(own["details"]["standing"], json!({ "standing": "due" }));
    assert_eq!(premium(&world, person(2)), json!({ "payable": true }));
    let path = format!("{SEASON}/persons/{}", "0e".repeat(16));
    let nobody = world.ask(&Ask::get(path).token(&world.token(person(2)))).json();
    assert_eq!(nobody, json!({ "payable": false }));
    lock(&world, person(2));
    assert_eq!(premium(&world, person(2))["details"]["due"]["amount"], "40000");
    assert_eq!(premium(&world, organisation("other")), json!({ "payable": false }));
    assert_eq!(premium(&world, person(1))["details"]["standing"]["channel"], "bank");
}

#[test]
fn a_premium_is_paid_once_and_covers() {
    let world = seasonal(World::new());
    let cash = json!({
        "executor": "bureau", "rail": "bank", "authorisation": sha256(b"authorisation")
    });
    let body = json!({
        "season": season(), "payer": person(2), "channel": "bureau", "cash": cash,
        "items": [{ "person": id_of(person(1)), "amount": "40000" }]
    });
    let signers = [person(2), organisation("bureau")];
    let content = world.content(signers[0], "pay_premiums", body.clone());
    let token = world.token(signers[0]);
    let submit = |content| world.ask(&world.submit(content, &signers).token(&token));
    let receipt = submit(&content).expect(201).json();
    let ordered = &receipt["receipt"]["effects"][0];
    assert_eq!(ordered["amount"], "40000", "{receipt}");
    let word = json!({
        "effect": ordered["reference"], "result": { "outcome": "done", "amount": "40000" },
        "rail_reference": sha256(b"rail")
    });
    world.accepted(&[organisation("bureau")], "confirm_effect", word);
    let own = premium(&world, person(1));
    assert_eq!(own["details"]["standing"]["benefits_from"], "2027-01-01", "{own}");
    let again = world.content(signers[0], "pay_premiums", body);
    submit(&again).problem(422, "premium_already_paid");
    let path = format!("/v1/persons/{}/coverages", id_of(person(1)));
    let covers = world.ask(&Ask::get(path).token(&world.token(person(1)))).expect(200).json();
    assert_eq!(covers["coverages"][0]["scheme"], 390, "{covers}");
}
