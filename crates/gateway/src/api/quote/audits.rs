//! Settlements adjudicated once more as they were, for an audit.

use benefit::{Bill, VisitFacts};
use ledger::modules::coverage::view::RunningAmounts;
use ledger::modules::visit::{self, SettlementRecord};
use ledger::modules::{organisation, plan};
use primitives::Hash;

use super::{QuoteView, catalogue_root, explanation, rejected, sort_by};
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::problem::{Problem, code};

/// A settlement from its lines: sorted by the catalogue of its plan version, adjudicated under that
/// version with the facts that were attested then, on these running amounts. With the hash of the
/// catalogue.
///
/// # Errors
/// Those of a quote.
pub(in crate::api) fn quote_as_settled(
    call: &Call,
    record: &SettlementRecord,
    bill: Bill,
    amounts: RunningAmounts,
) -> Result<(QuoteView, Hash), Problem> {
    let first = record.parts.first().ok_or_else(not_found)?;
    let facts = VisitFacts {
        visit_type: record.subject.visit_type,
        hospital_level: first.facts.hospital_level,
        diagnosis_groups: Vec::new(),
        age: first.facts.age,
        sex: first.facts.sex,
    };
    let missing = || Problem::new(&code::CATALOGUE_MISSING);
    let root = root_of(call, record).ok_or_else(missing)?;
    let sorted = sort_by(call, root, bill, facts)?;
    let state = call.view.rows();
    let quote = |plans: &_| visit::quote_as_settled(state, plans, record, &sorted.sums, amounts);
    let quoted = call.gateway.with_plans(quote).map_err(rejected)?;
    let view = QuoteView {
        height: call.view.tip.height,
        currency: quoted.currency,
        split: quoted.split,
        explanation: explanation(call, &quoted.parts, Some(&sorted))?,
        sums: sorted.sums,
        lines: sorted.lines,
        parts: quoted.parts,
    };
    Ok((view, root))
}

/// The catalogue of the settlement's own plan version; for care elsewhere the one of the place of
/// care.
fn root_of(call: &Call, record: &SettlementRecord) -> Option<Hash> {
    let (state, subject) = (&call.view.state, &record.subject);
    let first = record.parts.first()?;
    let place = organisation::view::organisation(state, subject.provider)?.region;
    if place != subject.region {
        return catalogue_root(call, [place, subject.region], subject.scheme, first.from);
    }
    let version = first.plan.version;
    Some(plan::view::version(state, subject.region, subject.scheme, version)?.catalogue_root)
}
