//! `yibao keys` and `yibao tx`, without a ledger.

use serde_json::Value;

use crate::kit::{Files, yibao};

/// A body of `open_fund`.
pub const OPEN_FUND: &str = r#"{
  "region": 620100, "fund": 7, "owner": "insurer", "purpose": "commercial_supplement", "floor": "0"
}"#;

#[test]
fn keys_are_made_shown_and_never_overwritten() {
    let files = Files::new();
    for scheme in ["ed25519", "p256", "sm2"] {
        let file = files.at(scheme);
        let file = file.to_str().expect("UTF-8");
        let made = yibao(["keys", "new", "--scheme", scheme, file]).ok();
        assert!(made.starts_with(&format!("{scheme}:")), "{made}");
        assert_eq!(yibao(["keys", "show", file]).ok(), made);
        let again = yibao(["keys", "new", "--scheme", scheme, file]);
        again.fails(2, &["exists already", "never overwritten"]);
    }
    let missing = files.at("missing");
    let missing = missing.to_str().expect("UTF-8");
    yibao(["keys", "show", missing]).fails(2, &["does not exist", "yibao keys new"]);
    let damaged = files.write("damaged", "{}");
    std::fs::set_permissions(&damaged, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("own file");
    yibao(["keys", "show", &damaged]).fails(2, &["key file", "restore it from a backup"]);
    std::fs::set_permissions(&damaged, std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .expect("own file");
    yibao(["keys", "show", &damaged]).fails(2, &["read by others", "chmod 600"]);
}

#[test]
fn every_kind_is_listed_and_has_a_schema() {
    let list = yibao(["tx", "kinds"]).ok();
    let registry = ledger::registry();
    assert_eq!(list.lines().count(), registry.kinds().len());
    for (line, kind) in list.lines().zip(registry.kinds()) {
        assert!(line.contains(kind.name) && line.contains(kind.module), "{line}");
        let schema = yibao(["tx", "schema", kind.name]).ok();
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{}",
            kind.name
        );
    }
    let german = yibao(["tx", "kinds", "--lang", "de"]).ok();
    assert_ne!(german, list);
    yibao(["tx", "schema", "pay_me"])
        .fails(2, &["no kind of transaction `pay_me`", "yibao tx kinds"]);
}

#[test]
fn a_transaction_is_made_signed_and_shown() {
    let files = Files::new();
    let (key, other) = (files.at("key"), files.at("other"));
    let (key, other) = (key.to_str().expect("UTF-8"), other.to_str().expect("UTF-8"));
    yibao(["keys", "new", key]).ok();
    yibao(["keys", "new", "--scheme", "sm2", other]).ok();
    let body = files.write("body.json", OPEN_FUND);
    let tx = files.at("tx.json");
    let tx = tx.to_str().expect("UTF-8");
    let make = |output: &str| {
        yibao([
            "tx",
            "make",
            "open_fund",
            "--author",
            "organisation:insurer",
            "--body",
            &body,
            "--chain",
            "vectors",
            "--valid-minutes",
            "5",
            "-o",
            output,
        ])
    };
    let made = make(tx).ok();
    let id = made.split_whitespace().nth(1).expect("an id").to_owned();
    make(tx).fails(2, &["exists already", "name another with -o"]);
    assert!(yibao(["tx", "show", tx]).ok().contains("signed by        nobody yet"));
    for (key, party) in [(other, "organisation:bureau"), (key, "organisation:insurer")] {
        let signed = yibao(["tx", "sign", tx, "--key", key, "--party", party]).ok();
        assert!(
            signed.contains(&format!("{party} signed `open_fund`, transaction {id}")),
            "{signed}"
        );
    }
    let shown = yibao(["tx", "show", tx]).ok();
    for words in [
        "  kind             open_fund",
        &format!("  transaction      {id}"),
        "  ledger           vectors",
        "  author           organisation:insurer",
        "  signed by        organisation:bureau with sm2:",
        "  signed by        organisation:insurer with ed25519:",
        "\"purpose\": \"commercial_supplement\"",
    ] {
        assert!(shown.contains(words), "`{words}` is not in: {shown}");
    }
    // The same file is what a gateway takes: content in hex and signatures, nothing else.
    let text = std::fs::read_to_string(tx).expect("the file");
    let form: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(form.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(form["authorisations"].as_array().map(Vec::len), Some(2));
    // A signature that was changed is found.
    let signature = form["authorisations"][1]["signature"]["bytes"].as_str().expect("hex");
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    let changed = text.replace(signature, &format!("{flipped}{}", &signature[1..]));
    let changed = files.write("changed.json", &changed);
    let run = yibao(["tx", "show", &changed]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("NOT VALID        organisation:insurer"), "{}", run.out);
    yibao(["tx", "send", &changed, "--url", "http://localhost:1", "--key", key])
        .fails(2, &["signature of `organisation:insurer`", "sign it with"]);
}

#[test]
fn what_is_wrong_with_a_transaction_is_said() {
    let files = Files::new();
    let make = |body: &str| {
        let body = files.write("body.json", body);
        yibao([
            "tx",
            "make",
            "open_fund",
            "--author",
            "organisation:insurer",
            "--body",
            &body,
            "--chain",
            "c",
        ])
    };
    assert!(make(OPEN_FUND).ok().contains("\"content\""), "without -o it is printed");
    make(&OPEN_FUND.replace("\"floor\": \"0\"", "\"floor\": 0.5"))
        .fails(2, &["`floor`", "yibao tx schema open_fund"]);
    make(&OPEN_FUND.replace("commercial_supplement", "uncle"))
        .fails(2, &["`purpose`", "`uncle` is not known; write one of `pooled_fund`"]);
    make("{").fails(2, &["the body", "this is not JSON"]);
    let file = files.write("tx.json", "{\"content\":\"00\",\"authorisations\":[]}");
    yibao(["tx", "show", &file]).fails(2, &["`content`", "make it anew"]);
    let file = files.write("tx.json", "{\"content\":\"00\"}");
    yibao(["tx", "show", &file]).fails(2, &["missing field `authorisations`"]);
}
