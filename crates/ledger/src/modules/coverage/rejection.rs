//! Why something about coverage may not happen.

crate::kernel::rejection::rejections! {
    /// The person has no coverage of this scheme in this region.
    NOT_COVERED = 401, "not_covered", "the person is not covered by this scheme in this region";
    /// Another place or scheme of the same family covers the person.
    COVERED_ELSEWHERE = 402, "covered_elsewhere", "the person is covered in another place; end or move that coverage first";
    /// The same scheme in the same region covers the person on some of these days.
    ALREADY_COVERED = 403, "already_covered", "the person has this coverage already on some of these days";
    /// The coverage begins later.
    COVERAGE_NOT_YET = 404, "coverage_not_yet", "the coverage has not begun on this day";
    /// The waiting period lasts.
    COVERAGE_WAITING = 405, "coverage_waiting", "the waiting period lasts on this day";
    /// The coverage rests.
    COVERAGE_SUSPENDED = 406, "coverage_suspended", "the coverage is suspended on this day";
    /// The coverage is over.
    COVERAGE_ENDED = 407, "coverage_ended", "the coverage has ended before this day";
    /// The row is full.
    TOO_MANY_COVERAGES = 408, "too_many_coverages", "the person has too many coverages; those that ended stay for two years";
    /// A period without a day, without the end it needs, or outside the coverage.
    INVALID_PERIOD = 409, "invalid_coverage_period", "the days do not fit";
    /// The coverage does not rest on this day.
    NOT_SUSPENDED = 410, "coverage_not_suspended", "the coverage is not suspended on this day";
    /// Nothing is attested for this day.
    FACTS_MISSING = 411, "facts_missing", "the bureau has attested nothing about the person for this day";
    /// The coverage holds the largest number of attestations.
    TOO_MANY_FACTS = 412, "too_many_facts", "the coverage holds too many attestations; those that ended stay for two years";
    /// Only registrations for care elsewhere are filed.
    INVALID_FILING = 413, "invalid_filing", "file `long_term`, `referral` or `emergency`";
    /// The number is zero or taken.
    NUMBER_TAKEN = 414, "slot_number_taken", "the number is taken or zero; use the next free one";
    /// There is no filing of this number.
    UNKNOWN_FILING = 415, "unknown_filing", "there is no filing of this number";
    /// The coverage holds the largest number of filings.
    TOO_MANY_FILINGS = 416, "too_many_filings", "the coverage holds too many filings; those that ended stay for two years";
    /// There is no slot of this number.
    UNKNOWN_SLOT = 417, "unknown_slot", "there is no slot of this number";
    /// The coverage holds the largest number of slots.
    TOO_MANY_SLOTS = 418, "too_many_slots", "the coverage holds too many slots; those that ended stay for two years";
    /// The coverage holds the largest number of suspensions.
    TOO_MANY_SUSPENSIONS = 419, "too_many_suspensions", "the coverage was suspended too often; past suspensions stay for two years";
    /// Old and new place are the same.
    SAME_PLACE = 420, "coverage_in_region_already", "the coverage is in this region already";
    /// A batch is empty or too long.
    INVALID_BATCH = 421, "invalid_batch", "a batch has 1 to 500 rows";
    /// The row holds the largest number of running amounts.
    TOO_MANY_COUNTERS = 422, "too_many_running_amounts", "the person has too many running amounts";
}
