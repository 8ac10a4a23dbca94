//! What the governing set must sign.

use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation;
use alloc::collections::BTreeSet;
use primitives::{OrganisationId, Party, detail};

/// Whom a decision about the network concerns: those who govern, and these.
pub(super) fn concerned(
    state: &(impl Read + ?Sized),
    others: impl IntoIterator<Item = OrganisationId>,
) -> BTreeSet<Party> {
    let network = view::network(state);
    network.governing.iter().copied().chain(others).map(Party::Organisation).collect()
}

/// More than two thirds of the governing organisations signed, each with a key that may govern.
///
/// # Errors
/// `no_governing_quorum` with the count, or why a member's key does not count.
pub fn require_governing(context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
    let network = view::network(state);
    let governing = &network.governing;
    let mut signed = 0_usize;
    for member in governing {
        if context.has_signed(Party::Organisation(*member)) {
            organisation::view::require_signed(
                context,
                state,
                *member,
                organisation::Scope::Govern,
            )?;
            signed = signed.saturating_add(1);
        }
    }
    let enough = signed.saturating_mul(3) > governing.len().saturating_mul(2);
    require(enough, || {
        rejection::NO_GOVERNING_QUORUM.with(detail!(
            "{signed} of {all} signed",
            signed,
            all = governing.len()
        ))
    })
}
