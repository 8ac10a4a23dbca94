//! Whatever is wrong with what is handed in: one line that names file, field and remedy, exit code
//! 2, nothing on the standard output.

use crate::kit::{Files, Run, yibao};
use crate::support::read;

const PLAN: &str = "plans/lanzhou-employee/2026-01-01.toml";
const BILL: &str = "samples/bill-outpatient.json";
const PERSON: &str = "samples/person-retired.json";

fn quote(plan: &str, bill: &str, person: &str) -> Run {
    let catalogue = "plans/lanzhou-employee/catalogue.toml";
    yibao(["quote", "--plan", plan, "--bill", bill, "--person", person, "--catalogue", catalogue])
}

#[track_caller]
fn refused(run: &Run, words: &[&str]) {
    run.fails(2, words);
    assert_eq!(run.out, "", "nothing is answered");
}

/// A bill or person in which `from` is replaced by `to`.
fn changed(files: &Files, path: &str, from: &str, to: &str) -> String {
    let text = read(path);
    assert!(text.contains(from), "{path} has no `{from}`");
    files.write("changed.file", &text.replacen(from, to, 1))
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let files = Files::new();
    refused(
        &quote(PLAN, "no.json", PERSON),
        &["the bill `no.json` does not exist", "check the path"],
    );
    refused(&quote("no.toml", BILL, PERSON), &["the plan `no.toml` does not exist"]);
    refused(&quote(PLAN, BILL, "samples"), &["the person `samples` is a folder"]);
    let binary = files.at("binary.json");
    std::fs::write(&binary, b"{\n\xff\xfe}").expect("a file");
    refused(
        &quote(PLAN, binary.to_str().expect("UTF-8"), PERSON),
        &["binary.json`, line 2", "not UTF-8", "save it as UTF-8"],
    );
    let catalogue =
        ["quote", "--plan", "plans/partial-three-levels/2020-01-01.toml", "--bill", BILL];
    refused(&yibao(catalogue), &["there is no catalogue", "name one with --catalogue FILE"]);
}

#[test]
fn a_bill_says_what_is_wrong_with_which_line() {
    let files = Files::new();
    for (from, to, words) in [
        (
            "\"lines\": [",
            "\"lines\": [,",
            &["line 3, column", "this is not JSON", "mend the file"][..],
        ),
        (
            "\"amount\": \"20.00\"",
            "\"amount\": 20.00",
            &["line 5", "`lines[1].amount`", "written as text"],
        ),
        (
            "\"amount\": \"1.00\"",
            "\"amount\": \"1.005\"",
            &["line 1, `amount`", "at most 2 digits"],
        ),
        ("\"amount\": \"1.00\"", "\"amount\": \"-1\"", &["line 1, `amount`"]),
        (
            "\"unit_price\": \"31.50\"",
            "\"unit_price\": \"30\"",
            &["line 3: `amount` is 63.00", "60.00"],
        ),
        ("\"line_no\": 2", "\"line_no\": 1", &["line 1 is there twice"]),
        ("2026-03-02", "2026-02-30", &["`lines[0].service_date`"]),
        ("2026-03-02", "2027-03-02", &["no plan given holds on 2027-03-02", "--plan"]),
        (
            "\"item_code\": \"GH001\"",
            "\"item\": \"GH001\"",
            &["`lines[0].item`", "unknown field `item`"],
        ),
        ("\"CNY\"", "\"USD\"", &["`currency` is USD, the plan's is CNY"]),
        ("\"CNY\"", "\"XXX\"", &["`currency`", "XXX"]),
        (
            "\"amount\": \"1.00\" }",
            "\"amount\": \"1.00\", \"category\": \"surgeon\" }",
            &["`lines[0].category`", "`surgeon` is not known; write one of"],
        ),
        (
            "\"amount\": \"1.00\" }",
            "\"amount\": \"1.00\", \"slot\": 3 }",
            &["line 1: `slot` names slot 3", "leave it out"],
        ),
    ] {
        let bill = changed(&files, BILL, from, to);
        let run = quote(PLAN, &bill, PERSON);
        let mut words = words.to_vec();
        words.push("the bill `");
        refused(&run, &words);
    }
    let empty = files.write("empty.json", "{\"currency\":\"CNY\",\"lines\":[]}");
    refused(&quote(PLAN, &empty, PERSON), &["the bill has no lines; add at least one"]);
}

#[test]
fn a_person_says_what_is_wrong_with_which_field() {
    let files = Files::new();
    for (from, to, words) in [
        (
            "\"tertiary_a\"",
            "\"royal\"",
            &["`facts.hospital_level`", "`royal` is not", "write one of"][..],
        ),
        ("\"outpatient\"", "\"visiting\"", &["`facts.visit_type`", "`visiting` is not"]),
        ("\"120.00\"", "120.00", &["`facts.personal_account`", "written as text"]),
        ("\"age\": 67", "\"age\": 670", &["`facts.age`"]),
        (
            "\"age\": 67",
            "\"age\": 67, \"income_class\": \"rich\"",
            &["`facts`: `income_class` `rich` is not"],
        ),
        ("outpatient_deductible_met", "deductible", &["there is no accumulator `deductible`"]),
        ("\"period\": \"2026\"", "\"period\": \"2026-03\"", &["`period` of accumulator"]),
        ("\"facts\"", "\"fact\"", &["unknown field `fact`"]),
        (
            "\"outpatient\"",
            "\"preventive\", \"slots\": [{ \"slot\": 1, \"group\": \"none\" }]",
            &["`slot group` `none`"],
        ),
    ] {
        let person = changed(&files, PERSON, from, to);
        let mut words = words.to_vec();
        words.push("the person `");
        refused(&quote(PLAN, BILL, &person), &words);
    }
}

#[test]
fn a_plan_says_what_is_wrong_in_which_step() {
    let files = Files::new();
    for (from, to, words) in [
        ("[[step]]", "[[step]", &["line ", "this is not TOML", "mend the file"][..]),
        (
            "kind = \"benefit\"",
            "kind = \"gift\"",
            &["step `", "`gift` is not a kind of step; use one of"],
        ),
        ("payer = \"pooled_fund\"", "payer = \"uncle\"", &["`uncle` is not known; write one of"]),
        (
            "region = 620100",
            "region = 620100\ncolour = \"red\"",
            &["`plan.colour`", "unknown field `colour`"],
        ),
    ] {
        let plan = changed(&files, PLAN, from, to);
        let mut words = words.to_vec();
        words.push("the plan `");
        refused(&quote(&plan, BILL, PERSON), &words);
    }
}

/// A whole plan of one step and one example.
const SMALL: &str = r#"
[plan]
id = "small"
name = { en = "small" }
region = 999900
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01" }
visit_types = ["outpatient"]
[[step]]
id = "pool"
kind = "benefit"
payer = "pooled_fund"
rates = [{ rate = "50%" }]
words = { en = "half" }
source = "a test"
[[example]]
id = "half"
[[example.visit]]
date = "2026-03-01"
facts = { visit_type = "outpatient" }
row = [{ in_policy = "100" }]
expect = { payers = { pooled_fund = "50" } }
"#;

#[test]
fn a_plan_whose_example_does_not_come_out_does_not_load() {
    let files = Files::new();
    let person = files.write("person.json", "{\"facts\":{\"visit_type\":\"outpatient\"}}");
    let with = |plan: &str| quote(&files.write("plan.toml", plan), BILL, &person);
    with(SMALL).ok();
    refused(
        &with(&SMALL.replace("pooled_fund = \"50\"", "pooled_fund = \"51\"")),
        &[
            "the plan `",
            "example `half`",
            "`payers.pooled_fund` is 50.00 CNY, expected 51.00 CNY",
            "step `pool`",
        ],
    );
    refused(
        &with(&SMALL.replace("\"100\"", "100.5")),
        &["`example[0].visit[0].row[0].in_policy`", "text"],
    );
    refused(&with(&SMALL.replace("words = { en = \"half\" }", "")), &["step `pool`", "`words`"]);
    refused(&with(&SMALL.replace("\"50%\"", "\"150%\"")), &["rate"]);
    let twice = files.write("twice.toml", SMALL);
    let run =
        yibao(["quote", "--plan", &twice, "--plan", &twice, "--bill", BILL, "--person", &person]);
    refused(&run, &["hold on the same days", "one plan for each day"]);
}

#[test]
fn plans_of_different_schemes_do_not_make_one_stay() {
    let run = yibao([
        "quote",
        "--plan",
        "plans/lanzhou-resident/2025-01-01.toml",
        "--plan",
        PLAN,
        "--bill",
        BILL,
    ]);
    refused(&run, &["differ in `currency`, `region` or `scheme`"]);
}

#[test]
fn arguments_that_nobody_knows_are_refused_with_the_usage() {
    for (arguments, words) in [
        (&["quote", "--bill", BILL][..], &["--plan"][..]),
        (
            &["quote", "--plan", PLAN, "--bill", BILL, "--lang", "fr"],
            &["use zh-Hans, zh-Hant, en or de"],
        ),
        (&["keys", "new", "--scheme", "rsa", "x"], &["use ed25519, p256 or sm2"]),
        (&["serve", "--data", "x", "--listen", "8420"], &["such as 127.0.0.1:8420"]),
        (
            &["tx", "make", "open_fund", "--author", "me", "--body", "x", "--chain", "c"],
            &["organisation:CODE"],
        ),
        (
            &[
                "tx",
                "make",
                "k",
                "--author",
                "organisation:a",
                "--body",
                "x",
                "--chain",
                "c",
                "--valid-minutes",
                "99999",
            ],
            &["10080"],
        ),
        (&["frobnicate"], &["frobnicate"]),
    ] {
        refused(&yibao(arguments), words);
    }
}

#[test]
fn an_error_begins_in_the_readers_language_and_names_the_option() {
    for (language, words) in [
        ("zh-Hans", "找不到账单文件，请检查 --bill 的路径。"),
        ("zh-Hant", "找不到帳單檔案，請檢查 --bill 的路徑。"),
        ("de", "Die Datei der Rechnung ist nicht da; prüfen Sie den Pfad hinter --bill."),
        ("en", "the bill `no.json` does not exist; check the path"),
    ] {
        let run = yibao(["quote", "--plan", PLAN, "--bill", "no.json", "--lang", language]);
        refused(&run, &[words, "`no.json`"]);
    }
}

#[test]
fn facts_that_contradict_each_other_are_refused() {
    let files = Files::new();
    for (to, words) in [
        ("\"age\": 200", "`age` says 200 years"),
        ("\"age\": 67, \"filing\": \"unfiled\"", "no filing is needed"),
    ] {
        let person = changed(&files, PERSON, "\"age\": 67", to);
        refused(&quote(PLAN, BILL, &person), &["the person `", words]);
    }
}
