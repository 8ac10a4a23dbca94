//! The engine against the oracle (`crates/benefit/oracle`, the same rules written a second time in
//! Python from the guide alone): random bills under every shipped plan, under the plans of this
//! crate's tests and under random plans. Every component, payer, running amount and payment of a
//! step has to be the same, and what one side refuses, the other refuses too.
//!
//! `YIBAO_DIFFERENTIAL_BILLS` says how many bills (20,000 when it is not set),
//! `YIBAO_DIFFERENTIAL_SEED` which ones, `YIBAO_DIFFERENTIAL_UNIT` runs a single unit of them
//! again.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;
mod differential_kit;

use benefit::TraceNote;
use differential_kit::{
    Difference, agree, comparable, difference, engine,
    faults::{CATALOGUE, CATALOGUE_FAULTS, PLAN, PLAN_FAULTS},
    history::History,
    oracle::{Oracle, load_requests, program},
    random::Random,
    scheme::{Scheme, catalogue_file, plan_file},
    shrink::shrink,
};
use std::{
    collections::BTreeMap,
    env,
    fmt::Write,
    path::{Path, PathBuf},
    thread,
};

const BILLS: u64 = 20_000;
const SEED: u64 = 20_260_301;
/// A unit is one scheme with so many bills of its own.
const BILLS_PER_UNIT: u64 = 50;

fn variable(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` has to be a whole number, not `{text}`")))
}

/// What has been seen, so that a run that tests nothing does not pass.
#[derive(Default)]
struct Seen {
    bills: u64,
    refused: u64,
    cut_stays: u64,
    /// How often each kind of note stood in a trace.
    notes: BTreeMap<&'static str, u64>,
    /// How often a step of each kind paid something.
    paid: BTreeMap<String, u64>,
}

impl Seen {
    fn add(&mut self, scheme: &Scheme, answers: &[engine::Answer]) {
        for answer in answers {
            self.bills += 1;
            self.refused += u64::from(answer.value.get("refused").is_some());
            self.cut_stays += u64::from(answer.parts.len() > 1);
            for part in &answer.parts {
                let steps = &scheme.plans[usize::from(part.plan)].source.step;
                for entry in &part.adjudication.trace {
                    *self.notes.entry(note_name(&entry.note)).or_default() += 1;
                }
                let paid = &answer.value["parts"][0]["steps"];
                for step in steps.iter().filter(|step| paid.get(&step.id).is_some()) {
                    *self.paid.entry(step.kind.clone()).or_default() += 1;
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.bills += other.bills;
        self.refused += other.refused;
        self.cut_stays += other.cut_stays;
        for (note, count) in other.notes {
            *self.notes.entry(note).or_default() += count;
        }
        for (kind, count) in other.paid {
            *self.paid.entry(kind).or_default() += count;
        }
    }
}

fn note_name(note: &TraceNote) -> &'static str {
    match note {
        TraceNote::Base { .. } => "base",
        TraceNote::BaseCapped { .. } => "base_capped",
        TraceNote::Deductible { .. } => "deductible",
        TraceNote::Tier { .. } => "tier",
        TraceNote::RateChanged { .. } => "rate_changed",
        TraceNote::Rounded { .. } => "rounded",
        TraceNote::AmountChanged { .. } => "amount_changed",
        TraceNote::Capped { .. } => "capped",
        TraceNote::FixedAmount { .. } => "fixed_amount",
        TraceNote::Copay { .. } => "copay",
        TraceNote::Limited { .. } => "limited",
        TraceNote::Paid { .. } => "paid",
        TraceNote::Account { .. } => "account",
        TraceNote::Counted { .. } => "counted",
    }
}

/// The folders with plans: those that are shipped and those of this crate.
fn folders() -> Vec<PathBuf> {
    let mut all = common::folders(&common::shipped_plans());
    all.extend(common::folders(&common::own_plans()));
    all.retain(|folder| common::files(folder, "toml").iter().any(|path| common::is_plan(path)));
    all
}

/// The scheme of a unit: by turns that of a folder and a random one.
fn scheme(folders: &[PathBuf], unit: u64, random: &mut Random) -> Scheme {
    if unit.is_multiple_of(2) {
        let turn = usize::try_from(unit / 2).unwrap() % folders.len();
        return Scheme::of_folder(&folders[turn], random).unwrap();
    }
    match Scheme::random(random) {
        Ok(scheme) => scheme,
        Err((text, error)) => {
            let theirs = Oracle::start().reads("plan", &text);
            panic!(
                "unit {unit}: the engine refuses a random plan: {error}\nthe oracle: {theirs:?}\n{text}"
            )
        }
    }
}

/// Runs one unit; panics with the smallest difference if there is one.
fn run_unit(oracle: &mut Oracle, folders: &[PathBuf], seed: u64, unit: u64, seen: &mut Seen) {
    let random = &mut Random::new(seed, unit);
    let scheme = scheme(folders, unit, random);
    if let Err((text, mistake)) = oracle.load(&scheme) {
        panic!("unit {unit}: the oracle refuses what the engine reads: {mistake}\n{text}");
    }
    let until = seen.bills + BILLS_PER_UNIT;
    while seen.bills < until {
        let history = History::random(&scheme, random);
        if difference(oracle, &scheme, &history).is_some() {
            fail(oracle, scheme, history, seed, unit);
        }
        seen.add(&scheme, &engine::run(&scheme, &history));
    }
}

/// Makes the difference small, writes it where it can be tried again, and says everything.
fn fail(oracle: &mut Oracle, scheme: Scheme, history: History, seed: u64, unit: u64) -> ! {
    let name = scheme.name.clone();
    let (scheme, history) = shrink(oracle, scheme, history);
    oracle.load(&scheme).unwrap();
    let found = difference(oracle, &scheme, &history).expect("shrinking keeps the difference");
    let request = history.request(&scheme);
    let mut text = format!("unit {unit} (plans: {name}): engine and oracle differ\n");
    for plan in &scheme.plans {
        write!(text, "\n--- plan\n{}", plan.text).unwrap();
    }
    write!(text, "\n--- catalogue\n{}", scheme.catalogue.text).unwrap();
    write!(text, "\n--- visits\n{}\n", serde_json::to_string_pretty(&request).unwrap()).unwrap();
    text.push_str(&traces(&scheme, &found));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("difference-{unit}.jsonl"));
    let mut lines: Vec<String> = load_requests(&scheme).iter().map(ToString::to_string).collect();
    lines.push(request.to_string());
    std::fs::write(&file, lines.join("\n")).unwrap();
    panic!(
        "{text}\nrun it again: YIBAO_DIFFERENTIAL_SEED={seed} YIBAO_DIFFERENTIAL_UNIT={unit} \
         cargo test -p benefit --release --test differential\n\
         the oracle alone: python3 {} serve < {}",
        program().display(),
        file.display()
    )
}

fn traces(scheme: &Scheme, found: &Difference) -> String {
    let mut text = format!("\n--- visit {}, engine\n{}\n", found.visit, found.engine.value);
    for part in &found.engine.parts {
        let steps = &scheme.plans[usize::from(part.plan)].source.step;
        for entry in &part.adjudication.trace {
            let id = &steps[usize::from(entry.step)].id;
            writeln!(text, "  {id} slot {}: {:?}", entry.slot, entry.note).unwrap();
        }
    }
    write!(text, "\n--- visit {}, oracle\n{}\n", found.visit, comparable(&found.oracle)).unwrap();
    for part in found.oracle["parts"].as_array().into_iter().flatten() {
        for entry in part["trace"].as_array().into_iter().flatten() {
            writeln!(text, "  {entry}").unwrap();
        }
    }
    text
}

/// Runs units side by side, each thread with an oracle of its own.
fn run_units(units: &[u64], seed: u64) -> Seen {
    let folders = &folders();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let (mut oracle, mut seen) = (Oracle::start(), Seen::default());
                    for unit in units.iter().skip(worker).step_by(threads) {
                        run_unit(&mut oracle, folders, seed, *unit, &mut seen);
                    }
                    seen
                })
            })
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(part) => seen.merge(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    seen
}

#[test]
fn engine_and_oracle_agree_on_every_random_bill() {
    let seed = variable("YIBAO_DIFFERENTIAL_SEED").unwrap_or(SEED);
    let bills = variable("YIBAO_DIFFERENTIAL_BILLS").unwrap_or(BILLS);
    eprintln!("seed {seed}, {bills} bills");
    if let Some(unit) = variable("YIBAO_DIFFERENTIAL_UNIT") {
        run_units(&[unit], seed);
        return;
    }
    let units: Vec<u64> = (0..bills.div_ceil(BILLS_PER_UNIT)).collect();
    let seen = run_units(&units, seed);
    eprintln!(
        "{} bills, {} refused by both, {} stays cut; paid: {:?}; notes: {:?}",
        seen.bills, seen.refused, seen.cut_stays, seen.paid, seen.notes
    );
    assert!(seen.bills >= bills);
    if bills < BILLS {
        return;
    }
    assert!(seen.refused * 3 < seen.bills, "too many bills are refused: {}", seen.refused);
    assert!(seen.cut_stays * 20 > seen.bills, "too few stays are cut: {}", seen.cut_stays);
    let kinds = ["benefit", "fixed", "copay", "limit", "personal_account", "family_account"];
    for kind in kinds {
        let count = seen.paid.get(kind).copied().unwrap_or(0);
        assert!(count > 100, "only {count} steps of kind `{kind}` paid something");
    }
    assert_eq!(seen.notes.len(), 14, "a kind of note was never seen: {:?}", seen.notes);
}

#[test]
fn the_oracle_agrees_with_every_example_and_case() {
    let output = std::process::Command::new("python3")
        .arg(program())
        .arg("cases")
        .arg(common::shipped_plans())
        .arg(common::own_plans())
        .output()
        .unwrap_or_else(|error| {
            panic!("the oracle needs `python3`, version 3.11 or later: {error}")
        });
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_difference_of_one_minor_unit_is_noticed() {
    let folders = folders();
    let random = &mut Random::new(SEED, 0);
    let scheme = Scheme::of_folder(&folders[0], random).unwrap();
    let mut oracle = Oracle::start();
    oracle.load(&scheme).unwrap();
    let history = (0..100)
        .map(|_| History::random(&scheme, random))
        .find(|history| engine::run(&scheme, history)[0].value.get("refused").is_none())
        .expect("one of a hundred visits is not refused");
    let ours = engine::run(&scheme, &history).remove(0).value;
    let theirs = oracle.run(&scheme, &history).remove(0);
    assert!(agree(&ours, &theirs));
    for field in ["cash", "deductible", "personal_account"] {
        let mut wrong = theirs.clone();
        let minor: u64 = wrong["parts"][0][field].as_str().unwrap().parse().unwrap();
        wrong["parts"][0][field] = (minor + 1).to_string().into();
        assert!(!agree(&ours, &wrong), "{field}");
    }
    assert!(!agree(&ours, &serde_json::json!({ "refused": "" })));
}

#[test]
fn what_is_wrong_in_a_plan_or_catalogue_is_refused_by_both() {
    let mut oracle = Oracle::start();
    plan_file(PLAN.to_string()).map(|_| ()).expect("the plan is without fault");
    oracle.reads("plan", PLAN).expect("the plan is without fault");
    catalogue_file(CATALOGUE.to_string()).map(|_| ()).expect("the catalogue is without fault");
    oracle.reads("catalogue", CATALOGUE).expect("the catalogue is without fault");
    let mut taken = Vec::new();
    for (right, wrong) in PLAN_FAULTS {
        let text = with_fault(PLAN, right, wrong);
        let (engine, oracle) =
            (plan_file(text.clone()).is_ok(), oracle.reads("plan", &text).is_ok());
        taken.push((right, wrong, engine, oracle));
    }
    for (right, wrong) in CATALOGUE_FAULTS {
        let text = with_fault(CATALOGUE, right, wrong);
        let engine = catalogue_file(text.clone()).is_ok();
        taken.push((right, wrong, engine, oracle.reads("catalogue", &text).is_ok()));
    }
    taken.retain(|(.., engine, oracle)| *engine || *oracle);
    let lines: Vec<String> = taken
        .iter()
        .map(|(right, wrong, engine, oracle)| {
            format!("`{right}` -> `{wrong}`: taken by engine {engine}, by oracle {oracle}")
        })
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

fn with_fault(text: &str, right: &str, wrong: &str) -> String {
    assert!(text.contains(right), "`{right}` is not in the file");
    text.replacen(right, wrong, 1)
}
