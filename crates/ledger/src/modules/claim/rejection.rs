//! Why something about a claim may not happen. Each says how to mend it.

crate::kernel::rejection::rejections! {
    /// A region's rules contradict each other.
    INVALID_RULES = 1101, "invalid_claim_rules", "the rules of claims contradict each other";
    /// The region has no rules of claims.
    NOT_OFFERED = 1102, "claims_not_offered", "this region has not set the rules of claims; ask its bureau";
    /// The service dates do not fit.
    SERVICE_DATES = 1103, "invalid_service_dates", "the first day of service comes before the last, and both before today's end";
    /// It is filed too late.
    FILED_TOO_LATE = 1104, "claim_too_late", "the region's time for claiming is over for these days of service";
    /// The person has too many claims that wait.
    TOO_MANY_CLAIMS = 1105, "too_many_open_claims", "as many claims wait for the bureau as the region allows; wait for a decision or withdraw one";
    /// The list of invoices is empty, too long, or names one twice.
    INVOICE_LIST = 1106, "invalid_invoice_list", "a claim has 1 to 16 invoices, each once";
    /// An invoice is in a claim that waits.
    INVOICE_CLAIMED = 1107, "invoice_claimed", "this invoice is in another claim that waits for the bureau";
    /// An invoice was reimbursed.
    INVOICE_USED = 1108, "invoice_used", "this invoice was reimbursed already";
    /// No claim has this id.
    UNKNOWN_CLAIM = 1109, "unknown_claim", "there is no such claim";
    /// It was decided or withdrawn.
    CLAIM_CLOSED = 1110, "claim_closed", "the claim was decided or withdrawn already";
    /// A line's day of service is none of the claim's.
    DATE_OUTSIDE_CLAIM = 1111, "date_outside_claim", "a day of service lies outside the days of the claim";
    /// The running amounts of the days of service were put away.
    DECIDED_TOO_LATE = 1112, "claim_decided_too_late", "the running amounts of the days of service are no longer kept";
    /// What was reviewed is not what the ledger computes.
    RECORD_OUTDATED = 1113, "claim_record_outdated", "running amounts have moved since the claim was computed; compute it again";
    /// There is a payout where nothing is paid.
    PAYOUT_MISMATCH = 1114, "payout_mismatch", "money is paid out exactly where funds pay a part";
    /// Nothing of the claim is to be paid out.
    NOTHING_OWED = 1115, "claim_nothing_owed", "nothing of this claim waits to be paid out";
    /// The executor confirms another amount.
    AMOUNT_DIFFERS = 1116, "payout_amount_differs", "the executor confirms exactly what was ordered";
    /// The region takes no claims from proxies.
    PROXY_NOT_ACCEPTED = 1117, "claim_proxy_not_accepted", "this region takes no claims from relatives who act for a member; the member or a guardian claims";
    /// The money may not go there.
    PAYEE_NOT_ALLOWED = 1118, "claim_payee_not_allowed", "the money goes to the person or to a guardian of today";
    /// The proxy did not file it.
    FILED_BY_ANOTHER = 1119, "claim_filed_by_another", "a relative who acts for the person withdraws only what the same relative filed";
    /// The region takes no bills in this currency.
    CURRENCY_NOT_ACCEPTED = 1120, "claim_currency_not_accepted", "this region takes no bills in this currency; ask its bureau";
    /// Another rate counts than the one the bill was converted by.
    RATE_OUTDATED = 1121, "claim_rate_outdated", "another rate of exchange counts since the claim was computed; compute it again";
    /// The bill was not converted as the rate says.
    CONVERSION_DIFFERS = 1122, "claim_conversion_differs", "the lines are not what the bill comes to at its rate of exchange";
    /// Nothing of the claim was accepted.
    NOT_ACCEPTED = 1123, "claim_not_accepted", "the claim was not accepted, so there is nothing to correct or to give back";
    /// A payout waits for its executor's word.
    PAYOUT_PENDING = 1124, "claim_payout_pending", "money for this claim is on its way; correct it once the bank has answered";
    /// The correction would pay more.
    CORRECTION_RAISES = 1125, "claim_correction_raises", "a correction takes lines out and never pays more";
    /// More came back than is owed.
    REPAYMENT_EXCEEDS = 1126, "claim_repayment_exceeds", "no more comes back for a claim than is owed";
    /// The reference was noted.
    REPAYMENT_NOTED = 1127, "claim_repayment_noted", "this payment was noted already";
}
