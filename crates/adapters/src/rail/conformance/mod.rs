//! What every rail must do: one suite, run on each rail by its tests and, before an operator trusts
//! a new connection, against the real thing in its test environment.
//!
//! Every case gets a fresh [`Bench`]; the books are audited after each.

use std::{collections::BTreeSet, sync::Arc};

use primitives::{Amount, CivilDate, Timestamp, sha256_parts};

use crate::rail::{
    Action, Answer, Done, Order, Outcome, Rail, Reference, Refusal, Style, Token, Verdict,
};

mod basic;
mod refund;
mod trouble;

/// What the suite needs of a rail under test.
pub trait Bench: Send + Sync {
    /// Opens the rail on its books. Called again, it opens the same books anew, as after a restart.
    fn open(&self) -> Arc<dyn Rail>;

    /// Something that can pay at least 10,000.00 in the suite's orders.
    fn payer(&self) -> Token;

    /// Something that has less than 100.00 to pay with, on rails that know such a thing.
    fn poor_payer(&self) -> Option<Token>;

    /// The present instant by the rail's clock.
    fn now(&self) -> Timestamp;

    /// The present day in the rail's time zone.
    fn today(&self) -> CivilDate;

    /// Moves the rail's clock forward.
    fn advance_millis(&self, millis: u64);

    /// What is wrong in the rail's books, if they can be looked at.
    fn audit(&self) -> Result<(), String>;
}

/// Makes a fresh bench with empty books.
pub type Factory<'a> = &'a dyn Fn() -> Box<dyn Bench>;

/// A rail does not do what it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rail breaks `{case}`: {found}")]
pub struct Nonconformity {
    /// Which case.
    pub case: &'static str,
    /// What was found.
    pub found: String,
}

/// Runs every case for the rail's style; the names of the cases that were run.
///
/// # Errors
/// The first case that does not hold.
pub fn check(factory: Factory<'_>) -> Result<Vec<&'static str>, Nonconformity> {
    let mut names = Vec::new();
    for (case, run) in basic::CASES.iter().chain(refund::CASES).chain(trouble::CASES) {
        let bench = factory();
        let failed = |found| Nonconformity { case, found };
        let trial = Trial { rail: bench.open(), bench: bench.as_ref(), case };
        run(&trial).and_then(|()| bench.audit()).map_err(failed)?;
        names.push(*case);
    }
    Ok(names)
}

type Found = Result<(), String>;
type Case = (&'static str, fn(&Trial<'_>) -> Found);

/// One case on one bench.
struct Trial<'a> {
    rail: Arc<dyn Rail>,
    bench: &'a dyn Bench,
    case: &'static str,
}

const HOUR: u64 = 3_600_000;

impl Trial<'_> {
    /// A reference of this case by a name within it.
    fn reference(&self, name: &str) -> Reference {
        Reference(sha256_parts(&[b"conformance/", self.case.as_bytes(), b"/", name.as_bytes()]))
    }

    fn order(&self, name: &str, action: Action) -> Order {
        Order { reference: self.reference(name), action }
    }

    fn holds(&self) -> bool {
        self.rail.style() == Style::HoldAndCapture
    }

    fn hold(&self, name: &str, amount: u64) -> Order {
        let expires_at = self.bench.now().plus_millis(HOUR);
        let (from, amount) = (self.bench.payer(), Amount::from_minor(amount));
        self.order(name, Action::Hold { from, amount, expires_at })
    }

    fn capture(&self, name: &str, hold: &Order, amount: u64) -> Order {
        let amount = Amount::from_minor(amount);
        self.order(name, Action::Capture { hold: hold.reference, amount })
    }

    fn void(&self, name: &str, original: &Order) -> Order {
        self.order(name, Action::Void { original: original.reference })
    }

    fn refund(&self, name: &str, original: &Order, amount: u64) -> Order {
        let (original, amount) = (original.reference, Amount::from_minor(amount));
        self.order(name, Action::Refund { original, amount, to: None })
    }

    /// The order that a payment begins with: a hold, or a payment.
    fn first_order(&self, name: &str, amount: u64) -> Order {
        self.first_order_from(name, self.bench.payer(), amount)
    }

    fn first_order_from(&self, name: &str, from: Token, amount: u64) -> Order {
        let expires_at = self.bench.now().plus_millis(HOUR);
        let amount = Amount::from_minor(amount);
        let action = if self.holds() {
            Action::Hold { from, amount, expires_at }
        } else {
            Action::Pay { from, amount }
        };
        self.order(name, action)
    }

    /// The order that collects money, after the hold that it may need was placed.
    fn collecting_order(&self, name: &str, amount: u64) -> Result<Order, String> {
        if !self.holds() {
            return Ok(self.first_order(name, amount));
        }
        let hold = self.hold(&format!("{name}, hold"), amount);
        self.done(&hold, amount)?;
        Ok(self.capture(name, &hold, amount))
    }

    /// Collects money and gives the order that did it.
    fn collect(&self, name: &str, amount: u64) -> Result<Order, String> {
        let order = self.collecting_order(name, amount)?;
        self.done(&order, amount)?;
        Ok(order)
    }

    fn done(&self, order: &Order, amount: u64) -> Result<Done, String> {
        expect_done(&self.rail.perform(order), amount)
    }

    fn refused(&self, order: &Order, refusal: Refusal) -> Found {
        expect_refused(&self.rail.perform(order), refusal)
    }

    fn found(&self, order: &Order, expected: &Answer) -> Found {
        same("query", &self.rail.query(&order.reference), expected)
    }

    /// That the day's statement has these orders' movements and no other.
    fn statement(&self, orders: &[&Order]) -> Found {
        let lines = self.rail.reconcile(self.bench.today()).map_err(|error| error.to_string())?;
        let found: Vec<Reference> = lines.iter().map(|line| line.reference).collect();
        let distinct: BTreeSet<&Reference> = found.iter().collect();
        let expected: BTreeSet<&Reference> = orders.iter().map(|order| &order.reference).collect();
        if distinct.len() != found.len() {
            return Err(format!("the statement has a reference twice: {found:?}"));
        }
        same("references on the statement", &distinct, &expected)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Found {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}

fn expect_done(outcome: &Outcome, amount: u64) -> Result<Done, String> {
    match outcome {
        Outcome::Final(Verdict::Done(done)) if done.amount.minor() == amount => Ok(done.clone()),
        other => Err(format!("found {other:?}, expected it done with {amount}")),
    }
}

fn expect_refused(outcome: &Outcome, refusal: Refusal) -> Found {
    same("outcome", outcome, &Outcome::Final(Verdict::Refused(refusal)))
}
