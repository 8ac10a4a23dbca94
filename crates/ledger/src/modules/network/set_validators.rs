//! Names who decides blocks.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, detail};
use proof::header::Validator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::governing::concerned;
use super::table::VALIDATORS;
use super::{member, rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation;

/// An organisation that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Who it is; its node is on the ledger, or it decides already.
    pub organisation: OrganisationId,
    /// Its weight, 1 to 1,000,000,000,000.
    pub power: u64,
}

/// Names all organisations that decide from the next block on, with the keys that their nodes have
/// on the ledger. Signed by the governing set.
///
/// One organisation may decide alone. Of several, none may have a third of the weight or more: the
/// others go on when it stops. So a network grows from one to four, and does not shrink to three.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetValidators {
    /// The hash of the validators whom this replaces, so that of two changes that did not know of
    /// each other only one happens.
    pub present: Hash,
    /// All who decide, 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub members: Vec<Member>,
}

impl Kind for SetValidators {
    const NUMBER: u16 = 108;
    const NAME: &'static str = "set_validators";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let present = member::present(context, state);
        require(present.hash() == self.present, || {
            rejection::VALIDATORS_CHANGED
                .with(detail!("they are {present} now", present = present.hash()))
        })?;
        let nodes = view::nodes(state);
        let mut validators = Vec::with_capacity(self.members.len());
        for Member { organisation, power } in &self.members {
            organisation::view::require_active(state, *organisation)?;
            let node = nodes.iter().find(|one| one.organisation == *organisation);
            let key = node.map(|one| one.key);
            let key = key.or_else(|| present.get(*organisation).map(|one| one.key));
            let key = key.ok_or_else(|| rejection::UNKNOWN_NODE.with(organisation))?;
            validators.push(Validator { organisation: *organisation, key, power: *power });
        }
        let set = member::set_of(validators)?;
        VALIDATORS.put(state, &(), &set);
        let both = present.validators().iter().chain(set.validators());
        let concerned = concerned(state, both.map(|one| one.organisation));
        Ok(Outcome::event("validators_changed", concerned))
    }
}
