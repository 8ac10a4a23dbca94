//! What others may read of audits.

use primitives::RegionId;

use super::case::AuditCase;
use super::table::{AUDITS, LAST_AUDIT};
use crate::kernel::overlay::Read;

/// The number of a region's last audit; 0 before the first one.
pub fn last_audit(state: &(impl Read + ?Sized), region: RegionId) -> u32 {
    LAST_AUDIT.get(state, &region).unwrap_or_default()
}

/// An audit, for the region's bureau and its auditor; its purpose also for those whose visits were
/// looked at.
pub fn audit(state: &(impl Read + ?Sized), region: RegionId, number: u32) -> Option<AuditCase> {
    AUDITS.get(state, &(region, number))
}
