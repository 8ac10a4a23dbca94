//! Why something about a voucher may not happen.

crate::kernel::rejection::rejections! {
    /// No settlement has this transaction id.
    UNKNOWN_SETTLEMENT = 801, "unknown_settlement", "there is no settlement with this transaction id";
    /// The organisation may not issue vouchers of this settlement.
    NOT_THE_ISSUER = 802, "not_the_issuer", "a voucher is issued by the provider or by the bureau of the person's home region";
    /// A voucher for this purpose was issued of the settlement as it is.
    ALREADY_ISSUED = 803, "voucher_already_issued", "a voucher for this purpose was issued already";
    /// All payers together would reimburse more than the person's own share.
    EXCEEDS_OWN_SHARE = 804, "exceeds_own_share", "more than the person's own share cannot be reimbursed";
    /// The settlement carries its largest number of marks.
    TOO_MANY_MARKS = 805, "too_many_marks", "a settlement carries at most 16 marks";
    /// No such mark of this payer.
    UNKNOWN_MARK = 806, "unknown_mark", "this payer has no such mark on the settlement";
    /// More was to be taken back than was marked.
    EXCEEDS_MARK = 807, "exceeds_mark", "more than was marked cannot be taken back";
    /// The organisation does not reimburse people.
    NOT_A_PAYER = 808, "not_a_payer", "only a bureau or an insurer reimburses";
    /// A refund would leave an own share below what was reimbursed.
    SHARE_REIMBURSED = 809, "share_already_reimbursed", "a second payer has reimbursed more than the own share that would be left; the payer must take it back first";
}
