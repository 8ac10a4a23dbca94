//! Grants an audit for a time.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, RegionId, Timestamp};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{AUDIT_DAYS_MAX, AuditGrant, AuditStanding, require_case};
use super::rejection;
use super::table::AUDITS;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Grants an audit until its end: the auditor sees a sample of what was settled before this block,
/// with its lines. Signed by the region's bureau with scope `clerk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAudit {
    /// The region.
    pub region: RegionId,
    /// The audit.
    pub audit: u32,
    /// The last instant at which the auditor is shown anything, at most 92 days ahead.
    pub ends: Timestamp,
}

const DAY_MILLIS: u64 = 24 * 3_600_000;

impl Kind for GrantAudit {
    const NUMBER: u16 = 1302;
    const NAME: &'static str = "grant_audit";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let bureau = require_bureau(context, state, self.region, Scope::Clerk)?;
        let key = (self.region, self.audit);
        let mut case = require_case(state, &key, context.time, &[AuditStanding::Asked])?;
        let latest = context.time.plus_millis(AUDIT_DAYS_MAX.saturating_mul(DAY_MILLIS));
        let is_ahead = self.ends > context.time && self.ends <= latest;
        require(is_ahead, || rejection::AUDIT_ENDS.with(latest))?;
        case.granted =
            Some(AuditGrant { height: context.height, at: context.time, ends: self.ends });
        AUDITS.put(state, &key, &case);
        Ok(Outcome::event("audit_granted", [bureau, case.auditor].map(Party::Organisation))
            .with("audit", FieldValue::Number(u64::from(self.audit)))
            .with("ends", FieldValue::Timestamp(self.ends)))
    }
}
