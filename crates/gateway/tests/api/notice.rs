//! What a person is told of, and what becomes of it.

use adapters::clock::Clock as _;
use adapters::notice::{Channel, template::ProviderReport};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use gateway::Port as _;
use primitives::{Hash, sha256};
use serde_json::{Value, json};

use crate::support::events::Events;
use crate::support::insured::VISIT;
use crate::support::wallets::{PROVIDER_SECRET, PUSH_SERVICE, confirmation, send_request};
use crate::support::{Answered, Ask, World, id_of, person};

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
    assert_eq!(notices[0]["deliveries"], json!([]));
    assert!(notices[0].get("seen").is_none());
    let seen = Ask::post(own_path(1, "/notices/seen"), &json!({ "through": notices[0]["notice"] }));
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
    let adapters::notice::CodeSent::Send(code) = code else { panic!("a further code is sent") };
    confirm(&format!("{} {}", &code[..3], &code[3..])).expect(204);
    assert_eq!(board(&world)["phone_end"], "1234");
    for _ in 0..2 {
        phone("13900001234").expect(204);
    }
    phone("13900001234").problem(429, "too_many_phone_codes");

    send_request(&world, VISIT);
    world.clock.advance_millis(5_000);
    round(&world);
    let handed = board(&world)["notices"][0]["deliveries"].clone();
    assert_eq!((&handed[0]["channel"], &handed[0]["state"]), (&json!("sms"), &json!("handed")));
    world.clock.advance_millis(2_000);
    round(&world);
    assert_eq!(board(&world)["notices"][0]["deliveries"][0]["state"], "arrived");
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
