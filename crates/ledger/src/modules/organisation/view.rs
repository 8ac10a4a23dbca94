//! What others may read of organisations, and the one place where an organisation's signature is
//! judged.

use alloc::sync::Arc;
use primitives::{OrganisationId, Party, PublicKey, detail};

use super::rejection;
use super::table::{
    KEYS, ORGANISATIONS, OnlineKey, OrganisationKind, OrganisationRow, Scope, Standing,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// An organisation, if it is admitted.
pub fn organisation(
    state: &(impl Read + ?Sized),
    id: OrganisationId,
) -> Option<Arc<OrganisationRow>> {
    ORGANISATIONS.shared(state, &id)
}

/// One of an organisation's keys.
pub fn key(
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    key: PublicKey,
) -> Option<Arc<OnlineKey>> {
    KEYS.shared(state, &(id, key))
}

/// An organisation that is admitted and not suspended.
///
/// # Errors
/// `unknown_organisation`, `organisation_suspended`.
pub fn require_active(
    state: &(impl Read + ?Sized),
    id: OrganisationId,
) -> Result<Arc<OrganisationRow>, Rejection> {
    let row = organisation(state, id).ok_or_else(|| rejection::UNKNOWN_ORGANISATION.with(id))?;
    require(row.standing == Standing::Active, || rejection::ORGANISATION_SUSPENDED.with(id))?;
    Ok(row)
}

/// An active organisation of this kind.
///
/// # Errors
/// As [`require_active`], and `wrong_organisation_kind`.
pub fn require_kind(
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    kind: OrganisationKind,
) -> Result<Arc<OrganisationRow>, Rejection> {
    let row = require_active(state, id)?;
    require(row.kind == kind, || rejection::WRONG_KIND.with(id))?;
    Ok(row)
}

/// The organisation signed, is active, and one of the keys that it signed with is authorised for
/// this and has not expired. The root key may do everything that govern and key changes need, and
/// nothing of the daily business.
///
/// # Errors
/// `organisation_signature_missing` and the like, always naming the organisation.
pub fn require_signed(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    scope: Scope,
) -> Result<Arc<OrganisationRow>, Rejection> {
    require_signed_key(context, state, id, scope).map(|(row, _)| row)
}

/// As [`require_signed`], with the key that is authorised for this.
///
/// # Errors
/// As [`require_signed`].
pub fn require_signed_key(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    scope: Scope,
) -> Result<(Arc<OrganisationRow>, PublicKey), Rejection> {
    fitting(context, state, id, |row, used| {
        if scope == Scope::Govern && used == row.root_key {
            return Ok(());
        }
        let online = key(state, id, used).ok_or_else(|| rejection::UNKNOWN_KEY.with(id))?;
        require(context.time < online.expires, || rejection::KEY_EXPIRED.with(id))?;
        require(online.scopes.contains(&scope), || rejection::SCOPE_MISSING.with(id))
    })
}

/// The organisation signed with its root key.
///
/// # Errors
/// `organisation_signature_missing`, `unknown_organisation_key`.
pub fn require_root_signed(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
) -> Result<Arc<OrganisationRow>, Rejection> {
    let signed = fitting(context, state, id, |row, used| {
        require(used == row.root_key, || {
            rejection::UNKNOWN_KEY.with(detail!("sign with the root key"))
        })
    });
    signed.map(|(row, _)| row)
}

/// The active organisation, with the first key among those it signed with that `judge` lets pass. A
/// passkey counts on a page of this network only.
fn fitting(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    judge: impl Fn(&OrganisationRow, PublicKey) -> Result<(), Rejection>,
) -> Result<(Arc<OrganisationRow>, PublicKey), Rejection> {
    let party = Party::Organisation(id);
    require(context.has_signed(party), || rejection::SIGNATURE_MISSING.with(id))?;
    let row = require_active(state, id)?;
    let used = context.fitting(party, rejection::SIGNATURE_MISSING.with(id), |signer| {
        let own_page =
            signer.web_authn.as_ref().is_none_or(|page| network::view::is_own_page(state, page));
        require(own_page, || rejection::FOREIGN_PAGE.with(id))?;
        judge(&row, signer.key).map(|()| signer.key)
    })?;
    Ok((row, used))
}
