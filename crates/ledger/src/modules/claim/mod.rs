//! Claims for bills that a person paid in full (手工报销, 零星报销): filed with documents, reviewed
//! at the bureau's desk, adjudicated by the same rules as a visit, paid out once.
//!
//! An invoice is known here by its tag, a hash of issuer and number under a key that the region's
//! bureau alone has. While a claim waits its invoices are in no other one; once it is accepted they
//! are used for ever; a claim that is refused or withdrawn frees them.
//!
//! Invariants: no invoice is paid for twice, whoever claims (test
//! `an_invoice_is_paid_for_once_whoever_claims`); what funds owe is paid out once (test
//! `a_payout_moves_once_and_a_failed_one_stays_owed`); a claim counts as the same visit would have
//! (test `a_claim_counts_as_the_visit_would_have`); a bill in another currency is what the rate of
//! its last day makes of it, to the minor unit (test
//! `a_foreign_bill_is_converted_by_the_rate_of_its_last_day`), also when it is corrected later
//! (test `a_correction_counts_at_the_original_rate_and_what_was_paid_too_much_comes_back`).
//!
//! Kinds: 1101 `set_claim_rules`, 1102 `file_claim`, 1103 `withdraw_claim`, 1104 `refuse_claim`,
//! 1105 `accept_claim`, 1106 `pay_claim`, 1107 `correct_claim`, 1108 `record_claim_repayment`.
//!
//! Reading order: `rules` (a region's parameters), `table` (rows), `file_claim`, `adjudicate` (a
//! claim as a visit), `foreign` (bills in another currency), `accept_claim`, `payout`, then the
//! other kinds.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod accept_claim;
mod adjudicate;
mod claimant;
mod correct_claim;
mod event;
mod file_claim;
mod foreign;
mod pay_claim;
mod payout;
mod record_claim_repayment;
mod refuse_claim;
pub mod rejection;
mod rules;
mod set_claim_rules;
mod table;
#[cfg(test)]
mod tests;
pub mod view;
mod withdraw_claim;

pub use accept_claim::AcceptClaim;
pub use adjudicate::{ClaimCare, ClaimRecord, paid_by_funds, quote_claim, quote_remaining_claim};
pub use correct_claim::{ClaimCorrection, CorrectClaim};
pub use file_claim::FileClaim;
pub use foreign::{ForeignBill, ForeignClaimRules, rate_for_bill};
pub use pay_claim::PayClaim;
pub use record_claim_repayment::RecordClaimRepayment;
pub use refuse_claim::{ClaimRefusal, RefuseClaim};
pub use rules::ClaimRules;
pub use set_claim_rules::SetClaimRules;
pub use table::{AcceptedRow, ClaimPayout, ClaimRow, ClaimStanding};
pub use withdraw_claim::WithdrawClaim;

pub(crate) const MODULE: Module = Module {
    number: 11,
    name: "claim",
    kinds: || {
        alloc::vec![
            KindEntry::of::<SetClaimRules>("claim"),
            KindEntry::of::<FileClaim>("claim"),
            KindEntry::of::<WithdrawClaim>("claim"),
            KindEntry::of::<RefuseClaim>("claim"),
            KindEntry::of::<AcceptClaim>("claim"),
            KindEntry::of::<PayClaim>("claim"),
            KindEntry::of::<CorrectClaim>("claim"),
            KindEntry::of::<RecordClaimRepayment>("claim"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
