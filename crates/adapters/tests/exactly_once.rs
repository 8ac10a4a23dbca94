//! Money moves exactly once per reference: seeds x fault plans x crash points.
//!
//! A run submits a day's effects to an executor whose rail sits behind a line with faults, and
//! crashes it (by unwinding, in the middle of a call) at one point; then the outbox and the bank
//! are opened again from their files, and the sweeper runs until nothing is open. Afterwards the
//! bank's books, its statement and the outbox must say the same.
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
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use adapters::{
    clock::Clock,
    effect::{
        Backlog, Effect, EffectState, Executor, OutboxError, OutboxRecord, OutboxStore, RailName,
        Recorded, SqliteOutbox,
    },
    rail::{
        Action, Answer, Order, Outcome, Rail, RailUnavailable, Reference, StatementLine, Style,
        Verdict,
        conformance::Bench,
        fault::{Fault, FaultPlan, FaultyRail},
        sandbox_bank::SandboxBankConfig,
    },
    sqlite::Place,
};
use primitives::{Amount, CivilDate, Currency, Timestamp};
use support::{BankBench, CounterBench, NOON, reference};

/// A process that dies after so many more calls; negative lives for ever.
struct Life(AtomicI64);

/// What a crash unwinds with.
struct Crash;

impl Life {
    fn step(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 0 {
            resume_unwind(Box::new(Crash));
        }
    }
}

/// A rail or an outbox in a process that may die before and after each call.
struct Mortal<T: ?Sized>(Arc<Life>, Arc<T>);

impl<T: ?Sized> Mortal<T> {
    fn call<R>(&self, call: impl FnOnce(&T) -> R) -> R {
        self.0.step();
        let result = call(&self.1);
        self.0.step();
        result
    }
}

impl Rail for Mortal<dyn Rail> {
    fn name(&self) -> &str {
        self.1.name()
    }
    fn style(&self) -> Style {
        self.1.style()
    }
    fn currency(&self) -> Currency {
        self.1.currency()
    }
    fn perform(&self, order: &Order) -> Outcome {
        self.call(|rail| rail.perform(order))
    }
    fn query(&self, reference: &Reference) -> Answer {
        self.call(|rail| rail.query(reference))
    }
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.call(|rail| rail.reconcile(day))
    }
}

impl OutboxStore for Mortal<SqliteOutbox> {
    fn record_all(
        &self,
        effects: &[Effect],
        at: Timestamp,
        next_try_at: Timestamp,
    ) -> Result<Vec<Recorded>, OutboxError> {
        self.call(|outbox| outbox.record_all(effects, at, next_try_at))
    }
    fn get(&self, reference: &Reference) -> Result<Option<OutboxRecord>, OutboxError> {
        self.call(|outbox| outbox.get(reference))
    }
    fn note_attempt(&self, reference: &Reference, next: Timestamp) -> Result<(), OutboxError> {
        self.call(|outbox| outbox.note_attempt(reference, next))
    }
    fn finish_all(&self, words: &[(Reference, Verdict)]) -> Result<(), OutboxError> {
        self.call(|outbox| outbox.finish_all(words))
    }
    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        self.call(|outbox| outbox.due(now, limit))
    }
    fn unreported(&self, limit: u32) -> Result<Vec<OutboxRecord>, OutboxError> {
        self.call(|outbox| outbox.unreported(limit))
    }
    fn mark_reported(&self, references: &[Reference]) -> Result<(), OutboxError> {
        self.call(|outbox| outbox.mark_reported(references))
    }
    fn done_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OutboxRecord>, OutboxError> {
        self.call(|outbox| outbox.done_between(from, until))
    }
    fn backlog(&self) -> Result<Backlog, OutboxError> {
        self.call(OutboxStore::backlog)
    }
}

/// One run: a bench, the orders of a day, a plan of faults.
struct Run<'a> {
    bench: &'a dyn Bench,
    outbox: Place,
    advance: &'a dyn Fn(u64),
    clock: Arc<dyn Clock>,
    plan: FaultPlan,
}

fn rail_name() -> RailName {
    RailName::new("bank").unwrap()
}

impl Run<'_> {
    /// Lives until `life` ends or everything is final; the line with what is still under way.
    fn live(&self, effects: &[Effect], life: i64) -> (bool, Arc<FaultyRail>) {
        let line = Arc::new(FaultyRail::new(self.bench.open(), self.plan.clone()));
        let life = Arc::new(Life(AtomicI64::new(life)));
        let outbox = Arc::new(SqliteOutbox::open(&self.outbox).unwrap());
        let rail: Arc<dyn Rail> =
            Arc::new(Mortal(Arc::clone(&life), Arc::clone(&line) as Arc<dyn Rail>));
        let executor = Executor::new(
            BTreeMap::from([(rail_name(), rail)]),
            Arc::new(Mortal(Arc::clone(&life), outbox)),
            Arc::clone(&self.clock),
        );
        let finished = catch_unwind(AssertUnwindSafe(|| {
            let (batch, single) = effects.split_at(effects.len() / 2);
            for answer in executor.submit_all(batch).unwrap() {
                answer.unwrap();
            }
            for effect in single {
                executor.submit(effect).unwrap();
            }
            for _ in 0..200 {
                (self.advance)(600_000);
                let sweep = executor.sweep(100).unwrap();
                assert!(sweep.failed.is_empty(), "{:?}", sweep.failed);
                if executor.backlog().unwrap().open == 0 {
                    return;
                }
            }
            panic!("something is unknown for ever: {:?}", executor.backlog());
        }));
        match finished {
            Ok(()) => (true, line),
            Err(cause) if cause.is::<Crash>() => (false, line),
            Err(cause) => resume_unwind(cause),
        }
    }

    /// Submits everything with a crash after so many steps, then again without; whether the crash
    /// happened.
    fn check(&self, effects: &[Effect], crash_after: i64) -> bool {
        let (finished, first_line) = self.live(effects, crash_after);
        let (recovered, second_line) = self.live(effects, -1);
        assert!(recovered);
        // What the dead process had under way arrives after everything else.
        first_line.calm();
        second_line.calm();
        self.compare(effects);
        !finished
    }

    /// A capture of a hold that stands is carried out, and so is one of two refunds of a payment:
    /// no order is refused because an earlier one was still under way.
    fn check_order(&self, effects: &[Effect], done: &BTreeSet<Reference>) {
        let mut refunds: BTreeMap<Reference, usize> = BTreeMap::new();
        for effect in effects {
            let is_done = done.contains(&effect.order.reference);
            match effect.order.action {
                Action::Capture { hold, .. } => assert_eq!(is_done, done.contains(&hold)),
                Action::Refund { original, .. } => {
                    *refunds.entry(original).or_default() += usize::from(is_done);
                }
                _ => {}
            }
        }
        for (original, refunds) in refunds {
            assert_eq!(refunds, usize::from(done.contains(&original)), "refunds of {original}");
        }
    }

    /// Outbox, rail and the rail's books say the same.
    fn compare(&self, effects: &[Effect]) {
        self.bench.audit().unwrap();
        let rail = self.bench.open();
        let outbox = SqliteOutbox::open(&self.outbox).unwrap();
        let (mut moved, mut finished) = (Vec::new(), BTreeSet::new());
        for effect in effects {
            let reference = effect.order.reference;
            let record = outbox.get(&reference).unwrap().unwrap();
            let EffectState::Final(verdict) = record.state else {
                panic!("{reference} is not final");
            };
            assert_eq!(rail.query(&reference), Answer::Final(verdict.clone()));
            if matches!(verdict, Verdict::Done(_)) {
                finished.insert(reference);
            }
            let moves = matches!(
                effect.order.action,
                Action::Pay { .. }
                    | Action::Capture { .. }
                    | Action::Refund { .. }
                    | Action::PayOut { .. }
            );
            if let (Verdict::Done(done), true) = (verdict, moves) {
                moved.push((reference, done.amount));
            }
        }
        self.check_order(effects, &finished);
        let mut booked: Vec<(Reference, Amount)> = Vec::new();
        for days in 0..3 {
            let day = NOON.day(support::CHINA).plus_days(days).unwrap();
            let lines = rail.reconcile(day).unwrap();
            booked.extend(lines.iter().map(|line| (line.reference, line.amount)));
        }
        moved.sort_unstable();
        booked.sort_unstable();
        assert_eq!(booked, moved, "the bank's statement against the outbox");
    }
}

fn effect(name: &str, action: Action) -> Effect {
    Effect { rail: rail_name(), order: Order { reference: reference(name), action } }
}

/// Payments, refunds of them, refused ones, a void; or holds with captures.
fn effects(bench: &dyn Bench, style: Style) -> Vec<Effect> {
    let minor = Amount::from_minor;
    let mut effects = Vec::new();
    for n in 0..4_u64 {
        let (name, amount) = (format!("pay {n}"), minor(10_000 + n));
        match style {
            Style::PayAndRefund => {
                effects.push(effect(&name, Action::Pay { from: bench.payer(), amount }));
            }
            Style::HoldAndCapture => {
                let expires_at = bench.now().plus_millis(6 * 24 * 3_600_000);
                let hold = format!("hold {n}");
                effects.push(effect(
                    &hold,
                    Action::Hold { from: bench.payer(), amount: minor(12_000), expires_at },
                ));
                effects.push(effect(&name, Action::Capture { hold: reference(&hold), amount }));
            }
        }
    }
    effects.push(effect("void", Action::Void { original: reference("never sent") }));
    for n in 0..2 {
        let (original, amount) = (reference(&format!("pay {n}")), minor(6_000));
        let refund = |part| {
            effect(&format!("refund {n} {part}"), Action::Refund { original, amount, to: None })
        };
        // Two refunds of more than half: one of them must be refused.
        effects.extend([refund("a"), refund("b")]);
    }
    if let Some(from) = bench.poor_payer()
        && style == Style::PayAndRefund
    {
        effects.push(effect("too much", Action::Pay { from, amount: minor(10_000) }));
    }
    effects
}

fn bank_run(style: Style, plan: FaultPlan, crash_after: i64) -> bool {
    let config = SandboxBankConfig {
        declined_per_mille: 100,
        hold_milliseconds_max: 8 * 24 * 3_600_000,
        ..SandboxBankConfig::new(Currency::CNY, style, 11)
    };
    let bench = BankBench::with(config);
    let run = Run {
        bench: &bench,
        outbox: Place::File(bench.folder.path().join("outbox.sqlite")),
        advance: &|millis| bench.clock.advance_millis(millis),
        clock: Arc::clone(&bench.clock) as Arc<dyn Clock>,
        plan,
    };
    run.check(&effects(&bench, style), crash_after)
}

#[test]
fn every_crash_point_of_every_single_fault_moves_money_once() {
    let plans = std::iter::once(None).chain(Fault::ALL.into_iter().map(Some));
    for fault in plans {
        let mut points = 0;
        // The fault hits the third call to the rail; the crash comes at every step there is.
        while bank_run(Style::PayAndRefund, FaultPlan::Listed(vec![None, None, fault]), points) {
            points += 1;
        }
        assert!(points > 40, "only {points} crash points were reached with {fault:?}");
    }
}

#[test]
fn random_faults_with_random_crashes_move_money_once() {
    for seed in 0..40_u64 {
        for style in [Style::PayAndRefund, Style::HoldAndCapture] {
            let per_mille = [100, 300, 700][usize::try_from(seed % 3).unwrap()];
            let crash_after = i64::try_from(seed * 7 % 120).unwrap();
            println!("seed {seed}, {style:?}, {per_mille} faults per mille, crash {crash_after}");
            bank_run(style, FaultPlan::Seeded { seed, per_mille }, crash_after);
        }
    }
}

#[test]
fn the_counter_moves_cash_once_as_well() {
    for seed in 0..20_u64 {
        let bench = CounterBench::new();
        let run = Run {
            bench: &bench,
            outbox: Place::File(bench.folder.path().join("outbox.sqlite")),
            advance: &|millis| bench.clock.advance_millis(millis),
            clock: Arc::clone(&bench.clock) as Arc<dyn Clock>,
            plan: FaultPlan::Seeded { seed, per_mille: 400 },
        };
        println!("seed {seed}");
        run.check(&effects(&bench, Style::PayAndRefund), i64::try_from(seed * 5).unwrap());
    }
}
