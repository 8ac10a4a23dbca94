//! Proposes a batch of differences.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{FundId, Hash, Party, RegionId, SchemeId, codec, sha256_parts};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::{BatchRow, BatchStanding, DIFFERENCES_MAX, Difference};
use super::rejection;
use super::table::{BATCH_ROWS, BATCHES, PlanStanding, require_publisher, require_version};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::fund;

/// Proposes what a version with effect in the past changes for settlements under the version that
/// it superseded, as a simulation found it. Nothing is paid before another key approves.
/// Signed by the region's bureau with scope `publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeDifferences {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The batch's number within the scheme, chosen by the bureau.
    pub batch: u32,
    /// The version under which the settlements were adjudicated.
    pub old_version: u16,
    /// The version that was published after its first day.
    pub new_version: u16,
    /// The fund that pays or is paid.
    pub fund: FundId,
    /// The hash of the whole simulation ([`super::Simulation::hash`]), which approvers compute
    /// again from the settlements' records.
    pub simulation: Hash,
    /// The rows, 1 to 500, sorted by settlement, each once.
    #[schemars(length(min = 1, max = 500))]
    pub rows: Vec<Difference>,
}

impl ProposeDifferences {
    /// The hash of the rows, which an approver signs.
    #[must_use]
    pub fn rows_hash(&self) -> Hash {
        sha256_parts(&[b"yibao/differences/v1", &codec::encode(&self.rows)])
    }

    fn require_retroactive(&self, state: &(impl Read + ?Sized)) -> Result<(), Rejection> {
        require_version(state, &(self.region, self.scheme, self.old_version))?;
        let new = require_version(state, &(self.region, self.scheme, self.new_version))?;
        let late = match new.standing {
            PlanStanding::Published(day) => new.valid.from < day,
            _ => false,
        };
        require(late && new.supersedes.contains(&self.old_version), || {
            rejection::NOT_RETROACTIVE.reject()
        })
    }
}

impl Kind for ProposeDifferences {
    const NUMBER: u16 = 506;
    const NAME: &'static str = "propose_differences";

    fn check(&self) -> Result<(), Rejection> {
        let few = (1..=DIFFERENCES_MAX).contains(&self.rows.len());
        let sorted = self.rows.is_sorted_by(|a, b| a.settlement < b.settlement);
        let amounts = self.rows.iter().all(|row| !row.amount.is_zero());
        require(few && sorted && amounts, || rejection::DIFFERENCE_ROWS.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_publisher(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let proposer = require_publisher(context, state, self.region)?;
        self.require_retroactive(state)?;
        fund::view::fund(state, self.region, self.fund)
            .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(self.fund))?;
        let key = (self.region, self.scheme, self.batch);
        require(!BATCHES.has(state, &key), || rejection::BATCH_EXISTS.with(self.batch))?;
        let row = BatchRow {
            old_version: self.old_version,
            new_version: self.new_version,
            fund: self.fund,
            simulation: self.simulation,
            rows_hash: self.rows_hash(),
            booked: 0,
            proposer,
            approver: None,
            standing: BatchStanding::Proposed,
        };
        BATCHES.put(state, &key, &row);
        BATCH_ROWS.put(state, &key, &self.rows);
        Ok(Outcome::event("differences_proposed", [Party::Organisation(proposer.organisation)])
            .with("rows", FieldValue::Hash(row.rows_hash))
            .with("simulation", FieldValue::Hash(self.simulation)))
    }
}
