//! Every embedded rail passes the one suite, and the suite notices rails that do not.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use adapters::rail::{
    Action, Answer, Done, Order, Outcome, Rail, RailUnavailable, Reference, StatementLine, Style,
    Token, Verdict,
    conformance::{Bench, check},
};
use primitives::{CivilDate, Currency, Timestamp};
use support::{BankBench, CounterBench};

#[test]
fn the_sandbox_bank_holds_and_captures_as_it_must() {
    let cases = check(&|| Box::new(BankBench::new(Style::HoldAndCapture))).unwrap();
    assert_eq!(cases.len(), 30);
}

#[test]
fn the_sandbox_bank_pays_and_refunds_as_it_must() {
    check(&|| Box::new(BankBench::new(Style::PayAndRefund))).unwrap();
}

#[test]
fn the_counter_pays_and_refunds_as_it_must() {
    check(&|| Box::new(CounterBench::new())).unwrap();
}

/// A way in which a rail may break its contract.
#[derive(Clone, Copy)]
enum Vice {
    /// Tells another instant each time.
    Fickle,
    /// Does everything a second time under a reference of its own.
    Doubling,
    /// Leaves lines out of its statement.
    Silent,
    /// Gives back whatever is asked for.
    Generous,
    /// Has not seen what it did.
    Forgetful,
}

/// A rail with a vice, on the books of a good one.
struct Vicious {
    rail: Arc<dyn Rail>,
    vice: Vice,
    calls: AtomicU64,
}

struct ViciousBench(BankBench, Vice);

impl Rail for Vicious {
    fn name(&self) -> &str {
        "vicious"
    }
    fn style(&self) -> Style {
        self.rail.style()
    }
    fn currency(&self) -> Currency {
        self.rail.currency()
    }
    fn perform(&self, order: &Order) -> Outcome {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let own = |amount| Done {
            rail_reference: String::from("own"),
            amount,
            at: Timestamp::from_millis(call),
        };
        match (self.vice, &order.action, self.rail.perform(order)) {
            (Vice::Generous, Action::Refund { amount, .. }, _) => {
                Outcome::Final(Verdict::Done(own(*amount)))
            }
            (Vice::Fickle, _, Outcome::Final(Verdict::Done(done))) => {
                Outcome::Final(Verdict::Done(own(done.amount)))
            }
            (Vice::Doubling, action, outcome) => {
                let reference = support::reference(&format!("{call}"));
                self.rail.perform(&Order { reference, action: action.clone() });
                outcome
            }
            (_, _, outcome) => outcome,
        }
    }
    fn query(&self, reference: &Reference) -> Answer {
        match self.vice {
            Vice::Forgetful => Answer::NotFound,
            _ => self.rail.query(reference),
        }
    }
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        match self.vice {
            Vice::Silent => Ok(Vec::new()),
            _ => self.rail.reconcile(day),
        }
    }
}

impl Bench for ViciousBench {
    fn open(&self) -> Arc<dyn Rail> {
        Arc::new(Vicious { rail: self.0.open(), vice: self.1, calls: AtomicU64::new(0) })
    }
    fn payer(&self) -> Token {
        self.0.payer()
    }
    fn poor_payer(&self) -> Option<Token> {
        self.0.poor_payer()
    }
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn today(&self) -> CivilDate {
        self.0.today()
    }
    fn advance_millis(&self, millis: u64) {
        self.0.advance_millis(millis);
    }
    fn audit(&self) -> Result<(), String> {
        self.0.audit()
    }
}

#[test]
fn a_rail_that_breaks_its_contract_is_found_out() {
    for (vice, case) in [
        (Vice::Fickle, "the same order again gives the same verdict"),
        (Vice::Doubling, "money is collected and stands on the statement"),
        (Vice::Silent, "money is collected and stands on the statement"),
        (Vice::Generous, "an unknown reference is not found"),
        (Vice::Forgetful, "money is collected and stands on the statement"),
    ] {
        let bench = || -> Box<dyn Bench> {
            Box::new(ViciousBench(BankBench::new(Style::PayAndRefund), vice))
        };
        let found = check(&bench).unwrap_err();
        assert_eq!(found.case, case, "{found}");
    }
}
