//! Requests from a desk to a phone.

use ledger::Content;
use ledger::modules::visit::SettleVisit;
use primitives::{Party, codec};
use serde_json::{Value, json};

use crate::support::insured::{VISIT, bill};
use crate::support::keys::{public, sign};
use crate::support::wallets::{Cash, confirmation, new_request, send_request, sent};
use crate::support::{Answered, Ask, World, id_of, organisation, person};

fn hospital() -> Party {
    organisation("hospital")
}

fn send(world: &World, body: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/visits/{VISIT}/requests"), body);
    world.ask(&ask.token(&world.token(hospital())))
}

fn standing(world: &World, content: &Content, party: Party) -> Value {
    let ask = Ask::get(format!("/v1/requests/{}", content.id()));
    world.ask(&ask.token(&world.token(party))).expect(200).json()["standing"].clone()
}

fn confirm(world: &World, content: &Content, body: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/requests/{}/confirmations", content.id()), body);
    world.ask(&ask.token(&world.token(person(1))))
}

#[test]
fn a_desk_asks_and_the_person_confirms_what_the_wallet_computes() {
    let world = World::insured();
    let content = send_request(&world, VISIT);
    let list = Ask::get(format!("/v1/persons/{}/requests", id_of(person(1))));
    let list = world.ask(&list.token(&world.token(person(1)))).expect(200).json();
    let request = &list["requests"][0];
    assert_eq!(request["request"], json!(content.id()));
    assert_eq!(request["standing"]["standing"], "waiting");
    // From what is shown the wallet computes the same id.
    let body: SettleVisit = serde_json::from_value(request["body"].clone()).unwrap();
    let head = |field: &str| request["head"][field].clone();
    let computed = Content {
        version: 1,
        chain_id: content.chain_id,
        author: serde_json::from_value(head("author")).unwrap(),
        idempotency_key: serde_json::from_value(head("idempotency_key")).unwrap(),
        valid_until: serde_json::from_value(head("valid_until")).unwrap(),
        kind: content.kind,
        body: codec::encode(&body),
    };
    assert_eq!(computed.id(), content.id());
    assert_eq!(request["bill"], bill().to_string());
    let answer = confirm(&world, &content, &confirmation(&world, &content)).expect(201).json();
    let receipt = &answer["receipt"]["id"];
    let settled = json!({ "standing": "settled", "receipt": receipt });
    assert_eq!(standing(&world, &content, person(1)), settled);
    assert_eq!(standing(&world, &content, hospital()), settled);
    // A second tap gives the same receipt.
    let again = confirm(&world, &content, &confirmation(&world, &content)).expect(200).json();
    assert_eq!(&again["receipt"]["id"], receipt);
    let list = Ask::get(format!("/v1/persons/{}/requests", id_of(person(1))));
    let list = world.ask(&list.token(&world.token(person(1)))).expect(200).json();
    assert_eq!(list, json!({ "requests": [] }));
    // The bill is in the vault, sealed for provider and bureau.
    let bills = Ask::get(format!("/v1/visits/{VISIT}/bills"));
    let bills = world.ask(&bills.token(&world.token(person(1)))).expect(200).json();
    assert_eq!(bills, json!({ "commitments": [body.bill] }));
}

#[test]
fn a_request_lacks_nothing_but_the_persons_signature() {
    let world = World::insured();
    let (content, body) = new_request(&world, VISIT, Cash::Till);
    let mut unsigned = body.clone();
    unsigned["authorisations"] = json!([]);
    send(&world, &unsigned).problem(422, "author_missing");
    let mut forged = body.clone();
    let signature = sign("other", &content.id());
    forged["authorisations"] =
        json!([{ "party": hospital(), "key": public("hospital"), "signature": signature }]);
    send(&world, &forged).problem(422, "invalid_signature");
    let mut complete = body.clone();
    let persons = confirmation(&world, &content)["authorisation"].clone();
    complete["authorisations"].as_array_mut().unwrap().push(persons);
    send(&world, &complete).problem(422, "invalid_request");
    send(&world, &body).expect(201);
}

/// What a desk sends for the content with another settlement in it.
fn altered(world: &World, content: &Content, alter: impl Fn(&mut Value)) -> Value {
    let body: SettleVisit = codec::decode(&content.body).unwrap();
    let mut form = json!(body);
    alter(&mut form);
    let body: SettleVisit = serde_json::from_value(form).unwrap();
    let content = Content { body: codec::encode(&body), ..content.clone() };
    sent(world, &content, &bill().to_string())
}

#[test]
fn a_bill_that_does_not_belong_to_its_sums_is_not_sent() {
    let world = World::insured();
    let (content, body) = new_request(&world, VISIT, Cash::Till);
    let mut other_bill = body.clone();
    other_bill["bill"] = json!(bill().to_string().replace("300", "299"));
    let problem = send(&world, &other_bill).problem(422, "bill_differs");
    assert_eq!(problem["field"], "content.body.bill");
    // The commitment is to these sums, but they are not this bill's.
    let sums = altered(&world, &content, |form| {
        form["sums"][0]["in_policy"] = json!("1");
        let sums: benefit::CategorySums = serde_json::from_value(form["sums"].clone()).unwrap();
        let text = bill().to_string();
        form["bill"] = json!(vault::commit_bill(&[5; 32], text.as_bytes(), &codec::encode(&sums)));
    });
    let problem = send(&world, &sums).problem(422, "bill_differs");
    assert_eq!(problem["field"], "content.body.sums");
    let split = altered(&world, &content, |form| form["split"]["cash"] = json!("1"));
    send(&world, &split).problem(422, "split_outdated");
}

#[test]
fn only_a_settlement_of_this_visit_by_the_persons_own_key_is_sent() {
    let world = World::insured();
    let (content, _) = new_request(&world, VISIT, Cash::Till);
    let refused = |body: &Value, words: &str| {
        let problem = send(&world, body).problem(422, "invalid_request");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    };
    let card = altered(&world, &content, |form| form["consent"] = json!({ "form": "desk_card" }));
    refused(&card, "必须由本人或亲属用自己的密钥同意");
    let other = altered(&world, &content, |form| form["visit"] = json!("0a".repeat(16)));
    refused(&other, "它结算的是另一次就诊");
    let lock = world.content(hospital(), "cancel_visit", json!({ "visit": VISIT }));
    refused(&sent(&world, &lock, "{}"), "settle_visit");
    let foreign = Content { author: organisation("other"), ..content.clone() };
    refused(&sent(&world, &foreign, "{}"), "发起者必须是该医疗机构");
    let chain = Content { chain_id: "another".parse().unwrap(), ..content.clone() };
    refused(&sent(&world, &chain, "{}"), "它属于另一个账本");
    let late = Content { valid_until: content.valid_until.plus_millis(16 * 60_000), ..content };
    refused(&sent(&world, &late, "{}"), "必须在半小时内到期");
}

#[test]
fn what_was_refused_taken_back_or_is_over_cannot_be_confirmed() {
    let world = World::insured();
    let refusal = |content: &Content| {
        let path = format!("/v1/requests/{}/refusals", content.id());
        let ask = Ask::post(path, &json!({ "reason": "wrong_bill" }));
        world.ask(&ask.token(&world.token(person(1))))
    };
    let withdrawal = |content: &Content| {
        let ask = Ask::delete(format!("/v1/requests/{}", content.id()));
        world.ask(&ask.token(&world.token(hospital())))
    };
    let refused = send_request(&world, VISIT);
    refusal(&refused).expect(204);
    let told = json!({ "standing": "refused", "reason": "wrong_bill" });
    assert_eq!(standing(&world, &refused, hospital()), told);
    withdrawal(&refused).problem(409, "request_over");
    let withdrawn = send_request(&world, VISIT);
    withdrawal(&withdrawn).expect(204);
    refusal(&withdrawn).problem(409, "request_over");
    let replaced = send_request(&world, VISIT);
    let last = send_request(&world, VISIT);
    assert_eq!(standing(&world, &replaced, person(1)), json!({ "standing": "withdrawn" }));
    for content in [&refused, &withdrawn, &replaced] {
        let body = confirmation(&world, content);
        confirm(&world, content, &body).problem(409, "request_over");
    }
    world.clock.advance_millis(16 * 60_000);
    assert_eq!(standing(&world, &last, hospital()), json!({ "standing": "over" }));
    confirm(&world, &last, &confirmation(&world, &last)).problem(409, "request_over");
}

#[test]
fn a_confirmation_is_the_persons_own_signature_of_this_request() {
    let world = World::insured();
    let content = send_request(&world, VISIT);
    let two = person(2);
    let foreign = json!({ "authorisation": world.authorise(&content, two, &two.to_string()) });
    let problem = confirm(&world, &content, &foreign).problem(422, "invalid_field");
    assert_eq!(problem["field"], "authorisation.party");
    let other = Content { valid_until: content.valid_until.plus_millis(1), ..content.clone() };
    let unfitting = confirmation(&world, &other);
    confirm(&world, &content, &unfitting).problem(422, "invalid_signature");
    confirm(&world, &content, &confirmation(&world, &content)).expect(201);
}

#[test]
fn a_leg_of_the_bound_card_is_the_same_for_the_same_attempt() {
    let world = World::insured();
    let leg = |attempt: u32| {
        let ask =
            Ask::post(format!("/v1/visits/{VISIT}/cash-legs"), &json!({ "attempt": attempt }));
        world.ask(&ask.token(&world.token(hospital()))).expect(201).json()
    };
    assert_eq!(leg(0), leg(0));
    assert_ne!(leg(0)["authorisation"], leg(1)["authorisation"]);
    assert_eq!((&leg(0)["executor"], &leg(0)["kind"]), (&json!("bank"), &json!("bound")));
}

#[test]
fn the_bank_signs_for_what_it_noted() {
    let world = World::insured();
    let (content, body) = new_request(&world, VISIT, Cash::BoundCard);
    send(&world, &body).expect(201);
    let answer = confirm(&world, &content, &confirmation(&world, &content)).expect(201).json();
    assert_eq!(answer["receipt"]["effects"][0]["executor"], "bank");
}
