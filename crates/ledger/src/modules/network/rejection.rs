//! Why a change of the network's parameters may not happen.

crate::kernel::rejection::rejections! {
    /// Not enough members of the governing set signed.
    NO_GOVERNING_QUORUM = 101, "no_governing_quorum", "more than two thirds of the governing set must sign";
    /// No such region.
    UNKNOWN_REGION = 102, "unknown_region", "there is no such region on this ledger";
    /// The region is open already.
    REGION_EXISTS = 103, "region_exists", "the region is open already";
    /// A time zone outside -720 to 840 minutes.
    INVALID_OFFSET = 104, "invalid_utc_offset", "the distance from UTC must be -720 to 840 minutes";
    /// The governing set would be empty, too large, or name somebody twice or unknown.
    INVALID_GOVERNING_SET = 105, "invalid_governing_set", "the governing set must name 1 to 23 admitted organisations, each once";
    /// An origin is not `https://` (or `http://localhost` for a demonstration).
    INVALID_ORIGIN = 107, "invalid_origin", "an origin must be `https://HOST` or `http://localhost[:PORT]`";
    /// A setting is outside its range.
    INVALID_SETTING = 108, "invalid_setting", "a setting is outside its range";
}
