//! Signing in and out.

use adapters::clock::Clock as _;
use primitives::{PublicKey, Timestamp};
use serde_json::json;

use crate::support::keys::{Passkey, public, sign};
use crate::support::{Ask, DAY, PAGE_ORIGIN, World, organisation, person};

#[test]
fn a_registered_key_opens_a_session_that_says_who_and_what() {
    let world = World::new();
    let token = world.token(organisation("hospital"));
    let session = world.ask(&Ask::get("/v1/session").token(&token)).expect(200).json();
    assert_eq!(session["party"], "organisation:hospital");
    assert_eq!(session["key"], public("hospital").to_string());
    assert_eq!(session["scopes"].as_array().unwrap().len(), 8);
    assert!(session["expires"].as_str().unwrap().starts_with("2026-01-01T12:00:00"));
    let token = world.token(person(1));
    let session = world.ask(&Ask::get("/v1/session").token(&token)).expect(200).json();
    assert_eq!(session["scopes"], json!([]));
}

#[test]
fn a_challenge_opens_one_session() {
    let world = World::new();
    let ask = world.sign_in_with(person(1), &person(1).to_string());
    world.ask(&ask).expect(201);
    world.ask(&ask).problem(401, "challenge_ended");
}

#[test]
fn a_challenge_expires_and_is_for_one_party() {
    let world = World::new();
    let ask = world.sign_in_with(person(1), &person(1).to_string());
    world.clock.advance_millis(3 * 60_000);
    world.ask(&ask).problem(401, "challenge_ended");
    let (challenge, message) = world.challenge(person(2));
    let key = person(1).to_string();
    let body = json!({
        "party": person(1), "challenge": challenge, "key": public(&key),
        "signature": sign(&key, &message)
    });
    world.ask(&Ask::post("/v1/sessions", &body)).problem(401, "challenge_ended");
}

#[test]
fn foreign_root_unknown_and_expired_keys_open_no_session_and_all_get_one_answer() {
    let world = World::new();
    for (party, key) in [
        (person(1), "person:02020202020202020202020202020202"),
        (person(9), "person:09090909090909090909090909090909"),
        (organisation("hospital"), "hospital-root"),
        (organisation("hospital"), "other"),
        (organisation("nobody"), "nobody"),
    ] {
        world.ask(&world.sign_in_with(party, key)).problem(401, "sign_in_refused");
    }
    world.clock.advance_millis(700 * DAY);
    let ask = world.sign_in_with(organisation("hospital"), "hospital");
    world.ask(&ask).problem(401, "sign_in_refused");
}

#[test]
fn a_signature_of_something_else_opens_no_session() {
    let world = World::new();
    let (challenge, _) = world.challenge(person(1));
    let key = person(1).to_string();
    let body = json!({
        "party": person(1), "challenge": challenge, "key": public(&key),
        "signature": sign(&key, &primitives::sha256(b"something else"))
    });
    world.ask(&Ask::post("/v1/sessions", &body)).problem(401, "sign_in_refused");
}

#[test]
fn a_passkey_opens_a_session_only_on_the_networks_own_page() {
    let world = World::new();
    let sign_in = |passkey: &Passkey, origin: Option<&str>, rp_id: &str| {
        let (challenge, message) = world.challenge(person(3));
        let signature = match origin {
            Some(origin) => passkey.assert(&message, origin, rp_id),
            None => passkey.sign_raw(&message),
        };
        let key: PublicKey = passkey.public();
        let body = json!({
            "party": person(3), "challenge": challenge, "key": key, "signature": signature
        });
        world.ask(&Ask::post("/v1/sessions", &body))
    };
    sign_in(&world.passkey, Some(PAGE_ORIGIN), "localhost").expect(201);
    for (origin, rp_id) in [
        (Some("https://evil.example"), "localhost"),
        (Some(PAGE_ORIGIN), "evil.example"),
        (None, ""),
    ] {
        sign_in(&world.passkey, origin, rp_id).problem(401, "sign_in_refused");
    }
    let stranger = Passkey::generate();
    sign_in(&stranger, Some(PAGE_ORIGIN), "localhost").problem(401, "sign_in_refused");
}

#[test]
fn a_session_ends_by_time_and_by_signing_out() {
    let world = World::new();
    let (first, second) = (world.token(person(1)), world.token(person(1)));
    let ask = |token: &str| world.ask(&Ask::get("/v1/session").token(token));
    world.ask(&Ask::delete("/v1/session").token(&first)).expect(204);
    ask(&first).problem(401, "session_ended");
    ask(&second).expect(200);
    world.clock.advance_millis(12 * 3_600_000);
    ask(&second).problem(401, "session_ended");
}

#[test]
fn a_session_that_is_not_used_ends_and_one_that_is_used_goes_on() {
    let world = World::new();
    let (idle, used) = (world.token(person(1)), world.token(person(1)));
    let ask = |token: &str| world.ask(&Ask::get("/v1/session").token(token));
    for _ in 0..3 {
        world.clock.advance_millis(29 * 60_000);
        ask(&used).expect(200);
    }
    ask(&idle).problem(401, "session_ended");
    // Systems of organisations ask less often.
    let system = world.token(organisation("hospital"));
    world.clock.advance_millis(119 * 60_000);
    ask(&system).expect(200);
    ask(&used).problem(401, "session_ended");
    world.clock.advance_millis(120 * 60_000);
    ask(&system).problem(401, "session_ended");
}

#[test]
fn a_rotated_token_takes_the_place_of_the_old_one() {
    let world = World::new();
    let old = world.token(person(1));
    let ask = |token: &str| world.ask(&Ask::get("/v1/session").token(token));
    let before = ask(&old).expect(200).json();
    world.clock.advance_millis(60_000);
    let rotate = |token: &str| world.ask(&Ask::post("/v1/session/rotate", &json!({})).token(token));
    let rotated = rotate(&old).expect(201).json();
    let new = rotated["token"].as_str().unwrap();
    assert_ne!(new, old);
    // It lasts no longer than it would have.
    assert_eq!(rotated["expires"], before["expires"]);
    ask(new).expect(200);
    ask(&old).problem(401, "session_ended");
    rotate(&old).problem(401, "session_ended");
    ask(new).expect(200);
}

#[test]
fn a_person_lists_its_sessions_and_signs_out_everywhere() {
    let world = World::new();
    let list = |token: &str| world.ask(&Ask::get("/v1/sessions").token(token)).expect(200).json();
    let first = world.token(person(1));
    world.clock.advance_millis(60_000);
    let (second, stranger) = (world.token(person(1)), world.token(person(2)));
    let listed = list(&second);
    let sessions = listed["sessions"].as_array().unwrap();
    let is_this: Vec<bool> = sessions.iter().map(|one| one["is_this"] == true).collect();
    assert_eq!(is_this, [false, true]);
    assert_eq!(sessions[0]["opened"], "2026-01-01T00:00:00.000Z");
    for token in [&first, &second, &stranger] {
        assert!(!listed.to_string().contains(token), "a list shows no token");
    }
    // One of them, and nobody else's.
    let id = sessions[0]["id"].as_str().unwrap();
    let end =
        |id: &str, token: &str| world.ask(&Ask::delete(format!("/v1/sessions/{id}")).token(token));
    end(id, &stranger).problem(404, "not_found");
    end("x", &second).problem(422, "invalid_field");
    end(id, &second).expect(204);
    let ask = |token: &str| world.ask(&Ask::get("/v1/session").token(token));
    ask(&first).problem(401, "session_ended");
    // All of them.
    let third = world.token(person(1));
    world.ask(&Ask::delete("/v1/sessions").token(&third)).expect(204);
    for token in [&second, &third] {
        ask(token).problem(401, "session_ended");
    }
    ask(&stranger).expect(200);
}

#[test]
fn an_organisations_key_sees_and_ends_its_own_sessions_and_not_those_of_other_keys() {
    let world = World::new();
    let hospital = organisation("hospital");
    let expires = world.clock.now().plus_millis(100 * DAY);
    let body = json!({
        "organisation": "hospital", "key": public("till"), "scopes": ["clerk"], "expires": expires
    });
    let content = world.content(hospital, "authorise_key", body);
    let authorisations = vec![world.authorise(&content, hospital, "hospital-root")];
    world.execute(ledger::Transaction { content, authorisations });
    let system = world.token(hospital);
    let till = world.ask(&world.sign_in_with(hospital, "till")).expect(201).json();
    let till = till["token"].as_str().unwrap();
    let listed = world.ask(&Ask::get("/v1/sessions").token(till)).expect(200).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
    world.ask(&Ask::delete("/v1/sessions").token(till)).expect(204);
    let ask = |token: &str| world.ask(&Ask::get("/v1/session").token(token));
    ask(till).problem(401, "session_ended");
    ask(&system).expect(200);
}

#[test]
fn no_client_chooses_its_token_and_every_sign_in_has_a_new_one() {
    let world = World::new();
    let planted = "f".repeat(64);
    let sign_in = || {
        let ask = world.sign_in_with(person(1), &person(1).to_string());
        // A token that was planted before stays worth nothing, wherever it stands.
        let ask = ask.token(&planted).with("cookie", format!("token={planted}"));
        let answer = world.ask(&ask).expect(201);
        assert_eq!(answer.header("set-cookie"), "", "no browser sends a token by itself");
        assert!(answer.header("cache-control").contains("no-store"));
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let (first, second) = (sign_in(), sign_in());
    assert!(first != second && first != planted);
    assert_eq!(first.len(), 64);
    let ask = |ask: Ask| world.ask(&ask);
    ask(Ask::get("/v1/session").token(&planted)).problem(401, "session_ended");
    // A token counts in the header only: addresses end up in logs, and browsers send cookies along
    // with requests that another page makes.
    for header in [("cookie", format!("token={first}")), ("x-token", first.clone())] {
        ask(Ask::get("/v1/session").with(header.0, header.1)).problem(401, "session_missing");
    }
    for name in ["token", "access_token"] {
        ask(Ask::get(format!("/v1/session?{name}={first}"))).problem(401, "session_missing");
    }
    ask(Ask::get("/v1/session").token(&first)).expect(200);
}

#[test]
fn a_session_ends_when_its_key_is_revoked() {
    let world = World::new();
    let hospital = organisation("hospital");
    let token = world.token(hospital);
    let body = json!({ "organisation": "hospital", "key": public("hospital") });
    let content = world.content(hospital, "revoke_key", body);
    let root = world.authorise(&content, hospital, "hospital-root");
    let authorisations = vec![root];
    world.port.execute(ledger::Transaction { content, authorisations }).unwrap();
    world.ask(&Ask::get("/v1/session").token(&token)).problem(401, "session_ended");
}

#[test]
fn a_session_ends_when_its_organisation_is_suspended() {
    let world = World::new();
    let token = world.token(organisation("hospital"));
    let signers = crate::support::governing();
    world.accepted(&signers, "suspend_organisation", json!({ "organisation": "hospital" }));
    world.ask(&Ask::get("/v1/session").token(&token)).problem(401, "session_ended");
}

#[test]
fn refused_sign_ins_are_limited_and_good_ones_are_not() {
    let world = World::new();
    for _ in 0..30 {
        world.token(person(1));
    }
    let wrong = || world.ask(&world.sign_in_with(person(1), "a stranger"));
    for _ in 0..20 {
        wrong().problem(401, "sign_in_refused");
    }
    let limited = wrong();
    assert_eq!(limited.header("retry-after"), "3");
    limited.problem(429, "too_many_requests");
    // Whoever else comes from the same place is not kept out.
    world.token(person(2));
    world.clock.advance_millis(3_000);
    wrong().problem(401, "sign_in_refused");
}

#[test]
fn whoever_is_refused_for_many_parties_is_limited_for_all() {
    let config = gateway::Config { address_failures_max: 30, ..gateway::Config::default() };
    let world = World::with_config(config);
    let wrong = |number| world.ask(&world.sign_in_with(person(number), "a stranger"));
    for number in 1..=30 {
        wrong(number).problem(401, "sign_in_refused");
    }
    wrong(31).problem(429, "too_many_requests");
}

#[test]
fn behind_a_trusted_proxy_each_client_is_counted_alone_and_nobody_else_names_clients() {
    let sign_in = |world: &World, client: &str| {
        let ask = world.sign_in_with(person(1), "a stranger");
        world.ask(&ask.with("x-forwarded-for", client))
    };
    // Requests of these tests come from 127.0.0.1.
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let config = gateway::Config { trusted_proxies, ..gateway::Config::default() };
    for (config, is_believed) in [(config, true), (gateway::Config::default(), false)] {
        let world = World::with_config(config);
        for _ in 0..20 {
            sign_in(&world, "192.0.2.1").problem(401, "sign_in_refused");
        }
        sign_in(&world, "192.0.2.1").problem(429, "too_many_requests");
        let other = sign_in(&world, "198.51.100.1");
        if is_believed {
            other.problem(401, "sign_in_refused");
        } else {
            other.problem(429, "too_many_requests");
        }
    }
}

#[test]
fn a_request_without_or_with_a_wrong_token_is_told_how_to_sign_in() {
    let world = World::new();
    let missing = world.ask(&Ask::get("/v1/session"));
    assert_eq!(missing.header("www-authenticate"), "Bearer");
    missing.problem(401, "session_missing");
    let basic = Ask::get("/v1/session").with("authorization", "Basic YTpi");
    world.ask(&basic).problem(401, "session_missing");
    world.ask(&Ask::get("/v1/session").token(&"0".repeat(64))).problem(401, "session_ended");
}

#[test]
fn a_passkey_says_by_signing_which_one_it_is_and_no_other_key_does() {
    let world = World::new();
    let sign_in = |party, signature: &dyn Fn(&primitives::Hash) -> primitives::Signature| {
        let (challenge, message) = world.challenge(party);
        let signature = signature(&message);
        let body = json!({ "party": party, "challenge": challenge, "signature": signature });
        world.ask(&Ask::post("/v1/sessions", &body))
    };
    let asserted = |message: &_| world.passkey.assert(message, PAGE_ORIGIN, "localhost");
    let session = sign_in(person(3), &asserted).expect(201).json();
    assert_eq!(session["key"], world.passkey.public().to_string());
    let foreign = |message: &_| world.passkey.assert(message, "https://phish.example", "localhost");
    sign_in(person(3), &foreign).problem(401, "sign_in_refused");
    sign_in(person(1), &asserted).problem(401, "sign_in_refused");
    let device = |message: &_| sign(&person(1).to_string(), message);
    sign_in(person(1), &device).problem(401, "sign_in_refused");
}

#[test]
fn the_text_to_sign_can_be_built_by_the_client_alone() {
    let world = World::new();
    let ask = Ask::post("/v1/sessions/challenges", &json!({ "party": "organisation:hospital" }));
    let answer = world.ask(&ask).expect(201).json();
    let challenge = answer["challenge"].as_str().unwrap();
    let text = format!("yibao/session/v1\ntest\norganisation:hospital\n{challenge}\n");
    assert_eq!(answer["text"], text);
    assert_eq!(answer["message"], primitives::sha256(text.as_bytes()).to_string());
    let expires: Timestamp = serde_json::from_value(answer["expires"].clone()).unwrap();
    assert_eq!(expires, crate::support::START.plus_millis(3 * 60_000));
}
