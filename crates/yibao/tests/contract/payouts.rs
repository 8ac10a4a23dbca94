//! `vectors/payouts.json`: what an approver of payments compares, and the hash that it signs.

use ledger::modules::clearing::{PayoutLine, ProposePayout, account_tag};
use primitives::{Amount, CivilDate, Hash, RegionId};
use serde_json::{Value, json};

use crate::golden::check_json;

#[test]
fn accounts_have_these_tags_and_lines_this_hash() {
    let salt = Hash([0x5a; 32]);
    let known = [
        ("clinic-1", 100, "102100099996", "6200000000000002"),
        ("hospital-1", u64::MAX, "BKCHCNBJ300", "6200000000000003"),
    ];
    let line = |(provider, minor, bank, number): (&str, u64, &str, &str)| PayoutLine {
        provider: provider.parse().expect("a code"),
        amount: Amount::from_minor(minor),
        account: account_tag(&salt, &format!("{bank}/{number}")),
    };
    let proposal = ProposePayout {
        region: RegionId(620_100),
        batch: 1,
        execute_on: CivilDate::from_ymd(2026, 3, 31).expect("a day"),
        lines: known.map(line).to_vec(),
    };
    let accounts = known.iter().zip(&proposal.lines).map(|((_, _, bank, number), line)| {
        json!({ "bank": bank, "number": number, "tag": line.account })
    });
    let about = "what an approver of payments compares: a bank account's tag is SHA-256 of \
                 `yibao/bank-account/v1`, the salt, and bank and number with a slash between \
                 them; the hash that is signed is SHA-256 of `yibao/payout-lines/v1` and the \
                 borsh of day and lines";
    check_json(
        "vectors/payouts.json",
        &json!({
            "about": about,
            "salt": salt,
            "accounts": accounts.collect::<Vec<Value>>(),
            "execute_on": proposal.execute_on,
            "lines": proposal.lines,
            "lines_hash": proposal.lines_hash(),
        }),
    );
}
