//! A bank that is played: it takes an order as a file and writes the files that a bank would send
//! back. It is a simulator, moves no money, keeps nothing, and says so in the files' numbers.

use std::collections::BTreeSet;

use primitives::{CivilDate, Timestamp, sha256_parts};

use super::order::PaymentOrder;
use super::report::{PaymentStatus, StatusReport};
use super::statement::Statement;
use super::{Direction, Message, Movement};

/// What users call it.
pub const NAME: &str = "sandbox bank (a simulator)";

/// What the played bank does to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// The payments that it refuses, by their reference.
    pub reject: BTreeSet<String>,
    /// The payments that it pays and that come back, by their reference.
    pub give_back: BTreeSet<String>,
    /// The day on which it pays.
    pub day: CivilDate,
    /// The day on which payments come back.
    pub back_day: CivilDate,
    /// Its clock.
    pub at: Timestamp,
}

/// The files that it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// pain.002: what it takes on.
    pub report: Vec<u8>,
    /// camt.053 of the day on which it pays.
    pub statement: Vec<u8>,
    /// camt.054 of what came back, if anything did.
    pub notification: Option<Vec<u8>>,
    /// camt.053 of the day on which payments came back, where that is another day.
    pub later_statement: Option<Vec<u8>>,
}

fn own_reference(order: &str, end_to_end: &str, kind: &str) -> String {
    let content = [order.as_bytes(), b"\0", end_to_end.as_bytes(), b"\0", kind.as_bytes()];
    let hash = sha256_parts(&content).to_string();
    format!("SANDBOX{}", hash.get(..16).unwrap_or_default().to_uppercase())
}

impl Play {
    /// The bank's answer to an order.
    #[must_use]
    pub fn answer(&self, order: &PaymentOrder) -> Answer {
        let status = |end_to_end: &String| PaymentStatus {
            end_to_end: end_to_end.clone(),
            refused: self.reject.contains(end_to_end).then(|| String::from("AC04")),
        };
        let payments = order.payments.iter().map(|payment| status(&payment.end_to_end));
        let report =
            StatusReport { order: order.id.clone(), refused: None, payments: payments.collect() };
        let paid: Vec<Movement> = self.movements(order, Direction::Out);
        let back: Vec<Movement> = self.movements(order, Direction::Back);
        let statement = |day: CivilDate, movements: Vec<Movement>| Statement {
            id: format!("SANDBOX-{}-{day}", order.id),
            movements,
        };
        let is_same_day = self.day == self.back_day;
        let mut first = paid;
        if is_same_day {
            first.extend(back.iter().cloned());
        }
        let xml =
            |statement: &Statement, message| statement.to_xml(message, self.at, order.currency);
        let later = statement(self.back_day, back);
        let came_back = !later.movements.is_empty();
        Answer {
            report: report.to_xml(self.at),
            statement: xml(&statement(self.day, first), Message::Statement),
            notification: came_back.then(|| xml(&later, Message::Notification)),
            later_statement: (came_back && !is_same_day).then(|| xml(&later, Message::Statement)),
        }
    }

    fn movements(&self, order: &PaymentOrder, direction: Direction) -> Vec<Movement> {
        let moves = |end_to_end: &String| match direction {
            Direction::Out => !self.reject.contains(end_to_end),
            Direction::Back => {
                self.give_back.contains(end_to_end) && !self.reject.contains(end_to_end)
            }
        };
        let (kind, day, reason) = match direction {
            Direction::Out => ("paid", self.day, None),
            Direction::Back => ("returned", self.back_day, Some(String::from("AC01"))),
        };
        let moved = order.payments.iter().filter(|payment| moves(&payment.end_to_end));
        moved
            .map(|payment| Movement {
                end_to_end: payment.end_to_end.clone(),
                bank_reference: own_reference(&order.id, &payment.end_to_end, kind),
                amount: payment.amount,
                day,
                direction,
                reason: reason.clone(),
            })
            .collect()
    }
}
