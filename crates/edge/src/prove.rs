//! What the platform says was settled or given back is looked up on the ledger, by the hospital's
//! own light node: a settlement counts as proved once its receipt is in a log that the validators
//! signed, and says the same sums.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use adapters::clock::{Clock as _, SystemClock};
use adapters::directory::DirectoryError;
use adapters::edge::Change;
use gateway::nhsa::field::yuan;
use gateway::port::PortError;
use ledger::Receipt;
use ledger::kernel::registry::Kind;
use ledger::modules::visit::{RefundVisit, SettleVisit};
use primitives::{Amount, Hash, OrganisationId, Party, Timestamp};
use proof::receipt::{FieldAmount, FieldValue, OutcomeCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::house::{House, SETTLED, json_bytes};
use crate::learn::text_at;
use crate::ledger::Ledger;

/// What the platform said and the ledger has not shown yet.
pub const UNPROVED: &str = "unproved";
/// What the ledger says otherwise.
pub const DIFFERS: &str = "differs";
/// The settlement that a message brought.
const SETTLED_BY: &str = "settled-by";
/// How many were proved.
pub const PROVED: &str = "proved";

/// How often the ledger is asked.
const PAUSE: Duration = Duration::from_millis(500);
/// How many are looked at in one round.
const PAGE: u32 = 200;
/// What the ledger has not shown by then, somebody should look at.
pub const OVERDUE_MILLIS: u64 = 60_000;

/// Sums that the interface and the receipt both have, by their names in each.
const SUMS: [(&str, &str); 7] = [
    ("medfee_sumamt", "total"),
    ("fulamt_ownpay_amt", "self_paid"),
    ("overlmt_selfpay", "over_cap"),
    ("preselfpay_amt", "class_b_share"),
    ("acct_pay", "personal_account"),
    ("acct_mulaid_pay", "family_accounts"),
    ("psn_cash_pay", "cash"),
];

/// Something that the platform says happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claimed {
    /// The number of the settlement, `setl_id`.
    pub setl_id: String,
    /// Whether it was given back.
    pub is_return: bool,
    /// The transaction; nothing where the platform did not say.
    pub transaction: Option<Hash>,
    /// Of a return: the transaction that had settled it, where the edge saw that.
    pub original: Option<Hash>,
    /// The sums, by their names in the interface; of a return they are negative.
    pub sums: BTreeMap<String, String>,
    /// When it was said.
    pub at: Timestamp,
}

/// Something that the ledger says otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// What was claimed.
    pub claimed: Claimed,
    /// The first field that differs.
    pub field: String,
    /// What the platform said.
    pub said: String,
    /// What the ledger says.
    pub proved: String,
}

/// How many were proved, and when the last one was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Proved {
    /// How many.
    pub count: u64,
    /// When.
    pub last: Option<Timestamp>,
}

/// Notes what the platform said of a settlement, so that the ledger is asked about it.
///
/// # Errors
/// When the book fails.
pub fn note(
    house: &House,
    (msgid, output): (&str, &Value),
    is_return: bool,
    change: &mut Change,
) -> Result<(), DirectoryError> {
    if house.keys.ledger.is_none() {
        return Ok(());
    }
    let setl_id = text_at(output, "/setlinfo/setl_id").to_owned();
    let settled: Option<Value> = if is_return { house.read(SETTLED, &setl_id)? } else { None };
    let sum = |(name, _): &(&str, &str)| {
        ((*name).to_owned(), text_at(output, &format!("/setlinfo/{name}")).to_owned())
    };
    let claimed = Claimed {
        is_return,
        transaction: transaction_of(output),
        original: settled.as_ref().and_then(transaction_of),
        sums: SUMS.iter().map(sum).collect(),
        at: SystemClock.now(),
        setl_id,
    };
    if !is_return {
        change.put(SETTLED_BY, msgid, json_bytes(&claimed.setl_id));
    }
    change.put(UNPROVED, &name_of(&claimed), json_bytes(&claimed));
    Ok(())
}

/// The transaction that an answer names.
fn transaction_of(output: &Value) -> Option<Hash> {
    let extended: Value = serde_json::from_str(text_at(output, "/setlinfo/exp_content")).ok()?;
    serde_json::from_value(extended.get("transaction_id")?.clone()).ok()
}

fn name_of(claimed: &Claimed) -> String {
    let what = if claimed.is_return { "return" } else { "settlement" };
    format!("{what} {}", claimed.setl_id)
}

/// Nothing is asked any more about what this message had settled: the platform reversed it, and
/// says so in no transaction's name; what is left of it, reconciliation (3202) shows.
///
/// # Errors
/// When the book fails.
pub fn forget(house: &House, msgid: &str, change: &mut Change) -> Result<(), DirectoryError> {
    let Some(setl_id) = house.read::<String>(SETTLED_BY, msgid)? else { return Ok(()) };
    for kind in [UNPROVED, DIFFERS] {
        change.removed.push((kind, format!("settlement {setl_id}")));
    }
    Ok(())
}

/// Asks the ledger for as long as the program runs.
pub fn run(house: &House, ledger: &Ledger) {
    loop {
        // Where the book fails, the next round tries again.
        let _ = round(house, ledger);
        thread::sleep(PAUSE);
    }
}

/// What came of one look at the ledger.
enum Looked {
    NotThere,
    Same,
    Differs(Difference),
}

/// One round over what is not proved.
///
/// # Errors
/// When the book fails.
pub fn round(house: &House, ledger: &Ledger) -> Result<(), DirectoryError> {
    let mut after = String::new();
    loop {
        let page = house.book.entries(UNPROVED, (&after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (name, bytes) in page {
            let Ok(claimed) = serde_json::from_slice::<Claimed>(&bytes) else { continue };
            let Some(id) = claimed.transaction else { continue };
            let looked = match ledger.chain.receipt_of_transaction(id) {
                Ok(Some(found)) => compare(ledger.organisation, &claimed, &found.receipt),
                // Nobody to ask now: everything waits for the next round.
                Err(PortError::Unreachable(_)) => return Ok(()),
                // One that is not shown, such as another hospital's, holds no other back.
                Ok(None) | Err(PortError::Failed(_)) => Looked::NotThere,
            };
            let mut change = Change::default();
            match looked {
                Looked::NotThere => continue,
                Looked::Same => {
                    let before: Proved = house.read(PROVED, "count")?.unwrap_or_default();
                    let last = Some(SystemClock.now());
                    let proved = Proved { count: before.count + 1, last };
                    change.put(PROVED, "count", json_bytes(&proved));
                    if claimed.is_return {
                        let settled = Claimed { is_return: false, ..claimed.clone() };
                        change.removed.push((DIFFERS, name_of(&settled)));
                    }
                }
                Looked::Differs(difference) => {
                    change.put(DIFFERS, &name, json_bytes(&difference));
                }
            }
            change.removed.push((UNPROVED, name));
            house.book.apply(&change)?;
        }
    }
}

/// What the receipt says of it. The light node has checked that these facts are the receipt's.
fn compare(organisation: OrganisationId, claimed: &Claimed, receipt: &Receipt) -> Looked {
    let differs = |field: &str, said: String, proved: String| {
        let (claimed, field) = (claimed.clone(), field.to_owned());
        Looked::Differs(Difference { claimed, field, said, proved })
    };
    let kind = if claimed.is_return { RefundVisit::NUMBER } else { SettleVisit::NUMBER };
    if receipt.record.kind != kind || receipt.record.outcome != OutcomeCode::Accepted {
        let said = if claimed.is_return { RefundVisit::NAME } else { SettleVisit::NAME };
        let proved = format!("{} {:?}", receipt.record.kind, receipt.record.outcome);
        return differs("kind", said.to_owned(), proved);
    }
    let fact = |name: &str| {
        let found = receipt.fields.iter().find(|field| *field.name == *name);
        found.map(|field| &field.value)
    };
    let text = |value: Option<&FieldValue>| value.map(ToString::to_string).unwrap_or_default();
    let sum = |name: &str| match fact(name) {
        Some(FieldValue::Amount(FieldAmount { amount, .. })) => *amount,
        _ => Amount::ZERO,
    };
    if claimed.is_return {
        let original = claimed.original.map(FieldValue::Hash);
        if original.is_some() && original.as_ref() != fact("original") {
            return differs("original", text(original.as_ref()), text(fact("original")));
        }
        // Nothing is left of it.
        if !sum("total").is_zero() {
            return differs("medfee_sumamt", yuan(Amount::ZERO), yuan(sum("total")));
        }
        return Looked::Same;
    }
    let own = FieldValue::Party(Party::Organisation(organisation));
    if fact("provider") != Some(&own) {
        return differs("provider", organisation.to_string(), text(fact("provider")));
    }
    for (said_as, proved_as) in SUMS {
        let said = claimed.sums.get(said_as).cloned().unwrap_or_default();
        let proved = yuan(sum(proved_as));
        if said != proved {
            return differs(said_as, said, proved);
        }
    }
    Looked::Same
}

#[cfg(test)]
mod tests {
    use primitives::Currency;
    use proof::receipt::{Field, ReceiptRecord};

    use super::*;

    fn receipt(kind: u16, facts: &[(&str, FieldValue)]) -> Receipt {
        let field = |(name, value): &(&str, FieldValue)| Field {
            name: name.parse().unwrap(),
            value: value.clone(),
        };
        Receipt {
            record: ReceiptRecord {
                version: 1,
                chain_id: "test".parse().unwrap(),
                height: 7,
                index_in_block: 0,
                time: Timestamp::from_millis(1),
                transaction_id: Hash([1; 32]),
                kind,
                outcome: OutcomeCode::Accepted,
                commitments: Vec::new(),
            },
            seed: Hash::default(),
            fields: facts.iter().map(field).collect(),
            entries: Vec::new(),
            events: Vec::new(),
            effects: Vec::new(),
            witness: Vec::new(),
            rejection_detail: None,
            concerns: Vec::new(),
        }
    }

    fn amount(fen: u64) -> FieldValue {
        let currency = Currency::from_code("CNY").unwrap();
        FieldValue::Amount(FieldAmount { amount: Amount::from_minor(fen), currency })
    }

    fn claimed(is_return: bool) -> Claimed {
        let sums = SUMS.iter().map(|(name, _)| {
            let text = match *name {
                "medfee_sumamt" => "100.00",
                "psn_cash_pay" => "30.00",
                _ => "0.00",
            };
            ((*name).to_owned(), text.to_owned())
        });
        Claimed {
            setl_id: "s1".to_owned(),
            is_return,
            transaction: Some(Hash([1; 32])),
            original: is_return.then_some(Hash([2; 32])),
            sums: sums.collect(),
            at: Timestamp::from_millis(1),
        }
    }

    fn field_of(looked: Looked) -> Option<String> {
        match looked {
            Looked::Differs(difference) => Some(difference.field),
            Looked::Same => None,
            Looked::NotThere => panic!("it is there"),
        }
    }

    #[test]
    fn a_receipt_of_something_else_proves_nothing() {
        let hospital: OrganisationId = "hospital-1".parse().unwrap();
        let own = FieldValue::Party(Party::Organisation(hospital));
        let other = FieldValue::Party(Party::Organisation("hospital-2".parse().unwrap()));
        let settled = |provider: &FieldValue, cash: u64| {
            let facts =
                [("provider", provider.clone()), ("total", amount(10_000)), ("cash", amount(cash))];
            receipt(SettleVisit::NUMBER, &facts)
        };
        let told = |receipt: &Receipt| field_of(compare(hospital, &claimed(false), receipt));
        assert_eq!(told(&settled(&own, 3_000)), None);
        assert_eq!(told(&settled(&own, 3_001)).as_deref(), Some("psn_cash_pay"));
        assert_eq!(told(&settled(&other, 3_000)).as_deref(), Some("provider"));
        let mut rejected = settled(&own, 3_000);
        rejected.record.outcome = OutcomeCode::Rejected(712);
        assert_eq!(told(&rejected).as_deref(), Some("kind"));

        let returned = |original: u8, left: u64| {
            let facts =
                [("original", FieldValue::Hash(Hash([original; 32]))), ("total", amount(left))];
            receipt(RefundVisit::NUMBER, &facts)
        };
        let told = |receipt: &Receipt| field_of(compare(hospital, &claimed(true), receipt));
        assert_eq!(told(&returned(2, 0)), None);
        assert_eq!(told(&returned(3, 0)).as_deref(), Some("original"));
        assert_eq!(told(&returned(2, 1)).as_deref(), Some("medfee_sumamt"));
        assert_eq!(told(&settled(&own, 3_000)).as_deref(), Some("kind"));
    }
}
