//! The engine's answers, in the shape in which the oracle gives its own.

use super::{
    history::{Charges, History, Visit, key_text},
    scheme::Scheme,
};
use benefit::{
    Accumulators, AdjudicatedPart, Adjudication, CategorySums, Plan, TraceNote, adjudicate,
    adjudicate_stay, sort_lines,
    source::{Counts, PlanSource},
};
use primitives::Amount;
use serde_json::{Map, Value, json};

/// What the engine says of a visit: the answer to compare, and the parts with their traces.
pub struct Answer {
    pub value: Value,
    pub parts: Vec<AdjudicatedPart>,
}

/// What the engine says of every visit, running amounts going on from one to the next.
pub fn run(scheme: &Scheme, history: &History) -> Vec<Answer> {
    let mut running: Accumulators = history.start.iter().copied().collect();
    history
        .visits
        .iter()
        .map(|visit| {
            running = running.filter(|key| !key.period.is_visit());
            match settle(scheme, visit, &running) {
                Err(message) => Answer { value: json!({ "refused": message }), parts: vec![] },
                Ok(parts) => {
                    for part in &parts {
                        running.apply(&part.adjudication.changes).unwrap();
                    }
                    Answer { value: show(scheme, &parts, &running), parts }
                }
            }
        })
        .collect()
}

fn settle(
    scheme: &Scheme,
    visit: &Visit,
    running: &Accumulators,
) -> Result<Vec<AdjudicatedPart>, String> {
    let sums = match &visit.charges {
        Charges::Rows(rows) => CategorySums::new(rows.clone()).map_err(String::from)?,
        Charges::Lines(bill) => {
            let catalogue = &scheme.catalogue.catalogue;
            let sorted = sort_lines(catalogue, bill, &visit.visit_facts());
            sorted.map_err(|error| error.to_string())?.sums
        }
    };
    let plans: Vec<&Plan> = scheme.plans.iter().map(|file| &file.plan).collect();
    let parts =
        adjudicate_stay(&plans, &sums, &visit.facts, running).map_err(|error| error.to_string())?;
    if let [part] = &parts[..] {
        // A visit that is not cut is what one adjudication gives.
        let plan = plans[usize::from(part.plan)];
        let alone = adjudicate(plan, &sums, &visit.facts, running);
        assert_eq!(alone.as_ref(), Ok(&part.adjudication));
    }
    Ok(parts)
}

fn show(scheme: &Scheme, parts: &[AdjudicatedPart], running: &Accumulators) -> Value {
    let shown: Vec<Value> = parts
        .iter()
        .map(|part| {
            let source = &scheme.plans[usize::from(part.plan)].source;
            show_part(part.plan, source, &part.adjudication)
        })
        .collect();
    // A counted visit is remembered with the visit; the oracle keeps that apart.
    let remembered = |number: u16| {
        let all = scheme.plans.iter().flat_map(|file| &file.source.accumulator);
        all.into_iter().any(|one| one.number == number && one.counts == Counts::Visits)
    };
    let kept = running.iter().filter(|(key, _)| !(key.period.is_visit() && remembered(key.number)));
    let mut accumulators: Vec<Value> =
        kept.map(|(key, value)| json!([key_text(key), value.to_string()])).collect();
    accumulators.sort_by_key(Value::to_string);
    json!({ "parts": shown, "accumulators": accumulators })
}

fn show_part(plan: u8, source: &PlanSource, split: &Adjudication) -> Value {
    let grants: Vec<Value> =
        split.family_accounts.iter().map(|share| json!([share.grant, share.amount])).collect();
    let mut payers = Map::new();
    for share in &split.payers {
        payers.insert(share.payer.name().to_string(), json!(share.amount));
    }
    json!({
        "plan": plan,
        "total": split.total,
        "self_paid": split.self_paid,
        "over_cap": split.over_cap,
        "class_b_share": split.class_b_share,
        "in_policy": split.in_policy,
        "deductible": split.deductible,
        "payers": payers,
        "personal_account": split.personal_account,
        "family_accounts": grants,
        "cash": split.cash,
        "steps": paid_by_steps(source, split),
        "notes": notes(source, split),
    })
}

/// How much lay in which tier at which rate, and what deductibles took.
fn notes(source: &PlanSource, split: &Adjudication) -> Vec<Value> {
    let notes = split.trace.iter().filter_map(|entry| {
        let step = &source.step[usize::from(entry.step)].id;
        let (amount, shown) = match entry.note {
            TraceNote::Tier { part, rate, .. } => {
                (part, json!([step, entry.slot, part, rate.ppm().to_string()]))
            }
            TraceNote::Deductible { taken, .. } => (taken, json!([step, entry.slot, taken])),
            _ => return None,
        };
        (!amount.is_zero()).then_some(shown)
    });
    notes.collect()
}

/// What every step paid, by its name; those that paid nothing are left out.
fn paid_by_steps(source: &PlanSource, split: &Adjudication) -> Value {
    let mut steps: Map<String, Value> = Map::new();
    for (at, step) in source.step.iter().enumerate() {
        let own = split.trace.iter().filter(|entry| usize::from(entry.step) == at);
        let account = step.kind.ends_with("_account");
        let paid = own.filter_map(|entry| match entry.note {
            TraceNote::Paid { amount, .. } if !account => Some(amount),
            TraceNote::Account { paid, .. } if account => Some(paid),
            _ => None,
        });
        let paid = Amount::checked_sum(paid).unwrap();
        if !paid.is_zero() {
            steps.insert(step.id.clone(), json!(paid));
        }
    }
    Value::Object(steps)
}
