//! The family account, which is two things with a set of rules each: the **proxy** acts with a
//! member's own money and cover (亲情账户), **mutual aid** lets a payer's personal account pay a
//! member's share (家庭共济). Neither needs the other. Where one of them is there, money is also
//! **sent** from wallet to wallet (医保钱包), by a third set of rules (decision record 0047).
//!
//! A binding costs a slot of the month on both sides and gives none back; failed tries leave no
//! trace and so cost nothing. A grant of aid is a number of its member: settlement records name the
//! number, and who pays stands on the ledger alone, so no provider learns it (test
//! `a_settlement_does_not_say_whose_account_helped`).
//!
//! Kinds: 1001 `set_proxy_rules`, 1002 `set_aid_rules`, 1003 `bind_member`, 1004
//! `apply_for_binding`, 1005 `decide_binding`, 1006 `unbind_member`, 1007 `grant_aid`, 1008
//! `revoke_aid`, 1009 `set_transfer_rules`, 1010 `send_transfer`, 1011 `claim_transfer`, 1012
//! `withdraw_transfer`.
//!
//! Reading order: `rules` (a region's parameters), `table` (rows), `month` (meters), `agreement`
//! (how a member agrees), `binding` (what may be bound), `aid` (what grants give a bill),
//! `transfer_rules` and `transfer` (money from wallet to wallet), `view` (what others may know),
//! then the kinds.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod agreement;
mod aid;
mod apply_for_binding;
mod bind_member;
mod binding;
mod claim_transfer;
mod decide_binding;
mod event;
mod grant_aid;
mod month;
pub mod rejection;
mod revoke_aid;
mod rules;
mod send_transfer;
mod set_aid_rules;
mod set_proxy_rules;
mod set_transfer_rules;
mod table;
#[cfg(test)]
mod tests;
mod transfer;
mod transfer_rules;
mod unbind_member;
pub mod view;
mod withdraw_transfer;

pub use agreement::Agreement;
pub use aid::{AidPurpose, AidTerms};
pub use apply_for_binding::ApplyForBinding;
pub use bind_member::BindMember;
pub use claim_transfer::ClaimTransfer;
pub use decide_binding::{BindingDecision, DecideBinding, RefusalReason};
pub use grant_aid::GrantAid;
pub use month::{AidMeter, Month, MonthCount};
pub use revoke_aid::RevokeAid;
pub use rules::{AidRules, ProxyRules, Relation};
pub use send_transfer::SendTransfer;
pub use set_aid_rules::SetAidRules;
pub use set_proxy_rules::SetProxyRules;
pub use set_transfer_rules::SetTransferRules;
pub use table::{
    AidGrant, AidUse, Binding, BindingApplication, BindingGround, BindingRefusal, FamilyRow,
};
pub use transfer::{DayCount, Transfer, TransferEnd, TransferList, TransferStanding};
pub use transfer_rules::{NightStop, TransferRules};
pub use unbind_member::{BindingSide, UnbindMember};
pub use withdraw_transfer::WithdrawTransfer;

pub(crate) const MODULE: Module = Module {
    number: 10,
    name: "family",
    kinds: || {
        alloc::vec![
            KindEntry::of::<SetProxyRules>("family"),
            KindEntry::of::<SetAidRules>("family"),
            KindEntry::of::<BindMember>("family"),
            KindEntry::of::<ApplyForBinding>("family"),
            KindEntry::of::<DecideBinding>("family"),
            KindEntry::of::<UnbindMember>("family"),
            KindEntry::of::<GrantAid>("family"),
            KindEntry::of::<RevokeAid>("family"),
            KindEntry::of::<SetTransferRules>("family"),
            KindEntry::of::<SendTransfer>("family"),
            KindEntry::of::<ClaimTransfer>("family"),
            KindEntry::of::<WithdrawTransfer>("family"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
