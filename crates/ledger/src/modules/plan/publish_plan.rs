//! Publishes an approved version.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::schedule::require_room;
use super::table::{
    PUBLISHED_MAX, PlanStanding, Publication, SCHEMES, VERSIONS, require_publisher, require_same,
};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// Publishes an approved version for its service days. It is never edited afterwards; a successor
/// takes over from what it names as superseded. Its first day may be past: differences of what is
/// settled already are then proposed and paid apart. Signed by the region's bureau with scope
/// `publish`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishPlan {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version.
    pub version: u16,
    /// The hash of the compiled plan.
    pub hash: Hash,
}

impl Kind for PublishPlan {
    const NUMBER: u16 = 504;
    const NAME: &'static str = "publish_plan";

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
        require(row.standing == PlanStanding::Approved, || rejection::WRONG_STANDING.reject())?;
        let mut scheme = SCHEMES.get(state, &(self.region, self.scheme)).unwrap_or_default();
        require_room(&scheme.published, row.valid, &row.supersedes)?;
        require(scheme.published.len() < PUBLISHED_MAX, || rejection::TOO_MANY_VERSIONS.reject())?;
        scheme.published.push(Publication { version: self.version, valid: row.valid });
        SCHEMES.put(state, &(self.region, self.scheme), &scheme);
        let region = network::view::require_region(state, self.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        row.standing = PlanStanding::Published(today);
        VERSIONS.put(state, &key, &row);
        let approver = row.approver.map(|approver| approver.organisation);
        let concerns = [Some(region.bureau), approver];
        Ok(Outcome::event(
            "plan_published",
            concerns.into_iter().flatten().map(Party::Organisation),
        )
        .with("plan", FieldValue::Hash(row.hash))
        .with("source", FieldValue::Hash(row.source))
        .with("catalogue_root", FieldValue::Hash(row.catalogue_root))
        .with("first_day", FieldValue::Date(row.valid.from)))
    }
}
