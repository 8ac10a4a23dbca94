//! What the differential test is made of: random plans, catalogues and histories, the two sides,
//! and the search for the smallest difference.
//!
//! Reading order: `random`, `plan_text` (with `plan_condition`, `plan_allowance`, `plan_step`),
//! `scheme`, `history`, `engine`, `oracle`, `shrink`, `faults`.

pub mod engine;
pub mod faults;
pub mod history;
pub mod oracle;
mod plan_allowance;
mod plan_condition;
mod plan_step;
pub mod plan_text;
pub mod random;
pub mod scheme;
pub mod shrink;

use self::{history::History, oracle::Oracle, scheme::Scheme};
use serde_json::{Value, json};

/// A visit of which the two sides say different things.
pub struct Difference {
    pub visit: usize,
    pub engine: engine::Answer,
    pub oracle: Value,
}

/// The first visit of which the two sides say different things.
pub fn difference(oracle: &mut Oracle, scheme: &Scheme, history: &History) -> Option<Difference> {
    let theirs = oracle.run(scheme, history);
    let ours = engine::run(scheme, history);
    assert_eq!(ours.len(), theirs.len(), "the oracle left visits out");
    let pairs = ours.into_iter().zip(theirs).enumerate();
    pairs.into_iter().find_map(|(visit, (engine, oracle))| {
        (!agree(&engine.value, &oracle)).then_some(Difference { visit, engine, oracle })
    })
}

/// Both refuse, whatever their words, or both say the same of every part and running amount.
pub fn agree(engine: &Value, oracle: &Value) -> bool {
    let refused = (engine.get("refused").is_some(), oracle.get("refused").is_some());
    if refused != (false, false) {
        return refused == (true, true);
    }
    *engine == comparable(oracle)
}

/// The oracle's answer with those notes of its trace that both sides make (how much lay in which
/// tier at which rate, and what deductibles took), and with running amounts in the engine's order.
pub fn comparable(oracle: &Value) -> Value {
    let mut answer = oracle.clone();
    for part in answer["parts"].as_array_mut().into_iter().flatten() {
        let part = part.as_object_mut().unwrap();
        let trace = part.remove("trace").unwrap();
        let notes = trace.as_array().unwrap().iter().filter_map(|note| {
            let (step, slot, numbers) = (&note[0], &note[1], &note[3]);
            let shown = match note[2].as_str()? {
                "tier" => json!([step, slot, numbers["part"], numbers["ppm"]]),
                "deductible" => json!([step, slot, numbers["taken"]]),
                _ => return None,
            };
            (shown[2] != "0").then_some(shown)
        });
        let notes: Vec<Value> = notes.collect();
        part.insert(String::from("notes"), json!(notes));
    }
    if let Some(accumulators) = answer["accumulators"].as_array_mut() {
        accumulators.sort_by_key(Value::to_string);
    }
    answer
}
