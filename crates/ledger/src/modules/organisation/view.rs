//! What others may read of organisations, and the one place where an organisation's signature is
//! judged.

use primitives::{OrganisationId, Party, PublicKey};

use super::rejection;
use super::table::{
    KEYS, ORGANISATIONS, OnlineKey, OrganisationKind, OrganisationRow, Scope, Standing,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};

/// An organisation, if it is admitted.
pub fn organisation(state: &(impl Read + ?Sized), id: OrganisationId) -> Option<OrganisationRow> {
    ORGANISATIONS.get(state, &id)
}

/// One of an organisation's keys.
pub fn key(state: &(impl Read + ?Sized), id: OrganisationId, key: PublicKey) -> Option<OnlineKey> {
    KEYS.get(state, &(id, key))
}

/// An organisation that is admitted and not suspended.
///
/// # Errors
/// `unknown_organisation`, `organisation_suspended`.
pub fn require_active(
    state: &(impl Read + ?Sized),
    id: OrganisationId,
) -> Result<OrganisationRow, Rejection> {
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
) -> Result<OrganisationRow, Rejection> {
    let row = require_active(state, id)?;
    require(row.kind == kind, || rejection::WRONG_KIND.with(id))?;
    Ok(row)
}

/// The organisation signed, is active, and its key is authorised for this and has not expired. The
/// root key may do everything that govern and key changes need, and nothing of the daily business.
///
/// # Errors
/// `organisation_signature_missing` and the like, always naming the organisation.
pub fn require_signed(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
    scope: Scope,
) -> Result<OrganisationRow, Rejection> {
    let signer = context
        .signer(Party::Organisation(id))
        .ok_or_else(|| rejection::SIGNATURE_MISSING.with(id))?;
    let row = require_active(state, id)?;
    if scope == Scope::Govern && signer.key == row.root_key {
        return Ok(row);
    }
    let online = key(state, id, signer.key).ok_or_else(|| rejection::UNKNOWN_KEY.with(id))?;
    require(context.time < online.expires, || rejection::KEY_EXPIRED.with(id))?;
    require(online.scopes.contains(&scope), || rejection::SCOPE_MISSING.with(id))?;
    Ok(row)
}

/// The organisation signed with its root key.
///
/// # Errors
/// `organisation_signature_missing`, `unknown_organisation_key`.
pub fn require_root_signed(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    id: OrganisationId,
) -> Result<OrganisationRow, Rejection> {
    let signer = context
        .signer(Party::Organisation(id))
        .ok_or_else(|| rejection::SIGNATURE_MISSING.with(id))?;
    let row = require_active(state, id)?;
    require(signer.key == row.root_key, || rejection::UNKNOWN_KEY.with("sign with the root key"))?;
    Ok(row)
}
