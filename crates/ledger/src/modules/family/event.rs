//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "proxy_rules_set", "the rules of the proxy were set", "the bureau";
    "aid_rules_set", "the rules of mutual aid were set", "the bureau";
    "member_bound", "a payer may act for a member", "the payer, the member, the bureau";
    "binding_applied", "a payer applied to act for a child", "the payer, the member, the bureau";
    "binding_refused", "the bureau refused an application", "the payer, the member, the bureau";
    "member_unbound", "a payer may act for a member no longer",
        "the payer, the member, the bureau";
    "aid_granted", "a payer's account helps a member", "the payer, the member, the bureau";
    "aid_revoked", "a payer's account helps a member no longer",
        "the payer, the member, the bureau";
    "transfer_rules_set", "the rules of transfers between wallets were set", "the bureau";
    "transfer_sent", "money waits for a relative", "the sender, the receiver, their bureaus";
    "transfer_claimed", "a relative took the money that waited",
        "the sender, the receiver, their bureaus";
    "transfer_withdrawn", "the sender took back the money that waited",
        "the sender, the receiver, their bureaus";
}
