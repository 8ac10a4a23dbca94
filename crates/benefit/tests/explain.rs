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
    Accumulators, Bill, Catalogue, ExplainedBill, ExplainedPart, Explanation, Facts, Messages,
    Plan, VisitFacts, adjudicate_stay, explain, read_person, sort_lines,
    source::{AccumulatorValue, CaseSource, FactsSource, PlanSource},
    split_stay, visit_facts,
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

/// Adjudicates sums under plans and explains them.
fn told(
    plans: &[(PlanSource, Plan)],
    sums: &benefit::CategorySums,
    (facts, accumulators): (&Facts, &Accumulators),
    bill: Option<&ExplainedBill<'_>>,
    language: &str,
) -> Explanation {
    let bare: Vec<&Plan> = plans.iter().map(|(_, plan)| plan).collect();
    let parts = adjudicate_stay(&bare, sums, facts, accumulators).unwrap();
    let cut = split_stay(&bare, sums).unwrap();
    let explained: Vec<ExplainedPart<'_>> = parts
        .iter()
        .zip(&cut)
        .map(|(part, cut)| {
            let (source, plan) = &plans[usize::from(part.plan)];
            let (from, _) = cut.sums.span().unwrap();
            ExplainedPart { source, plan, facts, from, adjudication: &part.adjudication }
        })
        .collect();
    explain(&explained, bill, &messages(language))
}

/// Explains the first visit of a case of a folder.
fn explained_case(folder: &Path, case: &CaseSource, language: &str) -> Explanation {
    let plans: Vec<_> =
        case.case.plans.iter().map(|plan| common::load_file(&folder.join(plan))).collect();
    let pairs: Vec<_> = plans.iter().map(|(source, plan)| (source, plan)).collect();
    let catalogue = case.case.catalogue.as_ref().map(|name| common::catalogue(&folder.join(name)));
    let visit = &case.visit[0];
    let sums = benefit::visit_sums(visit, &pairs, catalogue.as_ref()).unwrap();
    let (facts, accumulators) =
        read_person(&visit.facts, &case.accumulators, &pairs, &sums).unwrap();
    told(&plans, &sums, (&facts, &accumulators), None, language)
}

/// Explains the first visit of a case of the crate's own plans.
fn explained(folder: &str, case: &str, language: &str) -> Explanation {
    let folder = common::own_plans().join(folder);
    let case = common::case(&folder.join("cases").join(case));
    explained_case(&folder, &case, language)
}

/// Explains a bill by JSON for a person by TOML under a shipped plan.
fn quoted(plan: &str, bill: &str, person: &str, language: &str) -> Explanation {
    let plan = common::shipped_plans().join(plan);
    let (source, compiled) = common::load_file(&plan);
    let catalogue = common::catalogue(&common::catalogue_of(&plan, &source));
    quoted_with(vec![(source, compiled)], &catalogue, bill, person, language)
}

fn quoted_with(
    plans: Vec<(PlanSource, Plan)>,
    catalogue: &Catalogue,
    bill: &str,
    person: &str,
    language: &str,
) -> Explanation {
    #[derive(serde::Deserialize)]
    struct Person {
        facts: FactsSource,
        #[serde(default)]
        accumulators: Vec<AccumulatorValue>,
    }
    let bill: Bill = serde_json::from_str(bill).unwrap();
    let Person { facts, accumulators } = toml::from_str(person).unwrap();
    let visit: VisitFacts = visit_facts(&facts);
    let sorted = sort_lines(catalogue, &bill, &visit).unwrap();
    let pairs: Vec<_> = plans.iter().map(|(source, plan)| (source, plan)).collect();
    let (facts, accumulators) = read_person(&facts, &accumulators, &pairs, &sorted.sums).unwrap();
    let lines = ExplainedBill { catalogue, bill: &bill, facts: &visit, lines: &sorted.lines };
    told(&plans, &sorted.sums, (&facts, &accumulators), Some(&lines), language)
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
        ("zh-Hans", "本次费用50,000.00元，您付现金14,331.00元，医保等支付35,669.00元。"),
        ("zh-Hant", "本次費用50,000.00元，您付現金14,331.00元，醫保等支付35,669.00元。"),
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
        "60% of 5,000.00 yuan (between 0.00 yuan and 10,000.00 yuan) is 3,000.00 yuan.",
        "65% of 6,660.00 yuan (between 10,000.00 yuan and 20,000.00 yuan) is 4,329.00 yuan.",
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
            if common::case(&case).visit[0].expect.error.is_some() {
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
    let plan = common::load_file(&folder.join("2026-01-01.toml"));
    let bill = r#"{"currency":"CNY","lines":[
        {"line_no":1,"item_code":"B10C110","service_date":"2026-03-01","unit_price":"120","amount":"120"},
        {"line_no":2,"item_code":"nowhere","service_date":"2026-03-01","amount":"5"}]}"#;
    let person = "facts = { visit_type = \"outpatient\", hospital_level = \"tertiary\" }";
    let lines = quoted_with(vec![plan], &catalogue, bill, person, "en").lines;
    assert_eq!(
        lines[0].sentence,
        "Of 120.00 yuan, 10.00 yuan is above the price cap of 110.00 yuan each and 11.00 yuan is your first share (class B, 10%); 99.00 yuan counts towards benefits."
    );
    assert_eq!(
        lines[1].sentence,
        "All 5.00 yuan is yours to pay: the item is not in the catalogue."
    );
}

const EMPLOYEE: &str = "lanzhou-employee/2026-01-01.toml";

/// A bill of one line on a day.
fn one_line(item: &str, day: &str, amount: &str) -> String {
    format!(
        r#"{{"currency":"CNY","lines":[{{"line_no":1,"item_code":"{item}","service_date":"{day}","amount":"{amount}"}}]}}"#
    )
}

#[test]
fn money_that_met_no_rule_is_explained_by_the_closest_rules() {
    let bill = one_line("GH001", "2026-03-02", "1.00");
    for (person, rule, words) in [
        (
            r#"facts = { visit_type = "outpatient", hospital_level = "tertiary_a", place = "abroad" }"#,
            "outpatient_pool",
            "place of care: the insured place or elsewhere in the province or another province (here: abroad)",
        ),
        (
            r#"facts = { visit_type = "work_injury_outpatient", person_classes = ["active"] }"#,
            "work_injury_fund",
            "class of person: with a recognised work injury (here: employed)",
        ),
        (
            r#"facts = { visit_type = "preventive", hospital_level = "tertiary_a" }"#,
            "public_health",
            "level of the provider: primary or community (here: tertiary grade A)",
        ),
    ] {
        for language in LANGUAGES {
            let told = quoted(EMPLOYEE, &bill, person, language);
            assert!(told.steps.len() >= 2, "{language}: {told}");
            let near = told.steps.iter().find(|step| step.rule == rule).unwrap();
            assert!(!near.words.is_empty() && !near.source.is_empty());
            let named = near.sentences.join(" ");
            assert!(language != "en" || named.contains(words), "{named}");
        }
    }
}

#[test]
fn a_rate_that_no_table_lists_is_derived_change_by_change() {
    let bill = one_line("SS004", "2026-03-02", "5200.00");
    let person = r#"
accumulators = [{ id = "stays", value = "1" }]
facts = { visit_type = "inpatient", hospital_level = "tertiary_a", place = "elsewhere", filing = "referral", person_classes = ["retired"], age = 70 }
"#;
    let text = quoted(EMPLOYEE, &bill, person, "en").to_string();
    let mut rest = text.as_str();
    for part in [
        "The deductible of 1,000.00 yuan becomes 500.00 yuan: times 0.5, as this is visit no. 2.",
        "The rate of 85% becomes 88%: 3 points more (class of person: retired).",
        "The rate of 88% becomes 79.2%: times 0.9 (place of care: elsewhere in the province or another province; filing: referral or emergency).",
        "79.2% of ",
    ] {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("`{part}` not in {text}"));
        rest = after;
    }
}

#[test]
fn a_limit_that_grows_with_the_bill_says_by_how_much() {
    let folder = common::shipped_plans().join("japan-under-70");
    let case = common::case(&folder.join("cases/jp-kogaku-02.toml"));
    let text = explained_case(&folder, &case, "en").to_string();
    let derived =
        "The limit on what you bear of 252,600 yen becomes 253,638 yen: plus 1% of 103,760 yen.";
    assert!(text.contains(derived), "{text}");
    assert!(text.contains("Health insurance pays") && !text.contains("Basic medical"), "{text}");
}

/// A plan of one step for stays, with these fields.
fn small(step: &str) -> (PlanSource, Plan) {
    let text = format!(
        r#"
[plan]
id = "small"
name = {{ en = "small" }}
region = 999900
scheme = 310
currency = "CNY"
valid = {{ from = "2026-01-01" }}
visit_types = ["inpatient"]
[[step]]
id = "pool"
kind = "benefit"
payer = "pooled_fund"
words = {{ en = "a rule" }}
source = {{ en = "a notice", zh-Hans = "通知" }}
{step}
"#
    );
    common::load(&text).unwrap()
}

const OPEN: &str = "[catalogue]\nid = \"open\"\nregion = 999900\ncurrency = \"CNY\"\nunlisted = \"A\"\nsource = { en = \"no list\", zh-Hans = \"无目录\" }\n";

fn with_small(step: &str, amount: &str, facts: &str, language: &str) -> Explanation {
    let catalogue = Catalogue::compile(&toml::from_str(OPEN).unwrap()).unwrap();
    let person = format!("facts = {{ visit_type = \"inpatient\"{facts} }}");
    let bill = one_line("x", "2026-03-01", amount);
    quoted_with(vec![small(step)], &catalogue, &bill, &person, language)
}

#[test]
fn tiers_that_are_rounded_together_are_not_said_to_be_rounded_each() {
    let tiers = "reading = \"absolute\"\nrounding = { at = \"once\" }\nrates = [{ tiers = [{ above = \"0\", rate = \"50%\" }, { above = \"0.01\", rate = \"50%\" }, { above = \"0.02\", rate = \"50%\" }, { above = \"0.03\", rate = \"50%\" }] }]";
    let text = with_small(tiers, "0.04", "", "en").to_string();
    assert!(
        text.contains("50% of 0.01 yuan (between 0.00 yuan and 0.01 yuan) is 0.005 yuan."),
        "{text}"
    );
    assert!(text.contains("Together that is 0.02 yuan; rounded once, 0.02 yuan."), "{text}");
    let text = with_small(&tiers.replace("once", "tier"), "0.04", "", "en").to_string();
    assert!(text.contains("is 0.005 yuan, rounded 0.01 yuan."), "{text}");
}

#[test]
fn amounts_by_day_by_condition_and_by_year_are_derived() {
    let fields = "rates = [{ rate = \"100%\" }]\ncaps = [{ amounts = [{ amount = \"10\", per_day = true }], changes = [{ when = { age_from = 60 }, add = \"5\" }, { factor = \"2\" }], grow = { per_unbroken_year = \"3\", after = 1 } }]";
    let facts = ", days = 50, age = 60, unbroken_years = 3";
    let text = with_small(fields, "9000", facts, "en").to_string();
    for part in [
        "The cap of 10.00 yuan becomes 500.00 yuan: for 50 days.",
        "The cap of 500.00 yuan becomes 505.00 yuan: 5.00 yuan more (age: 60 or more).",
        "The cap of 505.00 yuan becomes 1,010.00 yuan: times 2.",
        "The cap of 1,010.00 yuan becomes 1,016.00 yuan: grown with 3 unbroken and 0 claim-free years.",
        "The cap for this bill is 1,016.00 yuan",
    ] {
        assert!(text.contains(part), "`{part}` not in {text}");
    }
}

#[test]
fn sources_and_catalogues_are_said_in_the_readers_language() {
    let half = "rates = [{ rate = \"50%\" }]\ndeductibles = [{ amount = \"0\" }]";
    let chinese = with_small(half, "10", "", "zh-Hant");
    assert_eq!(chinese.steps[0].source, "通知");
    assert_eq!(chinese.catalogue, "目錄：open — 无目录");
    let german = with_small(half, "10", "", "de");
    assert_eq!(
        (german.steps[0].source.as_str(), german.catalogue.as_str()),
        ("a notice", "Katalog: open — no list")
    );
    assert!(
        !german.to_string().contains("Selbstbehalt"),
        "a deductible of zero is not worth a sentence"
    );
}

#[test]
fn a_bill_that_nobody_else_pays_has_a_headline_of_its_own() {
    let none = "rates = [{ rate = \"0\" }]";
    let all = with_small(none, "10", "", "en").headline;
    assert_eq!(all, "You pay all 10.00 yuan of this bill yourself: no insurance pays.");
    let chinese = with_small(none, "10", "", "zh-Hans").headline;
    assert_eq!(chinese, "本次费用10.00元，全部由您付现金，医保不支付。");
    let nothing = with_small(none, "0", "", "en").headline;
    assert_eq!(nothing, "There is nothing to pay: this bill is 0.00 yuan.");
}

#[test]
fn a_limited_item_says_which_condition_does_not_hold() {
    let bill = one_line("XY021", "2026-02-10", "36.20");
    let person = r#"facts = { visit_type = "outpatient", hospital_level = "tertiary_a", age = 30, sex = "female" }"#;
    let lines = quoted(EMPLOYEE, &bill, person, "en").lines;
    let sentence = &lines[0].sentence;
    assert!(
        sentence.ends_with("conditions that do not hold here: sex: male (here: female)."),
        "{sentence}"
    );
}

#[test]
fn the_parts_of_a_cut_stay_say_from_which_day_they_are() {
    let folder = common::shipped_plans().join("lanzhou-employee");
    let case = common::case(&folder.join("cases/stay-over-new-year.toml"));
    let told = explained_case(&folder, &case, "en");
    let titles: Vec<&str> = told.steps.iter().map(|step| step.title.as_str()).collect();
    assert!(titles.iter().any(|title| title.contains("(from 2025-12-")), "{titles:?}");
    assert!(titles.iter().any(|title| title.contains("(from 2026-01-")), "{titles:?}");
}

#[test]
fn braces_in_a_plans_words_are_not_filled() {
    let fields = "title = { en = \"{amount}\" }\nrates = [{ rate = \"50%\" }]";
    let text = with_small(fields, "10", "", "en").to_string();
    assert!(text.contains("1. {amount}"), "{text}");
}
