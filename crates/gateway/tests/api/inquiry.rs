//! What somebody asks or reports, and what is answered.

use primitives::Party;
use serde_json::{Value, json};

use crate::support::insured::VISIT;
use crate::support::wallets::{confirmation, send_request};
use crate::support::{Answered, Ask, World, id_of, organisation, person};

fn post(world: &World, key: u8, body: &Value) -> Answered {
    let mut body = body.clone();
    body["key"] = json!(format!("{key:02x}").repeat(16));
    let ask = Ask::post(format!("/v1/persons/{}/inquiries", id_of(person(1))), &body);
    world.ask(&ask.token(&world.token(person(1))))
}

/// Person 1 asks this of the bureau; the number.
pub fn inquire(world: &World, said: &Value) -> u64 {
    post(world, 7, &json!({ "said": said })).expect(201).json()["inquiry"].as_u64().unwrap()
}

fn list(world: &World, party: Party) -> Vec<Value> {
    let path = match party {
        Party::Person(id) => format!("/v1/persons/{id}/inquiries"),
        Party::Organisation(id) => format!("/v1/organisations/{id}/inquiries"),
    };
    let list = world.ask(&Ask::get(path).token(&world.token(party))).expect(200).json();
    list["inquiries"].as_array().unwrap().clone()
}

fn answer(world: &World, number: &Value, words: &str, party: Party) -> Answered {
    let ask = Ask::post(format!("/v1/inquiries/{number}/answers"), &json!({ "words": words }));
    world.ask(&ask.token(&world.token(party)))
}

#[test]
fn a_bill_is_objected_to_before_it_is_paid_and_the_desk_answers_once() {
    let world = World::insured();
    let content = send_request(&world, VISIT);
    let said = json!({ "about": "bill", "reason": "twice", "lines": [2], "words": "only once" });
    let body = json!({ "request": content.id(), "said": said });
    let raised = post(&world, 1, &body).expect(201).json();
    assert_eq!(raised["organisation"], "hospital");
    assert_eq!(raised["visit"], json!(VISIT));
    assert_eq!(post(&world, 1, &body).expect(201).json()["inquiry"], raised["inquiry"]);

    let waiting = list(&world, organisation("hospital"));
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["said"], said);
    assert_eq!(waiting[0]["name"], "陈玉兰", "the desk knows whom it treats");
    assert!(list(&world, organisation("bureau")).is_empty());
    // The bill still waits: nobody has refused it.
    let request = Ask::get(format!("/v1/requests/{}", content.id()));
    let request = world.ask(&request.token(&world.token(person(1)))).expect(200).json();
    assert_eq!(request["standing"]["standing"], "waiting");
    assert_eq!(raised["due"], request["expires"]);

    let number = &raised["inquiry"];
    answer(&world, number, " ", organisation("hospital")).problem(422, "invalid_field");
    answer(&world, number, "two boxes were given", organisation("hospital")).expect(204);
    answer(&world, number, "again", organisation("hospital")).problem(409, "inquiry_answered");
    let own = list(&world, person(1));
    assert_eq!(own[0]["standing"]["standing"], "answered");
    assert_eq!(own[0]["standing"]["words"], "two boxes were given");
    assert!(own[0].get("name").is_none());
    assert!(list(&world, organisation("hospital")).is_empty());
}

#[test]
fn another_bill_answers_an_objection_and_so_does_paying_it() {
    let world = World::insured();
    let first = send_request(&world, VISIT);
    let about = |id: Value| json!({ "request": id, "said": { "about": "bill", "reason": "other", "words": "?" } });
    post(&world, 1, &about(json!(first.id()))).expect(201);
    world.clock.advance_millis(1_000);
    let second = send_request(&world, VISIT);
    let own = list(&world, person(1));
    assert_eq!(own[0]["standing"]["standing"], "replaced");
    assert_eq!(own[0]["standing"]["request"], json!(second.id()));
    assert!(list(&world, organisation("hospital")).is_empty());

    // What was taken back is not objected to any more.
    post(&world, 2, &about(json!(first.id()))).problem(409, "request_over");
    post(&world, 3, &about(json!(second.id()))).expect(201);
    let path = format!("/v1/requests/{}/confirmations", second.id());
    let confirm = Ask::post(path, &confirmation(&world, &second));
    world.ask(&confirm.token(&world.token(person(1)))).expect(201);
    assert_eq!(list(&world, person(1))[0]["standing"]["standing"], "settled");
    assert!(list(&world, organisation("hospital")).is_empty());
}

#[test]
fn an_inquiry_goes_to_whom_it_concerns() {
    let world = World::insured();
    for about in ["identity", "coverage", "premium", "other"] {
        let said = json!({ "about": about, "words": "it is wrong" });
        let key = about.len().try_into().unwrap();
        let raised = post(&world, key, &json!({ "said": said })).expect(201).json();
        assert_eq!(raised["organisation"], "bureau", "{about}");
    }
    let said = json!({ "about": "visit", "words": "not my department" });
    let raised = post(&world, 40, &json!({ "visit": VISIT, "said": said })).expect(201).json();
    assert_eq!(raised["organisation"], "hospital");
    // Closing needs no words.
    post(&world, 41, &json!({ "said": { "about": "closing" } })).expect(201);

    for (body, status, code) in [
        (json!({ "said": { "about": "other", "words": " " } }), 422, "invalid_field"),
        (json!({ "said": { "about": "bill", "words": "which?" } }), 422, "invalid_field"),
        (
            json!({ "visit": VISIT, "said": { "about": "other", "words": "?" } }),
            422,
            "invalid_field",
        ),
        (
            json!({ "visit": "00".repeat(16), "said": { "about": "visit", "words": "?" } }),
            404,
            "not_found",
        ),
        (
            json!({ "request": "00".repeat(32), "said": { "about": "bill", "words": "?" } }),
            404,
            "not_found",
        ),
        (json!({ "said": { "about": "other", "words": "x".repeat(501) } }), 422, "invalid_field"),
        (
            json!({ "said": { "about": "other", "words": "?", "lines": vec![1; 1_001] } }),
            422,
            "invalid_field",
        ),
    ] {
        post(&world, 50, &body).problem(status, code);
    }
}

#[test]
fn at_most_twenty_inquiries_of_a_person_wait() {
    let world = World::insured();
    for key in 0..20 {
        let said = json!({ "about": "other", "words": "?" });
        post(&world, key, &json!({ "said": said })).expect(201);
    }
    let said = json!({ "about": "other", "words": "one more" });
    post(&world, 99, &json!({ "said": said })).problem(409, "too_many_inquiries");
}
