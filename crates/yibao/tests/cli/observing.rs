//! What an operator sees of a served folder: figures, their dashboard and alerts, the status, and a
//! log that names nobody.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kit::{Files, yibao};
use crate::serve::{Served, text, with_rails};
use crate::support::founding::{CHAIN, key};
use crate::support::read;

/// Names of metrics that occur in a text, without what a type adds to them.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    let words = text.split(|one: char| !is_part(one)).filter(|word| word.starts_with("yibao_"));
    words
        .map(|word| {
            let ends = ["_total", "_bucket", "_sum", "_count"];
            ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
        })
        .collect()
}

/// The metrics that the gateway shows, by their types.
fn shown(metrics: &str) -> BTreeSet<String> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Everything that the dashboard asks for.
fn expressions(dashboard: &Value) -> String {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| format!("{}\n", target["expr"].as_str().expect("an expression"))).collect()
}

#[test]
fn dashboard_and_alerts_ask_for_what_is_shown_and_the_dashboard_for_all_of_it() {
    let files = Files::new();
    let data = with_rails(&files);
    let served = Served::start(&data, CHAIN);
    // A problem and a refused transaction, so that what is counted by code is there.
    assert_eq!(served.get("/v1/receipts").0, 401);
    let (tx, insurer) = crate::serve::signed(&files);
    let send = |tx: &str| yibao(["tx", "send", tx, "--url", served.url(), "--key", text(&insurer)]);
    send(text(&tx)).ok();
    std::fs::remove_file(&tx).expect("the file");
    std::fs::remove_file(&insurer).expect("the file");
    let (tx, _) = crate::serve::signed(&files);
    send(text(&tx)).fails(1, &["the transaction did not happen"]);
    let metrics = served.get("/metrics").1;
    served.stop("-TERM");
    let shown = shown(&metrics);
    assert!(shown.len() > 40, "{shown:?}");
    let dashboard: Value =
        serde_json::from_str(&read("deploy/grafana/yibao.json")).expect("a dashboard is JSON");
    let asked = names_in(&expressions(&dashboard));
    let missing: Vec<_> = asked.difference(&shown).collect();
    assert!(missing.is_empty(), "the dashboard asks for {missing:?}, which nobody shows");
    let unseen: Vec<_> = shown.difference(&asked).collect();
    assert!(unseen.is_empty(), "the dashboard does not show {unseen:?}");
    let alerts = names_in(&read("deploy/prometheus/alerts.yml"));
    assert!(alerts.len() > 10, "{alerts:?}");
    let missing: Vec<_> = alerts.difference(&shown).collect();
    assert!(missing.is_empty(), "alerts ask for {missing:?}, which nobody shows");
    for there in ["yibao_node_refused_total{code=\"", "yibao_gateway_problems_total{code=\""] {
        assert!(metrics.contains(there), "{there} is not in\n{metrics}");
    }
}

#[test]
fn a_status_is_told_by_the_node_and_by_its_folder_afterwards() {
    let files = Files::new();
    let data = with_rails(&files);
    let bureau = files.at("bureau.key");
    node::signature::save_key(&bureau, &key("bureau")).expect("a key file");
    let served = Served::start(&data, CHAIN);
    let (tx, insurer) = crate::serve::signed(&files);
    yibao(["tx", "send", text(&tx), "--url", served.url(), "--key", text(&insurer)]).ok();
    let ask = |key: &str, party: &str, more: &[&str]| {
        let who = ["status", "--url", served.url(), "--key", key, "--party", party];
        yibao(who.into_iter().chain(more.iter().copied()))
    };
    // The register follows the blocks by itself; until it has, the fund is not listed.
    let asked = (0..500).find_map(|_| {
        let run = ask(text(&bureau), "organisation:bureau", &["--json"]);
        let answer: Value = serde_json::from_str(&run.out).expect("JSON");
        let has_fund = answer["status"]["funds"].as_array().is_some_and(|funds| !funds.is_empty());
        has_fund.then_some((run.code, answer))
    });
    let (code, status) = asked.expect("the register follows the blocks");
    // A fund without money and a folder without backup: something is to be done at once.
    assert_eq!(code, 3, "{status}");
    assert_eq!(status["source"], "node");
    assert_eq!(status["level"], "at_once");
    assert_eq!(status["status"]["ready"], true);
    assert_eq!(status["status"]["funds"][0]["owner"], "insurer");
    let codes: Vec<&str> = status["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter_map(|one| one["code"].as_str())
        // How full the disk is that this runs on is nothing that the folder decides.
        .filter(|code| !["disk_low", "disk_full"].contains(code))
        .collect();
    assert_eq!(codes, ["fund_empty", "no_backup"]);
    ask(text(&insurer), "organisation:insurer", &[])
        .fails(1, &["the gateway does not answer this"]);
    for (tag, words) in [
        ("en", "Needs attention:"),
        ("de", "Braucht"),
        ("zh-Hans", "需要处理"),
        ("zh-Hant", "需要處理"),
    ] {
        let run = ask(text(&bureau), "organisation:bureau", &["--lang", tag]);
        assert!(run.out.contains(words), "{tag}: {}", run.out);
        assert!(!run.out.contains(['{', '}']), "{tag}: {}", run.out);
    }
    let url = served.url().to_owned();
    served.stop("-TERM");
    // Nobody answers any more: the folder says how it was, that it is down, and what is new.
    std::fs::write(
        data.join("node/last-backup.json"),
        "{\"made\":\"2026-01-02T00:00:00.000Z\",\"folder\":\"/b\",\"height\":1,\"receipts\":1}",
    )
    .expect("a file");
    let run = yibao(["status", text(&data), "--url", &url]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    for words in ["the node does not answer", "the last backup is of 2026-01-02", "620100/"] {
        assert!(run.out.contains(words), "`{words}` is not in: {}", run.out);
    }
    yibao(["status"]).fails(2, &["name the data folder"]);
    yibao(["status", "docs"]).fails(2, &["the organisation of the node"]);
}
