//! Joining, codes and PINs: what opens a wallet, and what does not.

use gateway::{Chain as _, Port as _};
use primitives::{Party, PersonId, sha256};
use serde_json::{Value, json};

use crate::support::keys::{Passkey, public};
use crate::support::wallets::{ACTIVATION, NAME, NUMBER, identity_check, shown_code};
use crate::support::{Ask, PAGE_ORIGIN, World, id_of, organisation, person};

fn check(world: &World, body: &Value) -> crate::support::Answered {
    world.ask(&Ask::post("/v1/wallets/checks", body))
}

fn ticket(world: &World) -> (String, PersonId) {
    let answer = check(world, &identity_check()).expect(201).json();
    let person = answer["person"].as_str().unwrap().parse().unwrap();
    (answer["ticket"].as_str().unwrap().to_owned(), person)
}

fn open(world: &World, body: &Value) -> crate::support::Answered {
    world.ask(&Ask::post("/v1/wallets", body))
}

#[test]
fn somebody_who_shows_who_they_are_registers_a_passkey_and_signs_in_with_it() {
    let world = World::new();
    let (ticket, id) = ticket(&world);
    let passkey = Passkey::generate();
    let body = json!({ "ticket": ticket, "key": passkey.public(), "grade": "passkey" });
    let wallet = open(&world, &body).expect(201).json();
    assert_eq!(wallet, json!({ "person": id }));
    let party = Party::Person(id);
    let (challenge, message) = world.challenge(party);
    let signature = passkey.assert(&message, PAGE_ORIGIN, "localhost");
    let sign_in = json!({
        "party": party, "challenge": challenge, "key": passkey.public(), "signature": signature
    });
    let session = world.ask(&Ask::post("/v1/sessions", &sign_in)).expect(201).json();
    let token = session["token"].as_str().unwrap();
    let get = |path: &str| world.ask(&Ask::get(path).token(token)).expect(200).json();
    let profile = get(&format!("/v1/persons/{id}/profile"));
    assert_eq!(profile, json!({ "name": NAME, "number_end": "002X" }));
    let row = get(&format!("/v1/persons/{id}"));
    assert_eq!(row["keys"][0]["payment_max"], "500000");
    // A retry gives the same; the letter's code is used up.
    open(&world, &body).expect(201);
    check(&world, &identity_check()).problem(403, "activation_wrong");
}

#[test]
fn a_device_gets_lower_limits_and_a_pin_that_opens_its_key() {
    let world = World::new();
    let (ticket, id) = ticket(&world);
    let key = public("device of the newcomer");
    let without = json!({ "ticket": ticket, "key": key, "grade": "device" });
    let problem = open(&world, &without).problem(422, "invalid_field");
    assert_eq!(problem["field"], "pin_verifier");
    let verifier = sha256(b"made of the PIN");
    let body = json!({ "ticket": ticket, "key": key, "grade": "device", "pin_verifier": verifier });
    let wallet = open(&world, &body).expect(201).json();
    assert_eq!(wallet["person"], json!(id));
    let path = format!("/v1/pins/{}/tries", wallet["pin"]["pin"].as_str().unwrap());
    let tried = |words: &[u8]| world.ask(&Ask::post(&path, &json!({ "verifier": sha256(words) })));
    let right = tried(b"made of the PIN").expect(200).json();
    assert_eq!(right["secret"], wallet["pin"]["secret"]);
    for left in [4, 3, 2, 1] {
        let problem = tried(b"guessed").problem(403, "device_pin_wrong");
        assert_eq!(problem["particulars"]["left"], left, "{problem}");
    }
    tried(b"guessed").problem(403, "device_pin_gone");
    tried(b"made of the PIN").problem(403, "device_pin_gone");
    let row = ledger::modules::person::view::person(&world.port.view().state, id).unwrap();
    assert_eq!(row.keys[0].payment_max.minor(), 100_000);
}

#[test]
fn what_is_wrong_is_told_by_its_field() {
    let world = World::new();
    let with = |field: &str, value: &str| {
        let mut body = identity_check();
        body[field] = json!(value);
        check(&world, &body)
    };
    let problem = with("number", "110105194912310021").problem(422, "invalid_field");
    assert_eq!(problem["field"], "number");
    with("number", "11010119000101001X").problem(422, "invalid_field");
    with("name", "欧阳晓晓").problem(403, "identity_unconfirmed");
    // Somebody whom the register does not know is no other answer.
    with("number", "110101199003074514").problem(403, "identity_unconfirmed");
    let problem = with("activation", "0000000000").problem(403, "activation_wrong");
    assert_eq!(problem["field"], "activation");
    with("activation", "12345 67890").expect(201);
    for _ in 0..5 {
        with("activation", "0000000000").problem(403, "activation_wrong");
    }
    with("activation", ACTIVATION).problem(403, "activation_wrong");
}

#[test]
fn a_ticket_is_for_its_person_and_a_while() {
    let world = World::new();
    let (sealed, _) = ticket(&world);
    let (other, _) = ticket(&world);
    let body = |ticket: &str, name: &str| json!({ "ticket": ticket, "key": public(name), "grade": "device", "pin_verifier": sha256(b"1") });
    let mut changed = sealed.clone();
    changed.replace_range(40..42, if &changed[40..42] == "00" { "01" } else { "00" });
    for wrong in [changed.as_str(), "", "zz", &NUMBER.repeat(4)] {
        open(&world, &body(wrong, "new")).problem(409, "ticket_ended");
    }
    world.clock.advance_millis(15 * 60_000 - 1);
    open(&world, &body(&sealed, "new")).expect(201);
    // Two checks were made of the same natural person; the second finds one who has a wallet.
    open(&world, &body(&other, "another")).problem(409, "has_wallet");
    world.clock.advance_millis(1);
    open(&world, &body(&sealed, "new")).problem(409, "ticket_ended");
}

#[test]
fn a_person_who_was_enrolled_without_a_key_gets_a_first_one() {
    let world = World::new();
    let index = {
        let wallet = world.port.wallet().unwrap();
        let identity =
            adapters::identity::Identity { name: NAME.to_owned(), number: NUMBER.to_owned() };
        wallet.authority.attest(&identity, &sha256(b"record")).unwrap().statement.blind_index
    };
    let id = PersonId([7; 16]);
    world.accepted(
        &[organisation("bureau"), organisation("authority")],
        "enrol_person",
        json!({
            "region": crate::support::REGION,
            "person": { "id": id, "commitment": sha256(b"record"), "blind_index": index }
        }),
    );
    let (ticket, found) = ticket(&world);
    assert_eq!(found, id);
    let body = json!({
        "ticket": ticket, "key": public("first"), "grade": "device", "pin_verifier": sha256(b"1")
    });
    open(&world, &body).expect(201);
    let second = json!({
        "ticket": ticket, "key": public("second"), "grade": "device", "pin_verifier": sha256(b"1")
    });
    open(&world, &second).problem(409, "has_wallet");
}

#[test]
fn a_shown_code_says_who_stands_there_once() {
    let world = World::insured();
    let token = world.token(organisation("hospital"));
    let look_up = |code: &str| {
        world.ask(&Ask::post("/v1/codes/lookups", &json!({ "code": code })).token(&token))
    };
    let code = shown_code(&world);
    let patient = look_up(&code).expect(200).json();
    assert_eq!(patient["person"], json!(id_of(person(1))));
    assert_eq!((&patient["name"], &patient["number_end"]), (&json!("陈玉兰"), &json!("002X")));
    assert_eq!(patient["coverages"][0]["standing"], "active");
    assert_eq!(
        (&patient["is_locked"], &patient["card_last_four"]),
        (&json!(false), &json!("4321"))
    );
    look_up(&code).problem(422, "code_wrong");
    for wrong in
        ["", "12345678", "12345678901234", "１２３４５６７８９０１２３４", "abcdefgh123456"]
    {
        look_up(wrong).problem(422, "code_wrong");
    }
    // A bureau is no provider.
    let bureau = world.token(organisation("bureau"));
    let ask = Ask::post("/v1/codes/lookups", &json!({ "code": shown_code(&world) }));
    world.ask(&ask.token(&bureau)).problem(403, "not_yours");
}

#[test]
fn those_who_guess_codes_have_to_wait() {
    let world = World::with_config(gateway::Config {
        sign_in_failures_max: 3,
        ..gateway::Config::default()
    });
    let token = world.token(organisation("hospital"));
    let look_up = |code: &str| {
        world.ask(&Ask::post("/v1/codes/lookups", &json!({ "code": code })).token(&token))
    };
    for _ in 0..3 {
        look_up("12345678901234").problem(422, "code_wrong");
    }
    look_up(&shown_code(&world)).problem(429, "too_many_requests");
}
