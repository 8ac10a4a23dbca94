//! Rows of plan versions. A version's bytes lie in a row of their own, so that reading what it is
//! costs little.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Hash, OrganisationId, Period, PublicKey, RegionId, SchemeId, detail};

use super::difference::{AdjustedRow, BatchRow, Difference};
use super::rejection;
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::kernel::table::Table;
use crate::modules::{network, organisation, organisation::Scope};
use crate::readers::Readers;

pub(super) type VersionKey = (RegionId, SchemeId, u16);
pub(super) type BatchKey = (RegionId, SchemeId, u32);

pub(super) const VERSIONS: Table<VersionKey, VersionRow> = Table::new(0x0500);
pub(super) const BYTES: Table<VersionKey, Vec<u8>> = Table::new(0x0501);
pub(super) const SCHEMES: Table<(RegionId, SchemeId), SchemeRow> = Table::new(0x0502);
pub(super) const BATCHES: Table<BatchKey, BatchRow> = Table::new(0x0503);
pub(super) const BATCH_ROWS: Table<BatchKey, Vec<Difference>> = Table::new(0x0504);
/// What stands booked for a settlement because it was adjudicated again, by the transaction that
/// settled it first.
pub(super) const ADJUSTED: Table<Hash, AdjustedRow> = Table::new(0x0505);

/// How many published versions a scheme has at the most. Our own limit: it bounds the row.
pub(super) const PUBLISHED_MAX: usize = 256;

/// Who did a step, and with which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedBy {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The key.
    pub key: PublicKey,
}

/// How far a version has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PlanStanding {
    /// Drafted; its examples come out.
    Drafted,
    /// Reviewed.
    Reviewed,
    /// Approved.
    Approved,
    /// Published on this day of the region's calendar.
    Published(CivilDate),
    /// Taken back before it began.
    Withdrawn,
}

/// A version of a scheme's plan, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VersionRow {
    /// The hash of the compiled plan.
    pub hash: Hash,
    /// The hash of the file that it was compiled from.
    pub source: Hash,
    /// The root over the catalogue that goes with it.
    pub catalogue_root: Hash,
    /// The service days that it is for.
    pub valid: Period,
    /// The versions that it takes over from, by number.
    pub supersedes: Vec<u16>,
    /// Who drafted it.
    pub drafter: SignedBy,
    /// Who reviewed it.
    pub reviewer: Option<SignedBy>,
    /// Who approved it.
    pub approver: Option<SignedBy>,
    /// How far it has come.
    pub standing: PlanStanding,
}

/// A version in the schedule of its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Publication {
    /// Which version.
    pub version: u16,
    /// The service days that it is for; a later publication may take over some of them.
    pub valid: Period,
}

/// The versions of a scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct SchemeRow {
    /// The highest number given so far.
    pub versions: u16,
    /// What was published, in the order of publication; at most [`PUBLISHED_MAX`].
    pub published: Vec<Publication>,
}

/// The version, which must be there.
pub(super) fn require_version(
    state: &(impl Read + ?Sized),
    key: &VersionKey,
) -> Result<Arc<VersionRow>, Rejection> {
    let (region, scheme, version) = key;
    VERSIONS.shared(state, key).ok_or_else(|| {
        rejection::UNKNOWN_VERSION.with(detail!(
            "version {version} of scheme {scheme} in region {region}",
            version,
            scheme,
            region
        ))
    })
}

/// The version with this hash: the signer says which bytes were looked at.
pub(super) fn require_same(
    state: &(impl Read + ?Sized),
    key: &VersionKey,
    hash: Hash,
) -> Result<Arc<VersionRow>, Rejection> {
    let row = require_version(state, key)?;
    require(row.hash == hash, || rejection::HASH_DIFFERS.with(row.hash))?;
    Ok(row)
}

/// The region's bureau signed with a key that may publish; answers who signed.
pub(super) fn require_publisher(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<SignedBy, Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    signed_by(context, state, bureau, Scope::Publish)
}

/// This organisation signed with a key of this scope; answers who signed.
pub(super) fn signed_by(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    organisation: OrganisationId,
    scope: Scope,
) -> Result<SignedBy, Rejection> {
    let (_, key) = organisation::view::require_signed_key(context, state, organisation, scope)?;
    Ok(SignedBy { organisation, key })
}

/// Who may read them: everybody what is published, the bureau what is being prepared and what a new
/// version changes.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if let Some(version) = VERSIONS.key_of(key).or_else(|| BYTES.key_of(key)) {
        let row = VERSIONS.shared(state, &version);
        let is_out = row.is_none_or(|row| matches!(row.standing, PlanStanding::Published(_)));
        return Some(if is_out { Readers::Everybody } else { Readers::Bureau(version.0) });
    }
    if SCHEMES.is_key(key) {
        return Some(Readers::Everybody);
    }
    let batch = BATCHES.key_of(key).or_else(|| BATCH_ROWS.key_of(key));
    batch.map(|(region, _, _)| Readers::Bureau(region))
}
