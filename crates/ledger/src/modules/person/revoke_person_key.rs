//! Revokes one of a person's keys.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PersonId, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor};
use super::table::PERSONS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Revokes a key at once, also while the person is locked. Signed by another key of the person, by
/// a guardian, or at a desk by the home region's bureau with scope `clerk`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokePersonKey {
    /// Whose key.
    pub person: PersonId,
    /// Who revokes.
    pub by: Actor,
    /// The key.
    pub key: PublicKey,
}

impl Kind for RevokePersonKey {
    const NUMBER: u16 = 304;
    const NAME: &'static str = "revoke_person_key";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by)?;
        let itself = self.by == Actor::OwnKey
            && context.signers_of(Party::Person(self.person)).any(|one| one.key == self.key);
        require(!itself, || rejection::SELF_REVOCATION.reject())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        require(row.key(&self.key).is_some(), || rejection::UNKNOWN_KEY.with(self.person))?;
        row.keys.retain(|one| one.key != self.key);
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event("person_key_revoked", concerns))
    }
}
