//! Changes who governs.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::NETWORK;
use super::{rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::kernel::transaction::AUTHORISATIONS_MAX;
use crate::modules::organisation;

/// How many members a governing set has at the most: the largest number of which more than two
/// thirds still fit into one transaction. A larger set could never act again, not even to become
/// smaller (test `the_largest_governing_set_can_still_act`).
pub const GOVERNING_MAX: usize = 23;
// More than two thirds of n fit exactly when 3 * AUTHORISATIONS_MAX > 2 * n.
const _: () = assert!(3 * AUTHORISATIONS_MAX > 2 * GOVERNING_MAX);
const _: () = assert!(3 * AUTHORISATIONS_MAX <= 2 * (GOVERNING_MAX + 1));

/// Names the whole new governing set. Signed by more than two thirds of the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetGoverningSet {
    /// The members, 1 to 23.
    #[schemars(length(min = 1, max = 23))]
    pub members: Vec<OrganisationId>,
}

impl Kind for SetGoverningSet {
    const NUMBER: u16 = 103;
    const NAME: &'static str = "set_governing_set";

    fn check(&self) -> Result<(), Rejection> {
        let distinct: BTreeSet<_> = self.members.iter().collect();
        let count = self.members.len();
        let fine = (1..=GOVERNING_MAX).contains(&count) && distinct.len() == count;
        require(fine, || rejection::INVALID_GOVERNING_SET.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        for member in &self.members {
            organisation::view::require_active(state, *member)
                .map_err(|_| rejection::INVALID_GOVERNING_SET.with(member))?;
        }
        let mut row = Arc::unwrap_or_clone(view::network(state));
        row.governing = self.members.clone();
        row.governing.sort();
        NETWORK.put(state, &(), &row);
        Ok(Outcome::event(
            "governing_set_changed",
            row.governing.iter().copied().map(Party::Organisation),
        ))
    }
}
