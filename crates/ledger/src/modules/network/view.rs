//! What others may read of the network's parameters. All of it is public.

use alloc::{sync::Arc, vec::Vec};
use primitives::key::WebAuthnContext;
use primitives::{OrganisationId, RegionId, sha256};
use proof::header::ValidatorSet;

use super::node::NodeRow;
use super::table::{NETWORK, NetworkRow, REGIONS, RegionRow};
use super::upgrade::UpgradeRow;
use super::{node, rejection, upgrade};
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;

/// The network's parameters.
///
/// # Panics
/// When genesis did not write them.
pub fn network(state: &(impl Read + ?Sized)) -> Arc<NetworkRow> {
    NETWORK.shared(state, &()).expect("genesis writes the network's parameters")
}

/// The bytes under which the network's parameters are kept: a row that every ledger has.
#[must_use]
pub fn network_key() -> Vec<u8> {
    NETWORK.key_bytes(&())
}

/// Whether an assertion was made on a page of this network: one of its origins, under its rpId.
pub fn is_own_page(state: &(impl Read + ?Sized), page: &WebAuthnContext) -> bool {
    let network = network(state);
    network.origins.iter().any(|origin| **origin == *page.origin)
        && page.rp_id_hash == sha256(network.rp_id.as_bytes())
}

/// A region, if it is on this ledger.
pub fn region(state: &(impl Read + ?Sized), id: RegionId) -> Option<Arc<RegionRow>> {
    REGIONS.shared(state, &id)
}

/// A region that must be there.
///
/// # Errors
/// `unknown_region`.
pub fn require_region(
    state: &(impl Read + ?Sized),
    id: RegionId,
) -> Result<Arc<RegionRow>, Rejection> {
    region(state, id).ok_or_else(|| rejection::UNKNOWN_REGION.with(id))
}

/// Whether this organisation is the region's bureau.
pub fn is_bureau(state: &(impl Read + ?Sized), id: RegionId, organisation: OrganisationId) -> bool {
    region(state, id).is_some_and(|region| region.bureau == organisation)
}

/// All nodes that transactions admitted, sorted by organisation.
pub fn nodes(state: &(impl Read + ?Sized)) -> Arc<Vec<NodeRow>> {
    node::nodes(state)
}

/// Who decides the next block, once a transaction has said so; before that those of genesis do.
pub fn validators(state: &(impl Read + ?Sized)) -> Option<Arc<ValidatorSet>> {
    node::validators(state)
}

/// By which rules blocks are made, and from which block on by others.
pub fn upgrades(state: &(impl Read + ?Sized)) -> UpgradeRow {
    upgrade::row(state)
}
