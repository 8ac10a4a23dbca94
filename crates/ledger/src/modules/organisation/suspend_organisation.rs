//! Suspends an organisation.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{ORGANISATIONS, Standing};
use super::view;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network::require_governing;

/// Suspends an organisation: nothing signed by it counts until it is resumed. Signed by the
/// governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendOrganisation {
    /// Which one.
    pub organisation: OrganisationId,
}

impl Kind for SuspendOrganisation {
    const NUMBER: u16 = 202;
    const NAME: &'static str = "suspend_organisation";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_active(state, self.organisation)?);
        row.standing = Standing::Suspended;
        ORGANISATIONS.put(state, &self.organisation, &row);
        Ok(Outcome::event("organisation_suspended", [Party::Organisation(self.organisation)]))
    }
}
