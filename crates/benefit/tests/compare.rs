//! What differs between two versions of a plan, told to a person: nothing that differs is left out.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{
    Messages, PlanComparison, compare,
    compare::{ChangeKind, FactChange},
    source::PlanSource,
};
use serde::Deserialize as _;
use serde_json::Value;
use std::path::Path;

const LANGUAGES: [&str; 4] = ["zh-Hans", "zh-Hant", "en", "de"];

fn messages(language: &str) -> Messages {
    let locales = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
    let text = common::read(&locales.join(language).join("benefit.toml"));
    Messages::new(toml::from_str(&text).unwrap()).unwrap()
}

fn text_of(plan: &str) -> String {
    common::read(&common::shipped_plans().join(plan))
}

/// The plan, and the same with a text of its file in place of another.
fn changed(plan: &str, from: &str, to: &str) -> (PlanSource, PlanSource) {
    let text = text_of(plan);
    assert!(text.contains(from), "`{from}` is not in {plan}");
    let read = |text: &str| toml::from_str(text).unwrap();
    (read(&text), read(&text.replacen(from, to, 1)))
}

fn fact(what: &str, when: &str, before: Option<&str>, after: Option<&str>) -> FactChange {
    FactChange {
        what: what.into(),
        when: when.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
    }
}

const EMPLOYEES: &str = "lanzhou-employee/2026-01-01.toml";

#[test]
fn a_version_compared_with_itself_says_the_same() {
    for file in [EMPLOYEES, "japan-under-70/2015-01-01.toml"] {
        let plan: PlanSource = toml::from_str(&text_of(file)).unwrap();
        let told = compare(&plan, &plan, &messages("en"));
        assert_eq!((told.general.len(), told.rules.len(), told.examples.len()), (0, 0, 0));
        assert_eq!(usize::try_from(told.same).unwrap(), plan.step.len());
    }
}

#[test]
fn a_changed_rate_and_deductible_are_told_with_their_conditions_and_their_source() {
    let (before, after) = changed(
        EMPLOYEES,
        "{ when = { hospital_levels = [\"secondary\"] }, rate = \"90%\" }",
        "{ when = { hospital_levels = [\"secondary\"] }, rate = \"91.5%\" }",
    );
    let told = compare(&before, &after, &messages("de"));
    assert_eq!(told.general, []);
    assert_eq!(told.rules.len(), 1);
    let rule = &told.rules[0];
    assert_eq!((rule.rule.as_str(), rule.change), ("inpatient_pool", ChangeKind::Changed));
    assert_eq!(rule.title, "Stationäre Grundversicherung");
    assert_eq!(
        rule.facts,
        [fact("Satz", "Stufe der Einrichtung: Stufe 2", Some("90%"), Some("91,5%"))]
    );
    assert!(rule.source.starts_with("Sammlung Dritter"), "{}", rule.source);
    let (before, after) = changed(
        EMPLOYEES,
        "deductibles = [{ amount = \"200\", counts = \"outpatient_deductible_met\" }]",
        "deductibles = [{ amount = \"300\", counts = \"outpatient_deductible_met\" }]",
    );
    let told = compare(&before, &after, &messages("zh-Hans"));
    let expected = fact("起付线", "本年度已付门诊起付标准", Some("200.00元"), Some("300.00元"));
    assert_eq!(told.rules[0].facts, [expected]);
}

#[test]
fn a_rule_that_comes_or_goes_says_all_that_it_says() {
    let whole: PlanSource = toml::from_str(&text_of(EMPLOYEES)).unwrap();
    let mut less = whole.clone();
    let gone = less.step.iter().position(|step| step.id == "outpatient_pool").unwrap();
    less.step.remove(gone);
    let told = compare(&less, &whole, &messages("en"));
    assert_eq!((told.rules.len(), told.rules[0].change), (1, ChangeKind::Added));
    let facts = &told.rules[0].facts;
    assert!(facts.iter().all(|one| one.before.is_none() && one.after.is_some()));
    assert!(facts.contains(&fact(
        "Change of the rate",
        "class of person: retired",
        None,
        Some("5 points more")
    )));
    assert!(!told.rules[0].words.is_empty() && !told.rules[0].source.is_empty());
    let told = compare(&whole, &less, &messages("en"));
    assert_eq!(told.rules[0].change, ChangeKind::Removed);
    assert!(told.rules[0].facts.iter().all(|one| one.before.is_some() && one.after.is_none()));
}

#[test]
fn rules_in_another_order_are_told() {
    let before: PlanSource = toml::from_str(&text_of(EMPLOYEES)).unwrap();
    let mut after = before.clone();
    after.step.swap(1, 2);
    let told = compare(&before, &after, &messages("en"));
    assert_eq!(told.rules, []);
    assert_eq!(told.general[0].what, "Order of the rules");
    assert_ne!(told.general[0].before, told.general[0].after);
}

#[test]
fn a_translation_alone_is_told_and_a_whole_change_of_words_once() {
    let (before, after) = changed(EMPLOYEES, "de = \"Großschadenfonds\"", "de = \"Großfonds\"");
    let facts =
        |language: &str| compare(&before, &after, &messages(language)).rules[0].facts.clone();
    let told = fact("Titel", "", Some("Großschadenfonds"), Some("Großfonds"));
    assert_eq!(facts("de"), [told]);
    let told = fact("Title", "de", Some("Großschadenfonds"), Some("Großfonds"));
    assert_eq!(facts("en"), [told]);
}

/// Every place of a document that holds a value, as a pointer.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, inner)| places(inner, &format!("{here}/{name}"), all));
        }
        Value::Array(list) => {
            let inner = list.iter().enumerate();
            inner.for_each(|(at, inner)| places(inner, &format!("{here}/{at}"), all));
        }
        Value::Null => {}
        _ => all.push(here.to_owned()),
    }
}

/// Other values that a place might hold; those that a plan cannot have there are not read.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(truth) => vec![Value::Bool(!truth)],
        Value::Number(number) => vec![Value::from(number.as_u64().unwrap() + 1)],
        Value::String(text) => {
            let words =
                ["12.5", "13%", "secondary", "retired", "unfiled", "home", "female", "month"];
            let all = words.into_iter().chain(["pooled_fund", "inpatient", "floor", "once", "day"]);
            all.filter(|word| word != text).map(Value::from).collect()
        }
        _ => Vec::new(),
    }
}

fn says_something(told: &PlanComparison) -> bool {
    let in_rules = told.rules.iter().any(|rule| !rule.facts.is_empty());
    !told.general.is_empty() || in_rules || !told.examples.is_empty()
}

#[test]
fn whatever_is_changed_in_a_plan_the_comparison_tells_of_it() {
    let messages = LANGUAGES.map(messages);
    let mut tried = 0_u32;
    for file in [EMPLOYEES, "japan-under-70/2015-01-01.toml", "us-massachusetts/1960-01-01.toml"] {
        let plan: PlanSource = toml::from_str(&text_of(file)).unwrap();
        let mut whole = serde_json::to_value(&plan).unwrap();
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        // Plans of another place or currency are never compared.
        all.retain(|place| !["/plan/region", "/plan/scheme", "/plan/currency"].contains(&&**place));
        for place in all {
            let was = whole.pointer(&place).unwrap().clone();
            for other in others(&was) {
                *whole.pointer_mut(&place).unwrap() = other;
                let Ok(changed) = PlanSource::deserialize(&whole) else { continue };
                if changed == plan {
                    continue;
                }
                tried += 1;
                let told = compare(&plan, &changed, &messages[usize::try_from(tried % 4).unwrap()]);
                assert!(says_something(&told), "{file}: {place} is not told");
                for rule in &told.rules {
                    let whole = |one: &FactChange| !one.what.is_empty() && one.before != one.after;
                    assert!(rule.facts.iter().all(whole), "{file}: {place}: {:?}", rule.facts);
                }
                break;
            }
            *whole.pointer_mut(&place).unwrap() = was;
        }
    }
    assert!(tried > 2_000, "{tried}");
}
