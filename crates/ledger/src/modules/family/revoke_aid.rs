//! Revokes mutual aid.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::Pair;
use super::rejection;
use super::table::{FAMILIES, GRANTS};
use super::unbind_member::BindingSide;
use super::view::family;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::person::{Actor, require_speaker};

/// Ends a grant of mutual aid at once, by either side alone, also while locked. What it paid stays
/// paid; what is refunded later still goes back to it. Signed by whoever speaks for the side: own
/// key, guardian, or a desk of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAid {
    /// Whose account pays until now.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// Which of the two ends it.
    pub side: BindingSide,
    /// Who acts for that side.
    pub actor: Actor,
}

impl Kind for RevokeAid {
    const NUMBER: u16 = 1008;
    const NAME: &'static str = "revoke_aid";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let pair = Pair { payer: self.payer, member: self.member };
        require_speaker(context, state, self.side.of(pair), self.actor).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut payer = family(state, self.payer);
        let helped = payer.helps.iter().find(|(member, _)| *member == self.member);
        let number = helped.map(|(_, number)| *number);
        let number = number.ok_or_else(|| rejection::UNKNOWN_GRANT.reject())?;
        payer.helps.retain(|(member, _)| *member != self.member);
        FAMILIES.put(state, &self.payer, &payer);
        let mut member = family(state, self.member);
        member.grants.retain(|one| *one != number);
        FAMILIES.put(state, &self.member, &member);
        let mut grant = GRANTS
            .get(state, &(self.member, number))
            .ok_or_else(|| rejection::UNKNOWN_GRANT.reject())?;
        grant.revoked = Some(context.time);
        GRANTS.put(state, &(self.member, number), &grant);
        let concerns = Pair { payer: self.payer, member: self.member }.concerns(state);
        Ok(Outcome::event("aid_revoked", concerns)
            .with("grant", FieldValue::Number(u64::from(number))))
    }
}
