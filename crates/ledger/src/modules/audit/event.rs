//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "audit_asked", "an auditor asked to see settlements of a provider", "the bureau, the auditor";
    "audit_granted", "an audit was granted for a time", "the bureau, the auditor";
    "audit_ended", "an audit was ended, withdrawn or refused", "the bureau, the auditor";
}
