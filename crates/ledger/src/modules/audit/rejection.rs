//! Why something about an audit may not happen. Each says how to mend it.

crate::kernel::rejection::rejections! {
    /// The terms are out of range.
    AUDIT_TERMS = 1301, "invalid_audit_terms", "an audit looks at 1 to 200 settlements of at most 366 days of care, and says what it is for";
    /// The audit's number is not the next one.
    AUDIT_NUMBER = 1302, "wrong_audit_number", "audits of a region are numbered one after the other";
    /// No such audit.
    UNKNOWN_AUDIT = 1303, "unknown_audit", "there is no such audit";
    /// The audit is no longer, or not yet, where this step begins.
    AUDIT_STANDING = 1304, "audit_in_other_standing", "the audit is not in the standing for this step";
    /// The end is past, or too far ahead.
    AUDIT_ENDS = 1305, "invalid_audit_end", "an audit ends later than now and within 92 days";
    /// Somebody else wants to end it.
    NOT_OF_THE_AUDIT = 1306, "not_of_the_audit", "an audit is ended by its auditor or by the region's bureau";
}
