//! Every operation is tried without a session, by a party that it does not concern, and by one that
//! it does. The table has a trial for every endpoint, or the first test fails.

use std::collections::BTreeSet;

use gateway::endpoint::Access;
use primitives::{Hash, Party, VisitId, sha256};
use serde_json::{Value, json};
use vault::{EnvelopeContext, Grant, ReaderSecret};

use crate::premium::{SEASON, lookup, season, seasonal, wallet_payment};
use crate::support::events::Events;
use crate::support::insured::{VISIT, bill, sealed, settle};
use crate::support::wallets::{
    Cash, confirm_visit, confirmation, identity_check, new_answer, new_objection, new_refund,
    new_request, object, send_request, settled, shown_code,
};
use crate::support::{Ask, REGION, START, World, id_of, keys, organisation, person};

/// A region with an open visit of person 1 at `hospital`, its sealed bill, and a settled visit.
struct Given {
    world: World,
    /// The receipt of the settlement: of person 1, `hospital` and `bureau`.
    settlement: Value,
}

const SETTLED: VisitId = VisitId([8; 16]);
/// The visit for which requests are sent.
const ASKED: VisitId = VisitId([7; 16]);
/// The visit that is confirmed on a phone, objected to and refunded.
const REFUNDED: VisitId = VisitId([6; 16]);

fn given() -> Given {
    let world = seasonal(World::insured());
    world.check_in(SETTLED);
    world.check_in(ASKED);
    world.check_in(REFUNDED);
    confirm_visit(&world, REFUNDED);
    let settlement = settle(&world, SETTLED);
    let (commitment, envelope, _) = sealed(VISIT, b"bill");
    let put = Ask::put(format!("/v1/visits/{VISIT}/bills/{commitment}"), &envelope.encode());
    world.ask(&put.token(&world.token(organisation("hospital")))).expect(204);
    Given { world, settlement }
}

/// What somebody gets.
enum Gets {
    /// This status.
    Status(u16),
    /// Status 200, and of the JSON this holds: the party's own and nothing of others.
    Own(fn(&Value) -> bool),
    /// A stream whose first receipt, once person 2 has locked itself, is of this event.
    Hears(&'static str),
}
use Gets::{Hears, Own, Status};

/// One operation tried three ways.
struct Trial {
    operation: &'static str,
    ask: fn(&Given) -> Ask,
    no_session: u16,
    wrong: (fn() -> Party, Gets),
    right: (fn() -> Party, Gets),
}

fn one() -> Party {
    person(1)
}
fn two() -> Party {
    person(2)
}
fn hospital() -> Party {
    organisation("hospital")
}
fn other() -> Party {
    organisation("other")
}
fn auditor() -> Party {
    organisation("auditor")
}
fn bureau() -> Party {
    organisation("bureau")
}

/// An operation for everybody: the same answer with and without a session.
const fn public(operation: &'static str, ask: fn(&Given) -> Ask, status: u16) -> Trial {
    let same = (two as fn() -> Party, Status(status));
    Trial { operation, ask, no_session: status, wrong: same, right: (one, Status(status)) }
}

/// An operation for a party: without a session 401.
const fn party(
    operation: &'static str,
    ask: fn(&Given) -> Ask,
    wrong: (fn() -> Party, Gets),
    right: (fn() -> Party, Gets),
) -> Trial {
    Trial { operation, ask, no_session: 401, wrong, right }
}

fn submission(given: &Given, path: &str) -> Ask {
    let lock = json!({ "person": id_of(one()), "by": "own_key" });
    let content = given.world.content(one(), "lock_person", lock);
    let ask = given.world.submit(&content, &[one()]);
    Ask { path: path.to_owned(), ..ask }
}

/// Whether all of these sessions were opened with a party's key, and one of them asks.
fn are_sessions_of(list: &Value, party: Party) -> bool {
    let sessions = list["sessions"].as_array().unwrap();
    let key = keys::public(&party.to_string()).to_string();
    let asks = sessions.iter().filter(|session| session["is_this"] == true).count();
    asks == 1 && sessions.iter().all(|session| session["key"] == key.as_str())
}

fn commitment() -> String {
    sealed(VISIT, b"bill").0.to_string()
}

fn receipt_id(given: &Given) -> String {
    given.settlement["id"].to_string()
}

fn public_trials() -> Vec<Trial> {
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
            "try_pin",
            |_| {
                let path = format!("/v1/pins/{}/tries", "00".repeat(16));
                Ask::post(path, &json!({ "verifier": sha256(b"made of a PIN") }))
            },
            403,
        ),
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

fn own_trials() -> Vec<Trial> {
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

fn transaction_trials() -> Vec<Trial> {
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

/// The premium of person 1.
fn premium() -> String {
    format!("{SEASON}/persons/{}", id_of(one()))
}

fn person_trials() -> Vec<Trial> {
    vec![
        public("get_premium_season", |_| Ask::get(SEASON), 200),
        party(
            "get_premium",
            |_| Ask::get(premium()),
            (hospital, Own(|premium| premium.get("details").is_none())),
            (one, Own(|premium| premium["details"]["class"] == 1)),
        ),
        party(
            "get_person",
            |_| Ask::get(format!("/v1/persons/{}", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "list_coverages",
            |_| Ask::get(format!("/v1/persons/{}/coverages", id_of(one()))),
            (two, Status(403)),
            (bureau, Status(200)),
        ),
        party(
            "get_personal_account",
            |_| Ask::get(format!("/v1/persons/{}/account", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
        party(
            "list_organisation_accounts",
            |_| Ask::get("/v1/organisations/hospital/accounts"),
            (bureau, Status(403)),
            (hospital, Status(200)),
        ),
        party(
            "get_fund",
            |_| Ask::get(format!("/v1/regions/{REGION}/funds/1")),
            (hospital, Status(403)),
            (bureau, Status(200)),
        ),
        party(
            "get_state_proof",
            |_| Ask::get(format!("/v1/proofs/personal_account/{}", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
    ]
}

fn visit_trials() -> Vec<Trial> {
    vec![
        party(
            "get_visit",
            |_| Ask::get(format!("/v1/visits/{SETTLED}")),
            (other, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "get_effect",
            |given| {
                let reference = given.settlement["effects"][0]["reference"].as_str().unwrap();
                Ask::get(format!("/v1/effects/{reference}"))
            },
            (two, Status(404)),
            (one, Status(200)),
        ),
        // The visit's own provider is the wrong party: it would learn of its patient's other
        // visits.
        party(
            "get_later_settlements",
            |_| Ask::get(format!("/v1/persons/{}/visits/{SETTLED}/later", id_of(one()))),
            (hospital, Status(404)),
            (one, Status(200)),
        ),
        party(
            "put_bill",
            |_| {
                let (commitment, envelope, _) = sealed(VISIT, b"another");
                let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
                Ask::put(path, &envelope.encode())
            },
            (one, Status(403)),
            (hospital, Status(204)),
        ),
        party(
            "list_bills",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills")),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "get_bill",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills/{}", commitment())),
            (other, Status(404)),
            (bureau, Status(200)),
        ),
    ]
}

fn grant_trials() -> Vec<Trial> {
    vec![
        party(
            "grant_bill",
            |given| {
                let (commitment, envelope, reader) = sealed(VISIT, b"bill");
                let grant = Grant {
                    reader: ReaderSecret::from_seed(&[7; 32]).key(),
                    purpose: primitives::Text::new("sample").unwrap(),
                    valid_until: given.world.gateway.clock.now().plus_millis(60_000),
                };
                let context = EnvelopeContext { visit: VISIT, commitment };
                let mut random = vault::randomness([8; 32]);
                let key = envelope.grant_key(&reader, &context, &grant, START, &mut random);
                let path = format!("/v1/visits/{VISIT}/bills/{commitment}/grants");
                Ask::bytes("POST", path, &key.unwrap().encode())
            },
            (auditor, Status(404)),
            (one, Status(204)),
        ),
        // After the trial above, in their order.
        party(
            "revoke_bill_grant",
            |_| {
                let reader = ReaderSecret::from_seed(&[7; 32]).key();
                let path = format!("/v1/visits/{VISIT}/bills/{}/grants/{reader}", commitment());
                Ask::delete(path)
            },
            (other, Status(404)),
            (bureau, Status(204)),
        ),
        party(
            "list_bill_accesses",
            |_| Ask::get(format!("/v1/visits/{VISIT}/bills/{}/accesses", commitment())),
            (auditor, Status(404)),
            (one, Own(|list| list["accesses"].is_array())),
        ),
    ]
}

const RAIL: &str = "/v1/organisations/hospital/rails/counter";

/// An operation on the hospital's rail, which no other organisation may try.
const fn rail(operation: &'static str, ask: fn(&Given) -> Ask, status: u16) -> Trial {
    party(operation, ask, (other, Status(403)), (hospital, Status(status)))
}

fn rail_trials() -> Vec<Trial> {
    vec![
        rail("list_rails", |_| Ask::get("/v1/organisations/hospital/rails"), 200),
        rail(
            "record_authorisation",
            |_| {
                let payment = json!({ "note": "later", "from": "card:1" });
                let body = json!({ "payment": payment, "salt": sha256(b"salt") });
                Ask::post(format!("{RAIL}/authorisations"), &body)
            },
            201,
        ),
        rail("list_open_payments", |_| Ask::get(format!("{RAIL}/worklist")), 200),
        rail(
            "hand_out",
            |_| {
                let body = json!({ "effect": sha256(b"refund"), "clerk": "clerk-1" });
                Ask::post(format!("{RAIL}/hand-outs"), &body)
            },
            204,
        ),
        rail("list_reconciliations", |_| Ask::get(format!("{RAIL}/reconciliations")), 200),
        // From here on one after the other, as in a day at the till.
        rail(
            "open_shift",
            |_| Ask::post(format!("{RAIL}/shifts"), &json!({ "clerk": "clerk-1", "float": "0" })),
            201,
        ),
        rail(
            "take_money",
            |_| {
                let body = json!({
                    "visit": VISIT, "clerk": "clerk-1", "due": "700", "tendered": "700",
                    "salt": sha256(b"salt")
                });
                Ask::post(format!("{RAIL}/takings"), &body)
            },
            201,
        ),
        rail("get_shift", |_| Ask::get(format!("{RAIL}/shifts/clerk-1")), 200),
        rail(
            "close_shift",
            |_| Ask::post(format!("{RAIL}/shifts/clerk-1/close"), &json!({ "counted": "700" })),
            200,
        ),
    ]
}

fn wallet_trials() -> Vec<Trial> {
    vec![
        party(
            "get_profile",
            |_| Ask::get(format!("/v1/persons/{}/profile", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "create_code",
            |_| Ask::post(format!("/v1/persons/{}/codes", id_of(one())), &json!({})),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "look_up_code",
            |given| Ask::post("/v1/codes/lookups", &json!({ "code": shown_code(&given.world) })),
            (one, Status(403)),
            (hospital, Status(200)),
        ),
    ]
}

/// The address of a request that was just sent to person 1.
fn sent_request(given: &Given) -> String {
    format!("/v1/requests/{}", send_request(&given.world, ASKED).id())
}

/// What a wallet asks about the own premium of person 1.
fn wallet_premium(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/v1/persons/{}/premium-{what}", id_of(one())), body)
}

fn own_premium() -> Value {
    json!({ "season": season(), "person": id_of(one()) })
}

/// In this order: the last ones pay.
fn premium_trials() -> Vec<Trial> {
    vec![
        // The stranger is not registered, of which nobody is told.
        party(
            "look_up_premium",
            |_| wallet_premium("lookups", &lookup()),
            (two, Status(403)),
            (one, Status(409)),
        ),
        party(
            "lock_premium",
            |_| wallet_premium("locks", &own_premium()),
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "release_premium",
            |_| wallet_premium("releases", &own_premium()),
            (two, Status(403)),
            (one, Status(204)),
        ),
        party(
            "create_premium_cash_leg",
            |_| wallet_premium("cash-legs", &json!({ "idempotency_key": "0f".repeat(16) })),
            (bureau, Status(403)),
            (one, Status(201)),
        ),
        party(
            "pay_premiums",
            |given| {
                let content = wallet_payment(&given.world, &[id_of(one())]);
                wallet_premium("payments", &given.world.submission(&content, &[one()]))
            },
            (two, Status(403)),
            (one, Status(201)),
        ),
        party(
            "get_premium_payment",
            |given| Ask::get(format!("/v1/premium-payments/{}", premium_payment(given))),
            (two, Status(404)),
            (one, Own(|payment| payment["payer"] == one().to_string())),
        ),
    ]
}

/// The payment that person 1's premium waits for; a new one when there is none.
fn premium_payment(given: &Given) -> String {
    let world = &given.world;
    let token = world.token(one());
    let own = world.ask(&Ask::get(premium()).token(&token)).expect(200).json();
    if let Some(payment) = own["details"]["standing"]["payment"].as_str() {
        return payment.to_owned();
    }
    let content = wallet_payment(world, &[id_of(one())]);
    let pay = wallet_premium("payments", &world.submission(&content, &[one()]));
    let receipt = world.ask(&pay.token(&token)).expect(201).json();
    receipt["receipt"]["effects"][0]["reference"].as_str().unwrap().to_owned()
}

/// In this order: the last one settles the visit.
fn request_trials() -> Vec<Trial> {
    vec![
        party(
            "create_cash_leg",
            |_| Ask::post(format!("/v1/visits/{ASKED}/cash-legs"), &json!({})),
            (other, Status(404)),
            (hospital, Status(201)),
        ),
        party(
            "create_request",
            |given| {
                let (_, body) = new_request(&given.world, ASKED, Cash::Till);
                Ask::post(format!("/v1/visits/{ASKED}/requests"), &body)
            },
            (other, Status(404)),
            (hospital, Status(201)),
        ),
        party(
            "list_requests",
            |_| Ask::get(format!("/v1/persons/{}/requests", id_of(one()))),
            (hospital, Status(403)),
            (one, Status(200)),
        ),
        party(
            "get_request",
            |given| Ask::get(sent_request(given)),
            (two, Status(404)),
            (hospital, Status(200)),
        ),
        party(
            "refuse_request",
            |given| {
                let path = format!("{}/refusals", sent_request(given));
                Ask::post(path, &json!({ "reason": "not_mine" }))
            },
            (hospital, Status(404)),
            (one, Status(204)),
        ),
        party(
            "withdraw_request",
            |given| Ask::delete(sent_request(given)),
            (one, Status(404)),
            (hospital, Status(204)),
        ),
        party(
            "confirm_request",
            |given| {
                let content = send_request(&given.world, ASKED);
                let path = format!("/v1/requests/{}/confirmations", content.id());
                Ask::post(path, &confirmation(&given.world, &content))
            },
            (hospital, Status(404)),
            (one, Status(201)),
        ),
    ]
}

/// The objection that waits for an answer; a new one when there is none.
fn objection(given: &Given) -> Hash {
    let world = &given.world;
    if settled(world, REFUNDED).get("objected").is_none() {
        return object(world, REFUNDED);
    }
    let ask = Ask::get(format!("/v1/visits/{REFUNDED}/objections"));
    let list = world.ask(&ask.token(&world.token(one()))).expect(200).json();
    serde_json::from_value(list["objections"][0]["objection"].clone()).unwrap()
}

fn objection_trials() -> Vec<Trial> {
    vec![
        party(
            "create_objection",
            |given| {
                let (_, body) = new_objection(&given.world, REFUNDED);
                Ask::post(format!("/v1/visits/{REFUNDED}/objections"), &body)
            },
            (hospital, Status(403)),
            (one, Status(201)),
        ),
        party(
            "list_visit_objections",
            |_| Ask::get(format!("/v1/visits/{REFUNDED}/objections")),
            (two, Status(404)),
            (one, Status(200)),
        ),
        party(
            "list_objections",
            |_| Ask::get("/v1/organisations/hospital/objections"),
            (other, Status(403)),
            (hospital, Status(200)),
        ),
        party(
            "write_answer",
            |given| {
                let id = objection(given);
                let (_, body) = new_answer(&given.world, REFUNDED, "dismissed");
                Ask::post(format!("/v1/objections/{id}/answers"), &body)
            },
            (other, Status(404)),
            (hospital, Status(204)),
        ),
        party(
            "get_visit_bill",
            |_| Ask::get(format!("/v1/visits/{REFUNDED}/bill")),
            (other, Status(404)),
            (one, Status(200)),
        ),
        party(
            "create_refund",
            |given| {
                let (_, body) = new_refund(&given.world, REFUNDED);
                Ask::post(format!("/v1/visits/{REFUNDED}/refunds"), &body)
            },
            (other, Status(404)),
            (hospital, Status(201)),
        ),
    ]
}

fn guardian_trials() -> Vec<Trial> {
    vec![
        party(
            "look_up_guardian",
            |given| {
                let path = format!("/v1/persons/{}/guardian-lookups", id_of(two()));
                Ask::post(path, &json!({ "code": shown_code(&given.world) }))
            },
            (one, Status(403)),
            (two, Status(200)),
        ),
        party(
            "list_wards",
            |_| Ask::get(format!("/v1/persons/{}/wards", id_of(one()))),
            (two, Status(403)),
            (one, Status(200)),
        ),
    ]
}

fn trials() -> Vec<Trial> {
    [
        public_trials(),
        // Before anybody locks person 1.
        request_trials(),
        objection_trials(),
        guardian_trials(),
        premium_trials(),
        own_trials(),
        transaction_trials(),
        person_trials(),
        visit_trials(),
        grant_trials(),
        rail_trials(),
        wallet_trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_endpoint_has_one_trial() {
    let endpoints: BTreeSet<&str> =
        gateway::api::endpoints().iter().map(|endpoint| endpoint.operation).collect();
    let tried: Vec<&str> = trials().iter().map(|trial| trial.operation).collect();
    let distinct: BTreeSet<&str> = tried.iter().copied().collect();
    assert_eq!(distinct.len(), tried.len(), "an operation has two trials");
    let missing: Vec<_> = endpoints.difference(&distinct).collect();
    let extra: Vec<_> = distinct.difference(&endpoints).collect();
    assert!(missing.is_empty(), "add a trial to tests/api/access.rs for {missing:?}");
    assert!(extra.is_empty(), "there is no endpoint for the trials {extra:?}");
}

#[test]
fn a_trial_expects_a_session_exactly_where_the_endpoint_does() {
    for trial in trials() {
        let endpoint = gateway::api::endpoints()
            .iter()
            .find(|endpoint| endpoint.operation == trial.operation)
            .unwrap();
        let wanted = trial.no_session == 401;
        assert_eq!(endpoint.access.needs_session(), wanted, "{}", trial.operation);
        // Where a rule names parties, the wrong one gets nothing.
        if let Access::Party { .. } = endpoint.access {
            let refused = matches!(trial.wrong.1, Status(403 | 404));
            assert!(refused, "{} has no wrong party", trial.operation);
        }
    }
}

fn check(trial: &Trial, who: &str, given: &Given, ask: &Ask, gets: &Gets) {
    let name = format!("`{}` by {who}", trial.operation);
    match gets {
        Status(status) => {
            let answer = given.world.ask(ask);
            assert_eq!(answer.status, *status, "{name}: {}", answer.text());
        }
        Own(holds) => {
            let answer = given.world.ask(ask);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert!(holds(&answer.json()), "{name}: {}", answer.text());
        }
        Hears(event) => {
            let mut stream = Events::answering(&given.world, ask);
            // Something of the wrong party's own, so that there is something to hear.
            let lock = json!({ "person": id_of(two()), "by": "own_key" });
            given.world.accepted(&[two()], "lock_person", lock);
            let (_, receipt) = stream.take(&given.world).unwrap();
            assert_eq!(receipt["events"], json!([event]), "{name}");
        }
    }
}

#[test]
fn nobody_without_a_session_gets_what_is_not_public() {
    let given = given();
    for trial in trials() {
        let ask = (trial.ask)(&given);
        check(&trial, "nobody", &given, &ask, &Status(trial.no_session));
    }
}

#[test]
fn the_wrong_party_gets_nothing_of_others() {
    let given = given();
    for trial in trials() {
        let (party, gets) = &trial.wrong;
        let ask = (trial.ask)(&given).token(&given.world.token(party()));
        check(&trial, "the wrong party", &given, &ask, gets);
    }
}

#[test]
fn the_right_party_gets_what_it_asks_for() {
    let given = given();
    for trial in trials() {
        let (party, gets) = &trial.right;
        let ask = (trial.ask)(&given).token(&given.world.token(party()));
        check(&trial, "the right party", &given, &ask, gets);
    }
}

#[test]
fn a_guardian_sees_what_the_bureau_and_the_person_see() {
    let given = given();
    let world = &given.world;
    let path = format!("/v1/persons/{}", id_of(one()));
    let as_two = || world.ask(&Ask::get(&path).token(&world.token(two())));
    as_two().problem(403, "not_yours");
    world.accepted(
        &[one(), two()],
        "set_guardian",
        json!({
            "person": id_of(one()), "guardian": id_of(two()), "ground": "own_wish",
            "period": { "from": "2026-01-01", "to": "2026-01-20" }
        }),
    );
    as_two().expect(200);
    // Guardianship ends by itself.
    (0..11).for_each(|_| world.port.pass_day());
    as_two().problem(403, "not_yours");
}

#[test]
fn what_does_not_exist_looks_like_what_is_somebody_elses() {
    let given = given();
    let token = given.world.token(two());
    let get = |path: String| {
        let mut answer = given.world.ask(&Ask::get(path).token(&token)).json();
        answer.as_object_mut().unwrap().remove("instance");
        answer
    };
    let nobody = "0e".repeat(16);
    assert_eq!(get(format!("/v1/persons/{nobody}")), get(format!("/v1/persons/{}", id_of(one()))));
    assert_eq!(get(format!("/v1/visits/{nobody}")), get(format!("/v1/visits/{VISIT}")));
    let there = format!("/v1/receipts/{}", receipt_id(&given));
    assert_eq!(get("/v1/receipts/999999".to_owned()), get(there));
    let fund = |number: u16| get(format!("/v1/regions/{REGION}/funds/{number}"));
    assert_eq!(fund(1), fund(77));
}
