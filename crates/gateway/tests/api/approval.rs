//! Payments above a person's limits: they wait for the second person, who agrees on the own phone.

use primitives::Party;
use serde_json::{Value, json};

use crate::desk_act::{act, identity};
use crate::family::familial;
use crate::notice::own_path;
use crate::support::insured::VISIT;
use crate::support::wallets::{Cash, joined, new_request_to};
use crate::support::{Answered, Ask, REGION, World, id_of, organisation, person};

/// Person 2 is the second person of person 1, above 0.01 at once.
fn world() -> World {
    let world = familial(World::insured());
    let rules = json!({
        "relations": [{ "number": 1, "name": "parent" }], "transfers_per_day_max": 2,
        "transfer_max": "2000", "claim_days": 1, "to_other_regions": true,
        "source": "made up for tests"
    });
    let rules = json!({ "region": REGION, "rules": rules });
    world.accepted(&[organisation("bureau")], "set_transfer_rules", rules);
    let bind = json!({
        "payer": id_of(person(1)), "member": id_of(person(2)), "relation": 1,
        "agreement": "own_key"
    });
    world.accepted(&[person(1), person(2)], "bind_member", bind);
    world.accepted(&[person(1)], "set_payment_limits", limits("1"));
    world
}

fn limits(most: &str) -> Value {
    let approver = id_of(person(2));
    let limits = json!({ "payment_max": most, "day_max": most, "approver": approver });
    json!({ "person": id_of(person(1)), "by": "own_key", "limits": limits })
}

fn transfer(world: &World) -> ledger::Content {
    let body = json!({
        "sender": id_of(person(1)), "receiver": id_of(person(2)), "relation": 1, "amount": "1500"
    });
    world.content(person(1), "send_transfer", body)
}

/// Person 1 asks with the own signature.
fn asks(world: &World, content: &ledger::Content) -> Answered {
    let body = world.submission(content, &[person(1)]);
    let token = world.token(person(1));
    world.ask(&Ask::post(own_path(1, "/family-requests"), &body).token(&token))
}

fn agrees(world: &World, content: &ledger::Content, party: Party) -> Answered {
    let signed = world.authorise(content, party, &party.to_string());
    let path = format!("/v1/family-requests/{}/confirmations", content.id());
    let body = json!({ "authorisation": signed });
    world.ask(&Ask::post(path, &body).token(&world.token(party)))
}

fn held(world: &World) -> Value {
    let token = world.token(person(1));
    world.ask(&Ask::get(own_path(1, "")).token(&token)).expect(200).json()["limits"].clone()
}

#[test]
fn above_the_limits_a_payment_waits_for_the_second_person() {
    let world = world();
    let content = transfer(&world);
    let alone = world.submit(&content, &[person(1)]).token(&world.token(person(1)));
    world.ask(&alone).problem(422, "approval_missing");
    let asked = asks(&world, &content).expect(201).json();
    assert_eq!(asked["member"]["person"], id_of(person(2)));
    assert_eq!(asked["asked"]["kind"], "send_transfer");
    agrees(&world, &content, person(1)).problem(404, "not_found");
    let receipt = agrees(&world, &content, person(2)).expect(201).json();
    assert_eq!(receipt["receipt"]["outcome"]["status"], "accepted");
    assert_eq!(held(&world)["left_today"], "1", "what was agreed to counts against no day");
}

#[test]
fn what_the_second_person_refuses_is_not_paid() {
    let world = world();
    let content = transfer(&world);
    asks(&world, &content).expect(201);
    let path = format!("/v1/family-requests/{}", content.id());
    world.ask(&Ask::delete(path).token(&world.token(person(2)))).expect(204);
    agrees(&world, &content, person(2)).problem(404, "not_found");
    let path = format!("/v1/transactions/{}", content.id());
    let token = world.token(person(1));
    world.ask(&Ask::get(path).token(&token)).problem(404, "not_found");
}

#[test]
fn only_what_lacks_the_second_person_is_asked() {
    let world = world();
    world.accepted(&[person(1), person(2)], "set_payment_limits", limits("9000"));
    asks(&world, &transfer(&world)).problem(422, "invalid_field");
    let too_much = json!({
        "sender": id_of(person(1)), "receiver": id_of(person(2)), "relation": 1, "amount": "2001"
    });
    let too_much = world.content(person(1), "send_transfer", too_much);
    asks(&world, &too_much).problem(422, "transfer_above_limit");
    let unknown = new_request_to(&world, VISIT, Cash::Till, &json!({ "form": "own_key" })).0;
    asks(&world, &unknown).problem(422, "invalid_field");
}

#[test]
fn a_bill_above_the_limits_is_settled_once_both_have_signed() {
    let world = world();
    let hospital = world.token(organisation("hospital"));
    let consent = json!({ "form": "own_key" });
    let (content, body) = new_request_to(&world, VISIT, Cash::Till, &consent);
    let path = format!("/v1/visits/{VISIT}/requests");
    world.ask(&Ask::post(path, &body).token(&hospital)).expect(201);
    let signed = world.authorise(&content, person(1), &person(1).to_string());
    let confirmation = json!({ "authorisation": signed });
    let path = format!("/v1/requests/{}", content.id());
    let confirm = Ask::post(format!("{path}/confirmations"), &confirmation);
    world.ask(&confirm.token(&world.token(person(1)))).problem(422, "approval_missing");
    let asked = asks(&world, &content).expect(201).json();
    assert_eq!(asked["asked"]["kind"], "settle_visit");
    let receipt = agrees(&world, &content, person(2)).expect(201).json();
    assert_eq!(receipt["receipt"]["outcome"]["status"], "accepted");
    let request = world.ask(&Ask::get(&path).token(&world.token(person(1)))).expect(200).json();
    assert_eq!(request["standing"]["standing"], "settled");
}

#[test]
fn a_bill_that_was_taken_back_is_agreed_to_no_more() {
    let world = world();
    let hospital = world.token(organisation("hospital"));
    let consent = json!({ "form": "own_key" });
    let (content, body) = new_request_to(&world, VISIT, Cash::Till, &consent);
    let path = format!("/v1/visits/{VISIT}/requests");
    world.ask(&Ask::post(path, &body).token(&hospital)).expect(201);
    asks(&world, &content).expect(201);
    let path = format!("/v1/requests/{}", content.id());
    world.ask(&Ask::delete(path).token(&hospital)).expect(204);
    agrees(&world, &content, person(2)).problem(409, "request_over");
}

#[test]
fn higher_limits_hold_at_once_when_the_second_person_agrees() {
    let world = world();
    let content = world.content(person(1), "set_payment_limits", limits("500"));
    asks(&world, &content).expect(201);
    agrees(&world, &content, person(2)).expect(201);
    assert_eq!(held(&world)["present"]["payment_max"], "500");
    world.accepted(&[person(1)], "set_payment_limits", limits("600"));
    let held = held(&world);
    assert_eq!(held["present"]["payment_max"], "500");
    assert_eq!(held["waiting"]["limits"]["payment_max"], "600");
}

#[test]
fn a_desk_ends_the_limits_of_whoever_shows_the_card() {
    let world = familial(World::insured());
    let newcomer = joined(&world);
    let party = Party::Person(newcomer);
    let signed_in = world.ask(&world.sign_in_with(party, "newcomer")).expect(201).json();
    let token = signed_in["token"].as_str().unwrap().to_owned();
    let does = |kind: &str, body: Value, others: &[Party]| {
        let content = world.content(party, kind, body);
        let mut sent = world.submission(&content, others);
        let own = json!(world.authorise(&content, party, "newcomer"));
        sent["authorisations"].as_array_mut().unwrap().push(own);
        let key = json!(content.idempotency_key);
        let ask =
            Ask::post("/v1/transactions", &sent).with("idempotency-key", key.as_str().unwrap());
        let answer = world.ask(&ask.token(&token)).expect(201);
        assert_eq!(answer.json()["receipt"]["outcome"]["status"], "accepted");
    };
    let relative = id_of(person(2));
    let bind = json!({
        "payer": newcomer, "member": relative, "relation": 1, "agreement": "own_key"
    });
    does("bind_member", bind, &[person(2)]);
    let limits = json!({ "payment_max": "1", "day_max": "1", "approver": relative });
    let set = json!({ "person": newcomer, "by": "own_key", "limits": limits });
    does("set_payment_limits", set, &[]);

    let bureau = world.token(organisation("bureau"));
    let at_desk = |body: &Value| {
        let path = "/v1/organisations/bureau/desk-acts";
        world.ask(&Ask::post(path, body).token(&bureau))
    };
    let end = json!({ "person": newcomer, "by": "desk", "limits": null });
    let end = world.content(organisation("bureau"), "set_payment_limits", end);
    let mut sent = act(&world, &end, "asked_by_person");
    let refused = at_desk(&sent).problem(422, "invalid_field");
    assert_eq!(refused["field"], "identity");
    sent["identity"] = identity();
    at_desk(&sent).expect(201);
    let row = Ask::get(format!("/v1/persons/{newcomer}")).token(&token);
    let row = world.ask(&row).expect(200).json();
    assert!(row["limits"]["present"].is_null() || row.get("limits").is_none(), "{row}");
    let acts = Ask::get(format!("/v1/persons/{newcomer}/desk-acts")).token(&token);
    let acts = world.ask(&acts).expect(200).json();
    assert_eq!(acts["acts"][0]["kind"], "set_payment_limits");
}
