//! Why something between regions may not happen. Each says how to mend it.

crate::kernel::rejection::rejections! {
    /// A region's rules are out of range.
    INVALID_RULES = 1401, "invalid_interregion_rules", "the rules between regions are out of range";
    /// The rules were changed too often.
    TOO_MANY_RULES = 1403, "too_many_interregion_rules", "a region's rules between regions change at most 64 times";
    /// The region has its largest number of counterparts.
    TOO_MANY_COUNTERPARTS = 1404, "too_many_counterparts", "a region clears with at most 4,096 regions";
    /// Nothing was advanced in this direction.
    NOTHING_BETWEEN = 1405, "nothing_between_regions", "nothing was advanced by this region for the other one";
    /// The month was closed, or one before it was not.
    MONTH_OUT_OF_ORDER = 1406, "interregion_month_out_of_order", "months between two regions are closed one after the other, each once";
    /// The statement before waits for its answer.
    STATEMENT_OPEN = 1407, "interregion_statement_open", "the statement before has not been answered";
    /// No such statement.
    UNKNOWN_STATEMENT = 1408, "unknown_interregion_statement", "there is no such statement between these regions";
    /// It was answered.
    ALREADY_ANSWERED = 1409, "interregion_statement_answered_already", "the statement was answered already";
    /// Other items were looked at.
    ITEMS_DIFFER = 1410, "interregion_items_differ", "the statement has other items than were looked at";
    /// The list of disputed items is too long, unsorted, or has an item without an amount.
    DISPUTE_LIST = 1411, "invalid_dispute_list", "at most 64 items are disputed at once, sorted by number, each once and with an amount";
    /// The item is not one that can be disputed here.
    NOT_DISPUTABLE = 1412, "item_not_disputable", "only what a statement's own items added can be disputed, at most in full and once";
    /// Neither of the two bureaus.
    NOT_ITS_BUREAU = 1413, "not_a_bureau_of_the_statement", "a statement is answered by the bureau of the insured region, and after its last day by the one of the region of care";
    /// The region of care may not answer yet, or not dispute.
    ANSWER_NOT_DUE = 1414, "interregion_answer_not_due", "the region of care agrees in the other's place once the last day for an answer has passed, and disputes nothing";
    /// No such dispute.
    UNKNOWN_DISPUTE = 1415, "unknown_item_dispute", "there is no open dispute of this item";
    /// Somebody else ends disputes.
    NOT_THE_ARBITER = 1416, "not_the_arbiter", "a dispute is ended by the insured region's bureau or by whoever supervises it";
    /// More was confirmed than is under way.
    EXCEEDS_UNDER_WAY = 1417, "exceeds_payment_under_way", "more than the other region has paid cannot have come in";
    /// The payment came in, so it did not come back.
    CONFIRMED_ALREADY = 1419, "region_payment_confirmed_already", "the other region has confirmed that this money came in";
}
