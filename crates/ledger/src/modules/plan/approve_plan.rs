//! Approves a reviewed version.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approver::require_approver;
use super::rejection;
use super::table::{PlanStanding, SignedBy, VERSIONS, require_same};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Approves a reviewed version. Signed with scope `publish` by a regulator or finance authority of
/// the governing set; where there is none, by the bureau with a third key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovePlan {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version.
    pub version: u16,
    /// The hash of the compiled plan that was looked at.
    pub hash: Hash,
    /// Who approves.
    pub approver: OrganisationId,
}

impl ApprovePlan {
    fn require_signed(
        &self,
        context: &Context<'_>,
        state: &dyn Read,
    ) -> Result<SignedBy, Rejection> {
        let row = require_same(state, &(self.region, self.scheme, self.version), self.hash)?;
        let before: Vec<SignedBy> =
            [Some(row.drafter), row.reviewer].into_iter().flatten().collect();
        require_approver(context, state, self.region, self.approver, &before)
    }
}

impl Kind for ApprovePlan {
    const NUMBER: u16 = 503;
    const NAME: &'static str = "approve_plan";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        self.require_signed(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.scheme, self.version);
        let mut row = Arc::unwrap_or_clone(require_same(state, &key, self.hash)?);
        require(row.standing == PlanStanding::Reviewed, || rejection::WRONG_STANDING.reject())?;
        row.approver = Some(self.require_signed(context, state)?);
        row.standing = PlanStanding::Approved;
        VERSIONS.put(state, &key, &row);
        let concerns = [row.drafter.organisation, self.approver].map(Party::Organisation);
        Ok(Outcome::event("plan_approved", concerns).with("plan", FieldValue::Hash(row.hash)))
    }
}
