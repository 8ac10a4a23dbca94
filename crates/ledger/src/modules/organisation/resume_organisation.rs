//! Ends a suspension.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{ORGANISATIONS, Standing};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network::require_governing;

/// Ends the suspension of an organisation. Signed by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeOrganisation {
    /// Which one.
    pub organisation: OrganisationId,
}

impl Kind for ResumeOrganisation {
    const NUMBER: u16 = 203;
    const NAME: &'static str = "resume_organisation";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let id = self.organisation;
        let mut row = Arc::unwrap_or_clone(
            view::organisation(state, id)
                .ok_or_else(|| rejection::UNKNOWN_ORGANISATION.with(id))?,
        );
        require(row.standing == Standing::Suspended, || rejection::NOT_SUSPENDED.with(id))?;
        row.standing = Standing::Active;
        ORGANISATIONS.put(state, &id, &row);
        Ok(Outcome::event("organisation_resumed", [Party::Organisation(id)]))
    }
}
