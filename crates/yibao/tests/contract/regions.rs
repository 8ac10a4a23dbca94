//! `vectors/regions.json`: items between two regions, and the hash over them that a bureau signs.

use ledger::kernel::account::RegionPair;
use ledger::modules::interregion::{RegionItem, chain};
use primitives::{Amount, Hash, RegionId, Timestamp, VisitId};
use serde_json::json;

use crate::golden::check_json;

#[test]
fn items_have_this_hash() {
    let pair = RegionPair { insured: RegionId(620_100), care: RegionId(610_100) };
    let item = |number: u64, provider: &str, minor: u64, is_return: bool| RegionItem {
        number,
        visit: VisitId([0x11; 16]),
        provider: provider.parse().expect("a code"),
        transaction: Hash([0x22; 32]),
        amount: Amount::from_minor(minor),
        is_return,
        moved: Timestamp::from_millis(1_767_225_600_123),
    };
    let before = Hash([0x5a; 32]);
    let items = [item(7, "hospital-1", u64::MAX, false), item(8, "neighbour-1", 100, true)];
    let hash = items.iter().fold(before, |before, item| chain(&before, pair, item));
    let about = "items between two regions: each hash is SHA-256 of `yibao/region-item/v1`, the \
                 hash before, and the borsh of insured region, region of care and item";
    check_json(
        "vectors/regions.json",
        &json!({
            "about": about,
            "insured": pair.insured,
            "care": pair.care,
            "before": before,
            "items": items,
            "hash": hash,
        }),
    );
}
