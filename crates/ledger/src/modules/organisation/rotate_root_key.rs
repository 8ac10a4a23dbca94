//! Replaces a root key.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::ORGANISATIONS;
use super::view;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network::require_governing;

/// Replaces an organisation's root key. Signed by the present root key, or by the governing set
/// when that is lost. Online keys stay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRootKey {
    /// Whose key.
    pub organisation: OrganisationId,
    /// The new root key.
    pub root_key: PublicKey,
}

impl Kind for RotateRootKey {
    const NUMBER: u16 = 206;
    const NAME: &'static str = "rotate_root_key";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.root_key]);

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_root_signed(context, state, self.organisation)
            .map(|_| ())
            .or_else(|rejection| require_governing(context, state).map_err(|_| rejection))
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_active(state, self.organisation)?);
        row.root_key = self.root_key;
        ORGANISATIONS.put(state, &self.organisation, &row);
        Ok(Outcome::event("root_key_rotated", [Party::Organisation(self.organisation)]))
    }
}
