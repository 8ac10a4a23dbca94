//! Every case of `samples/worked-examples.json` is a golden case of a shipped plan with the same
//! id, and gives the amounts that the sample states: nothing is compared with our own expectation.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{Accumulators, AdjudicatedPart, Adjudication, Payer, run_case, source::CaseSource};
use primitives::{Amount, Currency};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a sample states about its input or about numbers between, which are no figures of a split.
const NO_FIGURES: &[&str] = &[
    "id",
    "kind",
    "source",
    "note",
    "infno",
    "insutype",
    "med_type",
    "fund_pay_type",
    "in_tier",
    "rate",
    "cii_base",
    "cii_dedc",
    "tiers",
    "level",
    "preself_rate",
    "price_cap",
    "setting",
    "income_class",
    "fourth_or_later_month",
    "rechecked_by_formula",
    "second_payer",
    "bill_with_programme",
    "bill_without",
    "bills",
    "bills_with_flag_programme",
    "programme_base",
    "uncovered_by_insurer",
    "patient_in_programme",
    "scheme",
    "cap",
    "burden",
    "balance_after",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn samples() -> Vec<Value> {
    let text = common::read(&root().join("samples/worked-examples.json"));
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// Every golden case of the shipped plans by its id, with its folder.
fn golden() -> BTreeMap<String, (PathBuf, CaseSource)> {
    let mut all = BTreeMap::new();
    for folder in common::folders(&common::shipped_plans()) {
        for file in common::files(&folder.join("cases"), "toml") {
            let case = common::case(&file);
            let id = case.case.id.clone();
            let is_sample = id.starts_with(|first: char| first.is_ascii_uppercase());
            let other = all.insert(id.clone(), (folder.clone(), case));
            assert!(!is_sample || other.is_none(), "`{id}` is there twice");
        }
    }
    all
}

/// What every visit of a case came to.
fn run(folder: &Path, case: &CaseSource) -> Vec<Vec<AdjudicatedPart>> {
    let plans: Vec<_> =
        case.case.plans.iter().map(|plan| common::load_file(&folder.join(plan))).collect();
    let pairs: Vec<_> = plans.iter().map(|(source, plan)| (source, plan)).collect();
    let catalogue = case.case.catalogue.as_ref().map(|name| common::catalogue(&folder.join(name)));
    run_case(case, &pairs, catalogue.as_ref()).unwrap()
}

/// The figure of a split that a sample's field states, if it is one.
fn figure(field: &str, parts: &[AdjudicatedPart]) -> Option<Amount> {
    let sum = |of: &dyn Fn(&Adjudication) -> Amount| {
        parts.iter().fold(Amount::ZERO, |sum, part| sum.saturating_add(of(&part.adjudication)))
    };
    let person = |one: &Adjudication| {
        one.cash.saturating_add(one.personal_account).saturating_add(one.paid_by_family())
    };
    Some(match field {
        "total" | "total_yen" => sum(&|one| one.total),
        "fulamt_ownpay" => sum(&|one| one.self_paid),
        "overlmt" => sum(&|one| one.over_cap),
        "preself" => sum(&|one| one.class_b_share),
        "inscp" => sum(&|one| one.in_policy),
        "dedc" => sum(&|one| one.deductible),
        "fund" | "basic" | "hifp" | "fund_100pct" => sum(&|one| one.paid_by(Payer::PooledFund)),
        "cii" | "cii_if_bounds_on_excess" => sum(&|one| one.paid_by(Payer::CriticalIllness)),
        "fund_total" => sum(&Adjudication::paid_by_payers),
        "psn_part" | "patient_yen" => sum(&person),
        "acct" => sum(&|one| one.personal_account),
        "cash" => sum(&|one| one.cash),
        _ => return None,
    })
}

fn amount(value: &Value, currency: Currency) -> Amount {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Amount::from_decimal(text.trim_start_matches('-'), currency).unwrap()
}

/// Compares every figure that the sample states; answers how many.
fn compare(id: &str, sample: &Value, parts: &[AdjudicatedPart]) -> usize {
    let currency = if id.starts_with("JP-") { Currency::JPY } else { Currency::CNY };
    let mut compared = 0;
    for (field, stated) in sample.as_object().unwrap() {
        match figure(field, parts) {
            Some(figure) => {
                assert_eq!(figure, amount(stated, currency), "`{field}` of {id}");
                compared += 1;
            }
            None if field == "visits" || field == "cii_if_bounds_absolute" => {}
            None => assert!(NO_FIGURES.contains(&field.as_str()), "what is `{field}` of {id}?"),
        }
    }
    compared
}

#[test]
fn every_worked_example_is_a_golden_case_and_gives_the_stated_amounts() {
    let golden = golden();
    let mut count = 0;
    for sample in samples().iter().filter(|sample| sample["id"] != "CN-TEST-04") {
        let id = sample["id"].as_str().unwrap();
        let (folder, case) = golden.get(id).unwrap_or_else(|| panic!("{id} is no golden case"));
        let visits = run(folder, case);
        let compared = match sample.get("visits").and_then(Value::as_array) {
            Some(stated) => {
                assert_eq!(stated.len(), visits.len(), "visits of {id}");
                stated.iter().zip(&visits).map(|(one, parts)| compare(id, one, parts)).sum()
            }
            None => compare(id, sample, &visits[0]),
        };
        assert!(compared > 0, "nothing of {id} is compared");
        let stated = |field: &str| sample.get(field).map(sums);
        let bills = [
            stated("bill_with_programme"),
            stated("bill_without"),
            stated("bills"),
            stated("bills_with_flag_programme"),
        ];
        if let Some(total) = bills.into_iter().flatten().reduce(|a, b| a + b) {
            let charged = figure("total", &visits[0]).unwrap();
            assert_eq!(charged.minor(), total, "what {id} charges");
        }
        count += 1;
    }
    assert_eq!(count, samples().len() - 1);
}

/// A bill, or the sum of several: `5`, `[5, 6]`, `[[5, flag], [6, flag]]`.
fn sums(bills: &Value) -> u64 {
    match bills {
        Value::Array(list) => {
            list.iter().map(|one| sums(one.as_array().map_or(one, |pair| &pair[0]))).sum()
        }
        one => one.as_u64().unwrap(),
    }
}

#[test]
fn the_other_reading_of_the_tier_bounds_gives_its_own_amount() {
    let golden = golden();
    let sample = samples().into_iter().find(|sample| sample["id"] == "LZ-DER-06").unwrap();
    let (folder, case) = &golden["LZ-DER-06-absolute"];
    let paid = figure("cii", &run(folder, case)[0]).unwrap();
    assert_eq!(paid, amount(&sample["cii_if_bounds_absolute"], Currency::CNY));
}

#[test]
fn the_observed_reversal_gives_back_deductible_and_account_under_its_shipped_plan() {
    let golden = golden();
    let sample = samples().into_iter().find(|sample| sample["id"] == "CN-OBS-03").unwrap();
    let (folder, case) = &golden["CN-OBS-03"];
    let parts = &run(folder, case)[0];
    let settled = &parts[0].adjudication;
    let mut running = Accumulators::new();
    running.apply(&settled.changes).unwrap();
    let met: u64 = running.iter().filter(|(key, _)| !key.period.is_visit()).map(|one| one.1).sum();
    assert_eq!(Amount::from_minor(met), amount(&sample["dedc"], Currency::CNY));
    running.undo(&settled.changes).unwrap();
    assert!(running.is_empty(), "the deductible is given back");
    let there = case.visit[0].facts.personal_account.as_ref().unwrap();
    let there = there.amount(Currency::CNY).unwrap();
    let after = there.saturating_sub(settled.personal_account);
    let given_back = after.saturating_add(amount(&sample["acct"], Currency::CNY));
    assert_eq!(given_back, amount(&sample["balance_after"], Currency::CNY));
}

#[test]
fn the_refund_that_must_fail_is_a_named_test_of_the_ledger() {
    assert!(samples().iter().any(|sample| sample["id"] == "CN-TEST-04"));
    let tests = root().join("crates/ledger/src/modules/visit/tests/refunds.rs");
    let text = common::read(&tests);
    let (_, test) = text.split_once("/// Case CN-TEST-04").expect("the ledger's test of the case");
    assert!(test.lines().skip(1).take(3).any(|line| line.starts_with("fn ")), "{test}");
}
