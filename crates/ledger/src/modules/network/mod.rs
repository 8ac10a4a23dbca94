//! The network's own parameters: who governs, which web origins count, and the regions on the
//! ledger.
//!
//! Kinds: 101 `open_region`, 102 `set_region`, 103 `set_governing_set`, 104 `set_web_origins`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod event;
mod governing;
mod open_region;
pub mod rejection;
mod set_governing_set;
mod set_region;
mod set_web_origins;
mod table;
#[cfg(test)]
mod tests;
pub mod view;

pub use governing::require_governing;
pub use open_region::OpenRegion;
pub use set_governing_set::{GOVERNING_MAX, SetGoverningSet};
pub use set_region::SetRegion;
pub use set_web_origins::SetWebOrigins;
pub use table::{NetworkRow, RegionRow, RegionSettings, write_genesis};

pub(crate) const MODULE: Module = Module {
    number: 1,
    name: "network",
    kinds: || {
        alloc::vec![
            KindEntry::of::<OpenRegion>("network"),
            KindEntry::of::<SetRegion>("network"),
            KindEntry::of::<SetGoverningSet>("network"),
            KindEntry::of::<SetWebOrigins>("network"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
};
