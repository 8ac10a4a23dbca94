//! Changes who governs.

use alloc::{collections::BTreeSet, vec::Vec};
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
use crate::modules::organisation;

/// Names the whole new governing set. Signed by more than two thirds of the present one.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct SetGoverningSet {
    /// The members, 1 to 64.
    #[schemars(length(min = 1, max = 64))]
    pub members: Vec<OrganisationId>,
}

impl Kind for SetGoverningSet {
    const NUMBER: u16 = 103;
    const NAME: &'static str = "set_governing_set";

    fn check(&self) -> Result<(), Rejection> {
        let distinct: BTreeSet<_> = self.members.iter().collect();
        let fine = (1..=64).contains(&self.members.len()) && distinct.len() == self.members.len();
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
        let mut row = view::network(state);
        row.governing = self.members.clone();
        row.governing.sort();
        NETWORK.put(state, &(), &row);
        Ok(Outcome::event(
            "governing_set_changed",
            row.governing.iter().copied().map(Party::Organisation),
        ))
    }
}
