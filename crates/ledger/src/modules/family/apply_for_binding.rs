//! Applies to bind a child.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::{Pair, require_bindable, rules_of};
use super::rejection;
use super::table::{APPLICATIONS, BindingApplication, FAMILIES, REFUSALS};
use super::view::{family, holds};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person;

/// Applies to act for a member who is too young to agree in person. The documents lie encrypted
/// with the bureau's desk; here is a commitment to them. It takes no slot until the bureau agrees.
/// Signed by the payer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyForBinding {
    /// Who will act.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// What the payer is to the member, by the region's number.
    pub relation: u8,
    /// A salted commitment to the documents.
    pub documents: Hash,
}

impl Kind for ApplyForBinding {
    const NUMBER: u16 = 1004;
    const NAME: &'static str = "apply_for_binding";

    fn check(&self) -> Result<(), Rejection> {
        Pair { payer: self.payer, member: self.member }.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_key(context, state, self.payer, Amount::ZERO).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = Pair { payer: self.payer, member: self.member };
        require_bindable(context, state, pair, (self.relation, true))?;
        let (rules, today) = rules_of(context, state, pair.member)?;
        require(!holds(state, pair.key(), today), || rejection::ALREADY_BOUND.reject())?;
        let waits = APPLICATIONS.get(state, &pair.key()).is_some_and(|one| today <= one.until);
        require(!waits, || rejection::APPLICATION_WAITS.reject())?;
        let mut row = family(state, pair.payer);
        if !row.applied_for.contains(&pair.member) {
            let most = usize::from(rules.members_per_payer_max);
            if row.applied_for.len() >= most {
                // What is over makes place for what is not.
                row.applied_for.retain(|one| {
                    let application = APPLICATIONS.get(state, &(pair.payer, *one));
                    application.is_some_and(|one| today <= one.until)
                });
            }
            require(row.applied_for.len() < most, || rejection::TOO_MANY_MEMBERS.reject())?;
            row.applied_for.push(pair.member);
            FAMILIES.put(state, &pair.payer, &row);
        }
        let (relation, documents) = (self.relation, self.documents);
        let until = today.plus_days(i32::from(rules.application_days_max)).unwrap_or(today);
        let application = BindingApplication { relation, documents, until };
        APPLICATIONS.put(state, &pair.key(), &application);
        REFUSALS.remove(state, &pair.key());
        Ok(Outcome::event("binding_applied", pair.concerns(state)))
    }
}
