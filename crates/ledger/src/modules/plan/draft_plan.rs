//! Drafts a version of a plan.

use alloc::vec::Vec;
use benefit::Plan;
use benefit::plan::PLAN_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, RegionId, SchemeId, codec, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bytes::PlanBytes;
use super::rejection;
use super::table::{BYTES, PlanStanding, SCHEMES, VERSIONS, VersionRow, require_publisher};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// Drafts a version of a scheme's plan with its compiled bytes. The ledger checks the plan and runs
/// its worked examples; a plan whose examples do not come out is refused. Signed by the region's
/// bureau with scope `publish`.
///
/// The service days, the currency and the hash of the source file are inside the compiled plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPlan {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version's number: one more than the last, from 1.
    pub version: u16,
    /// The compiled plan, at most 256 KiB.
    pub plan: PlanBytes,
    /// The root over the catalogue that goes with it.
    pub catalogue_root: Hash,
    /// The published versions from which it takes over, sorted; none for the first days of a
    /// scheme.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub supersedes: Vec<u16>,
}

impl DraftPlan {
    /// The plan inside, when it may stand in this region and scheme.
    fn require_plan(&self, state: &(impl Read + ?Sized)) -> Result<Plan, Rejection> {
        let plan =
            Plan::from_bytes(&self.plan.0).map_err(|error| rejection::INVALID_PLAN.with(error))?;
        require(codec::encode(&plan) == self.plan.0, || rejection::INVALID_PLAN.reject())?;
        let ours = plan.region() == self.region && plan.scheme() == self.scheme;
        require(ours, || {
            rejection::PLAN_OF_ANOTHER_SCHEME.with(detail!(
                "scheme {scheme} in region {region}",
                scheme = plan.scheme(),
                region = plan.region()
            ))
        })?;
        let region = network::view::require_region(state, self.region)?;
        require(plan.currency() == region.currency, || {
            rejection::PLAN_CURRENCY.with(plan.currency())
        })?;
        plan.check_examples().map_err(|error| rejection::EXAMPLES_FAIL.with(error))?;
        Ok(plan)
    }
}

impl Kind for DraftPlan {
    const NUMBER: u16 = 501;
    const NAME: &'static str = "draft_plan";

    fn check(&self) -> Result<(), Rejection> {
        require(self.plan.0.len() <= PLAN_BYTES_MAX, || {
            rejection::PLAN_TOO_LARGE
                .with(detail!("this one has {count} bytes", count = self.plan.0.len()))
        })?;
        let sorted = self.supersedes.is_sorted_by(|a, b| a < b);
        require(sorted && self.supersedes.len() <= 16, || {
            rejection::NOT_SUPERSEDED
                .with(detail!("list at most 16 versions, sorted and each once"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_publisher(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let drafter = require_publisher(context, state, self.region)?;
        let mut scheme = SCHEMES.get(state, &(self.region, self.scheme)).unwrap_or_default();
        let next = scheme.versions.checked_add(1);
        require(next == Some(self.version), || {
            rejection::WRONG_VERSION_NUMBER
                .with(detail!("the last one is {version}", version = scheme.versions))
        })?;
        let plan = self.require_plan(state)?;
        let row = VersionRow {
            hash: plan.hash(),
            source: plan.source_hash(),
            catalogue_root: self.catalogue_root,
            valid: plan.valid(),
            supersedes: self.supersedes.clone(),
            drafter,
            reviewer: None,
            approver: None,
            standing: PlanStanding::Drafted,
        };
        scheme.versions = self.version;
        let key = (self.region, self.scheme, self.version);
        SCHEMES.put(state, &(self.region, self.scheme), &scheme);
        VERSIONS.put(state, &key, &row);
        BYTES.put(state, &key, &self.plan.0);
        Ok(Outcome::event("plan_drafted", [Party::Organisation(drafter.organisation)])
            .with("plan", FieldValue::Hash(row.hash)))
    }
}
