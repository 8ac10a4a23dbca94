//! Binding by face: whose face agrees to what, and what becomes of wrong ones.

use base64ct::{Base64, Encoding as _};
use ledger::Content;
use primitives::PersonId;
use serde_json::{Value, json};

use crate::binding::child;
use crate::family::familial;
use crate::support::wallets::{FACE, NAME, NEWCOMERS, NUMBER};
use crate::support::{Answered, Ask, World, id_of, organisation, person};

pub fn path(what: &str) -> String {
    format!("/v1/persons/{}/{what}", id_of(person(1)))
}

pub fn identity() -> Value {
    json!({ "name": NAME, "number": NUMBER })
}

fn content(world: &World, member: PersonId, agreement: &str) -> Content {
    let body = json!({
        "payer": id_of(person(1)), "member": member, "relation": 1, "agreement": agreement
    });
    world.content(person(1), "bind_member", body)
}

/// Person 1's binding of this member with this picture, not made yet.
pub fn binding(world: &World, member: PersonId, picture: &[u8]) -> Value {
    sent(world, &content(world, member, "face"), &identity(), picture)
}

fn sent(world: &World, content: &Content, member: &Value, picture: &[u8]) -> Value {
    let mut body = world.submission(content, &[person(1)]);
    body["member"] = member.clone();
    body["picture"] = json!(Base64::encode_string(picture));
    body
}

fn bind(world: &World, body: &Value) -> Answered {
    world.ask(&Ask::post(path("face-bindings"), body).token(&world.token(person(1))))
}

fn family(world: &World) -> Value {
    let ask = Ask::get(path("family")).token(&world.token(person(1)));
    world.ask(&ask).expect(200).json()
}

#[test]
fn a_member_without_a_phone_agrees_by_face_on_the_payers() {
    let world = familial(World::insured());
    let member = child(&world);
    let found = Ask::post(path("face-lookups"), &identity()).token(&world.token(person(1)));
    assert_eq!(world.ask(&found).expect(200).json()["person"], json!(member));
    assert_eq!(family(&world)["face_check"]["is_simulated"], true, "it is said what it is");
    bind(&world, &binding(&world, member, FACE)).expect(201);
    let bound = family(&world);
    assert_eq!(bound["members"][0]["ground"], "face");
    assert_eq!(bound["members"][0]["person"], json!(member));
}

#[test]
fn a_face_agrees_for_its_person_and_transaction_alone() {
    let world = familial(World::insured());
    let member = child(&world);
    let wrong = [FACE, b"another"].concat();
    bind(&world, &binding(&world, member, &wrong)).problem(403, "face_differs");
    // A face that fits agrees for nobody else.
    let other = binding(&world, PersonId([2; 16]), FACE);
    bind(&world, &other).problem(409, "other_person");
    let own_key = content(&world, member, "own_key");
    bind(&world, &sent(&world, &own_key, &identity(), FACE)).problem(422, "invalid_change");
    let face = content(&world, member, "face");
    let stranger = json!({ "name": "Nobody", "number": NUMBER });
    let body = sent(&world, &face, &stranger, FACE);
    bind(&world, &body).problem(403, "identity_unconfirmed");
    let text = sent(&world, &face, &identity(), b"no picture");
    bind(&world, &text).problem(422, "invalid_field");
    assert_eq!(family(&world)["members"], json!([]));
}

#[test]
fn who_has_no_face_in_the_register_is_told_what_to_do() {
    let world = familial(World::insured());
    let (name, number) = NEWCOMERS[1];
    let face = content(&world, PersonId([2; 16]), "face");
    let body = sent(&world, &face, &json!({ "name": name, "number": number }), FACE);
    bind(&world, &body).problem(409, "no_face");
}

#[test]
fn whoever_tries_faces_has_to_wait() {
    let world = familial(World::insured());
    let member = child(&world);
    let token = world.token(person(1));
    let wrong = [FACE, b"another"].concat();
    let bind = |picture: &[u8]| {
        let body = binding(&world, member, picture);
        world.ask(&Ask::post(path("face-bindings"), &body).token(&token))
    };
    let refusals: Vec<u16> = (0..40).map(|_| bind(&wrong).status).collect();
    let waits = refusals.iter().position(|status| *status == 429);
    assert!(waits.is_some_and(|at| at > 0), "{refusals:?}");
    // Then not even the right one is looked at.
    bind(FACE).problem(429, "too_many_requests");
}

#[test]
fn nobody_binds_for_another_payer() {
    let world = familial(World::insured());
    let member = child(&world);
    let body = binding(&world, member, FACE);
    let ask = |who| world.ask(&Ask::post(path("face-bindings"), &body).token(&world.token(who)));
    ask(person(2)).problem(403, "not_yours");
    ask(organisation("bureau")).problem(403, "not_yours");
}
