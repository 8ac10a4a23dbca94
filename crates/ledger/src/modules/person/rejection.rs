//! Why something about a person may not happen.

crate::kernel::rejection::rejections! {
    /// No such person.
    UNKNOWN_PERSON = 301, "unknown_person", "there is no such person on this ledger";
    /// The id is taken.
    PERSON_EXISTS = 302, "person_exists", "a person with this id is enrolled already; choose another random id";
    /// The person's row is closed.
    PERSON_CLOSED = 303, "person_closed", "the person's account is closed";
    /// One natural person has one id.
    BLIND_INDEX_TAKEN = 304, "blind_index_taken", "this natural person is enrolled already";
    /// Nobody is enrolled under this blind index.
    UNKNOWN_BLIND_INDEX = 305, "unknown_blind_index", "nobody is enrolled under this blind index";
    /// The person did not sign.
    SIGNATURE_MISSING = 306, "person_signature_missing", "the person's own signature is missing";
    /// The key is not one of the person's, or was revoked.
    UNKNOWN_KEY = 307, "unknown_person_key", "the key does not belong to this person or was revoked";
    /// The assertion was made for another network or on a foreign page.
    FOREIGN_PAGE = 308, "passkey_used_on_foreign_page", "the passkey was used on a page that is not part of this network";
    /// A passkey signed without an assertion.
    PASSKEY_NEEDED = 309, "passkey_assertion_missing", "this key signs only as a passkey on a page of this network";
    /// The amount is above the key's limit for one payment.
    KEY_PAYMENT_LIMIT = 310, "key_payment_limit_reached", "the amount is above the key's limit for one payment";
    /// The amount is above what the key may still pay today.
    KEY_DAY_LIMIT = 311, "key_day_limit_reached", "the amount is above what the key may still pay today";
    /// A lock stops money, cards, sharing and new devices.
    PERSON_LOCKED = 312, "person_locked", "the person is locked: money, cards, sharing and new devices wait until the lock is taken off";
    /// The limit per payment is above the limit per day.
    INVALID_KEY_LIMITS = 313, "invalid_key_limits", "`payment_max` must not be above `day_max`";
    /// The key does not fit its grade.
    GRADE_MISMATCH = 314, "key_grade_mismatch", "a passkey is a P-256 key; register other keys as `device`";
    /// The person has this key already.
    KEY_EXISTS = 315, "person_key_exists", "the person has this key already";
    /// The person has the largest number of keys.
    TOO_MANY_KEYS = 316, "too_many_person_keys", "the person has too many keys; revoke one first";
    /// A key would give more than it has.
    LIMIT_ABOVE_OWN = 317, "key_limit_above_own", "a key cannot give another key higher limits than its own; ask at a desk";
    /// A key was to revoke itself.
    SELF_REVOCATION = 318, "key_revokes_itself", "a key cannot revoke itself; use another key, a guardian or a desk";
    /// The person is not a guardian today.
    NOT_A_GUARDIAN = 319, "not_a_guardian", "this person is not a guardian today";
    /// A guardian is another person whose account is open.
    INVALID_GUARDIAN = 320, "invalid_guardian", "a guardian must be another enrolled person";
    /// This person is a guardian already.
    GUARDIAN_EXISTS = 321, "guardian_exists", "this person is a guardian already; remove the guardian first";
    /// The person has the largest number of guardians.
    TOO_MANY_GUARDIANS = 322, "too_many_guardians", "the person has too many guardians; remove one first";
    /// The period has no day, is over, or lacks an end where it needs one.
    INVALID_GUARDIAN_PERIOD = 323, "invalid_guardian_period", "the period of a guardian must not be over, and a minor's must end within 18 years";
    /// A person with keys chooses guardians by themselves.
    PERSON_HAS_KEYS = 324, "person_has_keys", "the person has a key and decides by signing with it";
    /// This actor may not do this.
    ACTOR_NOT_ALLOWED = 325, "actor_not_allowed", "this may not be done in this way";
    /// The person has no card.
    NO_CARD = 326, "no_card", "the person has no card";
    /// The person has a card in use.
    CARD_EXISTS = 327, "card_exists", "the person has a card in use; block it first";
    /// The card is blocked.
    CARD_BLOCKED = 328, "card_blocked", "the card is blocked; register another one";
    /// Too many wrong PINs.
    PIN_BLOCKED = 329, "pin_blocked", "the PIN was wrong too often; the desk resets the counter";
    /// The amount is above the region's limit for one payment at a desk.
    DESK_PAYMENT_LIMIT = 330, "desk_payment_limit_reached", "the amount is above the region's limit for one payment by card";
    /// The amount is above what the card may still pay today.
    DESK_DAY_LIMIT = 331, "desk_day_limit_reached", "the amount is above what the card may still pay today";
    /// The person is locked, and no unlock is waiting.
    ALREADY_LOCKED = 332, "already_locked", "the person is locked already";
    /// The person is not locked.
    NOT_LOCKED = 333, "not_locked", "the person is not locked";
    /// The own key must ask first.
    UNLOCK_NOT_ASKED = 334, "unlock_not_asked", "ask for the unlock first; it takes effect after the region's delay";
    /// The unlock was asked for and waits.
    UNLOCK_ASKED = 335, "unlock_asked_already", "the unlock was asked for already";
    /// The region's delay is not over.
    UNLOCK_TOO_EARLY = 336, "unlock_too_early", "the unlock is still waiting";
    /// The identity authority did not sign.
    IDENTITY_CHECK_MISSING = 337, "identity_check_missing", "the identity authority's signature is missing";
    /// The last day lies ahead.
    INVALID_LAST_DAY = 338, "invalid_last_day", "the last day must not lie ahead";
    /// The person is in this region already.
    SAME_REGION = 339, "person_in_region_already", "this is the person's region already";
    /// A list is empty, too long, or names something twice.
    INVALID_LIST = 340, "invalid_list", "the list is empty, too long, or names something twice";
    /// No attested facts say that the person is under age.
    NOT_A_MINOR = 341, "not_a_minor", "no facts that are attested today say that the person is under 18";
    /// The region has no rules of recovery.
    NO_RECOVERY_RULES = 342, "no_recovery_rules", "wallets are not recovered by guardians in this region";
    /// The rules of recovery are out of bounds.
    INVALID_RECOVERY_RULES = 343, "invalid_recovery_rules", "the rules of recovery are out of bounds";
    /// The person has fewer guardians than must agree.
    TOO_FEW_GUARDIANS = 344, "too_few_guardians", "the person has fewer guardians than must agree to a recovery";
    /// One waits already.
    RECOVERY_ASKED = 345, "recovery_asked_already", "a recovery of this person waits already";
    /// Somebody stopped the last one.
    RECOVERY_PAUSED = 346, "recovery_paused", "a recovery of this person was stopped, and the next one has to wait";
    /// None waits.
    NO_RECOVERY = 347, "no_recovery", "no recovery of this person waits: it was completed, stopped, or is older than 30 days";
    /// It is for another key.
    OTHER_RECOVERY_KEY = 348, "recovery_key_differs", "the recovery that waits is for another key";
    /// This guardian agreed.
    RECOVERY_AGREED = 349, "recovery_agreed_already", "this guardian has agreed already";
    /// Guardians are missing.
    RECOVERY_NOT_AGREED = 350, "recovery_not_agreed", "not enough guardians of today have agreed to the recovery";
    /// The waiting time is not over.
    RECOVERY_TOO_EARLY = 351, "recovery_too_early", "the recovery still waits and can be stopped";
    /// Above the limits, and the approver did not sign.
    APPROVAL_MISSING = 352, "approval_missing", "the amount is above what is paid without a second person; let the second person agree, pay less, or change the limits at a desk of the bureau";
    /// The limit per payment is above the limit per day.
    INVALID_LIMITS = 353, "invalid_payment_limits", "the most of one payment must not be above the most of one day";
    /// The approver is not near to the person, or cannot sign.
    INVALID_APPROVER = 354, "invalid_approver", "the second person must be a guardian of today or a bound relative, with a key of their own";
    /// There are no limits to end.
    NO_LIMITS = 355, "no_payment_limits", "there are no limits that could end";
}
