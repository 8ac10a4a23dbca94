//! What every step of an adjudication gave, in one line, for errors about examples.

use alloc::{format, string::String, vec::Vec};
use primitives::Amount;

use super::Bench;
use crate::{
    adjudication::{AmountReason, TraceNote},
    explain::exact,
    plan::Plan,
    stay::AdjudicatedPart,
};

/// "steps: `pool`: base 1000.00, deductible 200.00 of 200.00, ...".
pub(crate) fn steps(bench: &Bench<'_>, parts: &[AdjudicatedPart]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for part in parts {
        let place = usize::from(part.plan);
        let Some(plan) = bench.plans.get(place) else { continue };
        let mut last = None;
        for entry in &part.adjudication.trace {
            let text = note(plan, &entry.note);
            if last == Some((entry.step, entry.slot)) {
                texts.push(text);
                continue;
            }
            last = Some((entry.step, entry.slot));
            let name = (bench.name)(place, entry.step);
            let slot =
                if entry.slot.0 == 0 { String::new() } else { format!(" for slot {}", entry.slot) };
            texts.push(format!("step `{name}`{slot}: {text}"));
        }
        texts.push(format!("cash {}", plan.decimal(part.adjudication.cash.minor())));
    }
    texts.join(", ")
}

fn note(plan: &Plan, note: &TraceNote) -> String {
    let text = |amount: Amount| {
        if amount == Amount::MAX { String::from("none") } else { plan.decimal(amount.minor()) }
    };
    match *note {
        TraceNote::Base { amount } => format!("base {}", text(amount)),
        TraceNote::BaseCapped { limit, used, cut, .. } => {
            format!("base cap {} of which {} used cuts off {}", text(limit), text(used), text(cut))
        }
        TraceNote::Deductible { full, met, taken, .. } => {
            format!("deductible {} of which {} met takes {}", text(full), text(met), text(taken))
        }
        TraceNote::RateChanged { change, before, after } => {
            let number = u16::from(change).saturating_add(1);
            format!("rate change {number} makes {before} to {after}")
        }
        TraceNote::Tier { tier, part, rate, benefit, .. } => {
            let number = u16::from(tier).saturating_add(1);
            let gives = benefit.map_or_else(|| exact(plan.currency(), &[(part, rate)]), text);
            format!("tier {number}: {rate} of {} is {gives}", text(part))
        }
        TraceNote::Rounded { benefit } => format!("rounded once {}", text(benefit)),
        TraceNote::AmountChanged { why, before, after } => {
            let why = match why {
                AmountReason::Days { days } => format!("{days} days"),
                AmountReason::Change { change } => {
                    format!("change {}", u16::from(change).saturating_add(1))
                }
                AmountReason::Visit { number } => format!("visit {number}"),
                AmountReason::Years => String::from("years"),
                AmountReason::Share { share, charged } => {
                    format!("{share} of {}", text(charged))
                }
            };
            format!("{why} makes {} to {}", text(before), text(after))
        }
        TraceNote::Capped { limit, used, cut, .. } => {
            format!("cap {} of which {} used cuts off {}", text(limit), text(used), text(cut))
        }
        TraceNote::FixedAmount { full, used, gives } => {
            format!(
                "fixed amount {} of which {} used gives {}",
                text(full),
                text(used),
                text(gives)
            )
        }
        TraceNote::Copay { full, used, kept } => {
            format!("copay {} of which {} borne keeps {}", text(full), text(used), text(kept))
        }
        TraceNote::Limited { limit, borne, excess, .. } => {
            format!(
                "limit {} of which {} borne is exceeded by {}",
                text(limit),
                text(borne),
                text(excess)
            )
        }
        TraceNote::Paid { amount, .. } => format!("paid {}", text(amount)),
        TraceNote::Account { available, paid, .. } => {
            format!("account with {} paid {}", text(available), text(paid))
        }
        TraceNote::Counted { number, added } => {
            format!("accumulator {number} counts {}", text(added))
        }
    }
}
