//! What every change of an existing row has in common.

use alloc::sync::Arc;
use primitives::{CivilDate, Party, PersonId, RegionId};

use super::rejection;
use super::table::{COVERAGES, CoverageRow};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::Rejection;
use crate::modules::network;

/// The person's row.
///
/// # Errors
/// `not_covered` when there is none.
pub(super) fn require_row(
    state: &(impl Read + ?Sized),
    person: PersonId,
) -> Result<Arc<CoverageRow>, Rejection> {
    COVERAGES.shared(state, &person).ok_or_else(|| rejection::NOT_COVERED.reject())
}

/// The day that counts as today when what ended long ago is put away.
///
/// # Errors
/// `unknown_region`.
pub(super) fn retention_day(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<CivilDate, Rejection> {
    let region = network::view::require_region(state, region)?;
    Ok(region.retention_day(context.day(region.settings.utc_offset_minutes)))
}

/// Changes the person's row, puts away what ended long ago, and tells the person and the region's
/// bureau.
///
/// # Errors
/// `not_covered`, `unknown_region`, and what the change says.
pub(super) fn change(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    (person, region): (PersonId, RegionId),
    event: &str,
    edit: impl FnOnce(&mut CoverageRow) -> Result<(), Rejection>,
) -> Result<Outcome, Rejection> {
    let mut row = Arc::unwrap_or_clone(require_row(state, person)?);
    row.prune(retention_day(context, state, region)?);
    edit(&mut row)?;
    COVERAGES.put(state, &person, &row);
    let bureau = network::view::require_region(state, region)?.bureau;
    Ok(Outcome::event(event, [Party::Person(person), Party::Organisation(bureau)]))
}
