//! Random histories: a person's visits in a row, with facts, bills and running amounts before them.

use super::{
    random::Random,
    scheme::{DIAGNOSES, Scheme},
};
use benefit::{
    AccumulatorKey, AccumulatorPeriod, AgeBand, Bill, CategorySums, Facts, FamilyGrant, LineItem,
    SlotFact, SumKey, SumRow, VisitFacts,
    decimal::{Quantity, UnitPrice},
    source::{Counts, PeriodSource},
    word::{
        Category, Filing, HospitalLevel, IncomeClass, ItemClass, Network, PersonClass, Place, Sex,
        VisitType,
    },
};
use primitives::{Amount, CivilDate, Rounding, SlotId};
use serde_json::{Value, json};

/// A person's visits, one after the other.
#[derive(Clone)]
pub struct History {
    pub start: Vec<(AccumulatorKey, u64)>,
    pub visits: Vec<Visit>,
}

/// A visit: facts and a bill, as rows or as lines.
#[derive(Clone)]
pub struct Visit {
    pub facts: Facts,
    pub charges: Charges,
    pub diagnosis_groups: Vec<String>,
}

#[derive(Clone)]
pub enum Charges {
    Rows(Vec<SumRow>),
    Lines(Bill),
}

impl Visit {
    /// What the catalogue's conditions may ask; further groups of diagnoses stand in the bill.
    pub fn visit_facts(&self) -> VisitFacts {
        VisitFacts {
            visit_type: self.facts.visit_type,
            hospital_level: self.facts.hospital_level,
            diagnosis_groups: self.diagnosis_groups.iter().take(1).cloned().collect(),
            age: self.facts.age,
            sex: self.facts.sex,
        }
    }

    fn request(&self) -> Value {
        let mut visit = json!({
            "facts": serde_json::to_value(&self.facts).unwrap(),
            "diagnosis_groups": self.diagnosis_groups,
        });
        let (field, charges) = match &self.charges {
            Charges::Rows(rows) => {
                let sums = CategorySums::new(rows.clone()).unwrap();
                ("rows", serde_json::to_value(sums).unwrap())
            }
            // The oracle knows the groups as facts of the visit alone.
            Charges::Lines(bill) => {
                let bill = Bill { diagnosis_groups: Vec::new(), ..bill.clone() };
                ("bill", serde_json::to_value(bill).unwrap())
            }
        };
        visit[field] = charges;
        visit
    }
}

impl History {
    /// The question for the oracle.
    pub fn request(&self, scheme: &Scheme) -> Value {
        let plans: Vec<String> = (0..scheme.plans.len()).map(|at| at.to_string()).collect();
        let start: Vec<Value> = self
            .start
            .iter()
            .map(|(key, value)| json!([key_text(key), value.to_string()]))
            .collect();
        let visits: Vec<Value> = self.visits.iter().map(Visit::request).collect();
        json!({ "plans": plans, "catalogue": "catalogue", "accumulators": start, "visits": visits })
    }

    /// A random history under a scheme.
    pub fn random(scheme: &Scheme, random: &mut Random) -> Self {
        let person = Person::random(scheme, random);
        let visits: Vec<Visit> =
            (0..random.between(1, 7)).map(|_| person.visit(scheme, random)).collect();
        let start = if random.chance(50) { start(scheme, &person, random) } else { Vec::new() };
        Self { start, visits }
    }
}

/// A key as the oracle writes it.
pub fn key_text(key: &AccumulatorKey) -> Value {
    let scope = serde_json::to_value(key.scope).unwrap();
    json!([scope, key.number, key.period.to_string(), key.slot.0])
}

/// What stays the same from visit to visit.
struct Person {
    age: AgeBand,
    sex: Sex,
    classes: Vec<PersonClass>,
    income_class: IncomeClass,
    years: (u8, u8),
    diagnosis_group: u8,
    slots: Vec<SlotFact>,
    in_family: bool,
    /// The visit types that the plans have, and how often another one is tried.
    visit_types: Vec<VisitType>,
    programmes: Vec<u8>,
    first: CivilDate,
    days: u64,
}

fn number(values: Vec<u8>, random: &mut Random) -> u8 {
    if values.is_empty() || random.chance(40) { 0 } else { *random.pick(&values) }
}

fn small(random: &mut Random, bound: u64) -> u8 {
    u8::try_from(random.below(bound)).unwrap()
}

impl Person {
    fn random(scheme: &Scheme, random: &mut Random) -> Self {
        let head = &scheme.plans[random.place(scheme.plans.len())].source.plan;
        let groups: Vec<u8> = head.slot_groups.values().copied().collect();
        let mut slots = Vec::new();
        // Now and then more slots than there may be lanes.
        let count = if random.chance(6) { 16 } else { small(random, 4) };
        for slot in 1..=count {
            let group = if groups.is_empty() { 1 } else { *random.pick(&groups) };
            let amount = random.chance(50).then(|| random.amount(scheme.currency()));
            slots.push(SlotFact { slot: SlotId(slot * 3), group, amount });
        }
        let (first, days) = days_of(scheme, random);
        let income = number(head.income_classes.values().copied().collect(), random);
        Self {
            age: age(random),
            sex: *random.pick(Sex::ALL),
            classes: random.some(PersonClass::ALL, 0, 5),
            income_class: IncomeClass::from_number(income).unwrap(),
            years: (small(random, 12), small(random, 6)),
            diagnosis_group: number(head.diagnosis_groups.values().copied().collect(), random),
            slots,
            in_family: random.chance(40),
            visit_types: head.visit_types.clone(),
            programmes: head.programmes.values().copied().collect(),
            first,
            days,
        }
    }

    fn visit(&self, scheme: &Scheme, random: &mut Random) -> Visit {
        let days = self.service_days(random);
        let mut charges = if random.chance(35) {
            Charges::Lines(self.bill(scheme, &days, random))
        } else {
            Charges::Rows(self.rows(scheme, &days, random))
        };
        let diagnoses = random.some(&DIAGNOSES, 0, 2);
        let diagnosis_groups: Vec<String> = diagnoses.into_iter().map(String::from).collect();
        if let Charges::Lines(bill) = &mut charges {
            bill.diagnosis_groups = diagnosis_groups.iter().skip(1).cloned().collect();
        }
        Visit { facts: self.facts(scheme, random), charges, diagnosis_groups }
    }

    fn facts(&self, scheme: &Scheme, random: &mut Random) -> Facts {
        let currency = scheme.currency();
        let types = if random.chance(3) { VisitType::ALL } else { &self.visit_types[..] };
        let mut facts = Facts::new(*random.pick(types), *random.pick(HospitalLevel::ALL));
        if random.chance(60) {
            facts.place = *random.pick(Place::ALL);
            facts.filing = *random.pick(Filing::ALL);
        }
        facts.network = *random.pick(Network::ALL);
        facts.age = self.age;
        facts.sex = self.sex;
        facts.person_classes = self.classes.iter().copied().collect();
        facts.income_class = self.income_class;
        (facts.unbroken_years, facts.claim_free_years) = self.years;
        facts.diagnosis_group = self.diagnosis_group;
        facts.slots.clone_from(&self.slots);
        facts.month_of_75 = random.chance(15);
        facts.in_family = self.in_family != random.chance(5);
        facts.days = u16::try_from(random.between(1, 20)).unwrap();
        facts.use_personal_account = random.chance(60);
        facts.personal_account = random.amount(currency);
        for grant in 0..random.below(4) {
            let grant = u32::try_from(grant * 11).unwrap();
            facts.family_accounts.push(FamilyGrant { grant, available: random.amount(currency) });
        }
        facts
    }

    /// The days on which something is done: one, some in a row, or some over a boundary.
    fn service_days(&self, random: &mut Random) -> Vec<CivilDate> {
        let mut first = random.day(self.first, self.days);
        if random.chance(20) {
            // Just before the end of a month; in December this is also the end of a year.
            let month = if random.chance(40) { 12 } else { first.month() };
            let near = CivilDate::from_ymd(first.year(), month, 26).unwrap();
            first = random.day(near, 5);
        }
        if random.chance(2) {
            first = first.plus_days(-2_000).unwrap();
        }
        let span = match random.below(10) {
            0..=2 => 1,
            3..=6 => 8,
            7 | 8 => 40,
            _ => 200,
        };
        let count = if span == 1 { 1 } else { random.between(1, 4) };
        (0..count).map(|_| random.day(first, span)).collect()
    }

    fn slot(&self, random: &mut Random) -> SlotId {
        if random.below(500) == 0 {
            return SlotId(2);
        }
        if self.slots.is_empty() || random.chance(40) {
            return SlotId(0);
        }
        random.pick(&self.slots).slot
    }

    fn programme(&self, random: &mut Random) -> u8 {
        if random.below(500) == 0 {
            return 30;
        }
        if self.programmes.is_empty() || random.chance(60) {
            0
        } else {
            *random.pick(&self.programmes)
        }
    }

    fn rows(&self, scheme: &Scheme, days: &[CivilDate], random: &mut Random) -> Vec<SumRow> {
        let currency = scheme.currency();
        let count = match random.below(100) {
            0 => 0,
            1..=5 => 100,
            _ => random.between(1, 6),
        };
        let row = |random: &mut Random| SumRow {
            key: SumKey {
                service_date: *random.pick(days),
                category: *random.pick(Category::ALL),
                class: *random.pick(ItemClass::ALL),
                programme: self.programme(random),
                slot: self.slot(random),
            },
            self_paid: if random.chance(30) { random.amount(currency) } else { Amount::ZERO },
            over_cap: if random.chance(30) { random.amount(currency) } else { Amount::ZERO },
            class_b_share: if random.chance(40) { random.amount(currency) } else { Amount::ZERO },
            in_policy: if random.chance(90) { random.amount(currency) } else { Amount::ZERO },
        };
        (0..count).map(|_| row(random)).collect()
    }

    fn bill(&self, scheme: &Scheme, days: &[CivilDate], random: &mut Random) -> Bill {
        let currency = scheme.currency();
        let items = &scheme.catalogue.source.item;
        let mut lines = Vec::new();
        for number in 0..random.between(1, 7) {
            let known = !items.is_empty() && random.chance(90);
            let code =
                if known { random.pick(items).code.clone() } else { String::from("unknown") };
            let quantity = match random.below(4) {
                0 => Quantity::from_units(random.between(1, 200_000)),
                _ => Quantity::from_units(random.between(1, 9) * 10_000),
            };
            let unit_price = random.chance(70).then(|| UnitPrice::from_units(price(random)));
            let amount = match unit_price {
                Some(price) => {
                    let exact = price.times(quantity, currency, Rounding::HalfUp).unwrap().minor();
                    let off = if random.chance(1) { 2 } else { random.below(2) };
                    let less = random.chance(50) && exact >= off;
                    Amount::from_minor(if less { exact - off } else { exact + off })
                }
                None => random.amount(currency),
            };
            lines.push(LineItem {
                line_no: u32::try_from(number).unwrap(),
                item_code: code,
                name: String::new(),
                service_date: *random.pick(days),
                quantity,
                unit_price,
                amount,
                category: random.chance(50).then(|| *random.pick(Category::ALL)),
                programme: self.programme(random),
                slot: self.slot(random),
            });
        }
        Bill { currency, lines, diagnosis_groups: Vec::new() }
    }
}

/// The price of one in millionths, from nothing to 2,000.
fn price(random: &mut Random) -> u64 {
    match random.below(3) {
        0 => random.below(2_000) * 1_000_000,
        1 => random.below(200_000) * 10_000,
        _ => random.below(2_000_000_000),
    }
}

fn age(random: &mut Random) -> AgeBand {
    let from = small(random, 100);
    match random.below(20) {
        0 => AgeBand::ANY,
        1 => AgeBand::new(from, from + 10).unwrap(),
        2..=5 => AgeBand::new(from / 10 * 10, from / 10 * 10 + 10).unwrap(),
        _ => AgeBand::exactly(from),
    }
}

/// The first day on which one of the plans holds, and how many days follow.
fn days_of(scheme: &Scheme, random: &mut Random) -> (CivilDate, u64) {
    let valid = scheme.plans[random.place(scheme.plans.len())].plan.valid();
    let last = valid.to.unwrap_or_else(|| valid.from.plus_days(800).unwrap());
    let days = u64::try_from(last.days() - valid.from.days() + 1).unwrap();
    if random.chance(50) {
        // The visits of a person lie close together, so that periods are shared.
        return (random.day(valid.from, days), 60);
    }
    (valid.from, days)
}

/// Running amounts before the first visit, around its day.
fn start(scheme: &Scheme, person: &Person, random: &mut Random) -> Vec<(AccumulatorKey, u64)> {
    let day = person.first;
    let mut start = Vec::new();
    for plan in &scheme.plans {
        for one in &plan.source.accumulator {
            if !random.chance(40) {
                continue;
            }
            let day = day.plus_days(i32::try_from(random.below(90)).unwrap() - 45).unwrap();
            let period = match one.period {
                PeriodSource::Visit => continue,
                PeriodSource::Day => AccumulatorPeriod::day(day),
                PeriodSource::Month => AccumulatorPeriod::month(day.year(), day.month()),
                PeriodSource::Year => AccumulatorPeriod::year(day.year()),
                PeriodSource::Lifetime => AccumulatorPeriod::LIFETIME,
            };
            let slot = match (one.per_slot, person.slots.is_empty()) {
                (true, true) => continue,
                (true, false) => random.pick(&person.slots).slot,
                (false, _) => SlotId(0),
            };
            let value = match one.counts {
                Counts::Visits | Counts::Times => random.between(1, 3),
                Counts::Money => random.minor(scheme.currency()).max(1),
            };
            let key = AccumulatorKey { scope: one.scope, number: one.number, period, slot };
            start.retain(|(other, _)| *other != key);
            start.push((key, value));
        }
    }
    start
}
