//! Why something about a rate of exchange may not happen. Each says how to mend it.

crate::kernel::rejection::rejections! {
    /// It cannot be a rate.
    INVALID_RATE = 1501, "invalid_exchange_rate", "a rate is a price above nothing for 1, 10, 100, 1,000 or 10,000 of one currency in another, with the name of its source";
    /// The day has a rate.
    RATE_PUBLISHED = 1502, "exchange_rate_published", "a rate of this day is published; correct it by another version, with the reason";
    /// The day lies ahead.
    RATE_AHEAD = 1503, "exchange_rate_ahead", "a rate is published on its day or later";
    /// There is nothing to correct.
    NOTHING_TO_CORRECT = 1504, "exchange_rate_not_published", "no rate of this day is published that could be corrected";
    /// A day has its largest number of versions.
    TOO_MANY_VERSIONS = 1505, "exchange_rate_versions", "the rate of this day was corrected as often as is possible";
    /// No rate counts for the day.
    NO_RATE = 1506, "no_exchange_rate", "no rate of exchange counts for this day; ask who publishes rates to publish one";
    /// This organisation publishes no rates.
    NOT_A_PUBLISHER = 1507, "exchange_publisher_not_allowed", "rates of exchange are published by a bureau or a finance authority";
}
