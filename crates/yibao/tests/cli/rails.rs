//! The payments outside of an organisation as its people see them while its folder is served.

use std::sync::Arc;
use std::thread::yield_now;

use adapters::clock::{Clock as _, ManualClock, SystemClock};
use adapters::rail::Reference;
use adapters::rail::counter::{Counter, Taking};
use adapters::sqlite::Place;
use node::signature::save_key;
use primitives::{Amount, Currency, Timestamp, UtcOffset, sha256};
use serde_json::{Value, json};

use crate::kit::{Files, yibao};
use crate::serve::{Served, text, with_rails};
use crate::support::founding::{CHAIN, key};

#[test]
fn money_that_no_settlement_asked_for_is_found_when_the_till_is_reconciled() {
    let files = Files::new();
    let data = with_rails(&files);
    // Yesterday a clerk took 7.00 yuan, and nobody settled anything.
    let yesterday = SystemClock.now().millis() - 24 * 3_600_000;
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(yesterday)));
    let place = Place::File(data.join("insurer/counter.sqlite"));
    let counter = Counter::open(&place, Currency::CNY, UtcOffset(480), clock).expect("books");
    let clerk = "clerk-1".parse().expect("a clerk");
    counter.open_shift(&clerk, Amount::from_minor(0)).expect("a shift");
    let due = Amount::from_minor(700);
    let reference = Reference(sha256(b"a payment of nobody"));
    let taking = Taking { reference, clerk, due, tendered: due };
    counter.take_money(&taking).expect("money");
    drop(counter);

    let served = Served::start(&data, CHAIN);
    while !served.get("/metrics").1.contains("yibao_node_rail_differences 1") {
        yield_now();
    }
    assert_eq!(served.get("/health/ready").0, 204);
    let metrics = served.get("/metrics").1;
    assert!(metrics.contains("yibao_node_failing_books 0"), "{metrics}");
    let insurer = files.at("insurer.key");
    save_key(&insurer, &key("insurer")).expect("a key file");
    let as_insurer = |command: &str, path: &str, more: &[&str]| {
        let path = format!("/v1/organisations/insurer/rails/{path}");
        let mut arguments = vec![command, &path, "--url", served.url(), "--key", text(&insurer)];
        arguments.extend(["--party", "organisation:insurer"]);
        arguments.extend(more);
        serde_json::from_str::<Value>(&yibao(arguments).ok()).expect("JSON")
    };
    let days = as_insurer("get", "counter/reconciliations", &[]);
    let wrong = days["days"].as_array().expect("days").iter().find(|day| day["lines"] == 1);
    let difference = &wrong.expect("the day of the payment")["differences"][0];
    assert_eq!(difference["reference"], reference.to_string());
    assert_eq!(difference["kind"], "only_at_rail");
    assert_eq!(difference["amount"], "700");

    // A card is noted for a settlement, and the shift that is still open is closed.
    let note = json!({ "payment": { "note": "later", "from": "card:1" }, "salt": sha256(b"salt") });
    let note = files.write("note.json", &note.to_string());
    let recorded = as_insurer("post", "bank/authorisations", &["--body", &note]);
    assert_eq!(recorded["authorisation"].as_str().expect("a commitment").len(), 64);
    let counted = files.write("counted.json", &json!({ "counted": "700" }).to_string());
    let closed = as_insurer("post", "counter/shifts/clerk-1/close", &["--body", &counted]);
    assert_eq!(closed["closed"]["short"], "0");
    assert_eq!(as_insurer("get", "counter/worklist", &[])["payments"], json!([]));
    served.stop("-TERM");
}
