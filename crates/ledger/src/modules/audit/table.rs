//! Rows of audits.

use alloc::vec;
use primitives::RegionId;

use super::case::AuditCase;
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::modules::network;
use crate::readers::Readers;

pub(super) const AUDITS: Table<(RegionId, u32), AuditCase> = Table::new(0x0D00);
/// The number of a region's last audit.
pub(super) const LAST_AUDIT: Table<RegionId, u32> = Table::new(0x0D01);

/// Who may read them: the bureau and the auditor the audit, everybody the last number, by which the
/// next is asked for. A provider is not told beforehand that it is audited.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if LAST_AUDIT.is_key(key) {
        return Some(Readers::Everybody);
    }
    let (region, audit) = AUDITS.key_of(key)?;
    let bureau = network::view::region(state, region)?.bureau;
    Some(match AUDITS.get(state, &(region, audit)) {
        Some(case) => Readers::Organisations(vec![bureau, case.auditor]),
        None => Readers::Bureau(region),
    })
}
