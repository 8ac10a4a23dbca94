//! Organisations: admitted by the governing set, each with an offline root key and scoped online
//! keys that expire.
//!
//! Kinds: 201 `admit_organisation`, 202 `suspend_organisation`, 203 `resume_organisation`,
//! 204 `authorise_key`, 205 `revoke_key`, 206 `rotate_root_key`.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod admit_organisation;
mod authorise_key;
mod event;
pub mod rejection;
mod resume_organisation;
mod revoke_key;
mod rotate_root_key;
mod suspend_organisation;
mod table;
#[cfg(test)]
mod tests;
pub mod view;

pub use admit_organisation::AdmitOrganisation;
pub use authorise_key::AuthoriseKey;
pub use resume_organisation::ResumeOrganisation;
pub use revoke_key::RevokeKey;
pub use rotate_root_key::RotateRootKey;
pub use suspend_organisation::SuspendOrganisation;
pub use table::{OnlineKey, OrganisationKind, OrganisationRow, Scope, Standing, write_genesis};

pub(crate) const MODULE: Module = Module {
    number: 2,
    name: "organisation",
    kinds: || {
        alloc::vec![
            KindEntry::of::<AdmitOrganisation>("organisation"),
            KindEntry::of::<SuspendOrganisation>("organisation"),
            KindEntry::of::<ResumeOrganisation>("organisation"),
            KindEntry::of::<AuthoriseKey>("organisation"),
            KindEntry::of::<RevokeKey>("organisation"),
            KindEntry::of::<RotateRootKey>("organisation"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
