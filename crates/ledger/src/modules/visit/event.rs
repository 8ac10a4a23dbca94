//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "visit_opened", "a person checked in", "the person, the provider";
    "visit_cancelled", "a visit was undone before it was settled", "the person, the provider";
    "running_bill_updated", "a stay's bill so far was noted", "the person, the provider";
    "deposit_taken", "money was taken before the settlement", "the person, the provider";
    "visit_settled",
        "a visit was settled",
        "the person, the provider, the owners of the funds that pay";
    "visit_refunded",
        "a settled visit was refunded, whole or in part",
        "the person, the provider, the owners of the funds that paid";
    "settlement_superseded",
        "a settlement was corrected",
        "the person, the provider, the owners of the funds that paid";
    "later_settlements_adjusted",
        "later settlements were adjudicated again after a refund or correction",
        "the person, the bureau of the insured place, the owners of the funds that pay or are paid, never providers";
    "settlement_objected",
        "a person objected to a settlement",
        "the person, the provider, the bureau of the insured place";
    "objection_upheld",
        "an objection was upheld",
        "the person, the provider, the bureau of the insured place";
    "objection_dismissed",
        "an objection was dismissed",
        "the person, the provider, the bureau of the insured place";
    "consent_contested",
        "a consent that others gave was contested",
        "the person, the provider, the bureau of the insured place";
    "contest_upheld",
        "a contested consent did not hold, and its settlement was refunded",
        "the person, the provider, the bureau of the insured place";
    "contest_rejected",
        "a contested consent holds",
        "the person, the provider, the bureau of the insured place";
    "payment_collected", "a rail collected money", "the person, the provider, the executor";
    "payment_refunded", "a rail paid money back", "the person, the provider, the executor";
    "payment_failed",
        "a rail did not do what was ordered",
        "the person, the provider, the executor";
    "payment_ordered_again", "a failed payment was ordered again", "the person, the provider";
    "payment_taken_over",
        "another organisation executes a payment",
        "the person, the provider, the executor so far, the bureau";
}
