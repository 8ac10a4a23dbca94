//! Corrections at the provider's desk: the bill that takes the place of another, who agrees, and
//! what is kept of it.

use ledger::Content;
use primitives::{Hash, VisitId, codec};
use serde_json::{Value, json};
use vault::commit_bill;

use crate::support::insured::bill;
use crate::support::wallets::{confirm_visit, settled};
use crate::support::{Answered, Ask, World, organisation, person};

const VISIT: VisitId = VisitId([0xe1; 16]);
const SALT: [u8; 32] = [6; 32];

fn given() -> World {
    let world = World::insured();
    world.check_in(VISIT);
    confirm_visit(&world, VISIT);
    world
}

/// The bill with another amount in its first line.
fn with_amount(amount: &str) -> Value {
    let mut corrected = bill();
    corrected["lines"][0]["amount"] = json!(amount);
    corrected
}

fn quoted(world: &World, visit: VisitId, corrected: &Value) -> Value {
    let asked = json!({ "corrected": visit, "bill": corrected });
    let token = world.token(organisation("hospital"));
    world.ask(&Ask::post("/v1/quotes", &asked).token(&token)).expect(200).json()
}

/// A correction to this bill, not made yet: its content and what is sent.
fn correction(world: &World, visit: VisitId, corrected: &Value) -> (Content, Value) {
    let quoted = quoted(world, visit, corrected);
    let text = corrected.to_string();
    let sums: benefit::CategorySums = serde_json::from_value(quoted["sums"].clone()).unwrap();
    let commitment = commit_bill(&SALT, text.as_bytes(), &codec::encode(&sums));
    let body = json!({
        "original": settled(world, visit)["record"], "reason": "wrong_lines", "bill": commitment,
        "sums": sums, "split": quoted["split"], "consent": { "form": "identity_card" }
    });
    let content = world.content(organisation("hospital"), "supersede_settlement", body);
    let sent = sent(world, &content, &text);
    (content, sent)
}

fn sent(world: &World, content: &Content, text: &str) -> Value {
    let mut sent = world.submission(content, &[organisation("hospital")]);
    sent["bill"] = json!(text);
    sent["salt"] = json!(Hash(SALT));
    sent["words"] = json!("数量录错");
    sent
}

/// What `hospital` sends to correct this visit.
pub fn new_correction(world: &World, visit: VisitId) -> Value {
    correction(world, visit, &with_amount("150")).1
}

fn post(world: &World, body: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/visits/{VISIT}/corrections"), body);
    world.ask(&ask.token(&world.token(organisation("hospital"))))
}

#[test]
fn a_correction_keeps_the_bill_that_it_is_of() {
    let world = given();
    let before = settled(&world, VISIT);
    let (_, body) = correction(&world, VISIT, &with_amount("250"));
    let with = |field: &str, value: Value| {
        let mut other = body.clone();
        other[field] = value;
        other
    };
    let mute = post(&world, &with("words", json!(" "))).problem(422, "invalid_field");
    assert_eq!(mute["field"], "words");
    post(&world, &with("bill", json!(bill().to_string()))).problem(422, "bill_differs");
    let receipt = post(&world, &body).expect(201).json();
    assert_eq!(receipt["receipt"]["events"], json!(["settlement_superseded"]));
    post(&world, &body).expect(200);
    let after = settled(&world, VISIT);
    assert_eq!((&before["revision"], &after["revision"]), (&json!(0), &json!(1)));
    assert_eq!(after["record"]["consent"], json!({ "form": "identity_card" }));
    let shown = Ask::get(format!("/v1/visits/{VISIT}/bill")).token(&world.token(person(1)));
    let shown = world.ask(&shown).expect(200).json();
    let kept: Value = serde_json::from_str(shown["bill"].as_str().unwrap()).unwrap();
    assert_eq!(kept["lines"][0]["amount"], "250");
    assert_eq!(shown["reason"], "数量录错");
    // The person, who signed nothing, may contest it.
    let list = Ask::get("/v1/persons/01010101010101010101010101010101/contestable-visits");
    let list = world.ask(&list.token(&world.token(person(1)))).expect(200).json();
    assert_eq!(list["visits"][0]["visit"], json!(VISIT));
}

#[test]
fn a_quote_of_a_correction_is_what_the_ledger_computes() {
    let world = given();
    let (_, body) = correction(&world, VISIT, &with_amount("250"));
    let quote = quoted(&world, VISIT, &with_amount("250"));
    let receipt = post(&world, &body).expect(201).json();
    let total = receipt["receipt"]["fields"].as_array().unwrap().iter();
    let total = total.clone().find(|field| field["name"] == "total").unwrap();
    assert_eq!(total["value"]["value"]["amount"], quote["split"]["total"]);
    let both = json!({ "corrected": VISIT, "remaining": VISIT, "bill": bill() });
    let token = world.token(organisation("hospital"));
    world.ask(&Ask::post("/v1/quotes", &both).token(&token)).problem(422, "one_of_needed");
    let foreign = json!({ "corrected": VISIT, "bill": bill() });
    let other = world.token(organisation("other"));
    world.ask(&Ask::post("/v1/quotes", &foreign).token(&other)).problem(404, "not_found");
}

#[test]
fn at_the_desk_nobody_agrees_in_another_form_and_no_account_pays_more() {
    let world = given();
    let (content, _) = correction(&world, VISIT, &with_amount("250"));
    let registry = gateway::Chain::registry(&*world.port);
    let kind = registry.by_name("supersede_settlement").unwrap();
    let mut body = (kind.body_to_json)(&content.body).unwrap();
    let text = with_amount("250").to_string();
    body["consent"] = json!({ "form": "own_key" });
    let own = world.content(organisation("hospital"), "supersede_settlement", body.clone());
    post(&world, &sent(&world, &own, &text)).problem(422, "invalid_change");
    body["consent"] = json!({ "form": "identity_card" });
    body["cash"] = json!({
        "executor": "hospital", "rail": "counter", "authorisation": Hash(SALT)
    });
    let leg = world.content(organisation("hospital"), "supersede_settlement", body);
    post(&world, &sent(&world, &leg, &text)).problem(422, "invalid_change");
    // The same bill again corrects nothing.
    let (_, same) = correction(&world, VISIT, &bill());
    post(&world, &same).problem(422, "nothing_changes");
}
