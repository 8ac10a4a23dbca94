//! Explanations: complete in every language, the plain sentence with the number first, the law
//! after it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{
    AdjudicatedPart, ExplainedPart, Explanation, Messages, explain, run_case, sort_lines,
    source::PlanSource,
};
use std::path::Path;

const LANGUAGES: [&str; 4] = ["zh-Hans", "zh-Hant", "en", "de"];

fn messages(language: &str) -> Messages {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../locales")
        .join(language)
        .join("benefit.toml");
    Messages::new(toml::from_str(&common::read(&path)).unwrap()).unwrap()
}

/// Explains the last visit of a case of the crate's own plans.
fn explained(folder: &str, case: &str, language: &str) -> Explanation {
    let folder = common::own_plans().join(folder);
    let case = common::case(&folder.join("cases").join(case));
    let loaded: Vec<_> =
        case.case.plans.iter().map(|plan| common::load_file(&folder.join(plan))).collect();
    let plans: Vec<_> = loaded.iter().map(|(source, plan)| (source, plan)).collect();
    let catalogue = case.case.catalogue.as_ref().map(|name| common::catalogue(&folder.join(name)));
    let visits = run_case(&case, &plans, catalogue.as_ref()).unwrap();
    let parts: &[AdjudicatedPart] = visits.last().unwrap();
    let explained: Vec<ExplainedPart<'_>> = parts
        .iter()
        .map(|part| {
            let (source, plan) = plans[usize::from(part.plan)];
            ExplainedPart { source, plan, adjudication: &part.adjudication }
        })
        .collect();
    explain(&explained, &[], &messages(language))
}

#[test]
fn every_language_has_every_message_and_its_own_tag() {
    for language in LANGUAGES {
        assert_eq!(messages(language).language(), language);
    }
}

#[test]
fn a_missing_an_unknown_and_an_unfillable_message_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales/en/benefit.toml");
    let text = common::read(&path);
    let error = |text: &str| Messages::new(toml::from_str(text).unwrap()).unwrap_err().to_string();
    assert_eq!(error(&text.replace("tier = ", "tierX = ")), "`step.tier` is missing");
    let unknown = text.replace("[line]", "[line]\nnews = \"x\"");
    assert_eq!(error(&unknown), "`line.news` is not used");
    let unfillable = text.replace("is {benefit}.", "is {money}.");
    assert_eq!(error(&unfillable), "`step.tier`: nothing fills `{money}`");
}

#[test]
fn the_first_line_is_one_plain_sentence_with_the_number() {
    for (language, headline) in [
        ("en", "You pay 14,331.00 yuan of this bill of 50,000.00 yuan; 35,669.00 yuan is covered."),
        (
            "de",
            "Sie zahlen 14.331,00 Yuan von dieser Rechnung über 50.000,00 Yuan; gedeckt sind 35.669,00 Yuan.",
        ),
        ("zh-Hans", "本次费用50,000.00元，您付现金14,331.00元，各方支付35,669.00元。"),
        (
            "zh-Hant",
            "本次費用50,000.00元人民幣，您付現金14,331.00元人民幣，各方支付35,669.00元人民幣。",
        ),
    ] {
        assert_eq!(explained("china-small", "lz-der-06.toml", language).headline, headline);
    }
}

#[test]
fn each_step_says_what_it_did_before_it_quotes_the_law() {
    let text = explained("china-small", "lz-der-06.toml", "en").to_string();
    let in_order = [
        "You pay 14,331.00 yuan",
        "1. Basic medical insurance",
        "This rule looks at 45,000.00 yuan.",
        "The deductible for one insurance year is 1,400.00 yuan, of which 0.00 yuan was met before; 1,400.00 yuan of it is taken now.",
        "65% of 43,600.00 yuan is 28,340.00 yuan.",
        "Basic medical insurance pays 28,340.00 yuan; 16,660.00 yuan is left.",
        "> 起付标准以上按比例支付 — the cases name their sources [pool]",
        "2. Critical-illness insurance",
        "60% of 5,000.00 yuan is 3,000.00 yuan.",
        "65% of 6,660.00 yuan is 4,329.00 yuan.",
    ];
    let mut rest = text.as_str();
    for part in in_order {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("`{part}` not in {text}"));
        rest = after;
    }
}

#[test]
fn before_and_after_of_each_step_are_its_numbers() {
    let explanation = explained("china-small", "lz-der-06.toml", "de");
    let steps: Vec<(&str, u64, u64)> = explanation
        .steps
        .iter()
        .map(|step| (step.rule.as_str(), step.before.minor(), step.after.minor()))
        .collect();
    assert_eq!(steps, [("pool", 4_500_000, 1_666_000), ("critical_illness", 1_666_000, 933_100)]);
    let json = serde_json::to_string(&explanation).unwrap();
    assert_eq!(serde_json::from_str::<Explanation>(&json).unwrap(), explanation);
}

#[test]
fn no_place_stays_open_in_any_explanation() {
    for folder in common::folders(&common::own_plans()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        for case in common::files(&folder.join("cases"), "toml") {
            let file = case.file_name().unwrap().to_str().unwrap();
            if common::case(&case).visit.last().unwrap().expect.error.is_some() {
                continue;
            }
            for language in LANGUAGES {
                let text = explained(name, file, language).to_string();
                assert!(!text.contains(['{', '}']), "{name}/{file} in {language}: {text}");
            }
        }
    }
}

#[test]
fn every_line_says_why_it_was_sorted_so() {
    let folder = common::own_plans().join("china-small");
    let catalogue = common::catalogue(&folder.join("catalogue.toml"));
    let (source, plan): (PlanSource, _) = common::load_file(&folder.join("2026-01-01.toml"));
    let bill = serde_json::from_str(
        r#"{"currency":"CNY","lines":[
            {"line_no":1,"item_code":"B10C110","service_date":"2026-03-01","unit_price":"120","amount":"120"},
            {"line_no":2,"item_code":"nowhere","service_date":"2026-03-01","amount":"5"}]}"#,
    )
    .unwrap();
    let facts = benefit::VisitFacts {
        visit_type: benefit::VisitType::Outpatient,
        hospital_level: benefit::HospitalLevel::Tertiary,
        diagnosis_groups: Vec::new(),
        age: benefit::AgeBand::ANY,
        sex: benefit::Sex::Unstated,
    };
    let sorted = sort_lines(&catalogue, &bill, &facts).unwrap();
    let facts = benefit::Facts::new(facts.visit_type, facts.hospital_level);
    let adjudication =
        benefit::adjudicate(&plan, &sorted.sums, &facts, &benefit::Accumulators::new()).unwrap();
    let part = ExplainedPart { source: &source, plan: &plan, adjudication: &adjudication };
    let lines = explain(&[part], &sorted.lines, &messages("en")).lines;
    assert_eq!(
        lines[0].sentence,
        "Of 120.00 yuan, 10.00 yuan is above the price cap and 11.00 yuan is your first share (class B); 99.00 yuan counts towards benefits."
    );
    assert_eq!(
        lines[1].sentence,
        "All 5.00 yuan is yours to pay: the item is not in the catalogue."
    );
}
