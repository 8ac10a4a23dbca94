//! Asks for an audit.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{AuditCase, AuditTerms};
use super::rejection;
use super::table::{AUDITS, LAST_AUDIT};
use super::view::last_audit;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind, Scope};

/// Asks to audit settlements that a region's funds paid to a provider. Nothing is shown before the
/// region's bureau grants it. Signed by the auditor with scope `clerk`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAudit {
    /// The region whose funds paid.
    pub region: RegionId,
    /// The audit's number: the one after the region's last.
    pub audit: u32,
    /// Who audits.
    pub auditor: OrganisationId,
    /// What.
    pub terms: AuditTerms,
}

impl Kind for AskAudit {
    const NUMBER: u16 = 1301;
    const NAME: &'static str = "ask_audit";

    fn check(&self) -> Result<(), Rejection> {
        self.terms.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        organisation::view::require_signed(context, state, self.auditor, Scope::Clerk).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        organisation::view::require_kind(state, self.auditor, OrganisationKind::Auditor)?;
        // A suspended provider is audited as well.
        let provider =
            organisation::view::organisation(state, self.terms.provider).ok_or_else(|| {
                organisation::rejection::UNKNOWN_ORGANISATION.with(self.terms.provider)
            })?;
        require(provider.kind == OrganisationKind::Provider, || {
            organisation::rejection::WRONG_KIND.with(self.terms.provider)
        })?;
        let next = last_audit(state, self.region).saturating_add(1);
        require(self.audit == next, || rejection::AUDIT_NUMBER.with(next))?;
        let case = AuditCase {
            auditor: self.auditor,
            terms: self.terms.clone(),
            asked: context.time,
            granted: None,
            ended: None,
        };
        AUDITS.put(state, &(self.region, self.audit), &case);
        LAST_AUDIT.put(state, &self.region, &self.audit);
        Ok(Outcome::event("audit_asked", [bureau, self.auditor].map(Party::Organisation))
            .with("audit", FieldValue::Number(u64::from(self.audit))))
    }
}
