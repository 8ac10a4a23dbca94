//! Money from wallet to wallet through the gateway: what each side sees, and who is told.

use adapters::clock::Clock as _;
use gateway::Port as _;
use primitives::{Hash, Party};
use serde_json::{Value, json};

use crate::family::familial;
use crate::notice::own_path;
use crate::support::events::Events;
use crate::support::{Ask, REGION, World, id_of, organisation, person};

const DAY_MILLIS: u64 = 24 * 3_600_000;

/// Person 1 may act for person 2, and the region has rules of transfers.
fn world() -> World {
    let world = familial(World::insured());
    let rules = json!({
        "relations": [{ "number": 1, "name": "parent" }], "transfers_per_day_max": 2,
        "transfer_max": "2000", "claim_days": 1, "to_other_regions": true,
        "source": "made up for tests"
    });
    let body = json!({ "region": REGION, "rules": rules });
    world.accepted(&[organisation("bureau")], "set_transfer_rules", body);
    let bind = json!({
        "payer": id_of(person(1)), "member": id_of(person(2)), "relation": 1,
        "agreement": "own_key"
    });
    world.accepted(&[person(1), person(2)], "bind_member", bind);
    world
}

fn body(amount: &str) -> Value {
    json!({
        "sender": id_of(person(1)), "receiver": id_of(person(2)), "relation": 1, "amount": amount
    })
}

fn list(world: &World, number: u8, asker: Party) -> Value {
    world
        .ask(&Ask::get(own_path(number, "/transfers")).token(&world.token(asker)))
        .expect(200)
        .json()
}

fn claim(transfer: &Value) -> Value {
    json!({ "transfer": transfer, "receiver": id_of(person(2)), "actor": "own_key" })
}

fn balance(world: &World, number: u8) -> Value {
    let ask = Ask::get(own_path(number, "/account")).token(&world.token(person(number)));
    world.ask(&ask).expect(200).json()
}

#[test]
fn both_sides_see_what_waits_and_what_became_of_it() {
    let world = world();
    world.accepted(&[person(1)], "send_transfer", body("1500"));
    let mine = list(&world, 1, person(1));
    assert_eq!((&mine["sent_today"], &mine["is_night"]), (&json!(1), &json!(false)));
    assert_eq!(mine["sent"][0]["relative"]["person"], id_of(person(2)));
    assert_eq!(mine["sent"][0]["standing"]["state"], "waiting");
    let account = balance(&world, 1);
    assert_eq!((&account["held"], &account["available"]), (&json!("1500"), &json!("3500")));
    let theirs = list(&world, 2, person(2));
    assert_eq!(theirs["received"][0]["amount"], "1500");
    let transfer = theirs["received"][0]["transfer"].clone();
    world.accepted(&[person(2)], "claim_transfer", claim(&transfer));
    assert_eq!(balance(&world, 2)["available"], "1500");
    let theirs = list(&world, 2, person(2));
    assert_eq!(theirs["received"][0]["standing"]["state"], "claimed");
    // The guide of what may be sent stands with the other rules of families.
    let rules = world.ask(&Ask::get(format!("/v1/regions/{REGION}/family-rules"))).expect(200);
    assert_eq!(rules.json()["transfer"]["transfer_max"], "2000");
    world.accepted(&[person(1)], "send_transfer", body("100"));
    world.port.pass_day();
    let mine = list(&world, 1, person(1));
    assert_eq!((&mine["sent_today"], mine["sent"].as_array().unwrap().len()), (&json!(0), 2));
    assert_eq!(mine["sent"][0]["standing"]["state"], "returned");
    assert_eq!(balance(&world, 1)["available"], "3500");
}

#[test]
fn a_receipt_shows_each_side_its_own_account_and_no_hospital_either() {
    let world = world();
    world.accepted(&[person(1)], "send_transfer", body("1500"));
    let transfer = list(&world, 2, person(2))["received"][0]["transfer"].clone();
    let index = world.accepted(&[person(2)], "claim_transfer", claim(&transfer));
    let path = format!("/v1/receipts/{index}");
    let entries = |who: Party| {
        let receipt = world.ask(&Ask::get(&path).token(&world.token(who))).expect(200).json();
        receipt["entries"].as_array().unwrap().len()
    };
    assert_eq!((entries(person(1)), entries(person(2))), (1, 1));
    let hospital = Ask::get(&path).token(&world.token(organisation("hospital")));
    world.ask(&hospital).problem(404, "not_found");
    let path = own_path(1, "/transfers");
    let hospital = Ask::get(path).token(&world.token(organisation("hospital")));
    world.ask(&hospital).problem(403, "not_yours");
}

/// How many notices person 1 has.
fn told(world: &World) -> usize {
    let Party::Person(one) = person(1) else { unreachable!("a person") };
    let wallet = world.port.wallet().unwrap();
    wallet.notices.post.book().notices_of(one, world.clock.now()).unwrap().len()
}

#[test]
fn a_sender_is_told_when_money_came_back_and_not_when_it_was_claimed_before() {
    let world = world();
    let choice = json!({ "wechat": false, "sms": false });
    let put = Ask { method: "PUT", ..Ask::post(own_path(1, "/notices"), &choice) };
    world.ask(&put.token(&world.token(person(1)))).expect(200);
    let mut heard =
        Events::answering(&world, &Ask::get("/v1/events").token(&world.token(person(1))));
    let mut hear = || heard.take(&world).unwrap();
    world.accepted(&[person(1)], "send_transfer", body("100"));
    hear();
    world.accepted(&[person(1)], "send_transfer", body("200"));
    hear();
    let first: Hash =
        list(&world, 2, person(2))["received"][1]["transfer"].as_str().unwrap().parse().unwrap();
    world.accepted(&[person(2)], "claim_transfer", claim(&json!(first)));
    hear();
    // Two were sent and one was claimed.
    assert_eq!(told(&world), 3);
    world.clock.advance_millis(DAY_MILLIS);
    assert_eq!(told(&world), 4, "the other one came back");
}
