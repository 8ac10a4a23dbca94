//! Vouchers: which were issued, and what a second payer has reimbursed on them.
//!
//! A voucher is a proof that anybody may carry away, so the proof alone cannot say whether somebody
//! else has already reimbursed the bill. The ledger does: what is marked on a settlement by all
//! payers together is never more than the person's own share of it (test
//! `a_bill_is_never_reimbursed_twice`).
//!
//! The module `visit` tells this one of each settlement and refund through [`register_settlement`]
//! and [`adjust_settlement`].
//!
//! Kinds: 801 `issue_voucher`, 802 `mark_voucher_used`, 803 `unmark_voucher`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod event;
mod issue_voucher;
mod mark_voucher_used;
mod register;
pub mod rejection;
mod table;
#[cfg(test)]
mod tests;
mod unmark_voucher;
pub mod view;

pub use issue_voucher::IssueVoucher;
pub use mark_voucher_used::MarkVoucherUsed;
pub(crate) use register::{adjust_settlement, register_settlement};
pub use table::{IssuedVoucher, MARKS_MAX, Mark, SettlementRow, VoucherPurpose};
pub use unmark_voucher::UnmarkVoucher;

pub(crate) const MODULE: Module = Module {
    number: 8,
    name: "voucher",
    kinds: || {
        alloc::vec![
            KindEntry::of::<IssueVoucher>("voucher"),
            KindEntry::of::<MarkVoucherUsed>("voucher"),
            KindEntry::of::<UnmarkVoucher>("voucher"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
