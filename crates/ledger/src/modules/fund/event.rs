//! What this module tells those whom it concerns. Names are never reused.

crate::kernel::receipt::events! {
    "fund_opened", "a fund was opened", "its owner, the region's bureau";
    "fund_closed", "a fund was closed", "its owner";
    "fund_contributed", "money came into a fund", "its owner";
    "fund_transferred", "money moved between funds", "both owners";
    "fund_floor_set", "the least balance of a fund was set", "its owner";
    "payer_fund_assigned",
        "a payer's part is paid from a fund from a day on",
        "the region's bureau, the fund's owner";
    "personal_accounts_credited",
        "a batch of personal accounts was credited",
        "the giver, never the persons";
    "provider_paid", "a provider was paid what funds owe it", "the payer, the provider";
}
