//! A wallet whose devices are all lost: a guardian's code, the new device, the guardians' word, the
//! waiting time, and the desk that completes it.

use adapters::clock::Clock as _;
use ledger::Content;
use primitives::{Party, PersonId, sha256};
use serde_json::{Value, json};

use crate::desk_act::{act, identity};
use crate::support::keys::public;
use crate::support::wallets::{ACTIVATION, NAME, NEWCOMERS, NUMBER, joined, joined_as};
use crate::support::{Answered, Ask, REGION, World, governing, id_of, organisation, person};

/// Somebody without a key, whose guardian is person 1.
pub const WARD: PersonId = PersonId([9; 16]);
const HOUR: u64 = 3_600_000;

/// The same world, in which person 1 is the guardian of [`WARD`].
pub fn guarded(world: World) -> World {
    let both = [organisation("bureau"), organisation("authority")];
    let ward = json!({
        "id": WARD, "commitment": sha256(&[9, 1]), "blind_index": sha256(&[9, 2]), "keys": []
    });
    world.accepted(&both, "enrol_person", json!({ "region": REGION, "person": ward }));
    let named = json!({
        "person": WARD, "guardian": id_of(person(1)), "period": { "from": "2026-01-01" },
        "ground": { "without_key": { "documents": sha256(b"documents") } }
    });
    world.accepted(&both, "set_guardian", named);
    world
}

/// The newcomer has a wallet, and persons 1 and 2 are trusted; so many of them must agree.
fn trusting(guardians_min: u8) -> (World, PersonId) {
    let world = World::new();
    let rules = json!({ "guardians_min": guardians_min, "waiting_hours": 48 });
    let rules = json!({ "region": REGION, "rules": rules });
    world.accepted(&governing(), "set_recovery_rules", rules);
    let newcomer = joined(&world);
    for number in [1, 2] {
        let body = json!({
            "person": newcomer, "guardian": id_of(person(number)), "ground": "own_wish",
            "period": { "from": "2026-01-01" }
        });
        world.accepted_with("newcomer", Party::Person(newcomer), "set_guardian", body);
    }
    (world, newcomer)
}

fn code_of(world: &World, who: PersonId, guardian: Party) -> Answered {
    let path = format!("/v1/persons/{who}/recovery-codes");
    world.ask(&Ask::post(path, &json!({})).token(&world.token(guardian)))
}

fn check(world: &World, (name, number): (&str, &str), code: &str) -> Answered {
    let body = json!({ "name": name, "number": number, "code": code });
    world.ask(&Ask::post("/v1/recoveries/checks", &body))
}

/// A guardian's code, as the person types it on a new device; what the device is told.
fn checked(world: &World, newcomer: PersonId) -> Value {
    let given = code_of(world, newcomer, person(1)).expect(201).json();
    check(world, (NAME, NUMBER), given["code"].as_str().unwrap()).expect(201).json()
}

fn asked(world: &World, ticket: &Value, key: &str) -> Answered {
    let body = json!({
        "ticket": ticket, "key": public(key), "grade": "device",
        "pin_verifier": sha256(b"made of the PIN")
    });
    world.ask(&Ask::post("/v1/recoveries", &body))
}

fn stage(world: &World, watch: &Value) -> Value {
    let ask = Ask::post("/v1/recoveries/states", &json!({ "watch": watch }));
    world.ask(&ask).expect(200).json()
}

fn agree(world: &World, newcomer: PersonId, guardian: Party, key: &str) -> Answered {
    let body = json!({
        "person": newcomer, "guardian": id_of(guardian), "key": public(key)
    });
    let content = world.content(guardian, "agree_recovery", body);
    let ask = world.submit(&content, &[guardian]).token(&world.token(guardian));
    world.ask(&ask)
}

fn completion(world: &World, newcomer: PersonId, key: &str) -> Content {
    let body = json!({ "person": newcomer, "key": public(key) });
    world.content(organisation("bureau"), "complete_recovery", body)
}

fn desk(world: &World, content: &Content, identity: Option<Value>) -> Answered {
    let mut body = act(world, content, "asked_by_person");
    if let Some(identity) = identity {
        body["identity"] = identity;
    }
    let token = world.token(organisation("bureau"));
    world.ask(&Ask::post("/v1/organisations/bureau/desk-acts", &body).token(&token))
}

fn row(world: &World, who: PersonId, reader: Party) -> Value {
    let ask = Ask::get(format!("/v1/persons/{who}")).token(&world.token(reader));
    world.ask(&ask).expect(200).json()
}

#[test]
fn a_lost_wallet_comes_back_by_code_agreement_waiting_and_desk() {
    let (world, newcomer) = trusting(2);
    let region = world.ask(&Ask::get(format!("/v1/regions/{REGION}"))).expect(200).json();
    assert_eq!(region["recovery"], json!({ "guardians_min": 2, "waiting_hours": 48 }));
    let directory = &gateway::Port::wallet(&*world.port).unwrap().directory;
    let shown = |key: &str| {
        let key = public(key);
        let used = adapters::directory::UsedCode { person: newcomer, shown_by: None, key };
        directory.new_code(used, world.clock.now()).unwrap()
    };
    let lost = shown("newcomer");
    let found = checked(&world, newcomer);
    assert_eq!(found["person"], json!(newcomer));
    let answer = asked(&world, &found["ticket"], "found phone").expect(201).json();
    let again = asked(&world, &found["ticket"], "found phone").expect(201).json();
    assert_eq!(again["person"], answer["person"], "the same again changes nothing");
    let watch = &answer["watch"];
    assert_eq!(stage(&world, watch)["stage"], "asked");
    // Nothing has changed; guardians and bureau see it, and the lost phone would.
    let seen = row(&world, newcomer, organisation("bureau"));
    assert_eq!(seen["keys"][0]["key"], json!(public("newcomer")));
    assert_eq!(seen["recovery"]["key"], json!(public("found phone")));
    assert_eq!(row(&world, newcomer, person(2))["recovery"], seen["recovery"]);
    let complete = completion(&world, newcomer, "found phone");
    desk(&world, &complete, Some(identity())).problem(422, "recovery_not_agreed");
    agree(&world, newcomer, person(1), "found phone").expect(201);
    let one = stage(&world, watch);
    assert_eq!((&one["agreed"], &one["needed"]), (&json!(1), &json!(2)));
    agree(&world, newcomer, person(2), "another phone").problem(422, "recovery_key_differs");
    agree(&world, newcomer, person(2), "found phone").expect(201);
    let waiting = stage(&world, watch);
    assert_eq!(waiting["stage"], "waiting");
    assert!(waiting["ready_from"].is_string(), "{waiting}");
    let complete = completion(&world, newcomer, "found phone");
    desk(&world, &complete, Some(identity())).problem(422, "recovery_too_early");
    (0..2).for_each(|_| world.port.pass_day());
    assert_eq!(stage(&world, watch)["stage"], "ready");
    // The desk says whose document it saw, and the authority signs for nobody else.
    let complete = completion(&world, newcomer, "found phone");
    let refused = desk(&world, &complete, None).problem(422, "invalid_field");
    assert_eq!(refused["field"], "identity");
    let [_, (name, number), ..] = NEWCOMERS;
    let other = json!({ "name": name, "number": number });
    desk(&world, &complete, Some(other)).problem(409, "other_person");
    desk(&world, &complete, Some(identity())).expect(201);
    assert_eq!(stage(&world, watch)["stage"], "completed");
    let keys = row(&world, newcomer, person(1))["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(keys[0]["key"], json!(public("found phone")));
    assert_eq!(keys[0]["payment_max"], "100000", "the limits of a new device key");
    let party = Party::Person(newcomer);
    world.ask(&world.sign_in_with(party, "found phone")).expect(201);
    world.ask(&world.sign_in_with(party, "newcomer")).problem(401, "sign_in_refused");
    // The rotating code of the lost phone opens no visit any more; that of the found one does.
    let looked_up = |seed: adapters::directory::CodeSeed| {
        let digits = adapters::directory::code::code_digits(
            &seed.secret,
            adapters::directory::code::code_step(world.clock.now()),
        );
        let shown = json!({ "code": format!("{} {digits:06}", seed.number) });
        let ask = Ask::post("/v1/codes/lookups", &shown);
        world.ask(&ask.token(&world.token(organisation("hospital"))))
    };
    looked_up(lost).problem(422, "code_wrong");
    looked_up(shown("found phone")).expect(200);
}

#[test]
fn the_lost_phone_and_every_guardian_stop_it() {
    let (world, newcomer) = trusting(1);
    let own = Party::Person(newcomer);
    let found = checked(&world, newcomer);
    let watch = asked(&world, &found["ticket"], "thief's phone").expect(201).json();
    agree(&world, newcomer, person(1), "thief's phone").expect(201);
    let body = json!({ "person": newcomer, "by": "own_key" });
    let content = world.content(own, "stop_recovery", body);
    let mut sent = world.submission(&content, &[]);
    sent["authorisations"] = json!([world.authorise(&content, own, "newcomer")]);
    let key = serde_json::to_value(content.idempotency_key).unwrap();
    let opened = world.ask(&world.sign_in_with(own, "newcomer")).expect(201).json();
    let ask = Ask::post("/v1/transactions", &sent)
        .with("idempotency-key", key.as_str().unwrap())
        .token(opened["token"].as_str().unwrap());
    world.ask(&ask).expect(201);
    assert_eq!(stage(&world, &watch["watch"])["stage"], "over");
    let stopped = &row(&world, newcomer, person(2))["recovery"];
    assert!(stopped["stopped_at"].is_string() && stopped["paused_until"].is_string(), "{stopped}");
    let found = checked(&world, newcomer);
    asked(&world, &found["ticket"], "found phone").problem(422, "recovery_paused");
    (0..2).for_each(|_| world.port.pass_day());
    assert!(row(&world, newcomer, person(2)).get("recovery").is_none());
    let found = checked(&world, newcomer);
    asked(&world, &found["ticket"], "found phone").expect(201);
    // A desk that was asked by mistake corrects it, with a reason.
    let body = json!({ "person": newcomer, "by": "desk" });
    let content = world.content(organisation("bureau"), "stop_recovery", body);
    desk(&world, &content, None).expect(201);
    let found = checked(&world, newcomer);
    asked(&world, &found["ticket"], "found phone").expect(201);
}

#[test]
fn without_a_guardians_code_nobody_learns_who_has_a_wallet() {
    let (world, newcomer) = trusting(1);
    code_of(&world, newcomer, organisation("hospital")).problem(403, "not_yours");
    code_of(&world, newcomer, organisation("bureau")).problem(403, "not_yours");
    let path = format!("/v1/persons/{newcomer}/recovery-codes");
    let own = world.ask(&world.sign_in_with(Party::Person(newcomer), "newcomer")).expect(201);
    let own = Ask::post(path, &json!({})).token(own.json()["token"].as_str().unwrap());
    world.ask(&own).problem(403, "not_yours");
    // Whether enrolled or not, whether with guardians or without: the same answer.
    let other = joined_as(&world, NEWCOMERS[1], "other newcomer");
    let answers = [NEWCOMERS[0], NEWCOMERS[1], NEWCOMERS[2]]
        .map(|who| check(&world, who, "0000000000").problem(403, "recovery_code_wrong"));
    assert!(
        answers.iter().all(|one| one["field"] == "code" && one["title"] == answers[0]["title"])
    );
    check(&world, ("别人", NUMBER), "0000000000").problem(403, "identity_unconfirmed");
    // Nor are the codes of letters used up by it.
    (0..5).for_each(|_| {
        check(&world, NEWCOMERS[2], ACTIVATION).problem(403, "recovery_code_wrong");
    });
    joined_as(&world, NEWCOMERS[2], "a third newcomer");
    // A code is one person's, counts once, and only a day.
    let code = code_of(&world, newcomer, person(2)).expect(201).json()["code"].clone();
    let digits = code.as_str().unwrap();
    check(&world, NEWCOMERS[1], digits).problem(403, "recovery_code_wrong");
    assert_ne!(other, newcomer);
    world.clock.advance_millis(25 * HOUR);
    check(&world, (NAME, NUMBER), digits).problem(403, "recovery_code_wrong");
    let found = checked(&world, newcomer);
    let given = code_of(&world, newcomer, person(1)).expect(201).json();
    asked(&world, &found["ticket"], "found phone").expect(201);
    check(&world, (NAME, NUMBER), given["code"].as_str().unwrap())
        .problem(403, "recovery_code_wrong");
    // Tickets are for what they were given, and for a quarter of an hour.
    let body = json!({ "ticket": found["ticket"], "key": public("a"), "grade": "device" });
    let no_pin = world.ask(&Ask::post("/v1/recoveries", &body)).problem(422, "invalid_field");
    assert_eq!(no_pin["field"], "pin_verifier");
    let mut wallet = body;
    wallet["pin_verifier"] = json!(sha256(b"PIN"));
    world.ask(&Ask::post("/v1/wallets", &wallet)).problem(409, "ticket_ended");
    let watch = json!({ "watch": found["ticket"] });
    world.ask(&Ask::post("/v1/recoveries/states", &watch)).problem(409, "ticket_ended");
    world.clock.advance_millis(HOUR);
    asked(&world, &found["ticket"], "b").problem(409, "ticket_ended");
}

#[test]
fn a_person_without_guardians_is_sent_to_the_desk() {
    let world = World::new();
    let rules = json!({ "guardians_min": 1, "waiting_hours": 0 });
    let rules = json!({ "region": REGION, "rules": rules });
    world.accepted(&governing(), "set_recovery_rules", rules);
    let newcomer = joined(&world);
    // Bureau and authority without a guardian: refused by the ledger, whoever wants it.
    let body = json!({
        "person": newcomer, "new": {
            "key": public("operator"), "grade": "device", "payment_max": "1", "day_max": "1"
        }
    });
    let bureau = organisation("bureau");
    let content = world.content(bureau, "ask_recovery", body);
    let both = [bureau, organisation("authority")];
    let ask = world.submit(&content, &both).token(&world.token(bureau));
    world.ask(&ask).problem(422, "too_few_guardians");
    let complete = completion(&world, newcomer, "operator");
    desk(&world, &complete, Some(identity())).problem(422, "no_recovery");
}
