//! Reviews a drafted version.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approver::require_other_key;
use super::rejection;
use super::table::{PlanStanding, VERSIONS, require_publisher, require_same};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Says that somebody else has checked a drafted version against its source. Signed by the region's
/// bureau with scope `publish` and another key than the drafter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewPlan {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version.
    pub version: u16,
    /// The hash of the compiled plan that was looked at.
    pub hash: Hash,
}

impl Kind for ReviewPlan {
    const NUMBER: u16 = 502;
    const NAME: &'static str = "review_plan";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_publisher(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.scheme, self.version);
        let mut row = Arc::unwrap_or_clone(require_same(state, &key, self.hash)?);
        require(row.standing == PlanStanding::Drafted, || rejection::WRONG_STANDING.reject())?;
        let reviewer = require_publisher(context, state, self.region)?;
        require_other_key(&reviewer, &[row.drafter])?;
        row.reviewer = Some(reviewer);
        row.standing = PlanStanding::Reviewed;
        VERSIONS.put(state, &key, &row);
        Ok(Outcome::event("plan_reviewed", [Party::Organisation(reviewer.organisation)])
            .with("plan", FieldValue::Hash(row.hash)))
    }
}
