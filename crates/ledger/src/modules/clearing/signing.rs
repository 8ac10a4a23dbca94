//! Who signs: the bureau that pays, and the organisation that approves.

use primitives::{OrganisationId, PublicKey, RegionId};

use super::rejection;
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{network, plan};

/// The region's bureau signed with a key that may move money; answers which.
pub(super) fn require_bureau(
    context: &Context<'_>,
    state: &dyn Read,
    region: RegionId,
) -> Result<(OrganisationId, PublicKey), Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    let (_, key) = organisation::view::require_signed_key(context, state, bureau, Scope::Treasury)?;
    Ok((bureau, key))
}

/// This organisation supervises the bureau, and signed with a key that may move money. Where
/// nobody of the governing set supervises, no batch is paid: a second key of the same house is no
/// second organisation.
///
/// # Errors
/// `payout_not_the_approver`, and what is wrong with the signature.
pub(super) fn require_approver(
    context: &Context<'_>,
    state: &dyn Read,
    region: RegionId,
    approver: OrganisationId,
) -> Result<(), Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    let entitled = plan::view::supervisors(state, bureau).contains(&approver);
    require(entitled, || rejection::NOT_THE_APPROVER.with(approver))?;
    organisation::view::require_signed(context, state, approver, Scope::Treasury).map(|_| ())
}
