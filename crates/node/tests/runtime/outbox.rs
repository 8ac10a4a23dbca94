//! Payments outside: each happens once, and the ledger hears what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use adapters::clock::Clock;
use adapters::effect::RailName;
use adapters::rail::card::{BindCard, CardBinding};
use adapters::rail::counter::{Clerk, Counter, Taking};
use adapters::rail::fault::{FaultPlan, FaultyRail};
use adapters::rail::sandbox_bank::{NewCustomer, SandboxBank, SandboxBankConfig};
use adapters::rail::{
    Action, Answer, Movement, Order, Outcome, Rail, RailUnavailable, Reference, Refusal,
    StatementLine, Style, Token, Verdict,
};
use adapters::sqlite::Place as Books;
use ledger::kernel::account::{self, Account};
use ledger::kernel::effect::EffectAction::Refund;
use ledger::kernel::effect::{EffectResult, EffectStatus};
use ledger::kernel::posting;
use ledger::modules::visit::view;
use node::NodeHandle;
use node::outbox::{
    Authorisation, Note, OpenReason, Outbox, OutboxConfig, StepReport, refusal_code,
};
use primitives::{Amount, CivilDate, Currency, Hash, Timestamp, UtcOffset, codec, sha256};

use crate::visits::{Desk, effect_of};
use crate::world::{DAY, Place, REGION, key, organisation};

fn yuan(yuan: u64) -> Amount {
    Amount::from_minor(yuan * 100)
}

/// A hospital with a bank and a till, and a patient with a card and money.
struct Hospital {
    place: Place,
    style: Style,
}

impl Hospital {
    fn new(style: Style) -> Self {
        let hospital = Self { place: Place::new(), style };
        let node = hospital.place.driven();
        hospital.desk(&node).prepare();
        hospital
    }

    fn desk<'a>(&self, node: &'a NodeHandle) -> Desk<'a> {
        let number = node.view().tip.height * 100;
        Desk { node, now: self.place.clock.now(), number }
    }

    fn books(&self, name: &str) -> Books {
        Books::File(self.place.folder.path().join(name))
    }

    fn bank(&self) -> Arc<SandboxBank> {
        let config = SandboxBankConfig::new(Currency::CNY, self.style, 7);
        let clock: Arc<dyn Clock> = self.place.clock.clone();
        Arc::new(SandboxBank::open(&self.books("bank.sqlite"), config, clock).unwrap())
    }

    /// A card with so much money.
    fn card(&self, holder: &str, money: u64) -> Token {
        let bank = self.bank();
        let new = NewCustomer { holder: holder.to_owned(), opening: yuan(money) };
        let customer = bank.open_accounts(&[new]).unwrap().remove(0);
        let bind = BindCard {
            reference: Reference(sha256(holder.as_bytes())),
            number: customer.card,
            holder_name: holder.to_owned(),
        };
        bank.rail(organisation("hospital")).bind_card(&bind).unwrap().token
    }

    fn counter(&self) -> Arc<Counter> {
        let clock: Arc<dyn Clock> = self.place.clock.clone();
        Arc::new(
            Counter::open(&self.books("counter.sqlite"), Currency::CNY, UtcOffset(480), clock)
                .unwrap(),
        )
    }

    fn config(&self, bank: Arc<dyn Rail>, clock: Arc<dyn Clock>) -> OutboxConfig {
        let name = |name| RailName::new(name).unwrap();
        OutboxConfig {
            organisation: organisation("hospital"),
            book: self.books("book.sqlite"),
            outbox: self.books("outbox.sqlite"),
            rails: BTreeMap::from([
                (name("bank"), bank),
                (name("counter"), self.counter() as Arc<dyn Rail>),
            ]),
            clerk_rails: BTreeSet::from([name("counter")]),
            clock,
            key: key("hospital"),
            is_after_loss: false,
        }
    }

    fn outbox(&self, node: &NodeHandle) -> Outbox {
        let bank = Arc::new(self.bank().rail(organisation("hospital")));
        Outbox::open(node.clone(), self.config(bank, self.place.clock.clone())).unwrap()
    }

    /// The money that the bank moved for the hospital today, by our reference.
    fn statement(&self) -> Vec<StatementLine> {
        let today = self.place.clock.now().day(UtcOffset(480));
        self.bank().rail(organisation("hospital")).reconcile(today).unwrap()
    }

    /// Bank and ledger say the same about the hospital's rail.
    fn assert_same(&self, node: &NodeHandle) {
        let rail = Account::Rail(account::Books::of(organisation("hospital"), REGION));
        let balance = posting::balance(&node.view().state, &rail);
        let bank = self.bank().organisation_balance(organisation("hospital")).unwrap();
        assert_eq!(balance, -i128::from(bank.minor()));
    }
}

fn authorisation(rail: &str, note: Note) -> Authorisation {
    Authorisation { rail: RailName::new(rail).unwrap(), note, salt: sha256(b"salt") }
}

fn later(from: &Token) -> Authorisation {
    authorisation("bank", Note::Later { from: from.clone() })
}

fn status(node: &NodeHandle, effect: &Hash) -> EffectStatus {
    view::effect(&node.view().state, effect).unwrap().status
}

/// Steps until nothing is left to do.
fn settle_down(outbox: &Outbox) {
    while outbox.step().unwrap() != StepReport::default() {}
}

#[test]
fn money_is_held_captured_and_partly_given_back_and_the_ledger_hears_of_all_of_it() {
    let hospital = Hospital::new(Style::HoldAndCapture);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 1_000);
    let hold = Reference::of_authorisation(&primitives::VisitId([1; 16]), 0);
    let expires_at = hospital.place.clock.now().plus_millis(3_600_000);
    let action = Action::Hold { from: card, amount: yuan(150), expires_at };
    let held =
        hospital.bank().rail(organisation("hospital")).perform(&Order { reference: hold, action });
    assert!(matches!(held, Outcome::Final(Verdict::Done(_))));
    let note = Note::Held { reference: hold, amount: yuan(150) };
    let commitment = outbox.record_authorisation(&authorisation("bank", note)).unwrap();

    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    let effect = effect_of(&settled);
    assert_eq!(status(&node, &effect), EffectStatus::Pending);
    assert_eq!(outbox.open_count().unwrap(), 0, "it was not looked at yet");
    let report = outbox.step().unwrap();
    assert_eq!(report, StepReport { taken: 1, ordered: 1, finished: 1, told: 1, lag: 1 });
    assert_eq!(status(&node, &effect), EffectStatus::Done);
    assert_eq!(outbox.step().unwrap(), StepReport::default());
    hospital.assert_same(&node);

    let refunded = hospital.desk(&node).refund_half(&settled);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&refunded)), EffectStatus::Done);
    let lines: Vec<_> =
        hospital.statement().iter().map(|line| (line.movement, line.amount)).collect();
    assert_eq!(lines, [(Movement::Collected, yuan(150)), (Movement::Refunded, yuan(75))]);
    hospital.assert_same(&node);
    assert_eq!(outbox.open_count().unwrap(), 0);
}

#[test]
fn the_settlement_in_force_is_the_one_of_the_last_receipt_that_changed_it() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 1_000);
    let commitment = outbox.record_authorisation(&later(&card)).unwrap();
    let visit = |number: u8| primitives::VisitId([number; 16]);
    assert_eq!(node.settlement(visit(1)).unwrap(), None);
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    let record = |receipt: &ledger::Receipt| -> Option<ledger::modules::visit::SettlementRecord> {
        Some(codec::decode(&receipt.witness).unwrap())
    };
    assert_eq!(node.settlement(visit(1)).unwrap(), record(&settled));
    settle_down(&outbox);
    let refunded = hospital.desk(&node).refund_half(&settled);
    assert_eq!(node.settlement(visit(1)).unwrap(), record(&refunded));
    assert_ne!(record(&refunded), record(&settled));
    assert_eq!(node.settlement(visit(2)).unwrap(), None);
    drop((outbox, node));
    let node = hospital.place.driven();
    assert_eq!(node.settlement(visit(1)).unwrap(), record(&refunded));
}

#[test]
fn what_was_paid_before_is_not_taken_again_and_too_much_goes_back() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 1_000);
    let reference = Reference::of_authorisation(&primitives::VisitId([1; 16]), 0);
    let action = Action::Pay { from: card.clone(), amount: yuan(200) };
    hospital.bank().rail(organisation("hospital")).perform(&Order { reference, action });
    let note = Note::Paid { reference, from: card, amount: yuan(200) };
    let paid = authorisation("bank", note);
    let commitment = outbox.record_authorisation(&paid).unwrap();
    assert_eq!(outbox.record_authorisation(&paid).unwrap(), commitment);

    let first = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    // A second settlement that names the same payment gets nothing from it.
    let second = hospital.desk(&node).settle(2, 15_000, "bank", commitment);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&first)), EffectStatus::Done);
    assert_eq!(status(&node, &effect_of(&second)), EffectStatus::Pending);
    let lines: Vec<_> =
        hospital.statement().iter().map(|line| (line.movement, line.amount)).collect();
    assert_eq!(lines, [(Movement::Collected, yuan(200)), (Movement::Refunded, yuan(50))]);
    hospital.assert_same(&node);
    let [open] = &outbox.worklist(9).unwrap()[..] else { panic!("one waits") };
    let OpenReason::Stuck(words) = &open.reason else { panic!("{:?}", open.reason) };
    assert_eq!(words, "the payment was used for another settlement already");
}

#[test]
fn a_refused_payment_is_a_claim_and_can_be_ordered_again() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let (poor, rich) = (hospital.card("Poor Test", 5), hospital.card("Rich Test", 1_000));
    let commitment = outbox.record_authorisation(&later(&poor)).unwrap();
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&settled)), EffectStatus::Failed);
    assert_eq!(hospital.statement(), []);
    let told = node.receipt_at(node.view().tip.log.size() - 1).unwrap().unwrap();
    assert_eq!(told.events[0].name, "payment_failed");
    let block = node.block(told.record.height).unwrap().unwrap();
    let body: ledger::modules::visit::ConfirmEffect =
        codec::decode(&block.transactions[0].content.body).unwrap();
    let reason = refusal_code(Refusal::InsufficientFunds);
    assert_eq!(body.result, EffectResult::Failed { reason });

    let commitment = outbox.record_authorisation(&later(&rich)).unwrap();
    let again = hospital.desk(&node).retry(effect_of(&settled), "bank", commitment);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&again)), EffectStatus::Done);
    assert_eq!(hospital.statement().len(), 1);
    hospital.assert_same(&node);
}

#[test]
fn cash_is_paid_at_the_till_and_handed_out_by_a_clerk() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let (counter, clerk) = (hospital.counter(), "anna".parse::<Clerk>().unwrap());
    counter.open_shift(&clerk, yuan(100)).unwrap();
    let reference = Reference::of_authorisation(&primitives::VisitId([1; 16]), 0);
    let (due, tendered) = (yuan(150), yuan(200));
    let taking = Taking { reference, clerk: clerk.clone(), due, tendered };
    assert_eq!(counter.take_money(&taking).unwrap().change, yuan(50));
    let note = Note::Paid { reference, from: clerk.till(), amount: due };
    let commitment = outbox.record_authorisation(&authorisation("counter", note)).unwrap();
    let settled = hospital.desk(&node).settle(1, 15_000, "counter", commitment);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&settled)), EffectStatus::Done);

    let refund = effect_of(&hospital.desk(&node).refund_half(&settled));
    settle_down(&outbox);
    assert_eq!(status(&node, &refund), EffectStatus::Pending);
    let [waiting] = &outbox.worklist(9).unwrap()[..] else { panic!("one waits") };
    assert_eq!((waiting.reference, &waiting.reason), (refund, &OpenReason::Clerk));
    assert_eq!(waiting.effect.amount, yuan(75));
    outbox.hand_out(&refund, &clerk.till()).unwrap();
    assert!(outbox.hand_out(&refund, &clerk.till()).is_err(), "it does not wait any more");
    settle_down(&outbox);
    assert_eq!(status(&node, &refund), EffectStatus::Done);
    let float = yuan(100).minor() + yuan(75).minor();
    assert_eq!(counter.open_shift_of(&clerk).unwrap().expected.minor(), float);
}

#[test]
fn change_that_a_short_till_refuses_waits_for_a_clerk_and_goes_back_once() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let (counter, clerk) = (hospital.counter(), "anna".parse::<Clerk>().unwrap());
    counter.open_shift(&clerk, yuan(10)).unwrap();
    let reference = Reference::of_authorisation(&primitives::VisitId([1; 16]), 0);
    let due = yuan(200);
    let taking = Taking { reference, clerk: clerk.clone(), due, tendered: due };
    counter.take_money(&taking).unwrap();
    // A shift ends and the next begins: what was taken lies in the safe.
    let expected = counter.open_shift_of(&clerk).unwrap().expected;
    counter.close_shift(&clerk, expected, None).unwrap();
    counter.open_shift(&clerk, yuan(10)).unwrap();
    let note = Note::Paid { reference, from: clerk.till(), amount: due };
    let commitment = outbox.record_authorisation(&authorisation("counter", note)).unwrap();
    let settled = effect_of(&hospital.desk(&node).settle(1, 15_000, "counter", commitment));
    settle_down(&outbox);
    assert_eq!(status(&node, &settled), EffectStatus::Done);

    for _ in 0..2 {
        let [waiting] = &outbox.worklist(9).unwrap()[..] else { panic!("one waits") };
        assert_eq!((waiting.reference, &waiting.reason), (settled, &OpenReason::Clerk));
        assert_eq!((waiting.effect.action, waiting.effect.amount), (Refund, yuan(50)));
        let backlog = outbox.backlog().unwrap();
        assert_eq!((backlog.open, backlog.for_clerk, backlog.stuck), (1, 1, 0));
        // The till is still short.
        outbox.hand_out(&settled, &clerk.till()).unwrap();
        assert!(outbox.hand_out(&settled, &clerk.till()).is_err(), "it does not wait any more");
        settle_down(&outbox);
    }
    counter.add_change(Reference(sha256(b"safe")), &clerk, yuan(45)).unwrap();
    outbox.hand_out(&settled, &clerk.till()).unwrap();
    // A process that dies here goes on.
    drop(outbox);
    let outbox = hospital.outbox(&node);
    settle_down(&outbox);
    assert!(outbox.is_idle().unwrap());
    assert_eq!(outbox.worklist(9).unwrap(), []);
    assert_eq!(counter.open_shift_of(&clerk).unwrap().expected, yuan(5));
}

#[test]
fn what_cannot_be_driven_waits_for_a_person_and_goes_on_afterwards() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 1_000);
    let unknown = later(&card);
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", unknown.commitment());
    let other = hospital.desk(&node).settle(2, 15_000, "cheques", unknown.commitment());
    settle_down(&outbox);
    let words: Vec<String> = outbox
        .worklist(9)
        .unwrap()
        .into_iter()
        .map(|open| match open.reason {
            OpenReason::Stuck(words) => words,
            reason => panic!("{reason:?}"),
        })
        .collect();
    assert!(words[0].contains("no record of the payment"), "{}", words[0]);
    assert!(words[1].contains("has no rail of this name"), "{}", words[1]);
    assert_eq!(outbox.open_count().unwrap(), 2);
    outbox.record_authorisation(&unknown).unwrap();
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&settled)), EffectStatus::Done);
    assert_eq!(status(&node, &effect_of(&other)), EffectStatus::Pending);
    assert_eq!(hospital.statement().len(), 1);
}

#[test]
fn what_the_bureau_took_over_is_not_executed_any_more() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 1_000);
    let commitment = outbox.record_authorisation(&later(&card)).unwrap();
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    hospital.place.clock.advance_millis(DAY);
    let taken_over = hospital.desk(&node).take_over(effect_of(&settled));
    assert_eq!(taken_over.effects[0].executor, organisation("bureau"));
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&settled)), EffectStatus::Replaced);
    assert_eq!(status(&node, &effect_of(&taken_over)), EffectStatus::Pending);
    assert_eq!(hospital.statement(), [], "no rail was told");
    assert_eq!(outbox.open_count().unwrap(), 0);
}

#[test]
fn a_thread_of_its_own_does_the_same_while_the_node_runs() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let (node, _) = hospital.place.open();
    let outbox = Arc::new(hospital.outbox(&node));
    let card = hospital.card("Rich Test", 1_000);
    let commitment = outbox.record_authorisation(&later(&card)).unwrap();
    let blocks = node.subscribe();
    let running = Arc::clone(&outbox).start().unwrap();
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment);
    let effect = effect_of(&settled);
    while status(&node, &effect) == EffectStatus::Pending {
        blocks.next_block_within(Duration::from_secs(60)).expect("the outbox tells the ledger");
    }
    drop(running);
    assert_eq!(status(&node, &effect), EffectStatus::Done);
    assert_eq!(hospital.statement().len(), 1);
}

#[test]
fn a_line_that_loses_doubles_and_delays_moves_no_money_twice() {
    for seed in 0..12 {
        let hospital = Hospital::new(Style::PayAndRefund);
        let node = hospital.place.driven();
        let bank = hospital.bank().rail(organisation("hospital"));
        let line =
            Arc::new(FaultyRail::new(Arc::new(bank), FaultPlan::Seeded { seed, per_mille: 600 }));
        let config = hospital.config(line.clone(), hospital.place.clock.clone());
        let outbox = Outbox::open(node.clone(), config).unwrap();
        let (poor, rich) = (hospital.card("Poor Test", 5), hospital.card("Rich Test", 1_000));
        let mut effects = Vec::new();
        for visit in 1..=6 {
            let card = if visit == 3 { &poor } else { &rich };
            let mut note = later(card);
            note.salt = sha256(&[visit]);
            let commitment = outbox.record_authorisation(&note).unwrap();
            effects.push(effect_of(&hospital.desk(&node).settle(visit, 1_000, "bank", commitment)));
            outbox.step().unwrap();
        }
        let mut rounds = 0;
        while outbox.open_count().unwrap() > 0 {
            hospital.place.clock.advance_millis(20_000);
            outbox.step().unwrap();
            rounds += 1;
            assert!(rounds < 500, "seed {seed}: nothing stays unknown");
        }
        line.calm();
        let statuses: Vec<_> = effects.iter().map(|effect| status(&node, effect)).collect();
        let failed = statuses.iter().filter(|status| **status == EffectStatus::Failed).count();
        assert_eq!((failed, statuses[2]), (1, EffectStatus::Failed), "seed {seed}");
        let references: BTreeSet<_> =
            hospital.statement().iter().map(|line| line.reference).collect();
        assert_eq!((references.len(), hospital.statement().len()), (5, 5), "seed {seed}");
        hospital.assert_same(&node);
    }
}

/// A process that dies after so many more calls.
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

/// A clock and a rail in a process that may die at every call.
struct Mortal<T>(Arc<Life>, T);

impl Clock for Mortal<Arc<dyn Clock>> {
    fn now(&self) -> Timestamp {
        self.0.step();
        self.1.now()
    }
}

impl Rail for Mortal<Arc<dyn Rail>> {
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
        self.0.step();
        let outcome = self.1.perform(order);
        self.0.step();
        outcome
    }
    fn query(&self, reference: &Reference) -> Answer {
        self.0.step();
        self.1.query(reference)
    }
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.1.reconcile(day)
    }
}

#[test]
fn wherever_the_process_dies_every_payment_happens_once_and_the_ledger_hears_of_it() {
    let mut crashes = 0;
    for calls in 0..40 {
        let hospital = Hospital::new(Style::PayAndRefund);
        let node = hospital.place.driven();
        let card = hospital.card("Rich Test", 1_000);
        let mut effects = Vec::new();
        let life = Arc::new(Life(AtomicI64::new(calls)));
        let clock: Arc<dyn Clock> = hospital.place.clock.clone();
        let bank: Arc<dyn Rail> = Arc::new(hospital.bank().rail(organisation("hospital")));
        let mortal = Arc::new(Mortal(Arc::clone(&life), bank));
        let config = hospital.config(mortal, Arc::new(Mortal(life, clock)));
        let outbox = Outbox::open(node.clone(), config).unwrap();
        let commitment = outbox.record_authorisation(&later(&card)).unwrap();
        let mut settled = Vec::new();
        for visit in 1..=3 {
            settled.push(hospital.desk(&node).settle(visit, 1_000, "bank", commitment));
        }
        effects.extend(settled.iter().map(effect_of));
        let died = catch_unwind(AssertUnwindSafe(|| settle_down(&outbox))).is_err();
        crashes += u32::from(died);
        drop(outbox);
        drop(node);

        let node = hospital.place.driven();
        let outbox = hospital.outbox(&node);
        let mut rounds = 0;
        loop {
            settle_down(&outbox);
            let is_pending = |effect: &Hash| status(&node, effect) == EffectStatus::Pending;
            if !effects.iter().any(is_pending) {
                break;
            }
            hospital.place.clock.advance_millis(20_000);
            rounds += 1;
            assert!(rounds < 100, "after {calls} calls an effect stays open");
        }
        assert_eq!(hospital.statement().len(), 3, "after {calls} calls");
        hospital.assert_same(&node);
        assert_eq!(outbox.open_count().unwrap(), 0);
    }
    assert!(crashes > 15, "{crashes} crashes fell into the work");
}

#[test]
fn a_word_that_the_ledger_refuses_leaves_no_receipts_and_is_told_once_it_may_be() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let bank = || Arc::new(hospital.bank().rail(organisation("hospital")));
    let mut config = hospital.config(bank(), hospital.place.clock.clone());
    config.key = key("a key without the scope");
    let outbox = Outbox::open(node.clone(), config).unwrap();
    let commitment = outbox.record_authorisation(&later(&hospital.card("Rich Test", 1_000)));
    let settled = hospital.desk(&node).settle(1, 15_000, "bank", commitment.unwrap());
    settle_down(&outbox);
    let receipts = node.view().tip.log.size();
    for _ in 0..500 {
        hospital.place.clock.advance_millis(30_000);
        settle_down(&outbox);
    }
    assert_eq!(node.view().tip.log.size(), receipts);
    assert_eq!(hospital.statement().len(), 1, "the bank did it all the same");
    let [open] = &outbox.worklist(9).unwrap()[..] else { panic!("one waits") };
    assert_eq!(open.reference, effect_of(&settled));
    let OpenReason::Stuck(words) = &open.reason else { panic!("{:?}", open.reason) };
    assert!(words.contains("key"), "{words}");
    let backlog = outbox.backlog().unwrap();
    assert_eq!((backlog.open, backlog.stuck, backlog.at_rails), (1, 1, 0));
    drop(outbox);
    let outbox = hospital.outbox(&node);
    settle_down(&outbox);
    assert_eq!(status(&node, &effect_of(&settled)), EffectStatus::Done);
    assert!(outbox.is_idle().unwrap());
    assert_eq!(outbox.worklist(9).unwrap(), []);
}

#[test]
fn the_pause_before_a_refused_word_is_told_again_grows_up_to_an_hour() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let bank = Arc::new(hospital.bank().rail(organisation("hospital")));
    let mut config = hospital.config(bank, hospital.place.clock.clone());
    config.key = key("a key without the scope");
    let outbox = Outbox::open(node.clone(), config).unwrap();
    let commitment = outbox.record_authorisation(&later(&hospital.card("Rich Test", 1_000)));
    hospital.desk(&node).settle(1, 15_000, "bank", commitment.unwrap());
    settle_down(&outbox);
    let database = rusqlite::Connection::open(hospital.place.folder.path().join("book.sqlite"));
    let database = database.unwrap();
    let pause = || {
        let next: i64 =
            database.query_row("SELECT next_look_at FROM effect", [], |row| row.get(0)).unwrap();
        u64::try_from(next).unwrap() - hospital.place.clock.now().millis()
    };
    let mut pauses = vec![pause()];
    for _ in 0..12 {
        hospital.place.clock.advance_millis(pause());
        settle_down(&outbox);
        pauses.push(pause());
    }
    assert_eq!(pauses[..4], [5_000, 10_000, 20_000, 40_000]);
    assert_eq!(pauses[10..], [3_600_000; 3]);
}

#[test]
fn an_outbox_that_is_behind_says_so_and_catches_up_in_one_step() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let card = hospital.card("Rich Test", 100_000);
    settle_down(&outbox);
    assert!(outbox.is_idle().unwrap());
    let before = node.view().tip.log.size();
    let mut desk = hospital.desk(&node);
    let mut effects = Vec::new();
    for visit in 0..=255 {
        let mut note = later(&card);
        note.salt = sha256(&[visit]);
        let commitment = outbox.record_authorisation(&note).unwrap();
        let settled = desk.settle(visit, 1_000, "bank", commitment);
        effects.push(effect_of(&settled));
    }
    let behind = node.view().tip.log.size() - before;
    assert_eq!((outbox.lag(), outbox.open_count().unwrap()), (behind, 0));
    assert!(!outbox.is_idle().unwrap(), "nothing was taken yet");
    let report = outbox.step().unwrap();
    let all = StepReport { taken: 256, ordered: 256, finished: 256, told: 256, lag: 256 };
    assert_eq!(report, all, "the 256 confirmations are new receipts");
    assert_eq!(outbox.step().unwrap(), StepReport::default());
    assert!(outbox.is_idle().unwrap());
    assert!(effects.iter().all(|effect| status(&node, effect) == EffectStatus::Done));
}

#[test]
fn an_outbox_that_knows_more_receipts_than_the_ledger_is_refused() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let commitment = outbox.record_authorisation(&later(&hospital.card("Rich Test", 1_000)));
    hospital.desk(&node).settle(1, 15_000, "bank", commitment.unwrap());
    settle_down(&outbox);
    drop((outbox, node));
    // The same ledger, begun anew elsewhere: what a lost node folder leaves.
    let place = Place::new();
    let node = place.driven();
    let bank = Arc::new(hospital.bank().rail(organisation("hospital")));
    let config = hospital.config(bank, hospital.place.clock.clone());
    let error = Outbox::open(node, config).err().unwrap().to_string();
    assert!(error.contains("blocks that were acknowledged are missing"), "{error}");
}

#[test]
fn an_outbox_without_a_rail_that_it_paid_over_is_refused() {
    let hospital = Hospital::new(Style::PayAndRefund);
    let node = hospital.place.driven();
    let outbox = hospital.outbox(&node);
    let commitment = outbox.record_authorisation(&later(&hospital.card("Rich Test", 1_000)));
    hospital.desk(&node).settle(1, 15_000, "bank", commitment.unwrap());
    settle_down(&outbox);
    drop(outbox);
    let without = |rail: &str| {
        let bank = Arc::new(hospital.bank().rail(organisation("hospital")));
        let mut config = hospital.config(bank, hospital.place.clock.clone());
        config.rails.retain(|name, _| **name != *rail);
        Outbox::open(node.clone(), config).err().map(|error| error.to_string())
    };
    assert_eq!(without("counter"), None, "nothing was paid over it");
    let words = without("bank").unwrap();
    assert!(words.contains("the rail `bank`") && words.contains("rails.toml"), "{words}");
}
