//! Resident premiums (城乡居民医保缴费): who owes how much in which season, the record lock against paying
//! twice, payment for oneself and others, and the cover that follows from it.
//!
//! The bureau owns registration, the tax authority collects; a season is signed by both. A premium
//! is due to one fund, in one payment, once: a record is due, locked, being paid, paid, or given
//! back, and every payment moves all of its records together (test
//! `fifty_channels_race_and_one_pays`). A rail collects it, or personal accounts pay it at once
//! (decision record 0039), or an account pays a part of its owner's premium and a rail the rest,
//! together or not at all (decision record 0049; test
//! `an_account_and_a_rail_pay_together_or_not_at_all`).
//!
//! Kinds: 901 `set_premium_season`, 902 `register_premiums`, 903 `lock_premium`, 904
//! `release_premium`, 905 `pay_premiums`, 906 `cancel_premium`, 907 `pay_premiums_from_accounts`.
//!
//! Reading order: `season` (the rules of a season), `table` (rows), `tally` (how many stand where),
//! `record` (what may happen to a record), `payment` (the executor's word), `account` (what
//! personal accounts pay and get back), `view` (what others may know), then the kinds.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod account;
mod cancel_premium;
mod event;
mod lock_premium;
mod pay_premiums;
mod pay_premiums_from_accounts;
mod payment;
mod record;
mod register_premiums;
pub mod rejection;
mod release_premium;
mod season;
mod set_premium_season;
mod table;
mod tally;
#[cfg(test)]
mod tests;
pub mod view;

pub use cancel_premium::CancelPremium;
pub use lock_premium::LockPremium;
pub use pay_premiums::{PayPremiums, PremiumItem};
pub use pay_premiums_from_accounts::{AccountPremium, PayPremiumsFromAccounts};
pub use register_premiums::{RegisterPremiums, RegisteredPremium};
pub use release_premium::ReleasePremium;
pub use season::{PremiumClass, PremiumSeason, SeasonId, WaitingRule};
pub use set_premium_season::SetPremiumSeason;
pub use table::{
    AccountItem, AccountPayment, PaidItem, PremiumPayment, PremiumRecord, PremiumSource,
    PremiumStanding, RecordLock,
};
pub use tally::{PremiumTally, TallyPart};

pub(crate) const MODULE: Module = Module {
    number: 9,
    name: "premium",
    kinds: || {
        alloc::vec![
            KindEntry::of::<SetPremiumSeason>("premium"),
            KindEntry::of::<RegisterPremiums>("premium"),
            KindEntry::of::<LockPremium>("premium"),
            KindEntry::of::<ReleasePremium>("premium"),
            KindEntry::of::<PayPremiums>("premium"),
            KindEntry::of::<CancelPremium>("premium"),
            KindEntry::of::<PayPremiumsFromAccounts>("premium"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
