//! The domains of the ledger, one folder each. Numbers are never reused.
//!
//! A module's tables have prefixes `number * 256 + n`, its kinds wire numbers `number * 100 + n`, its
//! rejections numbers `number * 100 + n`. Modules meet only through another module's `view` or the
//! kernel's postings.

use alloc::vec::Vec;

use crate::kernel::registry::KindEntry;
use crate::kernel::rejection::Code;

pub mod coverage;
pub mod fund;
pub mod network;
pub mod organisation;
pub mod person;
pub mod plan;
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
];
