//! What `yibao quote` prints: text for people, JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use anyhow::Result;
use benefit::explain::{FigureText, StepText};
use benefit::source::Counts;
use benefit::{AdjudicatedPart, Adjudication, Explanation, Facts, Messages, Payer, SortedLine};
use gateway::problem::Language;
use primitives::{Amount, Currency, Hash, Period};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::command::input::{BadInput, bad, printable};

/// The form of the JSON. It changes only together with this name.
const FORMAT: &str = "yibao quote 1";

/// The words of the text that are not reasons.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    bill: String,
    payment: String,
    reasons: String,
    lines: String,
    assumed: String,
    failure: BTreeMap<String, String>,
}

struct Locale {
    messages: Messages,
    words: Words,
}

macro_rules! locale {
    ($tag:literal) => {
        Locale {
            messages: Messages::new(
                toml::from_str(include_str!(concat!(
                    "../../../../../locales/",
                    $tag,
                    "/benefit.toml"
                )))
                .expect("a file of messages that is built in"),
            )
            .expect("messages that are built in"),
            words: toml::from_str(include_str!(concat!(
                "../../../../../locales/",
                $tag,
                "/quote.toml"
            )))
            .expect("a file of words that is built in"),
        }
    };
}

fn locale(language: Language) -> &'static Locale {
    static LOCALES: LazyLock<[Locale; 4]> =
        LazyLock::new(|| [locale!("zh-Hans"), locale!("zh-Hant"), locale!("en"), locale!("de")]);
    match language {
        Language::ZhHans => &LOCALES[0],
        Language::ZhHant => &LOCALES[1],
        Language::En => &LOCALES[2],
        Language::De => &LOCALES[3],
    }
}

/// The sentences of reasons.
pub fn messages(language: Language) -> &'static Messages {
    &locale(language).messages
}

/// How the sentences of input errors begin, with the key of the words for readers of other
/// languages. The first that fits counts.
const FAILURES: &[(&str, &str, &str)] = &[
    ("the plan `", "does not exist", "plan_missing"),
    ("the bill `", "does not exist", "bill_missing"),
    ("the person `", "does not exist", "person_missing"),
    ("the catalogue `", "does not exist", "catalogue_missing"),
    ("there is no catalogue", "", "no_catalogue"),
    ("the plan `", "example `", "plan_example"),
    ("the plan `", "", "plan"),
    ("the plans", "", "plan"),
    ("the bill `", "no plan given holds", "bill_day"),
    ("the bill `", "", "bill"),
    ("the person `", "", "person"),
    ("the catalogue `", "", "catalogue"),
];

/// An input error for readers of the language: which file is wrong and what to do, then the place
/// and the detail, which are in the words of the file's own fields.
pub fn failure(error: anyhow::Error, language: Language) -> anyhow::Error {
    if !error.is::<BadInput>() {
        return error;
    }
    let detail = error.to_string();
    let fits = |(start, inside, _): &&(&str, &str, &str)| {
        detail.starts_with(start) && detail.contains(inside)
    };
    let known = FAILURES.iter().find(fits).map_or("other", |(_, _, key)| key);
    match locale(language).words.failure.get(known) {
        Some(words) => bad(format!("{words} {detail}")),
        None => error,
    }
}

#[derive(Serialize)]
struct Output<'a> {
    format: &'static str,
    currency: Currency,
    plans: Vec<PlanName<'a>>,
    catalogue: CatalogueName<'a>,
    facts: &'a Facts,
    are_facts_assumed: bool,
    totals: Totals,
    parts: &'a [AdjudicatedPart],
    lines: &'a [SortedLine],
    accumulators: Vec<Running<'a>>,
    explanation: &'a Explanation,
}

#[derive(Serialize)]
struct PlanName<'a> {
    id: &'a str,
    hash: Hash,
    source_hash: Hash,
    valid: Period,
}

#[derive(Serialize)]
struct CatalogueName<'a> {
    id: &'a str,
    hash: Hash,
}

/// The sums over all parts, in minor units.
#[derive(Serialize)]
struct Totals {
    total: Amount,
    self_paid: Amount,
    over_cap: Amount,
    class_b_share: Amount,
    in_policy: Amount,
    deductible: Amount,
    payers: BTreeMap<&'static str, Amount>,
    personal_account: Amount,
    family_accounts: Amount,
    cash: Amount,
}

/// A running amount after the bill, in the form in which a person's file takes it.
#[derive(Serialize)]
struct Running<'a> {
    id: &'a str,
    period: String,
    slot: u8,
    value: String,
}

/// The answer for programs.
///
/// # Errors
/// None that can happen: everything in it has a form in JSON.
pub fn json(answer: &Answer, explanation: &Explanation) -> Result<String> {
    let plans = answer.plans.iter().map(|one| PlanName {
        id: one.plan.id(),
        hash: one.plan.hash(),
        source_hash: one.plan.source_hash(),
        valid: one.plan.valid(),
    });
    let output = Output {
        format: FORMAT,
        currency: answer.bill.currency,
        plans: plans.collect(),
        catalogue: CatalogueName { id: answer.catalogue.id(), hash: answer.catalogue.hash() },
        facts: &answer.facts,
        are_facts_assumed: answer.is_assumed,
        totals: totals(&answer.parts),
        parts: &answer.parts,
        lines: &answer.sorted.lines,
        accumulators: accumulators(answer),
        explanation,
    };
    Ok(serde_json::to_string_pretty(&output)?)
}

fn totals(parts: &[AdjudicatedPart]) -> Totals {
    let sum = |of: &dyn Fn(&Adjudication) -> Amount| {
        let amounts = parts.iter().map(|part| of(&part.adjudication));
        amounts.fold(Amount::ZERO, Amount::saturating_add)
    };
    let payers = Payer::ALL.iter().map(|payer| (payer.name(), sum(&|one| one.paid_by(*payer))));
    Totals {
        total: sum(&|one| one.total),
        self_paid: sum(&|one| one.self_paid),
        over_cap: sum(&|one| one.over_cap),
        class_b_share: sum(&|one| one.class_b_share),
        in_policy: sum(&|one| one.in_policy),
        deductible: sum(&|one| one.deductible),
        payers: payers.filter(|(_, amount)| !amount.is_zero()).collect(),
        personal_account: sum(&|one| one.personal_account),
        family_accounts: sum(&Adjudication::paid_by_family),
        cash: sum(&|one| one.cash),
    }
}

fn accumulators(answer: &Answer) -> Vec<Running<'_>> {
    let currency = answer.bill.currency;
    let kept = answer.accumulators.iter().filter(|(key, _)| !key.period.is_visit());
    let named = kept.filter_map(|(key, value)| {
        let mut sources = answer.plans.iter().flat_map(|one| &one.source.accumulator);
        let found = sources.find(|one| one.number == key.number && one.scope == key.scope)?;
        let value = match found.counts {
            Counts::Money => Amount::from_minor(value).to_decimal(currency),
            Counts::Visits | Counts::Times => value.to_string(),
        };
        Some(Running { id: &found.id, period: key.period.to_string(), slot: key.slot.0, value })
    });
    named.collect()
}

/// The answer for people.
pub fn text(answer: &Answer, explanation: &Explanation, language: Language) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = write_text(&mut out, answer, explanation, locale(language));
    out
}

fn write_text(
    out: &mut String,
    answer: &Answer,
    explanation: &Explanation,
    Locale { messages, words }: &Locale,
) -> std::fmt::Result {
    writeln!(out, "{}", printable(&explanation.headline))?;
    if answer.is_assumed {
        let visit_type = messages.text("visit_type", answer.facts.visit_type.name());
        let assumed = words.assumed.replace("{visit_type}", visit_type);
        writeln!(out, "{assumed}")?;
    }
    let is_payment = |figure: &&FigureText| {
        let name = figure.figure.as_str();
        Payer::from_name(name).is_some()
            || ["personal_account", "family_accounts", "cash"].contains(&name)
    };
    let figures = &explanation.figures;
    let total = figures.iter().find(|figure| figure.figure == "total");
    let consists = figures.iter().filter(|figure| !is_payment(figure) && figure.figure != "total");
    write_table(out, &words.bill, consists.chain(total))?;
    write_table(out, &words.payment, figures.iter().filter(is_payment).chain(total))?;
    writeln!(out, "\n{}", words.reasons)?;
    for (number, step) in (1_u32..).zip(&explanation.steps) {
        write_step(out, number, step)?;
    }
    writeln!(out, "\n{}", words.lines)?;
    if !explanation.catalogue.is_empty() {
        writeln!(out, "  {}", printable(&explanation.catalogue))?;
    }
    let amounts = answer.bill.lines.iter().zip(&explanation.lines);
    for (line, explained) in amounts {
        let name = if line.name.is_empty() { &line.item_code } else { &line.name };
        writeln!(out, "{:>5}  {}  {}", line.line_no, line.service_date, printable(name))?;
        writeln!(out, "       {}", printable(&explained.sentence))?;
    }
    Ok(())
}

/// Amounts below each other, each with its name; the last row is the sum of those above it.
fn write_table<'a>(
    out: &mut String,
    title: &str,
    rows: impl Iterator<Item = &'a FigureText>,
) -> std::fmt::Result {
    let rows: Vec<&FigureText> = rows.collect();
    let width = rows.iter().map(|row| row.text.chars().count()).max().unwrap_or(0);
    writeln!(out, "\n{title}")?;
    for (at, row) in rows.iter().enumerate() {
        if at > 0 && at + 1 == rows.len() {
            writeln!(out, "  {}", "-".repeat(width))?;
        }
        // The deductible is a part of another row.
        let indent = if row.figure == "deductible" { "  " } else { "" };
        // Some names end as a part of a sentence.
        let name = row.name.trim_end_matches([',', '，']);
        writeln!(out, "  {:>width$}  {indent}{}", row.text, printable(name))?;
    }
    Ok(())
}

fn write_step(out: &mut String, number: u32, step: &StepText) -> std::fmt::Result {
    let slot = if step.slot == 0 { String::new() } else { format!(" #{}", step.slot) };
    writeln!(out, "{number}. {}{slot}", printable(&step.title))?;
    for sentence in &step.sentences {
        writeln!(out, "   {}", printable(sentence))?;
    }
    if !step.words.is_empty() {
        for line in step.words.trim().lines() {
            writeln!(out, "   > {}", printable(line))?;
        }
        let source = printable(&step.source);
        writeln!(out, "   — {source} [{} / {}]", step.plan, step.rule)?;
    }
    Ok(())
}
