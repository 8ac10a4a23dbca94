//! Claims for bills that were paid in full, quoted as a visit is.

use benefit::{Bill, CategorySums, Explanation, VisitFacts};
use ledger::modules::claim::{self, ClaimCare, ClaimRecord, ClaimRow};
use ledger::modules::visit::Split;
use ledger::modules::{coverage, network};
use primitives::{CivilDate, RegionId, SchemeId};

use super::{Adjudicated, Asked, Paying, QuoteView, explanation, quoted, rejected, sort};
use crate::api::claim::converted::{Converted, ConvertedView, exchange_step};
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::problem::{Problem, code};

/// A claim for bills that were paid in full, as its desk reads them.
///
/// # Errors
/// Those of a quote.
pub(in crate::api) fn quote_claim(
    call: &Call,
    row: &ClaimRow,
    care: &ClaimCare,
    (bill, converted): (Bill, Option<Converted>),
) -> Result<QuoteView, Problem> {
    let asked = Asked::Claim { row: Box::new(row.clone()), care: *care };
    let (bill, view) = told_apart(bill, converted);
    let sorted = sort(call, &asked, bill)?;
    let paying = Paying { personal_account: false, family_account: false };
    let mut quote = quoted(call, &asked, paying, sorted.sums.clone(), Some(sorted))?;
    say_rate(call, row, view.as_ref(), quote.explanation.as_mut());
    Ok(quote)
}

/// The bill that is sorted, in the region's currency, and how it came to be.
fn told_apart(bill: Bill, converted: Option<Converted>) -> (Bill, Option<ConvertedView>) {
    match converted {
        Some(found) => (found.bill, Some(found.view)),
        None => (bill, None),
    }
}

/// The rate stands before everything that was computed of what it gave.
fn say_rate(
    call: &Call,
    row: &ClaimRow,
    view: Option<&ConvertedView>,
    explanation: Option<&mut Explanation>,
) {
    if let (Some(view), Some(explanation)) = (view, explanation) {
        explanation.steps.insert(0, exchange_step(call, row, view));
    }
}

/// A claim as it was accepted: its record's parts, and why.
///
/// # Errors
/// Those of sorting its lines again.
pub(in crate::api) fn requote_claim(
    call: &Call,
    row: &ClaimRow,
    record: &ClaimRecord,
    (bill, converted): (Bill, Option<Converted>),
) -> Result<QuoteView, Problem> {
    let asked = Asked::Claim { row: Box::new(row.clone()), care: record.care };
    let (bill, view) = told_apart(bill, converted);
    let sorted = sort(call, &asked, bill)?;
    let mut explanation = explanation(call, &record.parts, Some(&sorted))?;
    say_rate(call, row, view.as_ref(), explanation.as_mut());
    let region = network::view::region(&call.view.state, row.region).ok_or_else(not_found)?;
    let split = Split::of(&record.parts).ok_or_else(|| Problem::new(&code::INTERNAL))?;
    Ok(QuoteView {
        height: call.view.tip.height,
        currency: region.currency,
        split,
        sums: record.sums.clone(),
        lines: sorted.lines,
        parts: record.parts.clone(),
        explanation,
    })
}

/// What remains of an accepted claim, as a correction will compute it.
///
/// # Errors
/// Those of a quote.
pub(in crate::api) fn quote_remaining_claim(
    call: &Call,
    row: &ClaimRow,
    record: &ClaimRecord,
    (bill, converted): (Bill, Option<Converted>),
) -> Result<QuoteView, Problem> {
    let asked = Asked::Claim { row: Box::new(row.clone()), care: record.care };
    let (bill, view) = told_apart(bill, converted);
    let sorted = sort(call, &asked, bill)?;
    let (state, sums) = (&call.view.state, &sorted.sums);
    let quoted = call.gateway.with_plans(|plans| {
        claim::quote_remaining_claim(state, plans, row, record, sums, call.instant())
    });
    let quoted = quoted.map_err(rejected)?;
    let mut explanation = explanation(call, &quoted.parts, Some(&sorted))?;
    say_rate(call, row, view.as_ref(), explanation.as_mut());
    Ok(QuoteView {
        height: call.view.tip.height,
        currency: quoted.currency,
        split: quoted.split,
        sums: sorted.sums,
        lines: sorted.lines,
        parts: quoted.parts,
        explanation,
    })
}

pub(super) fn of_claim(
    call: &Call,
    row: &ClaimRow,
    care: &ClaimCare,
    sums: &CategorySums,
) -> Result<Adjudicated, Problem> {
    let state = &call.view.state;
    let quoted = call.gateway.with_plans(|plans| claim::quote_claim(state, plans, row, care, sums));
    let quoted = quoted.map_err(rejected)?;
    Ok(Adjudicated { parts: quoted.parts, split: quoted.split, currency: quoted.currency })
}

/// What sorting may ask of a claim, whose provider is no party of this ledger.
pub(super) fn claim_facts(
    call: &Call,
    row: &ClaimRow,
    care: &ClaimCare,
    day: CivilDate,
) -> Result<(VisitFacts, [RegionId; 2], SchemeId), Problem> {
    let (state, region, scheme) = (&call.view.state, row.region, row.scheme);
    let place = care.place;
    let known = coverage::view::facts_for(state, row.person, region, scheme, place.region, day)
        .map_err(rejected)?;
    let facts = VisitFacts {
        visit_type: care.visit_type,
        hospital_level: place.level,
        diagnosis_groups: Vec::new(),
        age: known.age,
        sex: known.sex,
    };
    Ok((facts, [place.region, region], scheme))
}
