//! What anybody may ask, what every party finds of its own, and transactions.

use primitives::sha256;
use serde_json::json;

use super::{
    Given, Hears, Own, Status, Trial, are_sessions_of, bureau, hospital, one, other, party, public,
    receipt_id, submission, two,
};
use crate::support::insured::{VISIT, bill};
use crate::support::wallets::{NAME, NUMBER, identity_check};
use crate::support::{Ask, REGION, id_of, keys};

pub(super) fn public_trials() -> Vec<Trial> {
    vec![
        public("get_index", |_| Ask::get("/"), 200),
        public("get_check_page", |_| Ask::get("/verify?receipt=1&leaf=00"), 200),
        public(
            "check_voucher",
            |_| {
                let body = "--b\r\n\r\nno voucher\r\n--b--\r\n";
                let ask = Ask { method: "POST", body: body.into(), ..Ask::get("/verify") };
                ask.with("content-type", "multipart/form-data; boundary=b")
            },
            200,
        ),
        public("get_contract", |_| Ask::get("/v1/openapi.json"), 200),
        public("get_live", |_| Ask::get("/health/live"), 204),
        public("get_ready", |_| Ask::get("/health/ready"), 204),
        public("get_metrics", |_| Ask::get("/metrics"), 200),
        public("get_problem", |_| Ask::get("/problems/expired"), 200),
        public("get_network", |_| Ask::get("/v1/network"), 200),
        public("list_kinds", |_| Ask::get("/v1/kinds"), 200),
        public("get_kind", |_| Ask::get("/v1/kinds/settle_visit"), 200),
        public("get_organisation", |_| Ask::get("/v1/organisations/hospital"), 200),
        public("get_region", |_| Ask::get(format!("/v1/regions/{REGION}")), 200),
        public("list_providers", |_| Ask::get(format!("/v1/regions/{REGION}/providers")), 200),
        public("get_checkpoint", |_| Ask::get("/log/checkpoint"), 200),
        public("get_policy", |_| Ask::get("/log/policy"), 200),
        public("get_tile", |_| Ask::get("/log/tile/0/000.p/5"), 200),
        public("get_header", |_| Ask::get("/v1/headers/1"), 200),
        public("get_plan_in_force", |_| Ask::get("/v1/regions/620100/schemes/310/plan"), 200),
        public("list_plans", |_| Ask::get("/v1/regions/620100/schemes/310/plans"), 200),
        public(
            "get_compiled_plan",
            |_| Ask::get("/v1/regions/620100/schemes/310/plans/1/compiled"),
            200,
        ),
        public(
            "create_challenge",
            |_| Ask::post("/v1/sessions/challenges", &json!({ "party": one() })),
            201,
        ),
        public("check_identity", |_| Ask::post("/v1/wallets/checks", &identity_check()), 201),
        public("create_wallet", open_wallet, 201),
        public(
            "check_recovery",
            |_| {
                let body = json!({ "name": NAME, "number": NUMBER, "code": "0000000000" });
                Ask::post("/v1/recoveries/checks", &body)
            },
            403,
        ),
        public(
            "ask_recovery",
            |_| {
                let body = json!({
                    "ticket": "00", "key": keys::public("found phone"), "grade": "passkey"
                });
                Ask::post("/v1/recoveries", &body)
            },
            409,
        ),
        public(
            "get_recovery_state",
            |_| Ask::post("/v1/recoveries/states", &json!({ "watch": "00" })),
            409,
        ),
        public(
            "check_device_code",
            |_| Ask::post("/v1/devices/checks", &json!({ "code": "12345678" })),
            403,
        ),
        public(
            "ask_device",
            |_| {
                let body = json!({
                    "ticket": "00", "key": keys::public("second phone"), "grade": "passkey"
                });
                Ask::post("/v1/devices", &body)
            },
            409,
        ),
        public(
            "get_device_state",
            |_| Ask::post("/v1/devices/states", &json!({ "watch": "00" })),
            409,
        ),
        public(
            "try_pin",
            |_| {
                let path = format!("/v1/pins/{}/tries", "00".repeat(16));
                Ask::post(path, &json!({ "verifier": sha256(b"made of a PIN") }))
            },
            403,
        ),
        public("sign_nhsa", |_| Ask::post("/nhsa/v1/signatures", &json!({ "signed": [] })), 403),
        public("call_nhsa", |_| Ask::post("/nhsa/v1", &json!({})), 200),
        public("create_session", |given| given.world.sign_in_with(one(), &one().to_string()), 201),
    ]
}

/// The newcomer joins with a key of the own.
fn open_wallet(given: &Given) -> Ask {
    let check = Ask::post("/v1/wallets/checks", &identity_check());
    let ticket = given.world.ask(&check).expect(201).json()["ticket"].clone();
    let key = keys::public("newcomer");
    let verifier = sha256(b"made of a PIN");
    let body = json!({ "ticket": ticket, "key": key, "grade": "device", "pin_verifier": verifier });
    Ask::post("/v1/wallets", &body)
}

pub(super) fn own_trials() -> Vec<Trial> {
    vec![
        party(
            "get_status",
            |_| Ask::get("/v1/status"),
            (hospital, Status(403)),
            (bureau, Own(|status| status["height"].is_u64() && status["sessions"] != 0)),
        ),
        party(
            "get_session",
            |_| Ask::get("/v1/session"),
            (two, Own(|session| session["party"] == two().to_string())),
            (one, Own(|session| session["party"] == one().to_string())),
        ),
        // Whoever signs out ends the own session; the session of the other goes on (see
        // `session.rs`).
        party(
            "delete_session",
            |_| Ask::delete("/v1/session"),
            (two, Status(204)),
            (one, Status(204)),
        ),
        party(
            "rotate_session",
            |_| Ask::post("/v1/session/rotate", &json!({})),
            (two, Status(201)),
            (one, Status(201)),
        ),
        party(
            "list_sessions",
            |_| Ask::get("/v1/sessions"),
            (two, Own(|list| are_sessions_of(list, two()))),
            (one, Own(|list| are_sessions_of(list, one()))),
        ),
        party(
            "delete_sessions",
            |_| Ask::delete("/v1/sessions"),
            (two, Status(204)),
            (one, Status(204)),
        ),
        // Of whose session it is only the party itself hears anything.
        party(
            "delete_listed_session",
            |given| {
                let token = given.world.token(one());
                let list = given.world.ask(&Ask::get("/v1/sessions").token(&token)).json();
                let id = list["sessions"][0]["id"].as_str().unwrap().to_owned();
                Ask::delete(format!("/v1/sessions/{id}"))
            },
            (two, Status(404)),
            (one, Status(204)),
        ),
        party(
            "prepare_transaction",
            |_| {
                let lock = json!({ "person": id_of(one()), "by": "own_key" });
                let body = json!({ "author": one(), "kind": "lock_person", "body": lock });
                Ask::post("/v1/transactions/prepare", &body)
            },
            // Preparing encodes what the caller says and reads nothing.
            (two, Own(|prepared| prepared["author"] == one().to_string())),
            (one, Own(|prepared| prepared["author"] == one().to_string())),
        ),
        party(
            "list_receipts",
            |_| Ask::get("/v1/receipts?limit=200"),
            (two, Own(|page| !page.to_string().contains("visit_settled"))),
            (one, Own(|page| page.to_string().contains("visit_settled"))),
        ),
        party(
            "stream_events",
            // From before the settlement on, which is the first for those whom it concerns.
            |given| {
                let before = given.settlement["id"].as_u64().unwrap() - 1;
                Ask::get("/v1/events").with("last-event-id", before.to_string())
            },
            (two, Hears("person_locked")),
            (one, Hears("visit_settled")),
        ),
    ]
}

pub(super) fn transaction_trials() -> Vec<Trial> {
    vec![
        party(
            "rehearse_transaction",
            |given| submission(given, "/v1/transactions/rehearse"),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "submit_transaction",
            |given| submission(given, "/v1/transactions"),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "get_transaction",
            |given| {
                let id = given.settlement["transaction_id"].as_str().unwrap();
                Ask::get(format!("/v1/transactions/{id}"))
            },
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "get_receipt",
            |given| Ask::get(format!("/v1/receipts/{}", receipt_id(given))),
            (other, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "get_voucher",
            |given| Ask::get(format!("/v1/receipts/{}/voucher", receipt_id(given))),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "get_voucher_sheet",
            |given| Ask::get(format!("/v1/receipts/{}/voucher.pdf", receipt_id(given))),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "create_quote",
            |_| Ask::post("/v1/quotes", &json!({ "visit": VISIT, "bill": bill() })),
            (other, Status(404)),
            (hospital, Status(200)),
        ),
    ]
}
