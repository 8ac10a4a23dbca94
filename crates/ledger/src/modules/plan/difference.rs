//! What a policy with effect in the past owes to people, and they to a fund; and what an earlier
//! visit that was refunded or corrected changes for later ones.

use alloc::vec::Vec;
use benefit::AccumulatorChange;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FamilyId, FundId, Hash, PersonId, RegionId, SchemeId, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{BATCHES, BatchKey, SignedBy};
use crate::kernel::overlay::Read;
use crate::kernel::posting::Entry;
use crate::kernel::rejection::{Rejection, require};

/// How many rows a batch has at the most (HOUSE.md section 7.5: imports of at most 500 rows).
pub const DIFFERENCES_MAX: usize = 500;

/// Who owes a difference to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The fund owes it to the person.
    ToPerson,
    /// The person owes it to the fund.
    FromPerson,
}

/// What a new version, or another past, changes for one settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The settlement, by the transaction that settled it first.
    pub settlement: Hash,
    /// Whose.
    pub person: PersonId,
    /// Who owes it to whom.
    pub direction: Direction,
    /// How much, in minor units; more than zero.
    pub amount: Amount,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum BatchStanding {
    /// Proposed.
    Proposed,
    /// Approved; perhaps some rows are booked.
    Approved,
    /// Every row is booked.
    Paid,
}

/// A batch of differences without its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BatchRow {
    /// The version under which the settlements were adjudicated.
    pub old_version: u16,
    /// The version with effect in the past.
    pub new_version: u16,
    /// The fund that pays or is paid.
    pub fund: FundId,
    /// The hash of the whole simulation, with what it refused ([`super::Simulation::hash`]).
    pub simulation: Hash,
    /// The hash of the rows.
    pub rows_hash: Hash,
    /// How many rows are booked.
    pub booked: u16,
    /// Who proposed it.
    pub proposer: SignedBy,
    /// Who approved it.
    pub approver: Option<SignedBy>,
    /// How far it has come.
    pub standing: BatchStanding,
}

/// How a booked difference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum DifferenceStanding {
    /// The fund has paid it.
    Paid,
    /// The person owes it: a receivable of the fund.
    Owed,
    /// The person has paid it.
    Settled,
    /// The fund's owner has let it go.
    Waived,
    /// The fund had paid it, then the settlement was changed and the personal account could not
    /// give it back: the person owes it, a receivable of the fund.
    Recalled,
}

/// Why a settlement that stands is adjudicated again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Cause {
    /// A version with effect in the past, by the batch that booked it.
    Policy {
        /// The scheme of the batch.
        scheme: SchemeId,
        /// The batch's number.
        batch: u32,
    },
    /// An earlier visit of the person was refunded or corrected.
    EarlierVisit(VisitId),
}

/// What an adjudication again added to the running amounts of the person and of a family, in place
/// of what the original had added.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Counted {
    /// The family whose amounts counted.
    pub family: Option<FamilyId>,
    /// What changed.
    pub changes: Vec<AccumulatorChange>,
}

/// What stands booked for a settlement because it was adjudicated again: one difference at a time,
/// against the settlement as it was adjudicated originally.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AdjustedRow {
    /// Why.
    pub cause: Cause,
    /// The version with effect in the past under which it was adjudicated, if it was one.
    pub new_version: Option<u16>,
    /// Whose settlement.
    pub person: PersonId,
    /// The fund's region.
    pub region: RegionId,
    /// The fund that pays or is paid.
    pub fund: FundId,
    /// How much, in minor units; zero where only funds pay each other.
    pub amount: Amount,
    /// How it stands.
    pub standing: DifferenceStanding,
    /// What the person's fund and others pay each other besides.
    pub between: Vec<Entry>,
    /// What it counts for, part by part; taken back with it.
    pub counted: Vec<Counted>,
}

impl AdjustedRow {
    /// Whether the running amounts count it in place of the original. A recalled one is a debt
    /// alone.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.standing != DifferenceStanding::Recalled
    }
}

/// The batch, which must be there and at this step.
pub(super) fn require_batch(
    state: &(impl Read + ?Sized),
    key: &BatchKey,
    standing: BatchStanding,
) -> Result<BatchRow, Rejection> {
    let row = BATCHES.get(state, key).ok_or_else(|| rejection::UNKNOWN_BATCH.with(key.2))?;
    require(row.standing == standing, || rejection::BATCH_STANDING.with(key.2))?;
    Ok(row)
}

/// A scheme's key with one more number.
pub(super) const fn batch_key(region: RegionId, scheme: SchemeId, batch: u32) -> BatchKey {
    (region, scheme, batch)
}
