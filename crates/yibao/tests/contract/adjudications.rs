//! `vectors/adjudications.json`: bills with everything that goes into their split and everything
//! that comes out, down to the bytes of the compiled plans.

use benefit::source::{AccumulatorValue, CatalogueSource, FactsSource, PlanSource};
use benefit::{
    Accumulators, Bill, Catalogue, Plan, adjudicate_stay, compile, read_person, sort_lines,
    visit_facts,
};
use primitives::{codec, sha256};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::golden::check_json;
use crate::support::read;

/// Plans, catalogue, bill, person.
const CASES: &[(&[&str], &str, &str, &str)] = &[
    (
        &["plans/lanzhou-employee/2026-01-01.toml"],
        "plans/lanzhou-employee/catalogue.toml",
        "samples/bill-outpatient.json",
        "samples/person-retired.json",
    ),
    (
        &["plans/lanzhou-employee/2025-01-01.toml", "plans/lanzhou-employee/2026-01-01.toml"],
        "plans/lanzhou-employee/catalogue.toml",
        "samples/bill-stay.json",
        "samples/person-stay.json",
    ),
    (
        &["plans/us-massachusetts/1960-01-01.toml"],
        "plans/us-massachusetts/catalogue.toml",
        "samples/bill-us.json",
        "samples/person-us.json",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    facts: FactsSource,
    #[serde(default)]
    accumulators: Vec<AccumulatorValue>,
}

fn running(accumulators: &Accumulators) -> Vec<Value> {
    let one = |(key, value): (&benefit::AccumulatorKey, u64)| json!({ "key": key, "value": value.to_string() });
    accumulators.iter().map(one).collect()
}

fn vector((files, catalogue, bill, person): &(&[&str], &str, &str, &str)) -> Value {
    let plans: Vec<(PlanSource, Plan)> = files
        .iter()
        .map(|file| {
            let text = read(file);
            let source: PlanSource = toml::from_str(&text).expect("a plan");
            let plan =
                compile(&source, sha256(text.as_bytes())).expect("a plan whose examples hold");
            (source, plan)
        })
        .collect();
    let catalogue: CatalogueSource = toml::from_str(&read(catalogue)).expect("a catalogue");
    let catalogue = Catalogue::compile(&catalogue).expect("a catalogue");
    let bill_text = read(bill);
    let parsed: Bill = serde_json::from_str(&bill_text).expect("a bill");
    let known: Person = serde_json::from_str(&read(person)).expect("a person");
    let sorted = sort_lines(&catalogue, &parsed, &visit_facts(&known.facts))
        .expect("a bill that can be sorted");
    let both: Vec<(&PlanSource, &Plan)> =
        plans.iter().map(|(source, plan)| (source, plan)).collect();
    let (facts, before) =
        read_person(&known.facts, &known.accumulators, &both, &sorted.sums).expect("a person");
    let compiled: Vec<&Plan> = plans.iter().map(|(_, plan)| plan).collect();
    let parts = adjudicate_stay(&compiled, &sorted.sums, &facts, &before).expect("a covered visit");
    assert!(parts.iter().all(|part| part.adjudication.is_balanced()));
    let mut after = before.clone();
    for part in &parts {
        after.apply(&part.adjudication.changes).expect("changes that follow");
    }
    let plan = |(file, plan): (&&str, &&Plan)| {
        json!({
            "file": file,
            "source_hash": plan.source_hash(),
            "hash": plan.hash(),
            "bytes": hex::encode(codec::encode(*plan)),
        })
    };
    let bill_value: Value = serde_json::from_str(&bill_text).expect("JSON");
    json!({
        "plans": files.iter().zip(&compiled).map(plan).collect::<Vec<_>>(),
        "catalogue": { "id": catalogue.id(), "hash": catalogue.hash() },
        "bill": bill_value,
        "sums": sorted.sums,
        "sums_bytes": hex::encode(codec::encode(&sorted.sums)),
        "facts": facts,
        "facts_bytes": hex::encode(codec::encode(&facts)),
        "accumulators_before": running(&before),
        "parts": parts,
        "parts_bytes": hex::encode(codec::encode(&parts)),
        "accumulators_after": running(&after),
    })
}

#[test]
fn bills_are_split_so_to_the_minor_unit() {
    let vectors: Vec<Value> = CASES.iter().map(vector).collect();
    let about = "sums = sort_lines(catalogue, bill), parts = adjudicate_stay(plans, sums, facts, accumulators); \
                 bytes are borsh in hex, amounts minor units as text";
    check_json("vectors/adjudications.json", &json!({ "about": about, "vectors": vectors }));
}
