//! Objections with their words, answers, and refunds by the line.

use primitives::{Hash, Party};
use serde_json::{Value, json};

use crate::support::insured::{VISIT, bill};
use crate::support::wallets::{
    confirm_visit, new_answer, new_objection, new_refund, object, refund_to, settled, shown_code,
    take_collected,
};
use crate::support::{Answered, Ask, World, id_of, organisation, person};

fn hospital() -> Party {
    organisation("hospital")
}

fn given() -> World {
    let world = World::insured();
    confirm_visit(&world, VISIT);
    world
}

fn post(world: &World, path: &str, body: &Value, party: Party) -> Answered {
    world.ask(&Ask::post(path, body).token(&world.token(party)))
}

fn get(world: &World, path: &str, party: Party) -> Value {
    world.ask(&Ask::get(path).token(&world.token(party))).expect(200).json()
}

fn raised(world: &World, party: Party) -> Value {
    get(world, &format!("/v1/visits/{VISIT}/objections"), party)["objections"][0].clone()
}

fn worklist(world: &World, organisation_code: &str) -> usize {
    let path = format!("/v1/organisations/{organisation_code}/objections");
    let list = get(world, &path, organisation(organisation_code));
    list["objections"].as_array().unwrap().len()
}

fn answer_path(id: &Hash) -> String {
    format!("/v1/objections/{id}/answers")
}

#[test]
fn the_words_of_an_objection_belong_to_it() {
    let world = given();
    let path = format!("/v1/visits/{VISIT}/objections");
    let (content, body) = new_objection(&world, VISIT);
    let with = |field: &str, value: Value| {
        let mut other = body.clone();
        other[field] = value;
        post(&world, &path, &other, person(1))
    };
    let other = json!({ "reason": "other", "lines": [], "words": "" }).to_string();
    with("statement", json!(other)).problem(422, "statement_differs");
    with("salt", json!(Hash([6; 32]))).problem(422, "statement_differs");
    let (answer, _) = new_answer(&world, VISIT, "upheld");
    with("content", json!(hex::encode(primitives::codec::encode(&answer))))
        .problem(422, "invalid_change");
    post(&world, &path, &body, hospital()).problem(403, "not_yours");
    let none = get(&world, &path, person(1));
    assert_eq!(none, json!({ "objections": [] }));
    post(&world, &path, &body, person(1)).expect(201);
    post(&world, &path, &body, person(1)).expect(200);
    for party in [person(1), hospital(), organisation("bureau")] {
        let shown = raised(&world, party);
        assert_eq!(shown["objection"], json!(content.id()));
        assert_eq!(shown["said"], json!({ "reason": "twice", "lines": [2], "words": "两次" }));
        assert_eq!(shown["standing"], "waiting");
    }
    assert_eq!((worklist(&world, "hospital"), worklist(&world, "bureau")), (1, 1));
    assert_eq!(worklist(&world, "other"), 0);
}

#[test]
fn a_provider_gives_in_alone_and_refuses_with_the_bureau() {
    let world = given();
    let id = object(&world, VISIT);
    let (_, mut silent) = new_answer(&world, VISIT, "dismissed");
    silent["statement"] = json!(json!({ "words": "" }).to_string());
    post(&world, &answer_path(&id), &silent, hospital()).problem(422, "statement_differs");
    let (refusal, body) = new_answer(&world, VISIT, "dismissed");
    post(&world, &answer_path(&id), &body, person(1)).problem(404, "not_found");
    post(&world, &answer_path(&id), &body, organisation("other")).problem(404, "not_found");
    post(&world, &answer_path(&id), &body, hospital()).expect(204);
    let person_sees = raised(&world, person(1));
    assert_eq!(person_sees["standing"], "refused");
    assert_eq!(person_sees["answer"]["said"], json!({ "words": "已核对" }));
    assert_eq!(person_sees["answer"].get("proposal"), None);
    // The bureau signs what the provider signed.
    let proposal = raised(&world, organisation("bureau"))["answer"]["proposal"].clone();
    assert_eq!(proposal["transaction_id"], json!(refusal.id()));
    let bureau = organisation("bureau");
    world
        .ask(&world.submit(&refusal, &[hospital()]).token(&world.token(hospital())))
        .problem(422, "organisation_signature_missing");
    let both = world.submit(&refusal, &[hospital(), bureau]);
    world.ask(&both.token(&world.token(bureau))).expect(201);
    assert_eq!(raised(&world, person(1))["standing"], "dismissed");
    assert_eq!((worklist(&world, "hospital"), worklist(&world, "bureau")), (0, 0));
    let (_, late) = new_answer(&world, VISIT, "upheld");
    post(&world, &answer_path(&id), &late, hospital()).problem(409, "objection_closed");
    // What stands may be objected to again; now the provider gives in.
    let again = object(&world, VISIT);
    let (yes, body) = new_answer(&world, VISIT, "upheld");
    post(&world, &answer_path(&again), &body, hospital()).expect(204);
    let alone = world.submit(&yes, &[hospital()]);
    world.ask(&alone.token(&world.token(hospital()))).expect(201);
    assert_eq!(raised(&world, person(1))["standing"], "upheld");
}

#[test]
fn a_refund_leaves_lines_of_the_bill_it_is_of() {
    let world = given();
    let path = format!("/v1/visits/{VISIT}/refunds");
    let shown = get(&world, &format!("/v1/visits/{VISIT}/bill"), person(1));
    assert_eq!(shown["bill"], bill().to_string());
    // That the bureau looked is noted; that the provider did is not.
    for party in [hospital(), organisation("bureau")] {
        get(&world, &format!("/v1/visits/{VISIT}/bill"), party);
    }
    let commitment = shown["commitment"].as_str().unwrap();
    let accesses = format!("/v1/visits/{VISIT}/bills/{commitment}/accesses");
    let accesses = get(&world, &accesses, person(1));
    assert_eq!(accesses["accesses"], json!([{ "day": "2026-01-10", "organisation": "bureau" }]));
    let (_, body) = new_refund(&world, VISIT);
    let mut mute = body.clone();
    mute["reason"] = json!(" ");
    assert_eq!(
        post(&world, &path, &mute, hospital()).problem(422, "invalid_field")["field"],
        "reason"
    );
    let mut other = body.clone();
    other["bill"] = json!("{}");
    post(&world, &path, &other, hospital()).problem(422, "bill_differs");
    let mut cheaper = bill();
    cheaper["lines"][0]["amount"] = json!("200");
    let (_, changed) = refund_to(&world, VISIT, &cheaper);
    let problem = post(&world, &path, &changed, hospital()).problem(422, "invalid_bill");
    assert!(problem["detail"].as_str().unwrap().contains("第 1 行"), "{problem}");
    let receipt = post(&world, &path, &body, hospital()).expect(201).json();
    assert_eq!(receipt["receipt"]["events"], json!(["visit_refunded"]));
    post(&world, &path, &body, hospital()).expect(200);
    take_collected(&world, &receipt["receipt"]);
    let after = settled(&world, VISIT);
    assert_eq!(after["revision"], 1);
    let left = get(&world, &format!("/v1/visits/{VISIT}/bill"), person(1));
    let lines: Value = serde_json::from_str(left["bill"].as_str().unwrap()).unwrap();
    assert_eq!(lines["lines"].as_array().unwrap().len(), 1);
    assert_eq!(left["reason"], "药品已退回");
    // The rest goes back as a whole.
    let nothing = json!({
        "original": after["record"], "bill": Hash::default(), "remaining": [],
        "split": { "payers": [], "total": "0", "self_paid": "0", "over_cap": "0",
            "class_b_share": "0", "in_policy": "0", "deductible": "0", "personal_account": "0",
            "cash": "0" }
    });
    let content = world.content(hospital(), "refund_visit", nothing);
    let mut all = world.submission(&content, &[hospital()]);
    all["bill"] = json!("");
    all["salt"] = json!(Hash([5; 32]));
    all["reason"] = json!("录错人");
    post(&world, &path, &all, hospital()).expect(201);
    assert_eq!(settled(&world, VISIT)["record"]["sums"], json!([]));
}

#[test]
fn a_guardian_is_found_by_a_code_named_to_the_person_and_finds_the_way_back() {
    let world = World::insured();
    let (ward, guardian) = (person(2), person(1));
    let path = format!("/v1/persons/{}/guardian-lookups", id_of(ward));
    let lookup = |code: String| post(&world, &path, &json!({ "code": code }), ward);
    let code = shown_code(&world);
    let found = lookup(code.clone()).expect(200).json();
    assert_eq!(found, json!({ "person": id_of(guardian), "name": "陈玉兰" }));
    lookup(code).problem(422, "code_wrong");
    let wards = format!("/v1/persons/{}/wards", id_of(guardian));
    assert_eq!(get(&world, &wards, guardian), json!({ "wards": [] }));
    world.accepted(
        &[ward],
        "set_guardian",
        json!({
            "person": id_of(ward), "guardian": id_of(guardian), "ground": "own_wish",
            "period": { "from": "2026-01-01", "to": null }
        }),
    );
    let lock = json!({ "person": id_of(ward), "by": { "guardian": id_of(guardian) } });
    world.accepted(&[guardian], "lock_person", lock);
    let list = get(&world, &wards, guardian);
    assert_eq!(list["wards"][0]["person"], json!(id_of(ward)));
    assert_eq!(list["wards"][0]["lock"]["by"], json!(guardian));
    let own = get(&world, &format!("/v1/persons/{}", id_of(ward)), ward);
    assert_eq!(own["guardians"][0]["name"], "陈玉兰");
}
