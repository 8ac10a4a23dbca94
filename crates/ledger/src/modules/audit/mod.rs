//! Audits: an auditor asks to see the settlements of a provider, the bureau grants it for a time,
//! and the block of the grant draws which ones.
//!
//! The row names no visit. The list is every settlement of the provider for care in the period that
//! stood before the block of the grant, and its order comes from that block's hash: whoever may see
//! the settlements draws the same sample, and neither who asked nor who granted has chosen it.
//!
//! Invariants: no audit is open on one organisation's word, nor after its end (test
//! `an_audit_is_open_from_the_grant_to_its_end`); the same list and seed draw the same sample (test
//! `the_same_list_and_seed_draw_the_same_sample_in_whatever_order_the_list_is`).
//!
//! Kinds: 1301 `ask_audit`, 1302 `grant_audit`, 1303 `end_audit`.
//!
//! Reading order: `case`, `ask_audit`, `grant_audit`, `end_audit`, `draw`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod ask_audit;
mod case;
mod draw;
mod end_audit;
mod event;
mod grant_audit;
pub mod rejection;
mod table;
#[cfg(test)]
mod tests;
pub mod view;

pub use ask_audit::AskAudit;
pub use case::{
    AUDIT_DAYS_MAX, AUDIT_PURPOSE_BYTES_MAX, AUDIT_SIZE_MAX, AuditCase, AuditEnd, AuditGrant,
    AuditStanding, AuditTerms,
};
pub use draw::{draw, seed_words};
pub use end_audit::EndAudit;
pub use grant_audit::GrantAudit;

pub(crate) const MODULE: Module = Module {
    number: 13,
    name: "audit",
    kinds: || {
        alloc::vec![
            KindEntry::of::<AskAudit>("audit"),
            KindEntry::of::<GrantAudit>("audit"),
            KindEntry::of::<EndAudit>("audit"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
