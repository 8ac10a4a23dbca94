//! Why no payer pays: what counts towards benefits and met no rule is explained by the rules that
//! come closest to the visit, and what they ask that does not hold.

use alloc::{string::String, vec, vec::Vec};
use primitives::Amount;

use super::{
    ExplainedPart, Messages, StepText, Values,
    condition::{Demand, demands, joined},
    in_language, new_step, note,
};
use crate::{adjudication::TraceNote, source::StepSource};

/// The most rules that are named.
const RULES_MAX: usize = 3;

/// A rule that would pay, and what of its condition does not hold.
struct Near {
    step: u8,
    failed: Vec<Demand>,
}

/// Texts for a part in which no payer's rule ran; none when one did.
pub(super) fn steps(part: &ExplainedPart<'_>, messages: &Messages) -> Vec<StepText> {
    let paying = |note: &TraceNote| matches!(note, TraceNote::Paid { .. });
    if part.adjudication.trace.iter().any(|entry| paying(&entry.note)) {
        return Vec::new();
    }
    let mut values = Values::new(messages, part.plan.currency());
    values.money("in_policy", part.adjudication.in_policy);
    let visit_type = messages.text("visit_type", part.facts.visit_type.name());
    values.text("visit_type", visit_type);
    if part.adjudication.in_policy.is_zero() {
        return vec![general(part, values.fill("unpaid", "nothing_in_policy"), messages)];
    }
    let near = nearest(part, messages);
    let key = if near.is_empty() { "no_rule_for_visit_type" } else { "no_rule_applies" };
    let mut texts = vec![general(part, values.fill("unpaid", key), messages)];
    for one in near {
        let failed: Vec<String> = one.failed.iter().map(|one| one.failed(messages)).collect();
        values.text("conditions", joined(&failed, messages));
        let key = if failed.is_empty() { "rule_has_nothing" } else { "rule_needs" };
        let mut text = new_step(part, one.step, messages);
        text.sentences.push(values.fill("unpaid", key));
        texts.push(text);
    }
    texts
}

/// A text that belongs to the plan as a whole.
fn general(part: &ExplainedPart<'_>, sentence: String, messages: &Messages) -> StepText {
    StepText {
        rule: String::new(),
        plan: String::from(part.plan.id()),
        title: String::from(in_language(&part.source.plan.name, messages.language())),
        slot: 0,
        before: Amount::ZERO,
        after: Amount::ZERO,
        sentences: vec![sentence],
        words: String::new(),
        source: String::new(),
    }
}

/// The paying rules for this type of visit of which least does not hold.
fn nearest(part: &ExplainedPart<'_>, messages: &Messages) -> Vec<Near> {
    let concerns = |(step, source): &(u8, &StepSource)| {
        let has_slot = !source.per_slot || !part.facts.slots.is_empty();
        let of_in_policy = source.base.as_ref().is_none_or(|base| {
            base.parts.contains(&crate::source::Part::InPolicy)
                && (base.of == "left" || base.of == "charged")
        });
        note::payer(part.plan, *step).is_some() && has_slot && of_in_policy
    };
    let near = |(step, source): (u8, &StepSource)| {
        let asked = |when| demands((part.source, part.facts), when, messages);
        let all = source.when.as_ref().map_or_else(Vec::new, asked);
        let failed: Vec<Demand> =
            all.into_iter().filter(|demand| demand.holds != Some(true)).collect();
        (!failed.iter().any(Demand::is_visit_type)).then_some(Near { step, failed })
    };
    let steps = (0_u8..).zip(&part.source.step).filter(concerns);
    let mut found: Vec<Near> = steps.filter_map(near).collect();
    let least = found.iter().map(|one| one.failed.len()).min().unwrap_or(0);
    found.retain(|one| one.failed.len() == least);
    found.truncate(RULES_MAX);
    found
}
