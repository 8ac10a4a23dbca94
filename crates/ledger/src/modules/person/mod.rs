//! Persons: one small row per natural person, with keys, guardians, lock and card.
//!
//! Kinds: 301 `enrol_person`, 302 `remap_blind_indices`, 303 `add_person_key`,
//! 304 `revoke_person_key`, 305 `set_guardian`, 306 `remove_guardian`, 307 `register_card`,
//! 308 `block_card`, 309 `report_pin_failure`, 310 `reset_pin_counter`, 311 `lock_person`,
//! 312 `ask_unlock`, 313 `unlock_person`, 314 `close_person`, 315 `move_person`, 316
//! `set_recovery_rules`, 317 `ask_recovery`, 318 `agree_recovery`, 319 `stop_recovery`, 320
//! `complete_recovery`, 321 `set_payment_limits`.
//!
//! Reading order: `table` (the row), `view` (how consent is judged, and what others call), `actor`
//! (who may act at all), `recovery` (what waits when every device is lost), `limits` (what needs a
//! second person), then the kinds.
//!
//! Invariants: nothing here says who somebody is, and no body has a free text (test
//! `bodies_hold_no_free_text`); one natural person has one id (test
//! `one_natural_person_has_one_id`); a lock stops money, cards, sharing and new devices and nothing
//! else (test `a_lock_stops_money_cards_sharing_and_new_devices`); a recovery puts no key in place
//! of a person's own without guardians and waiting, whatever bureau and authority sign (test
//! `nobody_recovers_a_wallet_alone`). What they can do at a desk, revoke every key and register a
//! first one, is seen by the person and no recovery.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod actor;
mod add_person_key;
mod agree_recovery;
mod ask_recovery;
mod ask_unlock;
mod block_card;
mod close_person;
mod complete_recovery;
mod enrol_person;
mod event;
mod limits;
mod lock_person;
mod move_person;
mod new_key;
mod new_person;
mod recovery;
mod register_card;
pub mod rejection;
mod remap_blind_indices;
mod remove_guardian;
mod report_pin_failure;
mod reset_pin_counter;
mod revoke_person_key;
mod set_guardian;
mod set_payment_limits;
mod set_recovery_rules;
mod stop_recovery;
mod table;
#[cfg(test)]
mod tests;
mod unlock_person;
pub mod view;

pub use actor::{Actor, require_bureau, require_identity_check, require_speaker};
pub use add_person_key::AddPersonKey;
pub use agree_recovery::AgreeRecovery;
pub use ask_recovery::AskRecovery;
pub use ask_unlock::AskUnlock;
pub use block_card::BlockCard;
pub use close_person::ClosePerson;
pub use complete_recovery::CompleteRecovery;
pub use enrol_person::EnrolPerson;
pub use limits::{LimitsRow, PaymentLimits, WaitingLimits};
pub use lock_person::LockPerson;
pub use move_person::MovePerson;
pub use new_key::NewKey;
pub use new_person::NewPerson;
pub use recovery::{Recovery, RecoveryAgreement, RecoveryRules, RecoveryStanding};
pub use register_card::RegisterCard;
pub use remap_blind_indices::{IndexPair, PAIRS_MAX, RemapBlindIndices};
pub use remove_guardian::RemoveGuardian;
pub use report_pin_failure::ReportPinFailure;
pub use reset_pin_counter::ResetPinCounter;
pub use revoke_person_key::RevokePersonKey;
pub use set_guardian::{GuardianGround, MAJORITY_AGE, MINORITY_DAYS_MAX, SetGuardian};
pub use set_payment_limits::SetPaymentLimits;
pub use set_recovery_rules::SetRecoveryRules;
pub use stop_recovery::StopRecovery;
pub use table::{
    Card, DaySpending, FIRST_KEYS_MAX, GUARDIANS_MAX, Guardianship, KEYS_MAX, KeyGrade, Lock,
    PersonKey, PersonRow, PersonStatus,
};
pub use unlock_person::UnlockPerson;

pub(crate) const MODULE: Module = Module {
    number: 3,
    name: "person",
    kinds: || {
        alloc::vec![
            KindEntry::of::<EnrolPerson>("person"),
            KindEntry::of::<RemapBlindIndices>("person"),
            KindEntry::of::<AddPersonKey>("person"),
            KindEntry::of::<RevokePersonKey>("person"),
            KindEntry::of::<SetGuardian>("person"),
            KindEntry::of::<RemoveGuardian>("person"),
            KindEntry::of::<RegisterCard>("person"),
            KindEntry::of::<BlockCard>("person"),
            KindEntry::of::<ReportPinFailure>("person"),
            KindEntry::of::<ResetPinCounter>("person"),
            KindEntry::of::<LockPerson>("person"),
            KindEntry::of::<AskUnlock>("person"),
            KindEntry::of::<UnlockPerson>("person"),
            KindEntry::of::<ClosePerson>("person"),
            KindEntry::of::<MovePerson>("person"),
            KindEntry::of::<SetRecoveryRules>("person"),
            KindEntry::of::<AskRecovery>("person"),
            KindEntry::of::<AgreeRecovery>("person"),
            KindEntry::of::<StopRecovery>("person"),
            KindEntry::of::<CompleteRecovery>("person"),
            KindEntry::of::<SetPaymentLimits>("person"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
