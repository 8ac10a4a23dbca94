//! Adds a key to a person.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, require_actor, require_bureau, require_identity_check};
use super::new_key::NewKey;
use super::table::{KEYS_MAX, PERSONS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Adds a key to a person who is not locked. Signed by one of the person's keys, which cannot give
/// higher limits than its own; or at a desk by the home region's bureau with scope `clerk` and an
/// identity authority with scope `attest`; or, for the first key of a person who has none, by both
/// with scope `attest`, who could have enrolled the person with it. A guardian cannot add a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPersonKey {
    /// Whose key.
    pub person: PersonId,
    /// `own_key`, `desk` or `register`.
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
        let allowed = !matches!(self.by, Actor::Guardian(_));
        require(allowed, || {
            rejection::ACTOR_NOT_ALLOWED.with("use `own_key`, `desk` or `register`")
        })?;
        self.new.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        if self.by == Actor::Register {
            let row = view::require_person(state, self.person)?;
            require_bureau(context, state, row.region, Scope::Attest)?;
            return require_identity_check(context, state).map(|_| ());
        }
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
        let is_first = row.keys.is_empty();
        require(self.by != Actor::Register || is_first, || rejection::PERSON_HAS_KEYS.reject())?;
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
