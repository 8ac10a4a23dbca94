//! The drills of `docs/operate/breach.md`, run as they stand there against a small demonstration,
//! and a log that gives nobody away.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::guide::followed;
use crate::kit::{Files, Run, command, yibao};
use crate::serve::{Served, text};

#[test]
fn after_the_drill_a_stolen_key_does_nothing() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    yibao(["demo", "--once", "--people", "40", "--data", text(&data)]).ok();
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/operate/breach.md", &files, &served);
    assert!(!run.out.contains("NOT REFUSED"), "{}{}", run.out, run.err);
    let said = run.ok();
    for words in [
        "key_authorised",
        "key_revoked",
        "person_locked",
        "the chain is whole",
        "1 from elsewhere, all of them in this chain",
        "一般诊疗费",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    served.stop("-TERM");
}

/// Everything that a log must not hold: names and identity numbers of the identity authority's
/// register, ids and keys of people and organisations, words of bills.
fn what_is_nobodys_business(data: &Path) -> Vec<String> {
    let register = data.join("identity/register.sqlite");
    let dump = "import sqlite3, sys\n\
        rows = sqlite3.connect(sys.argv[1]).execute('SELECT document, name FROM person')\n\
        print('\\n'.join(value for row in rows for value in row))";
    let run: Run = Command::new("python3")
        .args(["-c", dump, text(&register)])
        .output()
        .expect("python3 is there")
        .into();
    let mut all: Vec<String> = run.ok().lines().map(str::to_owned).collect();
    assert!(all.len() > 20, "{all:?}");
    let family = fs::read_to_string(data.join("family/family.toml")).expect("a family");
    let ids = family.lines().filter_map(|line| line.split("person:").nth(1));
    all.extend(ids.map(|id| id.trim_end_matches('"').to_owned()));
    for key in ["family/1.key", "bureau/keys/online.key", "clinic-1/keys/online.key"] {
        let shown = yibao(["keys", "show", text(&data.join(key))]).ok();
        let digits = shown.trim().split(':').nth(1).expect("a key has a scheme").to_owned();
        all.push(digits);
        let file = fs::read_to_string(data.join(key)).expect("a key file");
        let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        all.push(file["secret"].as_str().expect("a secret").to_owned());
    }
    all.extend(["一般诊疗费", "ZJ007", "\"lines\"", "Bearer "].map(str::to_owned));
    all
}

#[test]
fn a_log_at_trace_names_nobody_and_holds_no_body() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    let made = command()
        .args(["demo", "--once", "--people", "40", "--data", text(&data)])
        .env("YIBAO_LOG", "trace")
        .output();
    let made: Run = made.expect("the binary runs").into();
    let served = Served::start_in(&data, "yibao-demo", &[], &[("YIBAO_LOG", "trace")]);
    // A whole visit, with a bill and a refused look; only the log counts here.
    let run = followed("docs/guide/api.md", &files, &served);
    run.ok();
    let (_, log) = served.stop("-TERM");
    assert!(log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""), "{log}");
    assert!(log.contains("submit_transaction"), "{log}");
    let log = format!("{}{log}", made.err);
    for one in what_is_nobodys_business(&data) {
        assert!(!log.contains(&one), "`{one}` stands in the log");
    }
}
