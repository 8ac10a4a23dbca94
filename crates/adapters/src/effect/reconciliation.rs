//! Reconciliation: a day of the outbox against the rail's statement, line by line.

use std::collections::BTreeMap;

use primitives::{Amount, CivilDate, Timestamp, UtcOffset};

use crate::{
    effect::{EffectState, Executor, ExecutorError, OutboxRecord, RailName},
    rail::{Action, Movement, RailUnavailable, Reference, StatementLine, Verdict},
};

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// How many lines the rail's statement has.
    pub lines: usize,
    /// What the rail collected that day.
    pub collected: Amount,
    /// What the rail gave back that day.
    pub refunded: Amount,
    /// What the rail paid out that day.
    pub paid_out: Amount,
    /// What does not agree; empty on a good day.
    pub differences: Vec<Difference>,
}

/// A line that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The rail moved money that the outbox has no effect for.
    OnlyAtRail(StatementLine),
    /// The rail moved money and the outbox still waits for its word: the next sweep will settle it.
    StillOpen(StatementLine),
    /// The rail moved money under an effect that it refused or that moves none.
    NotDone(StatementLine),
    /// The rail said that it moved money that day, and its statement does not have it.
    OnlyInOutbox {
        /// The effect's reference.
        reference: Reference,
        /// The amount that the rail said.
        amount: Amount,
    },
    /// Both have it, with different amounts.
    Amount {
        /// The rail's line.
        line: StatementLine,
        /// The amount that the rail said when it was done.
        said: Amount,
    },
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The rail gave no statement.
    #[error(transparent)]
    Rail(#[from] RailUnavailable),
    /// The rail is unknown or the outbox failed.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
}

impl Executor {
    /// Compares what the outbox knows of a day with the rail's statement of that day, in the rail's
    /// time zone.
    ///
    /// # Errors
    /// An unknown rail, no statement, or a failing outbox.
    pub fn reconcile(
        &self,
        rail: &RailName,
        day: CivilDate,
        offset: UtcOffset,
    ) -> Result<Reconciliation, ReconcileError> {
        let statement = self.rail(rail)?.reconcile(day)?;
        let from = Timestamp::start_of(day, offset);
        let until = day
            .plus_days(1)
            .map_or(Timestamp::from_millis(u64::MAX), |next| Timestamp::start_of(next, offset));
        let mut booked: BTreeMap<Reference, Amount> = BTreeMap::new();
        for record in self.outbox().done_between(from, until).map_err(ExecutorError::from)? {
            if let Some(amount) = moved(&record).filter(|_| record.effect.rail == *rail) {
                booked.insert(record.effect.order.reference, amount);
            }
        }
        let mut differences = Vec::new();
        for line in &statement {
            match booked.remove(&line.reference) {
                Some(said) if said == line.amount => {}
                Some(said) => differences.push(Difference::Amount { line: line.clone(), said }),
                None => differences.push(self.unexpected(line)?),
            }
        }
        let missing = booked
            .into_iter()
            .map(|(reference, amount)| Difference::OnlyInOutbox { reference, amount });
        differences.extend(missing);
        Ok(Reconciliation {
            lines: statement.len(),
            collected: total(&statement, Movement::Collected),
            refunded: total(&statement, Movement::Refunded),
            paid_out: total(&statement, Movement::PaidOut),
            differences,
        })
    }

    /// What is the matter with a line that is not among the day's done effects.
    fn unexpected(&self, line: &StatementLine) -> Result<Difference, ExecutorError> {
        let record = self.outbox().get(&line.reference)?;
        Ok(match record.map(|record| record.state) {
            None => Difference::OnlyAtRail(line.clone()),
            Some(EffectState::Open) => Difference::StillOpen(line.clone()),
            Some(EffectState::Final(_)) => Difference::NotDone(line.clone()),
        })
    }
}

/// How much money moved by this record, if any did.
fn moved(record: &OutboxRecord) -> Option<Amount> {
    match (&record.state, &record.effect.order.action) {
        (
            EffectState::Final(Verdict::Done(done)),
            Action::Pay { .. }
            | Action::Capture { .. }
            | Action::Refund { .. }
            | Action::PayOut { .. },
        ) => Some(done.amount),
        _ => None,
    }
}

fn total(statement: &[StatementLine], movement: Movement) -> Amount {
    let lines = statement.iter().filter(|line| line.movement == movement);
    lines.fold(Amount::ZERO, |sum, line| sum.saturating_add(line.amount))
}
