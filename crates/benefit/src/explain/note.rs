//! One sentence per note of the trace.

use alloc::{format, string::String};
use primitives::Rate;

use super::{ExplainedPart, Messages, Values, in_language};
use crate::{
    adjudication::{TraceEntry, TraceNote},
    allowance::Allowance,
    plan::{Plan, Span},
    rule::Rule,
    word::Payer,
};

/// Who pays in a step, if a payer does.
fn payer(plan: &Plan, step: u8) -> Option<Payer> {
    match &plan.content.steps.get(usize::from(step))?.rule {
        Rule::Benefit(rule) => Some(rule.payer),
        Rule::Fixed(rule) => Some(rule.payer),
        Rule::Copay(rule) => Some(rule.payer),
        Rule::Limit(rule) => Some(rule.payer),
        Rule::PersonalAccount(_) | Rule::FamilyAccount(_) | Rule::Count(_) => None,
    }
}

/// The title of a step that has none of its own: who pays.
pub(super) fn title<'a>(plan: &Plan, step: u8, messages: &'a Messages) -> &'a str {
    let rule = plan.content.steps.get(usize::from(step)).map(|step| &step.rule);
    match (payer(plan, step), rule) {
        (Some(payer), _) => messages.text("payer", payer.name()),
        (None, Some(Rule::FamilyAccount(_))) => messages.text("figure", "family_accounts"),
        _ => messages.text("figure", "personal_account"),
    }
}

/// The allowance that a note speaks of.
fn allowance<'a>(plan: &'a Plan, entry: &TraceEntry) -> Option<&'a Allowance> {
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

/// A rate as the language writes it.
fn rate_text(rate: Rate, messages: &Messages) -> String {
    format!("{rate}").replace('.', messages.text("number", "decimal"))
}

/// The name of an accumulator in words, or its number.
fn accumulator_name(part: &ExplainedPart<'_>, number: u16, language: &str) -> String {
    let one = part.source.accumulator.iter().find(|one| one.number == number);
    let title = one.map_or("", |one| in_language(&one.title, language));
    if title.is_empty() { format!("#{number}") } else { String::from(title) }
}

/// The sentence of one note.
pub(super) fn sentence(
    part: &ExplainedPart<'_>,
    entry: &TraceEntry,
    messages: &Messages,
) -> String {
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
        TraceNote::Deductible { full, met, taken, .. } => {
            values.money("full", full);
            values.money("met", met);
            values.money("taken", taken);
            if taken.is_zero() { "deductible_met" } else { "deductible" }
        }
        TraceNote::Tier { part, rate, benefit, .. } => {
            values.text("rate", rate_text(rate, messages));
            values.money("part", part);
            values.money("benefit", benefit);
            "tier"
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
        TraceNote::Paid { .. } | TraceNote::Account { .. } | TraceNote::Counted { .. } => {
            payment(part, entry, &mut values, messages)
        }
    };
    values.fill("step", key)
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
            values.text("payer", title(part.plan, entry.step, messages));
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
            values.text("name", accumulator_name(part, number, messages.language()));
            values.money("added", added);
            "counted"
        }
        _ => "base",
    }
}
