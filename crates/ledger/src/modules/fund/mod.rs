//! Funds: who owns which, what comes in, what moves between them, and which fund pays whose share.
//!
//! A fund has one owner: the bureau of its region, or an insurer for its own money. Whoever owns it
//! signs for every movement that this module makes. A settlement takes money out of a fund only
//! through an assignment (kind 606), which bureau and owner signed: it binds the owner to the
//! published plan.
//!
//! Kinds: 601 `open_fund`, 602 `contribute`, 603 `credit_personal_accounts`, 604
//! `transfer_between_funds`, 605 `set_fund_floor`, 606 `assign_payer_fund`, 607 `pay_provider`, 608
//! `close_fund`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod assign_payer_fund;
mod close_fund;
mod contribute;
mod credit_personal_accounts;
mod event;
mod open_fund;
mod pay_provider;
pub mod rejection;
mod set_fund_floor;
mod table;
#[cfg(test)]
mod tests;
mod transfer_between_funds;
pub mod view;

pub use assign_payer_fund::AssignPayerFund;
pub use close_fund::CloseFund;
pub use contribute::Contribute;
pub use credit_personal_accounts::{
    CREDIT_ROWS_MAX, CreditPersonalAccounts, CreditRow, CreditSource,
};
pub use open_fund::OpenFund;
pub use pay_provider::PayProvider;
pub use set_fund_floor::SetFundFloor;
pub use table::{Assignment, FundRow};
pub use transfer_between_funds::{FundAddress, TransferBetweenFunds};

pub(crate) const MODULE: Module = Module {
    number: 6,
    name: "fund",
    kinds: || {
        alloc::vec![
            KindEntry::of::<OpenFund>("fund"),
            KindEntry::of::<Contribute>("fund"),
            KindEntry::of::<CreditPersonalAccounts>("fund"),
            KindEntry::of::<TransferBetweenFunds>("fund"),
            KindEntry::of::<SetFundFloor>("fund"),
            KindEntry::of::<AssignPayerFund>("fund"),
            KindEntry::of::<PayProvider>("fund"),
            KindEntry::of::<CloseFund>("fund"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
