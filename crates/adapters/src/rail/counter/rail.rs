//! The counter as a rail.

use primitives::{Amount, CivilDate, Currency};

use super::{Counter, hand_back};
use crate::rail::{
    Answer, Order, Outcome, Rail, RailUnavailable, Reference, StatementLine, Style, books,
};

/// What users call this rail.
const NAME: &str = "cash at the counter";

impl Rail for Counter {
    fn name(&self) -> &str {
        NAME
    }

    fn style(&self) -> Style {
        Style::PayAndRefund
    }

    fn currency(&self) -> Currency {
        self.currency
    }

    /// A payment that comes this way was handed over exactly; with change it goes through
    /// [`Counter::take_money`], after which the same order finds it done.
    fn perform(&self, order: &Order) -> Outcome {
        self.perform_all(std::slice::from_ref(order)).pop().unwrap_or(Outcome::Unknown)
    }

    fn perform_all(&self, orders: &[Order]) -> Vec<Outcome> {
        let verdicts = self.books.database().write(|tx| {
            let told = |order| {
                let verdict = self.perform_in(tx, order, Amount::ZERO)?;
                hand_back::note_ordered(tx, order, &verdict)?;
                Ok(verdict)
            };
            orders.iter().map(told).collect()
        });
        books::outcomes(NAME, orders, verdicts)
    }

    fn query(&self, reference: &Reference) -> Answer {
        books::answer(NAME, self.answer(reference))
    }

    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.statement(day).map_err(|error| {
            tracing::warn!(rail = NAME, %error, "no statement");
            RailUnavailable
        })
    }
}
