//! What a plan version with effect in the past makes of a settlement that stands, and how whatever
//! adjudicates it again is counted.

use primitives::Timestamp;

use super::quote::Quote;
use super::resettle::{amounts_without, requote};
use super::table::SettlementRecord;
use super::view;
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::Rejection;
use crate::modules::plan::{self, Counted};

/// Adjudicates a settled bill under the plan versions now in force on its days. The facts stay as
/// the settlement found them; the running amounts are as they are now less what it added.
///
/// # Errors
/// As [`super::quote()`].
pub(crate) fn quote_again(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    original: &SettlementRecord,
    now: Timestamp,
) -> Result<Quote, Rejection> {
    let subject = &original.subject;
    let mut moved = original.clone();
    for part in &mut moved.parts {
        part.plan = plan::view::plan_in_force(state, subject.region, subject.scheme, part.from)?;
    }
    requote(state, plans, &moved, (&original.sums, true), now)
}

/// Sets the running amounts as such a quote left them.
///
/// # Errors
/// As `coverage::view::set_running_amounts`.
pub(crate) fn count_again(
    state: &mut Overlay<'_>,
    original: &SettlementRecord,
    quote: &Quote,
    now: Timestamp,
) -> Result<(), Rejection> {
    view::set_running_amounts_at(state, original, &quote.accumulators, now)
}

/// Takes away what such a quote had counted, and counts the settlement as it was settled.
///
/// # Errors
/// `not_adjudicable` when less is there than was counted.
pub(crate) fn count_as_settled(
    state: &mut Overlay<'_>,
    original: &SettlementRecord,
    counted: &[Counted],
    now: Timestamp,
) -> Result<(), Rejection> {
    let counted = counted.iter().map(|one| (one.family, one.changes.as_slice()));
    let mut amounts = amounts_without(state, original, counted, now)?;
    for part in &original.parts {
        let mut seen = amounts.seen(state, part.family);
        for change in &part.adjudication.changes {
            let added = change.after.saturating_sub(change.before);
            seen.set(change.key, seen.get(&change.key).saturating_add(added));
        }
        amounts.keep(part.family, &seen);
    }
    view::set_running_amounts_at(state, original, &amounts, now)
}
