//! The domains of the ledger, one folder each. Numbers are never reused.
//!
//! A module's tables have prefixes `number * 256 + n`, its kinds wire numbers `number * 100 + n`,
//! its rejections numbers `number * 100 + n`. Modules meet only through another module's `view` or
//! the kernel's postings.

use alloc::vec::Vec;
use primitives::{Hash, OrganisationId};

use crate::kernel::overlay::Read;
use crate::kernel::receipt::EventName;
use crate::kernel::registry::KindEntry;
use crate::kernel::rejection::Code;
use crate::readers::Readers;

pub mod audit;
pub mod claim;
pub mod clearing;
pub mod coverage;
pub mod exchange;
pub mod family;
pub mod fund;
pub mod interregion;
pub mod network;
pub mod organisation;
pub mod person;
pub mod plan;
pub mod premium;
pub mod visit;
pub mod voucher;

/// One domain.
pub struct Module {
    /// Its number, 1 to 255.
    pub number: u16,
    /// Its name.
    pub name: &'static str,
    /// Its kinds of transaction.
    pub kinds: fn() -> Vec<KindEntry>,
    /// Its rejections.
    pub rejections: &'static [Code],
    /// What it tells those whom it concerns.
    pub events: &'static [EventName],
    /// Who may read a row of its tables besides those who see everything; `None` when nobody else
    /// may, and for rows of others.
    pub readers: fn(&dyn Read, &[u8]) -> Option<Readers>,
}

/// Every module of this release.
pub const MODULES: &[Module] = &[
    network::MODULE,
    organisation::MODULE,
    person::MODULE,
    coverage::MODULE,
    plan::MODULE,
    fund::MODULE,
    visit::MODULE,
    voucher::MODULE,
    premium::MODULE,
    family::MODULE,
    claim::MODULE,
    clearing::MODULE,
    audit::MODULE,
    interregion::MODULE,
    exchange::MODULE,
];

/// Whose word a payment outside waits for, if it waits.
pub fn awaited_executor(state: &(impl Read + ?Sized), reference: &Hash) -> Option<OrganisationId> {
    visit::view::awaited_executor(state, reference)
        .or_else(|| premium::view::awaited_executor(state, reference))
        .or_else(|| claim::view::awaited_executor(state, reference))
}

/// The declaration of an event by its name.
#[must_use]
pub fn event(name: &str) -> Option<&'static EventName> {
    MODULES.iter().flat_map(|module| module.events).find(|event| event.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_event_name_is_declared_twice() {
        let all = || MODULES.iter().flat_map(|module| module.events);
        let names: BTreeSet<&str> = all().map(|event| event.name).collect();
        assert_eq!(names.len(), all().count());
    }
}
