//! Care elsewhere: what a region's funds and accounts owe for care in another region is advanced by
//! the region of care, stated monthly, agreed or disputed, set off and paid.
//!
//! A settlement elsewhere moves money twice: from fund and account to what the insured region owes
//! ([`Account::OwedToRegion`]), and from what the region of care advances
//! ([`Account::AdvancedForRegion`]) to its provider, which its own bureau pays as for everybody
//! else. Each movement is a numbered item with a hash over all before it, so both bureaus compute
//! the same statement from the same rows. What the insured region agrees to is first set off
//! against what the other region has to pay it, and the rest is payable to the other bureau, in
//! batches that two organisations approve like every payment of module `clearing`.
//!
//! Care elsewhere is cleared this way where both regions have set rules for the day of admission
//! and keep one currency; otherwise the insured region owes the provider itself, as before.
//!
//! Invariants: what was advanced is what is owed, disputed, payable, in payment or under way, for
//! each pair of regions at every instant (test `what_is_advanced_is_owed_at_every_step`); a
//! statement adds up (the same test); what two regions owe each other comes to zero when both have
//! paid (test `two_regions_come_to_zero`); nothing is agreed twice (test
//! `a_statement_is_answered_once`).
//!
//! Kinds: 1401 `set_interregion_rules`, 1402 `close_interregion_month`, 1403
//! `answer_interregion_statement`, 1404 `end_item_dispute`, 1405 `confirm_region_payment`.
//!
//! Reading order: `rules`, `item`, `statement`, `close_interregion_month`,
//! `answer_interregion_statement`, then the other kinds.
//!
//! [`Account::OwedToRegion`]: crate::kernel::account::Account::OwedToRegion
//! [`Account::AdvancedForRegion`]: crate::kernel::account::Account::AdvancedForRegion

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod answer_interregion_statement;
mod close_interregion_month;
mod confirm_region_payment;
mod end_item_dispute;
mod event;
mod item;
pub mod rejection;
mod rules;
mod set_interregion_rules;
mod statement;
mod table;
#[cfg(test)]
mod tests;
pub mod view;

pub use answer_interregion_statement::{
    AnswerInterregionStatement, DISPUTED_ITEMS_MAX, DisputedItem,
};
pub use close_interregion_month::CloseInterregionMonth;
pub use confirm_region_payment::ConfirmRegionPayment;
pub use end_item_dispute::EndItemDispute;
pub use item::{Dispute, DisputeEnd, DisputeReason, ItemRow, RegionItem, chain};
pub use rules::{DatedRules, InterregionRules};
pub use set_interregion_rules::SetInterregionRules;
pub use statement::{Answer, RegionStatement};

pub(crate) const MODULE: Module = Module {
    number: 14,
    name: "interregion",
    kinds: || {
        alloc::vec![
            KindEntry::of::<SetInterregionRules>("interregion"),
            KindEntry::of::<CloseInterregionMonth>("interregion"),
            KindEntry::of::<AnswerInterregionStatement>("interregion"),
            KindEntry::of::<EndItemDispute>("interregion"),
            KindEntry::of::<ConfirmRegionPayment>("interregion"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
