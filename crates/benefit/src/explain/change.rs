//! How a number came about that no table lists: rates and amounts that were changed, tiers, and
//! what is rounded.

use alloc::{format, string::String, vec::Vec};
use primitives::{Amount, Currency, Rate};

use super::{ExplainedPart, Messages, Values, condition, note};
use crate::{
    adjudication::{AmountReason, TraceEntry, TraceNote},
    allowance::{Change, How, Repeat},
    rule::{Rule, benefit::RateHow},
    source::{AllowanceSource, ConditionSource, StepSource},
};

/// What the tiers give before anything is rounded, as a decimal number.
pub(crate) fn exact(currency: Currency, tiers: &[(Amount, Rate)]) -> String {
    let product = |(part, rate): &(Amount, Rate)| {
        u128::from(part.minor()).saturating_mul(u128::from(rate.ppm()))
    };
    let all = tiers.iter().map(product).fold(0, u128::saturating_add);
    let scale = usize::from(currency.scale());
    let places = scale.saturating_add(6);
    let digits = format!("{all:0>width$}", width = places.saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(places));
    let (kept, rest) = part.split_at(scale);
    let rest = rest.trim_end_matches('0');
    if scale == 0 && rest.is_empty() {
        return String::from(whole);
    }
    format!("{whole}.{kept}{rest}")
}

/// A factor of parts per million as the language writes it.
fn factor(ppm: u32, messages: &Messages) -> String {
    let digits = format!("{ppm:07}");
    let (whole, part) = digits.split_at(digits.len().saturating_sub(6));
    let part = part.trim_end_matches('0');
    if part.is_empty() {
        return String::from(whole);
    }
    messages.decimal(&format!("{whole}.{part}"))
}

/// The sentence about a tier, a rounding or a change.
pub(super) fn sentence(
    part: &ExplainedPart<'_>,
    trace: &[TraceEntry],
    at: usize,
    messages: &Messages,
) -> Option<String> {
    let entry = trace.get(at)?;
    let mut values = Values::new(messages, part.plan.currency());
    match entry.note {
        TraceNote::RateChanged { change, before, after } => {
            values.text("before", messages.rate(before));
            values.text("after", messages.rate(after));
            rate_change(part, entry.step, change, &mut values)?;
            Some(values.fill("step", "rate_changed"))
        }
        TraceNote::Tier { .. } => Some(tier(part, &entry.note, messages)),
        TraceNote::Rounded { benefit } => {
            values.text("exact", messages.exact(&tiers_before(trace, at), part.plan.currency()));
            values.money("benefit", benefit);
            Some(values.fill("step", "rounded"))
        }
        TraceNote::AmountChanged { why, before, after } => {
            values.money("before", before);
            values.money("after", after);
            let told = of_allowance(part, trace, at)?;
            values.text("name", messages.text("allowance", told.name));
            amount_change(part, &told, why, &mut values)?;
            Some(values.fill("step", "amount_changed"))
        }
        _ => None,
    }
}

/// The tiers of the same run of the step before this place.
fn tiers_before(trace: &[TraceEntry], at: usize) -> Vec<(Amount, Rate)> {
    let Some(here) = trace.get(at) else { return Vec::new() };
    let before = trace.get(..at).unwrap_or(&[]).iter().rev();
    let same = before.take_while(|entry| (entry.step, entry.slot) == (here.step, here.slot));
    let tiers = same.filter_map(|entry| match entry.note {
        TraceNote::Tier { part, rate, .. } => Some((part, rate)),
        _ => None,
    });
    tiers.collect()
}

fn tier(explained: &ExplainedPart<'_>, note: &TraceNote, messages: &Messages) -> String {
    let currency = explained.plan.currency();
    let mut values = Values::new(messages, currency);
    let TraceNote::Tier { above, below, part, rate, benefit, .. } = *note else {
        return String::new();
    };
    values.text("rate", messages.rate(rate));
    values.money("amount", part);
    values.money("above", above);
    if let Some(below) = below {
        values.money("below", below);
    }
    let shown = match (above.is_zero(), below.is_some()) {
        (true, false) => messages.money(part, currency),
        (_, true) => values.fill("step", "part_between"),
        (false, false) => values.fill("step", "part_above"),
    };
    values.text("part", shown);
    let exact_text = messages.exact(&[(part, rate)], currency);
    let gives = match benefit {
        Some(benefit) if messages.money(benefit, currency) != exact_text => {
            values.text("exact", exact_text);
            values.money("rounded", benefit);
            values.fill("step", "rounded_benefit")
        }
        _ => exact_text,
    };
    values.text("benefit", gives);
    values.fill("step", "tier")
}

/// Fills `how` and `why` of a change to a rate.
fn rate_change(
    part: &ExplainedPart<'_>,
    step: u8,
    change: u8,
    values: &mut Values<'_>,
) -> Option<()> {
    let messages = values.messages();
    let place = usize::from(change);
    let Rule::Benefit(rule) = &part.plan.content.steps.get(usize::from(step))?.rule else {
        return None;
    };
    let mut inner = Values::new(messages, part.plan.currency());
    let key = match rule.changes.get(place)?.how {
        RateHow::Add(points) => {
            inner.text("points", messages.points(points));
            "rate_add"
        }
        RateHow::Less(points) => {
            inner.text("points", messages.points(points));
            "rate_less"
        }
        RateHow::Factor(ppm) => {
            inner.text("factor", factor(ppm, messages));
            "factor"
        }
        RateHow::SelfShareFactor(ppm) => {
            inner.text("factor", factor(ppm, messages));
            "self_share_factor"
        }
    };
    values.text("how", inner.fill("how", key));
    let source = part.source.step.get(usize::from(step))?.rate_changes.get(place);
    values.text("why", why(part, source.and_then(|change| change.when.as_ref()), messages));
    Some(())
}

/// The condition of a change, in brackets; nothing for a change that is always made.
fn why(part: &ExplainedPart<'_>, when: Option<&ConditionSource>, messages: &Messages) -> String {
    let text = when.map_or_else(String::new, |when| condition::text(part.source, when, messages));
    if text.is_empty() {
        return text;
    }
    let mut values = Values::new(messages, part.plan.currency());
    values.text("condition", text);
    values.fill("how", "why")
}

/// The allowance that a change belongs to.
struct Told<'a> {
    name: &'static str,
    changes: &'a [Change],
    repeat: Option<&'a Repeat>,
    source: Option<&'a AllowanceSource>,
}

/// Finds it by the note that the changes lead to.
fn of_allowance<'a>(part: &ExplainedPart<'a>, trace: &[TraceEntry], at: usize) -> Option<Told<'a>> {
    let later = trace.get(at..)?.iter();
    let entry =
        later.into_iter().find(|one| !matches!(one.note, TraceNote::AmountChanged { .. }))?;
    let allowance = note::allowance(part.plan, entry)?;
    let source: Option<&'a StepSource> = part.source.step.get(usize::from(entry.step));
    let of = |list: fn(&StepSource) -> &[AllowanceSource], at: u8| {
        source.and_then(|step| list(step).get(usize::from(at)))
    };
    let (name, source) = match entry.note {
        TraceNote::BaseCapped { cap, .. } => ("cap", of(|step| &step.base_caps, cap)),
        TraceNote::Capped { cap, .. } => ("cap", of(|step| &step.caps, cap)),
        TraceNote::Deductible { deductible, .. } => {
            ("deductible", of(|step| &step.deductibles, deductible))
        }
        TraceNote::Limited { limit_no, .. } => ("limit", of(|step| &step.limits, limit_no)),
        TraceNote::Copay { .. } => ("copay", source.and_then(|step| step.amount.as_ref())),
        _ => ("fixed_amount", source.and_then(|step| step.amount.as_ref())),
    };
    let (changes, repeat) = (allowance.changes.as_slice(), allowance.repeat.as_ref());
    Some(Told { name, changes, repeat, source })
}

/// Fills `how` and `why` of a change to an amount.
fn amount_change(
    part: &ExplainedPart<'_>,
    told: &Told<'_>,
    reason: AmountReason,
    values: &mut Values<'_>,
) -> Option<()> {
    let messages = values.messages();
    let mut inner = Values::new(messages, part.plan.currency());
    let mut condition = String::new();
    let key = match reason {
        AmountReason::Days { days } => {
            inner.text("days", format!("{days}"));
            "days"
        }
        AmountReason::Change { change } => {
            let place = usize::from(change);
            let source = told.source.and_then(|source| source.changes.get(place));
            condition = why(part, source.and_then(|one| one.when.as_ref()), messages);
            changed(told.changes.get(place)?.how, &mut inner)
        }
        AmountReason::Visit { number } => {
            inner.text("number", format!("{number}"));
            let how = repeated(told.repeat?, number, &mut inner);
            let how = inner.fill("how", how);
            inner.text("how", how);
            "visit"
        }
        AmountReason::Years => {
            inner.text("years", format!("{}", part.facts.unbroken_years));
            inner.text("free", format!("{}", part.facts.claim_free_years));
            "years"
        }
        AmountReason::Share { share, charged } => {
            inner.text("share", messages.rate(share));
            inner.money("charged", charged);
            "share"
        }
    };
    values.text("how", inner.fill("how", key));
    values.text("why", condition);
    Some(())
}

/// Fills in a change; the key of its words.
fn changed(how: How, values: &mut Values<'_>) -> &'static str {
    match how {
        How::Factor(ppm) => {
            values.text("factor", factor(ppm, values.messages()));
            "factor"
        }
        How::Add(more) => {
            values.money("amount", Amount::from_minor(more));
            "add"
        }
        How::Less(less) => {
            values.money("amount", Amount::from_minor(less));
            "less"
        }
        How::Exactly(exact) => {
            values.money("amount", Amount::from_minor(exact));
            "exactly"
        }
    }
}

/// Fills in what a repeated visit changes; the key of its words.
fn repeated(repeat: &Repeat, number: u64, values: &mut Values<'_>) -> &'static str {
    match repeat {
        Repeat::From { rows, .. } => {
            let reached = rows.iter().take_while(|(visit, _)| u64::from(*visit) <= number);
            reached.last().map_or("factor", |(_, how)| changed(*how, values))
        }
        Repeat::Down { less, floor, .. } => {
            values.money("amount", Amount::from_minor(*less));
            values.money("floor", Amount::from_minor(*floor));
            "down"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tiers_give_is_exact_to_the_millionth_of_a_minor_unit() {
        let half = Rate::parse("50%").unwrap();
        let fen = Amount::from_minor(1);
        assert_eq!(exact(Currency::CNY, &[(fen, half)]), "0.005");
        assert_eq!(exact(Currency::CNY, &[(fen, half); 4]), "0.02");
        assert_eq!(exact(Currency::JPY, &[(fen, half)]), "0.5");
        assert_eq!(exact(Currency::JPY, &[(fen, half); 4]), "2");
        let big = Amount::from_minor(123_456_789);
        assert_eq!(exact(Currency::CNY, &[(big, Rate::ONE)]), "1234567.89");
    }
}
