//! The sandbox bank: cards, limits, balances, organisations apart, and books that can be checked.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;

use adapters::{
    clock::{Clock, ManualClock},
    rail::{
        Action, Answer, Order, Outcome, Rail, Reference, Refusal, Style, Token, Verdict,
        card::{BindCard, BindCardError, BoundCard, CardBinding, CardNumber},
        conformance::Bench,
        counter::Counter,
        sandbox_bank::{
            BankError, CUSTOMERS_PER_CALL_MAX, Customer, NewCustomer, SANDBOX_CARD_PREFIX,
            SandboxBank, SandboxBankConfig, SandboxRail,
        },
    },
    sqlite::{Place, StoreError},
};
use primitives::{Amount, Currency, OrganisationId};
use support::{BankBench, CHINA, NOON, hospital, reference, yuan};

struct World {
    bank: Arc<SandboxBank>,
    clock: Arc<ManualClock>,
    rail: SandboxRail,
}

impl World {
    fn new(style: Style) -> Self {
        Self::with(SandboxBankConfig::new(Currency::CNY, style, 3))
    }

    fn with(config: SandboxBankConfig) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let dyn_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let bank = Arc::new(SandboxBank::open(&Place::Memory, config, dyn_clock).unwrap());
        let rail = bank.rail(hospital());
        Self { bank, clock, rail }
    }

    fn customer(&self, holder: &str, opening: Amount) -> Customer {
        let new = NewCustomer { holder: String::from(holder), opening };
        self.bank.open_accounts(&[new]).unwrap().remove(0)
    }

    fn bind(&self, tag: &str, card: &CardNumber, holder: &str) -> Result<BoundCard, BindCardError> {
        self.rail.bind_card(&BindCard {
            reference: reference(tag),
            number: card.clone(),
            holder_name: String::from(holder),
        })
    }

    fn payer(&self, opening: Amount) -> (Customer, Token) {
        let customer = self.customer("Ada Test", opening);
        let token = self.bind("bind", &customer.card, "Ada Test").unwrap().token;
        (customer, token)
    }

    fn pay(&self, tag: &str, from: &Token, amount: Amount) -> Outcome {
        let action = Action::Pay { from: from.clone(), amount };
        self.rail.perform(&Order { reference: reference(tag), action })
    }

    fn hold(&self, tag: &str, from: &Token, amount: Amount) -> Outcome {
        let expires_at = self.clock.now().plus_millis(3_600_000);
        let action = Action::Hold { from: from.clone(), amount, expires_at };
        self.rail.perform(&Order { reference: reference(tag), action })
    }

    fn order(&self, tag: &str, action: Action) -> Outcome {
        self.rail.perform(&Order { reference: reference(tag), action })
    }
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Final(Verdict::Done(_))), "{outcome:?}");
}

#[track_caller]
fn refused(outcome: &Outcome, refusal: Refusal) {
    assert_eq!(outcome, &Outcome::Final(Verdict::Refused(refusal)));
}

#[test]
fn binding_gives_the_same_token_for_the_same_card() {
    let world = World::new(Style::PayAndRefund);
    let customer = world.customer("Ada Test", yuan(10));
    let first = world.bind("a", &customer.card, "Ada Test").unwrap();
    assert_eq!(world.bind("a", &customer.card, "Ada Test"), Ok(first.clone()), "same request");
    assert_eq!(world.bind("b", &customer.card, " Ada Test "), Ok(first.clone()), "new request");
    assert!(customer.card.digits().starts_with(SANDBOX_CARD_PREFIX));
    assert_eq!(first.last_four, customer.card.last_four());
    assert!(!first.token.as_str().contains(&first.last_four));
    // The test authorisation leaves nothing held.
    let balance = world.bank.balance(customer.account).unwrap();
    assert_eq!((balance.booked, balance.held), (yuan(10), Amount::ZERO));
    let other = world.customer("Bob Test", yuan(10));
    assert_ne!(world.bind("c", &other.card, "Bob Test").unwrap().token, first.token);
}

#[test]
fn a_card_is_bound_only_by_its_holder_when_it_is_good() {
    let world = World::new(Style::PayAndRefund);
    let customer = world.customer("Ada Test", yuan(10));
    let empty = world.customer("Eve Test", Amount::ZERO);
    let refused = |tag, card: &CardNumber, holder, refusal| {
        assert_eq!(world.bind(tag, card, holder), Err(BindCardError::Refused(refusal)), "{tag}");
    };
    refused("other holder", &customer.card, "Bob Test", Refusal::HolderMismatch);
    refused("empty account", &empty.card, "Eve Test", Refusal::InsufficientFunds);
    let foreign = CardNumber::from_payload("999000777777777").unwrap();
    refused("unknown card", &foreign, "Ada Test", Refusal::CardUnknown);
    world.bank.set_blocked(&customer.card, true).unwrap();
    refused("blocked", &customer.card, "Ada Test", Refusal::CardBlocked);
    world.bank.set_blocked(&customer.card, false).unwrap();
    refused("blocked", &customer.card, "Ada Test", Refusal::CardBlocked);
    refused("unknown card", &customer.card, "Ada Test", Refusal::ReferenceReused);
    world.bind("good", &customer.card, "Ada Test").unwrap();
    assert!(matches!(world.bank.set_blocked(&foreign, true), Err(BankError::Unknown)));
}

#[test]
fn a_card_that_is_blocked_later_pays_no_more_but_takes_refunds() {
    let world = World::new(Style::PayAndRefund);
    let (customer, token) = world.payer(yuan(100));
    done(&world.pay("a", &token, yuan(30)));
    world.bank.set_blocked(&customer.card, true).unwrap();
    refused(&world.pay("b", &token, yuan(30)), Refusal::CardBlocked);
    let original = reference("a");
    done(&world.order("r", Action::Refund { original, amount: yuan(30), to: None }));
    assert_eq!(world.bank.balance(customer.account).unwrap().booked, yuan(100));
    assert_eq!(world.bank.organisation_balance(hospital()).unwrap(), Amount::ZERO);
}

#[test]
fn a_card_is_good_to_its_last_day_and_then_neither_bound_nor_charged() {
    let world = World::new(Style::PayAndRefund);
    let (customer, token) = world.payer(yuan(100));
    let today = world.clock.now().day(CHINA);
    world.bank.set_last_day(&customer.card, today).unwrap();
    done(&world.pay("a", &token, yuan(30)));
    world.clock.advance_millis(24 * 3_600_000);
    refused(&world.pay("b", &token, yuan(30)), Refusal::CardExpired);
    let again = world.bind("again", &customer.card, "Ada Test");
    assert_eq!(again, Err(BindCardError::Refused(Refusal::CardExpired)));
    let foreign = CardNumber::from_payload("999000777777777").unwrap();
    assert!(matches!(world.bank.set_last_day(&foreign, today), Err(BankError::Unknown)));
}

#[test]
fn card_money_goes_back_to_its_card_only() {
    let world = World::new(Style::PayAndRefund);
    let (_, token) = world.payer(yuan(100));
    done(&world.pay("a", &token, yuan(30)));
    let original = reference("a");
    let to = Some(token.clone());
    refused(
        &world.order("r", Action::Refund { original, amount: yuan(30), to }),
        Refusal::NotSupported,
    );
}

#[test]
fn limits_hold_to_the_minor_unit() {
    let world = World::with(SandboxBankConfig {
        payment_limit: yuan(50),
        daily_limit: yuan(120),
        ..SandboxBankConfig::new(Currency::CNY, Style::PayAndRefund, 3)
    });
    let (customer, token) = world.payer(yuan(150));
    let more = |amount: Amount| amount.checked_add(Amount::from_minor(1)).unwrap();
    refused(&world.pay("a", &token, more(yuan(50))), Refusal::PaymentLimit);
    done(&world.pay("b", &token, yuan(50)));
    done(&world.pay("c", &token, yuan(50)));
    refused(&world.pay("d", &token, more(yuan(20))), Refusal::DailyLimit);
    done(&world.pay("e", &token, yuan(20)));
    refused(&world.pay("f", &token, Amount::from_minor(1)), Refusal::DailyLimit);
    world.clock.advance_millis(24 * 3_600_000);
    refused(&world.pay("g", &token, more(yuan(30))), Refusal::InsufficientFunds);
    done(&world.pay("h", &token, yuan(30)));
    let balance = world.bank.balance(customer.account).unwrap();
    assert_eq!((balance.booked, balance.available()), (Amount::ZERO, Amount::ZERO));
}

#[test]
fn holds_count_against_money_and_day_until_they_end() {
    let world = World::with(SandboxBankConfig {
        daily_limit: yuan(90),
        ..SandboxBankConfig::new(Currency::CNY, Style::HoldAndCapture, 3)
    });
    let (customer, token) = world.payer(yuan(100));
    done(&world.hold("a", &token, yuan(60)));
    let balance = world.bank.balance(customer.account).unwrap();
    assert_eq!((balance.booked, balance.held), (yuan(100), yuan(60)));
    refused(&world.hold("b", &token, yuan(41)), Refusal::InsufficientFunds);
    refused(&world.hold("c", &token, yuan(31)), Refusal::DailyLimit);
    world.clock.advance_millis(3_600_000);
    assert_eq!(world.bank.balance(customer.account).unwrap().held, Amount::ZERO);
    done(&world.hold("d", &token, yuan(80)));
    // A part is captured, the rest is free again at once.
    let capture = Action::Capture { hold: reference("d"), amount: yuan(30) };
    done(&world.order("e", capture));
    let balance = world.bank.balance(customer.account).unwrap();
    assert_eq!((balance.booked, balance.held), (yuan(70), Amount::ZERO));
    done(&world.hold("f", &token, yuan(60)));
}

#[test]
fn two_holds_at_once_do_not_overspend() {
    let world = World::new(Style::HoldAndCapture);
    let (_, token) = world.payer(yuan(100));
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let run = |n: u32| {
            let (world, token) = (&world, &token);
            scope.spawn(move || world.hold(&format!("hold {n}"), token, yuan(60)))
        };
        let threads: Vec<_> = (0..8).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let is_done = |outcome: &&Outcome| matches!(outcome, Outcome::Final(Verdict::Done(_)));
    assert_eq!(outcomes.iter().filter(is_done).count(), 1);
}

#[test]
fn declines_follow_the_seed_and_stay() {
    let config = SandboxBankConfig {
        declined_per_mille: 250,
        ..SandboxBankConfig::new(Currency::CNY, Style::PayAndRefund, 3)
    };
    let run = |config| {
        let world = World::with(config);
        let (_, token) = world.payer(yuan(10_000));
        let pay = |n: u32| world.pay(&format!("pay {n}"), &token, yuan(1));
        let first: Vec<Outcome> = (0..200).map(pay).collect();
        assert_eq!(first, (0..200).map(pay).collect::<Vec<_>>());
        first
    };
    let first = run(config);
    let declined = Outcome::Final(Verdict::Refused(Refusal::Declined));
    let count = first.iter().filter(|outcome| **outcome == declined).count();
    assert!((25..80).contains(&count), "{count} of 200");
    assert_eq!(first, run(config), "same seed");
    assert_ne!(first, run(SandboxBankConfig { seed: 4, ..config }), "other seed");
}

#[test]
fn organisations_see_nothing_of_each_other() {
    let world = World::new(Style::PayAndRefund);
    let (_, token) = world.payer(yuan(100));
    done(&world.pay("a", &token, yuan(10)));
    let pharmacy: OrganisationId = "pharmacy-1".parse().unwrap();
    let other = world.bank.rail(pharmacy);
    assert_eq!(other.query(&reference("a")), Answer::NotFound);
    let action = Action::Pay { from: token, amount: yuan(10) };
    let outcome = other.perform(&Order { reference: reference("a"), action });
    refused(&outcome, Refusal::CardUnknown);
    let action = Action::Refund { original: reference("a"), amount: yuan(10), to: None };
    let outcome = other.perform(&Order { reference: reference("r"), action });
    refused(&outcome, Refusal::OriginalUnknown);
    let day = NOON.day(CHINA);
    assert_eq!(other.reconcile(day).unwrap(), []);
    assert_eq!(world.bank.organisation_balance(pharmacy).unwrap(), Amount::ZERO);
    assert_eq!(world.bank.organisation_balance(hospital()).unwrap(), yuan(10));
}

#[test]
fn deposits_come_once_per_reference() {
    let world = World::new(Style::PayAndRefund);
    let (customer, _) = world.payer(yuan(1));
    let deposit = |amount, tag| world.bank.deposit(customer.account, amount, reference(tag));
    deposit(yuan(5), "d").unwrap();
    deposit(yuan(5), "d").unwrap();
    let other = deposit(yuan(6), "d");
    assert!(matches!(other, Err(BankError::Refused(Refusal::ReferenceReused))));
    let nothing = deposit(Amount::ZERO, "z");
    assert!(matches!(nothing, Err(BankError::Refused(Refusal::AmountZero))));
    let much = deposit(Amount::MAX, "m");
    assert!(matches!(much, Err(BankError::Refused(Refusal::PaymentLimit))));
    assert_eq!(world.bank.balance(customer.account).unwrap().booked, yuan(6));
    assert!(world.bank.books().audit().unwrap().is_sound());
}

#[test]
fn customers_are_taken_in_all_or_none() {
    let world = World::new(Style::PayAndRefund);
    let new = |holder: &str, opening| NewCustomer { holder: String::from(holder), opening };
    let wrong = [new("Ada Test", yuan(1)), new("", yuan(1))];
    let error = world.bank.open_accounts(&wrong).unwrap_err();
    assert!(matches!(error, BankError::HolderName { found: 0 }), "{error}");
    let long = [new(&"x".repeat(101), yuan(1))];
    assert!(matches!(world.bank.open_accounts(&long), Err(BankError::HolderName { found: 101 })));
    let rich = [new("Ada Test", yuan(1)), new("Rich Test", Amount::MAX)];
    let error = world.bank.open_accounts(&rich).unwrap_err();
    assert!(matches!(error, BankError::Refused(Refusal::PaymentLimit)), "{error}");
    let many = vec![new("Ada Test", yuan(1)); CUSTOMERS_PER_CALL_MAX + 1];
    assert!(matches!(world.bank.open_accounts(&many), Err(BankError::TooMany)));
    let audit = world.bank.books().audit().unwrap();
    assert_eq!((audit.orders, audit.entries, audit.sum), (0, 0, 0));
}

#[test]
fn the_same_seed_gives_the_same_cards_and_tokens() {
    let run = |seed| {
        let world = World::with(SandboxBankConfig::new(Currency::CNY, Style::PayAndRefund, seed));
        let (customer, token) = world.payer(yuan(1));
        (customer.card, token)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).1, run(2).1);
}

#[test]
fn another_currency_keeps_its_own_scale() {
    let config = SandboxBankConfig::new(Currency::JPY, Style::PayAndRefund, 3);
    assert_eq!(World::with(config).rail.currency(), Currency::JPY);
}

#[test]
fn books_of_another_kind_are_not_opened() {
    let bench = BankBench::new(Style::PayAndRefund);
    let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let counter = Counter::open(&bench.place(), Currency::CNY, CHINA, clock);
    let Err(StoreError::OtherFile { expected, .. }) = counter else {
        panic!("a bank's books were opened as a till");
    };
    assert_eq!(expected, "counter's cash books");
}

/// Changes a book behind the bank's back while it is open, past the triggers that keep its sums:
/// those are against disks, not against people.
fn tamper(bench: &BankBench, sql: &str) {
    let Place::File(path) = bench.place() else { panic!("the bench has a file") };
    let connection = rusqlite::Connection::open(path).unwrap();
    let all = "SELECT 'DROP TRIGGER \"' || name || '\"' FROM sqlite_schema WHERE type = 'trigger'";
    let drop_all: Vec<String> = connection
        .prepare(all)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    connection.execute_batch(&drop_all.join(";")).unwrap();
    let relax = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;";
    connection.execute_batch(relax).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

#[test]
fn an_audit_finds_books_that_were_changed_behind_the_banks_back() {
    for (sql, problem) in [
        ("UPDATE account SET debits = debits + 1 WHERE name = 'cash'", "other than its entries"),
        ("UPDATE entry SET amount = amount + 1 WHERE order_id = 5", "other than its entries"),
        (
            "UPDATE entry SET amount = amount + 1 WHERE order_id = 5",
            "another amount than was decided",
        ),
        ("DELETE FROM entry WHERE order_id = 5", "has no entry"),
        ("DELETE FROM order_record WHERE id = 5", "belongs to no order"),
        ("UPDATE order_record SET is_done = 0 WHERE id = 5", "was refused and has an entry"),
        (
            "UPDATE order_record SET refunded = 0 WHERE id = 5",
            "another amount than its refunds say",
        ),
        ("UPDATE order_record SET refunded = amount + 1 WHERE id = 5", "more than it took"),
        (
            "UPDATE account SET debits = credits + 1 WHERE name = 'organisation:hospital-1'",
            "is overdrawn",
        ),
    ] {
        let bench = BankBench::new(Style::PayAndRefund);
        let rail = bench.open();
        let pay = Action::Pay { from: bench.payer(), amount: yuan(10) };
        done(&rail.perform(&Order { reference: reference("a"), action: pay }));
        let original = reference("a");
        let refund = Action::Refund { original, amount: yuan(4), to: None };
        done(&rail.perform(&Order { reference: reference("r"), action: refund }));
        assert!(bench.bank().books().audit().unwrap().is_sound());
        let bank = bench.bank();
        tamper(&bench, sql);
        let audit = bank.books().audit().unwrap();
        assert!(!audit.is_sound());
        let found = audit.problems.iter().any(|found| found.contains(problem));
        assert!(found, "{sql}: {:?}", audit.problems);
    }
}

#[test]
fn failing_books_answer_unknown_and_not_no() {
    let bench = BankBench::new(Style::PayAndRefund);
    let rail = bench.open();
    let pay = Action::Pay { from: bench.payer(), amount: yuan(10) };
    let order = Order { reference: reference("a"), action: pay };
    let Place::File(path) = bench.place() else { panic!("the bench has a file") };
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("ALTER TABLE order_record RENAME TO elsewhere").unwrap();
    assert_eq!(rail.perform(&order), Outcome::Unknown);
    assert_eq!(rail.perform_all(&[order.clone(), order.clone()]), vec![Outcome::Unknown; 2]);
    assert_eq!(rail.query(&order.reference), Answer::Unknown);
    assert!(rail.reconcile(bench.today()).is_err());
    connection.execute_batch("ALTER TABLE elsewhere RENAME TO order_record").unwrap();
    assert_eq!(rail.query(&order.reference), Answer::NotFound);
    done(&rail.perform(&order));
}

#[test]
fn an_account_number_from_another_bank_is_unknown() {
    let (bank, other) = (World::new(Style::PayAndRefund), World::new(Style::PayAndRefund));
    let (customer, _) = bank.payer(yuan(1));
    assert!(matches!(other.bank.balance(customer.account), Err(BankError::Unknown)));
    let deposit = other.bank.deposit(customer.account, yuan(1), Reference(reference("d").0));
    assert!(matches!(deposit, Err(BankError::Unknown)));
}
