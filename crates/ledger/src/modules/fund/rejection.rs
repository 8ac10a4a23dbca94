//! Why something about a fund may not happen.

crate::kernel::rejection::rejections! {
    /// No such fund.
    UNKNOWN_FUND = 601, "unknown_fund", "there is no such fund in this region";
    /// The number is taken.
    FUND_EXISTS = 602, "fund_exists", "a fund with this number exists already in this region";
    /// The fund is closed.
    FUND_CLOSED = 603, "fund_closed", "the fund is closed";
    /// The owner is neither the region's bureau nor an insurer.
    INVALID_OWNER = 604, "invalid_fund_owner", "a fund belongs to the region's bureau or to an insurer";
    /// The year is not one of this ledger's.
    INVALID_YEAR = 605, "invalid_fund_year", "a year must be between 2000 and 2999";
    /// The fund's year differs from the assignment's first day.
    WRONG_YEAR = 606, "wrong_fund_year", "the fund is of another year";
    /// The provider bears this share itself.
    PAYER_WITHOUT_FUND = 607, "payer_without_fund", "what the provider bears itself has no fund";
    /// An assignment would change who pays for days that have begun.
    ASSIGNMENT_IN_THE_PAST = 608, "assignment_in_the_past", "who pays can be changed from tomorrow on, not for days before";
    /// The payer has its largest number of assignments.
    TOO_MANY_ASSIGNMENTS = 609, "too_many_assignments", "a payer has at most 64 assignments on record";
    /// No fund is assigned on that day.
    NO_PAYING_FUND = 610, "no_paying_fund", "no fund is assigned to pay this share on that day";
    /// The fund still has money.
    FUND_NOT_EMPTY = 611, "fund_not_empty", "the fund still has money, or money is held on it";
    /// The reference was used before.
    REFERENCE_USED = 612, "reference_used", "this reference was booked before";
    /// More was to be paid than the provider is owed.
    EXCEEDS_DUE = 613, "exceeds_due", "more than the provider is owed cannot be paid";
    /// The batch is empty or too large.
    BATCH_SIZE = 614, "invalid_batch_size", "a batch has 1 to 500 rows";
    /// The batch was credited before.
    BATCH_USED = 615, "batch_used", "this batch of the month was credited before";
    /// Not one row of the batch could be credited.
    NO_ROW_CREDITED = 616, "no_row_credited", "no row of the batch can be credited";
    /// A person appears twice in a batch; the first row counts.
    DUPLICATE_ROW = 617, "duplicate_row", "the person appears twice in the batch";
    /// The month is not one.
    INVALID_MONTH = 618, "invalid_month", "a month has a year between 2000 and 2999 and a number from 1 to 12";
}
