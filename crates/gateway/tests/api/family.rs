//! The family account through the gateway: one relative asks, the other agrees; who learns what.

use primitives::Party;
use serde_json::{Value, json};

use crate::support::insured::{VISIT, subject};
use crate::support::wallets::{Cash, new_request_to, take_collected};
use crate::support::{Answered, Ask, REGION, World, id_of, organisation, person};

/// The region has rules of both, under which person 1 may be a parent of person 2.
pub fn familial(world: World) -> World {
    let relations = json!([{ "number": 1, "name": "parent" }]);
    let proxy = json!({
        "relations": relations, "members_per_payer_per_month_max": 5,
        "bindings_per_member_per_month_max": 2, "members_per_payer_max": 8, "own_consent_age": 16,
        "application_days_max": 30, "payment_max": "500000", "source": "made up for tests"
    });
    let aid = json!({
        "relations": relations, "members_per_payer_max": 8, "accounts_per_bill_max": 3,
        "direct_below_age": 16, "pays_premiums": true, "bill_max": "100000", "month_max": "200000",
        "year_max": "500000", "source": "made up for tests"
    });
    let bureau = organisation("bureau");
    let rules = |rules| json!({ "region": REGION, "rules": rules });
    world.accepted(&[bureau], "set_proxy_rules", rules(proxy));
    world.accepted(&[bureau], "set_aid_rules", rules(aid));
    world
}

fn family(world: &World, of: u8, asker: Party) -> Value {
    let path = format!("/v1/persons/{}/family", id_of(person(of)));
    world.ask(&Ask::get(path).token(&world.token(asker))).expect(200).json()
}

fn terms() -> Value {
    json!({ "relation": 1, "bill_max": "3000", "month_max": "5000", "year_max": "9000" })
}

/// Person 1 asks person 2 for this; gives the content and the request's path.
fn ask(world: &World, kind: &str, mut body: Value) -> (ledger::Content, String) {
    let (payer, member) = (person(1), person(2));
    body["payer"] = json!(id_of(payer));
    body["member"] = json!(id_of(member));
    body["agreement"] = json!("own_key");
    let content = world.content(payer, kind, body);
    let path = format!("/v1/persons/{}/family-requests", id_of(payer));
    let ask = Ask::post(path, &world.submission(&content, &[payer])).token(&world.token(payer));
    let request = world.ask(&ask).expect(201).json();
    (content, format!("/v1/family-requests/{}", request["request"].as_str().unwrap()))
}

fn agree(world: &World, content: &ledger::Content, path: &str) -> Value {
    let member = person(2);
    let authorisation = world.authorise(content, member, &member.to_string());
    let body = json!({ "authorisation": authorisation });
    let ask = Ask::post(format!("{path}/confirmations"), &body).token(&world.token(member));
    world.ask(&ask).expect(201).json()
}

#[test]
fn one_relative_asks_and_the_other_agrees_on_the_own_phone() {
    let world = familial(World::insured());
    let (content, path) = ask(&world, "bind_member", json!({ "relation": 1 }));
    let waiting = |number: u8| {
        let path = format!("/v1/persons/{}/family-requests", id_of(person(number)));
        let list = Ask::get(path).token(&world.token(person(number)));
        world.ask(&list).expect(200).json()["requests"].as_array().unwrap().len()
    };
    assert_eq!((waiting(1), waiting(2)), (1, 1));
    agree(&world, &content, &path);
    assert_eq!((waiting(1), waiting(2)), (0, 0));
    let (payer, member) = (family(&world, 1, person(1)), family(&world, 2, person(2)));
    assert_eq!(payer["members"][0]["person"], id_of(person(2)));
    assert_eq!(payer["month"]["bound"], 1);
    assert_eq!(member["payers"][0]["ground"], "own_key");
    assert_eq!(member["month"]["was_bound"], 1);
    // A request that was taken back can be agreed to no more.
    let (content, path) = ask(&world, "bind_member", json!({ "relation": 1 }));
    world.ask(&Ask::delete(&path).token(&world.token(person(2)))).expect(204);
    let authorisation = world.authorise(&content, person(2), &person(2).to_string());
    let body = json!({ "authorisation": authorisation });
    let late = Ask::post(format!("{path}/confirmations"), &body).token(&world.token(person(2)));
    world.ask(&late).problem(404, "not_found");
}

#[test]
fn nobody_fills_a_relatives_list() {
    let world = familial(World::insured());
    let asks: Vec<_> =
        (0..10).map(|_| ask(&world, "bind_member", json!({ "relation": 1 }))).collect();
    let path = format!("/v1/persons/{}/family-requests", id_of(person(1)));
    let more = json!({
        "payer": id_of(person(1)), "member": id_of(person(2)), "relation": 1,
        "agreement": "own_key"
    });
    let content = world.content(person(1), "bind_member", more);
    let body = world.submission(&content, &[person(1)]);
    let again = || world.ask(&Ask::post(&path, &body).token(&world.token(person(1))));
    again().problem(409, "too_many_family_requests");
    world.ask(&Ask::delete(&asks[0].1).token(&world.token(person(1)))).expect(204);
    again().expect(201);
    again().expect(201);
}

#[test]
fn only_what_a_relative_can_agree_to_is_asked() {
    let world = familial(World::insured());
    let path = format!("/v1/persons/{}/family-requests", id_of(person(1)));
    let token = world.token(person(1));
    let post = |kind: &str, body: Value| {
        let content = world.content(person(1), kind, body);
        let body = world.submission(&content, &[person(1)]);
        world.ask(&Ask::post(&path, &body).token(&token))
    };
    let lock = json!({ "person": id_of(person(1)), "by": "own_key" });
    post("lock_person", lock).problem(422, "invalid_field");
    let bind = |payer: u8, agreement: &str| {
        json!({
            "payer": id_of(person(payer)), "member": id_of(person(2)), "relation": 1,
            "agreement": agreement
        })
    };
    post("bind_member", bind(1, "desk")).problem(422, "invalid_field");
    post("bind_member", bind(3, "own_key")).problem(422, "invalid_field");
}

#[test]
fn a_hospital_does_not_learn_whose_account_helps() {
    let world = familial(World::insured());
    let grant = json!({ "terms": terms() });
    let (content, path) = ask(&world, "grant_aid", grant);
    agree(&world, &content, &path);
    let helped = family(&world, 2, person(2));
    assert_eq!(helped["helped_by"][0]["person"], id_of(person(1)));
    let payer = family(&world, 1, person(1));
    assert_eq!(payer["helps"][0]["left"], "3000");
    let path = format!("/v1/persons/{}/family", id_of(person(2)));
    let hospital = Ask::get(path).token(&world.token(organisation("hospital")));
    world.ask(&hospital).problem(403, "not_yours");
    // What a quote says is an amount and a number.
    let planned = json!({
        "planned": subject(2), "use_family_account": true,
        "sums": [{
            "key": { "service_date": "2026-01-05", "category": "treatment", "class": "A" },
            "in_policy": "20000", "self_paid": "0", "over_cap": "0", "class_b_share": "0"
        }]
    });
    let ask = Ask::post("/v1/quotes", &planned).token(&world.token(person(2)));
    let quote = world.ask(&ask).expect(200);
    assert!(!quote.text().contains(&id_of(person(1))), "{}", quote.text());
}

/// Person 2 may act for person 1.
fn bound(world: &World) {
    let (payer, member) = (person(2), person(1));
    let body = json!({
        "payer": id_of(payer), "member": id_of(member), "relation": 1, "agreement": "own_key"
    });
    world.accepted(&[payer, member], "bind_member", body);
}

fn unbound(world: &World) {
    let body = json!({
        "payer": id_of(person(2)), "member": id_of(person(1)), "side": "member", "actor": "own_key"
    });
    world.accepted(&[person(1)], "unbind_member", body);
}

/// What a relative's phone asks for to show person 1's code.
fn code_of_one(world: &World, by: Party) -> Answered {
    let path = format!("/v1/persons/{}/codes", id_of(person(1)));
    world.ask(&Ask::post(path, &json!({})).token(&world.token(by)))
}

/// The digits that are shown from it now.
fn digits(world: &World, seed: &Value) -> String {
    use adapters::clock::Clock as _;
    use adapters::directory::code::{code_digits, code_step};
    let secret: primitives::Hash = seed["secret"].as_str().unwrap().parse().unwrap();
    let step = code_step(world.clock.now());
    format!("{}{:06}", seed["number"], code_digits(&secret.0, step))
}

#[test]
fn a_relative_who_may_act_shows_the_patients_code_and_nobody_else_does() {
    let world = familial(World::insured());
    code_of_one(&world, person(2)).problem(403, "not_yours");
    bound(&world);
    code_of_one(&world, organisation("bureau")).problem(403, "not_yours");
    let seed = code_of_one(&world, person(2)).expect(201).json();
    let hospital = world.token(organisation("hospital"));
    let look_up = |digits: &str| {
        let body = json!({ "code": digits });
        world.ask(&Ask::post("/v1/codes/lookups", &body).token(&hospital))
    };
    let patient = look_up(&digits(&world, &seed)).expect(200).json();
    assert_eq!(patient["person"], id_of(person(1)));
    assert_eq!(patient["shown_by"]["person"], id_of(person(2)));
    assert!(patient.get("card_last_four").is_none(), "the card of whoever shows it");
    // It says who somebody is to a desk alone: nobody is bound by a code that another shows.
    world.clock.advance_millis(60_000);
    let path = format!("/v1/persons/{}/family-lookups", id_of(person(2)));
    let body = json!({ "code": digits(&world, &seed) });
    let asked = Ask::post(path, &body).token(&world.token(person(2)));
    world.ask(&asked).problem(422, "code_wrong");
    unbound(&world);
    world.clock.advance_millis(60_000);
    look_up(&digits(&world, &seed)).problem(422, "code_wrong");
}

#[test]
fn a_relative_who_may_act_confirms_the_bill_on_the_own_phone() {
    let world = familial(World::insured());
    let hospital = world.token(organisation("hospital"));
    let relative = world.token(person(2));
    let visit = format!("/v1/visits/{VISIT}");
    let get = |path: &str, token: &str| world.ask(&Ask::get(path).token(token));
    let consent = json!({ "form": "proxy", "payer": id_of(person(2)) });
    let send =
        |body: &Value| world.ask(&Ask::post(format!("{visit}/requests"), body).token(&hospital));
    let (_, early) = new_request_to(&world, VISIT, Cash::Till, &consent);
    send(&early).problem(422, "not_bound");
    let leg = json!({ "payer": id_of(person(2)) });
    let leg = || world.ask(&Ask::post(format!("{visit}/cash-legs"), &leg).token(&hospital));
    leg().problem(422, "not_bound");
    get(&visit, &relative).problem(404, "not_found");
    bound(&world);
    leg().problem(409, "no_bound_card");
    let (content, body) = new_request_to(&world, VISIT, Cash::Till, &consent);
    let sent = send(&body).expect(201).json();
    assert_eq!(sent["patient"]["name"], "陈玉兰");
    let waiting = |number: u8| {
        let path = format!("/v1/persons/{}/requests", id_of(person(number)));
        let list = get(&path, &world.token(person(number))).expect(200).json();
        list["requests"].as_array().unwrap().len()
    };
    assert_eq!((waiting(1), waiting(2)), (0, 1), "the one is asked who can sign");
    // The relative sees this visit and its reasons, and no more of the patient's than before.
    get(&visit, &relative).expect(200);
    let asked = json!({ "visit": VISIT, "bill": crate::support::insured::bill() });
    world.ask(&Ask::post("/v1/quotes", &asked).token(&relative)).expect(200);
    get(&format!("/v1/persons/{}", id_of(person(1))), &relative).problem(403, "not_yours");
    let path = format!("/v1/requests/{}/confirmations", content.id());
    let confirm = |party: Party| {
        let signed = world.authorise(&content, party, &party.to_string());
        let body = json!({ "authorisation": signed });
        world.ask(&Ask::post(&path, &body).token(&world.token(party)))
    };
    confirm(person(1)).problem(404, "not_found");
    let receipt = confirm(person(2)).expect(201).json();
    assert_eq!(receipt["receipt"]["outcome"]["status"], "accepted");
    take_collected(&world, &receipt["receipt"]);
    let request = get(&format!("/v1/requests/{}", content.id()), &relative).expect(200).json();
    assert_eq!(request["standing"]["standing"], "settled");
    unbound(&world);
    get(&visit, &relative).problem(404, "not_found");
}
