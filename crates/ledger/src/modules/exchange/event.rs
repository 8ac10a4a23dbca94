//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "exchange_rate_published", "a rate of exchange was published, or corrected by another version",
        "who publishes";
}
