//! Clearing: what a region's funds owe providers becomes a month's statement, and a statement a
//! payment that two organisations approved.
//!
//! A provider's money passes four accounts, each emptied into the next: *due* (settled, not stated
//! yet), *payable* (stated), *in payment* (an approved batch has told the bank), *outside* (the
//! bank says that it is paid). A share of each statement is *held back* until the year is over.
//! What the bank refuses or sends back is payable again. Bank accounts stay off the ledger: a line
//! carries a salted hash of one.
//!
//! Invariants: nothing is paid twice (test `what_is_payable_is_paid_once`); a statement adds up to
//! what moved (test `a_statement_adds_up_and_what_is_owed_goes_on_to_the_next`); no batch is paid
//! on one organisation's word (test `a_batch_is_paid_on_two_organisations_word`); a day is marked
//! as one without differences only if the ledger's own totals say so (test
//! `a_day_without_differences_is_what_the_ledger_itself_has`).
//!
//! Kinds: 1201 `set_clearing_rules`, 1202 `set_provider_budget`, 1203 `close_month`, 1204
//! `propose_payout`, 1205 `approve_payout`, 1206 `withdraw_payout`, 1207 `record_payout_results`,
//! 1208 `release_hold_back`, 1209 `close_bank_day`, 1210 `clear_suspense`.
//!
//! Reading order: `rules`, `statement`, `close_month`, `batch`, `propose_payout`,
//! `approve_payout`, `record_payout_results`, `day`, then the other kinds.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod approve_payout;
mod batch;
mod clear_suspense;
mod close_bank_day;
mod close_month;
mod day;
mod event;
mod propose_payout;
mod record_payout_results;
pub mod rejection;
mod release_hold_back;
mod rules;
mod set_clearing_rules;
mod set_provider_budget;
mod signing;
mod statement;
mod table;
#[cfg(test)]
mod tests;
pub mod view;
mod withdraw_payout;

pub use approve_payout::ApprovePayout;
pub use batch::{BatchStanding, LineRow, LineStanding, PAYOUT_LINES_MAX, PayoutBatch, end_to_end};
pub use clear_suspense::{ClearSuspense, Resolution};
pub use close_bank_day::{BankDifference, CloseBankDay};
pub use close_month::CloseMonth;
pub use day::{
    BankDay, Cleared, DayTotals, DifferenceKind, SUSPENSE_MAX, SuspenseItem, SuspenseOwner,
};
pub use propose_payout::{PayoutLine, ProposePayout, account_tag};
pub use record_payout_results::{BankWord, PayoutResult, RecordPayoutResults};
pub use release_hold_back::ReleaseHoldBack;
pub use rules::ClearingRules;
pub use set_clearing_rules::SetClearingRules;
pub use set_provider_budget::SetProviderBudget;
pub use statement::{HeldYear, StatementRow};
pub use withdraw_payout::WithdrawPayout;

pub(crate) const MODULE: Module = Module {
    number: 12,
    name: "clearing",
    kinds: || {
        alloc::vec![
            KindEntry::of::<SetClearingRules>("clearing"),
            KindEntry::of::<SetProviderBudget>("clearing"),
            KindEntry::of::<CloseMonth>("clearing"),
            KindEntry::of::<ProposePayout>("clearing"),
            KindEntry::of::<ApprovePayout>("clearing"),
            KindEntry::of::<WithdrawPayout>("clearing"),
            KindEntry::of::<RecordPayoutResults>("clearing"),
            KindEntry::of::<ReleaseHoldBack>("clearing"),
            KindEntry::of::<CloseBankDay>("clearing"),
            KindEntry::of::<ClearSuspense>("clearing"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
