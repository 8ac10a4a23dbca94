//! The program on the public vectors, asked as a browser asks it.

mod support;

use std::path::PathBuf;

use serde_json::{Value, json};

fn vector(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/voucher").join(name);
    std::fs::read_to_string(path).expect("a vector")
}

fn ask(question: &[u8]) -> Value {
    support::ask(env!("CARGO_BIN_EXE_check-voucher"), question)
}

fn judge(voucher: &str, policies: &[&str]) -> Value {
    let policies: Vec<String> = policies.iter().map(|name| vector(name)).collect();
    ask(json!({ "voucher": voucher, "policies": policies }).to_string().as_bytes())
}

#[test]
fn vouchers_are_judged_as_everywhere() {
    let vectors: Value = serde_json::from_str(&vector("expected.json")).expect("JSON");
    for one in vectors.as_array().expect("a list") {
        let name = |key: &str| one[key].as_str().expect("a name").to_owned();
        let answer = judge(&vector(&name("voucher")), &[&name("policy")]);
        let says = &one["says"];
        if says["outcome"] == "valid" {
            assert_eq!(answer["outcome"], "genuine", "{one}");
            assert_eq!(answer["log"], says["log"]);
            assert_eq!(answer["index"], says["index"]);
            assert_eq!(answer["size"], says["log_size"]);
            let shown = says["fields"].as_array().expect("fields").len();
            assert_eq!(answer["facts"].as_array().map(Vec::len), Some(shown));
        } else {
            assert_eq!(answer, json!({ "outcome": "wrong", "why": "log" }), "{one}");
        }
    }
    // One policy that accepts it suffices.
    let both = judge(&vector("open.tlog-proof"), &["other-policy.txt", "policy.txt"]);
    assert_eq!(both["outcome"], "genuine");
}

#[test]
fn what_is_wrong_has_a_name() {
    let open = vector("open.tlog-proof");
    let at = open.find("extra ").expect("the line") + 120;
    let changed = format!(
        "{}{}{}",
        &open[..at],
        if &open[at..=at] == "A" { "B" } else { "A" },
        &open[at + 1..]
    );
    for (voucher, why) in
        [(changed.as_str(), "changed"), ("a text", "form"), (&"x".repeat(70_000), "long")]
    {
        assert_eq!(judge(voucher, &["policy.txt"])["why"], why);
    }
    assert_eq!(ask(b"{}")["why"], "form");
    assert_eq!(ask(&vec![b' '; (1 << 20) + 1])["why"], "long");
    let question = json!({ "voucher": open, "policies": ["nonsense"] });
    assert_eq!(ask(question.to_string().as_bytes())["why"], "policy");
}
