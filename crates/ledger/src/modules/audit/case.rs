//! What is audited, and where an audit stands.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, OrganisationId, RegionId, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::AUDITS;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};

/// The most bytes of a purpose: as a grant of a sealed bill has them.
pub const AUDIT_PURPOSE_BYTES_MAX: usize = 128;
/// How many settlements are drawn at the most. Our own limit: an audit answers one request.
pub const AUDIT_SIZE_MAX: u16 = 200;
/// Over how many days of care the settlements lie at the most: a leap year. Our own limit.
const PERIOD_DAYS_MAX: i32 = 366;
/// For how many days an audit is granted at the most: a quarter, as a grant of a sealed bill. Our
/// own limit.
pub const AUDIT_DAYS_MAX: u64 = 92;

/// What is to be audited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditTerms {
    /// Whose settlements.
    pub provider: OrganisationId,
    /// The first day of admission, or of the visit.
    pub from: CivilDate,
    /// The last one.
    pub to: CivilDate,
    /// How many settlements are drawn, 1 to 200; all of them where there are fewer.
    #[schemars(range(min = 1, max = 200))]
    pub size: u16,
    /// What for, without anything personal: the people whose visits are drawn read it.
    pub purpose: Text<AUDIT_PURPOSE_BYTES_MAX>,
}

impl AuditTerms {
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let days = self.to.days().saturating_sub(self.from.days());
        let fits = (0..PERIOD_DAYS_MAX).contains(&days)
            && (1..=AUDIT_SIZE_MAX).contains(&self.size)
            && !self.purpose.trim().is_empty();
        require(fits, || rejection::AUDIT_TERMS.reject())
    }
}

/// An audit.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AuditCase {
    /// Who audits.
    pub auditor: OrganisationId,
    /// What.
    pub terms: AuditTerms,
    /// When it was asked for.
    pub asked: Timestamp,
    /// How it was granted.
    pub granted: Option<AuditGrant>,
    /// How it was ended before its time, withdrawn or refused.
    pub ended: Option<AuditEnd>,
}

/// The bureau's permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct AuditGrant {
    /// The block of the grant: what was settled before it can be drawn, and its hash draws.
    pub height: u64,
    /// When.
    pub at: Timestamp,
    /// The last instant at which the auditor is shown anything.
    pub ends: Timestamp,
}

/// That an audit was ended by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct AuditEnd {
    /// By whom.
    pub by: OrganisationId,
    /// When.
    pub at: Timestamp,
}

/// Where an audit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditStanding {
    /// The bureau has to grant or refuse it.
    Asked,
    /// The auditor may see the sample.
    Open,
    /// It was withdrawn or refused before it was granted.
    Refused,
    /// It was granted and is over, by its time or by hand.
    Over,
}

impl AuditCase {
    /// Where it stands at this instant.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> AuditStanding {
        match (self.granted, self.ended) {
            (None, None) => AuditStanding::Asked,
            (None, Some(_)) => AuditStanding::Refused,
            (Some(grant), None) if now <= grant.ends => AuditStanding::Open,
            (Some(_), _) => AuditStanding::Over,
        }
    }
}

/// An audit that must be there, standing so at this instant.
///
/// # Errors
/// `unknown_audit`, `audit_in_other_standing`.
pub(super) fn require_case(
    state: &(impl Read + ?Sized),
    key: &(RegionId, u32),
    now: Timestamp,
    standings: &[AuditStanding],
) -> Result<AuditCase, Rejection> {
    let case = AUDITS.get(state, key).ok_or_else(|| rejection::UNKNOWN_AUDIT.with(key.1))?;
    let fits = standings.contains(&case.standing(now));
    require(fits, || rejection::AUDIT_STANDING.with(key.1))?;
    Ok(case)
}
