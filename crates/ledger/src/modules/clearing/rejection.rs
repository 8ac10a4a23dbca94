//! Why something about clearing may not happen. Each says how to mend it.

crate::kernel::rejection::rejections! {
    /// A region's rules contradict each other.
    INVALID_RULES = 1201, "invalid_clearing_rules", "the rules of clearing are out of range";
    /// The region has no rules of clearing.
    RULES_MISSING = 1202, "clearing_rules_missing", "this region has not set the rules of clearing";
    /// The region pays through batches.
    PAID_IN_BATCHES = 1203, "paid_in_batches", "this region pays providers in batches that two organisations approve";
    /// The month is not one of this ledger's.
    INVALID_MONTH = 1204, "invalid_statement_month", "a month has a year between 2000 and 2999 and a number from 1 to 12";
    /// The month is not over.
    MONTH_NOT_OVER = 1205, "month_not_over", "the month is not over in the region's calendar";
    /// The month was closed, or one before it was not.
    MONTH_OUT_OF_ORDER = 1206, "month_out_of_order", "a provider's months are closed one after the other, each once";
    /// The region has its largest number of providers with statements.
    TOO_MANY_PROVIDERS = 1207, "too_many_providers", "a region has at most 4,096 providers with statements";
    /// The list of lines is empty, too long, unsorted, or has a line without an amount.
    PAYOUT_LINES = 1208, "invalid_payout_lines", "a batch has 1 to 500 lines, sorted by provider, each once and with an amount";
    /// The batch's number is not the next one.
    BATCH_NUMBER = 1209, "wrong_batch_number", "batches of a region are numbered one after the other";
    /// More was to be paid than is payable.
    EXCEEDS_PAYABLE = 1210, "exceeds_payable", "more than is payable to the provider cannot be paid";
    /// No such batch.
    UNKNOWN_BATCH = 1211, "unknown_batch", "there is no such batch of payments";
    /// The batch is no longer, or not yet, where this step begins.
    BATCH_STANDING = 1212, "batch_in_other_standing", "the batch is not in the standing for this step";
    /// Another organisation has to approve.
    NOT_THE_APPROVER = 1213, "payout_not_the_approver", "payments are approved by a finance authority or regulator of the governing set other than the bureau";
    /// The approver looked at other lines.
    LINES_DIFFER = 1214, "payout_lines_differ", "the batch has other lines than were looked at";
    /// The results are empty, too many, unsorted, or name a line that is not there.
    RESULT_LIST = 1215, "invalid_payout_results", "results name 1 to 500 lines of the batch in their order, each once";
    /// The line has had that word, or one that cannot be followed by it.
    LINE_CLOSED = 1216, "payout_line_answered", "the bank's word on this line is recorded already";
    /// The bank paid another amount.
    AMOUNT_DIFFERS = 1217, "paid_amount_differs", "the bank paid another amount than was ordered";
    /// The bank's reference stands for another movement.
    BANK_REFERENCE_USED = 1218, "bank_reference_used", "this movement of the bank was recorded already";
    /// The day was closed as one without differences.
    DAY_CLOSED = 1219, "bank_day_closed_already", "the day was closed already";
    /// The day is not over.
    DAY_NOT_OVER = 1220, "bank_day_not_over", "the day is not over in the region's calendar";
    /// The list of differences is too long, or one is without an amount.
    DIFFERENCE_LIST = 1221, "invalid_difference_list", "a day has at most 200 differences, each with an amount; those of a provider's book name the provider";
    /// The ledger's totals are not the bank's.
    DAY_NOT_EVEN = 1222, "day_not_even", "the ledger's payments of the day are not those of the bank statement";
    /// No such item.
    UNKNOWN_SUSPENSE = 1223, "unknown_suspense_item", "there is no such open difference on that day";
    /// The year's last month is not closed.
    YEAR_OPEN = 1224, "hold_back_year_open", "what was held back is decided once the year's last month is closed";
    /// There is nothing held back of that year, or it was decided.
    NOTHING_HELD = 1225, "nothing_held_back", "nothing is held back of that year";
    /// Released and withheld are not what was held.
    HELD_DIFFERS = 1226, "held_back_differs", "what is released and what is withheld add up to what was held back";
    /// A budget has another number of months.
    BUDGET_MONTHS = 1227, "invalid_budget", "a budget has twelve months of a year between 2000 and 2999";
    /// The day of a payment lies after the block.
    DAY_IN_FUTURE = 1228, "payment_day_in_future", "a payment's day cannot lie in the future";
    /// A reason is not a bank's code.
    REASON_CODE = 1229, "invalid_bank_reason", "a bank's reason is 1 to 4 capital letters or digits";
}
