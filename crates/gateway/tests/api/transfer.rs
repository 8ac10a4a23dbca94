//! Money from wallet to wallet through the gateway: what each side sees, and who is told.

use adapters::clock::Clock as _;
use gateway::Port as _;
use primitives::{Hash, Party};
use serde_json::{Value, json};

use crate::desk_act::act;
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

/// What the bureau's desk sends to claim or take back for somebody.
fn at_desk(world: &World, kind: &str, body: Value) -> Value {
    let content = world.content(organisation("bureau"), kind, body);
    act(world, &content, "asked_by_person")
}

#[test]
fn a_desk_claims_and_takes_back_for_who_has_no_phone_and_says_why() {
    let world = world();
    for amount in ["1500", "100"] {
        world.accepted(&[person(1)], "send_transfer", body(amount));
    }
    let bureau = world.token(organisation("bureau"));
    // The desk finds what waits where the two find it.
    let theirs = list(&world, 2, organisation("bureau"));
    let [small, large] = [0, 1].map(|at| theirs["received"][at]["transfer"].clone());
    let ask = |body: &Value, token: &str| {
        world.ask(&Ask::post("/v1/organisations/bureau/desk-acts", body).token(token))
    };
    let claim = |transfer: &Value, actor: &str| {
        let receiver = id_of(person(2));
        json!({ "transfer": transfer, "receiver": receiver, "actor": actor })
    };
    let own_key = at_desk(&world, "claim_transfer", claim(&large, "own_key"));
    let refused = ask(&own_key, &bureau).problem(422, "invalid_change");
    assert_eq!(refused["field"], "content.body.actor");
    let claiming = at_desk(&world, "claim_transfer", claim(&large, "desk"));
    let hospital = world.token(organisation("hospital"));
    ask(&claiming, &hospital).problem(403, "not_yours");
    ask(&claiming, &world.token(person(1))).problem(403, "not_yours");
    ask(&claiming, &bureau).expect(201);
    assert_eq!(balance(&world, 2)["available"], "1500");
    let back = json!({ "transfer": small, "sender": id_of(person(1)), "actor": "desk" });
    ask(&at_desk(&world, "withdraw_transfer", back.clone()), &bureau).expect(201);
    assert_eq!(balance(&world, 1)["held"], "0");
    // What came back is not claimed, and a refusal leaves no reason behind.
    ask(&at_desk(&world, "withdraw_transfer", back), &bureau).problem(422, "transfer_came_back");
    let lost = at_desk(&world, "claim_transfer", claim(&small, "desk"));
    ask(&lost, &bureau).problem(422, "transfer_came_back");
    for (number, kind) in [(1, "withdraw_transfer"), (2, "claim_transfer")] {
        let path = own_path(number, "/desk-acts");
        let acts = world.ask(&Ask::get(path).token(&world.token(person(number)))).expect(200);
        let acts = acts.json()["acts"].as_array().unwrap().clone();
        assert_eq!(acts.len(), 1);
        assert_eq!(
            (&acts[0]["kind"], &acts[0]["reason"]),
            (&json!(kind), &json!("asked_by_person"))
        );
    }
}

#[test]
fn a_guardian_sees_what_waits_for_the_ward_and_claims_it() {
    let world = world();
    let day = primitives::CivilDate::from_ymd(2026, 1, 1).unwrap();
    let guardian = json!({
        "person": id_of(person(2)), "guardian": id_of(person(1)),
        "period": { "from": day, "to": null }, "ground": "own_wish"
    });
    world.accepted(&[person(2)], "set_guardian", guardian);
    world.accepted(&[person(1)], "send_transfer", body("1500"));
    let seen = list(&world, 2, person(1));
    let transfer = seen["received"][0]["transfer"].clone();
    let claim = json!({
        "transfer": transfer, "receiver": id_of(person(2)),
        "actor": { "guardian": id_of(person(1)) }
    });
    world.accepted(&[person(1)], "claim_transfer", claim);
    assert_eq!(list(&world, 2, person(1))["received"][0]["standing"]["state"], "claimed");
    let path = own_path(1, "/transfers");
    let stranger = Ask::get(path).token(&world.token(person(2)));
    world.ask(&stranger).problem(403, "not_yours");
}

#[test]
fn both_read_on_their_receipts_who_sent_whom_how_much() {
    let world = world();
    let index = world.accepted(&[person(1)], "send_transfer", body("1500"));
    let field = |receipt: &Value, name: &str| {
        let fields = receipt["fields"].as_array().unwrap().clone();
        fields.into_iter().find(|one| one["name"] == name).unwrap()["value"]["value"].clone()
    };
    for number in [1, 2] {
        let ask = Ask::get(format!("/v1/receipts/{index}")).token(&world.token(person(number)));
        let receipt = world.ask(&ask).expect(200).json();
        assert_eq!(field(&receipt, "amount")["amount"], "1500");
        assert_eq!(field(&receipt, "sender"), json!(person(1)));
        assert_eq!(field(&receipt, "receiver"), json!(person(2)));
    }
}
