//! Who signs for a provider, and who stands in for one that may not or will not.
//!
//! Suspending a provider is the governing set's act, so the decision that others may act in its
//! place has been taken by more than two thirds of them already: while it lasts, the bureau of the
//! insured place alone gives its patients back what is theirs. It never settles anything new.

use primitives::{OrganisationId, RegionId};

use super::table::{SettledVisit, VisitSubject};
use super::view;
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::{self, Scope, Standing};

/// Whether the provider is suspended.
pub(super) fn is_suspended(state: &(impl Read + ?Sized), provider: OrganisationId) -> bool {
    organisation::view::organisation(state, provider)
        .is_some_and(|row| row.standing == Standing::Suspended)
}

/// The provider signed with this scope, or, while it is suspended, the bureau with scope
/// `countersign`.
///
/// # Errors
/// What is wrong with the signature.
pub(super) fn require_provider(
    context: &Context<'_>,
    state: &dyn Read,
    (provider, region): (OrganisationId, RegionId),
    scope: Scope,
) -> Result<(), Rejection> {
    let (signer, scope) = if is_suspended(state, provider) {
        (network::view::require_region(state, region)?.bureau, Scope::Countersign)
    } else {
        (provider, scope)
    };
    organisation::view::require_signed(context, state, signer, scope).map(|_| ())
}

/// A settlement is changed: the bureau signed with scope `countersign`, and the provider with scope
/// `settle`, unless it is suspended or left an objection unanswered that the bureau upheld.
///
/// # Errors
/// What is wrong with a signature.
pub(super) fn require_change(
    context: &Context<'_>,
    state: &dyn Read,
    subject: &VisitSubject,
    settled: &SettledVisit,
) -> Result<(), Rejection> {
    let is_overruled = settled.objection.is_some_and(|objection| objection.upheld);
    if !is_overruled {
        let provider = (subject.provider, subject.region);
        require_provider(context, state, provider, Scope::Settle)?;
    }
    let bureau = view::bureau_of(state, subject)?;
    organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
}
