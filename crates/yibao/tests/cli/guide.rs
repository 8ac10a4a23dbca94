//! The commands of the guide to the API, run as they stand there against a small demonstration.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::kit::{Files, Run, yibao};
use crate::serve::{Served, text};
use crate::support::read;

/// The commands of a guide, in their order.
pub fn commands(guide: &str) -> String {
    let blocks = guide.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// Runs the commands of a guide as they stand there, in the folder beside the demonstration's and
/// against the served one.
pub fn followed(guide: &str, files: &Files, served: &Served) -> Run {
    let script = files.write("guide.sh", &commands(&read(guide)));
    let program = Path::new(env!("CARGO_BIN_EXE_yibao"));
    let folder = program.parent().expect("a program lies in a folder");
    let path = std::env::var("PATH").expect("a path");
    let run = Command::new("bash")
        .args(["-euo", "pipefail", &script])
        .current_dir(files.at(""))
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("URL", served.url())
        .output();
    run.expect("bash is there").into()
}

#[test]
fn a_visit_goes_from_check_in_to_voucher_by_the_commands_of_the_guide() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    yibao(["demo", "--once", "--people", "60", "--data", text(&data)]).ok();
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/guide/api.md", &files, &served);
    let refusal = run.err.contains("the gateway does not answer this");
    let said = run.ok();
    assert!(refusal, "the clinic is refused the person's account");
    for words in [
        "\"chain_id\": \"yibao-demo\"",
        "visit_opened",
        "\"personal_account\": \"",
        "  kind         settle_visit",
        "facts are not shown)",
        "the chain is whole",
        "2 from elsewhere, all of them in this chain",
        "under the trusted checkpoint NOT checked",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    assert_eq!(said.matches("the voucher is valid").count(), 3, "{said}");
    let parts = files.at("parts");
    assert!(parts.join("policy.txt").exists() && parts.join("record.tlog-proof").exists());
    let quote = fs::read_to_string(files.at("quote.json")).expect("a quote");
    assert!(quote.contains("\"explanation\""), "{quote}");
    crate::his::a_day_that_lost_its_answers_goes_on_and_nothing_happens_twice(&data, &served);
    served.stop("-TERM");
    crate::his::a_platform_that_is_killed_in_the_middle_of_a_day_loses_and_doubles_nothing(&data);
    crate::edge::the_cable_is_pulled_and_nothing_is_lost_or_doubled(&files, &data);
    let served = Served::start(&data, "yibao-demo");
    a_hospitals_system_settles_a_visit(&files, &served);
    served.stop("-TERM");
}

/// After the visit of the other guide, to save a demonstration.
fn a_hospitals_system_settles_a_visit(files: &Files, served: &Served) {
    let run = followed("docs/guide/hospital-it.md", files, served);
    let said = run.ok();
    for words in [
        "the book comes to zero against the platform",
        "\"sign_no\"",
        "\"psn_insu_stas\":\"1\"",
        "\"chrgitm_lv\"",
        "\"setl_proc_info\"",
        "\"medfee_sumamt\":\"-19.60\"",
        "the same bytes",
        "\"ordStas\":\"0\"",
        "\"ordStas\":\"12\"",
        "\"data_cnt\":",
        "\"recordCounts\":",
        "\"stmt_rslt\"",
        "\"dld_endtime\"",
        "x-ca-signature",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let result = fs::read(files.at("result.zip")).expect("the file of differences");
    assert!(result.starts_with(b"PK"), "{}", String::from_utf8_lossy(&result));
}

#[test]
fn relatives_bind_unbind_and_help_by_the_commands_of_the_guide() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    let demo = yibao(["demo", "--once", "--people", "100", "--data", text(&data)]).ok();
    assert!(demo.contains("accounts help one"), "{demo}");
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/guide/family.md", &files, &served);
    assert!(run.err.contains("not_yours") || run.err.contains("not yours"), "{}", run.err);
    let said = run.ok();
    for words in [
        "\"members_per_payer_per_month_max\": 5",
        "\"accounts_per_bill_max\": 3",
        "\"ground\": \"own_key\"",
        "member_unbound",
        "\"was_bound\": 2",
        "\"ground\": \"desk\"",
        "aid_revoked",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    served.stop("-TERM");
}

#[test]
fn a_premium_is_locked_released_and_told_to_whom_it_concerns_by_the_commands_of_the_guide() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    let demo = yibao(["demo", "--once", "--people", "60", "--data", text(&data)]).ok();
    assert!(demo.contains("premiums for "), "{demo}");
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/guide/premiums.md", &files, &served);
    assert!(run.err.contains("premium_locked") || run.err.contains("until"), "{}", run.err);
    let said = run.ok();
    for words in [
        "\"lock_minutes\": 20",
        "\"standing\": \"locked\"",
        "\"payable\": true",
        "premium_released",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    served.stop("-TERM");
}

#[test]
fn providers_are_paid_and_a_day_is_closed_by_the_commands_of_the_guide() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    yibao(["demo", "--once", "--people", "100", "--data", text(&data)]).ok();
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/guide/clearing.md", &files, &served);
    assert!(run.err.contains("payout_not_the_approver"), "{}", run.err);
    let said = run.ok();
    for words in [
        "hospital-1: 20",
        "owed from the month before",
        "held back in 20",
        "batch 1 of 620100, to be paid on 20",
        "approved; write the bank's file",
        "3 payments of ",
        "sandbox bank (a simulator): `bank/camt.054.xml`",
        "refused: AC04",
        "came back on 20",
        "`bank/pain.002.xml`: 1 lines are new, 2 known, 0 differ",
        "`bank/camt.053.xml`: 3 lines are new, 0 known, 0 differ",
        "`bank/camt.053.xml`: 0 lines are new, 3 known, 0 differ",
        "`bank/camt.054.xml`: 0 lines are new, 1 known, 0 differ",
        "no difference: bank, ledger and 1 books agree line by line",
        "is closed as a day without differences",
        "GAS-BILL",
        "bureau clears it by 20",
        "is closed with 3 suspense items",
        "\"resolution\": \"not_ours\"",
        "\"is_even\": false",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let order = fs::read_to_string(files.at("order.xml")).expect("an order");
    assert!(
        order.contains("Hospital &amp; Söhne") && order.contains("6200000000000003"),
        "{order}"
    );
    served.stop("-TERM");
    let chain = yibao(["verify", "chain", text(&data)]).ok();
    assert!(chain.contains("the chain is whole"), "{chain}");
}

#[test]
fn what_regions_owe_each_other_is_stated_answered_and_paid_by_the_commands_of_the_guide() {
    let files = Files::new();
    let data = files.at("yibao-demo");
    let demo = yibao(["demo", "--once", "--people", "60", "--data", text(&data)]).ok();
    assert!(demo.contains("items between the made-up region and its neighbour"), "{demo}");
    let served = Served::start(&data, "yibao-demo");
    let run = followed("docs/guide/elsewhere.md", &files, &served);
    for code in ["not_yours", "interregion_statement_answered_already"] {
        assert!(run.err.contains(code), "{}", run.err);
    }
    let said = run.ok();
    for words in [
        "answered within 20 days, paid within 30 days",
        "waits for its answer",
        "bureau owes neighbour",
        "the items come to the statement's sums and its hash",
        "answered by bureau",
        "ended; the item's money goes into the next statement",
        "YB620100-1-0            neighbour",
        "1 lines recorded",
        "confirmed; now",
        "not agreed to yet                       0.01",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    served.stop("-TERM");
}
