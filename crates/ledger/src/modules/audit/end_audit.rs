//! Ends an audit before its time.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{AuditEnd, AuditStanding, require_case};
use super::rejection;
use super::table::AUDITS;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};

/// Ends an audit that is asked for or open; its number stays used. Signed with scope `clerk` by the
/// auditor, or by the region's bureau, which so refuses what it has not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAudit {
    /// The region.
    pub region: RegionId,
    /// The audit.
    pub audit: u32,
    /// Who ends it.
    pub by: OrganisationId,
}

impl Kind for EndAudit {
    const NUMBER: u16 = 1303;
    const NAME: &'static str = "end_audit";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        organisation::view::require_signed(context, state, self.by, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        let key = (self.region, self.audit);
        let standings = [AuditStanding::Asked, AuditStanding::Open];
        let mut case = require_case(state, &key, context.time, &standings)?;
        let entitled = self.by == bureau || self.by == case.auditor;
        require(entitled, || rejection::NOT_OF_THE_AUDIT.with(self.by))?;
        case.ended = Some(AuditEnd { by: self.by, at: context.time });
        AUDITS.put(state, &key, &case);
        Ok(Outcome::event("audit_ended", [bureau, case.auditor].map(Party::Organisation))
            .with("audit", FieldValue::Number(u64::from(self.audit))))
    }
}
