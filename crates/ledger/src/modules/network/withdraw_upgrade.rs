//! Takes an upgrade back before its height.

use borsh::{BorshDeserialize, BorshSerialize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::governing::concerned;
use super::table::UPGRADES;
use super::upgrade::UpgradeRow;
use super::{rejection, require_governing, upgrade};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Takes back the upgrade to this block, before that block. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawUpgrade {
    /// The block at which it was to happen.
    pub height: u64,
}

impl Kind for WithdrawUpgrade {
    const NUMBER: u16 = 110;
    const NAME: &'static str = "withdraw_upgrade";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = upgrade::row(state);
        let ahead = row.ahead_of(context.height);
        require(ahead.is_some_and(|ahead| ahead.height == self.height), || {
            rejection::NO_UPGRADE.with(self.height)
        })?;
        let protocol = row.protocol;
        UPGRADES.put(state, &(), &UpgradeRow { protocol, next: None });
        Ok(Outcome::event("upgrade_withdrawn", concerned(state, [])))
    }
}
