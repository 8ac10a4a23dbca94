//! Takes an organisation's node out of the network.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::OrganisationId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::governing::concerned;
use super::table::NODES;
use super::{member, rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Takes an organisation's node out of the network: the others do not connect to it any more.
/// Signed by the governing set. A validator leaves the validators first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveNode {
    /// Whose node.
    pub organisation: OrganisationId,
}

impl Kind for RemoveNode {
    const NUMBER: u16 = 107;
    const NAME: &'static str = "remove_node";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let is_member = member::present(context, state).get(self.organisation).is_some();
        require(!is_member, || rejection::NODE_VALIDATES.with(self.organisation))?;
        let mut nodes: Vec<_> = Arc::unwrap_or_clone(view::nodes(state));
        let before = nodes.len();
        nodes.retain(|node| node.organisation != self.organisation);
        require(nodes.len() < before, || rejection::UNKNOWN_NODE.with(self.organisation))?;
        NODES.put(state, &(), &nodes);
        Ok(Outcome::event("node_removed", concerned(state, [self.organisation])))
    }
}
