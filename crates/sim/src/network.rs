//! The way of a message from a client to the node and of the answer back: lost, late, twice, out of
//! order.

use ledger::Transaction;

use crate::dice::Dice;
use crate::fault::{Fault, FaultCounts};

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives and its answer comes back.
    Well,
    /// It does not arrive.
    RequestLost,
    /// It arrives; the answer does not.
    AnswerLost,
    /// It arrives some steps later; no answer comes.
    Late,
    /// It arrives, and once more some steps later.
    Twice,
}

/// The network of a world.
pub struct Network {
    dice: Dice,
    faults_per_mille: u64,
    under_way: Vec<(u32, Transaction)>,
    counts: FaultCounts,
}

impl Network {
    /// A network that loses, delays or doubles so many messages of a thousand.
    #[must_use]
    pub fn new(dice: Dice, faults_per_mille: u64) -> Self {
        let counts = FaultCounts::default();
        Self { dice, faults_per_mille, under_way: Vec::new(), counts }
    }

    /// Ends all faults; what is under way still arrives.
    pub const fn calm(&mut self) {
        self.faults_per_mille = 0;
    }

    /// Takes a message; says what becomes of it. What arrives later is kept here.
    pub fn send(&mut self, transaction: &Transaction) -> Delivery {
        if !self.dice.chance(self.faults_per_mille) {
            return Delivery::Well;
        }
        let delivery = *self.dice.pick(&[
            Delivery::RequestLost,
            Delivery::AnswerLost,
            Delivery::Late,
            Delivery::Twice,
        ]);
        self.counts.note(match delivery {
            Delivery::RequestLost => Fault::RequestLost,
            Delivery::AnswerLost => Fault::AnswerLost,
            Delivery::Late => Fault::RequestLate,
            Delivery::Well | Delivery::Twice => Fault::RequestTwice,
        });
        if matches!(delivery, Delivery::Late | Delivery::Twice) {
            let steps = u32::try_from(self.dice.between(1, 8)).unwrap_or(1);
            self.under_way.push((steps, transaction.clone()));
        }
        delivery
    }

    /// A step passes: the messages that arrive now, in any order.
    pub fn arrivals(&mut self) -> Vec<Transaction> {
        for (steps, _) in &mut self.under_way {
            *steps = steps.saturating_sub(1);
        }
        let due: Vec<Transaction> =
            self.under_way.extract_if(.., |(steps, _)| *steps == 0).map(|one| one.1).collect();
        self.shuffle(due)
    }

    /// Everything that is under way, at once.
    pub fn all_arrivals(&mut self) -> Vec<Transaction> {
        std::mem::take(&mut self.under_way).into_iter().map(|one| one.1).collect()
    }

    /// What went wrong so far.
    #[must_use]
    pub const fn counts(&self) -> &FaultCounts {
        &self.counts
    }

    fn shuffle<T>(&mut self, mut list: Vec<T>) -> Vec<T> {
        for last in (1..list.len()).rev() {
            list.swap(last, self.dice.place(last + 1));
        }
        list
    }
}
