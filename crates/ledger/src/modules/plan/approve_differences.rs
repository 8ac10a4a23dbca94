//! Approves a batch of differences.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approver::require_approver;
use super::difference::{BatchStanding, batch_key, require_batch};
use super::rejection;
use super::table::BATCHES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Approves a proposed batch of differences for payment. Signed like the approval of a plan: by a
/// regulator or finance authority of the governing set with scope `publish`, and by another key
/// than proposed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveDifferences {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The batch.
    pub batch: u32,
    /// The hash of the rows that were looked at.
    pub rows: Hash,
    /// Who approves.
    pub approver: OrganisationId,
}

impl Kind for ApproveDifferences {
    const NUMBER: u16 = 507;
    const NAME: &'static str = "approve_differences";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let key = batch_key(self.region, self.scheme, self.batch);
        let row = require_batch(state, &key, BatchStanding::Proposed)?;
        require_approver(context, state, self.region, self.approver, &[row.proposer]).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = batch_key(self.region, self.scheme, self.batch);
        let mut row = require_batch(state, &key, BatchStanding::Proposed)?;
        let before = [row.proposer];
        row.approver = Some(require_approver(context, state, self.region, self.approver, &before)?);
        require(row.rows_hash == self.rows, || rejection::HASH_DIFFERS.with(row.rows_hash))?;
        row.standing = BatchStanding::Approved;
        BATCHES.put(state, &key, &row);
        let concerns = [row.proposer.organisation, self.approver].map(Party::Organisation);
        Ok(Outcome::event("differences_approved", concerns)
            .with("rows", FieldValue::Hash(row.rows_hash)))
    }
}
