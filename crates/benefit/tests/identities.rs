//! What holds for every plan and bill: the parts add up, nothing is lost or made, equal inputs give
//! equal bytes, and undoing restores every running amount.
//!
//! Plans are random: every operator with random fields, conditions and rounding.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;
mod random_plan;

use benefit::{
    Accumulators, AdjudicatedPart, Adjudication, AgeBand, Bill, Catalogue, Category, CategorySums,
    Facts, FamilyGrant, Filing, HospitalLevel, IncomeClass, ItemClass, LineItem, PersonClass,
    Place, Plan, SlotFact, SumKey, SumRow, TraceNote, VisitFacts, VisitType, adjudicate_stay,
    sort_lines,
    source::{CatalogueHead, CatalogueSource, ItemSource, LimitedUseSource, PriceCapSource},
};
use primitives::{Amount, CivilDate, Currency, Period, Rate, RegionId, Rounding, SlotId};
use proptest::prelude::*;
use random_plan::plan;

fn day(offset: i32) -> CivilDate {
    CivilDate::from_ymd(2026, 11, 1).unwrap().plus_days(offset).unwrap()
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        2 => Just(0_u64),
        6 => 0_u64..500_000,
        2 => 0_u64..100_000_000,
        1 => Just(1_u64),
    ]
    .prop_map(Amount::from_minor)
}

fn row() -> impl Strategy<Value = SumRow> {
    let key = (0_i32..90, 1_u8..=24, 1_u8..=3, 0_u8..=2, 0_u8..=3);
    (key, [amount(), amount(), amount(), amount()]).prop_map(|(key, parts)| SumRow {
        key: SumKey {
            service_date: day(key.0),
            category: Category::from_number(key.1).unwrap(),
            class: ItemClass::from_number(key.2).unwrap(),
            programme: key.3,
            slot: SlotId(key.4),
        },
        self_paid: parts[0],
        over_cap: parts[1],
        class_b_share: parts[2],
        in_policy: parts[3],
    })
}

fn sums() -> impl Strategy<Value = CategorySums> {
    proptest::collection::vec(row(), 1..6).prop_map(|rows| CategorySums::new(rows).unwrap())
}

fn facts() -> impl Strategy<Value = Facts> {
    let person = (0_u8..100, 0_u32..32, 0_u8..4, 0_u8..12, 0_u8..4, any::<bool>(), any::<bool>());
    let place = (1_u8..=7, 1_u8..=4, 1_u8..=5, any::<bool>());
    let money = (any::<bool>(), amount(), proptest::collection::vec(amount(), 0..3), 1_u16..40);
    (person, place, money, proptest::option::of(amount())).prop_map(
        |(person, place, money, own)| {
            let visit_type = if place.3 { VisitType::Outpatient } else { VisitType::Inpatient };
            let mut facts = Facts::new(visit_type, HospitalLevel::from_number(place.0).unwrap());
            facts.place = Place::from_number(place.1).unwrap();
            facts.filing = Filing::from_number(place.2).unwrap();
            facts.age = AgeBand::exactly(person.0);
            let classes = PersonClass::ALL.iter().copied();
            facts.person_classes = classes.filter(|class| person.1 & class.bit() != 0).collect();
            facts.income_class = IncomeClass::from_number(person.2).unwrap();
            facts.unbroken_years = person.3;
            facts.claim_free_years = person.4;
            facts.month_of_75 = person.5;
            facts.in_family = person.6;
            facts.use_personal_account = money.0;
            facts.personal_account = money.1;
            let grants = (7_u32..).zip(money.2);
            facts.family_accounts =
                grants.map(|(grant, available)| FamilyGrant { grant, available }).collect();
            facts.days = money.3;
            facts.slots = (1_u8..=3)
                .map(|slot| SlotFact {
                    slot: SlotId(slot),
                    group: slot,
                    amount: own.filter(|_| slot == 2),
                })
                .collect();
            facts
        },
    )
}

/// What every adjudication keeps.
fn check_one(sums_total: Amount, parts: &[AdjudicatedPart]) {
    let mut total = Amount::ZERO;
    for part in parts {
        let one = &part.adjudication;
        assert!(one.is_balanced(), "{one:?}");
        total = total.checked_add(one.total).unwrap();
        assert!(one.payers.iter().all(|share| !share.amount.is_zero()));
        assert!(one.payers.windows(2).all(|two| two[0].payer < two[1].payer));
        assert!(one.changes.windows(2).all(|two| two[0].key < two[1].key));
        assert!(one.changes.iter().all(|change| change.before < change.after));
        assert_eq!(noted(one), paid(one), "the trace tells of every payment");
        let bytes = borsh::to_vec(one).unwrap();
        assert_eq!(&borsh::from_slice::<Adjudication>(&bytes).unwrap(), one);
    }
    assert_eq!(total, sums_total);
}

/// What the trace says was paid.
fn noted(one: &Adjudication) -> Amount {
    let paid = one.trace.iter().map(|entry| match entry.note {
        TraceNote::Paid { amount, .. } => amount,
        TraceNote::Account { paid, .. } => paid,
        _ => Amount::ZERO,
    });
    paid.fold(Amount::ZERO, |sum, paid| sum.checked_add(paid).unwrap())
}

fn paid(one: &Adjudication) -> Amount {
    let accounts = one.personal_account.checked_add(one.paid_by_family()).unwrap();
    one.paid_by_payers().checked_add(accounts).unwrap()
}

fn apply(list: &Accumulators, parts: &[AdjudicatedPart]) -> Accumulators {
    let mut list = list.clone();
    parts.iter().for_each(|part| list.apply(&part.adjudication.changes).unwrap());
    list
}

fn undo(list: &Accumulators, parts: &[AdjudicatedPart]) -> Accumulators {
    let mut list = list.clone();
    parts.iter().rev().for_each(|part| list.undo(&part.adjudication.changes).unwrap());
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_add_up_and_undoing_restores(
        plan in plan(),
        first in (sums(), facts()),
        second in (sums(), facts()),
    ) {
        let start = Accumulators::new();
        let one = adjudicate_stay(&[&plan], &first.0, &first.1, &start).unwrap();
        check_one(first.0.total(), &one);
        // The same inputs give the same bytes, and so does the plan read back from its own.
        let read: Plan = borsh::from_slice(&borsh::to_vec(&plan).unwrap()).unwrap();
        prop_assert_eq!(read.hash(), plan.hash());
        let again = adjudicate_stay(&[&read], &first.0, &first.1, &start).unwrap();
        prop_assert_eq!(borsh::to_vec(&again).unwrap(), borsh::to_vec(&one).unwrap());

        let between = apply(&start, &one).filter(|key| !key.period.is_visit());
        let two = adjudicate_stay(&[&plan], &second.0, &second.1, &between).unwrap();
        check_one(second.0.total(), &two);
        let end = apply(&between, &two);
        prop_assert_eq!(undo(&end, &two), between);
        // Undoing the first after the second leaves exactly what the second added.
        let visits_kept = apply(&apply(&start, &one), &two_on_top(&two));
        let left = undo(&visits_kept, &one);
        for (key, value) in left.iter() {
            let added: u64 = two
                .iter()
                .flat_map(|part| &part.adjudication.changes)
                .filter(|change| change.key == *key && !key.period.is_visit())
                .map(|change| change.after - change.before)
                .sum();
            prop_assert_eq!(value, added);
        }
    }

    #[test]
    fn a_plan_with_a_changed_byte_is_refused_or_still_adjudicates(
        plan in plan(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        bill in (sums(), facts()),
    ) {
        let mut bytes = borsh::to_vec(&plan).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(changed) = borsh::from_slice::<Plan>(&bytes)
            && let Ok(parts) = adjudicate_stay(&[&changed], &bill.0, &bill.1, &Accumulators::new())
        {
            check_one(bill.0.total(), &parts);
        }
    }

    #[test]
    fn every_line_is_sorted_into_parts_that_add_up(
        lines in proptest::collection::vec((0_u8..6, 1_u64..40_000, 1_u64..3_000_000), 1..12),
        share in 0_u32..=1_000_000,
        cap in 0_u64..400_000_000,
        mode in prop_oneof![Just(Rounding::Floor), Just(Rounding::HalfUp), Just(Rounding::Ceiling), Just(Rounding::HalfEven)],
        age in 0_u8..100,
    ) {
        let catalogue = catalogue(Rate::from_ppm(share).unwrap(), cap, mode);
        let bill = Bill { currency: Currency::CNY, diagnosis_groups: Vec::new(), lines: lines.iter().zip(1_u32..).map(|((item, quantity, amount), line_no)| LineItem {
            line_no,
            item_code: format!("I{item}"),
            name: String::new(),
            service_date: day(i32::from(*item)),
            quantity: benefit::decimal::Quantity::from_units(*quantity),
            unit_price: None,
            amount: Amount::from_minor(*amount),
            category: None,
            programme: 0,
            slot: SlotId(0),
        }).collect() };
        let facts = VisitFacts {
            visit_type: VisitType::Outpatient,
            hospital_level: HospitalLevel::Primary,
            diagnosis_groups: vec!["x".into()],
            age: AgeBand::exactly(age),
            sex: benefit::Sex::Female,
        };
        let sorted = sort_lines(&catalogue, &bill, &facts).unwrap();
        for (line, given) in sorted.lines.iter().zip(&bill.lines) {
            let parts = [line.self_paid, line.over_cap, line.class_b_share, line.in_policy];
            prop_assert_eq!(Amount::checked_sum(parts), Some(given.amount));
        }
        prop_assert_eq!(sorted.sums.total(), bill.total().unwrap());
        let read: Catalogue = borsh::from_slice(&borsh::to_vec(&catalogue).unwrap()).unwrap();
        prop_assert_eq!(sort_lines(&read, &bill, &facts).unwrap(), sorted);
    }
}

/// The changes of the second visit without those that belong to the visit alone, moved so that they
/// stand on top of whatever is there.
fn two_on_top(two: &[AdjudicatedPart]) -> Vec<AdjudicatedPart> {
    let mut parts = two.to_vec();
    for part in &mut parts {
        part.adjudication.changes.retain(|change| !change.key.period.is_visit());
    }
    parts
}

fn catalogue(share: Rate, cap: u64, rounding: Rounding) -> Catalogue {
    let item = |code: u8, class: ItemClass| ItemSource {
        code: format!("I{code}"),
        name: String::new(),
        valid: Period { from: day(0), to: None },
        class,
        category: Category::Treatment,
        share: (class == ItemClass::B).then_some(share),
        price_caps: Vec::new(),
        limited_use: Vec::new(),
    };
    let price = benefit::decimal::UnitPrice::from_units(cap).to_string();
    let price =
        PriceCapSource { hospital_levels: Vec::new(), price: benefit::decimal::DecimalText(price) };
    let mut items = vec![
        item(0, ItemClass::A),
        item(1, ItemClass::B),
        item(2, ItemClass::C),
        item(3, ItemClass::B),
        item(4, ItemClass::A),
    ];
    items[3].price_caps.push(price);
    items[4]
        .limited_use
        .push(LimitedUseSource { age_from: Some(18), ..LimitedUseSource::default() });
    Catalogue::compile(&CatalogueSource {
        catalogue: CatalogueHead {
            id: "random".into(),
            region: RegionId(1),
            currency: Currency::CNY,
            rounding,
            unlisted: ItemClass::C,
            source: benefit::source::SourceText::default(),
        },
        item: items,
    })
    .unwrap()
}
