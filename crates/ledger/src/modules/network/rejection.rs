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
    /// The organisation has no node on the ledger.
    UNKNOWN_NODE = 109, "unknown_node", "the organisation has no node on the ledger; admit it first";
    /// A node's address or name cannot be used.
    INVALID_NODE = 110, "invalid_node", "the node cannot be admitted like this";
    /// The organisation decides blocks.
    NODE_VALIDATES = 111, "node_validates", "the organisation is a validator; name the validators without it first";
    /// The validators are not those that the change was made for.
    VALIDATORS_CHANGED = 112, "validators_changed_meanwhile", "the validators are others by now; look at them and make the change anew";
    /// The validators are no set: empty, too many, one twice, or without weight.
    INVALID_VALIDATORS = 113, "invalid_validators", "these organisations cannot be the validators";
    /// One of them could stop all.
    QUORUM_AT_RISK = 114, "quorum_at_risk", "nobody could decide when one of them stops; each must have less than a third of the weight";
    /// The height or the number of the rules cannot be.
    INVALID_UPGRADE = 115, "invalid_upgrade", "the upgrade cannot be scheduled like this";
    /// No upgrade to this block is to come.
    NO_UPGRADE = 116, "no_upgrade", "no upgrade to this block is to come";
    /// A region's bureau was admitted for another region.
    BUREAU_OF_ANOTHER_REGION = 117, "bureau_of_another_region", "a region is run by a bureau that was admitted for it";
}
