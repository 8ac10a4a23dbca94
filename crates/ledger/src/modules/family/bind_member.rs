//! Binds a member who agrees in person.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::binding::{Pair, bind, require_bindable};
use super::rejection;
use super::table::Binding;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person;

/// Lets a payer act with a member's own money and cover. Signed by the payer's key and by the
/// member, whose agreement is an own key, a face check or a desk. Takes a slot of the month on both
/// sides, except where a binding by documents turns into one by consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindMember {
    /// Who will act.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// What the payer is to the member, by the region's number.
    pub relation: u8,
    /// How the member agrees.
    pub agreement: Agreement,
}

impl BindMember {
    const fn pair(&self) -> Pair {
        Pair { payer: self.payer, member: self.member }
    }
}

impl Kind for BindMember {
    const NUMBER: u16 = 1003;
    const NAME: &'static str = "bind_member";

    fn check(&self) -> Result<(), Rejection> {
        self.pair().check()?;
        require(self.agreement.ground().is_some(), || rejection::AGREEMENT_MISSING.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_key(context, state, self.payer, Amount::ZERO)?;
        self.agreement.require(context, state, self.member)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = self.pair();
        require_bindable(context, state, pair, (self.relation, false))?;
        let ground =
            self.agreement.ground().ok_or_else(|| rejection::AGREEMENT_MISSING.reject())?;
        let (relation, since) = (self.relation, context.time);
        bind(context, state, pair, &Binding { relation, ground, since, until: None })?;
        Ok(Outcome::event("member_bound", pair.concerns(state)))
    }
}
