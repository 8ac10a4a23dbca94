//! Every plan loads, and every case beside it comes out to the minor unit: those of this crate and
//! those that are shipped.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{Plan, run_case, source::PlanSource};
use std::path::Path;

/// Runs all plans and cases of a folder; answers how many cases came out and what failed.
fn run_all(folder: &Path) -> (usize, Vec<String>) {
    let (mut good, mut failed) = (0, Vec::new());
    for plan in common::folders(folder) {
        for file in common::files(&plan, "toml").into_iter().filter(|path| common::is_plan(path)) {
            if let Err(error) = common::load(&common::read(&file)) {
                failed.push(format!("{}: {error}", file.display()));
            }
        }
        for file in common::files(&plan.join("cases"), "toml") {
            match run_file(&plan, &file) {
                Ok(()) => good += 1,
                Err(error) => failed.push(format!("{}: {error}", file.display())),
            }
        }
    }
    (good, failed)
}

fn run_file(folder: &Path, file: &Path) -> Result<(), String> {
    let case = common::case(file);
    let mut loaded: Vec<(PlanSource, Plan)> = Vec::new();
    for plan in &case.case.plans {
        loaded.push(common::load(&common::read(&folder.join(plan)))?);
    }
    let plans: Vec<_> = loaded.iter().map(|(source, plan)| (source, plan)).collect();
    let catalogue = case.case.catalogue.as_ref().map(|name| common::catalogue(&folder.join(name)));
    run_case(&case, &plans, catalogue.as_ref()).map(|_| ())
}

#[test]
fn every_case_of_this_crate_comes_out() {
    let (good, failed) = run_all(&common::own_plans());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(good >= 20, "only {good} cases were found");
}

#[test]
fn every_shipped_plan_and_case_comes_out() {
    let (good, failed) = run_all(&common::shipped_plans());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(good >= 40, "only {good} cases were found");
}

/// The blocks of a language in the guide, in order.
fn blocks(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/write-a-plan.md");
    let text = common::read(&guide);
    let fence = format!("```{language}\n");
    let opened = text.split(&fence).skip(1);
    opened.map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn the_first_plan_of_the_guide_quotes_its_first_bill_with_its_first_catalogue() {
    let files = blocks("toml");
    let (source, plan) = common::load(&files[0]).unwrap();
    let catalogue = toml::from_str(&files[1]).unwrap();
    let catalogue = benefit::Catalogue::compile(&catalogue).unwrap();
    let bill: benefit::Bill = serde_json::from_str(&blocks("json")[0]).unwrap();
    let person: serde_json::Value = serde_json::from_str(&blocks("json")[1]).unwrap();
    let facts: benefit::source::FactsSource =
        serde_json::from_value(person["facts"].clone()).unwrap();
    let sorted = benefit::sort_lines(&catalogue, &bill, &benefit::visit_facts(&facts)).unwrap();
    let (facts, running) =
        benefit::read_person(&facts, &[], &[(&source, &plan)], &sorted.sums).unwrap();
    let answer = benefit::adjudicate(&plan, &sorted.sums, &facts, &running).unwrap();
    let paid = answer.paid_by(benefit::Payer::PooledFund).to_decimal(plan.currency());
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/write-a-plan.md");
    let promised =
        format!("the fund pays {paid}, and {} is left", answer.cash.to_decimal(plan.currency()));
    assert!(common::read(&guide).contains(&promised), "the guide does not say: {promised}");
}

/// What every recipe needs around it: names and running amounts as the recipes call them.
const AROUND_RECIPES: &str = r#"
[plan]
id = "recipes"
name = { en = "recipes" }
region = 999900
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01" }
split_stay = "month"
visit_types = ["outpatient", "inpatient"]
programmes = { rehabilitation = 1 }
slot_groups = { class_1 = 1 }
"#;

/// The running amounts that the recipes name: name and further fields.
const AMOUNTS_OF_RECIPES: &[(&str, &str)] = &[
    ("stays", "period = \"year\"\ncounts = \"visits\""),
    ("stay_deductible_met", "period = \"visit\""),
    ("pool_paid", "period = \"year\""),
    ("burden_deductible_met", "period = \"year\""),
    ("burden", "period = \"year\""),
    ("slot_paid", "period = \"year\"\nper_slot = true"),
    ("month_charged", "period = \"month\""),
    ("month_reached", "period = \"month\"\ncounts = \"times\""),
    ("month_borne", "period = \"month\""),
    ("deductible", "period = \"year\""),
    ("family_deductible", "period = \"year\"\nscope = \"family\""),
    ("borne", "period = \"year\""),
    ("family_borne", "period = \"year\"\nscope = \"family\""),
    ("lump_sum_paid", "period = \"visit\""),
];

#[test]
fn every_recipe_of_the_guide_loads() {
    let mut around = String::from(AROUND_RECIPES);
    for (number, (id, fields)) in AMOUNTS_OF_RECIPES.iter().enumerate() {
        let number = number + 1;
        around += &format!("[[accumulator]]\nid = \"{id}\"\nnumber = {number}\n{fields}\n");
    }
    let recipes: Vec<String> =
        blocks("toml").into_iter().filter(|block| block.starts_with("# recipe")).collect();
    assert!(recipes.len() >= 9, "only {} recipes", recipes.len());
    for recipe in recipes {
        if let Err(error) = common::load(&format!("{around}{recipe}")) {
            panic!("{error}: {recipe}");
        }
    }
}
