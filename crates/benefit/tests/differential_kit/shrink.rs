//! Making a difference small: fewer visits, rows, steps and running amounts, as long as it stays.

use super::{
    difference,
    history::{Charges, History},
    oracle::Oracle,
    scheme::{PlanFile, Scheme, plan_file},
};
use primitives::Amount;

/// The smallest scheme and history with a difference that can be found by leaving things out.
pub fn shrink(oracle: &mut Oracle, mut scheme: Scheme, mut history: History) -> (Scheme, History) {
    loop {
        let smaller = smaller_histories(&history)
            .into_iter()
            .find(|smaller| differs(oracle, &scheme, smaller));
        if let Some(smaller) = smaller {
            history = smaller;
            continue;
        }
        if !leave_out_a_table(oracle, &mut scheme, &history) {
            return (scheme, history);
        }
    }
}

fn differs(oracle: &mut Oracle, scheme: &Scheme, history: &History) -> bool {
    oracle.load(scheme).is_ok() && difference(oracle, scheme, history).is_some()
}

fn smaller_histories(history: &History) -> Vec<History> {
    let mut all = Vec::new();
    let mut changed = |change: &dyn Fn(&mut History)| {
        let mut smaller = history.clone();
        change(&mut smaller);
        all.push(smaller);
    };
    for at in 0..history.visits.len() {
        changed(&|smaller| drop(smaller.visits.remove(at)));
    }
    if !history.start.is_empty() {
        changed(&|smaller| smaller.start.clear());
    }
    for at in 0..history.start.len() {
        changed(&|smaller| {
            smaller.start.remove(at);
        });
    }
    for (at, visit) in history.visits.iter().enumerate() {
        let length = match &visit.charges {
            Charges::Rows(rows) => rows.len(),
            Charges::Lines(bill) => bill.lines.len(),
        };
        for row in 0..length {
            changed(&|smaller| match &mut smaller.visits[at].charges {
                Charges::Rows(rows) => drop(rows.remove(row)),
                Charges::Lines(bill) => drop(bill.lines.remove(row)),
            });
        }
        for (row, part) in (0..length).flat_map(|row| (0..4).map(move |part| (row, part))) {
            if amount(history, at, row, part).is_some_and(|amount| !amount.is_zero()) {
                changed(&|smaller| *part_of(smaller, at, row, part) = Amount::ZERO);
            }
        }
        for grant in 0..visit.facts.family_accounts.len() {
            changed(&|smaller| {
                smaller.visits[at].facts.family_accounts.remove(grant);
            });
        }
        if visit.facts.use_personal_account {
            changed(&|smaller| smaller.visits[at].facts.use_personal_account = false);
        }
    }
    all
}

fn amount(history: &History, visit: usize, row: usize, part: usize) -> Option<Amount> {
    match &history.visits[visit].charges {
        Charges::Rows(_) => Some(*part_of(&mut history.clone(), visit, row, part)),
        Charges::Lines(_) => None,
    }
}

fn part_of(history: &mut History, visit: usize, row: usize, part: usize) -> &mut Amount {
    let Charges::Rows(rows) = &mut history.visits[visit].charges else {
        panic!("only rows have parts");
    };
    let row = &mut rows[row];
    match part {
        0 => &mut row.in_policy,
        1 => &mut row.class_b_share,
        2 => &mut row.over_cap,
        _ => &mut row.self_paid,
    }
}

/// Leaves a step, a group or an amount out of a plan, or a field out of a step; false when nothing
/// can be left out any more.
fn leave_out_a_table(oracle: &mut Oracle, scheme: &mut Scheme, history: &History) -> bool {
    for at in 0..scheme.plans.len() {
        for smaller in smaller_plans(&scheme.plans[at]) {
            let previous = std::mem::replace(&mut scheme.plans[at], smaller);
            if differs(oracle, scheme, history) {
                return true;
            }
            scheme.plans[at] = previous;
        }
    }
    false
}

fn smaller_plans(file: &PlanFile) -> Vec<PlanFile> {
    let whole: toml::Table = toml::from_str(&file.text).unwrap();
    let mut all = Vec::new();
    let mut keep = |table: toml::Table| {
        // Most of what is left out is needed; the engine says so.
        all.extend(toml::to_string(&table).ok().and_then(|text| plan_file(text).ok()));
    };
    for kind in ["example", "step", "group", "accumulator"] {
        let length = whole.get(kind).and_then(toml::Value::as_array).map_or(0, Vec::len);
        for at in 0..length {
            let mut smaller = whole.clone();
            smaller[kind].as_array_mut().unwrap().remove(at);
            keep(smaller);
        }
    }
    let steps = whole["step"].as_array().map_or(0, Vec::len);
    for at in 0..steps {
        let fields: Vec<String> = whole["step"][at].as_table().unwrap().keys().cloned().collect();
        for field in fields {
            let mut smaller = whole.clone();
            smaller["step"][at].as_table_mut().unwrap().remove(&field);
            keep(smaller);
        }
    }
    all
}
