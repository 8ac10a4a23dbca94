//! Replaces the key with which an organisation's node signs blocks.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PublicKey, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::node::{NodeRow, put_node};
use super::{member, rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation;

/// Replaces the key with which an organisation's node signs blocks; a validator signs the next
/// block with the new one. Signed by the organisation's root key, or by the governing set when
/// that cannot be had: also of a node that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateNodeKey {
    /// Whose node.
    pub organisation: OrganisationId,
    /// The new key.
    pub key: PublicKey,
    /// When it is to be replaced at the latest; it goes on counting after that.
    pub renew_by: Option<Timestamp>,
}

impl Kind for RotateNodeKey {
    const NUMBER: u16 = 106;
    const NAME: &'static str = "rotate_node_key";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.key]);

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        organisation::view::require_root_signed(context, state, self.organisation)
            .map(|_| ())
            .or_else(|rejection| require_governing(context, state).map_err(|_| rejection))
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let organisation = self.organisation;
        let known = view::nodes(state).iter().find(|one| one.organisation == organisation).cloned();
        let is_member = member::present(context, state).get(organisation).is_some();
        require(known.is_some() || is_member, || rejection::UNKNOWN_NODE.with(organisation))?;
        member::change_key(context, state, organisation, self.key)?;
        let contact = known.and_then(|node| node.contact);
        let (key, renew_by) = (self.key, self.renew_by);
        put_node(state, NodeRow { organisation, contact, key, renew_by });
        Ok(Outcome::event("node_key_rotated", [Party::Organisation(organisation)]))
    }
}
