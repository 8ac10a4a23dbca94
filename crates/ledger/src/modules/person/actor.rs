//! Who acts on a person's row, as the transaction says it, and what that actor must sign.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PersonId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind, Scope};

/// Who acts for a person. Every actor is visible in the body and signs with an own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The person, with one of the person's own keys.
    OwnKey,
    /// A guardian of today, with one of the guardian's own keys.
    Guardian(PersonId),
    /// A desk of the home region's bureau, after seeing the person's identity card.
    Desk,
    /// The home region's bureau with an identity authority, as when somebody is enrolled: for the
    /// first key of a person who has none, and for nothing else.
    Register,
    /// A relative who is bound to act for the person today, with one of the relative's own keys:
    /// for claims after cash payment, and for nothing else.
    Proxy(PersonId),
}

/// The actor signed and may act for the person; a lock of the person does not stop this.
///
/// # Errors What is missing: see [`view::require_key_despite_lock`],
/// [`view::require_guardian_despite_lock`] and [`require_bureau`] with scope `clerk`.
pub(super) fn require_actor(
    context: &Context<'_>,
    state: &dyn Read,
    person: PersonId,
    actor: Actor,
) -> Result<Party, Rejection> {
    match actor {
        Actor::OwnKey => {
            view::require_key_despite_lock(context, state, person)?;
            Ok(Party::Person(person))
        }
        Actor::Guardian(guardian) => {
            view::require_guardian_despite_lock(context, state, person, guardian)?;
            Ok(Party::Person(guardian))
        }
        Actor::Desk => {
            let row = view::require_person(state, person)?;
            require_bureau(context, state, row.region, Scope::Clerk).map(Party::Organisation)
        }
        Actor::Register => {
            Err(rejection::ACTOR_NOT_ALLOWED.with(detail!("`register` adds a first key")))
        }
        Actor::Proxy(_) => {
            Err(rejection::ACTOR_NOT_ALLOWED.with(detail!("`proxy` claims and does nothing else")))
        }
    }
}

/// The actor signed and may speak for the person: object, contest. As [`require_actor`], but a desk
/// also speaks for somebody who has died or left, whose keys and guardians are gone: the heirs come
/// there.
///
/// # Errors
/// As [`require_actor`].
pub fn require_speaker(
    context: &Context<'_>,
    state: &dyn Read,
    person: PersonId,
    actor: Actor,
) -> Result<Party, Rejection> {
    match (actor, view::person(state, person)) {
        (Actor::Desk, Some(row)) => {
            require_bureau(context, state, row.region, Scope::Clerk).map(Party::Organisation)
        }
        _ => require_actor(context, state, person, actor),
    }
}

/// The bureau of a region signed with a key of this scope.
///
/// # Errors
/// `unknown_region`, and what is wrong with the bureau's signature.
pub fn require_bureau(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    region: RegionId,
    scope: Scope,
) -> Result<OrganisationId, Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    organisation::view::require_signed(context, state, bureau, scope)?;
    Ok(bureau)
}

/// An identity authority signed with a key that may attest: it has seen who the person is.
///
/// # Errors
/// `identity_check_missing`, or what is wrong with the authority's signature.
pub fn require_identity_check(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
) -> Result<OrganisationId, Rejection> {
    let authority = context.transaction.signers().iter().find_map(|signer| match signer.party {
        Party::Organisation(id) => organisation::view::organisation(state, id)
            .filter(|row| row.kind == OrganisationKind::IdentityAuthority)
            .map(|_| id),
        Party::Person(_) => None,
    });
    let authority = authority.ok_or_else(|| rejection::IDENTITY_CHECK_MISSING.reject())?;
    organisation::view::require_signed(context, state, authority, Scope::Attest)?;
    Ok(authority)
}
