//! The network's own parameters: who governs, which web origins count, the regions on the ledger,
//! the nodes, who of them decides, and from which block on new rules hold.
//!
//! Kinds: 101 `open_region`, 102 `set_region`, 103 `set_governing_set`, 104 `set_web_origins`,
//! 105 `admit_node`, 106 `rotate_node_key`, 107 `remove_node`, 108 `set_validators`,
//! 109 `schedule_upgrade`, 110 `withdraw_upgrade`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod admit_node;
mod event;
mod governing;
mod member;
mod node;
mod open_region;
pub mod rejection;
mod remove_node;
mod rotate_node_key;
mod schedule_upgrade;
mod set_governing_set;
mod set_region;
mod set_validators;
mod set_web_origins;
mod table;
#[cfg(test)]
mod tests;
mod upgrade;
pub mod view;
mod withdraw_upgrade;

pub use admit_node::AdmitNode;
pub use governing::require_governing;
pub use node::{Contact, NODES_MAX, NodeRow};
pub use open_region::OpenRegion;
pub use remove_node::RemoveNode;
pub use rotate_node_key::RotateNodeKey;
pub use schedule_upgrade::{ScheduleUpgrade, UPGRADE_BLOCKS_MIN};
pub use set_governing_set::{GOVERNING_MAX, SetGoverningSet};
pub use set_region::SetRegion;
pub use set_validators::{Member, SetValidators};
pub use set_web_origins::SetWebOrigins;
pub use table::{NetworkRow, RegionRow, RegionSettings, write_genesis};
pub use upgrade::{Upgrade, UpgradeRow};
pub use withdraw_upgrade::WithdrawUpgrade;

pub(crate) const MODULE: Module = Module {
    number: 1,
    name: "network",
    kinds: || {
        alloc::vec![
            KindEntry::of::<OpenRegion>("network"),
            KindEntry::of::<SetRegion>("network"),
            KindEntry::of::<SetGoverningSet>("network"),
            KindEntry::of::<SetWebOrigins>("network"),
            KindEntry::of::<AdmitNode>("network"),
            KindEntry::of::<RotateNodeKey>("network"),
            KindEntry::of::<RemoveNode>("network"),
            KindEntry::of::<SetValidators>("network"),
            KindEntry::of::<ScheduleUpgrade>("network"),
            KindEntry::of::<WithdrawUpgrade>("network"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
