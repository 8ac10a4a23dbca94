//! Why something about a visit may not happen.

crate::kernel::rejection::rejections! {
    /// No such visit.
    UNKNOWN_VISIT = 701, "unknown_visit", "there is no such visit";
    /// The visit id was used before.
    VISIT_EXISTS = 702, "visit_exists", "a visit with this id exists already";
    /// The visit is no longer open.
    VISIT_CLOSED = 703, "visit_closed", "the visit is already settled or cancelled";
    /// The visit is not settled.
    VISIT_NOT_SETTLED = 704, "visit_not_settled", "the visit is not settled";
    /// A day of service lies outside the visit.
    DATE_OUTSIDE_VISIT = 706, "date_outside_visit", "every day of service must lie between admission and today";
    /// There is nothing on the bill.
    EMPTY_BILL = 707, "empty_bill", "the bill has no amount";
    /// The split is no longer the one that was signed.
    SPLIT_OUTDATED = 708, "split_outdated", "the split has changed since the quote; quote anew and sign again";
    /// The plan cannot adjudicate this bill.
    NOT_ADJUDICABLE = 709, "not_adjudicable", "the plan in force cannot decide this bill";
    /// Cash is due and no cash leg was given, or the other way round.
    CASH_LEG_MISMATCH = 710, "cash_leg_mismatch", "a cash leg is needed exactly when cash is due";
    /// The consent form does not allow this.
    CONSENT_TOO_WEAK = 711, "consent_too_weak", "this form of consent does not allow money of the person to be used";
    /// The original settlement is not the one on the ledger.
    RECORD_MISMATCH = 712, "record_mismatch", "the settlement record is not the one on the ledger; fetch it again";
    /// More is to be refunded than is left.
    REFUND_EXCEEDS = 713, "refund_exceeds", "a refund can only take lines away that are still settled";
    /// The cash leg of the settlement is still open.
    CASH_PENDING = 714, "cash_pending", "the cash payment is not confirmed yet; try again when it is";
    /// No such effect, or it is done.
    EFFECT_NOT_PENDING = 715, "effect_not_pending", "there is no such open payment";
    /// The confirmed amount differs.
    AMOUNT_DIFFERS = 717, "amount_differs", "the confirmed amount differs from the ordered one";
    /// The takeover deadline has not come.
    TAKEOVER_TOO_EARLY = 718, "takeover_too_early", "the executor still has time";
    /// The consent cannot be contested any more, is contested already, or is of another form.
    NOT_CONTESTABLE = 719, "not_contestable", "this consent cannot be contested (any more)";
    /// There is an open objection already, or none.
    OBJECTION_STATE = 720, "objection_state", "there is an open objection already, or none to answer";
    /// The settlement is too long ago.
    OBJECTION_TOO_LATE = 721, "objection_too_late", "the time for an objection is over";
    /// The visit carries the largest number of deposits.
    TOO_MANY_DEPOSITS = 722, "too_many_deposits", "a visit can have at most 8 deposits";
    /// The visit type has no running bill.
    NOT_A_STAY = 724, "not_a_stay", "only a stay has a running bill and deposits";
    /// The person may not be treated under this scheme on that day.
    ADMISSION_DATE = 725, "admission_date", "the admission must not lie after today or before the region's filing limit";
    /// A slot on the bill is not one of the person's.
    UNKNOWN_SLOT = 726, "unknown_bill_slot", "the bill names a slot that is not open for the person on that day";
    /// The settlement's amount would not be changed.
    NOTHING_CHANGES = 727, "nothing_changes", "the new bill gives the same settlement";
    /// A deposit has no word of its rail yet.
    DEPOSIT_PENDING = 729, "deposit_pending", "a deposit is not confirmed yet; try again when it is";
    /// The provider may still answer an objection itself.
    ANSWER_TOO_EARLY = 730, "answer_too_early", "the provider still has time to answer";
    /// More cash than the region allows without the person's own consent.
    WITNESSED_CASH_LIMIT = 731, "witnessed_cash_limit_reached", "without the person's own consent no more cash may be taken at once; leave it as a receivable";
    /// Nothing is contested.
    NO_OPEN_CONTEST = 732, "no_open_contest", "there is no open contest to decide";
    /// Only a provider or a bureau has a counter.
    NO_COUNTER = 733, "no_counter", "only a provider or a bureau takes cash over a counter";
    /// Later settlements are too few or too many.
    LATER_COUNT = 734, "invalid_later_count", "bring 1 to 128 later settlements";
    /// The earlier visit stands as it was settled first.
    NOTHING_CHANGED_BEFORE = 735, "earlier_visit_unchanged", "the earlier visit was neither refunded nor corrected";
    /// A settlement is another's, elsewhere, not later, or there twice.
    NOT_LATER = 736, "not_a_later_settlement", "list the same person's later settlements in scheme and insured place of the earlier visit, each once, in the order in which they were settled";
    /// The differences are no longer those that were agreed to.
    LATER_OUTDATED = 737, "later_outdated", "what changes for later settlements is not what was agreed to; look at it again and sign again";
    /// No fund pays anything for the settlement.
    NO_FUND_TO_BEAR = 738, "no_fund_to_bear", "no fund pays for this settlement, so none can bear a difference";
}
