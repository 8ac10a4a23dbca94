//! Lets an organisation's node into the network, or changes where it is and with what it signs.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PublicKey, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::governing::concerned;
use super::node::{NODES_MAX, NodeRow, put_node};
use super::{member, rejection, require_governing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation;

/// Lets the node of an admitted organisation into the network: all others connect to it, and it
/// receives every block. Signed by the governing set. Whether it also decides, `set_validators`
/// says.
///
/// Said again of the same organisation it replaces what was said before: another machine, or
/// another key when the organisation cannot change it itself; a validator signs the next block
/// with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitNode {
    /// The node.
    pub node: NodeRow,
}

impl Kind for AdmitNode {
    const NUMBER: u16 = 105;
    const NAME: &'static str = "admit_node";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.node.key]);

    fn check(&self) -> Result<(), Rejection> {
        let Some(contact) = &self.node.contact else {
            return Err(rejection::INVALID_NODE.with(detail!("name where it is")));
        };
        let address = contact.address.rsplit_once(':');
        let fine = address.is_some_and(|(host, port)| {
            !host.is_empty()
                && port.parse::<u16>().is_ok_and(|port| port > 0)
                && contact.address.bytes().all(|byte| byte.is_ascii_graphic())
        });
        require(fine, || rejection::INVALID_NODE.with(detail!("write the address as `HOST:PORT`")))
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_governing(context, state)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let organisation = self.node.organisation;
        organisation::view::require_active(state, organisation)?;
        let nodes = view::nodes(state);
        let others = || nodes.iter().filter(|one| one.organisation != organisation);
        require(others().count() < NODES_MAX, || {
            rejection::INVALID_NODE
                .with(detail!("there are {most} nodes already", most = NODES_MAX))
        })?;
        let name = |node: &NodeRow| node.contact.as_ref().map(|contact| contact.name);
        let is_taken = others().any(|one| name(one).is_some() && name(one) == name(&self.node));
        require(!is_taken, || rejection::INVALID_NODE.with(detail!("another node has this name")))?;
        member::change_key(context, state, organisation, self.node.key)?;
        put_node(state, self.node.clone());
        Ok(Outcome::event("node_admitted", concerned(state, [organisation])))
    }
}
