//! Another device for somebody who has one: a short code, the key that is asked for by it, and the
//! person's signature on the first device.

use primitives::{Party, sha256};
use serde_json::{Value, json};

use crate::support::keys::public;
use crate::support::{Answered, Ask, World, id_of, organisation, person};

const MINUTE: u64 = 60_000;

fn codes(party: Party) -> String {
    format!("/v1/persons/{}/device-codes", id_of(party))
}

/// A code of person 1.
fn code(world: &World) -> String {
    let ask = Ask::post(codes(person(1)), &json!({})).token(&world.token(person(1)));
    world.ask(&ask).expect(201).json()["code"].as_str().unwrap().to_owned()
}

/// How the code of person 1 stands.
fn seen(world: &World) -> Answered {
    world.ask(&Ask::get(codes(person(1))).token(&world.token(person(1))))
}

fn check(world: &World, code: &str) -> Answered {
    world.ask(&Ask::post("/v1/devices/checks", &json!({ "code": code })))
}

fn asked(world: &World, ticket: &Value, key: &str, grade: &str) -> Answered {
    let mut body = json!({ "ticket": ticket, "key": public(key), "grade": grade });
    if grade == "device" {
        body["pin_verifier"] = json!(sha256(b"made of the PIN"));
    }
    world.ask(&Ask::post("/v1/devices", &body))
}

fn stage(world: &World, watch: &Value) -> Value {
    let ask = Ask::post("/v1/devices/states", &json!({ "watch": watch }));
    world.ask(&ask).expect(200).json()["stage"].clone()
}

#[test]
fn another_device_asks_by_a_code_and_is_taken_in_by_the_first() {
    let world = World::new();
    let code = code(&world);
    assert_eq!(code.len(), 8);
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    let found = check(&world, &spaced).expect(201).json();
    assert_eq!(found["person"], json!(id_of(person(1))));
    // The id and the usual limits, and nothing of whose it is.
    assert!(found.get("name").is_none());
    assert!(seen(&world).expect(200).json().get("asked").is_none());
    let told = asked(&world, &found["ticket"], "second phone", "device").expect(201).json();
    assert!(told["pin"]["secret"].is_string());
    assert_eq!(stage(&world, &told["watch"]), "asked");
    // Nothing is a key yet.
    let early = world.sign_in_with(person(1), "second phone");
    assert_ne!(world.ask(&early).status, 201);
    let wanted = seen(&world).expect(200).json()["asked"].clone();
    assert_eq!(wanted["key"], json!(public("second phone")));
    let body = json!({ "person": id_of(person(1)), "by": "own_key", "new": wanted });
    world.accepted(&[person(1)], "add_person_key", body);
    assert_eq!(stage(&world, &told["watch"]), "added");
    world.ask(&world.sign_in_with(person(1), "second phone")).expect(201);
    // The same again changes nothing, and another key is not asked for by the same code.
    asked(&world, &found["ticket"], "second phone", "device").expect(201);
    asked(&world, &found["ticket"], "third phone", "device").problem(409, "ticket_ended");
    check(&world, &code).problem(403, "device_code_wrong");
}

#[test]
fn a_code_is_over_after_its_minutes_by_another_and_by_its_person() {
    let world = World::new();
    let first = code(&world);
    let found = check(&world, &first).expect(201).json();
    let second = code(&world);
    check(&world, &first).problem(403, "device_code_wrong");
    asked(&world, &found["ticket"], "second phone", "passkey").problem(409, "ticket_ended");
    let found = check(&world, &second).expect(201).json();
    let told = asked(&world, &found["ticket"], "second phone", "passkey").expect(201).json();
    assert!(told.get("pin").is_none());
    // The person does not know that device.
    let token = world.token(person(1));
    world.ask(&Ask::delete(codes(person(1))).token(&token)).expect(204);
    assert_eq!(stage(&world, &told["watch"]), "over");
    seen(&world).problem(404, "not_found");
    let third = code(&world);
    let found = check(&world, &third).expect(201).json();
    world.clock.advance_millis(10 * MINUTE);
    check(&world, &third).problem(403, "device_code_wrong");
    asked(&world, &found["ticket"], "second phone", "passkey").problem(409, "ticket_ended");
    seen(&world).problem(404, "not_found");
}

#[test]
fn a_device_without_a_pin_and_a_locked_wallet_are_refused_and_guessing_is_slow() {
    let world = World::new();
    let code = code(&world);
    let found = check(&world, &code).expect(201).json();
    let body = json!({ "ticket": found["ticket"], "key": public("phone"), "grade": "device" });
    let answer = world.ask(&Ask::post("/v1/devices", &body)).problem(422, "invalid_field");
    assert_eq!(answer["field"], "pin_verifier");
    for ask in [Ask::get(codes(person(1))), Ask::delete(codes(person(1)))] {
        for other in [person(2), organisation("bureau")] {
            let ask = ask.clone().token(&world.token(other));
            world.ask(&ask).problem(403, "not_yours");
        }
    }
    let lock = json!({ "person": id_of(person(1)), "by": "own_key" });
    world.accepted(&[person(1)], "lock_person", lock);
    let ask = Ask::post(codes(person(1)), &json!({})).token(&world.token(person(1)));
    world.ask(&ask).problem(422, "person_locked");
    let mut tries = 0;
    while check(&world, "00000000").status == 403 {
        tries += 1;
        assert!(tries < 1_000, "nobody is slowed down");
    }
    check(&world, &code).problem(429, "too_many_requests");
}
