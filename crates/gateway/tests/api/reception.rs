//! People at a provider's desk: found by code or card, found again by every clerk, and settled
//! without a phone.

use ledger::Content;
use primitives::{PersonId, VisitId, codec, sha256};
use serde_json::{Value, json};

use crate::support::insured::bill;
use crate::support::wallets::{
    Cash, NAME, NUMBER, joined, new_request_to, send_request, sent, shown_code,
};
use crate::support::{Answered, Ask, REGION, World, id_of, organisation, person};

const OPEN: VisitId = VisitId([0x31; 16]);

fn desk(world: &World, ask: Ask) -> Answered {
    world.ask(&ask.token(&world.token(organisation("hospital"))))
}

/// Somebody who has an identity card in the register, and cover.
fn insured(world: &World) -> PersonId {
    let person = joined(world);
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31" });
    let facts = json!({
        "period": year, "age": { "from": 30, "below": 40 }, "sex": "female",
        "person_classes": ["active"]
    });
    let coverage = json!({ "scheme": 310, "period": year, "facts": facts });
    let body = json!({ "person": person, "region": REGION, "coverage": coverage });
    world.accepted(&[organisation("bureau")], "enrol_coverage", body);
    person
}

/// The desk opens a visit for somebody whom it knows by this.
fn check_in(world: &World, visit: VisitId, person: &Value, (how, evidence): (&str, &Value)) {
    let subject = json!({
        "person": person, "provider": "hospital", "region": REGION, "scheme": 310,
        "visit_type": "outpatient", "admitted": "2026-01-05"
    });
    let body = json!({
        "visit": visit, "subject": subject, "identification": how, "evidence": evidence
    });
    let hospital = organisation("hospital");
    let content = world.content(hospital, "check_in", body);
    let ask = world.submit(&content, &[hospital]);
    desk(world, ask).expect(201);
}

#[test]
fn a_card_is_found_by_name_and_number_together() {
    let world = World::with_config(gateway::Config {
        sign_in_failures_max: 3,
        ..gateway::Config::default()
    });
    // One session for all: who signs in waits as well.
    let token = world.token(organisation("hospital"));
    let card = |name: &str, number: &str| {
        let body = json!({ "name": name, "number": number });
        world.ask(&Ask::post("/v1/identity-cards/lookups", &body).token(&token))
    };
    card(NAME, NUMBER).problem(403, "identity_unconfirmed");
    let person = joined(&world);
    let found = card(&format!(" {NAME} "), NUMBER).expect(200).json();
    assert_eq!((&found["person"], &found["name"]), (&json!(person), &json!(NAME)));
    assert_eq!((&found["number_end"], &found["is_locked"]), (&json!("002X"), &json!(false)));
    assert_ne!(found["evidence"], json!("00".repeat(32)));
    let digits = card(NAME, "110105194912310021").problem(422, "invalid_field");
    assert_eq!(digits["field"], "number");
    let wrong = card("张三", NUMBER).problem(403, "identity_unconfirmed");
    assert!(!wrong.to_string().contains(NUMBER), "{wrong}");
    card("李四", NUMBER).problem(403, "identity_unconfirmed");
    card(NAME, NUMBER).problem(429, "too_many_requests");
}

#[test]
fn who_tries_numbers_for_a_name_waits_longer_than_who_mistypes() {
    let world = World::with_config(gateway::Config {
        sign_in_failures_max: 100,
        ..gateway::Config::default()
    });
    let token = world.token(organisation("hospital"));
    let card = |name: &str, number: &str| {
        let body = json!({ "name": name, "number": number });
        world.ask(&Ask::post("/v1/identity-cards/lookups", &body).token(&token))
    };
    joined(&world);
    for number in 0..20 {
        card(NAME, &format!("JP:TK{number:07}")).problem(403, "identity_unconfirmed");
    }
    card(NAME, "JP:TK7654321").problem(429, "too_many_requests");
    // The right number as well: whoever tries must not learn it from the answer.
    card(NAME, NUMBER).problem(429, "too_many_requests");
    card(&format!(" {NAME}  "), "JP:TK7654321").problem(429, "too_many_requests");
    card("张三", "JP:TK7654321").problem(403, "identity_unconfirmed");
    // Nor does one number have many names.
    for name in 0..20 {
        card(&format!("张{name}"), "JP:TK1111111").problem(403, "identity_unconfirmed");
    }
    card("张伟", "JP:TK1111111").problem(429, "too_many_requests");
}

#[test]
fn who_was_not_seen_is_not_shown() {
    let world = World::insured();
    let code = json!({ "code": shown_code(&world) });
    let found = desk(&world, Ask::post("/v1/codes/lookups", &code)).expect(200).json();
    let invented = json!(sha256(b"nobody was here"));
    check_in(&world, OPEN, &found["person"], ("identity_document", &invented));
    let reception = Ask::get(format!("/v1/visits/{OPEN}/reception"));
    let reception = desk(&world, reception).expect(200).json();
    assert!(reception.get("patient").is_none(), "{reception}");
    let list = Ask::get("/v1/organisations/hospital/receptions");
    let listed = desk(&world, list).expect(200).json()["visits"][0].clone();
    assert_eq!(listed["visit"], json!(OPEN));
    assert!(listed.get("name").is_none(), "{listed}");
}

#[test]
fn who_was_seen_for_a_check_in_that_was_refused_lends_it_to_nobody_else() {
    let world = World::insured();
    let other = json!(insured(&world));
    let card = json!({ "name": NAME, "number": NUMBER });
    let card = desk(&world, Ask::post("/v1/identity-cards/lookups", &card)).expect(200).json();
    let hospital = organisation("hospital");
    let sent = |person: &Value, evidence: &Value, visit_type: &str| {
        let subject = json!({
            "person": person, "provider": "hospital", "region": REGION, "scheme": 999,
            "visit_type": visit_type, "admitted": "2026-01-05"
        });
        let body = json!({
            "visit": OPEN, "subject": subject, "identification": "identity_document",
            "evidence": evidence
        });
        world.submit(&world.content(hospital, "check_in", body), &[hospital])
    };
    // Nobody is insured under that scheme.
    let refused = desk(&world, sent(&other, &card["evidence"], "outpatient"));
    assert_ne!(refused.json()["receipt"]["outcome"]["status"], "accepted");
    let code = json!({ "code": shown_code(&world) });
    let person = desk(&world, Ask::post("/v1/codes/lookups", &code)).expect(200).json();
    let invented = json!(sha256(b"nobody was here"));
    check_in(&world, OPEN, &person["person"], ("identity_document", &invented));
    let reception = Ask::get(format!("/v1/visits/{OPEN}/reception"));
    let reception = desk(&world, reception).expect(200).json();
    assert!(reception.get("patient").is_none(), "{reception}");
}

#[test]
fn every_clerk_of_the_house_finds_its_open_visits() {
    let world = World::insured();
    let list = |code: &str| {
        let ask = Ask::get(format!("/v1/organisations/{code}/receptions"));
        world.ask(&ask.token(&world.token(organisation(code)))).expect(200).json()
    };
    assert_eq!(list("hospital")["visits"], json!([]));
    let code = json!({ "code": shown_code(&world) });
    let found = desk(&world, Ask::post("/v1/codes/lookups", &code)).expect(200).json();
    check_in(&world, OPEN, &found["person"], ("wallet_code", &found["evidence"]));
    let listed = list("hospital")["visits"][0].clone();
    assert_eq!((&listed["visit"], &listed["name"]), (&json!(OPEN), &json!("陈玉兰")));
    assert!(listed.get("standing").is_none(), "{listed}");
    assert_eq!(list("other")["visits"], json!([]));
    let get = || desk(&world, Ask::get(format!("/v1/visits/{OPEN}/reception"))).expect(200).json();
    assert!(get().get("request").is_none());
    let request = send_request(&world, OPEN);
    let again = get();
    assert_eq!(again["patient"]["card_last_four"], "4321");
    assert_eq!(again["request"]["request"], json!(request.id()));
    assert_eq!(list("hospital")["visits"][0]["standing"]["standing"], "waiting");
    let withdraw = Ask::delete(format!("/v1/requests/{}", request.id()));
    desk(&world, withdraw).expect(204);
    assert_eq!(get()["request"]["standing"]["standing"], "withdrawn");
    // What is cancelled is in no list any more.
    let cancel = json!({ "visit": OPEN });
    world.accepted(&[organisation("hospital")], "cancel_visit", cancel);
    assert_eq!(list("hospital")["visits"], json!([]));
    desk(&world, Ask::get(format!("/v1/visits/{OPEN}/reception"))).problem(404, "not_found");
}

/// A settlement of [`OPEN`] by identity card with this cash leg, and whose card is shown.
fn by_card(world: &World, cash: &Value, (name, number): (&str, &str)) -> (Content, Value) {
    let consent = json!({ "form": "identity_card" });
    let (content, _) = new_request_to(world, OPEN, Cash::Till, &consent);
    let body: ledger::modules::visit::SettleVisit = codec::decode(&content.body).unwrap();
    let mut form = json!(body);
    form["use_personal_account"] = json!(false);
    form["cash"] = cash.clone();
    let body: ledger::modules::visit::SettleVisit = serde_json::from_value(form).unwrap();
    let content = Content { body: codec::encode(&body), ..content };
    let mut sent = sent(world, &content, &bill().to_string());
    sent["identity"] = json!({ "name": name, "number": number });
    (content, sent)
}

fn settle(world: &World, body: &Value) -> Answered {
    desk(world, Ask::post(format!("/v1/visits/{OPEN}/settlements"), body))
}

#[test]
fn a_desk_settles_for_whoever_shows_the_card_and_for_nobody_else() {
    let world = World::insured();
    let person = insured(&world);
    check_in(&world, OPEN, &json!(person), ("identity_document", &json!("00".repeat(32))));
    let till = json!({
        "executor": "hospital", "rail": "counter", "kind": "counter",
        "authorisation": sha256(b"till")
    });
    let (_, body) = by_card(&world, &till, ("张三", NUMBER));
    settle(&world, &body).problem(403, "identity_unconfirmed");
    let mut bank = till.clone();
    bank["executor"] = json!("bank");
    let (_, body) = by_card(&world, &bank, (NAME, NUMBER));
    settle(&world, &body).problem(422, "invalid_request");
    let (content, body) = by_card(&world, &till, (NAME, NUMBER));
    let mut other_bill = body.clone();
    other_bill["bill"] = json!(bill().to_string().replace("300", "299"));
    settle(&world, &other_bill).problem(422, "bill_differs");
    let receipt = settle(&world, &body).expect(201).json();
    assert_eq!(receipt["receipt"]["visit"], json!(OPEN));
    // Sent again, because the answer was lost, it gives the same receipt.
    let again = settle(&world, &body).expect(200).json();
    assert_eq!(again["receipt"]["id"], receipt["receipt"]["id"]);
    let seen = desk(&world, Ask::get(format!("/v1/visits/{OPEN}"))).expect(200).json();
    assert_eq!(seen["record"]["consent"]["form"], "identity_card");
    assert_eq!(seen["record"]["transaction_id"], json!(content.id()));
}

#[test]
fn another_persons_card_settles_nothing() {
    let world = World::insured();
    insured(&world);
    // The visit is person 1's.
    check_in(&world, OPEN, &json!(id_of(person(1))), ("wallet_code", &json!("00".repeat(32))));
    let (_, body) = by_card(&world, &Value::Null, (NAME, NUMBER));
    let problem = settle(&world, &body).problem(409, "other_person");
    assert_eq!(problem["field"], "identity");
}

#[test]
fn without_a_till_the_cash_stays_open_and_what_waited_on_a_phone_is_withdrawn() {
    let world = World::insured();
    let person = insured(&world);
    check_in(&world, OPEN, &json!(person), ("identity_document", &json!("00".repeat(32))));
    let request = send_request(&world, OPEN);
    let (_, body) = by_card(&world, &Value::Null, (NAME, NUMBER));
    let receipt = settle(&world, &body).expect(201).json();
    assert_eq!(receipt["receipt"]["effects"], json!([]));
    let standing = desk(&world, Ask::get(format!("/v1/requests/{}", request.id())));
    assert_eq!(standing.expect(200).json()["standing"]["standing"], "withdrawn");
}
