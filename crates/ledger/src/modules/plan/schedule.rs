//! Which version is in force on which day.
//!
//! Publications are kept in their order and never changed; the last one whose days contain a day is
//! in force on it. A successor lasts at least as long as what it supersedes, so a superseded
//! version is never in force again after the successor's first day (test
//! `a_superseded_version_never_comes_back`).

use alloc::{collections::BTreeSet, vec::Vec};
use primitives::{CivilDate, Period, detail};

use super::rejection;
use super::table::Publication;
use crate::kernel::rejection::Rejection;

/// The version in force on a day with the days around it on which it is.
pub(super) fn in_force(published: &[Publication], day: CivilDate) -> Option<(u16, Period)> {
    let at = published.iter().rposition(|one| one.valid.contains(day))?;
    let one = published.get(at)?;
    let later = published.get(at.checked_add(1)?..)?;
    let next = later.iter().map(|one| one.valid.from).filter(|from| *from > day).min();
    let before_next = next.and_then(|from| from.plus_days(-1));
    let to = match (one.valid.to, before_next) {
        (Some(to), Some(before)) => Some(to.min(before)),
        (to, before) => to.or(before),
    };
    Some((one.version, Period { from: one.valid.from, to }))
}

/// The versions that are in force on any of these days.
pub(super) fn in_force_during(published: &[Publication], valid: Period) -> BTreeSet<u16> {
    let days = days_of_change(published, valid).into_iter();
    days.filter_map(|day| in_force(published, day)).map(|(version, _)| version).collect()
}

/// The version may be published for these days: what is in force on any of them is named as
/// superseded, and what is named is in force on one of them.
pub(super) fn require_room(
    published: &[Publication],
    valid: Period,
    supersedes: &[u16],
) -> Result<(), Rejection> {
    let found = in_force_during(published, valid);
    let named: BTreeSet<u16> = supersedes.iter().copied().collect();
    if let Some(version) = found.difference(&named).next() {
        return Err(rejection::PLAN_OVERLAPS.with(detail!("version {version}", version)));
    }
    if let Some(version) = named.difference(&found).next() {
        return Err(rejection::NOT_SUPERSEDED.with(detail!("version {version}", version)));
    }
    let lasts = |one: &&Publication| match (one.valid.to, valid.to) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(theirs), Some(own)) => theirs <= own,
    };
    let outlasts = published.iter().find(|one| named.contains(&one.version) && !lasts(one));
    match outlasts {
        Some(one) => {
            Err(rejection::ENDS_TOO_EARLY.with(detail!("version {version}", version = one.version)))
        }
        None => Ok(()),
    }
}

/// The days among these on which another version may begin to be in force.
fn days_of_change(published: &[Publication], valid: Period) -> Vec<CivilDate> {
    let starts = published.iter().map(|one| one.valid.from);
    let ends = published.iter().filter_map(|one| one.valid.to?.plus_days(1));
    let all = core::iter::once(valid.from).chain(starts).chain(ends);
    all.filter(|day| valid.contains(*day)).collect()
}
