//! Visits: from check-in over the running bill of a stay to settlement, refund, correction and
//! objection, and the payments outside that belong to them.
//!
//! Reading order: `table` (what is kept), [`quote`] (the split), [`consent`], `settle_visit`,
//! `money` (the postings), `cash`, `resettle` (what refund and correction share), [`later`] (what
//! they change for later settlements), `confirm_effect`.
//!
//! Kinds: 701 `check_in`, 702 `cancel_visit`, 703 `update_running_bill`, 704 `take_deposit`,
//! 705 `settle_visit`, 706 `refund_visit`, 707 `supersede_settlement`, 708 `object_to_settlement`,
//! 709 `answer_objection`, 710 `confirm_effect`, 711 `contest_consent`, 712 `retry_effect`,
//! 713 `take_over_effect`, 714 `decide_contest`, 715 `adjust_later_settlements`.
//!
//! Invariants: a visit is settled at most once (test `a_visit_is_settled_once`); what was collected
//! is refunded at most once (test `two_refunds_of_the_same_lines_pay_once`); a refund gives back
//! exactly what the settlement took (test `a_whole_refund_restores_every_balance_and_counter`);
//! what organisations alone agreed to takes nothing from account or card (test
//! `without_the_persons_own_consent_cash_goes_over_a_counter_or_stays_a_receivable`).

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod adjust_later_settlements;
mod answer_objection;
mod cancel_visit;
mod cash;
mod check_in;
mod confirm_effect;
pub mod consent;
mod contest_consent;
mod decide_contest;
mod event;
pub mod later;
mod money;
mod object_to_settlement;
pub mod quote;
mod refund_visit;
pub mod rejection;
mod resettle;
mod retroactive;
mod retry_effect;
mod settle_visit;
mod signing;
mod supersede_settlement;
mod table;
mod take_deposit;
mod take_over_effect;
#[cfg(test)]
mod tests;
mod update_running_bill;
pub mod view;

pub use adjust_later_settlements::AdjustLaterSettlements;
pub use answer_objection::{AnswerObjection, ObjectionAnswer};
pub use cancel_visit::CancelVisit;
pub use cash::{CashLeg, RailKind};
pub use check_in::{CheckIn, Identification};
pub use confirm_effect::ConfirmEffect;
pub use consent::{Consent, EmergencyReason};
pub use contest_consent::ContestConsent;
pub use decide_contest::{ContestDecision, DecideContest};
pub use later::{LATER_MAX, Later};
pub(crate) use money::{
    entries_to, net_entries, paying_organisations, require_same_split, split_fields,
};
pub use object_to_settlement::ObjectToSettlement;
pub use quote::{Part, Quote, QuoteRequest, Split, quote};
pub use refund_visit::RefundVisit;
pub(crate) use refund_visit::takes_out;
pub use resettle::{quote_as_settled, quote_corrected, quote_remaining, recompute};
pub(crate) use retroactive::{count_again, count_as_settled, quote_again};
pub use retry_effect::RetryEffect;
pub use settle_visit::SettleVisit;
pub use supersede_settlement::{CorrectionReason, SupersedeSettlement};
pub use table::{
    Contest, Deposit, DepositSource, EffectRow, Objection, OpenVisit, RunningBill, SettledVisit,
    SettlementRecord, VisitRow, VisitSubject,
};
pub use take_deposit::{DepositFrom, TakeDeposit};
pub use take_over_effect::TakeOverEffect;
pub use update_running_bill::{UpdateRunningBill, is_stay};
pub(crate) use view::set_running_amounts;

pub(crate) const MODULE: Module = Module {
    number: 7,
    name: "visit",
    kinds: || {
        alloc::vec![
            KindEntry::of::<CheckIn>("visit"),
            KindEntry::of::<CancelVisit>("visit"),
            KindEntry::of::<UpdateRunningBill>("visit"),
            KindEntry::of::<TakeDeposit>("visit"),
            KindEntry::of::<SettleVisit>("visit"),
            KindEntry::of::<RefundVisit>("visit"),
            KindEntry::of::<SupersedeSettlement>("visit"),
            KindEntry::of::<ObjectToSettlement>("visit"),
            KindEntry::of::<AnswerObjection>("visit"),
            KindEntry::of::<ConfirmEffect>("visit"),
            KindEntry::of::<ContestConsent>("visit"),
            KindEntry::of::<RetryEffect>("visit"),
            KindEntry::of::<TakeOverEffect>("visit"),
            KindEntry::of::<DecideContest>("visit"),
            KindEntry::of::<AdjustLaterSettlements>("visit"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
