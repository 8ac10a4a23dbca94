//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "claim_rules_set", "the rules of claims were set", "the bureau";
    "claim_filed", "a person claimed for bills paid in full", "the person, the bureau";
    "claim_withdrawn", "a claim was withdrawn; its invoices are free again",
        "the person, the bureau";
    "claim_refused", "the bureau refused a claim; its invoices are free again",
        "the person, the bureau";
    "claim_accepted", "a claim was adjudicated; its invoices are used",
        "the person, the bureau, whose funds pay";
    "claim_payout_ordered", "what funds owe for a claim is paid out",
        "the person, the bureau, the executor";
    "claim_paid", "what funds owed for a claim was paid out",
        "the person, the bureau, the executor";
    "claim_corrected", "lines were taken out of an accepted claim; what was paid for them is owed back",
        "the person, the bureau, whose funds paid";
    "claim_repaid", "money came back from a person for a claim that was corrected",
        "the person, the bureau";
    "claim_payout_failed", "what funds owe for a claim could not be paid out",
        "the person, the bureau, the executor";
}
