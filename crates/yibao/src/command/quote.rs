//! `yibao quote`: the split of a bill under a plan, and why, without any ledger.
//!
//! Reading order: [`Quote::run`], [`read_plans`], [`work_out`], `report` (what is printed), `cases`
//! (a folder of plans checked by its own examples). The
//! guide `docs/guide/quote.md` says what goes in and what comes out.

mod cases;
mod report;

pub use report::messages;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use benefit::source::{AccumulatorValue, CatalogueSource, FactsSource, PlanSource};
use benefit::{
    Accumulators, AdjudicatedPart, AdjudicationError, Bill, Catalogue, ExplainedBill,
    ExplainedPart, Explanation, Facts, Plan, Sorted, VisitFacts, adjudicate_stay, compile, explain,
    read_person, sort_lines, split_stay, visit_facts,
};
use clap::Args;
use gateway::problem::{Language, words};
use primitives::{Detail, sha256};
use serde::Deserialize;

use super::input::{bad, parse_toml, read_json, read_text, read_toml};
use super::language::language;

/// A plan file is some tens of kilobytes.
const PLAN_BYTES_MAX: u64 = 4 << 20;
/// A catalogue may hold all drugs of a country.
const CATALOGUE_BYTES_MAX: u64 = 512 << 20;
/// A bill has at most 20,000 lines.
const BILL_BYTES_MAX: u64 = 32 << 20;
const PERSON_BYTES_MAX: u64 = 1 << 20;

#[derive(Args)]
pub struct Quote {
    /// The plan, a TOML file; again for a stay that lies in several plan years.
    #[arg(long = "plan", value_name = "FILE", required_unless_present = "cases")]
    plans: Vec<PathBuf>,
    /// The bill, a JSON file.
    #[arg(long, value_name = "FILE", required_unless_present = "cases")]
    bill: Option<PathBuf>,
    /// Instead of a bill: a folder of plans, whose examples and cases are worked out and checked.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["plans", "bill", "catalogue", "person", "json"])]
    cases: Option<PathBuf>,
    /// The catalogue; when left out, the one that the plan names, else `catalogue.toml` beside it.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// The person and the visit, a JSON file; nothing is known of them when left out.
    #[arg(long, value_name = "FILE")]
    person: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
    /// The language of the reasons: zh-Hans, zh-Hant, en or de.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    lang: Option<Language>,
}

/// What is known of the person and the visit, with the names that the plan uses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    /// As in the cases of a plan.
    facts: FactsSource,
    /// Running amounts before this bill.
    #[serde(default)]
    accumulators: Vec<AccumulatorValue>,
}

/// A plan with what people wrote.
struct Loaded {
    source: PlanSource,
    plan: Plan,
}

/// A bill that was worked out.
struct Answer {
    plans: Vec<Loaded>,
    catalogue: Catalogue,
    bill: Bill,
    facts: Facts,
    /// Whether the facts were assumed because no person was given.
    is_assumed: bool,
    visit: VisitFacts,
    sorted: Sorted,
    parts: Vec<AdjudicatedPart>,
    /// Running amounts after the bill.
    accumulators: Accumulators,
}

impl Quote {
    /// The bill's file; the arguments have one whenever they name no folder of cases.
    fn bill(&self) -> &Path {
        self.bill.as_deref().unwrap_or(Path::new(""))
    }

    pub fn run(self) -> Result<ExitCode> {
        if let Some(folder) = &self.cases {
            return cases::run(folder);
        }
        let language = self.lang.unwrap_or_else(super::language::of_environment);
        let answer = work_out(&self, language).map_err(|error| report::failure(error, language))?;
        let explanation = answer.explain(language);
        if self.json {
            println!("{}", report::json(&answer, &explanation)?);
        } else {
            print!("{}", report::text(&answer, &explanation, language));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn work_out(quote: &Quote, language: Language) -> Result<Answer> {
    let plans = read_plans(&quote.plans)?;
    let bill: Bill = read_json("the bill", quote.bill(), BILL_BYTES_MAX)?;
    let in_bill = |words: String| bad(format!("the bill `{}`: {words}", quote.bill().display()));
    let say = |detail: Detail| words::particulars(language, &detail);
    let currency = plans[0].plan.currency();
    if bill.currency != currency {
        let words = format!(
            "`currency` is {}, the plan's is {currency}; use the plan that the person is insured under",
            bill.currency
        );
        return Err(in_bill(words));
    }
    let catalogue = read_catalogue(quote, &plans)?;
    let person = match &quote.person {
        Some(file) => read_json("the person", file, PERSON_BYTES_MAX)?,
        None => nobody(&plans[0].source),
    };
    let visit = visit_facts(&person.facts);
    let sorted =
        sort_lines(&catalogue, &bill, &visit).map_err(|error| in_bill(say(error.into())))?;
    check_days(&plans, &sorted, quote)?;
    let in_person = |words: String| match &quote.person {
        Some(file) => bad(format!("the person `{}`: {words}", file.display())),
        None => bad(format!("{words}; say who the person is with --person FILE")),
    };
    let sources: Vec<(&PlanSource, &Plan)> =
        plans.iter().map(|one| (&one.source, &one.plan)).collect();
    let (facts, mut accumulators) =
        read_person(&person.facts, &person.accumulators, &sources, &sorted.sums)
            .map_err(in_person)?;
    let compiled: Vec<&Plan> = plans.iter().map(|one| &one.plan).collect();
    let parts =
        adjudicate_stay(&compiled, &sorted.sums, &facts, &accumulators).map_err(|error| {
            match line_at_fault(&bill, error) {
                Some(words) => in_bill(words),
                None => in_person(say(error.into())),
            }
        })?;
    for part in &parts {
        accumulators.apply(&part.adjudication.changes)?;
    }
    let is_assumed = quote.person.is_none();
    Ok(Answer { plans, catalogue, bill, facts, is_assumed, visit, sorted, parts, accumulators })
}

/// The line that names what person or plan do not have, with the remedy.
fn line_at_fault(bill: &Bill, error: AdjudicationError) -> Option<String> {
    let numbered = |line_no: u32, words: String| Some(format!("line {line_no}: {words}"));
    match error {
        AdjudicationError::UnknownSlot(slot) => {
            let line = bill.lines.iter().find(|line| line.slot == slot)?;
            let words = format!(
                "`slot` names slot {slot}, which is not among the person's; add it to `facts.slots` of --person or leave it out"
            );
            numbered(line.line_no, words)
        }
        AdjudicationError::UnknownProgramme(number) => {
            let line = bill.lines.iter().find(|line| line.programme == number)?;
            let words = format!(
                "`programme` names programme {number}, which the plan does not have; use one of its numbers or leave it out"
            );
            numbered(line.line_no, words)
        }
        _ => None,
    }
}

/// The plans, which must fit together.
fn read_plans(files: &[PathBuf]) -> Result<Vec<Loaded>> {
    let plans = files.iter().map(|file| read_plan(file)).collect::<Result<Vec<Loaded>>>()?;
    for (at, one) in plans.iter().enumerate() {
        let shown = files[at].display();
        for (other, earlier) in plans.iter().enumerate().take(at) {
            let others = files[other].display();
            if one.plan.valid().overlaps(&earlier.plan.valid()) {
                return Err(bad(format!(
                    "the plans `{others}` and `{shown}` hold on the same days; name one plan for each day"
                )));
            }
            let place = |plan: &Plan| (plan.currency(), plan.region(), plan.scheme());
            if place(&one.plan) != place(&earlier.plan) {
                return Err(bad(format!(
                    "the plans `{others}` and `{shown}` differ in `currency`, `region` or `scheme`; \
                     several plans are for a stay that goes on into the next plan of the same scheme"
                )));
            }
        }
    }
    Ok(plans)
}

fn read_plan(file: &Path) -> Result<Loaded> {
    let text = read_text("the plan", file, PLAN_BYTES_MAX)?;
    let source: PlanSource = parse_toml("the plan", file, &text)?;
    let plan = compile(&source, sha256(text.as_bytes()))
        .map_err(|error| bad(format!("the plan `{}`: {error}", file.display())))?;
    Ok(Loaded { source, plan })
}

fn read_catalogue(quote: &Quote, plans: &[Loaded]) -> Result<Catalogue> {
    let of_plan = |(file, one): (&PathBuf, &Loaded)| {
        file.with_file_name(one.source.plan.catalogue.as_deref().unwrap_or("catalogue.toml"))
    };
    let file = match &quote.catalogue {
        Some(file) => file.clone(),
        None => {
            let mut files = quote.plans.iter().zip(plans).map(of_plan);
            let file = files.next().unwrap_or_default();
            if let Some(other) = files.find(|other| *other != file) {
                return Err(bad(format!(
                    "the plans name different catalogues; say with --catalogue whether `{}` or `{}` counts",
                    file.display(),
                    other.display()
                )));
            }
            if !file.exists() {
                return Err(bad(format!(
                    "there is no catalogue `{}` beside the plan; name one with --catalogue FILE",
                    file.display()
                )));
            }
            file
        }
    };
    read_catalogue_file(&file)
}

fn read_catalogue_file(file: &Path) -> Result<Catalogue> {
    let source: CatalogueSource = read_toml("the catalogue", file, CATALOGUE_BYTES_MAX)?;
    Catalogue::compile(&source)
        .map_err(|error| bad(format!("the catalogue `{}`: {error}", file.display())))
}

/// A person of whom nothing is known, as an outpatient if the plan has such.
fn nobody(source: &PlanSource) -> Person {
    let types = &source.plan.visit_types;
    let outpatient = benefit::VisitType::Outpatient;
    let visit_type = if types.contains(&outpatient) { None } else { types.first() };
    let form = serde_json::json!({
        "facts": { "visit_type": visit_type.unwrap_or(&outpatient).name() }
    });
    serde_json::from_value(form).expect("facts need a visit type only")
}

/// Every day of service has its plan, unless the last day's plan takes the whole stay.
fn check_days(plans: &[Loaded], sorted: &Sorted, quote: &Quote) -> Result<()> {
    let holds = |day| plans.iter().any(|one| one.plan.valid().contains(day));
    let Some((first, last)) = sorted.sums.span() else { return Ok(()) };
    let day = if holds(last) { first } else { last };
    let in_force = plans.iter().find(|one| one.plan.valid().contains(last));
    let is_never_cut =
        in_force.is_some_and(|one| one.source.plan.split_stay == benefit::source::SplitStay::Never);
    if holds(day) || is_never_cut {
        return Ok(());
    }
    Err(bad(format!(
        "the bill `{}`: no plan given holds on {day}, the day of a line; add the plan of that day with another --plan",
        quote.bill().display()
    )))
}

impl Answer {
    /// The split in words.
    fn explain(&self, language: Language) -> Explanation {
        let compiled: Vec<&Plan> = self.plans.iter().map(|one| &one.plan).collect();
        let cut = split_stay(&compiled, &self.sorted.sums).unwrap_or_default();
        let parts = self.parts.iter().zip(&cut);
        let parts: Vec<ExplainedPart<'_>> = parts
            .filter_map(|(part, cut)| {
                let Loaded { source, plan } = self.plans.get(usize::from(part.plan))?;
                let (from, _) = cut.sums.span()?;
                let (facts, adjudication) = (&self.facts, &part.adjudication);
                Some(ExplainedPart { source, plan, facts, from, adjudication })
            })
            .collect();
        let bill = ExplainedBill {
            catalogue: &self.catalogue,
            bill: &self.bill,
            facts: &self.visit,
            lines: &self.sorted.lines,
        };
        explain(&parts, Some(&bill), report::messages(language))
    }
}
