//! Transactions: prepared, rehearsed, submitted once.

use gateway::port::SubmitError;
use ledger::Content;
use ledger::kernel::rejection::kernel as code;
use primitives::{codec, sha256};
use serde_json::{Value, json};

use crate::support::keys::{public, sign};
use crate::support::{Ask, REGION, World, organisation, person};

fn person_id(number: u8) -> String {
    person(number).to_string().replace("person:", "")
}

/// A transaction that person 1 may do alone: locking the own account.
fn lock() -> Value {
    json!({ "person": person_id(1), "by": "own_key" })
}

fn prepare(world: &World, token: &str, body: &Value) -> crate::support::Answered {
    world.ask(&Ask::post("/v1/transactions/prepare", body).token(token))
}

#[test]
fn a_client_without_borsh_prepares_signs_and_submits() {
    let world = World::new();
    let token = world.token(person(1));
    let request = json!({ "author": person(1), "kind": "lock_person", "body": lock() });
    let prepared = prepare(&world, &token, &request).expect(200).json();
    let content = hex::decode(prepared["content"].as_str().unwrap()).unwrap();
    let decoded: Content = codec::decode(&content).unwrap();
    assert_eq!(prepared["transaction_id"], decoded.id().to_string());
    let id = sha256(&[b"yibao/transaction/v1".as_slice(), &content].concat());
    assert_eq!(prepared["transaction_id"], id.to_string());
    let key = person(1).to_string();
    let submission = json!({
        "content": prepared["content"],
        "authorisations": [{
            "party": person(1), "key": public(&key), "signature": sign(&key, &id)
        }]
    });
    let header = prepared["idempotency_key"].as_str().unwrap();
    let ask = Ask::post("/v1/transactions", &submission)
        .token(&token)
        .with("idempotency-key", format!("\"{header}\""));
    let answer = world.ask(&ask).expect(201);
    let receipt = answer.json()["receipt"].clone();
    assert_eq!(answer.header("location"), format!("/v1/receipts/{}", receipt["id"]));
    assert_eq!(receipt["transaction_id"], prepared["transaction_id"]);
    assert_eq!(receipt["kind"], "lock_person");
    assert_eq!(receipt["outcome"], json!({ "status": "accepted" }));
    assert_eq!(answer.json()["is_duplicate"], false);
}

#[test]
fn what_is_prepared_says_in_the_readers_language_what_it_does() {
    let world = World::new();
    let token = world.token(organisation("bureau"));
    let request = json!({
        "author": "organisation:bureau", "kind": "set_governing_set",
        "idempotency_key": "00112233445566778899aabbccddeeff",
        "valid_until": "2026-01-02T00:00:00.000Z",
        "body": { "members": ["bureau", "authority"] }
    });
    let ask = Ask::post("/v1/transactions/prepare", &request)
        .token(&token)
        .with("accept-language", "de-DE");
    let answer = world.ask(&ask);
    let prepared = answer.json();
    if answer.status == 422 {
        panic!("{prepared}");
    }
    assert_eq!(prepared["idempotency_key"], "00112233445566778899aabbccddeeff");
    assert!(prepared["valid_until"].as_str().unwrap().starts_with("2026-01-02T00:00:00"));
    let summary = &prepared["summary"];
    assert_eq!(summary["title"], "Lenkende bestimmen");
    assert_eq!(summary["lines"][1], json!({ "field": "members[1]", "value": "authority" }));
}

#[test]
fn a_wrong_body_names_its_field_and_its_kind_must_exist() {
    let world = World::new();
    let token = world.token(person(1));
    let with = |kind: &str, body: Value| {
        prepare(&world, &token, &json!({ "author": person(1), "kind": kind, "body": body }))
    };
    let problem = with("lock_person", json!({ "person": "zz", "by": "own_key" }))
        .problem(422, "invalid_transaction_body");
    assert_eq!(problem["field"], "body.person");
    let problem = with("lock_person", json!({ "person": person_id(1) }))
        .problem(422, "invalid_transaction_body");
    assert!(problem["detail"].as_str().unwrap().contains("缺少字段 `by`"), "{problem}");
    let mut unknown = lock();
    unknown["more"] = json!(1);
    let problem = with("lock_person", unknown).problem(422, "invalid_transaction_body");
    assert_eq!(problem["field"], "body.more");
    let problem = with("lock_everybody", lock()).problem(422, "no_such_kind");
    assert_eq!(problem["field"], "kind");
}

#[test]
fn the_content_may_be_json_and_gives_the_same_transaction() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let mut submission = world.submission(&content, &[person(1)]);
    submission["content"] = json!({
        "author": person(1), "kind": "lock_person", "body": lock(),
        "idempotency_key": content.idempotency_key, "valid_until": content.valid_until
    });
    let key = serde_json::to_value(content.idempotency_key).unwrap();
    let post = |submission: &Value| {
        let ask = Ask::post("/v1/transactions", submission).token(&token);
        world.ask(&ask.with("idempotency-key", key.as_str().unwrap()))
    };
    let answer = post(&submission).expect(201).json();
    assert_eq!(answer["receipt"]["transaction_id"], content.id().to_string());
    let mut wrong = submission.clone();
    wrong["content"]["body"]["person"] = json!(7);
    let problem = post(&wrong).problem(422, "invalid_transaction_body");
    assert_eq!(problem["field"], "content.body.person");
    let mut wrong = submission.clone();
    wrong["content"]["author"] = json!("nobody");
    let problem = post(&wrong).problem(422, "invalid_field");
    assert_eq!(problem["field"], "content.author");
    for content in [json!("zz"), json!("00"), json!("")] {
        let mut wrong = submission.clone();
        wrong["content"] = content;
        post(&wrong).problem(400, "malformed_transaction");
    }
}

#[test]
fn the_same_transaction_again_gives_the_same_receipt() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let ask = world.submit(&content, &[person(1)]).token(&token);
    let first = world.ask(&ask).expect(201).json();
    let again = world.ask(&ask).expect(200).json();
    assert_eq!(again["receipt"], first["receipt"]);
    assert_eq!(again["is_duplicate"], true);
}

#[test]
fn the_same_transaction_long_after_it_ended_still_gives_its_receipt() {
    let world = World::new();
    let content = world.content(person(1), "lock_person", lock());
    let submit = || {
        let ask = world.submit(&content, &[person(1)]);
        world.ask(&ask.token(&world.token(person(1))))
    };
    let first = submit().expect(201).json();
    (0..9).for_each(|_| world.port.pass_day());
    let late = submit().expect(200).json();
    assert_eq!(late["receipt"], first["receipt"]);
    assert_eq!(late["is_duplicate"], true);
    // One that was never executed is told that it is too late.
    let body = json!({ "person": person_id(1) });
    let late = world.content(person(1), "ask_unlock", body);
    let late = Content { valid_until: crate::support::START, ..late };
    let ask = world.submit(&late, &[person(1)]).token(&world.token(person(1)));
    world.ask(&ask).problem(422, "expired");
}

#[test]
fn the_idempotency_key_is_asked_for_checked_and_guarded() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let bare = Ask::post("/v1/transactions", &world.submission(&content, &[person(1)]));
    let bare = bare.token(&token);
    world.ask(&bare).problem(400, "idempotency_key_missing");
    let wrong = bare.clone().with("idempotency-key", "not hex");
    world.ask(&wrong).problem(400, "invalid_header");
    let other = bare.clone().with("idempotency-key", "00".repeat(16));
    world.ask(&other).problem(400, "idempotency_key_differs");
    // The same key with other content, after the first was executed.
    world.ask(&world.submit(&content, &[person(1)]).token(&token)).expect(201);
    let ask_unlock = world.content(person(1), "ask_unlock", json!({ "person": person_id(1) }));
    let reused = Content { idempotency_key: content.idempotency_key, ..ask_unlock };
    let ask = world.submit(&reused, &[person(1)]).token(&token);
    world.ask(&ask).problem(422, "idempotency_key_reused");
}

#[test]
fn while_a_transaction_is_on_its_way_its_key_is_taken() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let ask = world.submit(&content, &[person(1)]).token(&token);
    world.port.park();
    let first = world.start(&ask);
    while world.gateway.in_flight.count() == 0 {
        std::thread::yield_now();
    }
    let again = world.ask(&ask);
    assert_eq!(again.header("retry-after"), "1");
    again.problem(409, "in_progress");
    let other = world.content(person(1), "ask_unlock", json!({ "person": person_id(1) }));
    let other = Content { idempotency_key: content.idempotency_key, ..other };
    let other = world.submit(&other, &[person(1)]).token(&token);
    world.ask(&other).problem(422, "idempotency_key_reused");
    world.port.go_on();
    let first = world.wait(first).unwrap().expect(201).json();
    let again = world.ask(&ask).expect(200).json();
    assert_eq!(again["receipt"], first["receipt"]);
}

#[test]
fn a_client_that_gives_up_waiting_finds_its_receipt_later() {
    let world = World::with_config(gateway::Config {
        answer_timeout: std::time::Duration::from_millis(200),
        ..gateway::Config::default()
    });
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let ask = world.submit(&content, &[person(1)]).token(&token);
    world.port.park();
    world.ask(&ask).problem(504, "still_working");
    world.ask(&ask).problem(409, "in_progress");
    world.port.go_on();
    // A light node hears of it a little later.
    while world.gateway.in_flight.count() > 0 {
        std::thread::yield_now();
    }
    world.ask(&ask).expect(200);
    let path = format!("/v1/transactions/{}", content.id());
    let receipt = world.ask(&Ask::get(path).token(&token)).expect(200).json();
    assert_eq!(receipt["kind"], "lock_person");
}

#[test]
fn a_rejection_in_the_block_carries_its_receipt_and_frees_the_key() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "ask_unlock", json!({ "person": person_id(1) }));
    let ask = world.submit(&content, &[person(1)]).token(&token).with("accept-language", "en");
    let problem = world.ask(&ask).problem(422, "not_locked");
    assert_eq!(problem["title"], "the person is not locked");
    assert_eq!(problem["receipt"]["outcome"]["code"], "not_locked");
    assert_eq!(problem["receipt"]["transaction_id"], content.id().to_string());
    world.ask(&ask).problem(422, "not_locked");
}

#[test]
fn signatures_that_are_wrong_missing_or_doubled_are_refused() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let key = serde_json::to_value(content.idempotency_key).unwrap();
    let submit = |authorisations: Value| {
        let hex = hex::encode(codec::encode(&content));
        let body = json!({ "content": hex, "authorisations": authorisations });
        let ask = Ask::post("/v1/transactions", &body).token(&token);
        world.ask(&ask.with("idempotency-key", key.as_str().unwrap()))
    };
    let own = person(1).to_string();
    let good = json!({
        "party": person(1), "key": public(&own), "signature": sign(&own, &content.id())
    });
    let wrong = json!({
        "party": person(1), "key": public(&own), "signature": sign(&own, &sha256(b"other"))
    });
    let problem = submit(json!([wrong])).problem(422, "invalid_signature");
    assert_eq!(problem["field"], "authorisations");
    submit(json!([])).problem(400, "malformed_transaction");
    submit(json!([good, good])).problem(400, "malformed_transaction");
    let mut cut = good.clone();
    cut["signature"]["bytes"] = json!("00");
    let problem = submit(json!([cut])).problem(422, "invalid_field");
    assert_eq!(problem["field"], "authorisations[0].signature");
    submit(json!([good])).expect(201);
}

#[test]
fn what_the_node_says_about_a_submission_reaches_the_client() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let ask = world.submit(&content, &[person(1)]).token(&token);
    let retry_after = std::time::Duration::from_secs(7);
    world.port.refuse_next(SubmitError::Overloaded { retry_after });
    let overloaded = world.ask(&ask);
    assert_eq!(overloaded.header("retry-after"), "7");
    overloaded.problem(503, "overloaded");
    for (error, status, name) in [
        (SubmitError::Stopped, 503, "unavailable"),
        (SubmitError::Unknown, 504, "still_working"),
        (SubmitError::InProgress, 409, "in_progress"),
        (SubmitError::Rejected(code::EXPIRED.reject()), 422, "expired"),
    ] {
        world.port.refuse_next(error);
        world.ask(&ask).problem(status, name);
    }
    world.ask(&ask).expect(201);
}

#[test]
fn a_rehearsal_shows_what_would_happen_and_changes_nothing() {
    let world = World::new();
    let token = world.token(person(1));
    let content = world.content(person(1), "lock_person", lock());
    let before = world.ask(&Ask::get("/v1/network")).json();
    let body = world.submission(&content, &[person(1)]);
    let ask = Ask::post("/v1/transactions/rehearse", &body).token(&token);
    let rehearsal = world.ask(&ask).expect(200).json();
    assert_eq!(rehearsal["transaction_id"], content.id().to_string());
    assert_eq!(rehearsal["events"], json!(["person_locked"]));
    assert_eq!(world.ask(&Ask::get("/v1/network")).json(), before);
    let content = world.content(person(1), "ask_unlock", json!({ "person": person_id(1) }));
    let body = world.submission(&content, &[person(1)]);
    let ask = Ask::post("/v1/transactions/rehearse", &body).token(&token);
    let problem = world.ask(&ask).problem(422, "not_locked");
    assert!(problem.get("receipt").is_none());
}

#[test]
fn a_governing_organisation_brings_a_newcomers_transaction_in() {
    let world = World::new();
    world.accepted(
        &crate::support::governing(),
        "admit_organisation",
        json!({
            "organisation": "newcomer", "kind": "provider", "region": REGION,
            "level": "primary", "root_key": public("newcomer-root")
        }),
    );
    let newcomer = organisation("newcomer");
    let body = json!({
        "organisation": "newcomer", "key": public("newcomer"), "scopes": ["settle"],
        "expires": "2027-01-01T00:00:00.000Z"
    });
    let content = world.content(newcomer, "authorise_key", body);
    let root = world.authorise(&content, newcomer, "newcomer-root");
    let body = json!({
        "content": hex::encode(codec::encode(&content)), "authorisations": [root]
    });
    let key = serde_json::to_value(content.idempotency_key).unwrap();
    let ask = Ask::post("/v1/transactions", &body).with("idempotency-key", key.as_str().unwrap());
    let stranger = ask.clone().token(&world.token(person(1)));
    world.ask(&stranger).problem(403, "not_yours");
    let answer = world.ask(&ask.token(&world.token(organisation("bureau")))).expect(201).json();
    assert_eq!(answer["receipt"]["kind"], "authorise_key");
    world.token(newcomer);
}
