//! Admits an organisation.

use benefit::HospitalLevel;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PublicKey, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{ORGANISATIONS, OrganisationKind, OrganisationRow, Standing};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network::{self, require_governing};

/// Admits an organisation with its offline root key. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitOrganisation {
    /// Its public code.
    pub organisation: OrganisationId,
    /// What it is.
    pub kind: OrganisationKind,
    /// The region it belongs to. A bureau is admitted before its region is opened, and runs that
    /// one alone.
    pub region: RegionId,
    /// A provider's level; nothing for other kinds.
    #[serde(default)]
    pub level: Option<HospitalLevel>,
    /// The key that stays offline and authorises the others.
    pub root_key: PublicKey,
}

impl Kind for AdmitOrganisation {
    const NUMBER: u16 = 201;
    const NAME: &'static str = "admit_organisation";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.root_key]);

    fn check(&self) -> Result<(), Rejection> {
        let provider = self.kind == OrganisationKind::Provider;
        require(provider == self.level.is_some(), || rejection::LEVEL_MISMATCH.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let id = self.organisation;
        require(!ORGANISATIONS.has(state, &id), || rejection::ORGANISATION_EXISTS.with(id))?;
        if self.kind != OrganisationKind::Bureau {
            network::view::require_region(state, self.region)?;
        }
        let row = OrganisationRow {
            kind: self.kind,
            region: self.region,
            level: self.level,
            root_key: self.root_key,
            standing: Standing::Active,
        };
        ORGANISATIONS.put(state, &id, &row);
        Ok(Outcome::event("organisation_admitted", [Party::Organisation(id)]))
    }
}
