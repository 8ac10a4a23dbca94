//! Claims for bills that were paid in full, quoted as a visit is.

use benefit::{Bill, CategorySums, VisitFacts};
use ledger::modules::claim::{self, ClaimCare, ClaimRecord, ClaimRow};
use ledger::modules::visit::Split;
use ledger::modules::{coverage, network};
use primitives::{CivilDate, RegionId, SchemeId};

use super::{Adjudicated, Asked, Paying, QuoteView, explanation, quoted, rejected, sort};
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
    bill: Bill,
) -> Result<QuoteView, Problem> {
    let asked = Asked::Claim { row: Box::new(row.clone()), care: *care };
    let sorted = sort(call, &asked, bill)?;
    let paying = Paying { personal_account: false, family_account: false };
    quoted(call, &asked, paying, sorted.sums.clone(), Some(sorted))
}

/// A claim as it was accepted: its record's parts, and why.
///
/// # Errors
/// Those of sorting its lines again.
pub(in crate::api) fn requote_claim(
    call: &Call,
    row: &ClaimRow,
    record: &ClaimRecord,
    bill: Bill,
) -> Result<QuoteView, Problem> {
    let asked = Asked::Claim { row: Box::new(row.clone()), care: record.care };
    let sorted = sort(call, &asked, bill)?;
    let explanation = explanation(call, &record.parts, Some(&sorted))?;
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
