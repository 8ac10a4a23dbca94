//! People at the bureau's desk: found, locked with a reason, unlocked with the authority, rid of a
//! lost key, given a code for a new wallet, closed.

use gateway::Port as _;
use ledger::Content;
use primitives::PersonId;
use serde_json::{Value, json};

use crate::support::keys::public;
use crate::support::wallets::{ACTIVATION, NAME, NEWCOMERS, NUMBER, joined, joined_as};
use crate::support::{Answered, Ask, DAY, START, World, organisation, person};

/// Who stands at the desk.
pub fn identity() -> Value {
    json!({ "name": NAME, "number": NUMBER })
}

/// What the bureau's desk sends for a content.
pub fn act(world: &World, content: &Content, reason: &str) -> Value {
    let mut body = world.submission(content, &[organisation("bureau")]);
    body["reason"] = json!(reason);
    body
}

fn token(world: &World) -> String {
    world.token(organisation("bureau"))
}

fn desk(world: &World, what: &str, body: &Value) -> Answered {
    let path = format!("/v1/organisations/bureau/{what}");
    world.ask(&Ask::post(path, body).token(&token(world)))
}

/// A content of the desk about somebody.
pub fn content(world: &World, kind: &str, who: impl ToString) -> Content {
    let mut body = json!({ "person": who.to_string() });
    match kind {
        "close_person" => body["last_day"] = json!("2026-01-01"),
        "reset_pin_counter" => {}
        _ => body["by"] = json!("desk"),
    }
    world.content(organisation("bureau"), kind, body)
}

/// The row of somebody as the bureau reads it.
fn row(world: &World, who: PersonId) -> Value {
    world.ask(&Ask::get(format!("/v1/persons/{who}")).token(&token(world))).expect(200).json()
}

fn acts(world: &World, who: PersonId, token: &str) -> Vec<Value> {
    let list = Ask::get(format!("/v1/persons/{who}/desk-acts")).token(token);
    world.ask(&list).expect(200).json()["acts"].as_array().unwrap().clone()
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[test]
fn a_lock_says_who_locked_and_why() {
    let world = World::new();
    let newcomer = joined(&world);
    let found = desk(&world, "person-lookups", &identity()).expect(200).json();
    assert_eq!(found, json!({ "person": newcomer, "name": NAME, "number_end": "002X" }));
    let lock = content(&world, "lock_person", newcomer);
    let sent = with(act(&world, &lock, "phone_lost"), "words", json!("电话报失"));
    let done = desk(&world, "desk-acts", &sent).expect(201).json();
    assert_eq!(row(&world, newcomer)["lock"]["by"], "organisation:bureau");
    assert_eq!(desk(&world, "desk-acts", &sent).expect(201).json(), done, "the same again");
    // The bureau sees which key signed; the person reads why, and nobody else anything.
    let seen = acts(&world, newcomer, &token(&world));
    let own = world.ask(&world.sign_in_with(primitives::Party::Person(newcomer), "newcomer"));
    let own = own.expect(201).json()["token"].as_str().unwrap().to_owned();
    let read = acts(&world, newcomer, &own);
    assert_eq!((seen.len(), read.len()), (1, 1));
    assert_eq!(seen[0]["key"], json!(public("bureau")));
    assert!(read[0].get("key").is_none());
    for one in [&seen[0], &read[0]] {
        assert_eq!(one["kind"], "lock_person");
        assert_eq!((&one["reason"], &one["words"]), (&json!("phone_lost"), &json!("电话报失")));
    }
    let list = Ask::get(format!("/v1/persons/{newcomer}/desk-acts"));
    world.ask(&list.token(&world.token(person(1)))).problem(403, "not_yours");
    // What the ledger refuses leaves no reason behind.
    let again = content(&world, "lock_person", newcomer);
    desk(&world, "desk-acts", &act(&world, &again, "phone_lost")).problem(422, "already_locked");
    assert_eq!(acts(&world, newcomer, &token(&world)).len(), 1);
}

#[test]
fn the_authority_signs_for_nobody_else() {
    let world = World::new();
    let newcomer = joined(&world);
    let other = joined_as(&world, NEWCOMERS[1], "other newcomer");
    let lock = content(&world, "lock_person", newcomer);
    desk(&world, "desk-acts", &act(&world, &lock, "misuse_suspected")).expect(201);
    let unlock = content(&world, "unlock_person", newcomer);
    let sent = act(&world, &unlock, "resolved");
    let refused =
        |identity: Value| desk(&world, "desk-acts", &with(sent.clone(), "identity", identity));
    assert_eq!(desk(&world, "desk-acts", &sent).problem(422, "invalid_field")["field"], "identity");
    refused(json!({ "name": "欧阳晓晓", "number": NUMBER })).problem(403, "identity_unconfirmed");
    let [_, (name, number), (name_of_none, number_of_none), _] = NEWCOMERS;
    assert_ne!(other, newcomer);
    let answer = refused(json!({ "name": name, "number": number })).problem(409, "other_person");
    assert_eq!(answer["field"], "identity.number");
    refused(json!({ "name": name_of_none, "number": number_of_none })).problem(409, "other_person");
    assert!(row(&world, newcomer).get("lock").is_some(), "nobody was unlocked");
    // A desk that signs in the authority's name too changes nothing.
    let mut both = world.submission(&unlock, &[organisation("bureau"), organisation("authority")]);
    both["reason"] = json!("resolved");
    desk(&world, "desk-acts", &both).problem(422, "invalid_field");
    both["identity"] = identity();
    desk(&world, "desk-acts", &both).expect(201);
    assert!(row(&world, newcomer).get("lock").is_none());
    let kinds: Vec<_> =
        acts(&world, newcomer, &token(&world)).iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, [json!("unlock_person"), json!("lock_person")]);
}

#[test]
fn a_lost_key_goes_and_a_code_from_the_desk_opens_a_new_wallet() {
    let world = World::new();
    let newcomer = joined(&world);
    desk(&world, "activations", &identity()).problem(409, "has_wallet");
    let revoke = json!({ "person": newcomer, "by": "desk", "key": public("newcomer") });
    let revoke = world.content(organisation("bureau"), "revoke_person_key", revoke);
    desk(&world, "desk-acts", &act(&world, &revoke, "phone_lost")).expect(201);
    assert_eq!(row(&world, newcomer)["keys"], json!([]));
    let given = desk(&world, "activations", &identity()).expect(201).json();
    let digits = given["code"].as_str().unwrap();
    assert!(digits.len() == 10 && digits.bytes().all(|one| one.is_ascii_digit()), "{given}");
    let check = |activation: &str| {
        let body = with(identity(), "activation", json!(activation));
        world.ask(&Ask::post("/v1/wallets/checks", &body))
    };
    check(ACTIVATION).problem(403, "activation_wrong");
    let checked = check(digits).expect(201).json();
    assert_eq!(checked["person"], json!(newcomer), "the same person as before");
    let body = json!({
        "ticket": checked["ticket"], "key": public("a new phone"), "grade": "device",
        "pin_verifier": primitives::sha256(b"made of the PIN")
    });
    world.ask(&Ask::post("/v1/wallets", &body)).expect(201);
    assert_eq!(row(&world, newcomer)["keys"][0]["key"], json!(public("a new phone")));
    check(digits).problem(403, "activation_wrong");
}

#[test]
fn closing_an_account_erases_the_wallet_and_keeps_who_it_was() {
    let world = World::new();
    let newcomer = joined(&world);
    let directory = &world.port.wallet().unwrap().directory;
    let card = directory.card(PersonId([1; 16])).unwrap().unwrap();
    directory.put_cards(&[(newcomer, card)]).unwrap();
    let close = content(&world, "close_person", newcomer);
    let sent = with(act(&world, &close, "death"), "identity", identity());
    // A reason belongs to what is done.
    let lost = with(sent.clone(), "reason", json!("phone_lost"));
    assert_eq!(desk(&world, "desk-acts", &lost).problem(422, "invalid_field")["field"], "reason");
    let done = desk(&world, "desk-acts", &sent).expect(201).json();
    let closed = row(&world, newcomer);
    assert_eq!(closed["closed_after"], "2026-01-01");
    assert_eq!(closed["keys"], json!([]));
    assert!(directory.card(newcomer).unwrap().is_none());
    assert_eq!(directory.person(newcomer).unwrap().unwrap().name, NAME);
    let check = with(identity(), "activation", json!(ACTIVATION));
    world.ask(&Ask::post("/v1/wallets/checks", &check)).problem(403, "activation_wrong");
    desk(&world, "activations", &identity()).problem(422, "person_closed");
    assert_eq!(acts(&world, newcomer, &token(&world))[0]["reason"], "death");
    // The same again erases what a crash may have left.
    assert_eq!(desk(&world, "desk-acts", &sent).expect(201).json(), done);
    let lock = content(&world, "lock_person", newcomer);
    desk(&world, "desk-acts", &act(&world, &lock, "ordered")).problem(422, "person_closed");
}

#[test]
fn each_key_does_what_its_scope_says() {
    let world = World::new();
    let newcomer = joined(&world);
    let scoped = |key: &str, scope: &str| {
        let body = json!({
            "organisation": "bureau", "key": public(key), "scopes": [scope],
            "expires": START.plus_millis(300 * DAY)
        });
        world.accepted_with("bureau-root", organisation("bureau"), "authorise_key", body);
        let opened = world.ask(&world.sign_in_with(organisation("bureau"), key)).expect(201);
        opened.json()["token"].as_str().unwrap().to_owned()
    };
    let [clerk, attests, settles] =
        [("counter", "clerk"), ("registration", "attest"), ("till", "settle")]
            .map(|(key, scope)| scoped(key, scope));
    let ask = |what: &str, body: &Value, token: &str| {
        world.ask(&Ask::post(format!("/v1/organisations/bureau/{what}"), body).token(token))
    };
    let signed = |kind: &str, key: &str, reason: &str| {
        let content = content(&world, kind, newcomer);
        let mut body = world.submission(&content, &[]);
        body["authorisations"] = json!([world.authorise(&content, organisation("bureau"), key)]);
        with(with(body, "reason", json!(reason)), "identity", identity())
    };
    ask("person-lookups", &identity(), &settles).problem(403, "scope_not_held");
    ask("person-lookups", &identity(), &attests).expect(200);
    ask("activations", &identity(), &attests).problem(403, "scope_not_held");
    let lock = signed("lock_person", "counter", "phone_lost");
    ask("desk-acts", &lock, &attests).problem(403, "scope_not_held");
    ask("desk-acts", &lock, &clerk).expect(201);
    let close = signed("close_person", "counter", "left_for_good");
    ask("desk-acts", &close, &clerk).problem(403, "scope_not_held");
    let close = signed("close_person", "registration", "left_for_good");
    ask("desk-acts", &close, &attests).expect(201);
}

#[test]
fn nothing_else_is_brought_to_the_desk_and_nobody_elses() {
    let world = World::new();
    let newcomer = joined(&world);
    let bureau = organisation("bureau");
    for stranger in [person(1), organisation("hospital")] {
        for what in ["person-lookups", "desk-acts", "activations"] {
            let path = format!("/v1/organisations/bureau/{what}");
            let ask = Ask::post(path, &identity()).token(&world.token(stranger));
            world.ask(&ask).problem(403, "not_yours");
        }
    }
    let wrong = json!({ "name": NAME, "number": "11010519491231002x" });
    desk(&world, "person-lookups", &wrong).problem(422, "invalid_field");
    let [.., (name, number)] = NEWCOMERS;
    let nobody = json!({ "name": name, "number": number });
    desk(&world, "person-lookups", &nobody).problem(404, "not_enrolled");
    let own = json!({ "person": newcomer, "by": "own_key" });
    let own = world.content(bureau, "lock_person", own);
    let other = world.content(bureau, "ask_unlock", json!({ "person": newcomer }));
    for content in [own, other] {
        let sent = act(&world, &content, "phone_lost");
        desk(&world, "desk-acts", &sent).problem(422, "invalid_change");
    }
    let mut foreign = content(&world, "lock_person", newcomer);
    foreign.author = person(1);
    let mut sent = world.submission(&foreign, &[person(1), bureau]);
    sent["reason"] = json!("phone_lost");
    desk(&world, "desk-acts", &sent).problem(422, "invalid_change");
    let lock = content(&world, "lock_person", newcomer);
    let field = |reason: &str, words: &str| {
        let sent = with(act(&world, &lock, reason), "words", json!(words));
        desk(&world, "desk-acts", &sent).problem(422, "invalid_field")["field"].clone()
    };
    assert_eq!(field("other", " "), "words");
    assert_eq!(field("phone_lost", &"字".repeat(301)), "words");
    assert_eq!(field("death", ""), "reason");
    assert!(row(&world, newcomer).get("lock").is_none());
    assert_eq!(acts(&world, newcomer, &token(&world)), Vec::<Value>::new());
}
