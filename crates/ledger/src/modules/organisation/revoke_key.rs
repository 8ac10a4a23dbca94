//! Revokes an online key.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::KEYS;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network::require_governing;

/// Takes a key back at once. Signed by the organisation's root key, or by the governing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Whose key.
    pub organisation: OrganisationId,
    /// The key.
    pub key: PublicKey,
}

impl Kind for RevokeKey {
    const NUMBER: u16 = 205;
    const NAME: &'static str = "revoke_key";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_root_signed(context, state, self.organisation)
            .map(|_| ())
            .or_else(|rejection| require_governing(context, state).map_err(|_| rejection))
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let at = (self.organisation, self.key);
        require(KEYS.has(state, &at), || rejection::UNKNOWN_KEY.with(self.organisation))?;
        KEYS.remove(state, &at);
        Ok(Outcome::event("key_revoked", [Party::Organisation(self.organisation)]))
    }
}
