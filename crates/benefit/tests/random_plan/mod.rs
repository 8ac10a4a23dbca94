//! Random plans: every operator, with random fields that keep the rules of the guide.

use benefit::{
    HospitalLevel, Payer, PersonClass, Place, Plan, VisitType, compile,
    decimal::DecimalText,
    source::{
        Accumulated, AccumulatorSource, AllowanceSource, AmountChange, AmountRow, BaseSource,
        ConditionSource, Counts, GroupSource, GroupsWith, GrowSource, Part, PeriodSource, PlanHead,
        PlanSource, PlusSource, RateChange, RateRow, Reading, RepeatRow, RepeatSource, RoundAt,
        RoundOf, RoundingSource, SourceText, SplitStay, StepSource, TierSource, VisitNumber,
    },
};
use primitives::{CivilDate, Currency, Hash, Period, Rate, RegionId, Rounding, SchemeId};
use proptest::prelude::*;

const MONEY: [&str; 6] = ["visit", "month", "year", "lifetime", "family", "slot"];

fn text(text: impl Into<String>) -> DecimalText {
    DecimalText(text.into())
}

fn money() -> impl Strategy<Value = DecimalText> {
    prop_oneof![Just(0_u64), 0_u64..3_000, 0_u64..2_000_000]
        .prop_map(|minor| text(format!("{}.{:02}", minor / 100, minor % 100)))
}

fn factor() -> impl Strategy<Value = DecimalText> {
    (0_u32..2_000_000).prop_map(|ppm| text(format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000)))
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![
        Just(0_u32),
        Just(1_000_000),
        0_u32..=1_000_000,
        (0_u32..=100).prop_map(|p| p * 10_000)
    ]
    .prop_map(|ppm| Rate::from_ppm(ppm).unwrap())
}

fn condition() -> impl Strategy<Value = ConditionSource> {
    (0_u8..9, 1_u8..=7, money()).prop_map(|(kind, number, bound)| {
        let mut when = ConditionSource::default();
        match kind {
            0 => when.visit_types = vec![VisitType::Outpatient],
            1 => when.hospital_levels = vec![HospitalLevel::from_number(number).unwrap()],
            2 => when.places = vec![Place::Home, Place::Abroad],
            3 => when.person_classes = vec![PersonClass::Retired, PersonClass::Student],
            4 => when.person_classes_not = vec![PersonClass::Active],
            5 => when.age_from = Some(number * 10),
            6 => {
                when.visit_number =
                    Some(VisitNumber { of: "visits".into(), from: Some(2), below: None })
            }
            7 => {
                when.accumulated =
                    Some(Accumulated { of: "year".into(), from: Some(bound), below: None })
            }
            _ => when.in_family = Some(true),
        }
        when
    })
}

fn when() -> impl Strategy<Value = Option<ConditionSource>> {
    proptest::option::weighted(0.4, condition())
}

fn allowance(per_slot: bool, may_be_none: bool) -> impl Strategy<Value = AllowanceSource> {
    let row = (money(), any::<bool>(), proptest::option::weighted(0.2, (rate(), money())))
        .prop_map(|(amount, per_day, plus)| AmountRow {
            when: None,
            amount: Some(amount),
            of_slot: false,
            per_day,
            plus: plus.map(|(share, above)| PlusSource { share, of_charged_above: above }),
        });
    let change = (when(), 0_u8..3, factor(), money()).prop_map(|(when, kind, factor, amount)| {
        let mut change = AmountChange { when, ..AmountChange::default() };
        match kind {
            0 => change.factor = Some(factor),
            1 => change.add = Some(amount),
            _ => change.less = Some(amount),
        }
        change
    });
    let repeat =
        (any::<bool>(), factor(), money(), money()).prop_map(|(down, factor, less, floor)| {
            let mut repeat = RepeatSource { of: "visits".into(), ..RepeatSource::default() };
            if down {
                (repeat.less, repeat.floor) = (Some(less), Some(floor));
            } else {
                let second = RepeatRow { visit: 2, factor: Some(factor), amount: None };
                let third = RepeatRow { visit: 3, factor: None, amount: Some(less) };
                repeat.from = vec![second, third];
            }
            repeat
        });
    let grow = (money(), money(), rate()).prop_map(|(one, most, share)| GrowSource {
        per_unbroken_year: Some(one.clone()),
        after: 2,
        per_claim_free_year: Some(one),
        at_most: Some(most),
        at_most_share: Some(share),
    });
    let counts = proptest::option::of(0_usize..if per_slot { 6 } else { 5 });
    let row = row.boxed();
    let first = (condition(), row.clone(), 0_u8..4);
    (
        proptest::option::of(first),
        row,
        counts,
        proptest::collection::vec(change, 0..3),
        proptest::option::weighted(0.2, repeat),
        proptest::option::weighted(0.2, grow),
    )
        .prop_map(move |(first, last, counts, changes, repeat, grow)| {
            let mut amounts = Vec::new();
            if let Some((condition, mut row, kind)) = first {
                match kind {
                    0 if may_be_none => {
                        row = AmountRow { amount: Some(text("none")), ..AmountRow::default() };
                    }
                    1 if per_slot => {
                        row = AmountRow { of_slot: true, ..AmountRow::default() };
                    }
                    _ => {}
                }
                row.when = Some(condition);
                amounts.push(row);
            }
            amounts.push(last);
            let counts = counts.map(|at| MONEY[at].to_owned());
            AllowanceSource { amount: None, amounts, counts, changes, repeat, grow }
        })
}

fn allowances(
    per_slot: bool,
    may_be_none: bool,
    least: usize,
) -> impl Strategy<Value = Vec<AllowanceSource>> {
    proptest::collection::vec(allowance(per_slot, may_be_none), least..least + 2)
}

fn rates() -> impl Strategy<Value = Vec<RateRow>> {
    let tiers = proptest::collection::btree_map(1_u64..3_000_000, rate(), 0..4);
    let row = (rate(), tiers).prop_map(|(first, tiers)| {
        let bound = |minor: u64| text(format!("{}.{:02}", minor / 100, minor % 100));
        let mut list = vec![TierSource { above: bound(0), rate: first }];
        list.extend(
            tiers.into_iter().map(|(above, rate)| TierSource { above: bound(above), rate }),
        );
        RateRow { when: None, rate: None, tiers: list }
    });
    (proptest::option::of((condition(), rate())), row).prop_map(|(first, last)| {
        let first = first.map(|(when, rate)| RateRow {
            when: Some(when),
            rate: Some(rate),
            tiers: Vec::new(),
        });
        first.into_iter().chain([last]).collect()
    })
}

fn rate_changes() -> impl Strategy<Value = Vec<RateChange>> {
    let change = (when(), 0_u8..4, rate(), factor()).prop_map(|(when, kind, points, factor)| {
        let mut change = RateChange { when, ..RateChange::default() };
        match kind {
            0 => change.add = Some(points),
            1 => change.less = Some(points),
            2 => change.factor = Some(factor),
            _ => change.self_share_factor = Some(factor),
        }
        change
    });
    proptest::collection::vec(change, 0..3)
}

fn rounding() -> impl Strategy<Value = RoundingSource> {
    (0_u8..4, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(mode, once, person, tens)| {
        RoundingSource {
            mode: [Rounding::Floor, Rounding::HalfUp, Rounding::Ceiling, Rounding::HalfEven]
                [usize::from(mode)],
            at: if once { RoundAt::Once } else { RoundAt::Tier },
            of: if person { RoundOf::Person } else { RoundOf::Benefit },
            unit: tens.then(|| text("0.10")),
        }
    })
}

/// The base of the step at this place; `kind` limits what it may be.
fn base(at: usize, per_slot: bool, only_left: bool) -> impl Strategy<Value = BaseSource> {
    let parts = proptest::sample::subsequence(
        vec![Part::InPolicy, Part::ClassBShare, Part::OverCap, Part::SelfPaid],
        1..=4,
    );
    (parts, 0_u8..8, 0_usize..64, 0_usize..4, any::<bool>(), money()).prop_map(
        move |(parts, of, earlier, what, groups, least)| {
            let mut base = BaseSource { parts, ..BaseSource::default() };
            if per_slot {
                base.groups = Some(vec!["slots".into()]);
            } else if groups {
                base.groups = Some(vec!["slots".into(), "programme".into()]);
            }
            let earlier = (at > 0).then(|| format!("s{}", earlier % at.max(1)));
            let what = ["deductible", "self_share", "cut", "paid"][what];
            match (of, earlier) {
                (0, _) if !only_left => base.of = "charged".into(),
                (1, Some(step)) if !only_left && !per_slot => base.of = format!("{what}:{step}"),
                (2, Some(step)) if !per_slot => base.less = vec![format!("{what}:{step}")],
                (3, Some(step)) => {
                    base.groups_with = Some(GroupsWith { left_after: step, at_least: least });
                }
                _ => {}
            }
            base
        },
    )
}

/// The step at this place of the plan.
fn step(at: usize) -> impl Strategy<Value = StepSource> {
    (0_u8..9, any::<bool>()).prop_flat_map(move |(kind, per_slot)| {
        let per_slot = per_slot && kind != 8;
        let tables = (
            allowances(per_slot, true, 0),
            allowances(per_slot, false, 0),
            allowances(per_slot, true, 1),
            allowance(per_slot, false),
            rates(),
            rate_changes(),
        );
        let plain = (
            when(),
            1_u8..=14,
            base(at, per_slot, kind == 5),
            rounding(),
            any::<bool>(),
            proptest::option::of(0_usize..4),
        );
        (tables, plain).prop_map(move |(tables, plain)| build(at, kind, per_slot, tables, plain))
    })
}

type Tables = (
    Vec<AllowanceSource>,
    Vec<AllowanceSource>,
    Vec<AllowanceSource>,
    AllowanceSource,
    Vec<RateRow>,
    Vec<RateChange>,
);
type Plain = (Option<ConditionSource>, u8, BaseSource, RoundingSource, bool, Option<usize>);

fn build(at: usize, kind: u8, per_slot: bool, tables: Tables, plain: Plain) -> StepSource {
    let (caps, deductibles, limits, mut amount, rates, rate_changes) = tables;
    let (when, payer, base, rounding, flag, position) = plain;
    let mut step = StepSource {
        id: format!("s{at}"),
        words: [("en".to_owned(), "words".to_owned())].into(),
        source: SourceText::plain("random"),
        when,
        base: Some(base),
        per_slot,
        rounding: Some(rounding),
        ..StepSource::default()
    };
    if amount.counts.as_deref() == Some("family") {
        amount.counts = None;
    }
    match kind {
        0..=2 => {
            step.kind = "benefit".into();
            step.base_caps = limits;
            step.deductibles = deductibles;
            step.rates = rates;
            step.reading = Some(if flag { Reading::Absolute } else { Reading::OnExcess });
            step.position = position.map(|at| MONEY[at].to_owned());
            step.rate_changes = rate_changes;
        }
        3 => (step.kind, step.amount) = ("fixed".into(), Some(amount)),
        4 => (step.kind, step.amount) = ("copay".into(), Some(amount)),
        5 => {
            (step.kind, step.limits) = ("limit".into(), limits);
            step.charged_counts = flag.then(|| "month".into());
            step.reached_counts = flag.then(|| "reached".into());
        }
        6 => step.kind = "personal_account".into(),
        7 => step.kind = "family_account".into(),
        _ if flag => {
            step.kind = "count".into();
            (step.what, step.into, step.base) = (Some("visit".into()), Some("visits".into()), None);
        }
        _ => (step.kind, step.into) = ("count".into(), Some("year".into())),
    }
    if kind <= 5 {
        step.payer = Payer::from_number(payer);
    }
    if kind < 8 {
        step.caps = caps;
    }
    step
}

fn accumulators() -> Vec<AccumulatorSource> {
    let one = |number: u16, id: &str, period, counts| AccumulatorSource {
        id: id.into(),
        number,
        scope: if id == "family" {
            benefit::AccumulatorScope::Family
        } else {
            benefit::AccumulatorScope::Person
        },
        period,
        per_slot: id == "slot",
        counts,
        title: [].into(),
    };
    vec![
        one(1, "visit", PeriodSource::Visit, Counts::Money),
        one(2, "month", PeriodSource::Month, Counts::Money),
        one(3, "year", PeriodSource::Year, Counts::Money),
        one(4, "lifetime", PeriodSource::Lifetime, Counts::Money),
        one(5, "family", PeriodSource::Year, Counts::Money),
        one(6, "slot", PeriodSource::Year, Counts::Money),
        one(7, "visits", PeriodSource::Year, Counts::Visits),
        one(8, "reached", PeriodSource::Month, Counts::Times),
    ]
}

fn groups() -> Vec<GroupSource> {
    let group = |id: &str| GroupSource {
        id: id.into(),
        categories: Vec::new(),
        classes: Vec::new(),
        programmes: Vec::new(),
        slot_groups: Vec::new(),
        with_slot: None,
        per_slot: false,
    };
    vec![
        GroupSource { with_slot: Some(true), per_slot: true, ..group("slots") },
        GroupSource { programmes: vec!["second".into()], ..group("programme") },
    ]
}

/// A random plan of one to seven steps, valid in 2026 and 2027.
pub fn plan() -> impl Strategy<Value = Plan> {
    (1_usize..8)
        .prop_flat_map(|len| (0..len).map(|at| step(at).boxed()).collect::<Vec<_>>())
        .prop_map(|step| {
            let numbers = |names: &[(&str, u8)]| {
                names.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
            };
            let source = PlanSource {
                plan: PlanHead {
                    id: "random".into(),
                    name: [("en".to_owned(), "random".to_owned())].into(),
                    region: RegionId(999_900),
                    scheme: SchemeId(310),
                    currency: Currency::CNY,
                    valid: Period { from: CivilDate::from_ymd(2026, 1, 1).unwrap(), to: None },
                    year_starts: "01-01".into(),
                    split_stay: SplitStay::Month,
                    visit_types: vec![VisitType::Outpatient, VisitType::Inpatient],
                    rounding: RoundingSource::default(),
                    catalogue: None,
                    payers: [].into(),
                    income_classes: numbers(&[]),
                    slot_groups: numbers(&[("one", 1), ("two", 2), ("three", 3)]),
                    diagnosis_groups: numbers(&[]),
                    programmes: numbers(&[("first", 1), ("second", 2)]),
                },
                accumulator: accumulators(),
                group: groups(),
                step,
                example: Vec::new(),
            };
            compile(&source, Hash::default()).unwrap_or_else(|error| panic!("{error}"))
        })
}
