//! What a person is told of, and what becomes of it.

use std::sync::Arc;

use adapters::clock::Clock;
use adapters::notice::{Channel, CodeSent, template::ProviderReport};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use gateway::{Config, Gateway, Port as _};
use ledger::Transaction;
use primitives::{Hash, Party, sha256};
use serde_json::{Value, json};

use crate::support::events::Events;
use crate::support::insured::VISIT;
use crate::support::keys::public;
use crate::support::wallets::{PROVIDER_SECRET, PUSH_SERVICE, confirmation, send_request};
use crate::support::{Answered, Ask, World, id_of, organisation, person};

/// A path below a person's.
pub fn own_path(number: u8, rest: &str) -> String {
    format!("/v1/persons/{}{rest}", id_of(person(number)))
}

/// A browser as it says itself where it is reached. Any point of the curve is a key.
pub fn browser(number: u8) -> Value {
    let point = aws_lc_rs::agreement::PrivateKey::from_private_key(
        &aws_lc_rs::agreement::ECDH_P256,
        &[number; 32],
    );
    let point = point.unwrap().compute_public_key().unwrap();
    json!({
        "endpoint": format!("{PUSH_SERVICE}/{number}"),
        "p256dh": Base64UrlUnpadded::encode_string(point.as_ref()),
        "auth": Base64UrlUnpadded::encode_string(&[number; 16])
    })
}

fn ask(world: &World, ask: Ask) -> Answered {
    world.ask(&ask.token(&world.token(person(1))))
}

fn choose(world: &World, wechat: bool, sms: bool) -> Value {
    let body = json!({ "wechat": wechat, "sms": sms });
    let put = Ask { method: "PUT", ..Ask::post(own_path(1, "/notices"), &body) };
    ask(world, put.with("accept-language", "de")).expect(200).json()
}

fn board(world: &World) -> Value {
    ask(world, Ask::get(own_path(1, "/notices"))).expect(200).json()
}

/// What person 1 hears from now on. A receipt is noted before it is heard.
fn listen(world: &World) -> Events {
    Events::answering(world, &Ask::get("/v1/events").token(&world.token(person(1))))
}

fn round(world: &World) {
    world.port.wallet().unwrap().notices.post.round().unwrap();
}

#[test]
fn a_bill_that_waits_is_told_and_seen_in_the_wallet() {
    let world = World::insured();
    assert!(board(&world).get("choice").is_none(), "nobody is told unasked");
    send_request(&world, VISIT);
    assert_eq!(board(&world)["notices"], json!([]));

    let asked = choose(&world, false, false);
    assert_eq!(asked["choice"], json!({ "wechat": false, "sms": false }));
    let offered = json!([
        { "channel": "push", "is_simulated": false },
        { "channel": "wechat", "is_simulated": true },
        { "channel": "sms", "is_simulated": true }
    ]);
    assert_eq!(asked["channels"], offered);
    world.clock.advance_millis(1_000);
    let content = send_request(&world, VISIT);
    let notices = board(&world)["notices"].clone();
    assert_eq!(notices.as_array().unwrap().len(), 1);
    assert_eq!(notices[0]["about"], "request");
    assert_eq!(notices[0]["title"], "有一件事等您确认");
    assert_eq!(notices[0]["deliveries"], json!([]));
    assert!(notices[0].get("seen").is_none());
    let seen = Ask::post(own_path(1, "/notices/seen"), &json!({ "through": u64::MAX }));
    ask(&world, seen).expect(204);
    assert!(board(&world)["notices"][0]["seen"].is_string());

    // What comes of it is told as well: the settlement concerns the person.
    let path = format!("/v1/requests/{}/confirmations", content.id());
    let mut heard = listen(&world);
    ask(&world, Ask::post(path, &confirmation(&world, &content))).expect(201);
    heard.take(&world).unwrap();
    assert_eq!(board(&world)["notices"][0]["about"], "money");

    ask(&world, Ask::delete(own_path(1, "/notices"))).expect(204);
    let after = board(&world);
    assert_eq!(after["notices"], json!([]));
    assert!(after.get("choice").is_none());
}

#[test]
fn a_browser_is_told_and_says_so() {
    let world = World::insured();
    let add = |body: &Value| ask(&world, Ask::post(own_path(1, "/browsers"), body));
    add(&browser(1)).problem(409, "notices_off");
    choose(&world, false, false);
    let first = add(&browser(1)).expect(201).json();
    assert_eq!(add(&browser(1)).expect(201).json(), first, "the same browser");
    let second = add(&browser(2)).expect(201).json();
    assert_eq!(board(&world)["browsers"].as_array().unwrap().len(), 2);

    let elsewhere = |field: &str, value: &str| {
        let mut other = browser(1);
        other[field] = json!(value);
        add(&other)
    };
    for address in ["https://10.0.0.1/x", "http://push.example/x", "https://push.example@a/x", ""] {
        elsewhere("endpoint", address).problem(422, "push_service_unknown");
    }
    let off_the_curve = Base64UrlUnpadded::encode_string(&[4; 65]);
    for (field, value) in
        [("p256dh", "?"), ("p256dh", off_the_curve.as_str()), ("auth", "AAAA"), ("auth", "?")]
    {
        let problem = elsewhere(field, value).problem(422, "invalid_field");
        assert_eq!(problem["field"], field);
    }

    let path = |id: &Value| own_path(1, &format!("/browsers/{}", id.as_str().unwrap()));
    ask(&world, Ask::delete(path(&second["browser"]))).expect(204);
    ask(&world, Ask::delete(path(&second["browser"]))).problem(404, "not_found");
    send_request(&world, VISIT);
    world.clock.advance_millis(5_000);
    round(&world);
    let deliveries = board(&world)["notices"][0]["deliveries"].clone();
    assert_eq!(deliveries[0]["channel"], "push");
    assert_eq!(deliveries[0]["state"], "handed");
    assert!(deliveries[0]["when"].is_string());
}

#[test]
fn a_phone_is_shown_to_be_ones_own_and_its_provider_reports() {
    let world = World::insured();
    let phone =
        |number: &str| ask(&world, Ask::post(own_path(1, "/phones"), &json!({ "number": number })));
    phone("13900001234").problem(409, "notices_off");
    choose(&world, false, true);
    assert_eq!(phone("12345").problem(422, "invalid_field")["field"], "number");
    phone("13900000000").problem(422, "phone_unreached");
    phone("13900001234").expect(204);
    let confirm = |code: &str| {
        let body = json!({ "code": code });
        ask(&world, Ask::post(own_path(1, "/phones/confirmations"), &body))
    };
    confirm("12345").problem(422, "phone_code_wrong");
    assert!(board(&world).get("phone_end").is_none());
    // The code is in the message that the simulated provider took.
    let wallet = world.port.wallet().unwrap();
    let parsed = "13900001234".parse().unwrap();
    let one = id_of(person(1)).parse().unwrap();
    let code = wallet.notices.post.book().new_phone_code(one, &parsed, world.clock.now()).unwrap();
    let CodeSent::Send { code, .. } = code else { panic!("a further code is sent") };
    confirm(&format!("{} {}", &code[..3], &code[3..])).expect(204);
    assert_eq!(board(&world)["phone_end"], "1234");
    for _ in 0..2 {
        phone("13900001234").expect(204);
    }
    phone("13900001234").problem(429, "too_many_phone_codes");
    // Off and on again gives no further codes.
    ask(&world, Ask::delete(own_path(1, "/notices"))).expect(204);
    choose(&world, false, true);
    phone("13900001234").problem(429, "too_many_phone_codes");
    world.clock.advance_millis(24 * 3_600_000);
    assert!(board(&world).get("phone_end").is_none());
    phone("13900001234").expect(204);
    let sent = wallet.notices.post.book().new_phone_code(one, &parsed, world.clock.now()).unwrap();
    let CodeSent::Send { code, .. } = sent else { panic!("a further code is sent") };
    confirm(&code).expect(204);

    send_request(&world, VISIT);
    world.clock.advance_millis(5_000);
    round(&world);
    let handed = board(&world)["notices"][0]["deliveries"].clone();
    assert_eq!((&handed[0]["channel"], &handed[0]["state"]), (&json!("sms"), &json!("handed")));
    world.clock.advance_millis(2_000);
    round(&world);
    assert_eq!(board(&world)["notices"][0]["deliveries"][0]["state"], "arrived");
    let forget = || ask(&world, Ask::delete(own_path(1, "/phones")));
    forget().expect(204);
    forget().problem(404, "not_found");
    let after = board(&world);
    assert!(after.get("phone_end").is_none());
    assert_eq!(after["choice"]["sms"], true, "the number alone goes");
}

#[test]
fn a_report_counts_with_its_providers_signature_only() {
    let world = World::insured();
    let report = |channel: &str, body: &[u8], signature: &str| {
        let ask = Ask::bytes("POST", format!("/v1/notice-reports/{channel}"), body);
        world.ask(&ask.with("report-signature", signature))
    };
    let body = ProviderReport { out_id: sha256(b"never sent"), success: true };
    let body = serde_json::to_vec(&body).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &PROVIDER_SECRET.0);
    let tag = aws_lc_rs::hmac::sign(&key, &body);
    let signature = Hash(tag.as_ref().try_into().unwrap()).to_string();
    // It is the provider's, and of nothing that was sent.
    report("sms", &body, &signature).problem(404, "not_found");
    report("sms", b"{}", &signature).problem(403, "report_unsigned");
    report("sms", &body, &"00".repeat(32)).problem(403, "report_unsigned");
    report("sms", &body, "").problem(403, "report_unsigned");
    report(Channel::Push.name(), &body, &signature).problem(403, "report_unsigned");
    report("pigeon", &body, &signature).problem(404, "not_found");
    let arrival = Ask::post("/v1/notice-arrivals", &json!({ "reference": sha256(b"guessed") }));
    world.ask(&arrival).problem(404, "not_found");
}

#[test]
fn what_others_do_to_a_wallet_is_told_and_what_is_refused_is_not() {
    let world = World::insured();
    choose(&world, false, false);
    let lock = json!({ "person": id_of(person(1)), "by": "own_key" });
    let mut heard = listen(&world);
    world.accepted(&[person(1)], "lock_person", lock.clone());
    heard.take(&world).unwrap();
    let content = world.content(person(1), "lock_person", lock);
    world.ask(&world.submit(&content, &[person(1)]));
    let notices = board(&world)["notices"].clone();
    assert_eq!(notices.as_array().unwrap().len(), 1, "{notices}");
    assert_eq!(notices[0]["about"], "protection");
}

#[test]
fn a_guardian_is_told_of_family_and_not_of_the_own_wallet() {
    let world = World::insured();
    let mut heard = listen(&world);
    choose(&world, false, false);
    let guardian = json!({
        "person": id_of(person(2)), "guardian": id_of(person(1)),
        "period": { "from": "2026-01-01" }, "ground": "own_wish"
    });
    world.accepted(&[person(2)], "set_guardian", guardian);
    heard.take(&world).unwrap();
    let told = |world: &World| {
        let board = board(world);
        let notices = board["notices"].as_array().unwrap().clone();
        notices.iter().map(|one| one["about"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&world), ["family"]);
    // The own wallet is the own one, whoever locks it.
    let lock = json!({ "person": id_of(person(1)), "by": "own_key" });
    world.accepted(&[person(1)], "lock_person", lock);
    heard.take(&world).unwrap();
    assert_eq!(told(&world), ["protection", "family"]);
}

#[test]
fn a_browser_is_told_no_more_once_the_key_that_asked_in_it_is_gone() {
    let world = World::insured();
    choose(&world, false, false);
    ask(&world, Ask::post(own_path(1, "/browsers"), &browser(1))).expect(201);
    // The session of a key ends with it; the bureau hears of both.
    let bureau = world.token(organisation("bureau"));
    let mut heard = Events::answering(&world, &Ask::get("/v1/events").token(&bureau));
    // Another key comes, and the first one goes.
    let new = public("a new key");
    let added = json!({
        "person": id_of(person(1)), "by": "own_key",
        "new": { "key": new, "grade": "device", "payment_max": "100", "day_max": "100" }
    });
    world.accepted(&[person(1)], "add_person_key", added);
    heard.take(&world).unwrap();
    assert_eq!(board(&world)["browsers"].as_array().unwrap().len(), 1);
    let own = public(&person(1).to_string());
    let revoked = json!({ "person": id_of(person(1)), "by": "own_key", "key": own });
    let content = world.content(person(1), "revoke_person_key", revoked);
    let authorisations = vec![world.authorise(&content, person(1), "a new key")];
    world.execute(Transaction { content, authorisations });
    let wallet = world.port.wallet().unwrap();
    let Party::Person(one) = person(1) else { unreachable!("a person") };
    heard.take(&world).unwrap();
    assert!(wallet.notices.post.book().standing(one).unwrap().unwrap().browsers.is_empty());
}

#[test]
fn what_happened_while_the_program_stood_is_told_when_it_is_back() {
    let world = World::insured();
    choose(&world, false, false);
    let mut heard = listen(&world);
    let wallet = world.port.wallet().unwrap();
    let book = wallet.notices.post.book();
    let lock = json!({ "person": id_of(person(1)), "by": "own_key" });
    let index = world.accepted(&[person(1)], "lock_person", lock.clone());
    heard.take(&world).unwrap();
    assert_eq!(book.next_receipt().unwrap(), Some(index + 1), "kept with what was told");
    // A crash between block and notice: the book knows nothing of the receipt.
    let Party::Person(one) = person(1) else { unreachable!("a person") };
    let choice = book.choice(one).unwrap().unwrap();
    book.forget(one).unwrap();
    book.choose(one, &choice, 0).unwrap();
    book.set_next_receipt(index).unwrap();
    // The gateway that is back tells it before it hands out what comes next.
    let come_back = |kind: &str, body: &Value| {
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let port = Arc::clone(&world.gateway.port);
        let again = Gateway::new(port, clock, Config::default()).unwrap();
        let mut listening = again.hub.listen(person(1)).unwrap();
        let index = world.accepted(&[person(1)], kind, body.clone());
        world.wait(listening.queue.recv()).unwrap();
        (index, book.notices_of(one, world.clock.now()).unwrap().len())
    };
    let (asked, told) = come_back("ask_unlock", &json!({ "person": id_of(person(1)) }));
    assert_eq!(told, 2);
    // Nobody is told of what was before they asked.
    book.forget(one).unwrap();
    book.choose(one, &choice, asked + 1).unwrap();
    book.set_next_receipt(0).unwrap();
    assert_eq!(come_back("lock_person", &lock).1, 1);
}
