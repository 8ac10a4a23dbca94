//! Undoing a settlement: the same amounts back, the running amounts as they were, and a partial
//! refund as a whole reversal with what remains adjudicated again.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use benefit::{
    Accumulators, Adjudication, Category, CategorySums, Facts, HospitalLevel, ItemClass, Payer,
    Plan, SumKey, SumRow, VisitType, adjudicate,
};
use primitives::{Amount, CivilDate, SlotId};

const PLAN: &str = r#"
[plan]
id = "test-reversal"
name = { en = "reversal" }
region = 999900
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01" }
visit_types = ["outpatient"]
[[accumulator]]
id = "met"
number = 1
period = "year"
[[step]]
id = "pool"
kind = "benefit"
payer = "pooled_fund"
deductibles = [{ amount = "100", counts = "met" }]
rates = [{ rate = "50%" }]
words = { en = "w" }
source = "s"
[[step]]
id = "account"
kind = "personal_account"
base = { parts = ["in_policy", "class_b_share"] }
words = { en = "w" }
source = "s"
"#;

fn bill(in_policy: u64, class_b_share: u64) -> CategorySums {
    let key = SumKey {
        service_date: CivilDate::from_ymd(2026, 3, 1).unwrap(),
        category: Category::WesternMedicine,
        class: ItemClass::B,
        programme: 0,
        slot: SlotId(0),
    };
    let row = SumRow {
        in_policy: Amount::from_minor(in_policy),
        class_b_share: Amount::from_minor(class_b_share),
        ..SumRow::empty(key)
    };
    CategorySums::new(vec![row]).unwrap()
}

fn settle(plan: &Plan, list: &mut Accumulators, bill: &CategorySums) -> Adjudication {
    let mut facts = Facts::new(VisitType::Outpatient, HospitalLevel::Primary);
    facts.use_personal_account = true;
    facts.personal_account = Amount::from_minor(137_815);
    let adjudication = adjudicate(plan, bill, &facts, list).unwrap();
    list.apply(&adjudication.changes).unwrap();
    adjudication
}

#[test]
fn the_observed_reversal_gives_the_deductible_back() {
    // CN-OBS-03: 25.10 = 24.87 + 0.23, all of it deductible, all paid by the account.
    let (_, plan) = common::load(PLAN).unwrap();
    let mut list = Accumulators::new();
    settle(&plan, &mut list, &bill(429, 23));
    let before = list.clone();
    let original = settle(&plan, &mut list, &bill(2_487, 23));
    assert_eq!(original.deductible, Amount::from_minor(2_487));
    assert_eq!(original.personal_account, Amount::from_minor(2_510));
    assert!(original.cash.is_zero());
    list.undo(&original.changes).unwrap();
    assert_eq!(list, before);
}

#[test]
fn a_second_reversal_of_the_same_settlement_is_refused() {
    let (_, plan) = common::load(PLAN).unwrap();
    let mut list = Accumulators::new();
    let original = settle(&plan, &mut list, &bill(2_000, 0));
    list.undo(&original.changes).unwrap();
    assert!(list.undo(&original.changes).is_err());
    assert!(list.is_empty());
}

#[test]
fn a_partial_refund_adjudicates_the_rest_with_the_running_amounts_less_the_original() {
    // First visit 150: deductible 100, fund 25. Second visit 60: fund 30. Then 90 of the first are
    // refunded: 60 remain, all of it deductible; the second settlement stays as it was.
    let (_, plan) = common::load(PLAN).unwrap();
    let mut list = Accumulators::new();
    let first = settle(&plan, &mut list, &bill(15_000, 0));
    let second = settle(&plan, &mut list, &bill(6_000, 0));
    assert_eq!(first.paid_by(Payer::PooledFund), Amount::from_minor(2_500));
    assert_eq!(second.paid_by(Payer::PooledFund), Amount::from_minor(3_000));
    list.undo(&first.changes).unwrap();
    let rest = settle(&plan, &mut list, &bill(6_000, 0));
    assert_eq!(rest.paid_by(Payer::PooledFund), Amount::ZERO);
    assert_eq!(rest.deductible, Amount::from_minor(6_000));
    let met: Vec<u64> = list.iter().map(|(_, value)| value).collect();
    assert_eq!(met, [6_000]);
}
