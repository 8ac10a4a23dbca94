//! The clients of the region: desks of providers, people, the bureau, and some who mean no good.
//! They know what they were told, and what anybody may look up; they behave as real ones do, in a
//! hurry and with bad lines.
//!
//! Reading order: [`visit`] (from check-in to settlement), [`money`] (how cash is paid), [`change`]
//! (refunds, corrections, objections), [`office`] (bureau and people), [`premium`],
//! [`transfer`] (money from wallet to wallet), [`regions`] (two bureaus and what they owe each
//! other), [`attack`].

pub mod attack;
pub mod change;
pub mod money;
pub mod office;
pub mod premium;
pub mod quiet;
pub mod regions;
pub mod transfer;
pub mod visit;

use std::collections::{BTreeMap, BTreeSet};

use ledger::Receipt;
use primitives::Hash;

use crate::check::effects::PaidBefore;
use crate::job::Fate;
use crate::world::World;

/// What a job is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A part of the founding.
    Found,
    /// Opens the visit of this number.
    CheckIn(usize),
    /// Cancels it.
    Cancel(usize),
    /// Notes its daily list.
    Bill(usize),
    /// Takes a deposit for it.
    Deposit(usize),
    /// Settles it.
    Settle(usize),
    /// Refunds or corrects it.
    Change(usize),
    /// Objects to it, answers, contests.
    Objection(usize, bool),
    /// Orders a failed payment again.
    Retry(Hash),
    /// A contribution, by the bureau's own number of it.
    Contribution(u64),
    /// Something about a premium, or money from wallet to wallet.
    Premium,
    /// Something else of the bureau's or a person's.
    Office,
    /// Something that must not be accepted.
    Forbidden,
}

/// What the clients remember besides their jobs and visits.
#[derive(Default)]
pub struct Books {
    /// The number of the next contribution, batch, statement: everything that is drawn once.
    pub next_number: u64,
    /// The jobs of each contribution that the bureau meant to book once.
    pub contributions: BTreeMap<u64, Vec<usize>>,
    /// Where the money of payments made before a settlement is, by commitment.
    pub paid_before: BTreeMap<Hash, PaidBefore>,
    /// The provider of every such payment.
    pub known_at_tills: Vec<BTreeSet<Hash>>,
}

impl Books {
    /// A number that nobody had before.
    pub const fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

impl World {
    /// The clients do something, or several of them do at once.
    pub(crate) fn act(&mut self) {
        for _ in 0..self.dice.between(0, 4) {
            match self.dice.below(100) {
                0..22 => self.plan_visit(),
                22..30 => self.look_after_stay(),
                30..52 => self.settle_some_visit(),
                52..66 => self.change_some_visit(),
                66..70 => self.object_or_answer(),
                70..72 => self.take_what_changes_later(),
                72..78 => self.work_off_failed_payments(),
                78..88 => self.run_office(),
                88..92 => self.lock_or_unlock(),
                _ => self.attack(),
            }
        }
        if self.dice.chance(250) {
            self.take_over_late_payment();
        }
        if self.dice.chance(300) {
            self.look_after_premium();
        }
        if self.dice.chance(300) {
            self.move_between_wallets();
        }
        if self.dice.chance(700) {
            self.clear_between_regions();
        }
        self.book_again_what_is_not_known();
        self.hand_out_some();
        self.tidy_money();
    }

    /// A job was accepted.
    pub(crate) fn on_accepted(&mut self, number: usize, receipt: &Receipt) {
        let Fate::Accepted(index) = self.jobs[number].fate else { return };
        match self.jobs[number].intent {
            Intent::CheckIn(visit) => self.visits[visit].note_open(),
            Intent::Cancel(visit) => self.visits[visit].note_gone(),
            Intent::Deposit(visit) => self.visits[visit].deposits += 1,
            Intent::Settle(visit) | Intent::Change(visit) => {
                self.visits[visit].note_record(index, receipt);
            }
            Intent::Objection(visit, is_open) => self.visits[visit].is_objected = is_open,
            _ => {}
        }
    }
}
