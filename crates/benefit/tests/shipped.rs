//! Every shipped plan that is not a mere fragment quotes a bill as it lies there: with its
//! catalogue, in every language, with a reason, and with its sources in the reader's language.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{
    Bill, ExplainedBill, ExplainedPart, Messages, Plan, adjudicate_stay, explain, read_person,
    sort_lines,
    source::{CatalogueSource, FactsSource, PlanSource},
    visit_facts,
};
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 4] = ["zh-Hans", "zh-Hant", "en", "de"];

fn messages(language: &str) -> Messages {
    let locales = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
    let text = common::read(&locales.join(language).join("benefit.toml"));
    Messages::new(toml::from_str(&text).unwrap()).unwrap()
}

/// The shipped plan files that are whole plans.
fn whole_plans() -> Vec<PathBuf> {
    let folders = common::folders(&common::shipped_plans());
    let whole = folders
        .into_iter()
        .filter(|folder| !folder.file_name().unwrap().to_str().unwrap().starts_with("partial-"));
    let files = whole.flat_map(|folder| common::files(&folder, "toml"));
    files.filter(|file| common::is_plan(file)).collect()
}

/// Quotes a bill of one covered item for everybody and gives the text in every language.
fn quote(file: &Path, source: &PlanSource, plan: &Plan) {
    let path = common::catalogue_of(file, source);
    let list: CatalogueSource = toml::from_str(&common::read(&path)).unwrap();
    let catalogue = common::catalogue(&path);
    let day = plan.valid().to.unwrap_or(plan.valid().from);
    let open = list.item.iter().find(|item| {
        item.class != benefit::ItemClass::C
            && item.limited_use.is_empty()
            && item.valid.contains(day)
    });
    let code = open.map_or("unlisted", |item| item.code.as_str());
    let bill: Bill = serde_json::from_value(serde_json::json!({
        "currency": plan.currency(),
        "lines": [{ "line_no": 1, "item_code": code, "service_date": day, "amount": "10" }],
    }))
    .unwrap();
    for visit_type in &source.plan.visit_types {
        let facts: FactsSource =
            toml::from_str(&format!("visit_type = \"{}\"\nage = 30", visit_type.name())).unwrap();
        let visit = visit_facts(&facts);
        let sorted = sort_lines(&catalogue, &bill, &visit).unwrap();
        assert!(!sorted.lines[0].in_policy.is_zero(), "{}: {code}", file.display());
        let (facts, accumulators) =
            read_person(&facts, &[], &[(source, plan)], &sorted.sums).unwrap();
        let parts = adjudicate_stay(&[plan], &sorted.sums, &facts, &accumulators).unwrap();
        let adjudication = &parts[0].adjudication;
        let part = ExplainedPart { source, plan, facts: &facts, from: day, adjudication };
        let lines = ExplainedBill {
            catalogue: &catalogue,
            bill: &bill,
            facts: &visit,
            lines: &sorted.lines,
        };
        for language in LANGUAGES {
            let told = explain(&[part], Some(&lines), &messages(language));
            assert!(!told.steps.is_empty(), "no reason: {} {visit_type:?}", file.display());
            assert!(!told.catalogue.is_empty() && !told.lines[0].sentence.is_empty());
        }
    }
}

#[test]
fn every_whole_plan_quotes_a_bill_of_every_visit_type_with_its_own_catalogue() {
    let files = whole_plans();
    assert!(files.len() >= 12, "only {} plans", files.len());
    for file in files {
        let (source, plan) = common::load_file(&file);
        quote(&file, &source, &plan);
    }
}

#[test]
fn every_source_of_a_whole_plan_and_its_catalogue_is_there_in_every_language() {
    for file in whole_plans() {
        let (source, _) = common::load_file(&file);
        let path = common::catalogue_of(&file, &source);
        let list: CatalogueSource = toml::from_str(&common::read(&path)).unwrap();
        let steps = source.step.iter().filter(|step| !step.source.is_empty());
        let all = steps.map(|step| (step.id.as_str(), &step.source));
        for (place, text) in all.chain([("catalogue", &list.catalogue.source)]) {
            for language in LANGUAGES {
                let there = text.texts().get(language).is_some_and(|text| !text.is_empty());
                assert!(there, "{}: `{place}` has no source in {language}", file.display());
            }
        }
    }
}
