//! A year of visits in realistic proportions: who went where, for what, and what was on the bill.
//!
//! Proportions follow the order of magnitude of the national bulletin: some six visits and
//! purchases a year for the employed and three for residents, a stay for every sixth to seventh
//! person and for every third one above sixty, filed chronic diseases, births. Cheap items are
//! common and dear ones rare, so that a year's money goes where it goes in a region: most of it
//! into stays. They are a demonstration, not statistics; tests hold means and shares within bands.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use benefit::bill::LineItem;
use benefit::decimal::Quantity;
use benefit::source::{CatalogueSource, LimitedUseSource};
use benefit::{Bill, Category, HospitalLevel, ItemClass, Sex, VisitType};
use fastrand::Rng;
use primitives::{Amount, CivilDate, Currency, SlotId, VisitId};

use serde::Deserialize;

use super::population::{EMPLOYEE, Population, Resident};

/// An item that bills may hold, with its usual price at a tertiary hospital in fen.
#[derive(Clone, Debug)]
pub struct PricedItem {
    /// The catalogue code.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Its category.
    pub category: Category,
    /// Its class: class C is chosen seldom, as doctors do.
    pub class: ItemClass,
    /// The usual price in fen.
    pub price: u64,
    /// The ways of use that are covered; doctors order it for no other.
    pub limited_use: Vec<LimitedUseSource>,
}

impl PricedItem {
    fn suits(&self, visit_type: VisitType, age: u8, sex: Sex) -> bool {
        let holds = |way: &LimitedUseSource| {
            (way.visit_types.is_empty() || way.visit_types.contains(&visit_type))
                && (way.sexes.is_empty() || way.sexes.contains(&sex))
                && way.age_from.is_none_or(|from| from <= age)
                && way.age_below.is_none_or(|below| age < below)
                && way.diagnosis_groups.is_empty()
        };
        self.limited_use.is_empty() || self.limited_use.iter().any(holds)
    }
}

/// The items of a catalogue with the usual prices of a price list.
///
/// # Errors
/// A price list that is none, or an item without a price.
pub fn priced(catalogue: &CatalogueSource, price_list: &str) -> Result<Vec<PricedItem>> {
    let list: PriceList = toml::from_str(price_list).context("samples/price-list.toml")?;
    let prices: BTreeMap<&str, &str> =
        list.item.iter().map(|one| (one.code.as_str(), one.price.as_str())).collect();
    catalogue
        .item
        .iter()
        .map(|item| {
            let price = prices.get(item.code.as_str());
            let price = price.with_context(|| format!("item `{}` has no price", item.code))?;
            let amount = Amount::from_decimal(price, Currency::CNY)
                .with_context(|| format!("price of item `{}`", item.code))?;
            Ok(PricedItem {
                code: item.code.clone(),
                name: item.name.clone(),
                category: item.category,
                class: item.class,
                price: amount.minor(),
                limited_use: item.limited_use.clone(),
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct PriceList {
    item: Vec<Price>,
}

#[derive(Deserialize)]
struct Price {
    code: String,
    price: String,
}

/// A visit that is going to happen.
#[derive(Clone, Debug)]
pub struct PlannedVisit {
    /// The random id on the ledger.
    pub visit: VisitId,
    /// Whose, as a place in the population.
    pub person: usize,
    /// Where, as a place among the providers.
    pub provider: usize,
    /// The kind of care.
    pub visit_type: VisitType,
    /// The day, or the day of admission.
    pub admitted: CivilDate,
    /// What was charged.
    pub bill: Bill,
    /// Whether the person wants the personal account used.
    pub use_personal_account: bool,
    /// Whether a line is given back afterwards.
    pub refund: bool,
}

/// All visits of the year that have ended by `today`, by day.
///
/// A person's year is drawn whole and by itself, so that the same seed gives the same visits on
/// whatever day it is asked, the later ones of them later.
#[must_use]
pub fn visits(
    population: &Population,
    items: &[PricedItem],
    seed: u64,
    today: CivilDate,
) -> Vec<PlannedVisit> {
    let mut people = Rng::with_seed(seed ^ 0x7969_6261_6f00);
    let mut visits = Vec::new();
    let first = CivilDate::from_ymd(today.year(), 1, 1).unwrap_or(today);
    for (place, person) in population.people.iter().enumerate() {
        let mut rng = people.fork();
        let age = person.age_on(first);
        for (visit_type, yearly_percent) in habits(person, age) {
            let mut count = yearly_percent / 100;
            count += u32::from(rng.u32(0..100) < yearly_percent % 100);
            for _ in 0..count {
                let admitted = first.plus_days(rng.i32(0..365)).unwrap_or(first);
                let visit = visit(&mut rng, population, items, (place, age), visit_type, admitted);
                visits.push(visit);
            }
        }
    }
    visits.retain(|visit| visit.bill.lines.iter().all(|line| line.service_date <= today));
    visits.sort_by_key(|visit| (visit.admitted, visit.visit));
    visits
}

/// How often, in percent of once a year.
fn habits(person: &Resident, age: u8) -> Vec<(VisitType, u32)> {
    let old = u32::from(age >= 60);
    let employee = person.scheme == EMPLOYEE;
    let mut habits = vec![
        (VisitType::Outpatient, if employee { 340 } else { 220 } + 180 * old),
        (VisitType::Emergency, 22),
        (VisitType::Inpatient, 12 + 20 * old),
    ];
    if employee {
        habits.push((VisitType::Pharmacy, 260 + 120 * old));
    }
    if !person.chronic_groups.is_empty() {
        habits.push((VisitType::ChronicSpecial, 600));
    }
    if person.sex == Sex::Female && (22..40).contains(&age) {
        habits.push((VisitType::MaternityInpatient, 5));
        habits.push((VisitType::MaternityOutpatient, 18));
    }
    habits
}

fn visit(
    rng: &mut Rng,
    population: &Population,
    items: &[PricedItem],
    (place, age): (usize, u8),
    visit_type: VisitType,
    admitted: CivilDate,
) -> PlannedVisit {
    let person = &population.people[place];
    let level = level_for(rng, visit_type);
    let candidates: Vec<usize> = (0..population.providers.len())
        .filter(|at| population.providers[*at].level == level)
        .collect();
    let provider = candidates[rng.usize(0..candidates.len())];
    let stay = matches!(visit_type, VisitType::Inpatient | VisitType::MaternityInpatient);
    let nights = if stay { rng.i32(2..14) } else { 0 };
    let last = admitted.plus_days(nights).unwrap_or(admitted);
    let slot = match visit_type {
        VisitType::ChronicSpecial => {
            SlotId(1 + rng.u8(0..u8::try_from(person.chronic_groups.len()).unwrap_or(1)))
        }
        _ => SlotId(0),
    };
    let suits = |item: &&PricedItem| item.suits(visit_type, age, person.sex);
    let suiting: Vec<&PricedItem> = items.iter().filter(suits).collect();
    let lines = lines(rng, &suiting, (visit_type, level, slot), (admitted, last));
    PlannedVisit {
        visit: VisitId(rng.u128(..).to_le_bytes()),
        person: place,
        provider,
        visit_type,
        admitted,
        bill: Bill { currency: Currency::CNY, lines, diagnosis_groups: Vec::new() },
        use_personal_account: person.scheme == EMPLOYEE && rng.u8(0..100) < 85,
        refund: rng.u16(0..1_000) < 8,
    }
}

/// Where people go: most to the first or second level, for a stay higher up.
fn level_for(rng: &mut Rng, visit_type: VisitType) -> HospitalLevel {
    use HospitalLevel::{Community, Pharmacy, Primary, Secondary, Tertiary, TertiaryA};
    let table: &[(HospitalLevel, u8)] = match visit_type {
        VisitType::Pharmacy => &[(Pharmacy, 100)],
        VisitType::Inpatient | VisitType::MaternityInpatient => {
            &[(TertiaryA, 34), (Tertiary, 16), (Secondary, 34), (Primary, 16)]
        }
        VisitType::Emergency => &[(TertiaryA, 45), (Tertiary, 25), (Secondary, 30)],
        VisitType::ChronicSpecial => &[(TertiaryA, 30), (Secondary, 40), (Community, 30)],
        _ => &[(TertiaryA, 26), (Tertiary, 12), (Secondary, 24), (Primary, 18), (Community, 20)],
    };
    let mut at = rng.u8(0..100);
    for (level, weight) in table {
        if at < *weight {
            return *level;
        }
        at -= weight;
    }
    table[0].0
}

/// How an item is chosen among those of its category.
#[derive(Clone, Copy)]
enum Pick {
    /// By the inverse of its price: what most people get is cheap.
    Everyday,
    /// By the inverse of the price's square root: in hospital dear items are not rare.
    Hospital,
    /// Any item alike: an operation is not chosen by its price.
    Any,
}

/// Lines of one category on a bill.
struct Part {
    category: Category,
    /// In percent, how often there are any.
    chance: u32,
    /// At least and at most how many lines.
    lines: (u32, u32),
    /// The most units of a line.
    units: u64,
    pick: Pick,
}

const fn part(category: Category, chance: u32, lines: (u32, u32), units: u64, pick: Pick) -> Part {
    Part { category, chance, lines, units, pick }
}

/// What is on the bill of a visit of this kind with so many nights.
fn parts(visit_type: VisitType, nights: u32) -> Vec<Part> {
    use Category::{
        Anaesthesia, Bed, Blood, ChinesePatentMedicine, Consultation, Examination, HerbalMedicine,
        Imaging, Laboratory, Material, MaternityCare, NewbornCare, Nursing, Prosthesis, Surgery,
        Treatment, WesternMedicine,
    };
    use Pick::{Any, Everyday, Hospital};
    match visit_type {
        VisitType::Pharmacy => vec![
            part(WesternMedicine, 100, (1, 3), 5, Everyday),
            part(ChinesePatentMedicine, 45, (1, 2), 4, Everyday),
            part(HerbalMedicine, 10, (2, 5), 10, Everyday),
        ],
        VisitType::ChronicSpecial => vec![
            part(WesternMedicine, 100, (2, 4), 6, Everyday),
            part(Laboratory, 40, (1, 2), 1, Everyday),
            part(Consultation, 60, (1, 1), 1, Everyday),
        ],
        VisitType::MaternityOutpatient => vec![
            part(MaternityCare, 100, (1, 2), 1, Everyday),
            part(Laboratory, 60, (1, 3), 1, Everyday),
            part(Imaging, 40, (1, 1), 1, Everyday),
        ],
        VisitType::MaternityInpatient => vec![
            part(MaternityCare, 100, (1, 3), 1, Any),
            part(NewbornCare, 90, (1, 3), 3, Any),
            part(Bed, 100, (nights, nights), 1, Everyday),
            part(Nursing, 100, (nights, nights), 1, Everyday),
            part(WesternMedicine, 90, (nights, nights * 2), 2, Everyday),
            part(Laboratory, 90, (2, 5), 1, Everyday),
        ],
        VisitType::Inpatient => vec![
            part(Bed, 100, (nights, nights), 1, Everyday),
            part(Nursing, 100, (nights, nights), 1, Everyday),
            part(Consultation, 100, (1, nights), 1, Everyday),
            part(WesternMedicine, 100, (nights * 4, nights * 6), 6, Hospital),
            part(ChinesePatentMedicine, 40, (1, 4), 2, Everyday),
            part(Laboratory, 100, (5, 12), 1, Hospital),
            part(Imaging, 95, (2, 4), 1, Hospital),
            part(Examination, 75, (1, 3), 1, Hospital),
            part(Treatment, 100, (nights, nights * 3), 4, Everyday),
            part(Material, 70, (1, 3), 1, Hospital),
            part(Surgery, 50, (1, 1), 1, Any),
            part(Anaesthesia, 50, (1, 2), 1, Any),
            part(Prosthesis, 8, (1, 1), 1, Any),
            part(Blood, 10, (1, 3), 2, Any),
        ],
        VisitType::Emergency => vec![
            part(Consultation, 100, (1, 1), 1, Everyday),
            part(WesternMedicine, 90, (1, 4), 3, Everyday),
            part(Laboratory, 90, (2, 5), 1, Everyday),
            part(Imaging, 60, (1, 1), 1, Everyday),
            part(Examination, 30, (1, 1), 1, Everyday),
            part(Treatment, 80, (1, 4), 3, Everyday),
        ],
        _ => vec![
            part(Consultation, 100, (1, 1), 1, Everyday),
            part(WesternMedicine, 85, (1, 3), 4, Everyday),
            part(ChinesePatentMedicine, 30, (1, 2), 3, Everyday),
            part(Laboratory, 70, (1, 4), 1, Everyday),
            part(Examination, 40, (1, 1), 1, Everyday),
            part(Imaging, 32, (1, 1), 1, Everyday),
            part(Treatment, 15, (1, 2), 2, Everyday),
        ],
    }
}

/// How much likelier an item of class A or B is than one of class C of the same price: doctors
/// order seldom what nobody pays for.
const CLASS_C_DIVISOR: u64 = 40;

fn weight(item: &PricedItem, pick: Pick) -> u64 {
    const SCALE: u64 = 1 << 32;
    let price = item.price.max(1);
    let weight = match pick {
        Pick::Everyday => SCALE / price,
        Pick::Hospital => SCALE / price.isqrt(),
        Pick::Any => SCALE / 100,
    };
    if item.class == ItemClass::C { weight / CLASS_C_DIVISOR } else { weight }
}

fn choose<'a>(rng: &mut Rng, items: &[&'a PricedItem], pick: Pick) -> Option<&'a PricedItem> {
    let total: u64 = items.iter().map(|item| weight(item, pick)).sum();
    let mut at = rng.u64(0..total.max(1));
    for item in items {
        let weight = weight(item, pick);
        if at < weight {
            return Some(item);
        }
        at -= weight;
    }
    None
}

fn lines(
    rng: &mut Rng,
    items: &[&PricedItem],
    (visit_type, level, slot): (VisitType, HospitalLevel, SlotId),
    (from, to): (CivilDate, CivilDate),
) -> Vec<LineItem> {
    let span = to.days().saturating_sub(from.days());
    // In percent of the usual price, which is about the cap.
    let dear = match level {
        HospitalLevel::TertiaryA => 98,
        HospitalLevel::Tertiary => 96,
        HospitalLevel::Secondary => 84,
        _ => 72,
    };
    let mut lines = Vec::new();
    for part in parts(visit_type, u32::try_from(span).unwrap_or(0).max(1)) {
        let fitting: Vec<&PricedItem> =
            items.iter().copied().filter(|item| item.category == part.category).collect();
        let count =
            if rng.u32(0..100) < part.chance { rng.u32(part.lines.0..=part.lines.1) } else { 0 };
        for _ in 0..count {
            let Some(item) = choose(rng, &fitting, part.pick) else { continue };
            let quantity = rng.u64(1..=part.units);
            let price = item.price * dear / 100 * rng.u64(88..=102) / 100;
            lines.push(LineItem {
                line_no: u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1),
                item_code: item.code.clone(),
                name: item.name.clone(),
                service_date: from.plus_days(rng.i32(0..=span)).unwrap_or(from),
                quantity: Quantity::from_units(quantity * Quantity::UNIT),
                unit_price: None,
                amount: Amount::from_minor(price.max(1) * quantity),
                category: Some(item.category),
                programme: 0,
                slot,
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The visits of a made-up year with the mean of what each kind charges, in fen.
    fn means() -> BTreeMap<VisitType, (u64, u64)> {
        let text = include_str!("../../../../plans/lanzhou-employee/catalogue.toml");
        let (_, source) = super::super::chamber::catalogue(text).expect("the built-in catalogue");
        let items = priced(&source, include_str!("../../../../samples/price-list.toml"));
        let today = CivilDate::from_ymd(2026, 11, 21).expect("a day");
        let population = Population::generate(3_000, 1, today);
        let mut sums = BTreeMap::new();
        for visit in visits(&population, &items.expect("prices"), 1, today) {
            assert!(
                !visit.bill.lines.is_empty(),
                "nobody comes for nothing: {:?}",
                visit.visit_type
            );
            let charged: u64 = visit.bill.lines.iter().map(|line| line.amount.minor()).sum();
            let sum: &mut (u64, u64) = sums.entry(visit.visit_type).or_default();
            *sum = (sum.0 + 1, sum.1 + charged);
        }
        sums.into_iter().map(|(kind, (count, sum))| (kind, (count, sum / count))).collect()
    }

    #[test]
    fn who_asks_later_in_the_year_sees_the_same_visits_and_some_more() {
        let text = include_str!("../../../../plans/lanzhou-employee/catalogue.toml");
        let (_, source) = super::super::chamber::catalogue(text).expect("the built-in catalogue");
        let items = priced(&source, include_str!("../../../../samples/price-list.toml"));
        let items = items.expect("prices");
        let on = |month, day| CivilDate::from_ymd(2026, month, day).expect("a day");
        let population = Population::generate(100, 3, on(12, 31));
        let of = |today| -> Vec<(VisitId, Bill)> {
            let visits = visits(&population, &items, 3, today).into_iter();
            visits.map(|visit| (visit.visit, visit.bill)).collect()
        };
        let (march, november, end) = (of(on(3, 1)), of(on(11, 30)), of(on(12, 31)));
        assert!(march.len() > 20 && march.len() < november.len() && november.len() < end.len());
        assert!(march.iter().all(|visit| november.contains(visit)));
        assert!(november.iter().all(|visit| end.contains(visit)));
    }

    #[test]
    fn bills_are_as_large_as_those_of_a_region() {
        let means = means();
        for (kind, yuan) in [
            (VisitType::Outpatient, 150..=450),
            (VisitType::Emergency, 200..=800),
            (VisitType::Pharmacy, 60..=200),
            (VisitType::ChronicSpecial, 100..=500),
            (VisitType::Inpatient, 5_000..=12_000),
        ] {
            let (count, mean) = means[&kind];
            assert!(yuan.contains(&(mean / 100)), "{kind:?}: {mean} fen, {count} visits");
        }
    }
}
