//! What somebody who executes the ledger can infer from its pseudonymous rows (SECURITY.md).
//!
//! The attacker of this measurement reads every transaction, as each validator does, and knows
//! something of one person from elsewhere: that a neighbour was in a certain hospital on a certain
//! day, what it cost, how old the neighbour is. The question is how many people of the ledger fit:
//! where it is one, the attacker has found the person's id and with it all other visits. Nothing
//! is guessed and no name is used; the figures are counts over the ledger itself.
//!
//! Reading order: this file (the questions), [`rows`] (what is read from the blocks), [`crowd`]
//! (counting who fits).

pub mod crowd;
pub mod rows;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::figures::{Bar, Figures};
use crate::process;
use crowd::{Crowds, SMALL};
use rows::{PersonRow, Rows, VisitRow};

/// Measures what a validator can infer from the ledger of a data folder.
#[derive(Parser)]
pub struct Options {
    /// The data folder, as `yibao demo --data DIR` makes one.
    data: PathBuf,
    /// Chooses which of a person's visits the attacker knows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the report goes.
    #[arg(long, default_value = "target/bench/inference.json")]
    report: PathBuf,
}

/// How many sets of known visits are tried for each person.
const TRIES_PER_PERSON: usize = 10;

/// Takes the figures.
///
/// # Errors
/// When the folder holds no ledger that can be read, or nobody in it had a visit.
pub fn run(options: &Options) -> Result<()> {
    let rows = Rows::read(&options.data)?;
    ensure!(!rows.visits.is_empty(), "nobody on this ledger had a visit");
    let mut figures = Figures::default();
    figures.condition("processor", process::processor());
    figures.condition("seed", options.seed);
    measure(&rows, options.seed, &mut figures);
    figures.write(&options.report)
}

/// Notes all figures of these rows.
pub fn measure(rows: &Rows, seed: u64, figures: &mut Figures) {
    let visitors = Crowds::new(rows.visits.iter().map(|visit| ((), visit.person)));
    println!("who is on the ledger");
    note(figures, "ledger/persons", rows.persons.len() as f64, "persons");
    note(figures, "ledger/persons_with_visits", visitors.people() as f64, "persons");
    note(figures, "ledger/visits", rows.visits.len() as f64, "visits");
    println!("\none visit is known: how many visits lead to one person, or to fewer than {SMALL}");
    for question in ONE_VISIT {
        one_visit(rows, figures, question);
    }
    println!("\nseveral visits are known: how many sets of visits lead to one person");
    for count in [2, 3] {
        for question in SEVERAL_VISITS {
            several_visits(rows, figures, question, count, seed);
        }
    }
    println!("\nonly attested facts are known: how many people share theirs with nobody");
    for question in FACTS {
        facts(rows, figures, question);
    }
    println!("\nfacts and one visit are known");
    facts_and_visit(rows, figures);
    println!("\nwhat is found with the person");
    found(rows, figures);
}

fn note(figures: &mut Figures, name: &str, value: f64, unit: &'static str) {
    figures.note(name, value, unit, Bar::Told);
}

/// What the attacker knows of a visit, as a key that visits share.
struct VisitQuestion {
    name: &'static str,
    key: fn(&VisitRow) -> (Option<&str>, i32, u64),
}

const ONE_VISIT: &[VisitQuestion] = &[
    VisitQuestion {
        name: "hospital_day_amount",
        key: |visit| (Some(&visit.provider), visit.day, visit.total),
    },
    VisitQuestion {
        name: "hospital_day_amount_to_100",
        key: |visit| (Some(&visit.provider), visit.day, visit.total / 10_000),
    },
    VisitQuestion { name: "hospital_day", key: |visit| (Some(&visit.provider), visit.day, 0) },
    VisitQuestion {
        name: "hospital_week_amount_to_100",
        key: |visit| (Some(&visit.provider), visit.day.div_euclid(7), visit.total / 10_000),
    },
    VisitQuestion {
        name: "hospital_week",
        key: |visit| (Some(&visit.provider), visit.day.div_euclid(7), 0),
    },
    VisitQuestion { name: "day_amount", key: |visit| (None, visit.day, visit.total) },
    VisitQuestion { name: "amount", key: |visit| (None, 0, visit.total) },
];

const SEVERAL_VISITS: &[VisitQuestion] = &[
    VisitQuestion { name: "hospital_day", key: |visit| (Some(&visit.provider), visit.day, 0) },
    VisitQuestion {
        name: "hospital_week",
        key: |visit| (Some(&visit.provider), visit.day.div_euclid(7), 0),
    },
];

fn one_visit(rows: &Rows, figures: &mut Figures, question: &VisitQuestion) {
    let keys = rows.visits.iter().map(|visit| ((question.key)(visit), visit.person));
    let crowds = Crowds::new(keys);
    let sizes = rows.visits.iter().map(|visit| crowds.size(&(question.key)(visit)));
    let sizes = crowd::Sizes::new(sizes.collect());
    let name = |what: &str| format!("one_visit/{}/{what}", question.name);
    note(figures, &name("unique"), sizes.share_of_one() * 100.0, "% of visits");
    note(figures, &name("small_crowd"), sizes.share_below(SMALL) * 100.0, "% of visits");
    note(figures, &name("median_crowd"), sizes.median() as f64, "persons");
}

fn several_visits(
    rows: &Rows,
    figures: &mut Figures,
    question: &VisitQuestion,
    count: usize,
    seed: u64,
) {
    let keys = rows.visits.iter().map(|visit| ((question.key)(visit), visit.person));
    let crowds = Crowds::new(keys);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut sizes, mut people) = (Vec::new(), 0_u64);
    for visits in rows.visits_by_person().values().filter(|visits| visits.len() >= count) {
        people += 1;
        for _ in 0..TRIES_PER_PERSON {
            let known = random.choose_multiple(visits.iter().copied(), count);
            let keys = known.into_iter().map(question.key);
            sizes.push(crowds.size_of_all(keys));
        }
    }
    let sizes = crowd::Sizes::new(sizes);
    let name = |what: &str| format!("{count}_visits/{}/{what}", question.name);
    note(figures, &name("unique"), sizes.share_of_one() * 100.0, "% of sets");
    note(figures, &name("small_crowd"), sizes.share_below(SMALL) * 100.0, "% of sets");
    note(figures, &name("persons_with_so_many"), people as f64, "persons");
}

/// Which attested facts the attacker knows, as a key that people share.
struct FactQuestion {
    name: &'static str,
    key: fn(&PersonRow) -> Vec<u64>,
}

const FACTS: &[FactQuestion] = &[
    FactQuestion { name: "age_class_place", key: |person| person.age_class_place() },
    FactQuestion {
        name: "age_class_place_sex",
        key: |person| [person.age_class_place(), vec![person.sex]].concat(),
    },
    FactQuestion { name: "everything_attested", key: |person| person.everything() },
];

fn facts(rows: &Rows, figures: &mut Figures, question: &FactQuestion) {
    let crowds =
        Crowds::new(rows.persons.iter().map(|(person, row)| ((question.key)(row), *person)));
    let sizes = rows.persons.values().map(|row| crowds.size(&(question.key)(row)));
    let sizes = crowd::Sizes::new(sizes.collect());
    let name = |what: &str| format!("facts/{}/{what}", question.name);
    note(figures, &name("unique"), sizes.share_of_one() * 100.0, "% of persons");
    for below in [SMALL, 10, 50] {
        let name = name(&format!("k_below_{below}"));
        note(figures, &name, sizes.share_below(below) * 100.0, "% of persons");
    }
    note(figures, &name("smallest_k"), sizes.least() as f64, "persons");
    note(figures, &name("median_k"), sizes.median() as f64, "persons");
}

fn facts_and_visit(rows: &Rows, figures: &mut Figures) {
    for (name, days) in [("hospital_day", 1), ("hospital_week", 7), ("hospital_month", 30)] {
        let key = |visit: &VisitRow| {
            let row = rows.persons.get(&visit.person)?;
            let when = visit.day.div_euclid(days);
            Some((row.age_class_place(), row.sex, visit.provider.clone(), when))
        };
        let keys = rows.visits.iter().filter_map(|visit| Some((key(visit)?, visit.person)));
        let crowds = Crowds::new(keys);
        let sizes = rows.visits.iter().filter_map(key).map(|key| crowds.size(&key));
        let sizes = crowd::Sizes::new(sizes.collect());
        let unique = format!("facts_and_visit/{name}/unique");
        note(figures, &unique, sizes.share_of_one() * 100.0, "% of visits");
        let small = format!("facts_and_visit/{name}/small_crowd");
        note(figures, &small, sizes.share_below(SMALL) * 100.0, "% of visits");
    }
}

/// What an attacker who found a person's id learns besides.
fn found(rows: &Rows, figures: &mut Figures) {
    let visits = rows.visits_by_person();
    let people = visits.len().max(1) as f64;
    let all: usize = visits.values().map(Vec::len).sum();
    note(figures, "found/visits_per_person", all as f64 / people, "visits");
    let providers: usize = visits
        .values()
        .map(|visits| {
            let mut providers: Vec<&str> = visits.iter().map(|one| &*one.provider).collect();
            providers.sort_unstable();
            providers.dedup();
            providers.len()
        })
        .sum();
    note(figures, "found/providers_per_person", providers as f64 / people, "providers");
    let stays = visits.values().filter(|visits| visits.iter().any(|one| one.is_stay)).count();
    note(figures, "found/with_a_stay", stays as f64 * 100.0 / people, "% of persons");
    let persons = rows.persons.len().max(1) as f64;
    let share = |count: usize| count as f64 * 100.0 / persons;
    note(figures, "found/with_a_slot", share(rows.with_slots.len()), "% of persons");
    let families = rows.persons.values().filter(|row| row.family.is_some()).count();
    note(figures, "found/with_a_family_number", share(families), "% of persons");
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::PersonId;

    fn visit(person: u8, provider: &str, day: i32, total: u64) -> VisitRow {
        let person = PersonId([person; 16]);
        VisitRow { person, provider: provider.to_owned(), day, total, is_stay: false }
    }

    /// Two people share a waiting room on day 10; only person 1 comes back on day 20 where person
    /// 3 is as well; person 2 never is where anybody else is but on day 10.
    fn rows() -> Rows {
        let person = |age: u64| PersonRow { age, ..PersonRow::default() };
        let visits = vec![
            visit(1, "a", 10, 5_000),
            visit(2, "a", 10, 7_000),
            visit(1, "b", 20, 5_000),
            visit(3, "b", 20, 5_000),
        ];
        let persons = [(1, 30), (2, 30), (3, 60)];
        let persons =
            persons.map(|(number, age)| (PersonId([number; 16]), person(age))).into_iter();
        Rows { visits, persons: persons.collect(), ..Rows::default() }
    }

    #[test]
    fn shares_are_those_counted_by_hand() {
        let mut figures = Figures::default();
        measure(&rows(), 1, &mut figures);
        let figure = |name: &str| figures.get(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(figure("ledger/persons_with_visits"), 3.0);
        // Both visits on day 10 cost something else; both on day 20 the same.
        assert_eq!(figure("one_visit/hospital_day_amount/unique"), 50.0);
        assert_eq!(figure("one_visit/hospital_day/unique"), 0.0);
        assert_eq!(figure("one_visit/hospital_day/small_crowd"), 100.0);
        assert_eq!(figure("one_visit/hospital_day/median_crowd"), 2.0);
        // 7,000 is person 2's alone; 5,000 is of persons 1 and 3.
        assert_eq!(figure("one_visit/amount/unique"), 25.0);
        // Only person 1 has two visits, and nobody else was at both places.
        assert_eq!(figure("2_visits/hospital_day/unique"), 100.0);
        assert_eq!(figure("2_visits/hospital_day/persons_with_so_many"), 1.0);
        // One of three people is alone in the band.
        assert!((figure("facts/age_class_place/unique") - 100.0 / 3.0).abs() < 1e-9);
        assert_eq!(figure("facts/age_class_place/smallest_k"), 1.0);
        // On day 20 the ages tell persons 1 and 3 apart; on day 10 they do not.
        assert_eq!(figure("facts_and_visit/hospital_day/unique"), 50.0);
        assert!((figure("found/visits_per_person") - 4.0 / 3.0).abs() < 1e-9);
    }
}
