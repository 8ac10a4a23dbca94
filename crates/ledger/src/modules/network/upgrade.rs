//! Which rules hold at which height.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::UPGRADES;
use crate::kernel::block::PROTOCOL_FIRST;
use crate::kernel::overlay::Read;

/// A change of the rules that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The first block by the new rules.
    pub height: u64,
    /// The number of the rules, one more than those before.
    pub protocol: u32,
}

/// The rules that hold, and those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UpgradeRow {
    /// The rules before the change.
    pub protocol: u32,
    /// The change.
    pub next: Option<Upgrade>,
}

/// What was decided about the rules.
pub(super) fn row(state: &(impl Read + ?Sized)) -> UpgradeRow {
    let row: Option<Arc<UpgradeRow>> = UPGRADES.shared(state, &());
    row.map_or(UpgradeRow { protocol: PROTOCOL_FIRST, next: None }, |row| *row)
}

impl UpgradeRow {
    /// The number of the rules by which this block is made.
    #[must_use]
    pub fn protocol_at(&self, height: u64) -> u32 {
        self.next.filter(|next| next.height <= height).map_or(self.protocol, |next| next.protocol)
    }

    /// The change that is still to come for this block.
    #[must_use]
    pub fn ahead_of(&self, height: u64) -> Option<Upgrade> {
        self.next.filter(|next| next.height > height)
    }
}
