//! Why something about a premium may not happen.

crate::kernel::rejection::rejections! {
    /// No such season.
    UNKNOWN_SEASON = 901, "unknown_premium_season", "there is no premium season of this year in this scheme";
    /// The season's terms contradict each other.
    INVALID_SEASON = 902, "invalid_premium_season", "the terms of the season contradict each other";
    /// What has begun cannot be changed.
    SEASON_FIXED = 903, "premium_season_fixed", "fund, collector and cover of a season stay as they were set first";
    /// The organisation is no tax authority.
    INVALID_COLLECTOR = 904, "invalid_collector", "premiums are collected by a tax authority or the region's bureau";
    /// The person does not stand on the list.
    NOT_REGISTERED = 905, "premium_not_registered", "the person is not registered for this season; ask the bureau of the place";
    /// The class is not one of the season's.
    UNKNOWN_CLASS = 906, "unknown_premium_class", "the season has no such class of persons";
    /// The record is past being registered anew.
    RECORD_IN_USE = 907, "premium_record_in_use", "the premium is being paid or was paid, so its registration stays";
    /// The premium may not be paid on this day.
    WINDOW_CLOSED = 908, "premium_window_closed", "premiums of this season are not accepted on this day";
    /// Somebody else is paying it.
    LOCKED = 909, "premium_locked", "somebody is paying this premium right now";
    /// The payment waits for the bank.
    PAYMENT_RUNNING = 910, "premium_payment_running", "the payment of this premium waits for the bank's word";
    /// It was paid.
    ALREADY_PAID = 911, "premium_already_paid", "this premium is paid";
    /// Nothing is due.
    NOTHING_DUE = 912, "premium_waived", "nothing is due: the premium is borne by others";
    /// The payer has too many locks.
    TOO_MANY_LOCKS = 913, "too_many_premium_locks", "this payer is paying for as many persons as the region allows at once";
    /// The record was locked too often on this day.
    LOCKED_TOO_OFTEN = 914, "premium_locked_too_often", "this premium was locked and not paid as often as the region allows on a day";
    /// There is no lock to release.
    NOT_LOCKED = 915, "premium_not_locked", "nobody is paying this premium right now";
    /// The amount is not the one that is due.
    AMOUNT_DIFFERS = 916, "premium_amount_differs", "the amount is not what is due";
    /// The payer did not sign, nor took a clerk the money.
    PAYER_MISSING = 917, "premium_payer_missing", "the payer signs, or a clerk takes the money over a counter";
    /// The executor is neither the collector nor the bureau nor a bank.
    WRONG_EXECUTOR = 918, "premium_executor_differs", "the season's collector, the region's bureau or a bank collects premiums";
    /// Not one premium of the list could be paid.
    NO_ROW_PAID = 919, "no_premium_payable", "no premium of the list can be paid";
    /// More years are to be repaired than were missed.
    NOTHING_TO_REPAIR = 920, "nothing_to_repair", "more missed years are to be paid than were missed";
    /// The cover would begin too late for its season.
    NO_BENEFIT_LEFT = 921, "premium_without_benefit", "the waiting period would last beyond the season's cover";
    /// There is no paid premium to give back.
    NOT_PAID = 922, "premium_not_paid", "there is no paid premium to give back";
    /// Cover has begun.
    COVER_BEGUN = 923, "premium_cover_begun", "the cover has begun, so the premium is not given back";
    /// Nobody with a right to it signed.
    NOT_YOURS = 924, "premium_lock_not_yours", "the payer, the channel that locked it, the person or the bureau ends the lock";
    /// A personal account pays its owner's premium.
    ACCOUNT_NOT_OWN = 925, "premium_account_not_own", "a personal account pays its owner's premium; for a relative's its owner grants mutual aid";
    /// The account has less than is due.
    ACCOUNT_TOO_LOW = 926, "premium_account_too_low", "the personal account has less than the premium";
    /// The payment has no or too many premiums.
    COUNT_INVALID = 927, "premium_count_invalid", "a payment from accounts has 1 to 16 premiums";
    /// The account pays more than the premium, or all that is paid.
    ACCOUNT_PART = 928, "premium_account_part", "the account pays at most the own premium, and a rail the rest of the payment; where an account pays all, it is a payment from accounts";
}
