//! `yibao verify voucher` and `yibao voucher export`; chains are verified in `serve`.

use crate::kit::{Files, yibao};
use crate::support::{read, root};

const VOUCHER: &str = "vectors/voucher/open.tlog-proof";
const POLICY: &str = "vectors/voucher/policy.txt";

#[test]
fn a_voucher_is_verified_and_read() {
    let said = yibao(["verify", "voucher", VOUCHER, "--trust", POLICY]).ok();
    for words in [
        "the voucher is valid",
        "  ledger       vectors",
        "  kind         contribute",
        "accepted",
        "  log          yibao.example/vectors, receipt 3 of 6",
        "amount                 1.03 CNY",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let closed =
        yibao(["verify", "voucher", "vectors/voucher/closed.tlog-proof", "--trust", POLICY]).ok();
    assert!(
        closed.contains("(1 more facts are not shown)") && !closed.contains("1.03"),
        "{closed}"
    );
}

#[test]
fn a_voucher_of_another_log_or_a_changed_one_is_not_valid() {
    let other = "vectors/voucher/other-policy.txt";
    yibao(["verify", "voucher", VOUCHER, "--trust", other]).fails(1, &["NOT valid"]);
    let files = Files::new();
    let text = read(VOUCHER);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.last().expect("a signature line");
    let changed_last = last.replace(&last[last.len() - 6..last.len() - 4], "AA");
    let changed = files.write("changed", &text.replace(last, &changed_last));
    let run = yibao(["verify", "voucher", &changed, "--trust", POLICY]);
    run.fails(1, &["NOT valid"]);
    // A changed receipt no longer stands where the proof says.
    let extra = lines.iter().find(|line| line.starts_with("extra ")).expect("an extra line");
    let middle = extra.len() / 2;
    let digit = if extra.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let forged = format!("{}{digit}{}", &extra[..middle], &extra[middle + 1..]);
    let forged = files.write("forged", &text.replace(extra, &forged));
    yibao(["verify", "voucher", &forged, "--trust", POLICY]).fails(1, &["NOT valid"]);
    // Nor does one that is said to stand elsewhere.
    let moved = text.replace("\nindex 3\n", "\nindex 2\n");
    assert_ne!(moved, text);
    let moved = files.write("moved", &moved);
    yibao(["verify", "voucher", &moved, "--trust", POLICY]).fails(1, &["NOT valid"]);
    // What is cut off is no voucher.
    let cut = files.write("cut", &text[..text.len() / 3]);
    yibao(["verify", "voucher", &cut, "--trust", POLICY]).fails(2, &["the voucher `"]);
}

#[test]
fn what_is_no_voucher_or_no_policy_is_said() {
    yibao(["verify", "voucher", "README.md", "--trust", POLICY])
        .fails(2, &["the voucher `README.md`"]);
    yibao(["verify", "voucher", VOUCHER, "--trust", "README.md"])
        .fails(2, &["the policy `README.md`", "line ", "write `log`"]);
    yibao(["verify", "voucher", "nowhere", "--trust", POLICY]).fails(2, &["does not exist"]);
    yibao(["verify", "chain", "docs"])
        .fails(2, &["`docs` holds no ledger", "data folder of a node"]);
}

#[test]
fn the_parts_of_a_voucher_are_those_that_other_verifiers_want() {
    let files = Files::new();
    let dir = files.at("parts");
    let dir = dir.to_str().expect("UTF-8");
    yibao(["voucher", "export", VOUCHER, dir, "--trust", POLICY]).ok();
    let part = |name: &str| std::fs::read(files.at("parts").join(name)).expect("a part");
    assert_eq!(part("policy.txt"), read(POLICY).into_bytes());
    let proof = String::from_utf8(part("record.tlog-proof")).expect("text");
    assert!(
        proof.starts_with("c2sp.org/tlog-proof@v1\n") && !proof.contains("\nextra "),
        "{proof}"
    );
    // The leaf is the voucher's own, as its committed reading says.
    let expected: serde_json::Value =
        serde_json::from_str(&read("vectors/voucher/expected.json")).expect("JSON");
    assert_eq!(expected[0]["says"]["leaf"], hex::encode(part("record.bin")));
    let under_a_file = root().join("README.md/parts");
    let under_a_file = under_a_file.to_str().expect("UTF-8");
    yibao(["voucher", "export", VOUCHER, under_a_file, "--trust", POLICY])
        .fails(2, &["cannot be written"]);
    // Parts are not replaced unasked, and a policy is needed.
    let export = ["voucher", "export", VOUCHER, dir, "--trust", POLICY];
    yibao(export).fails(2, &["record.bin` exists already", "--force"]);
    yibao(export.into_iter().chain(["--force"])).ok();
    let elsewhere = files.at("elsewhere");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    let copied = files.write("bare.tlog-proof", &read(VOUCHER));
    yibao(["voucher", "export", &copied, elsewhere])
        .fails(2, &["no `", "trust-policy.txt` beside the voucher", "--trust"]);
    files.write("trust-policy.txt", &read(POLICY));
    let said = yibao(["voucher", "export", &copied, elsewhere]).ok();
    assert!(said.contains("policy.txt from `"), "{said}");
}
