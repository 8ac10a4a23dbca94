//! What people write: plans, catalogues, bills, numbers.

use benefit::catalogue::Catalogue;
use benefit::source::{CatalogueSource, PlanSource};
use benefit::{Bill, compile};
use primitives::{Amount, Currency, Rate, codec, sha256};

/// A plan as a file.
pub fn plan(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let Ok(source) = toml::from_str::<PlanSource>(text) else { return };
    if let Ok(plan) = compile(&source, sha256(bytes)) {
        let again: benefit::Plan = codec::decode(&codec::encode(&plan)).expect("its own bytes");
        assert_eq!(again.hash(), plan.hash());
    }
}

/// A catalogue or price list as a file.
pub fn catalogue(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Ok(source) = toml::from_str::<CatalogueSource>(text) {
        let _ = Catalogue::compile(&source);
    }
}

/// A bill as JSON.
pub fn bill(bytes: &[u8]) {
    let Ok(bill) = serde_json::from_slice::<Bill>(bytes) else { return };
    if bill.check().is_ok() {
        bill.total().expect("a bill that was checked has a total");
    }
    let text = serde_json::to_vec(&bill).expect("a form in JSON");
    assert_eq!(serde_json::from_slice::<Bill>(&text).expect("its own form"), bill);
}

/// Amounts and rates as people write them.
pub fn decimal(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    for currency in [Currency::CNY, Currency::JPY, Currency::USD] {
        if let Ok(amount) = Amount::from_decimal(text, currency) {
            let shown = amount.to_decimal(currency);
            assert_eq!(Amount::from_decimal(&shown, currency), Ok(amount), "{shown}");
        }
    }
    let _ = Rate::parse(text);
}
