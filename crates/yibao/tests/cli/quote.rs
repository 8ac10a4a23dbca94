//! `yibao quote`.

use serde_json::Value;

use crate::kit::{Files, Run, command, yibao};
use crate::support::read;

const PLAN: &str = "plans/lanzhou-employee/2026-01-01.toml";
const LAST_YEAR: &str = "plans/lanzhou-employee/2025-01-01.toml";
const BILL: &str = "samples/bill-outpatient.json";
const PERSON: &str = "samples/person-retired.json";

fn quote(more: &[&str]) -> Run {
    let mut arguments = vec!["quote"];
    arguments.extend(more);
    yibao(arguments)
}

#[test]
fn a_reader_that_stops_reading_ends_the_program_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let run = command().args(["quote", "--plan", PLAN, "--bill", BILL]).stdout(writer).output();
    let run: Run = run.expect("the binary runs").into();
    assert_eq!((run.code, run.err.contains("panicked")), (141, false), "{}", run.err);
}

#[test]
fn the_first_line_is_one_plain_sentence_and_the_table_adds_up() {
    let text = quote(&["--plan", PLAN, "--bill", BILL, "--person", PERSON]).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "You pay 109.68 yuan in cash for this bill of 345.00 yuan; accounts pay 120.00 yuan, and \
         115.32 yuan is covered."
    );
    for part in [
        "  115.32 yuan  Basic medical insurance",
        "  120.00 yuan  Personal account",
        "  109.68 yuan  Cash",
        "  345.00 yuan  Total of the bill",
        "   50.00 yuan    Of that, deductible",
        "1. Outpatient pool",
        "of which 150.00 yuan was met before; 50.00 yuan of it is taken now.",
        "60% of 192.20 yuan is 115.32 yuan.",
        "[lanzhou-employee-2026 / outpatient_pool]",
        "    3  2026-03-02  阿托伐他汀钙片 20mg×28片",
        "All 88.00 yuan is yours to pay: the catalogue does not cover this item (class C).",
    ] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn every_language_says_the_same_numbers() {
    for (language, first) in [
        ("zh-Hans", "本次费用345.00元"),
        ("zh-TW", "本次費用345.00元"),
        ("de", "Sie zahlen 109,68 Yuan bar"),
        ("en", "You pay 109.68 yuan"),
    ] {
        let run =
            quote(&["--plan", PLAN, "--bill", BILL, "--person", PERSON, "--lang", language]).ok();
        assert!(run.starts_with(first), "{language}: {run}");
        assert!(!run.contains('{'), "an open place: {run}");
    }
}

#[test]
fn json_is_stable_and_can_go_into_the_next_quote() {
    let text = quote(&["--plan", PLAN, "--bill", BILL, "--person", PERSON, "--json"]).ok();
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let members: Vec<&str> =
        answer.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = [
        "format",
        "currency",
        "plans",
        "catalogue",
        "facts",
        "are_facts_assumed",
        "totals",
        "parts",
        "lines",
        "accumulators",
        "explanation",
    ];
    expected.sort_unstable();
    let mut sorted = members.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(answer["format"], "yibao quote 1");
    assert_eq!(answer["totals"]["cash"], "10968");
    assert_eq!(answer["totals"]["payers"]["pooled_fund"], "11532");
    assert_eq!(answer["lines"].as_array().map(Vec::len), Some(7));
    let mut person: Value = serde_json::from_str(&read(PERSON)).expect("JSON");
    person["accumulators"] = answer["accumulators"].clone();
    let files = Files::new();
    let person = files.write("person.json", &person.to_string());
    let again = quote(&["--plan", PLAN, "--bill", BILL, "--person", &person, "--json"]).ok();
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["totals"]["deductible"], "0", "the deductible is met by the first bill");
}

#[test]
fn a_stay_over_new_year_falls_under_two_plans() {
    let text = quote(&[
        "--plan",
        LAST_YEAR,
        "--plan",
        PLAN,
        "--bill",
        "samples/bill-stay.json",
        "--person",
        "samples/person-stay.json",
    ])
    .ok();
    assert!(text.starts_with("You pay 3,241.07 yuan of this bill of 8,791.00 yuan"), "{text}");
    assert!(text.contains("[lanzhou-employee-2025 / inpatient_pool]"));
    assert!(text.contains("[lanzhou-employee-2026 / inpatient_pool]"));
}

#[test]
fn without_a_person_what_is_assumed_is_said() {
    let text = quote(&["--plan", PLAN, "--bill", BILL]).ok();
    let second = text.lines().nth(1).expect("a second line");
    assert!(
        second.contains("visit type outpatient care") && second.contains("--person"),
        "{second}"
    );
}

#[test]
fn another_catalogue_may_be_named() {
    let files = Files::new();
    let all = "[catalogue]\nid = \"all\"\nregion = 620100\ncurrency = \"CNY\"\nunlisted = \"A\"\n";
    let catalogue = files.write("all.toml", all);
    let text =
        quote(&["--plan", PLAN, "--bill", BILL, "--person", PERSON, "--catalogue", &catalogue])
            .ok();
    assert!(text.contains("  345.00 yuan  Counts towards benefits"), "{text}");
}

#[test]
fn names_in_a_bill_cannot_steer_the_terminal() {
    let files = Files::new();
    let bill = read(BILL).replace("挂号费", "\\u001b[2J\\u0007\\u202efee");
    let bill = files.write("bill.json", &bill);
    let text = quote(&["--plan", PLAN, "--bill", &bill, "--person", PERSON]).ok();
    assert!(!text.contains('\u{202e}'));
    assert!(text.contains("[2Jfee") && !text.contains('\u{1b}') && !text.contains('\u{7}'));
}

#[test]
fn a_folder_of_plans_is_checked_by_its_own_examples_and_cases() {
    let text = quote(&["--cases", "plans/lanzhou-employee"]).ok();
    assert!(
        text.contains("plans/lanzhou-employee/cases/lz-der-01.toml: visit 1: step `"),
        "{text}"
    );
    assert!(
        text.contains("tier 1: 55% of 800.00 is 440.00") && text.contains(", 0 failed"),
        "{text}"
    );
    let files = Files::new();
    std::fs::create_dir(files.at("cases")).expect("a folder");
    let case = read("plans/lanzhou-employee/cases/lz-der-01.toml");
    files.write("2026-01-01.toml", &read(PLAN));
    files.write("cases/wrong.toml", &case.replace("440.00", "441.00"));
    let folder = files.at("");
    let run = quote(&["--cases", folder.to_str().expect("UTF-8")]);
    assert_eq!(run.code, 1, "{}", run.err);
    let told = "`payers.pooled_fund` is 440.00 CNY, expected 441.00 CNY";
    assert!(run.out.contains(told) && run.out.contains("1 failed"), "{}", run.out);
    let empty = quote(&["--cases", "samples"]);
    empty.fails(2, &["the folder `samples` has no plan"]);
}
