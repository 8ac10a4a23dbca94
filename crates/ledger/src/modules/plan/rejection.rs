//! Why something about a plan may not happen.

crate::kernel::rejection::rejections! {
    /// No such version.
    UNKNOWN_VERSION = 501, "unknown_plan_version", "there is no such version of this scheme's plan";
    /// Versions are numbered without gaps.
    WRONG_VERSION_NUMBER = 502, "wrong_plan_version_number", "plan versions are numbered from 1 without gaps";
    /// The compiled plan has too many bytes.
    PLAN_TOO_LARGE = 503, "plan_too_large", "a compiled plan has at most 256 KiB";
    /// The bytes are not a compiled plan.
    INVALID_PLAN = 504, "invalid_plan", "the bytes are not a valid compiled plan";
    /// A worked example of the plan does not come out.
    EXAMPLES_FAIL = 505, "plan_examples_fail", "a worked example of the plan does not come out";
    /// The plan is of another region or scheme.
    PLAN_OF_ANOTHER_SCHEME = 506, "plan_of_another_scheme", "the plan is for another region or scheme";
    /// The plan counts in another currency than its region.
    PLAN_CURRENCY = 507, "plan_currency", "the plan's currency is not the region's";
    /// One key may not do two of the three steps.
    SAME_KEY = 508, "same_key", "drafter, reviewer and approver must use different keys";
    /// The version is not at the step before.
    WRONG_STANDING = 509, "wrong_plan_standing", "the version is not at the step that must come before";
    /// The hash is not that of the version.
    HASH_DIFFERS = 510, "plan_hash_differs", "the hash is not that of what was drafted; look at it again";
    /// The organisation may not approve.
    NOT_THE_APPROVER = 511, "not_the_approver", "a body of the governing set that supervises the bureau must approve";
    /// Another published version is in force on some of the days.
    PLAN_OVERLAPS = 512, "plan_overlaps", "another version is in force on some of these days; name it as superseded";
    /// A version named as superseded is not in force on any of the days.
    NOT_SUPERSEDED = 513, "plan_not_superseded", "a version named as superseded is not in force on any of these days";
    /// The superseded version would come back after the successor's last day.
    ENDS_TOO_EARLY = 514, "plan_ends_too_early", "a successor must last at least as long as what it supersedes";
    /// The version's first day has come.
    PLAN_BEGUN = 515, "plan_begun", "a plan that has begun cannot be withdrawn; publish a successor";
    /// The scheme has its largest number of published versions.
    TOO_MANY_VERSIONS = 516, "too_many_plan_versions", "a scheme has at most 256 published versions";
    /// No version is in force on that day.
    NO_PLAN_IN_FORCE = 517, "no_plan_in_force", "no plan is in force on that day";
    /// The versions are not one that took effect in the past and one that it superseded.
    NOT_RETROACTIVE = 518, "not_retroactive", "differences arise when a version was published after its first day and superseded another";
    /// The rows are too few, too many, unsorted or of nothing.
    DIFFERENCE_ROWS = 519, "invalid_difference_rows", "list 1 to 500 settlements, sorted and each once, with amounts above zero";
    /// No such batch.
    UNKNOWN_BATCH = 520, "unknown_difference_batch", "there is no such batch of differences";
    /// The number is taken.
    BATCH_EXISTS = 521, "difference_batch_exists", "a batch of differences with this number exists already";
    /// The batch is not at the step before.
    BATCH_STANDING = 522, "wrong_batch_standing", "the batch is not at the step that must come before";
    /// Not one row of the batch could be paid.
    NOTHING_PAID = 523, "nothing_paid", "no row of the batch can be paid";
    /// The settlement's difference was booked in another batch.
    SETTLEMENT_ADJUSTED = 524, "settlement_adjusted", "the difference of this settlement was booked in another batch";
    /// The settlement is not in the batch, or of another region, scheme or version.
    SETTLEMENT_MISMATCH = 525, "settlement_mismatch", "the settlement is not one of the batch, or of another region, scheme or plan version";
    /// The person owes nothing (any more) from this change.
    NOTHING_OWED = 526, "nothing_owed", "nothing is owed (any more) for this settlement";
    /// What was approved is not what the new version gives now.
    DIFFERENCE_CHANGED = 527, "difference_changed", "the new version gives another difference now than was approved; simulate and propose it again";
    /// Records are too few, too many, or not sorted.
    RECORD_COUNT = 528, "invalid_record_count", "bring 1 to 64 settlement records, sorted by settlement and each once";
}
