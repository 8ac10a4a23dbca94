//! What others may read of plans, and the one place that says which version is in force. Plans are
//! public; differences are for the bureau, the fund's owner and the person.

use alloc::{sync::Arc, vec::Vec};
use benefit::Plan;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Hash, OrganisationId, Period, RegionId, SchemeId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approver;
use super::difference::{AdjustedRow, BatchRow, Difference};
use super::rejection;
use super::schedule;
use super::table::{
    ADJUSTED, BATCH_ROWS, BATCHES, BYTES, PlanStanding, Publication, SCHEMES, VERSIONS, VersionRow,
    require_version,
};
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// A version as a settlement names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRef {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version's number.
    pub version: u16,
    /// The hash of the compiled plan.
    pub hash: Hash,
    /// The days around the one asked for on which the version is in force.
    pub period: Period,
}

/// Who supervises a bureau: the active regulators and finance authorities of the governing set
/// other than itself. They approve plans, and payments of the bureau.
pub fn supervisors(state: &dyn Read, bureau: OrganisationId) -> Vec<OrganisationId> {
    approver::supervisors(state, bureau)
}

/// A version without its bytes.
pub fn version(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    version: u16,
) -> Option<Arc<VersionRow>> {
    VERSIONS.shared(state, &(region, scheme, version))
}

/// The compiled bytes of a version; nothing for a withdrawn one.
pub fn version_bytes(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    version: u16,
) -> Option<Vec<u8>> {
    BYTES.get(state, &(region, scheme, version))
}

/// The number of the last version drafted, 0 before the first.
pub fn last_version(state: &(impl Read + ?Sized), region: RegionId, scheme: SchemeId) -> u16 {
    SCHEMES.get(state, &(region, scheme)).map_or(0, |row| row.versions)
}

/// What was published in a scheme, in the order of publication. On a day that several contain, the
/// last one is in force.
pub fn published(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
) -> Vec<Publication> {
    SCHEMES.shared(state, &(region, scheme)).map(|row| row.published.clone()).unwrap_or_default()
}

/// The version in force for services on this day.
///
/// # Errors
/// `no_plan_in_force`.
pub fn plan_in_force(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    day: CivilDate,
) -> Result<PlanRef, Rejection> {
    let row = SCHEMES.shared(state, &(region, scheme)).unwrap_or_default();
    let (version, period) = schedule::in_force(&row.published, day).ok_or_else(|| {
        rejection::NO_PLAN_IN_FORCE.with(detail!(
            "scheme {scheme} in region {region} on {day}",
            scheme,
            region,
            day
        ))
    })?;
    let hash = require_version(state, &(region, scheme, version))?.hash;
    Ok(PlanRef { region, scheme, version, hash, period })
}

/// The versions in force on any of these days, sorted: what a version that is published for them
/// has to name as superseded.
pub fn in_force_during(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    valid: Period,
) -> Vec<u16> {
    let row = SCHEMES.shared(state, &(region, scheme)).unwrap_or_default();
    schedule::in_force_during(&row.published, valid).into_iter().collect()
}

/// Who may approve what the region's bureau has drafted.
pub fn approvers(state: &(impl Read + ?Sized), region: RegionId) -> Vec<OrganisationId> {
    let row = network::view::region(state, region);
    row.map_or_else(Vec::new, |row| approver::entitled(state, row.bureau))
}

/// A version of the same scheme in place of another, for the days on which both are.
///
/// # Errors
/// `unknown_plan_version`.
pub(crate) fn in_place_of(
    state: &(impl Read + ?Sized),
    plan: &PlanRef,
    version: u16,
) -> Result<Option<PlanRef>, Rejection> {
    let row = require_version(state, &(plan.region, plan.scheme, version))?;
    let from = row.valid.from.max(plan.period.from);
    let to = match (row.valid.to, plan.period.to) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let period = Period { from, to };
    Ok(period.contains(from).then_some(PlanRef { version, hash: row.hash, period, ..*plan }))
}

/// The plan of a version, decoded once for many calls.
///
/// # Errors
/// `unknown_plan_version`, also for a withdrawn version, and for a number and a hash that do not
/// belong together.
pub fn plan(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    plan: &PlanRef,
) -> Result<Arc<Plan>, Rejection> {
    let key = (plan.region, plan.scheme, plan.version);
    let row = require_version(state, &key)?;
    require(row.hash == plan.hash, || rejection::UNKNOWN_VERSION.with(plan.hash))?;
    require(row.standing != PlanStanding::Withdrawn, || {
        rejection::UNKNOWN_VERSION.with(plan.hash)
    })?;
    Ok(plans.plan(row.hash, || {
        BYTES.get(state, &key).expect("a version keeps its bytes until it is withdrawn")
    }))
}

/// A batch of differences without its rows.
pub fn batch(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    batch: u32,
) -> Option<BatchRow> {
    BATCHES.get(state, &(region, scheme, batch))
}

/// The rows of a batch of differences.
pub fn batch_rows(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    batch: u32,
) -> Vec<Difference> {
    BATCH_ROWS.get(state, &(region, scheme, batch)).unwrap_or_default()
}

/// What stands booked for a settlement because it was adjudicated again.
pub fn adjusted(state: &(impl Read + ?Sized), settlement: &Hash) -> Option<AdjustedRow> {
    ADJUSTED.get(state, settlement)
}
