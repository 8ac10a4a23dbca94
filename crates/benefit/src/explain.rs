//! Why each amount is what it is, in a reader's language: one plain sentence with the number first,
//! then what each step did, and the words of the law after that.
//!
//! The sentences are data, in `locales/<language>/benefit.toml`. This crate reads no files: the
//! caller parses the file into [`MessageTables`] and makes [`Messages`] of it once.

mod message;
mod note;

pub use message::{MessageError, MessageTables, Messages};

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use primitives::{Amount, Currency};
use serde::{Deserialize, Serialize};

use crate::{
    adjudication::{Adjudication, TraceEntry, TraceNote},
    plan::Plan,
    sort::{LineReason, SortedLine},
    source::{PlanSource, Texts},
    word::Payer,
};
use message::Values;

/// A part of a bill that was adjudicated under one plan; most bills have one part.
#[derive(Clone, Copy, Debug)]
pub struct ExplainedPart<'a> {
    /// The plan as people wrote it: its titles, words and sources.
    pub source: &'a PlanSource,
    /// The plan as it was run.
    pub plan: &'a Plan,
    /// What came out.
    pub adjudication: &'a Adjudication,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The language tag.
    pub language: String,
    /// One plain sentence with the number.
    pub headline: String,
    /// Who pays how much, and what the bill consists of.
    pub figures: Vec<FigureText>,
    /// What each step did, in order.
    pub steps: Vec<StepText>,
    /// What became of each line, if the lines were given.
    pub lines: Vec<LineText>,
}

/// A figure with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureText {
    /// What it is, as a stable word: `pooled_fund`, `cash`, `in_policy`.
    pub figure: String,
    /// What it is, in words.
    pub name: String,
    /// How much, in minor units.
    pub amount: Amount,
    /// How much, as written in the language.
    pub text: String,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// The step's name in the plan file.
    pub rule: String,
    /// The plan's name.
    pub plan: String,
    /// The step's title in words.
    pub title: String,
    /// The slot for which it ran, 0 for none.
    pub slot: u8,
    /// What it looked at, in minor units.
    pub before: Amount,
    /// What of it is left after the step, in minor units.
    pub after: Amount,
    /// What it did, sentence by sentence.
    pub sentences: Vec<String>,
    /// The words of the rule, in the language or else in that of the source.
    pub words: String,
    /// Where the words are from.
    pub source: String,
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineText {
    /// The line's number.
    pub line_no: u32,
    /// Why, as a stable word.
    pub reason: LineReason,
    /// Why, in a sentence.
    pub sentence: String,
}

/// Explains an adjudication; `lines` may be empty.
#[must_use]
pub fn explain(
    parts: &[ExplainedPart<'_>],
    lines: &[SortedLine],
    messages: &Messages,
) -> Explanation {
    let currency = parts.first().map_or(Currency::CNY, |part| part.plan.currency());
    Explanation {
        language: String::from(messages.language()),
        headline: headline(parts, currency, messages),
        figures: figures(parts, currency, messages),
        steps: parts.iter().flat_map(|part| steps(part, messages)).collect(),
        lines: lines.iter().map(|line| line_text(line, currency, messages)).collect(),
    }
}

/// The text in the language, else in English, else the first there is.
pub(crate) fn in_language<'a>(texts: &'a Texts, language: &str) -> &'a str {
    let found = texts.get(language).or_else(|| texts.get("en")).or_else(|| texts.values().next());
    found.map_or("", String::as_str)
}

fn sum(parts: &[ExplainedPart<'_>], of: impl Fn(&Adjudication) -> Amount) -> Amount {
    parts.iter().fold(Amount::ZERO, |sum, part| sum.saturating_add(of(part.adjudication)))
}

fn headline(parts: &[ExplainedPart<'_>], currency: Currency, messages: &Messages) -> String {
    let cash = sum(parts, |one| one.cash);
    let accounts = sum(parts, |one| one.personal_account.saturating_add(one.paid_by_family()));
    let mut values = Values::new(messages, currency);
    values.money("total", sum(parts, |one| one.total));
    values.money("cash", cash);
    values.money("accounts", accounts);
    values.money("payers", sum(parts, Adjudication::paid_by_payers));
    let key = match (cash.is_zero(), accounts.is_zero()) {
        (true, true) => "nothing",
        (true, false) => "accounts_only",
        (false, true) => "cash",
        (false, false) => "cash_and_accounts",
    };
    values.fill("headline", key)
}

fn figures(
    parts: &[ExplainedPart<'_>],
    currency: Currency,
    messages: &Messages,
) -> Vec<FigureText> {
    let mut list: Vec<(&str, &str, Amount)> = alloc::vec![
        ("figure", "total", sum(parts, |one| one.total)),
        ("figure", "self_paid", sum(parts, |one| one.self_paid)),
        ("figure", "over_cap", sum(parts, |one| one.over_cap)),
        ("figure", "class_b_share", sum(parts, |one| one.class_b_share)),
        ("figure", "in_policy", sum(parts, |one| one.in_policy)),
        ("figure", "deductible", sum(parts, |one| one.deductible)),
    ];
    for payer in Payer::ALL {
        list.push(("payer", payer.name(), sum(parts, |one| one.paid_by(*payer))));
    }
    list.push(("figure", "personal_account", sum(parts, |one| one.personal_account)));
    list.push(("figure", "family_accounts", sum(parts, Adjudication::paid_by_family)));
    list.push(("figure", "cash", sum(parts, |one| one.cash)));
    let shown = list.into_iter().filter(|(_, figure, amount)| {
        !amount.is_zero() || matches!(*figure, "total" | "in_policy" | "cash")
    });
    let text = |(table, figure, amount): (&str, &str, Amount)| FigureText {
        figure: String::from(figure),
        name: String::from(messages.text(table, figure)),
        amount,
        text: messages.money(amount, currency),
    };
    shown.map(text).collect()
}

fn steps(part: &ExplainedPart<'_>, messages: &Messages) -> Vec<StepText> {
    let mut texts: Vec<StepText> = Vec::new();
    let mut last = None;
    for entry in &part.adjudication.trace {
        if last != Some((entry.step, entry.slot)) {
            last = Some((entry.step, entry.slot));
            texts.push(new_step(part, entry, messages));
        }
        let Some(text) = texts.last_mut() else { continue };
        match entry.note {
            TraceNote::Base { amount } => (text.before, text.after) = (amount, amount),
            TraceNote::Paid { left, .. } => text.after = left,
            TraceNote::Account { paid, .. } => text.after = text.after.saturating_sub(paid),
            _ => {}
        }
        text.sentences.push(note::sentence(part, entry, messages));
    }
    texts
}

fn new_step(part: &ExplainedPart<'_>, entry: &TraceEntry, messages: &Messages) -> StepText {
    let language = messages.language();
    let source = part.source.step.get(usize::from(entry.step));
    let title = source.map_or("", |step| in_language(&step.title, language));
    let title = if title.is_empty() { note::title(part.plan, entry.step, messages) } else { title };
    StepText {
        rule: source.map_or_else(String::new, |step| step.id.clone()),
        plan: String::from(part.plan.id()),
        title: String::from(title),
        slot: entry.slot.0,
        before: Amount::ZERO,
        after: Amount::ZERO,
        sentences: Vec::new(),
        words: source.map_or_else(String::new, |step| in_language(&step.words, language).into()),
        source: source.map_or_else(String::new, |step| step.source.clone()),
    }
}

fn line_text(line: &SortedLine, currency: Currency, messages: &Messages) -> LineText {
    let mut values = Values::new(messages, currency);
    let parts = [line.self_paid, line.over_cap, line.class_b_share, line.in_policy];
    values.money("amount", parts.into_iter().fold(Amount::ZERO, Amount::saturating_add));
    values.money("self_paid", line.self_paid);
    values.money("over_cap", line.over_cap);
    values.money("share", line.class_b_share);
    values.money("in_policy", line.in_policy);
    let sentence = values.fill("line", line.reason.name());
    LineText { line_no: line.line_no, reason: line.reason, sentence }
}

impl fmt::Display for Explanation {
    /// As text for a terminal: the headline, the figures, the steps with the law behind them, the
    /// lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        writeln!(f)?;
        for figure in &self.figures {
            writeln!(f, "  {}: {}", figure.name, figure.text)?;
        }
        for (number, step) in (1_u32..).zip(&self.steps) {
            let slot = if step.slot == 0 { String::new() } else { format!(" #{}", step.slot) };
            writeln!(f, "\n{number}. {}{slot}", step.title)?;
            for sentence in &step.sentences {
                writeln!(f, "   {sentence}")?;
            }
            if !step.words.is_empty() {
                writeln!(f, "   > {} — {} [{}]", step.words, step.source, step.rule)?;
            }
        }
        for line in &self.lines {
            writeln!(f, "\n{}: {}", line.line_no, line.sentence)?;
        }
        Ok(())
    }
}
