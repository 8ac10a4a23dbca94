//! Adds a key to a person.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor, require_identity_check};
use super::new_key::NewKey;
use super::table::{KEYS_MAX, PERSONS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Adds a key to a person who is not locked. Signed by one of the person's keys, which cannot give
/// higher limits than its own; or at a desk by the home region's bureau with scope `clerk` and an
/// identity authority with scope `attest`. A guardian cannot add a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPersonKey {
    /// Whose key.
    pub person: PersonId,
    /// `own_key` or `desk`.
    pub by: Actor,
    /// The key and its limits.
    pub new: NewKey,
}

impl Kind for AddPersonKey {
    const NUMBER: u16 = 303;
    const NAME: &'static str = "add_person_key";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.new.key]);

    fn check(&self) -> Result<(), Rejection> {
        let allowed = matches!(self.by, Actor::OwnKey | Actor::Desk);
        require(allowed, || rejection::ACTOR_NOT_ALLOWED.with("use `own_key` or `desk`"))?;
        self.new.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_actor(context, state, self.person, self.by)?;
        if self.by == Actor::Desk {
            require_identity_check(context, state)?;
        }
        Ok(())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_unlocked(state, self.person)?);
        require(row.key(&self.new.key).is_none(), || rejection::KEY_EXISTS.reject())?;
        require(row.keys.len() < KEYS_MAX, || rejection::TOO_MANY_KEYS.with(KEYS_MAX))?;
        if self.by == Actor::OwnKey {
            let used = view::require_key(context, state, self.person, Amount::ZERO)?;
            let own = row.key(&used.key());
            let within = own.is_some_and(|own| {
                self.new.payment_max <= own.payment_max && self.new.day_max <= own.day_max
            });
            require(within, || rejection::LIMIT_ABOVE_OWN.reject())?;
        }
        row.keys.push(self.new.row(context.time));
        PERSONS.put(state, &self.person, &row);
        let concerns = view::concerned(state, self.person, &row, []);
        Ok(Outcome::event("person_key_added", concerns))
    }
}
