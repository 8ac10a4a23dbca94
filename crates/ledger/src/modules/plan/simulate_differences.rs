//! Simulates what a version with effect in the past changes, before anything is proposed.

use alloc::{string::String, vec::Vec};
use borsh::BorshSerialize;
use primitives::{Amount, Hash, Timestamp, codec, sha256_parts};

use super::adjust::PolicyChange;
use super::difference::{Difference, Direction};
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::{Base, Overlay};
use crate::modules::visit::SettlementRecord;

/// What a version with effect in the past changes for some settlements.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct Simulation {
    /// The differences, sorted by settlement: the rows to propose, at most
    /// [`super::DIFFERENCES_MAX`] in one batch.
    pub rows: Vec<Difference>,
    /// Settlements that come out the same.
    pub unchanged: Vec<Hash>,
    /// Settlements that cannot be adjusted, with the stable name of the reason.
    pub refused: Vec<(Hash, String)>,
}

impl Simulation {
    /// What a proposal names and an approver computes again.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256_parts(&[b"yibao/simulation/v1", &codec::encode(self)])
    }

    /// What flows in this direction altogether.
    #[must_use]
    pub fn total(&self, direction: Direction) -> Amount {
        let fitting = self.rows.iter().filter(|row| row.direction == direction);
        fitting.fold(Amount::ZERO, |sum, row| sum.saturating_add(row.amount))
    }
}

/// Adjudicates these settlements one after the other, sorted by their transactions, under the new
/// version, as `pay_differences` will: each counts for the running amounts of the next. Nothing of
/// it stays.
#[must_use]
pub fn simulate_differences(
    state: &dyn Base,
    plans: &PlanMemo,
    change: &PolicyChange,
    records: &[SettlementRecord],
    now: Timestamp,
) -> Simulation {
    let mut sorted: Vec<&SettlementRecord> = records.iter().collect();
    sorted.sort_by_key(|record| record.transaction_id);
    sorted.dedup_by_key(|record| record.transaction_id);
    let mut overlay = Overlay::new(state);
    let mut simulation = Simulation::default();
    for record in sorted {
        let id = record.transaction_id;
        match overlay.attempt(|overlay| change.adjust(overlay, plans, record, now)) {
            Ok(Some(adjustment)) => simulation.rows.push(adjustment.difference),
            Ok(None) => simulation.unchanged.push(id),
            Err(rejection) => simulation.refused.push((id, rejection.code.name.into())),
        }
    }
    simulation
}
