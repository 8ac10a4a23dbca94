//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "person_enrolled", "a person was enrolled", "the person, the home region's bureau";
    "person_moved", "a person's home region changed", "the person, the old and the new bureau";
    "person_closed",
        "a person's record was closed after death",
        "the person, the home region's bureau";
    "person_locked",
        "money, cards, sharing and new devices were locked",
        "the person, the home region's bureau, who locked";
    "unlock_asked",
        "unlocking was asked for and waits",
        "the person, the home region's bureau, the guardians, who locked";
    "person_unlocked",
        "a lock was taken away",
        "the person, the home region's bureau, who locked, who unlocked";
    "person_key_added", "a key was added", "the person, the home region's bureau";
    "person_key_revoked", "a key was revoked", "the person, the home region's bureau";
    "guardian_set",
        "a guardian was named or changed",
        "the person, the home region's bureau, the guardian";
    "guardian_removed",
        "a guardian was removed",
        "the person, the home region's bureau, the guardian";
    "card_registered", "a card was registered", "the person, the home region's bureau";
    "card_blocked", "a card was blocked", "the person, the home region's bureau";
    "pin_failed", "a wrong PIN was given", "the person, the home region's bureau";
    "pin_blocked",
        "too many wrong PINs were given, so the PIN is blocked",
        "the person, the home region's bureau";
    "pin_counter_reset",
        "the counter of wrong PINs was reset",
        "the person, the home region's bureau";
    "recovery_rules_set", "the rules of recovery were set", "the region's bureau";
    "recovery_asked",
        "a new key in place of all others was asked for, and it waits",
        "the person, the home region's bureau, the guardians";
    "recovery_agreed",
        "a guardian agreed to a recovery",
        "the person, the home region's bureau, the guardians";
    "recovery_stopped",
        "a recovery was stopped",
        "the person, the home region's bureau, the guardians";
    "recovery_completed",
        "a new key took the place of all others",
        "the person, the home region's bureau, the guardians";
    "payment_limits_set",
        "what is paid without a second person was set",
        "the person, the home region's bureau, the second person";
    "payment_limits_asked",
        "higher limits, another second person or none was asked for, and it waits",
        "the person, the home region's bureau, the second person";
    "blind_indices_remapped", "blind indices were moved to another key", "the identity authority";
}
