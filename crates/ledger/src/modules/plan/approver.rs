//! Who may approve what a bureau has drafted.

use alloc::vec::Vec;
use primitives::{OrganisationId, RegionId};

use super::rejection;
use super::table::{SignedBy, signed_by};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind, Scope, Standing};

/// The organisation signed as an approver of the region's bureau and used none of the keys of the
/// steps before.
///
/// Whoever supervises approves: an active regulator or finance authority of the governing set other
/// than the bureau. Where the governing set has none, the bureau approves with a key of its own for
/// that.
///
/// # Errors
/// `not_the_approver`, `same_key`, and what is wrong with the signature.
pub(super) fn require_approver(
    context: &Context<'_>,
    state: &dyn Read,
    region: RegionId,
    approver: OrganisationId,
    before: &[SignedBy],
) -> Result<SignedBy, Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    let is_entitled = entitled(state, bureau).contains(&approver);
    require(is_entitled, || rejection::NOT_THE_APPROVER.with(approver))?;
    let signed = signed_by(context, state, approver, Scope::Publish)?;
    require_other_key(&signed, before)?;
    Ok(signed)
}

/// The key is none of those that did the steps before.
pub(super) fn require_other_key(signed: &SignedBy, before: &[SignedBy]) -> Result<(), Rejection> {
    let same = before.iter().any(|earlier| earlier.key == signed.key);
    require(!same, || rejection::SAME_KEY.reject())
}

/// Who may approve what this bureau has drafted: whoever supervises it, or the bureau itself.
pub(super) fn entitled(
    state: &(impl Read + ?Sized),
    bureau: OrganisationId,
) -> Vec<OrganisationId> {
    let supervisors = supervisors(state, bureau);
    if supervisors.is_empty() { alloc::vec![bureau] } else { supervisors }
}

/// The active regulators and finance authorities of the governing set other than the bureau.
pub(super) fn supervisors(
    state: &(impl Read + ?Sized),
    bureau: OrganisationId,
) -> Vec<OrganisationId> {
    let supervises = |id: &OrganisationId| {
        organisation::view::organisation(state, *id).is_some_and(|row| {
            let kinds = [OrganisationKind::Regulator, OrganisationKind::FinanceAuthority];
            *id != bureau && row.standing == Standing::Active && kinds.contains(&row.kind)
        })
    };
    network::view::network(state).governing.iter().copied().filter(supervises).collect()
}
