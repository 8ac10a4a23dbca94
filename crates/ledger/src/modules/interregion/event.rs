//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "interregion_rules_set", "a region's rules of clearing care elsewhere were set", "the bureau";
    "interregion_month_closed", "what a region advanced for another in a month was stated",
        "both bureaus";
    "interregion_statement_answered", "a statement between regions was agreed to or disputed",
        "both bureaus";
    "item_dispute_ended", "the dispute of an item between regions was ended", "both bureaus";
    "region_payment_confirmed", "a region's payment to another came in", "both bureaus";
}
