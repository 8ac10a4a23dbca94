//! Why something about a family may not happen. Each says which check failed and how to mend it.

crate::kernel::rejection::rejections! {
    /// A region's rules contradict each other.
    INVALID_RULES = 1001, "invalid_family_rules", "the rules of the family account contradict each other";
    /// The region has no rules of the proxy.
    PROXY_NOT_OFFERED = 1002, "proxy_not_offered", "this region has not set the rules of the proxy; ask its bureau";
    /// The region has no rules of mutual aid.
    AID_NOT_OFFERED = 1003, "aid_not_offered", "this region has not set the rules of mutual aid; ask its bureau";
    /// Payer and member are one person.
    NOT_TWO_PERSONS = 1004, "not_two_persons", "payer and member are the same person; name a relative";
    /// The relation is not one of the region's.
    RELATION_NOT_ACCEPTED = 1005, "relation_not_accepted", "the region does not accept this relation; choose one of its list";
    /// The member is too young to agree in person.
    MEMBER_UNDER_AGE = 1006, "member_under_age", "the member is too young to agree in person; apply with documents instead";
    /// The member is old enough to agree in person.
    MEMBER_OF_AGE = 1007, "member_of_age", "the member is old enough to agree in person; ask for the member's own consent";
    /// They are bound.
    ALREADY_BOUND = 1008, "already_bound", "the two are bound already";
    /// The payer has no slot left in this month.
    PAYER_MONTH_LIMIT = 1009, "payer_month_limit_reached", "the payer has bound as many members as the region allows in a month; unbinding gives no slot back";
    /// The member has no slot left in this month.
    MEMBER_MONTH_LIMIT = 1010, "member_month_limit_reached", "the member was bound as often as the region allows in a month; unbinding gives no slot back";
    /// The payer has as many members as the region allows.
    TOO_MANY_MEMBERS = 1011, "too_many_members", "the payer has as many members as the region allows; unbind one first";
    /// The member has as many payers as fit.
    TOO_MANY_PAYERS = 1012, "too_many_payers", "the member is bound to as many payers as fit; unbind one first";
    /// They are not bound.
    NOT_BOUND = 1013, "not_bound", "the two are not bound; bind first";
    /// The binding rested on documents and is over.
    BINDING_ENDED = 1014, "binding_ended", "the binding by documents has ended; the member agrees in person now";
    /// No application waits.
    NO_APPLICATION = 1015, "no_binding_application", "no application of these two waits; apply first";
    /// One waits already.
    APPLICATION_WAITS = 1016, "binding_application_waits", "an application of these two waits for the bureau";
    /// It was not decided in time.
    APPLICATION_EXPIRED = 1017, "binding_application_expired", "the application was not decided in time; apply again";
    /// The end of the binding does not fit.
    INVALID_BINDING_END = 1018, "invalid_binding_end", "a binding by documents ends on a day ahead, when the member is old enough at the latest";
    /// A standing agreement binds nobody.
    AGREEMENT_MISSING = 1019, "family_agreement_missing", "the member has not agreed; ask for the member's key, face check or desk";
    /// The bill is above what a proxy may agree to.
    PROXY_PAYMENT_LIMIT = 1020, "proxy_payment_limit_reached", "the bill is above what a proxy may agree to; the member agrees in person";
    /// No proxy is accepted for this kind of care.
    PROXY_EXCLUDED = 1021, "proxy_not_accepted_here", "the region accepts no proxy for this kind of care; the member agrees in person";
    /// The terms of a grant contradict each other.
    INVALID_AID_TERMS = 1022, "invalid_aid_terms", "the terms of the grant contradict each other";
    /// A limit of the grant is above the region's.
    AID_ABOVE_LIMIT = 1023, "aid_above_limit", "a limit of the grant is above what the region allows; choose a lower one";
    /// The payer helps this member already.
    AID_EXISTS = 1024, "aid_granted_already", "this payer helps this member already; revoke that grant first";
    /// The payer helps as many members as the region allows.
    TOO_MANY_HELPED = 1025, "too_many_helped", "the payer helps as many members as the region allows; revoke one grant first";
    /// No such grant.
    UNKNOWN_GRANT = 1026, "unknown_aid_grant", "there is no such grant in force";
    /// The payer has no personal account.
    NO_ACCOUNT = 1027, "aid_without_account", "the payer has no personal account that could pay; only employees have one";
    /// The grant or its region does not pay premiums.
    AID_NOT_FOR_PREMIUMS = 1028, "aid_not_for_premiums", "this account does not help with premiums; the relative grants it for premiums, where the region allows that";
    /// The grant's limits leave less.
    AID_LIMIT_REACHED = 1029, "aid_limit_reached", "the limits of the grant leave less than this";
    /// The region has no rules of transfers.
    TRANSFERS_NOT_OFFERED = 1030, "transfers_not_offered", "this region has not set the rules of transfers between wallets; ask its bureau";
    /// The two are not a family here.
    TRANSFER_TO_STRANGER = 1031, "transfer_to_stranger", "money is sent to relatives alone; bind the two first, or let one's account help the other";
    /// One transfer is too much.
    TRANSFER_ABOVE_LIMIT = 1032, "transfer_above_limit", "one transfer is at most what the region allows; send less";
    /// The day has none left.
    TRANSFER_DAY_LIMIT = 1033, "transfer_day_limit_reached", "the day's transfers are used up, also those that came back; send tomorrow";
    /// It is night.
    TRANSFER_AT_NIGHT = 1034, "transfer_at_night", "no money is sent at night; send in the morning";
    /// The other region takes none.
    TRANSFER_ELSEWHERE = 1035, "transfer_elsewhere_not_offered", "no money is sent between these two regions; mutual aid pays at the place of care instead";
    /// No such transfer.
    UNKNOWN_TRANSFER = 1036, "unknown_transfer", "there is no such transfer to this person";
    /// The receiver has it.
    TRANSFER_CLAIMED = 1037, "transfer_claimed", "the transfer is claimed already";
    /// The sender has it.
    TRANSFER_CAME_BACK = 1038, "transfer_came_back", "the money is back with the sender; ask to have it sent again";
    /// The receiver's list is full.
    TOO_MANY_TRANSFERS = 1039, "too_many_transfers_wait", "as many transfers wait as fit; claim one first";
    /// The receiver is not insured.
    RECEIVER_NOT_INSURED = 1040, "receiver_not_insured", "nothing covers the receiver today; money of an account is for people who are insured";
}
