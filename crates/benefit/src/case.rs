//! Case files: worked examples beside a plan, with bills by lines and several plans.

use alloc::{format, string::String, vec::Vec};
use primitives::{CivilDate, Detail};

use crate::{
    accumulator::Accumulators,
    bill::{Bill, LineItem},
    catalogue::{Catalogue, VisitFacts},
    compile::step_name,
    decimal::{Quantity, UnitPrice},
    example::{Bench, programme, read_accumulators, read_visit},
    facts::{AgeBand, Facts},
    plan::Plan,
    sort::sort_lines,
    source::{AccumulatorValue, CaseSource, FactsSource, LineSource, PlanSource, VisitSource},
    stay::AdjudicatedPart,
    sums::CategorySums,
};

/// Runs a case under its plans, each with its source, in the order of the case's `plans`.
///
/// # Errors
/// The first visit that cannot be read or does not come out, with what every step gave.
pub fn run_case(
    case: &CaseSource,
    plans: &[(&PlanSource, &Plan)],
    catalogue: Option<&Catalogue>,
) -> Result<Vec<Vec<AdjudicatedPart>>, String> {
    let first = case.visit.first().ok_or("`visit` is missing: a case has at least one")?;
    let bare: Vec<&Plan> = plans.iter().map(|(_, plan)| *plan).collect();
    let (source, plan) = in_force(plans, first.date)?;
    let mut running = read_accumulators(&case.accumulators, source, plan, first.date)?;
    let name = |at: usize, step: u8| {
        plans.get(at).map_or_else(String::new, |(source, _)| step_name(source, step))
    };
    let bench = Bench { plans: &bare, name: &name };
    let mut answers = Vec::new();
    for (number, visit) in (1_u32..).zip(&case.visit) {
        let mut run = || {
            let sums = visit_sums(visit, plans, catalogue)?;
            let last = sums.span().map_or(visit.date, |(_, last)| last);
            let (source, plan) = in_force(plans, last)?;
            read_visit(visit, source, plan, sums)?
                .run(&bench, &mut running)
                .map_err(|mistake| mistake.in_full())
        };
        answers.push(run().map_err(|message| format!("visit {number}: {message}"))?);
    }
    Ok(answers)
}

/// What every step gave in a visit, in one line, with the steps' names: as in the error of a case
/// that does not come out.
#[must_use]
pub fn steps_text(plans: &[(&PlanSource, &Plan)], parts: &[AdjudicatedPart]) -> String {
    let bare: Vec<&Plan> = plans.iter().map(|(_, plan)| *plan).collect();
    let name = |at: usize, step: u8| {
        plans.get(at).map_or_else(String::new, |(source, _)| step_name(source, step))
    };
    crate::example::steps_text(&Bench { plans: &bare, name: &name }, parts)
}

/// A person's facts and running amounts as people write them, with the names of the plans, for a
/// bill with these sums: facts by the plan in force on its last day, running amounts by the one on
/// its first day, if there is one.
///
/// # Errors
/// What cannot be read, by its field.
pub fn read_person(
    facts: &FactsSource,
    accumulators: &[AccumulatorValue],
    plans: &[(&PlanSource, &Plan)],
    sums: &CategorySums,
) -> Result<(Facts, Accumulators), String> {
    let (first, last) = sums.span().ok_or("the bill has no rows")?;
    let (source, _) = in_force(plans, last)?;
    let facts = crate::example::facts(facts, source, sums)
        .map_err(|message| format!("`facts`: {message}"))?;
    let (source, plan) = in_force(plans, first).or_else(|_| in_force(plans, last))?;
    let accumulators = read_accumulators(accumulators, source, plan, first)?;
    Ok((facts, accumulators))
}

fn in_force<'a>(
    plans: &[(&'a PlanSource, &'a Plan)],
    day: CivilDate,
) -> Result<(&'a PlanSource, &'a Plan), String> {
    let found = plans.iter().find(|(_, plan)| plan.valid().contains(day));
    found.copied().ok_or_else(|| format!("none of the case's plans is in force on {day}"))
}

/// The sums of a visit of a case, by its rows or by its lines.
///
/// # Errors
/// What cannot be read or sorted, by its field.
pub fn visit_sums(
    visit: &VisitSource,
    plans: &[(&PlanSource, &Plan)],
    catalogue: Option<&Catalogue>,
) -> Result<CategorySums, String> {
    let (source, plan) = in_force(plans, visit.date)?;
    match (visit.line.is_empty(), visit.row.is_empty()) {
        (true, false) => crate::example::rows(visit, source),
        (false, true) => {
            let catalogue = catalogue.ok_or("`catalogue` is missing: lines need one")?;
            let lines: Result<Vec<LineItem>, String> = (1_u32..)
                .zip(&visit.line)
                .map(|(line_no, line)| read_line(line_no, line, visit, source))
                .collect();
            let (currency, lines) = (plan.currency(), lines?);
            let bill = Bill { currency, lines, diagnosis_groups: Vec::new() };
            let sorted = sort_lines(catalogue, &bill, &visit_facts(&visit.facts));
            sorted.map(|sorted| sorted.sums).map_err(|error| format!("{error}"))
        }
        _ => Err(String::from("a visit needs either `row` or `line`")),
    }
}

/// What a catalogue's conditions may ask, of facts as people write them.
#[must_use]
pub fn visit_facts(facts: &FactsSource) -> VisitFacts {
    let band = facts.age_band.and_then(|(from, below)| AgeBand::new(from, below));
    VisitFacts {
        visit_type: facts.visit_type,
        hospital_level: facts.hospital_level,
        diagnosis_groups: facts.diagnosis_groups.clone(),
        age: facts.age.map_or(band.unwrap_or(AgeBand::ANY), AgeBand::exactly),
        sex: facts.sex.unwrap_or(crate::word::Sex::Unstated),
    }
}

fn read_line(
    line_no: u32,
    line: &LineSource,
    visit: &VisitSource,
    source: &PlanSource,
) -> Result<LineItem, String> {
    let place = |message: Detail| format!("line {line_no}: {message}");
    let quantity =
        line.quantity.as_ref().map_or(Ok(Quantity::ONE), |text| Quantity::parse(&text.0));
    let price = line.unit_price.as_ref().map(|text| UnitPrice::parse(&text.0)).transpose();
    Ok(LineItem {
        line_no,
        item_code: line.item.clone(),
        name: String::new(),
        service_date: line.date.unwrap_or(visit.date),
        quantity: quantity.map_err(place)?,
        unit_price: price.map_err(place)?,
        amount: line.amount.amount(source.plan.currency).map_err(place)?,
        category: line.category,
        programme: programme(line.programme.as_deref(), source)
            .map_err(|message| place(message.into()))?,
        slot: line.slot,
    })
}
