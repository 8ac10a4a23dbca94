//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "premium_season_set", "the terms of a premium season were set", "the bureau, the collector";
    "premiums_registered",
        "a list of persons who owe a premium was registered",
        "the bureau, the collector, never the persons";
    "premium_locked", "a premium is being paid and cannot be paid elsewhere meanwhile",
        "the person, the payer, the channel";
    "premium_released", "a premium can be paid again", "the person, the payer, the channel";
    "premiums_ordered", "the payment of premiums was ordered",
        "the payer, the channel, the collector, the one person for whom an organisation pays";
    "premiums_paid", "premiums were paid and cover follows",
        "the payer, the channel, the collector, the one person for whom an organisation pays";
    "premiums_not_paid", "the payment of premiums failed; they are due as before",
        "the payer, the channel, the collector, the one person for whom an organisation pays";
    "premiums_paid_from_accounts", "premiums were paid from personal accounts and cover follows",
        "the payer, the collector, the bureau";
    "premium_cancelled", "a paid premium is given back and its cover does not begin",
        "the person, the payer, the collector, the bureau";
    "premium_refunded", "a premium was given back", "the person, the payer, the collector";
    "premium_refund_failed", "a premium could not be given back yet",
        "the person, the payer, the collector";
}
