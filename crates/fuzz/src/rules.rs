//! What people write: plans, catalogues, bills, numbers.

use benefit::catalogue::Catalogue;
use benefit::source::{CatalogueSource, PlanSource};
use benefit::{Accumulators, Bill, CategorySums, Facts, Plan, adjudicate, compile};
use primitives::{Amount, Currency, Rate, codec, sha256};

/// A plan as a file.
pub fn plan(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let Ok(source) = toml::from_str::<PlanSource>(text) else { return false };
    let Ok(plan) = compile(&source, sha256(bytes)) else { return false };
    let again = Plan::from_bytes(&codec::encode(&plan)).expect("its own bytes");
    assert_eq!(again.hash(), plan.hash());
    let _ = plan.check_examples();
    true
}

/// What the ledger adjudicates: a compiled plan, sums, facts and running amounts, as borsh. The
/// parts of a split are the bill, and undoing it leaves what was before.
pub fn adjudication(bytes: &[u8]) -> bool {
    let decoded = codec::decode::<(Plan, CategorySums, Facts, Accumulators)>(bytes);
    let Ok((plan, sums, facts, mut accumulators)) = decoded else { return false };
    let Ok(split) = adjudicate(&plan, &sums, &facts, &accumulators) else { return false };
    assert!(split.is_balanced(), "no unit is lost or made");
    assert_eq!(split.total, sums.total(), "the split is of this bill");
    let before = accumulators.clone();
    accumulators.apply(&split.changes).expect("its changes follow from these running amounts");
    accumulators.undo(&split.changes).expect("and can be undone");
    assert_eq!(accumulators, before, "undoing leaves what was before");
    true
}

/// A catalogue or price list as a file.
pub fn catalogue(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let Ok(source) = toml::from_str::<CatalogueSource>(text) else { return false };
    Catalogue::compile(&source).is_ok()
}

/// A bill as JSON.
pub fn bill(bytes: &[u8]) -> bool {
    let Ok(bill) = serde_json::from_slice::<Bill>(bytes) else { return false };
    if bill.check().is_ok() {
        bill.total().expect("a bill that was checked has a total");
    }
    let text = serde_json::to_vec(&bill).expect("a form in JSON");
    assert_eq!(serde_json::from_slice::<Bill>(&text).expect("its own form"), bill);
    true
}

/// Amounts and rates as people write them.
pub fn decimal(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    let mut is_read = Rate::parse(text).is_ok();
    for currency in [Currency::CNY, Currency::JPY, Currency::USD] {
        if let Ok(amount) = Amount::from_decimal(text, currency) {
            let shown = amount.to_decimal(currency);
            assert_eq!(Amount::from_decimal(&shown, currency), Ok(amount), "{shown}");
            is_read = true;
        }
    }
    is_read
}
