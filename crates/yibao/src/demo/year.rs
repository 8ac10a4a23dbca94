//! A year of visits in realistic proportions: who went where, for what, and what was on the bill.
//!
//! Proportions follow the order of magnitude of the national bulletin: about six outpatient visits
//! a year for the employed and four for residents, a stay for every fifth to sixth person,
//! purchases at pharmacies, filed chronic diseases, births. They are a demonstration, not
//! statistics.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use benefit::bill::LineItem;
use benefit::decimal::Quantity;
use benefit::source::CatalogueSource;
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

/// All visits of the year before `today`, by day.
#[must_use]
pub fn visits(
    population: &Population,
    items: &[PricedItem],
    seed: u64,
    today: CivilDate,
) -> Vec<PlannedVisit> {
    let mut rng = Rng::with_seed(seed ^ 0x7969_6261_6f00);
    let mut visits = Vec::new();
    let first = CivilDate::from_ymd(today.year(), 1, 1).unwrap_or(today);
    let days = today.days().saturating_sub(first.days()).max(1);
    for (place, person) in population.people.iter().enumerate() {
        let age = person.age_on(today);
        for (visit_type, yearly_percent) in habits(person, age) {
            let share = u32::try_from(days).unwrap_or(365);
            let expected = yearly_percent * share / 365;
            let mut count = expected / 100;
            count += u32::from(rng.u32(0..100) < expected % 100);
            for _ in 0..count {
                let admitted = first.plus_days(rng.i32(0..days)).unwrap_or(first);
                visits.push(visit(&mut rng, population, items, place, visit_type, admitted, today));
            }
        }
    }
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
        (VisitType::Inpatient, 9 + 20 * old),
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
    place: usize,
    visit_type: VisitType,
    admitted: CivilDate,
    today: CivilDate,
) -> PlannedVisit {
    let person = &population.people[place];
    let level = level_for(rng, visit_type);
    let candidates: Vec<usize> = (0..population.providers.len())
        .filter(|at| population.providers[*at].level == level)
        .collect();
    let provider = candidates[rng.usize(0..candidates.len())];
    let stay = matches!(visit_type, VisitType::Inpatient | VisitType::MaternityInpatient);
    let nights = if stay { rng.i32(2..14) } else { 0 };
    let last = admitted.plus_days(nights).unwrap_or(admitted).min(today);
    let slot = match visit_type {
        VisitType::ChronicSpecial => {
            SlotId(1 + rng.u8(0..u8::try_from(person.chronic_groups.len()).unwrap_or(1)))
        }
        _ => SlotId(0),
    };
    let lines = lines(rng, items, visit_type, level, admitted, last, slot);
    PlannedVisit {
        visit: VisitId(rng.u128(..).to_le_bytes()),
        person: place,
        provider,
        visit_type,
        admitted,
        bill: Bill { currency: Currency::CNY, lines },
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

fn categories(visit_type: VisitType) -> &'static [Category] {
    use Category::{
        Bed, ChinesePatentMedicine, Consultation, Examination, HerbalMedicine, Imaging, Laboratory,
        Material, MaternityCare, Nursing, Surgery, Treatment, WesternMedicine,
    };
    match visit_type {
        VisitType::Pharmacy => &[WesternMedicine, ChinesePatentMedicine, HerbalMedicine],
        VisitType::ChronicSpecial => &[WesternMedicine, Laboratory, Consultation],
        VisitType::MaternityInpatient | VisitType::MaternityOutpatient => {
            &[MaternityCare, Bed, Nursing, WesternMedicine, Laboratory]
        }
        VisitType::Inpatient => {
            &[Bed, Nursing, WesternMedicine, Laboratory, Imaging, Treatment, Surgery, Material]
        }
        _ => &[Consultation, WesternMedicine, Laboratory, Examination, ChinesePatentMedicine],
    }
}

fn lines(
    rng: &mut Rng,
    items: &[PricedItem],
    visit_type: VisitType,
    level: HospitalLevel,
    from: CivilDate,
    to: CivilDate,
    slot: SlotId,
) -> Vec<LineItem> {
    let wanted = categories(visit_type);
    let fitting: Vec<&PricedItem> =
        items.iter().filter(|item| wanted.contains(&item.category)).collect();
    let fitting = if fitting.is_empty() { items.iter().collect() } else { fitting };
    let span = to.days().saturating_sub(from.days());
    let count = 2 + rng.u32(0..4) + u32::try_from(span).unwrap_or(0) * 2;
    let dear = match level {
        HospitalLevel::TertiaryA => 110,
        HospitalLevel::Tertiary => 100,
        HospitalLevel::Secondary => 88,
        _ => 75,
    };
    (1..=count)
        .map(|line_no| {
            let mut item = fitting[rng.usize(0..fitting.len())];
            for _ in 0..3 {
                if item.class == ItemClass::C {
                    item = fitting[rng.usize(0..fitting.len())];
                }
            }
            let quantity = rng.u64(1..4);
            let price = item.price * dear / 100 * rng.u64(85..125) / 100;
            LineItem {
                line_no,
                item_code: item.code.clone(),
                name: item.name.clone(),
                service_date: from.plus_days(rng.i32(0..=span)).unwrap_or(from),
                quantity: Quantity::from_units(quantity * Quantity::UNIT),
                unit_price: None,
                amount: Amount::from_minor(price.max(1) * quantity),
                category: Some(item.category),
                programme: 0,
                slot,
            }
        })
        .collect()
}
