//! A year of bills of a made-up population, as sums, for simulating plans: the people and visits of
//! the demonstration, made in groups that have nothing to do with each other, so that any number of
//! people needs no memory.

use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use benefit::{Catalogue, Facts, Plan, SlotFact, VisitFacts, sort_lines};
use primitives::{Amount, CivilDate, SchemeId};

use super::chamber::catalogue;
use super::population::{EMPLOYEE, Population, REGION, RESIDENT, Resident};
use super::year::{PlannedVisit, PricedItem, priced, visits};
use crate::command::input::bad;
use crate::simulation::bill::PastBill;

/// How many people are made up together.
const GROUP: usize = 400;
/// For how many months' credit the personal account holds at each visit.
const MONTHS_SAVED: u64 = 3;

/// What all groups share.
struct Kit {
    catalogue: Catalogue,
    items: Vec<PricedItem>,
    scheme: SchemeId,
    last_day: CivilDate,
    seed: u64,
}

/// A year that is made group by group.
pub struct PastYear {
    kit: Arc<Kit>,
    people: usize,
    made: usize,
    threads: usize,
}

impl PastYear {
    /// The year in which the plan begins, up to its last day.
    ///
    /// # Errors
    /// When the plan is not of the made-up region.
    pub fn new(people: usize, seed: u64, plan: &Plan) -> Result<Self> {
        let scheme = plan.scheme();
        if plan.region() != REGION || ![EMPLOYEE, RESIDENT].contains(&scheme) {
            return Err(bad(format!(
                "the made-up people live in region {} and are insured in scheme {} or {}; the plan is for region {} and scheme {}; \
                 name bills with --records or --data",
                REGION.0,
                EMPLOYEE.0,
                RESIDENT.0,
                plan.region().0,
                scheme.0
            )));
        }
        let text = include_str!("../../../../plans/lanzhou-employee/catalogue.toml");
        let (catalogue, source) = catalogue(text)?;
        let items = priced(&source, include_str!("../../../../samples/price-list.toml"))?;
        let from = plan.valid().from;
        let new_year = CivilDate::from_ymd(from.year(), 12, 31).context("a year")?;
        let last_day = plan.valid().to.map_or(new_year, |to| to.min(new_year));
        let kit = Arc::new(Kit { catalogue, items, scheme, last_day, seed });
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { kit, people, made: 0, threads })
    }

    /// The next groups' bills, each group's by day; nothing when everybody has been made.
    ///
    /// # Errors
    /// When a made-up bill cannot be sorted.
    pub fn make_some(&mut self) -> Result<Vec<Vec<PastBill>>> {
        let first = self.made / GROUP;
        let mut sizes = Vec::new();
        while sizes.len() < self.threads && self.made < self.people {
            let size = GROUP.min(self.people - self.made);
            sizes.push(size);
            self.made += size;
        }
        let kit = &self.kit;
        thread::scope(|scope| {
            let groups = (first..).zip(sizes);
            let making: Vec<_> =
                groups.map(|(group, size)| scope.spawn(move || kit.group(group, size))).collect();
            let joined = making.into_iter().map(|one| {
                one.join().map_err(|_| anyhow!("a thread that makes up bills ended early"))?
            });
            joined.collect()
        })
    }
}

impl Kit {
    /// The bills of a group. Groups have seeds of their own, so that they can be made in any order.
    fn group(&self, group: usize, size: usize) -> Result<Vec<PastBill>> {
        let number = u64::try_from(group).unwrap_or(u64::MAX);
        let seed = self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut population = Population::generate(size, seed, self.last_day);
        population.people.retain(|one| one.scheme == self.scheme);
        let visits = visits(&population, &self.items, seed, self.last_day);
        visits.into_iter().map(|visit| self.bill(&population, &visit)).collect()
    }

    fn bill(&self, population: &Population, visit: &PlannedVisit) -> Result<PastBill> {
        let person = &population.people[visit.person];
        let level = population.providers[visit.provider].level;
        let age = person.band_on(self.last_day);
        let sorting = VisitFacts {
            visit_type: visit.visit_type,
            hospital_level: level,
            diagnosis_groups: Vec::new(),
            age,
            sex: person.sex,
        };
        let sums = sort_lines(&self.catalogue, &visit.bill, &sorting)
            .map_err(|error| anyhow!("a made-up bill: {error}"))?
            .sums;
        let mut facts = Facts::new(visit.visit_type, level);
        facts.age = age;
        facts.sex = person.sex;
        facts.person_classes = person.classes;
        facts.unbroken_years = person.unbroken_years;
        facts.days = sums.span().map_or(1, |(from, to)| {
            u16::try_from(to.days() - from.days()).unwrap_or(0).saturating_add(1)
        });
        facts.slots = slots(person, &sums);
        facts.use_personal_account = visit.use_personal_account;
        facts.personal_account = Amount::from_minor(person.account_month * MONTHS_SAVED);
        Ok(PastBill { person: person.id, family: None, facts, sums })
    }
}

/// The slots that the bill names.
fn slots(person: &Resident, sums: &benefit::CategorySums) -> Vec<SlotFact> {
    let mut slots: Vec<SlotFact> = Vec::new();
    for row in sums.rows() {
        let slot = row.key.slot;
        let group = usize::from(slot.0).checked_sub(1).and_then(|at| person.chronic_groups.get(at));
        if let Some(group) = group
            && slots.iter().all(|known| known.slot != slot)
        {
            slots.push(SlotFact { slot, group: *group, amount: None });
        }
    }
    slots
}
