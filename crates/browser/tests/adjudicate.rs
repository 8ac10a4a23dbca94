//! The engine as a program, on the public vectors.

mod support;

use std::path::PathBuf;

use serde_json::{Value, json};

fn ask(question: &Value) -> Value {
    support::ask(env!("CARGO_BIN_EXE_adjudicate"), question.to_string().as_bytes())
}

fn vectors() -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/adjudications.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let mut all: Value = serde_json::from_str(&text).expect("JSON");
    all["vectors"].as_array_mut().map(std::mem::take).expect("a list")
}

/// The question of a vector; a part each has the same facts but for the days of its service.
fn question(one: &Value) -> Value {
    let parts = one["parts"].as_array().expect("parts").len();
    json!({
        "plans": one["plans"].as_array().expect("plans").iter().map(|plan| {
            json!({ "hash": plan["hash"], "bytes": plan["bytes"] })
        }).collect::<Vec<_>>(),
        "sums": one["sums"],
        "facts": vec![one["facts"].clone(); parts],
        "accumulators": one["accumulators_before"],
    })
}

#[test]
fn bills_are_split_as_everywhere() {
    let mut in_one_part = 0;
    for one in vectors() {
        let parts = one["parts"].as_array().expect("parts");
        let [part] = parts.as_slice() else { continue };
        let answer = ask(&question(&one));
        assert_eq!(answer, json!({ "outcome": "computed", "parts": [part["adjudication"]] }));
        in_one_part += 1;
    }
    assert!(in_one_part > 0, "the vectors have no bill of one part");
}

#[test]
fn a_stay_under_several_plans_is_split_part_by_part() {
    let totals = |parts: &Value| -> Vec<Value> {
        let parts = parts.as_array().expect("parts").iter();
        parts.map(|part| part.get("adjudication").unwrap_or(part)["total"].clone()).collect()
    };
    let mut in_several = 0;
    for one in vectors().iter().filter(|one| one["parts"].as_array().map(Vec::len) > Some(1)) {
        assert_eq!(totals(&ask(&question(one))["parts"]), totals(&one["parts"]), "{one}");
        in_several += 1;
    }
    assert!(in_several > 0, "the vectors have no bill of several parts");
}

#[test]
fn what_cannot_be_split_has_a_name() {
    let one = vectors().into_iter().find(|one| one["parts"].as_array().map(Vec::len) == Some(1));
    let right = question(&one.expect("a bill of one part"));
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut asked = right.clone();
        change(&mut asked);
        ask(&asked)["why"].clone()
    };
    assert_eq!(ask(&json!({}))["why"], "form");
    assert_eq!(refused(&|asked| asked["plans"][0]["hash"] = json!("00".repeat(32))), "plan");
    assert_eq!(refused(&|asked| asked["plans"][0]["bytes"] = json!("0100")), "plan");
    assert_eq!(refused(&|asked| asked["facts"] = json!([])), "parts");
    assert_eq!(refused(&|asked| asked["plans"] = json!([])), "rules");
    let long = support::ask(env!("CARGO_BIN_EXE_adjudicate"), &vec![b' '; (4 << 20) + 1]);
    assert_eq!(long["why"], "long");
}
