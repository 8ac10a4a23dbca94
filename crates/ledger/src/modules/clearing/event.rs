//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "clearing_rules_set", "the rules by which providers are paid were set", "the bureau";
    "provider_budget_set", "a provider's budget of a year was set", "the bureau, the provider";
    "month_closed", "a provider's month was stated", "the bureau, the provider";
    "payout_proposed", "a batch of payments to providers was proposed", "the bureau";
    "payout_approved", "a batch of payments to providers was approved and goes to the bank",
        "the bureau, the approver, the providers that are paid";
    "payout_withdrawn", "a batch of payments was withdrawn before it was approved",
        "the bureau, who withdrew it";
    "payout_answered", "the bank said what became of payments to providers",
        "the bureau, the providers";
    "hold_back_released", "what was held back in a year was decided",
        "the bureau, the approver, the provider";
    "bank_day_closed", "a day's bank statement was compared and closed", "the bureau";
    "suspense_cleared", "a difference with the bank was cleared", "the bureau";
}
