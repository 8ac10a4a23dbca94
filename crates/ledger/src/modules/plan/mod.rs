//! Plans: the dated rules of a scheme in a region, from draft to publication, and what a policy
//! with effect in the past owes to people.
//!
//! A version is drafted with its compiled bytes; the ledger decodes it and runs its own examples
//! before it takes it. Three different keys draft, review and approve it, and whoever supervises
//! the bureau approves where the governing set has such a body. A published version is never
//! edited; a successor takes over from a day on, and every settlement names the version that it was
//! adjudicated under.
//!
//! A successor whose first day is past leaves settlements that would now come out differently.
//! Their differences are simulated from the settlements' records, proposed in batches and approved
//! by another key. The payment brings the records along; the ledger adjudicates each again and pays
//! what was approved only when it comes out the same. A settlement that is refunded or corrected
//! takes its difference back. What an earlier visit changes for later settlements
//! (`visit::AdjustLaterSettlements`) is booked and taken back the same way.
//!
//! Kinds: 501 `draft_plan`, 502 `review_plan`, 503 `approve_plan`, 504 `publish_plan`, 505
//! `withdraw_plan`, 506 `propose_differences`, 507 `approve_differences`, 508 `pay_differences`,
//! 509 `settle_difference`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod adjust;
mod approve_differences;
mod approve_plan;
mod approver;
mod bytes;
mod difference;
mod draft_plan;
mod event;
mod pay_differences;
mod propose_differences;
mod publish_plan;
pub mod rejection;
mod review_plan;
mod schedule;
mod settle_difference;
mod simulate_differences;
mod table;
#[cfg(test)]
mod tests;
pub mod view;
mod withdraw_plan;

pub use adjust::PolicyChange;
pub(crate) use adjust::{rebook, take_back};
pub use approve_differences::ApproveDifferences;
pub use approve_plan::ApprovePlan;
pub use bytes::PlanBytes;
pub use difference::{
    AdjustedRow, BatchRow, BatchStanding, Cause, Counted, DIFFERENCES_MAX, Difference,
    DifferenceStanding, Direction,
};
pub use draft_plan::DraftPlan;
pub use pay_differences::{PayDifferences, RECORDS_MAX};
pub use propose_differences::ProposeDifferences;
pub use publish_plan::PublishPlan;
pub use review_plan::ReviewPlan;
pub use settle_difference::{SettleDifference, SettlementWay};
pub use simulate_differences::{Simulation, simulate_differences};
pub use table::{PlanStanding, Publication, SignedBy, VersionRow};
pub use view::PlanRef;
pub use withdraw_plan::WithdrawPlan;

pub(crate) const MODULE: Module = Module {
    number: 5,
    name: "plan",
    kinds: || {
        alloc::vec![
            KindEntry::of::<DraftPlan>("plan"),
            KindEntry::of::<ReviewPlan>("plan"),
            KindEntry::of::<ApprovePlan>("plan"),
            KindEntry::of::<PublishPlan>("plan"),
            KindEntry::of::<WithdrawPlan>("plan"),
            KindEntry::of::<ProposeDifferences>("plan"),
            KindEntry::of::<ApproveDifferences>("plan"),
            KindEntry::of::<PayDifferences>("plan"),
            KindEntry::of::<SettleDifference>("plan"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
