//! Sets the height at which new rules begin, or takes that back.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::detail;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::governing::concerned;
use super::table::UPGRADES;
use super::upgrade::{Upgrade, UpgradeRow};
use super::{rejection, require_governing, upgrade};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// How many blocks ahead an upgrade is announced at the least, so that nobody is surprised within
/// a block that is being made. Operators give each other days.
pub const UPGRADE_BLOCKS_MIN: u64 = 10;

/// Sets the block from which on new rules hold. Signed by the governing set. A node whose release
/// does not know them stops before that block and says which release it needs; it loses nothing,
/// and goes on when it has it. Said again before that block it replaces what was said; see
/// `withdraw_upgrade` to take it back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleUpgrade {
    /// From which block on which rules: at least ten blocks ahead, and the number that follows.
    pub upgrade: Upgrade,
}

impl Kind for ScheduleUpgrade {
    const NUMBER: u16 = 109;
    const NAME: &'static str = "schedule_upgrade";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let protocol = upgrade::row(state).protocol_at(context.height);
        let next = protocol.saturating_add(1);
        require(self.upgrade.protocol == next, || {
            rejection::INVALID_UPGRADE
                .with(detail!("the rules that follow are number {next}", next))
        })?;
        let first = context.height.saturating_add(UPGRADE_BLOCKS_MIN);
        require(self.upgrade.height >= first, || {
            rejection::INVALID_UPGRADE.with(detail!("name block {first} or a later one", first))
        })?;
        UPGRADES.put(state, &(), &UpgradeRow { protocol, next: Some(self.upgrade) });
        Ok(Outcome::event("upgrade_scheduled", concerned(state, [])))
    }
}
