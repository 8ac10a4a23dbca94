//! One sentence per note of the trace.

use alloc::{format, string::String};

use super::{ExplainedPart, Messages, Values, change, in_language, payer_name};
use crate::{
    adjudication::{TraceEntry, TraceNote},
    allowance::Allowance,
    plan::{Plan, Span},
    rule::Rule,
    source::PlanSource,
    word::Payer,
};

/// Who pays in a step, if a payer does.
pub(super) fn payer(plan: &Plan, step: u8) -> Option<Payer> {
    match &plan.content.steps.get(usize::from(step))?.rule {
        Rule::Benefit(rule) => Some(rule.payer),
        Rule::Fixed(rule) => Some(rule.payer),
        Rule::Copay(rule) => Some(rule.payer),
        Rule::Limit(rule) => Some(rule.payer),
        Rule::PersonalAccount(_) | Rule::FamilyAccount(_) | Rule::Count(_) => None,
    }
}

/// The title of a step that has none of its own: who pays.
pub(super) fn title<'a>(part: &ExplainedPart<'a>, step: u8, messages: &'a Messages) -> &'a str {
    let rule = part.plan.content.steps.get(usize::from(step)).map(|step| &step.rule);
    match (payer(part.plan, step), rule) {
        (Some(payer), _) => payer_name(&[part.source], payer, messages),
        (None, Some(Rule::FamilyAccount(_))) => messages.text("figure", "family_accounts"),
        _ => messages.text("figure", "personal_account"),
    }
}

/// The allowance that a note speaks of.
pub(super) fn allowance<'a>(plan: &'a Plan, entry: &TraceEntry) -> Option<&'a Allowance> {
    let rule = &plan.content.steps.get(usize::from(entry.step))?.rule;
    match (entry.note, rule) {
        (TraceNote::BaseCapped { cap, .. }, Rule::Benefit(rule)) => {
            rule.base_caps.get(usize::from(cap))
        }
        (TraceNote::Deductible { deductible, .. }, Rule::Benefit(rule)) => {
            rule.deductibles.get(usize::from(deductible))
        }
        (TraceNote::Capped { cap, .. }, rule) => match rule {
            Rule::Benefit(rule) => rule.caps.get(usize::from(cap)),
            Rule::Fixed(rule) => rule.caps.get(usize::from(cap)),
            Rule::Copay(rule) => rule.caps.get(usize::from(cap)),
            Rule::Limit(rule) => rule.caps.get(usize::from(cap)),
            Rule::PersonalAccount(rule) => rule.caps.get(usize::from(cap)),
            Rule::FamilyAccount(rule) => rule.caps.get(usize::from(cap)),
            Rule::Count(_) => None,
        },
        (TraceNote::FixedAmount { .. }, Rule::Fixed(rule)) => Some(&rule.amount),
        (TraceNote::Copay { .. }, Rule::Copay(rule)) => Some(&rule.amount),
        (TraceNote::Limited { limit_no, .. }, Rule::Limit(rule)) => {
            rule.limits.get(usize::from(limit_no))
        }
        _ => None,
    }
}

/// Over which span the allowance of a note runs, in words.
fn period<'a>(plan: &Plan, entry: &TraceEntry, messages: &'a Messages) -> &'a str {
    let counts = allowance(plan, entry).and_then(|allowance| allowance.counts);
    let key = match counts.and_then(|counts| plan.accumulator(counts)).map(|one| one.span) {
        None => "adjudication",
        Some(Span::Visit) => "visit",
        Some(Span::Day) => "day",
        Some(Span::Month) => "month",
        Some(Span::Year) => "year",
        Some(Span::Lifetime) => "lifetime",
    };
    messages.text("period", key)
}

/// The name of an accumulator in words, or its number.
pub(super) fn accumulator_name(source: &PlanSource, number: u16, language: &str) -> String {
    let one = source.accumulator.iter().find(|one| one.number == number);
    let title = one.map_or("", |one| in_language(&one.title, language));
    if title.is_empty() { format!("#{number}") } else { String::from(title) }
}

/// The sentence of the note at this place of the trace, if there is anything to say.
pub(super) fn sentence(
    part: &ExplainedPart<'_>,
    trace: &[TraceEntry],
    at: usize,
    messages: &Messages,
) -> Option<String> {
    let entry = trace.get(at)?;
    let plan = part.plan;
    let mut values = Values::new(messages, plan.currency());
    values.text("period", period(plan, entry, messages));
    let key = match entry.note {
        TraceNote::Base { amount } => {
            values.money("amount", amount);
            "base"
        }
        TraceNote::BaseCapped { limit, used, cut, .. } => {
            cap_values(&mut values, [limit, used, cut]);
            "base_capped"
        }
        TraceNote::Capped { limit, used, cut, .. } => {
            cap_values(&mut values, [limit, used, cut]);
            "capped"
        }
        TraceNote::Deductible { full, .. } if full.is_zero() => return None,
        TraceNote::Deductible { full, met, taken, .. } => {
            values.money("full", full);
            values.money("met", met);
            values.money("taken", taken);
            if taken.is_zero() { "deductible_met" } else { "deductible" }
        }
        TraceNote::FixedAmount { full, used, gives } => {
            values.money("full", full);
            values.money("used", used);
            values.money("gives", gives);
            "fixed_amount"
        }
        TraceNote::Copay { full, used, kept } => {
            values.money("full", full);
            values.money("used", used);
            values.money("kept", kept);
            "copay"
        }
        TraceNote::Limited { limit, borne, excess, .. } => {
            values.money("limit", limit);
            values.money("borne", borne);
            values.money("excess", excess);
            "limited"
        }
        TraceNote::RateChanged { .. }
        | TraceNote::Tier { .. }
        | TraceNote::Rounded { .. }
        | TraceNote::AmountChanged { .. } => {
            return change::sentence(part, trace, at, messages);
        }
        TraceNote::Paid { .. } | TraceNote::Account { .. } | TraceNote::Counted { .. } => {
            payment(part, entry, &mut values, messages)
        }
    };
    Some(values.fill("step", key))
}

fn cap_values(values: &mut Values<'_>, [limit, used, cut]: [primitives::Amount; 3]) {
    values.money("limit", limit);
    values.money("used", used);
    values.money("cut", cut);
}

/// The values of a note about a payment, and the key of its sentence.
fn payment(
    part: &ExplainedPart<'_>,
    entry: &TraceEntry,
    values: &mut Values<'_>,
    messages: &Messages,
) -> &'static str {
    match entry.note {
        TraceNote::Paid { amount, left } => {
            let payer = payer(part.plan, entry.step);
            let name = payer.map_or("", |payer| payer_name(&[part.source], payer, messages));
            values.text("payer", name);
            values.money("amount", amount);
            values.money("left", left);
            if amount.is_zero() { "paid_nothing" } else { "paid" }
        }
        TraceNote::Account { account, available, paid } => {
            values.text("number", format!("{account}"));
            values.money("available", available);
            values.money("paid", paid);
            if account == 0 { "account" } else { "family_account" }
        }
        TraceNote::Counted { number, added } => {
            values.text("name", accumulator_name(part.source, number, messages.language()));
            values.money("added", added);
            "counted"
        }
        _ => "base",
    }
}
