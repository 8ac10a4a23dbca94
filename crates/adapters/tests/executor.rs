//! The executor beyond exactly-once: what it asks, when it asks again, and whom it tells.
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
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use adapters::{
    clock::Clock,
    effect::{
        Difference, Effect, EffectState, Executor, ExecutorError, OutboxError, OutboxStore,
        RETRY_MILLISECONDS_MAX, RETRY_MILLISECONDS_MIN, RailName, Recorded, SqliteOutbox,
    },
    rail::{
        Action, Answer, Done, Order, Outcome, Rail, RailUnavailable, Reference, Refusal,
        StatementLine, Style, Verdict,
        conformance::Bench,
        fault::{Fault, FaultPlan, FaultyRail},
    },
    sqlite::Place,
};
use primitives::{CivilDate, Currency, Timestamp};
use support::{BankBench, CHINA, NOON, reference, yuan};

/// Counts what a rail is told and asked.
struct Counting {
    rail: Arc<dyn Rail>,
    told: AtomicU32,
    asked: AtomicU32,
}

impl Rail for Counting {
    fn name(&self) -> &str {
        self.rail.name()
    }
    fn style(&self) -> Style {
        self.rail.style()
    }
    fn currency(&self) -> Currency {
        self.rail.currency()
    }
    fn perform(&self, order: &Order) -> Outcome {
        self.told.fetch_add(1, Ordering::SeqCst);
        self.rail.perform(order)
    }
    fn query(&self, reference: &Reference) -> Answer {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.rail.query(reference)
    }
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.rail.reconcile(day)
    }
}

struct World {
    bench: BankBench,
    rail: Arc<Counting>,
    outbox: Arc<SqliteOutbox>,
    executor: Executor,
}

fn name(name: &str) -> RailName {
    RailName::new(name).unwrap()
}

impl World {
    fn new(plan: FaultPlan) -> Self {
        let bench = BankBench::new(Style::PayAndRefund);
        let line = Arc::new(FaultyRail::new(bench.open(), plan));
        let rail =
            Arc::new(Counting { rail: line, told: AtomicU32::new(0), asked: AtomicU32::new(0) });
        let outbox = Arc::new(SqliteOutbox::open(&Place::Memory).unwrap());
        let rails = BTreeMap::from([(name("bank"), Arc::clone(&rail) as Arc<dyn Rail>)]);
        let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
        let executor = Executor::new(rails, Arc::clone(&outbox) as Arc<dyn OutboxStore>, clock);
        Self { bench, rail, outbox, executor }
    }

    fn faults(faults: &[Option<Fault>]) -> Self {
        Self::new(FaultPlan::Listed(faults.to_vec()))
    }

    fn pay(&self, tag: &str, amount: u64) -> Effect {
        let action = Action::Pay { from: self.bench.payer(), amount: yuan(amount) };
        Effect { rail: name("bank"), order: Order { reference: reference(tag), action } }
    }

    fn refund(&self, tag: &str, original: &str, amount: u64) -> Effect {
        let (original, amount) = (reference(original), yuan(amount));
        let action = Action::Refund { original, amount, to: None };
        Effect { rail: name("bank"), order: Order { reference: reference(tag), action } }
    }

    fn calls(&self) -> (u32, u32) {
        (self.rail.told.load(Ordering::SeqCst), self.rail.asked.load(Ordering::SeqCst))
    }

    fn is_done(&self, effect: &Effect) -> bool {
        let state = self.executor.state(&effect.order.reference).unwrap();
        matches!(state, EffectState::Final(Verdict::Done(_)))
    }
}

#[test]
fn an_effect_that_goes_well_is_told_once_and_never_asked_for() {
    let world = World::new(FaultPlan::Never);
    let effect = world.pay("a", 10);
    assert!(matches!(
        world.executor.submit(&effect).unwrap(),
        EffectState::Final(Verdict::Done(done)) if done.amount == yuan(10)
    ));
    assert_eq!(world.calls(), (1, 0));
    // Submitted again, it is only looked up.
    assert!(matches!(world.executor.submit(&effect).unwrap(), EffectState::Final(_)));
    assert_eq!(world.calls(), (1, 0));
}

#[test]
fn after_a_lost_answer_the_rail_is_asked_and_not_told_again() {
    let world = World::faults(&[Some(Fault::AnswerLost)]);
    let effect = world.pay("a", 10);
    assert_eq!(world.executor.submit(&effect).unwrap(), EffectState::Open);
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MIN);
    assert_eq!(world.executor.sweep(10).unwrap().finished, 1);
    assert_eq!(world.calls(), (1, 1));
    assert!(world.is_done(&effect));
}

#[test]
fn after_a_lost_request_the_rail_is_asked_and_then_told_again() {
    let world = World::faults(&[Some(Fault::RequestLost)]);
    let effect = world.pay("a", 10);
    assert_eq!(world.executor.submit(&effect).unwrap(), EffectState::Open);
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MIN);
    assert_eq!(world.executor.sweep(10).unwrap().finished, 1);
    assert_eq!(world.calls(), (2, 1));
}

#[test]
fn a_rail_that_does_not_answer_is_asked_at_growing_intervals_up_to_a_limit() {
    let world = World::faults(&[Some(Fault::RequestLost); 40]);
    let effect = world.pay("a", 10);
    world.executor.submit(&effect).unwrap();
    let mut pauses = Vec::new();
    for _ in 0..14 {
        let record = world.outbox.get(&effect.order.reference).unwrap().unwrap();
        let pause = record.next_try_at.millis() - world.bench.clock.now().millis();
        pauses.push(pause);
        world.bench.clock.advance_millis(pause - 1);
        let early = world.executor.sweep(10).unwrap();
        assert_eq!((early.finished, early.waiting), (0, 0), "one millisecond early");
        world.bench.clock.advance_millis(1);
        assert_eq!(world.executor.sweep(10).unwrap().waiting, 1);
    }
    assert_eq!(pauses[..3], [1_000, 2_000, 4_000]);
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(pauses.last(), Some(&RETRY_MILLISECONDS_MAX));
    let backlog = world.executor.backlog().unwrap();
    assert_eq!((backlog.open, backlog.oldest), (1, Some(NOON)));
}

#[test]
fn a_refund_waits_for_its_payment_and_is_not_refused_before() {
    let world = World::faults(&[Some(Fault::RequestLost)]);
    let (pay, refund) = (world.pay("pay", 10), world.refund("refund", "pay", 4));
    world.executor.submit(&pay).unwrap();
    assert_eq!(world.executor.submit(&refund).unwrap(), EffectState::Open);
    assert_eq!(world.calls(), (1, 0), "the rail has not heard of the refund");
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MIN);
    world.executor.sweep(10).unwrap();
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MAX);
    world.executor.sweep(10).unwrap();
    assert!(world.is_done(&pay) && world.is_done(&refund));
}

#[test]
fn a_payment_and_its_refund_in_one_batch_are_both_done() {
    let world = World::new(FaultPlan::Never);
    let batch = [world.refund("refund", "pay", 4), world.pay("pay", 10)];
    for state in world.executor.submit_all(&batch).unwrap() {
        assert!(matches!(state.unwrap(), EffectState::Final(Verdict::Done(_))));
    }
    assert_eq!(world.calls(), (2, 0));
}

#[test]
fn a_reference_stands_for_one_effect_in_the_outbox_and_at_the_rail() {
    let world = World::new(FaultPlan::Never);
    world.executor.submit(&world.pay("a", 10)).unwrap();
    let other = world.pay("a", 11);
    assert!(matches!(world.executor.submit(&other), Err(ExecutorError::OtherEffect(_))));
    // Somebody else used the reference at the rail, and our first answer was lost.
    let foreign = world.pay("b", 20).order;
    world.bench.open().perform(&foreign);
    let ours = world.pay("b", 21);
    world.outbox.record_all(std::slice::from_ref(&ours), NOON, NOON).unwrap();
    world.executor.sweep(10).unwrap();
    let state = world.executor.state(&ours.order.reference).unwrap();
    assert_eq!(state, EffectState::Final(Verdict::Refused(Refusal::ReferenceReused)));
}

#[test]
fn an_unknown_rail_or_effect_is_an_error_and_holds_nobody_up() {
    let world = World::new(FaultPlan::Never);
    let mut lost = world.pay("lost", 10);
    lost.rail = name("closed bank");
    let error = world.executor.submit(&lost).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no rail called `closed bank`; add it to the organisation's configuration"
    );
    assert!(world.outbox.get(&lost.order.reference).unwrap().is_none(), "it was not recorded");
    let unknown = world.executor.state(&lost.order.reference);
    assert!(matches!(unknown, Err(ExecutorError::UnknownEffect(_))));
    // Recorded when the rail still existed:
    world.outbox.record_all(&[lost.clone(), world.pay("good", 10)], NOON, NOON).unwrap();
    let sweep = world.executor.sweep(10).unwrap();
    assert_eq!((sweep.finished, sweep.waiting), (1, 0));
    assert!(matches!(
        sweep.failed.as_slice(),
        [(reference, ExecutorError::UnknownRail(_))] if *reference == lost.order.reference
    ));
}

#[test]
fn a_batch_answers_for_each_effect() {
    let world = World::faults(&[None, Some(Fault::RequestLost)]);
    world.executor.submit(&world.pay("known", 1)).unwrap();
    let mut nowhere = world.pay("nowhere", 5);
    nowhere.rail = name("nowhere");
    let batch = [
        world.pay("lost", 2),
        nowhere,
        world.pay("good", 3),
        world.pay("known", 1),
        world.pay("known", 9),
        world.pay("good", 3),
        world.pay("nothing", 0),
    ];
    let answers = world.executor.submit_all(&batch).unwrap();
    let [lost, nowhere, good, known, other, again, nothing] = answers.as_slice() else {
        panic!("seven answers expected: {answers:?}");
    };
    assert!(matches!(lost, Ok(EffectState::Open)));
    assert!(matches!(nowhere, Err(ExecutorError::UnknownRail(_))));
    assert!(matches!(good, Ok(EffectState::Final(Verdict::Done(_)))));
    assert!(matches!(known, Ok(EffectState::Final(Verdict::Done(_)))));
    assert!(matches!(other, Err(ExecutorError::OtherEffect(_))));
    assert_eq!(again.as_ref().unwrap(), good.as_ref().unwrap());
    let zero = EffectState::Final(Verdict::Refused(Refusal::AmountZero));
    assert_eq!(nothing.as_ref().unwrap(), &zero);
    assert!(world.executor.submit_all(&[]).unwrap().is_empty());
}

#[test]
fn eight_threads_with_one_effect_move_money_once() {
    let world = World::new(FaultPlan::Seeded { seed: 5, per_mille: 300 });
    let effect = world.pay("a", 10);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                world.executor.submit(&effect).unwrap();
                for _ in 0..20 {
                    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MAX);
                    world.executor.sweep(10).unwrap();
                }
            });
        }
    });
    assert!(world.is_done(&effect));
    let balance = world.bench.bank().balance(world.bench.rich).unwrap();
    assert_eq!(balance.booked, yuan(999_990));
}

#[test]
fn a_final_word_is_handed_on_until_it_is_marked_as_reported() {
    let world = World::faults(&[None, None, Some(Fault::RequestLost)]);
    let effects = [world.pay("a", 1), world.pay("b", 2), world.pay("c", 3)];
    world.executor.submit_all(&effects).unwrap();
    let references = |records: Vec<adapters::effect::OutboxRecord>| -> Vec<Reference> {
        records.into_iter().map(|record| record.effect.order.reference).collect()
    };
    let unreported = || references(world.executor.unreported(10).unwrap());
    assert_eq!(unreported(), [reference("a"), reference("b")]);
    assert_eq!(unreported(), [reference("a"), reference("b")], "until it is marked");
    // All or none: the third has no final word.
    let all = [reference("a"), reference("b"), reference("c")];
    assert!(world.executor.mark_reported(&all).is_err());
    assert_eq!(unreported().len(), 2);
    world.executor.mark_reported(&all[..1]).unwrap();
    assert_eq!(unreported(), [reference("b")]);
    assert_eq!(references(world.executor.unreported(0).unwrap()), []);
}

#[test]
fn the_outbox_keeps_one_verdict_and_only_what_it_has() {
    let outbox = SqliteOutbox::open(&Place::Memory).unwrap();
    let world = World::new(FaultPlan::Never);
    let effect = world.pay("a", 1);
    let recorded = outbox.record_all(&[effect.clone(), effect.clone()], NOON, NOON).unwrap();
    assert!(matches!(recorded.as_slice(), [Recorded::New, Recorded::Known(_)]));
    let done = |at| {
        let rail_reference = String::from("x");
        Verdict::Done(Done { rail_reference, amount: yuan(1), at: Timestamp::from_millis(at) })
    };
    let (known, unknown) = (effect.order.reference, reference("unknown"));
    outbox.finish_all(&[(known, done(1))]).unwrap();
    outbox.finish_all(&[(known, done(1))]).unwrap();
    let other = outbox.finish_all(&[(known, done(2))]);
    assert!(matches!(other, Err(OutboxError::OtherVerdict(r)) if r == known));
    let no_record = outbox.finish_all(&[(unknown, done(1))]);
    assert!(matches!(no_record, Err(OutboxError::NoRecord(r)) if r == unknown));
    assert!(matches!(outbox.note_attempt(&unknown, NOON), Err(OutboxError::NoRecord(_))));
    assert!(matches!(outbox.mark_reported(&[unknown]), Err(OutboxError::NoRecord(_))));
    // An attempt on a final record changes nothing.
    outbox.note_attempt(&known, NOON).unwrap();
    let record = outbox.get(&known).unwrap().unwrap();
    assert_eq!((record.attempts, record.state), (1, EffectState::Final(done(1))));
    assert!(outbox.due(NOON, 10).unwrap().is_empty());
}

#[test]
fn outbox_and_statement_are_compared_line_by_line() {
    let world = World::faults(&[None, None, Some(Fault::AnswerLost)]);
    let effects = [world.pay("a", 10), world.pay("b", 20), world.pay("late answer", 30)];
    world.executor.submit_all(&effects).unwrap();
    world.executor.submit(&world.refund("r", "a", 4)).unwrap();
    let day = NOON.day(CHINA);
    let compare = || world.executor.reconcile(&name("bank"), day, CHINA).unwrap();
    let first = compare();
    assert_eq!((first.lines, first.collected, first.refunded), (4, yuan(60), yuan(4)));
    let [Difference::StillOpen(line)] = first.differences.as_slice() else {
        panic!("{:?}", first.differences);
    };
    assert_eq!(line.reference, reference("late answer"));
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MIN);
    world.executor.sweep(10).unwrap();
    assert_eq!(compare().differences, []);
    // Somebody went past the outbox:
    world.bench.open().perform(&world.pay("past the outbox", 5).order);
    assert!(matches!(
        compare().differences.as_slice(),
        [Difference::OnlyAtRail(line)] if line.reference == reference("past the outbox")
    ));
    let tomorrow = world.executor.reconcile(&name("bank"), day.plus_days(1).unwrap(), CHINA);
    assert_eq!(tomorrow.unwrap().lines, 0);
    assert!(world.executor.reconcile(&name("nowhere"), day, CHINA).is_err());
}

/// A statement that is not what the rail said.
struct Misstated(Arc<dyn Rail>);

impl Rail for Misstated {
    fn name(&self) -> &str {
        "misstated"
    }
    fn style(&self) -> Style {
        self.0.style()
    }
    fn currency(&self) -> Currency {
        self.0.currency()
    }
    fn perform(&self, order: &Order) -> Outcome {
        self.0.perform(order)
    }
    fn query(&self, reference: &Reference) -> Answer {
        self.0.query(reference)
    }
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        let mut lines = self.0.reconcile(day)?;
        let Some(mut first) = lines.drain(..).next() else {
            return Err(RailUnavailable);
        };
        let mut refused = first.clone();
        first.amount = yuan(11);
        refused.reference = reference("refused");
        Ok(vec![first, refused])
    }
}

#[test]
fn a_statement_that_says_something_else_than_the_rail_did_is_found_out() {
    let bench = BankBench::new(Style::PayAndRefund);
    let rail: Arc<dyn Rail> = Arc::new(Misstated(bench.open()));
    let outbox = Arc::new(SqliteOutbox::open(&Place::Memory).unwrap());
    let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let executor = Executor::new(BTreeMap::from([(name("bank"), rail)]), outbox, clock);
    let day = NOON.day(CHINA);
    assert!(executor.reconcile(&name("bank"), day, CHINA).is_err(), "no statement");
    for (tag, amount) in [("a", 10), ("b", 20), ("refused", 0)] {
        let action = Action::Pay { from: bench.payer(), amount: yuan(amount) };
        let order = Order { reference: reference(tag), action };
        executor.submit(&Effect { rail: name("bank"), order }).unwrap();
    }
    let found = executor.reconcile(&name("bank"), day, CHINA).unwrap().differences;
    let [Difference::Amount { said, .. }, Difference::NotDone(line), missing] = found.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!((*said, line.reference), (yuan(10), reference("refused")));
    let expected = Difference::OnlyInOutbox { reference: reference("b"), amount: yuan(20) };
    assert_eq!(missing, &expected);
}

#[test]
fn orders_on_a_rail_that_was_removed_do_not_keep_the_others_from_being_swept() {
    let world = World::faults(&[Some(Fault::AnswerLost)]);
    let removed: Vec<Effect> = (0..3)
        .map(|number| Effect { rail: name("gone"), ..world.pay(&format!("gone {number}"), 1) })
        .collect();
    // They were recorded when the rail was still there.
    world.outbox.record_all(&removed, NOON, NOON).unwrap();
    let effect = world.pay("a", 10);
    assert_eq!(world.executor.submit(&effect).unwrap(), EffectState::Open);
    world.bench.clock.advance_millis(RETRY_MILLISECONDS_MIN);
    let sweep = world.executor.sweep(3).unwrap();
    assert_eq!((sweep.failed.len(), sweep.finished), (3, 0));
    assert!(matches!(sweep.failed[0].1, ExecutorError::UnknownRail(_)));
    assert_eq!(world.executor.sweep(3).unwrap().finished, 1);
    assert!(world.is_done(&effect));
}
