//! How many adjudications a core does in a second: `cargo bench -p benefit`. A five-row outpatient
//! bill and a stay with critical illness, under the crate's own test plan of Chinese examples.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints and panics"
)]

use benefit::{
    AccumulatorKey, AccumulatorPeriod, AccumulatorScope, Accumulators, Category, CategorySums,
    Facts, HospitalLevel, ItemClass, PersonClass, SumKey, SumRow, VisitType, adjudicate, compile,
};
use primitives::{Amount, CivilDate, SlotId};
use std::{hint::black_box, path::Path, time::Instant};

const ROUNDS: u32 = 1_000_000;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/china-small");
    let text = std::fs::read_to_string(folder.join("2026-01-01.toml")).unwrap();
    let plan = compile(&toml::from_str(&text).unwrap(), primitives::sha256(b"")).unwrap();
    let key = |number| AccumulatorKey {
        scope: AccumulatorScope::Person,
        number,
        period: AccumulatorPeriod::year(2026),
        slot: SlotId(0),
    };
    let accumulators: Accumulators =
        [(key(1), 5_000), (key(2), 700), (key(3), 10_000)].into_iter().collect();
    let categories = [1_u8, 4, 5, 7, 13];
    let rows = |amount: u64| {
        let row = |category: &u8| {
            let key = SumKey {
                service_date: CivilDate::from_ymd(2026, 3, 1).unwrap(),
                category: Category::from_number(*category).unwrap(),
                class: ItemClass::A,
                programme: 0,
                slot: SlotId(0),
            };
            SumRow { in_policy: Amount::from_minor(amount), ..SumRow::empty(key) }
        };
        CategorySums::new(categories.iter().map(row).collect()).unwrap()
    };
    for (name, visit_type, group, amount) in [
        ("outpatient", VisitType::Outpatient, 7_u8, 12_345_u64),
        ("stay and critical illness", VisitType::Inpatient, 8, 912_345),
    ] {
        let mut facts = Facts::new(visit_type, HospitalLevel::Tertiary);
        facts.diagnosis_group = group;
        facts.person_classes = [PersonClass::Active].into_iter().collect();
        facts.use_personal_account = true;
        facts.personal_account = Amount::from_minor(9_999);
        let sums = rows(amount);
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            let answer = adjudicate(&plan, black_box(&sums), black_box(&facts), &accumulators);
            black_box(answer.unwrap());
        }
        let spent = begin.elapsed();
        let each = spent.as_nanos().checked_div(u128::from(ROUNDS)).unwrap();
        println!(
            "{name}: {each} ns each, {} a second",
            1_000_000_000_u128.checked_div(each).unwrap()
        );
    }
}
