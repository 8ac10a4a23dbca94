//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "voucher_issued",
        "a voucher was issued for a settlement",
        "the person, the issuing organisation";
    "voucher_marked_used", "a second payer reimbursed a bill", "the person, the payer";
    "voucher_unmarked", "a second payer took its reimbursement back", "the person, the payer";
}
