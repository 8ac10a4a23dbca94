//! Takes a version back before it begins.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{BYTES, PlanStanding, SCHEMES, VERSIONS, require_publisher, require_version};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// Takes a version back: at any step before publication, or until the day before its first. What it
/// would have superseded stays in force. Signed by the region's bureau with scope `publish`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawPlan {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version.
    pub version: u16,
}

impl Kind for WithdrawPlan {
    const NUMBER: u16 = 505;
    const NAME: &'static str = "withdraw_plan";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_publisher(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.scheme, self.version);
        let mut row = Arc::unwrap_or_clone(require_version(state, &key)?);
        let region = network::view::require_region(state, self.region)?;
        match row.standing {
            PlanStanding::Withdrawn => return Err(rejection::WRONG_STANDING.reject()),
            PlanStanding::Drafted | PlanStanding::Reviewed | PlanStanding::Approved => {}
            PlanStanding::Published(_) => {
                let today = context.day(region.settings.utc_offset_minutes);
                require(today < row.valid.from, || rejection::PLAN_BEGUN.with(row.valid.from))?;
                let mut scheme =
                    SCHEMES.get(state, &(self.region, self.scheme)).unwrap_or_default();
                scheme.published.retain(|one| one.version != self.version);
                SCHEMES.put(state, &(self.region, self.scheme), &scheme);
            }
        }
        row.standing = PlanStanding::Withdrawn;
        // Nothing was or will be adjudicated under it, so nobody needs its 256 KiB any more.
        BYTES.remove(state, &key);
        VERSIONS.put(state, &key, &row);
        Ok(Outcome::event("plan_withdrawn", [Party::Organisation(region.bureau)])
            .with("plan", FieldValue::Hash(row.hash)))
    }
}
