//! Ends a binding.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binding::{Pair, unbind};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::person::{Actor, require_speaker};

/// Ends a binding at once, by either side alone, also while locked; it gives no slot of the month
/// back. Signed by whoever speaks for the side: own key, guardian, or a desk of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbindMember {
    /// Who may act until now.
    pub payer: PersonId,
    /// For whom.
    pub member: PersonId,
    /// Which of the two ends it.
    pub side: BindingSide,
    /// Who acts for that side.
    pub actor: Actor,
}

/// One of the two of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingSide {
    /// Who acts.
    Payer,
    /// For whom.
    Member,
}

impl BindingSide {
    /// The one of the two on this side.
    pub(super) const fn of(self, pair: Pair) -> PersonId {
        match self {
            Self::Payer => pair.payer,
            Self::Member => pair.member,
        }
    }
}

impl Kind for UnbindMember {
    const NUMBER: u16 = 1006;
    const NAME: &'static str = "unbind_member";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let pair = Pair { payer: self.payer, member: self.member };
        require_speaker(context, state, self.side.of(pair), self.actor).map(|_| ())
    }

    fn execute(
        &self,
        _context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = Pair { payer: self.payer, member: self.member };
        unbind(state, pair)?;
        Ok(Outcome::event("member_unbound", pair.concerns(state)))
    }
}
