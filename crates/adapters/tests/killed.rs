//! Real processes killed in the middle: whatever the moment, money moves once and nothing that was
//! acknowledged is lost.
//!
//! The parent starts this program again as a child that submits payments from four threads and
//! writes a line for each acknowledged one; after some lines the parent kills it (SIGKILL) and
//! starts the next. At the end everything is swept and compared.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use adapters::{
    clock::{Clock, ManualClock},
    effect::{Effect, EffectState, Executor, OutboxStore, RailName, SqliteOutbox},
    rail::{
        Action, Order, Rail, Style, Token, Verdict,
        conformance::Bench,
        fault::{FaultPlan, FaultyRail},
        sandbox_bank::{SandboxBank, SandboxBankConfig},
    },
    sqlite::Place,
};
use primitives::{Amount, Currency};
use support::{BankBench, CHINA, NOON, hospital, reference};

const KILLS: u64 = 12;
/// How many payments the first child acknowledges before it is killed; each later one more.
const LINES_BEFORE_FIRST_KILL: u64 = 5;
const THREADS: u64 = 4;
const PAYMENTS_PER_THREAD: u64 = 60;
const MINUTE: u64 = 60_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.as_slice() {
        [_, child, folder, token, generation] if child == "child" => {
            run_child(Path::new(folder), token.parse().unwrap(), generation.parse().unwrap());
        }
        _ => killed_processes_move_money_once_and_lose_nothing_acknowledged(),
    }
}

fn bank_name() -> RailName {
    RailName::new("bank").unwrap()
}

/// Bank, outbox and executor of one process; time passes from generation to generation.
fn open(folder: &Path, generation: u64) -> (Executor, Arc<dyn Rail>) {
    let now = NOON.plus_millis(generation * 20 * MINUTE);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
    let config = SandboxBankConfig::new(Currency::CNY, Style::PayAndRefund, 7);
    let place = Place::File(folder.join("bank.sqlite"));
    let bank = Arc::new(SandboxBank::open(&place, config, Arc::clone(&clock)).unwrap());
    let good: Arc<dyn Rail> = Arc::new(bank.rail(hospital()));
    let plan = FaultPlan::Seeded { seed: generation, per_mille: 200 };
    let line: Arc<dyn Rail> = Arc::new(FaultyRail::new(Arc::clone(&good), plan));
    let outbox = SqliteOutbox::open(&Place::File(folder.join("outbox.sqlite"))).unwrap();
    let rails = BTreeMap::from([(bank_name(), line)]);
    (Executor::new(rails, Arc::new(outbox), clock), good)
}

fn payment(name: &str, token: &Token) -> Effect {
    let action = Action::Pay { from: token.clone(), amount: Amount::from_minor(100) };
    Effect { rail: bank_name(), order: Order { reference: reference(name), action } }
}

fn run_child(folder: &Path, token: Token, generation: u64) {
    let (executor, _) = open(folder, generation);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (executor, token) = (&executor, &token);
            scope.spawn(move || {
                for number in 0..PAYMENTS_PER_THREAD {
                    let name = format!("{generation}-{thread}-{number}");
                    executor.submit(&payment(&name, token)).unwrap();
                    executor.sweep(5).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{name}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

fn killed_processes_move_money_once_and_lose_nothing_acknowledged() {
    let bench = BankBench::new(Style::PayAndRefund);
    let folder = bench.folder.path();
    let mut acknowledged = BTreeSet::new();
    for generation in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("child")
            .arg(folder)
            .arg(bench.payer().as_str())
            .arg(generation.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let count = usize::try_from(LINES_BEFORE_FIRST_KILL + 4 * generation).unwrap();
        let names: Vec<String> = lines.by_ref().take(count).map(Result::unwrap).collect();
        assert_eq!(names.len(), count, "the child of generation {generation} ended early");
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(names);
        // What it wrote before it died was acknowledged as well, the last line perhaps cut short.
        acknowledged.extend(lines.map_while(Result::ok).filter(|line| is_whole(line)));
    }
    let recorded = settle(folder, &acknowledged);
    bench.audit().unwrap();
    println!(
        "{KILLS} processes killed: {} payments acknowledged, {recorded} recorded, each moved once",
        acknowledged.len()
    );
}

/// A line that was written to its end names a payment of one of the threads.
fn is_whole(line: &str) -> bool {
    let numbers: Vec<u64> = line.split('-').filter_map(|part| part.parse().ok()).collect();
    matches!(numbers.as_slice(), [_, thread, _] if *thread < THREADS)
}

/// Sweeps until nothing is open and compares outbox, bank and acknowledged payments; how many were
/// recorded.
fn settle(folder: &Path, acknowledged: &BTreeSet<String>) -> usize {
    let mut generation = KILLS;
    let (mut executor, mut rail) = open(folder, generation);
    while executor.backlog().unwrap().open > 0 {
        assert!(generation < KILLS + 100, "something is unknown for ever");
        let sweep = executor.sweep(1_000).unwrap();
        assert!(sweep.failed.is_empty());
        generation += 1;
        (executor, rail) = open(folder, generation);
    }
    let outbox = SqliteOutbox::open(&Place::File(folder.join("outbox.sqlite"))).unwrap();
    for name in acknowledged {
        let record = outbox.get(&reference(name)).unwrap().expect("an acknowledged one is there");
        assert!(matches!(record.state, EffectState::Final(Verdict::Done(_))), "{name}");
    }
    let records = outbox.unreported(1_000_000).unwrap();
    let recorded: BTreeSet<_> = records.iter().map(|r| r.effect.order.reference).collect();
    let mut booked = Vec::new();
    for day in 0..4 {
        let lines = rail.reconcile(NOON.day(CHINA).plus_days(day).unwrap()).unwrap();
        booked.extend(lines.into_iter().map(|line| line.reference));
    }
    let distinct: BTreeSet<_> = booked.iter().copied().collect();
    assert_eq!(booked.len(), distinct.len(), "a payment was booked twice");
    assert_eq!(distinct, recorded, "the bank's statement against the outbox");
    recorded.len()
}
