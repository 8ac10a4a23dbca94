//! > A provider with all its data cannot list its patient's other visits. — issue 2, section 2
//!
//! The provider tries every operation of the contract with every id that it could come by, the
//! other visit's own ones included; no answer says anything of the other visit.

use gateway::Chain as _;
use gateway::endpoint::{BodyKind, Endpoint, Place};
use primitives::{Party, VisitId, sha256};
use serde_json::{Value, json};

use crate::support::events::Events;
use crate::support::insured::{VISIT, bill, sealed, settle_at, subject_at};
use crate::support::{Ask, REGION, World, id_of, organisation, person};

/// The same person's visit at another provider: settled, and one that is open.
const ELSEWHERE: VisitId = VisitId([0xe1; 16]);
const OPEN_ELSEWHERE: VisitId = VisitId([0xe2; 16]);

/// What the provider must not learn, as text and as bytes.
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// An answer may repeat what was asked, and says nothing else.
    fn check(&self, name: &str, asked: &str, answer: &[u8]) {
        for (text, bytes) in self.0.iter().filter(|(text, _)| !asked.contains(text)) {
            let says = |secret: &[u8]| answer.windows(secret.len()).any(|part| part == secret);
            assert!(!says(text.as_bytes()) && !says(bytes), "{name} says `{text}`");
        }
    }
}

/// Person 1 is at `hospital` and at `other`; what stands on the ledger of the latter visits.
fn given() -> (World, Vec<String>, u64) {
    let world = World::insured();
    settle_at(&world, VISIT, "hospital");
    world.check_in_at(ELSEWHERE, "other");
    let receipt = settle_at(&world, ELSEWHERE, "other");
    world.check_in_at(OPEN_ELSEWHERE, "other");
    let (commitment, envelope, _) = sealed(OPEN_ELSEWHERE, b"elsewhere");
    let put =
        Ask::put(format!("/v1/visits/{OPEN_ELSEWHERE}/bills/{commitment}"), &envelope.encode());
    world.ask(&put.token(&world.token(organisation("other")))).expect(204);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ids = vec![
        ELSEWHERE.to_string(),
        OPEN_ELSEWHERE.to_string(),
        commitment.to_string(),
        text(&receipt["transaction_id"]),
        text(&receipt["effects"][0]["reference"]),
    ];
    (world, ids, receipt["id"].as_u64().unwrap())
}

/// Everything that could stand in a parameter of the path.
fn values(name: &str, ids: &[String], receipts: u64) -> Vec<String> {
    let own = |more: &[&str]| more.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    match name {
        "visit" | "commitment" | "transaction_id" | "reference" | "request" | "objection"
        | "application" | "claim" | "contest" => ids.to_vec(),
        "pin" => vec!["00".repeat(16)],
        "id" => [ids, &[id_of(person(1))]].concat(),
        "person" => vec![id_of(person(1))],
        "receipt" => (0..receipts).map(|id| id.to_string()).collect(),
        "height" => (1..receipts).map(|id| id.to_string()).collect(),
        "organisation" => own(&["hospital", "other"]),
        "row" => own(&["person", "coverage", "personal_account", "visit", "settlement"]),
        "region" | "insured" | "care" => vec![REGION.to_string()],
        "scheme" => own(&["310"]),
        "inquiry" => own(&["1", "2"]),
        "year" => own(&["2027"]),
        "month" => own(&["1"]),
        "fund" | "version" | "batch" | "audit" => own(&["1"]),
        "day" => own(&["2026-01-10"]),
        "rail" => own(&["counter"]),
        "currency" => own(&["JPY"]),
        "priced_in" => own(&["CNY"]),
        "session_id" => own(&["0123456789abcdef"]),
        "clerk" => own(&["clerk-1"]),
        "kind" => own(&["settle_visit"]),
        "code" => own(&["expired"]),
        "reader" | "browser" => vec!["07".repeat(32)],
        "channel" => own(&["sms", "wechat", "push"]),
        "place" => (1..=receipts.min(255)).map(|width| format!("0/000.p/{width}")).collect(),
        _ => panic!("say in tests/api/privacy.rs what may stand in `{name}`"),
    }
}

/// The addresses of an operation with every combination of values.
fn addresses(endpoint: &Endpoint, ids: &[String], receipts: u64) -> Vec<String> {
    let mut addresses = vec![endpoint.path.replace("{*", "{")];
    for parameter in endpoint.parameters.iter().filter(|one| one.place == Place::Path) {
        let hole = format!("{{{}}}", parameter.name);
        let values = values(parameter.name, ids, receipts);
        let filled = |address: &String| -> Vec<String> {
            values.iter().map(|value| address.replace(&hole, value)).collect()
        };
        addresses = addresses.iter().flat_map(filled).collect();
    }
    assert!(addresses.iter().all(|address| !address.contains('{')), "{addresses:?}");
    addresses
}

/// Bodies that ask about the other visits, where a body can ask.
fn bodies(operation: &str, ids: &[String]) -> Vec<Value> {
    match operation {
        "create_quote" => {
            let visit = |visit: &String| json!({ "visit": visit, "bill": bill() });
            let rest = |visit: &String| json!({ "remaining": visit, "bill": bill() });
            let planned = json!({ "planned": subject_at(1, "other"), "bill": bill() });
            let asked = ids.iter().take(2);
            asked.clone().map(visit).chain(asked.map(rest)).chain([planned]).collect()
        }
        "hand_out" => {
            let hand_out = |effect: &String| json!({ "effect": effect, "clerk": "clerk-1" });
            ids.iter().map(hand_out).collect()
        }
        _ => vec![json!({})],
    }
}

fn asks(endpoint: &Endpoint, ids: &[String], receipts: u64) -> Vec<Ask> {
    let method = ["GET", "POST", "PUT", "DELETE"].into_iter().find(|one| endpoint.method == *one);
    let method = method.expect("a method that the API uses");
    let mut asks = Vec::new();
    for path in addresses(endpoint, ids, receipts) {
        match endpoint.body {
            BodyKind::None => asks.push(Ask { method, ..Ask::get(path) }),
            BodyKind::Bytes(_) => asks.push(Ask::bytes(method, path, b"bytes")),
            BodyKind::Form(_) => {
                let ask = Ask::bytes(method, path, b"--b\r\n\r\nbytes\r\n--b--\r\n");
                let form = ("content-type", "multipart/form-data; boundary=b".to_owned());
                asks.push(Ask { headers: vec![form], ..ask });
            }
            BodyKind::Json(..) | BodyKind::Signed(..) => {
                let post = |body: Value| Ask { method, ..Ask::post(path.clone(), &body) };
                asks.extend(bodies(endpoint.operation, ids).into_iter().map(post));
            }
        }
    }
    asks
}

fn secrets(ids: &[String]) -> Secrets {
    Secrets(ids.iter().map(|id| (id.clone(), hex::decode(id).unwrap())).collect())
}

fn statuses(world: &World, party: Party, ids: &[String], receipts: u64) -> Vec<(String, bool)> {
    let secrets = secrets(ids);
    let mut answered = Vec::new();
    for endpoint in gateway::api::endpoints() {
        // Streams are listened to below, and signing out would end the trial.
        if matches!(endpoint.operation, "stream_events" | "delete_session") {
            continue;
        }
        let token = world.token(party);
        for ask in asks(endpoint, ids, receipts) {
            let answer = world.ask(&ask.clone().token(&token));
            let name = format!("{} {}", endpoint.operation, ask.path);
            let asked = format!("{} {}", ask.path, String::from_utf8_lossy(&ask.body));
            secrets.check(&name, &asked, &answer.body);
            for value in answer.headers.values() {
                secrets.check(&name, &asked, value.as_bytes());
            }
            let about_it = ids.iter().any(|id| ask.path.contains(id.as_str()));
            if about_it && endpoint.access.needs_session() {
                answered.push((name, answer.status < 400));
            }
        }
    }
    answered
}

#[test]
fn a_provider_with_all_its_data_cannot_list_its_patients_other_visits() {
    let (world, ids, elsewhere) = given();
    let receipts = elsewhere + 3;
    let hospital = organisation("hospital");
    for (name, is_answered) in statuses(&world, hospital, &ids, receipts) {
        assert!(!is_answered, "{name} answers about a visit elsewhere");
    }
    // All its receipts, page by page, with their vouchers.
    let token = world.token(hospital);
    let (mut after, mut own) = (String::new(), Vec::new());
    loop {
        let page = format!("/v1/receipts?limit=5{after}");
        let page = world.ask(&Ask::get(page).token(&token)).expect(200);
        secrets(&ids).check("list_receipts", "", &page.body);
        let page = page.json();
        own.extend(
            page["receipts"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()),
        );
        match page["next"].as_u64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert!(own.len() > 3 && !own.contains(&elsewhere), "{own:?}");
    for id in own {
        let voucher = Ask::get(format!("/v1/receipts/{id}/voucher")).token(&token);
        secrets(&ids).check("a voucher", "", &world.ask(&voucher).expect(200).body);
    }
    // Its live events: the next visit elsewhere is not among them, its own one is.
    let mut events = Events::open(&world, &token, None);
    let next = world.port.view().tip.receipts;
    world.check_in_at(VisitId([0xe3; 16]), "other");
    world.check_in_at(VisitId([0xa1; 16]), "hospital");
    let (id, event) = events.take(&world).unwrap();
    assert_eq!((id, &event["events"]), (next + 1, &json!(["visit_opened"])));
    assert!(!event.to_string().contains(&"e3".repeat(16)), "{event}");
}

#[test]
fn the_trial_finds_what_the_other_provider_may_see() {
    let (world, ids, elsewhere) = given();
    let token = world.token(organisation("other"));
    let answer = world.ask(&Ask::get(format!("/v1/receipts/{elsewhere}")).token(&token));
    let said = answer.expect(200).text();
    assert!(said.contains(&ids[3]) && said.contains(&ids[4]), "{said}");
    let path = format!("/v1/visits/{OPEN_ELSEWHERE}/bills");
    let list = world.ask(&Ask::get(path).token(&token)).expect(200).text();
    assert!(list.contains(&ids[2]), "{list}");
    assert_ne!(sha256(b"elsewhere").to_string(), ids[2]);
}
