//! Why each amount is what it is, in a reader's language: one plain sentence with the number first,
//! then what each step did, and the words of the law after that.
//!
//! The sentences are data, in `locales/<language>/benefit.toml`. This crate reads no files: the
//! caller parses the file into [`MessageTables`] and makes [`Messages`] of it once.

mod change;
pub(crate) mod condition;
mod exchange;
mod line;
mod message;
mod note;
mod unpaid;

pub(crate) use change::exact;
pub use exchange::{ExplainedExchange, explain_exchange};
pub use line::{ExplainedBill, LineText};
pub use message::{MessageError, MessageTables, Messages};

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use primitives::{Amount, CivilDate, Currency};
use serde::{Deserialize, Serialize};

use crate::{
    adjudication::{Adjudication, TraceNote},
    facts::Facts,
    plan::Plan,
    source::{PlanSource, in_language},
    word::Payer,
};
pub(crate) use message::Values;

/// A part of a bill that was adjudicated under one plan; most bills have one part.
#[derive(Clone, Copy, Debug)]
pub struct ExplainedPart<'a> {
    /// The plan as people wrote it: its titles, words and sources.
    pub source: &'a PlanSource,
    /// The plan as it was run.
    pub plan: &'a Plan,
    /// The facts with which it was run.
    pub facts: &'a Facts,
    /// The first day of the part.
    pub from: CivilDate,
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
    /// By which catalogue the lines were sorted and where that is from, if the bill was given.
    #[serde(default)]
    pub catalogue: String,
    /// What became of each line, if the bill was given.
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

/// Explains an adjudication, and the lines of its bill where they are known.
#[must_use]
pub fn explain(
    parts: &[ExplainedPart<'_>],
    bill: Option<&ExplainedBill<'_>>,
    messages: &Messages,
) -> Explanation {
    let currency = parts.first().map_or(Currency::CNY, |part| part.plan.currency());
    let is_cut = parts.len() > 1;
    Explanation {
        language: String::from(messages.language()),
        headline: headline(parts, currency, messages),
        figures: figures(parts, currency, messages),
        steps: parts.iter().flat_map(|part| steps(part, is_cut, messages)).collect(),
        catalogue: bill.map_or_else(String::new, |bill| line::catalogue(bill, messages)),
        lines: bill.map_or_else(Vec::new, |bill| line::lines(bill, messages)),
    }
}

fn sum(parts: &[ExplainedPart<'_>], of: impl Fn(&Adjudication) -> Amount) -> Amount {
    parts.iter().fold(Amount::ZERO, |sum, part| sum.saturating_add(of(part.adjudication)))
}

fn headline(parts: &[ExplainedPart<'_>], currency: Currency, messages: &Messages) -> String {
    let cash = sum(parts, |one| one.cash);
    let accounts = sum(parts, |one| one.personal_account.saturating_add(one.paid_by_family()));
    let payers = sum(parts, Adjudication::paid_by_payers);
    let mut values = Values::new(messages, currency);
    values.money("total", sum(parts, |one| one.total));
    values.money("cash", cash);
    values.money("accounts", accounts);
    values.money("payers", payers);
    let key = match (payers.is_zero(), accounts.is_zero(), cash.is_zero()) {
        (true, true, true) => "no_charge",
        (false, true, true) => "nothing",
        (true, false, true) => "accounts_all",
        (false, false, true) => "accounts_only",
        (true, true, false) => "cash_all",
        (false, true, false) => "cash",
        (true, false, false) => "cash_and_accounts_all",
        (false, false, false) => "cash_and_accounts",
    };
    values.fill("headline", key)
}

/// What a payer is called: by the first plan that has a name of its own for it, else in general.
pub(crate) fn payer_name<'a>(
    sources: &[&'a PlanSource],
    payer: Payer,
    messages: &'a Messages,
) -> &'a str {
    let own = sources.iter().find_map(|source| source.plan.payers.get(&payer));
    own.map_or_else(
        || messages.text("payer", payer.name()),
        |names| in_language(names, messages.language()),
    )
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
    let sources: Vec<&PlanSource> = parts.iter().map(|part| part.source).collect();
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
        name: String::from(match Payer::from_name(figure).filter(|_| table == "payer") {
            Some(payer) => payer_name(&sources, payer, messages),
            None => messages.text(table, figure),
        }),
        amount,
        text: messages.money(amount, currency),
    };
    shown.map(text).collect()
}

fn steps(part: &ExplainedPart<'_>, is_cut: bool, messages: &Messages) -> Vec<StepText> {
    let mut texts = unpaid::steps(part, messages);
    let mut last = None;
    let trace = &part.adjudication.trace;
    for (at, entry) in trace.iter().enumerate() {
        if last != Some((entry.step, entry.slot)) {
            last = Some((entry.step, entry.slot));
            let mut text = new_step(part, entry.step, messages);
            text.slot = entry.slot.0;
            texts.push(text);
        }
        let Some(text) = texts.last_mut() else { continue };
        match entry.note {
            TraceNote::Base { amount } => (text.before, text.after) = (amount, amount),
            TraceNote::Paid { left, .. } => text.after = left,
            TraceNote::Account { paid, .. } => text.after = text.after.saturating_sub(paid),
            _ => {}
        }
        text.sentences.extend(note::sentence(part, trace, at, messages));
    }
    if is_cut {
        for text in &mut texts {
            let mut values = Values::new(messages, part.plan.currency());
            values.text("title", text.title.as_str());
            values.text("from", format!("{}", part.from));
            text.title = values.fill("step", "from");
        }
    }
    texts
}

fn new_step(part: &ExplainedPart<'_>, step: u8, messages: &Messages) -> StepText {
    let language = messages.language();
    let source = part.source.step.get(usize::from(step));
    let title = source.map_or("", |step| in_language(&step.title, language));
    let title = if title.is_empty() { note::title(part, step, messages) } else { title };
    StepText {
        rule: source.map_or_else(String::new, |step| step.id.clone()),
        plan: String::from(part.plan.id()),
        title: String::from(title),
        slot: 0,
        before: Amount::ZERO,
        after: Amount::ZERO,
        sentences: Vec::new(),
        words: source.map_or_else(String::new, |step| in_language(&step.words, language).into()),
        source: source.map_or_else(String::new, |step| step.source.in_language(language).into()),
    }
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
        if !self.catalogue.is_empty() {
            writeln!(f, "\n{}", self.catalogue)?;
        }
        for line in &self.lines {
            writeln!(f, "\n{}: {}", line.line_no, line.sentence)?;
        }
        Ok(())
    }
}
